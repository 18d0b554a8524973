"""Work on many participants in several processes, with progress, and stopped within a second when the caller closes it.

Where an item takes its process down (a fault in a decoder of pictures, no memory left) or never comes to an end, a
`Guard` lets it cost that item alone: each process has one item at a time, so it is known which one it was.
"""

import os
from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from napari_latent_explorer.data.progress import Progress
from napari_latent_explorer.errors import StudyError

STEP_S = 0.25
"""Progress is reported, and a wish to stop is noticed, at least this often."""


@dataclass(frozen=True, slots=True)
class Guard:
    """What is done about items that cannot be finished.

    Attributes
    ----------
    time_limit_s
        An item that takes longer is given up.
    on_lost
        Called in the caller's process with the item and the reason in words.
    """

    time_limit_s: float
    on_lost: Callable[[Any, str], object]


@dataclass(frozen=True, slots=True)
class Finished:
    """An item that is not being worked on any more.

    Attributes
    ----------
    item
        The item.
    error
        What the work raised.
    lost
        Why it could not be finished, in words; empty if it was.
    result
        What the work returned, on a cluster; processes of this machine keep it to themselves.
    """

    item: Any
    error: Exception | None = None
    lost: str = ""
    result: Any = None


class Workers(Protocol):
    """Some processes, here or elsewhere, that each work on one item after the other."""

    def n_free(self) -> int:
        """How many items can be submitted now."""

    def submit(self, item: Any) -> None:
        """Begin with `item`."""

    def wait(self, timeout_s: float) -> list[Finished]:
        """Wait until some item is finished, or for `timeout_s`."""

    def close(self) -> None:
        """Stop at once, whatever is being worked on."""


def default_workers() -> int:
    """As many processes as this process may use processors."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def work_through(
    work: Callable[[Any], object],
    items: Sequence[Any],
    n_workers: int | None,
    message: str,
    initializer: Callable[..., None] | None = None,
    arguments: tuple[Any, ...] = (),
    guard: Guard | None = None,
) -> Generator[Progress, None, None]:
    """Call `work` with each of `items` in `n_workers` fresh processes, or here if that is 1 and there is no guard.

    An exception of `work` ends it all and is raised here; closing the generator kills what is running, so work must
    leave nothing half-done behind when it is killed.

    Parameters
    ----------
    work, items
        What to do; both must be picklable.
    n_workers
        Processes; None for one per processor, 0 for none: the work is done here, where no guard can help.
    message
        What the progress says.
    initializer, arguments
        Called once in each process before work begins.
    guard
        What to do about items that cannot be finished; without one they end it all.
    """
    n_workers = default_workers() if n_workers is None else n_workers
    if n_workers < 1 or (guard is None and (n_workers == 1 or len(items) <= 1)):
        if initializer is not None:
            initializer(*arguments)
        for done, item in enumerate(items, 1):
            work(item)
            yield Progress(done, len(items), message)
        return
    from napari_latent_explorer.modeling.worker_processes import WorkerProcesses

    n_workers = min(n_workers, len(items))
    workers = WorkerProcesses(n_workers, work, initializer, arguments, guard.time_limit_s if guard else None)
    yield from drive(workers, items, message, guard)


def drive(
    workers: Workers,
    items: Sequence[Any],
    message: str,
    guard: Guard | None,
    keep: Callable[[Any], object] | None = None,
) -> Generator[Progress, None, None]:
    """Feed `workers` with `items` and close them at the end, however that comes; `keep` is called with each result.

    Raises
    ------
    StudyError
        When an item is lost and there is no guard.
    """
    queue = iter(items)
    done = 0
    try:
        while done < len(items):
            while workers.n_free() > 0 and (item := next(queue, _END)) is not _END:
                workers.submit(item)
            for finished in workers.wait(STEP_S):
                _settle(finished, message, guard)
                if keep is not None and not finished.lost:
                    keep(finished.result)
                done += 1
            yield Progress(done, len(items), message)
    finally:
        workers.close()


def _settle(finished: Finished, message: str, guard: Guard | None) -> None:
    if finished.error is not None:
        raise finished.error
    if not finished.lost:
        return
    if guard is None:
        raise StudyError(f"Stopped while {message}: {finished.lost}. What was done is kept; start it again to go on.")
    guard.on_lost(finished.item, finished.lost)


_END = object()
