"""Workers of a Dask cluster that each work on one item after the other; see `worker_pool.Workers`.

The work is the very same that the processes of this machine do. The workers must see the same files at the same paths.
Nobody can end a thread that hangs: the worker ends itself, and its nanny starts another; one without one is lost.
"""

import os
import threading
from collections.abc import Callable, Generator, Sequence
from contextlib import suppress
from importlib import import_module
from time import monotonic
from typing import Any

from napari_latent_explorer.data.progress import Progress
from napari_latent_explorer.errors import StudyError
from napari_latent_explorer.modeling.worker_pool import Finished, Guard, drive

_CONNECT_S = 15.0
_HAND_OVER_S = 1.0
_PATIENCE = 2.0
"""An item that hangs is begun a second time elsewhere; it is given up when it has had its time twice."""


def work_on_cluster(
    work: Callable[[Any], object],
    items: Sequence[Any],
    scheduler: str,
    message: str,
    guard: Guard,
    keep: Callable[[Any], object] | None = None,
) -> Generator[Progress, None, None]:
    """Call `work` with each of `items` on the workers of the Dask scheduler at the address `scheduler`.

    See `worker_pool.work_through`, of which this is the like. `keep` is called here with what `work` returned there.

    Raises
    ------
    StudyError
        When Dask is not installed, or nobody answers at that address.
    """
    yield Progress(0, len(items), f"connecting to {scheduler}")
    yield from drive(DaskWorkers(scheduler, work, guard.time_limit_s), items, message, guard, keep)


class DaskWorkers:
    """The workers of one scheduler.

    Parameters
    ----------
    scheduler
        Its address, e.g. ``tcp://10.0.0.1:8786``.
    work
        What they are to do with each item.
    time_limit_s
        An item that takes longer is given up.
    """

    def __init__(self, scheduler: str, work: Callable[[Any], object], time_limit_s: float) -> None:
        try:
            distributed: Any = import_module("distributed")  # its functions have no types
        except ImportError as absence:
            raise StudyError(
                f"Cannot use the scheduler {scheduler}: Dask is not installed. Install it with "
                "`pip install napari-latent-explorer[cluster]`, here and where the workers run."
            ) from absence
        self._distributed = distributed
        try:
            self._client = distributed.Client(scheduler, timeout=_CONNECT_S, set_as_default=False)
        except (OSError, ValueError, TypeError) as refusal:
            raise StudyError(
                f"No Dask scheduler answers at {scheduler}: {refusal}. Give the address that `dask scheduler` printed, "
                "e.g. tcp://10.0.0.1:8786."
            ) from refusal
        self._work = work
        self._time_limit_s = time_limit_s
        self._running: dict[Any, tuple[Any, float]] = {}

    def n_free(self) -> int:
        """How many items can be submitted now: no more than begin at once, so that their time can be measured."""
        n_threads: int = sum(self._client.nthreads().values())
        return max(1, n_threads) - len(self._running)

    def submit(self, item: Any) -> None:
        """Hand `item` to the scheduler."""
        future = self._client.submit(work_within, self._work, item, self._time_limit_s, pure=False)
        self._running[future] = (item, monotonic())

    def wait(self, timeout_s: float) -> list[Finished]:
        """Wait until some item is finished, or for `timeout_s`."""
        with suppress(TimeoutError), self._client.as_current():
            self._distributed.wait(list(self._running), timeout=timeout_s, return_when="FIRST_COMPLETED")
        done = [future for future in tuple(self._running) if future.done()]
        finished = [outcome for future in done if (outcome := self._settle(future)) is not None]
        late = monotonic() - _PATIENCE * self._time_limit_s
        overdue = [future for future, (_, since_s) in self._running.items() if since_s < late]
        return finished + [self._give_up(future) for future in overdue]

    def close(self) -> None:
        """Cancel what is queued; what a worker has begun ends by itself."""
        with suppress(Exception):  # the scheduler may have gone, and there is nothing left to do about it
            self._client.cancel(list(self._running), force=True)
        self._running = {}
        self._client.close(timeout=1)

    def _settle(self, future: Any) -> Finished | None:
        """Say what became of an item; None if its worker died before it handed the result over: it is begun again."""
        result = None
        if future.status == "finished":
            try:
                result = future.result(timeout=_HAND_OVER_S)
            except (TimeoutError, self._distributed.CancelledError, self._distributed.scheduler.KilledWorker):
                return None
        item, _ = self._running.pop(future)
        if future.status == "finished":
            return Finished(item, result=result)
        if future.status == "cancelled":
            return Finished(item, lost="the scheduler cancelled it")
        error = future.exception()
        if isinstance(error, self._distributed.scheduler.KilledWorker):
            return Finished(item, lost="every worker that worked on it died")
        return Finished(item, error if isinstance(error, Exception) else RuntimeError(repr(error)))

    def _give_up(self, future: Any) -> Finished:
        item, _ = self._running.pop(future)
        future.cancel(force=True)
        return Finished(item, lost=f"it took longer than {self._time_limit_s:g} s and was given up")


def work_within(work: Callable[[Any], object], item: Any, time_limit_s: float) -> object:
    """Work on one item, on a worker; it ends itself when that takes too long and a nanny is there to replace it."""
    distributed: Any = import_module("distributed")
    has_nanny = distributed.get_worker().nanny is not None
    watch = threading.Timer(time_limit_s, os._exit, (1,))
    watch.daemon = True
    if has_nanny:
        watch.start()
    try:
        return work(item)
    finally:
        watch.cancel()
