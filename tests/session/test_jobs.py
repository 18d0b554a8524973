import threading
from collections.abc import Callable, Generator
from typing import Any

import pytest

from napari_latent_explorer.data.progress import Progress
from napari_latent_explorer.errors import StudyError
from napari_latent_explorer.session.jobs import Job, Jobs


def count_to(total: int, gate: threading.Semaphore | None = None) -> Generator[Progress, None, int]:
    for done in range(total):
        yield Progress(done, total)
        if gate is not None:
            gate.acquire()
    return total


def listen(job: Job[Any]) -> list[tuple[str, Any]]:
    heard: list[tuple[str, Any]] = []
    job.progressed.connect(lambda progress: heard.append(("progressed", progress.done)))
    job.finished.connect(lambda result: heard.append(("finished", result)))
    job.failed.connect(lambda error: heard.append(("failed", error)))
    job.cancelled.connect(lambda: heard.append(("cancelled", None)))
    job.ended.connect(lambda: heard.append(("ended", None)))
    return heard


def test_a_job_tells_each_step_then_its_result_then_its_end() -> None:
    job = Job("count", lambda: count_to(3))
    heard = listen(job)
    job.start()
    assert job.wait(5.0)
    steps = [("progressed", done) for done in range(3)]
    assert heard == [*steps, ("finished", 3), ("ended", None)]
    assert not job.is_running


def test_a_job_runs_on_a_thread_of_its_own_and_makes_its_generator_there() -> None:
    threads: list[str] = []

    def make() -> Generator[Progress, None, int]:
        threads.append(threading.current_thread().name)
        return count_to(1)

    job = Job("elsewhere", make)
    job.start()
    job.join(5.0)
    assert threads == ["elsewhere"]


def test_cancel_takes_effect_at_the_next_step_and_closes_the_generator() -> None:
    gate, closed = threading.Semaphore(0), threading.Event()

    def work() -> Generator[Progress, None, int]:
        try:
            return (yield from count_to(1_000, gate))
        finally:
            closed.set()

    job = Job("long", work)
    heard = listen(job)
    job.start()
    gate.release()
    job.cancel()
    gate.release()
    assert job.wait(5.0)
    assert closed.is_set()
    assert heard[-2:] == [("cancelled", None), ("ended", None)]
    assert all(what == "progressed" for what, _ in heard[:-2])
    assert len(heard) <= 5


def test_a_result_that_was_on_its_way_when_the_job_was_cancelled_is_not_told() -> None:
    posted: list[Callable[[], None]] = []
    job = Job("quick", lambda: count_to(0), posted.append)
    heard = listen(job)
    job.start()
    job.join(5.0)
    job.cancel()
    for call in posted:
        call()
    assert heard == [("cancelled", None), ("ended", None)]


def test_a_failure_travels_as_a_value() -> None:
    def work() -> Generator[Progress, None, int]:
        yield Progress(0, 1)
        raise StudyError("no space left")

    job = Job("fail", work)
    heard = listen(job)
    job.start()
    assert job.wait(5.0)
    assert [what for what, _ in heard] == ["progressed", "failed", "ended"]
    assert str(heard[1][1]) == "no space left"


def test_a_newer_job_of_the_same_name_cancels_the_former() -> None:
    jobs, results, gate = Jobs(), [], threading.Semaphore(0)
    former = jobs.start("read", lambda: count_to(5, gate), results.append)
    newer = jobs.start("read", lambda: count_to(2), results.append)
    assert former.is_cancelled
    gate.release(5)
    assert jobs.wait(5.0)
    assert results == [2]
    assert not newer.is_cancelled
    assert jobs.running == ()


def test_an_input_error_in_what_follows_a_job_is_told_as_its_failure() -> None:
    def follow(_: int) -> None:
        raise StudyError("does not fit")

    jobs, errors = Jobs(), []
    jobs.failed.connect(errors.append)
    jobs.start("read", lambda: count_to(1), follow)
    assert jobs.wait(5.0)
    assert [str(error) for error in errors] == ["does not fit"]


def test_close_leaves_no_thread() -> None:
    before = threading.active_count()
    jobs = Jobs()

    def endless() -> Generator[Progress, None, None]:
        while True:
            yield Progress(0, 1)

    jobs.start("endless", endless, lambda _: None)
    jobs.start("endless too", endless, lambda _: None)
    jobs.close()
    assert threading.active_count() == before


def test_waiting_has_an_end() -> None:
    jobs, gate = Jobs(), threading.Semaphore(0)
    jobs.start("stuck", lambda: count_to(1, gate), lambda _: None)
    assert not jobs.wait(0.02)
    gate.release()
    assert jobs.wait(5.0)


@pytest.mark.parametrize("n_jobs", [1, 3])
def test_jobs_tell_when_they_start_and_end(n_jobs: int) -> None:
    jobs, heard = Jobs(), []
    jobs.started.connect(lambda job: heard.append(("started", job.name)))
    jobs.ended.connect(lambda job: heard.append(("ended", job.name)))
    for number in range(n_jobs):
        jobs.start(str(number), lambda: count_to(1), lambda _: None)
    assert jobs.wait(5.0)
    assert sorted(heard) == sorted((what, str(number)) for what in ("started", "ended") for number in range(n_jobs))
