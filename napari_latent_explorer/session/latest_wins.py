"""Work that cannot keep up with its requests, and yet shows something all the time.

The rule is: one request runs, one waits (the newest; it replaces the one that waited before), and **each finished
result is delivered**, in the order in which the requests came. Dropping results that are "no longer current" looks
reasonable and shows nothing at all while a slider moves faster than the work takes: with an event each 8 ms and 30 ms
of work no result would ever be current. With this rule every 30 ms one arrives, and the last one is always right.

The reader of the results may be slow too (a window that paints). So no new work starts while a result still waits to be
delivered and taken in: the queue stays short, and what is shown is never older than one step.
"""

import sys
from collections.abc import Callable
from concurrent.futures import Executor, ThreadPoolExecutor
from threading import Condition, ExceptHookArgs, current_thread, excepthook
from typing import Generic, TypeVar

from psygnal import Signal

from napari_latent_explorer.session.dispatch import Dispatch, inline

Request = TypeVar("Request")
Result = TypeVar("Result")


class LatestWins(Generic[Request, Result]):
    """One running, one pending; each finished result is delivered in order.

    Parameters
    ----------
    work
        Pure function from request to result; runs on the executor.
    dispatch
        Brings a result to the thread that listens.
    executor
        Where the work runs; by default one thread of its own, which `close` stops.
    taken_in
        Makes a call when who listens has taken in what was delivered; no sooner counts it as such.
    """

    finished = Signal(object, description="A result, on the thread of `dispatch`.")
    failed = Signal(Exception, description="The work of one request raised; the following requests go on.")

    def __init__(
        self,
        work: Callable[[Request], Result],
        dispatch: Dispatch = inline,
        executor: Executor | None = None,
        taken_in: Dispatch = inline,
    ) -> None:
        self._work = work
        self._dispatch = dispatch
        self._taken_in = taken_in
        self._executor = executor or ThreadPoolExecutor(1, thread_name_prefix="latest-wins")
        self._owns_executor = executor is None
        self._changed = Condition()
        self._pending: list[Request] = []
        self._is_running = False
        self._n_undelivered = 0
        self._generation = 0
        self._is_closed = False

    def request(self, request: Request) -> None:
        """Ask for the result of `request`; it replaces the one that waits. Ignored after `close`."""
        with self._changed:
            self._pending = [request]
            self._start_next()

    def forget(self) -> None:
        """Drop the waiting request, and the results of all earlier ones when they come: they are stale."""
        with self._changed:
            self._pending = []
            self._generation += 1
            self._changed.notify_all()

    @property
    def is_idle(self) -> bool:
        """Whether nothing runs, waits or has yet to be delivered."""
        return not (self._is_running or self._pending or self._n_undelivered)

    def wait(self, timeout_s: float | None = None) -> bool:
        """Block until idle and return True, or False after `timeout_s`. Not for the thread that delivers."""
        with self._changed:
            return self._changed.wait_for(lambda: self.is_idle, timeout_s)

    def close(self) -> None:
        """Forget everything and stop the thread; returns when a running request has ended."""
        self.forget()
        with self._changed:
            self._is_closed = True
        if self._owns_executor:
            self._executor.shutdown(wait=True)

    def _start_next(self) -> None:
        """Start the waiting request if nothing runs and the reader keeps up; the lock is held."""
        if self._is_closed or self._is_running or not self._pending or self._n_undelivered:
            return
        self._is_running = True
        self._executor.submit(self._run, self._pending.pop(), self._generation)

    def _run(self, request: Request, generation: int) -> None:
        outcome: Result | Exception
        try:
            outcome = self._work(request)
        except Exception as error:
            outcome = error
        with self._changed:
            self._n_undelivered += 1
        try:
            # Hand over before the next one may start: the order holds on an executor with many threads too.
            self._dispatch(lambda: self._deliver(outcome, generation))
        except Exception:  # of a listener, not of the work; a future that nobody asks would swallow it
            excepthook(ExceptHookArgs((*sys.exc_info(), current_thread())))
        with self._changed:
            self._is_running = False
            self._start_next()
            self._changed.notify_all()

    def _deliver(self, outcome: Result | Exception, generation: int) -> None:
        try:
            if generation != self._generation:
                return
            if isinstance(outcome, Exception):
                self.failed.emit(outcome)
            else:
                self.finished.emit(outcome)
        finally:
            self._taken_in(self._count_down)

    def _count_down(self) -> None:
        with self._changed:
            self._n_undelivered -= 1
            self._start_next()
            self._changed.notify_all()
