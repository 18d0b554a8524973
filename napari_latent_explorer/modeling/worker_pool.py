"""Work on many participants in several processes, with progress, and stopped cleanly when the caller closes it."""

import multiprocessing
import os
from collections.abc import Callable, Generator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from typing import Any

from napari_latent_explorer.data.progress import Progress

_THREAD_VARIABLES = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS")
_QUEUED_PER_WORKER = 4


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
) -> Generator[Progress, None, None]:
    """Call `work` with each of `items` in `n_workers` fresh processes, or here if that is 1.

    An exception of `work` ends it all and is raised here; closing the generator waits for what is running only.

    Parameters
    ----------
    work, items
        What to do; both must be picklable.
    n_workers
        Processes; None for one per processor.
    message
        What the progress says.
    initializer, arguments
        Called once in each process before work begins.
    """
    n_workers = default_workers() if n_workers is None else n_workers
    if n_workers <= 1 or len(items) <= 1:
        if initializer is not None:
            initializer(*arguments)
        for done, item in enumerate(items, 1):
            work(item)
            yield Progress(done, len(items), message)
        return
    context = multiprocessing.get_context("spawn")
    executor = ProcessPoolExecutor(n_workers, context, _start_worker, (initializer, arguments))
    try:
        yield from _collect(executor, work, items, n_workers, message)
    finally:
        executor.shutdown(wait=True, cancel_futures=True)


def _start_worker(initializer: Callable[..., None] | None, arguments: tuple[Any, ...]) -> None:
    os.environ.update(dict.fromkeys(_THREAD_VARIABLES, "1"))
    if initializer is not None:
        initializer(*arguments)


def _collect(
    executor: ProcessPoolExecutor, work: Callable[[Any], object], items: Sequence[Any], n_workers: int, message: str
) -> Generator[Progress, None, None]:
    """Keep a short queue full, so that closing has little to cancel."""
    waiting: set[Future[object]] = set()
    queue = iter(items)
    done = 0
    while done < len(items):
        while len(waiting) < _QUEUED_PER_WORKER * n_workers and (item := next(queue, _END)) is not _END:
            waiting.add(executor.submit(work, item))
        finished, waiting = wait(waiting, return_when=FIRST_COMPLETED)
        for future in finished:
            future.result()
            done += 1
        yield Progress(done, len(items), message)


_END = object()
