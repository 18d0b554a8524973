"""Long work on a thread, with progress, and a place to stop at each step.

The work is a generator (see `data.progress`): each ``yield`` reports and may be the last. All signals come through
`dispatch`, so that in the GUI they arrive on its thread. A job that was cancelled says `cancelled` and nothing else,
even if its result was already on the way: whoever cancels need not fear a late result.
"""

from collections.abc import Callable, Generator
from threading import Event, Thread, current_thread
from time import monotonic
from typing import Any, Generic, TypeVar

from psygnal import Signal

from napari_latent_explorer.data.progress import Progress
from napari_latent_explorer.errors import LatentExplorerError
from napari_latent_explorer.session.dispatch import Dispatch, forward, inline

Result = TypeVar("Result")

MAX_STEP_S = 5.0
"""No step of a job should take longer; `Jobs.close` waits no longer for one that does."""


class Job(Generic[Result]):
    """One long work.

    Parameters
    ----------
    name
        For people, e.g. ``Fit predictors``.
    make_generator
        Called on the job's thread; all that happens in it, imports too, is off the caller's thread.
    dispatch
        Brings the signals to the thread that listens.
    """

    progressed = Signal(object, description="A `Progress`.")
    finished = Signal(object, description="The result.")
    failed = Signal(Exception)
    cancelled = Signal()
    ended = Signal(description="Follows each of finished, failed and cancelled.")

    def __init__(
        self, name: str, make_generator: Callable[[], Generator[Progress, None, Result]], dispatch: Dispatch = inline
    ) -> None:
        self.name = name
        self._make_generator = make_generator
        self._dispatch = dispatch
        self._cancel_requested = Event()
        self._has_ended = Event()
        self._is_running = False
        self._thread = Thread(target=self._run, name=name, daemon=True)

    @property
    def is_running(self) -> bool:
        """Whether it has started and its end has not been delivered."""
        return self._is_running

    @property
    def is_cancelled(self) -> bool:
        """Whether `cancel` was called."""
        return self._cancel_requested.is_set()

    def start(self) -> None:
        """Begin, on a thread of its own."""
        self._is_running = True
        self._thread.start()

    def cancel(self) -> None:
        """Stop at the next step."""
        self._cancel_requested.set()

    def wait(self, timeout_s: float | None = None) -> bool:
        """Block until the end was delivered; False after `timeout_s`. Not for the thread that delivers."""
        return self._has_ended.wait(timeout_s)

    def join(self, timeout_s: float | None = None) -> None:
        """Block until the thread has ended, whether or not its end was delivered."""
        if self._thread.ident is not None and self._thread is not current_thread():
            self._thread.join(timeout_s)

    def _run(self) -> None:
        end: Callable[[], None]
        try:
            result = self._drive()
        except Exception as error:
            end = self._emitter(self.failed.emit, error)
        else:
            end = self._emitter(self.finished.emit, result)
        self._dispatch(lambda: self._deliver_end(end))

    def _drive(self) -> Result | None:
        """Run to the end, or to the first step after `cancel`."""
        work = self._make_generator()
        try:
            while not self._cancel_requested.is_set():
                progress = next(work)
                self._dispatch(self._emitter(self._emit_progress, progress))
        except StopIteration as stop:
            result: Result = stop.value
            return result
        finally:
            work.close()
        return None

    def _emit_progress(self, progress: Progress) -> None:
        if not self.is_cancelled:
            self.progressed.emit(progress)

    def _deliver_end(self, end: Callable[[], None]) -> None:
        try:
            if self.is_cancelled:
                self.cancelled.emit()
            else:
                end()
        finally:
            self._is_running = False
            self.ended.emit()
            self._has_ended.set()

    @staticmethod
    def _emitter(emit: Callable[[Any], Any], value: object) -> Callable[[], None]:
        return lambda: emit(value)


class Jobs:
    """The jobs that run now; of each name at most one that is not being cancelled.

    Parameters
    ----------
    dispatch
        Given to each job.
    """

    started = Signal(Job, description="A job has begun; connect to its signals for progress.")
    ended = Signal(Job, description="A job has finished, failed or was cancelled.")
    failed = Signal(Exception, description="A job failed.")

    def __init__(self, dispatch: Dispatch = inline) -> None:
        self._dispatch = dispatch
        self._running: list[Job[Any]] = []

    @property
    def running(self) -> tuple[Job[Any], ...]:
        """Jobs whose end has not been delivered."""
        return tuple(self._running)

    def start(
        self,
        name: str,
        make_generator: Callable[[], Generator[Progress, None, Result]],
        on_finished: Callable[[Result], None],
    ) -> Job[Result]:
        """Start a job; a running one of the same name is cancelled: the newer wish counts.

        When `on_finished` raises an error that is the input's fault, the job counts as failed.
        """

        def deliver(result: Result) -> None:
            try:
                on_finished(result)
            except LatentExplorerError as error:
                self.failed.emit(error)

        for former in self.running:
            if former.name == name:
                former.cancel()
        job = Job(name, make_generator, self._dispatch)
        job.finished.connect(deliver)
        forward(job.failed, self.failed)
        job.ended.connect(lambda: self._on_job_ended(job))
        self._running.append(job)
        self.started.emit(job)
        job.start()
        return job

    def cancel_all(self) -> None:
        """Cancel each running job."""
        for job in self.running:
            job.cancel()

    def close(self) -> None:
        """Cancel each running job and wait until its thread has come to the end of its step."""
        self.cancel_all()
        for job in self.running:
            job.join(MAX_STEP_S)

    def wait(self, timeout_s: float | None = None) -> bool:
        """Block until no job runs, those too that others start as they end; False after `timeout_s`."""
        deadline = None if timeout_s is None else monotonic() + timeout_s
        while running := self.running:
            if not running[0].wait(None if deadline is None else max(0.0, deadline - monotonic())):
                return False
        return True

    def _on_job_ended(self, job: Job[Any]) -> None:
        self._running.remove(job)
        self.ended.emit(job)
