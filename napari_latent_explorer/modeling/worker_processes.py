"""Processes of this machine that each work on one item after the other; who is lost, and with which item, is known.

`concurrent.futures` cannot say which item took a process down, nor end one that hangs. Processes are spawned, not
forked: Zarr's event loop and the threads of numerical libraries do not survive a fork.
"""

import multiprocessing
import os
import pickle
import signal
import threading
import traceback
from collections.abc import Callable
from multiprocessing.connection import Connection, wait
from time import monotonic
from typing import TYPE_CHECKING, Any

from napari_latent_explorer.errors import LatentExplorerError, StudyError
from napari_latent_explorer.modeling.worker_pool import Finished

if TYPE_CHECKING:
    from multiprocessing.context import SpawnProcess

_THREAD_VARIABLES = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS")
_FAREWELL_S = 2.0


class WorkerProcesses:
    """`n_workers` processes that call `work`; see `worker_pool.Workers`.

    Parameters
    ----------
    n_workers
        How many.
    work, initializer, arguments
        See `worker_pool.work_through`.
    time_limit_s
        A process that works longer on one item is killed; None for no limit.
    """

    def __init__(
        self,
        n_workers: int,
        work: Callable[[Any], object],
        initializer: Callable[..., None] | None = None,
        arguments: tuple[Any, ...] = (),
        time_limit_s: float | None = None,
    ) -> None:
        # pickled here and loaded there after the number of threads has been set, which counts when NumPy is imported
        self._task = pickle.dumps((work, initializer, arguments))
        self._time_limit_s = time_limit_s
        self._n_workers = n_workers
        self._idle: list[_Worker] = []
        self._busy: list[_Worker] = []

    def n_free(self) -> int:
        """How many items can be submitted now."""
        return self._n_workers - len(self._busy)

    def submit(self, item: Any) -> None:
        """Begin with `item` in an idle process, or a new one."""
        worker = self._idle.pop() if self._idle else _Worker(self._task)
        worker.begin(item)
        self._busy.append(worker)

    def wait(self, timeout_s: float) -> list[Finished]:
        """Wait until some item is finished, or for `timeout_s`."""
        wait([handle for worker in self._busy for handle in (worker.connection, worker.process.sentinel)], timeout_s)
        finished = []
        for worker in tuple(self._busy):
            outcome = worker.outcome(self._time_limit_s)
            if outcome is None:
                continue
            finished.append(outcome)
            self._busy.remove(worker)
            if outcome.lost:
                worker.kill()
            else:
                self._idle.append(worker)
        return finished

    def close(self) -> None:
        """Kill who is at work, and let the others go."""
        for worker in self._busy:
            worker.kill()
        for worker in self._idle:
            worker.connection.close()
        for worker in self._idle:
            worker.process.join(_FAREWELL_S)
            worker.kill()
        self._busy, self._idle = [], []


class _Worker:
    """One process, and the item that it has."""

    def __init__(self, task: bytes) -> None:
        context = multiprocessing.get_context("spawn")
        self.connection, theirs = context.Pipe()
        self.process: SpawnProcess = context.Process(target=_serve, args=(theirs, task), daemon=True)
        self.process.start()
        theirs.close()
        self._item: Any = None
        self._is_ready = False
        self._since_s = 0.0

    def begin(self, item: Any) -> None:
        self._item, self._since_s = item, monotonic()
        try:
            self.connection.send(item)
        except OSError:  # it has died; `outcome` finds that out
            return

    def outcome(self, time_limit_s: float | None) -> Finished | None:
        """Say what became of the item, if anything did."""
        has_ended = not self.process.is_alive()
        try:
            while self.connection.poll():
                answer: Exception | str | None = self.connection.recv()
                if answer == _READY:
                    self._is_ready, self._since_s = True, monotonic()
                elif not self._is_ready:
                    raise answer if isinstance(answer, Exception) else StudyError(str(answer))
                else:
                    return Finished(self._item, answer if isinstance(answer, Exception) else None)
        except (EOFError, OSError):
            has_ended = True
        if has_ended:
            self.process.join(_FAREWELL_S)
            return Finished(self._item, lost=self._why_it_ended())
        if time_limit_s is not None and monotonic() - self._since_s > time_limit_s:
            return Finished(self._item, lost=f"it took longer than {time_limit_s:g} s and was given up")
        return None

    def kill(self) -> None:
        self.process.kill()
        self.process.join()
        self.connection.close()
        self.process.close()

    def _why_it_ended(self) -> str:
        code = self.process.exitcode
        if not self._is_ready:
            raise StudyError(
                f"A process for the work could not be started (exit code {code}). In a script, start the work below "
                "`if __name__ == '__main__':`."
            )
        if code is not None and code < 0:
            name = signal.Signals(-code).name if -code in set(signal.Signals) else str(-code)
            hint = ", which often means that memory ran out" if name == "SIGKILL" else ""
            return f"the process that worked on it was ended by signal {name}{hint}"
        return f"the process that worked on it ended with exit code {code}"


_READY = "ready"


def _serve(connection: Connection, task: bytes) -> None:
    """Work on what comes until the connection is closed."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl+C is the parent's to answer
    os.environ.update(dict.fromkeys(_THREAD_VARIABLES, "1"))
    threading.Thread(target=_end_with_parent, daemon=True).start()
    try:
        work, initializer, arguments = pickle.loads(task)
        if initializer is not None:
            initializer(*arguments)
    except Exception as error:
        connection.send(_portable(error))
        return
    connection.send(_READY)
    while True:
        try:
            item = connection.recv()
        except (EOFError, OSError):
            return
        try:
            work(item)
            connection.send(None)
        except Exception as error:
            connection.send(_portable(error))


def _end_with_parent() -> None:
    """End when the parent is killed, so that whoever goes on with its work finds nobody writing."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        wait([parent.sentinel])
    os._exit(1)


def _portable(error: Exception) -> Exception:
    """Give the error as it can be sent; a fault of the program carries its traceback along."""
    if not isinstance(error, LatentExplorerError):
        error.add_note(traceback.format_exc())
    try:
        pickle.loads(pickle.dumps(error))
    except Exception:
        return RuntimeError(f"{type(error).__name__}: {error}\n{traceback.format_exc()}")
    return error
