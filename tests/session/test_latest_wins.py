import threading
import time
from collections.abc import Callable
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from typing import Any

import pytest

from napari_latent_explorer.session import latest_wins
from napari_latent_explorer.session.latest_wins import LatestWins


class ScriptedExecutor(Executor):
    """Runs nothing until told to."""

    def __init__(self) -> None:
        self.submitted: list[Callable[[], Any]] = []

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> "Future[Any]":
        self.submitted.append(lambda: fn(*args, **kwargs))
        return Future()

    def run_next(self) -> None:
        self.submitted.pop(0)()


def scripted(dispatch: Callable[[Callable[[], None]], None] | None = None) -> tuple[Any, ScriptedExecutor, list[int]]:
    executor, results = ScriptedExecutor(), []
    latest: LatestWins[int, int] = LatestWins(lambda x: x, dispatch or (lambda call: call()), executor)
    latest.finished.connect(results.append)
    return latest, executor, results


def test_one_runs_and_only_the_newest_waits() -> None:
    latest, executor, results = scripted()
    for number in range(5):
        latest.request(number)
    assert len(executor.submitted) == 1
    executor.run_next()
    assert results == [0]
    executor.run_next()
    assert results == [0, 4]
    assert not executor.submitted
    assert latest.is_idle


def test_a_finished_result_is_delivered_although_newer_requests_wait() -> None:
    latest, executor, results = scripted()
    latest.request(1)
    latest.request(2)
    executor.run_next()
    assert results == [1]


def test_forgotten_requests_never_arrive() -> None:
    latest, executor, results = scripted()
    latest.request(1)
    latest.request(2)
    latest.forget()
    executor.run_next()
    assert results == []
    assert latest.is_idle
    latest.request(3)
    executor.run_next()
    assert results == [3]


def test_no_work_is_started_while_the_listener_is_behind() -> None:
    undelivered: list[Callable[[], None]] = []
    latest, executor, results = scripted(undelivered.append)
    for number in range(10):
        latest.request(number)
        if executor.submitted:
            executor.run_next()
    assert len(undelivered) == 1
    while undelivered:
        undelivered.pop(0)()
        if executor.submitted:
            executor.run_next()
    assert results == [0, 9]


def test_no_work_is_started_before_the_listener_has_taken_in_what_was_delivered() -> None:
    painting: list[Callable[[], None]] = []
    executor, results = ScriptedExecutor(), []
    latest: LatestWins[int, int] = LatestWins(lambda x: x, executor=executor, taken_in=painting.append)
    latest.finished.connect(results.append)
    latest.request(1)
    latest.request(2)
    executor.run_next()
    assert (results, executor.submitted, latest.is_idle) == ([1], [], False)
    painting.pop()()
    executor.run_next()
    assert results == [1, 2]


def test_a_failure_is_told_and_the_next_request_goes_on() -> None:
    executor = ScriptedExecutor()
    latest: LatestWins[int, float] = LatestWins(lambda x: 1 / x, executor=executor)
    results: list[float] = []
    errors: list[Exception] = []
    latest.finished.connect(results.append)
    latest.failed.connect(errors.append)
    latest.request(0)
    latest.request(2)
    executor.run_next()
    executor.run_next()
    assert results == [0.5]
    assert [type(error) for error in errors] == [ZeroDivisionError]


def test_a_listener_that_fails_is_heard_of_and_does_not_stop_the_next_result(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    uncaught: list[Any] = []
    monkeypatch.setattr(latest_wins, "excepthook", uncaught.append)
    latest, executor, results = scripted()

    def listen(number: int) -> None:
        if number == 1:
            raise RuntimeError("cannot draw")

    latest.finished.connect(listen)
    latest.request(1)
    latest.request(2)
    executor.run_next()
    executor.run_next()
    assert results == [1, 2]
    assert "cannot draw" in str(uncaught[0].exc_value)
    assert latest.is_idle


def test_something_is_shown_all_the_time_while_a_slider_outruns_the_work() -> None:
    def work(number: int) -> int:
        time.sleep(0.030)
        return number

    results: list[int] = []
    latest = LatestWins(work)
    latest.finished.connect(results.append)
    started = time.monotonic()
    for number in range(100):
        latest.request(number)
        time.sleep(0.008)
    assert latest.wait(5.0)
    elapsed_s = time.monotonic() - started
    latest.close()
    assert results[-1] == 99
    assert results == sorted(results)
    assert len(results) >= 0.6 * elapsed_s / 0.030  # "drop what is not current" would have shown one


def test_the_order_holds_on_an_executor_with_many_threads() -> None:
    with ThreadPoolExecutor(4) as executor:
        latest: LatestWins[int, int] = LatestWins(lambda x: x, executor=executor)
        results: list[int] = []
        latest.finished.connect(results.append)
        for number in range(500):
            latest.request(number)
        assert latest.wait(5.0)
    assert results == sorted(results)
    assert results[-1] == 499


def test_close_stops_the_thread_and_later_requests_are_ignored() -> None:
    before = threading.active_count()
    latest: LatestWins[int, int] = LatestWins(lambda x: x)
    latest.request(1)
    assert latest.wait(5.0)
    latest.close()
    assert threading.active_count() == before
    latest.request(2)
    assert not latest.is_idle or latest.wait(0.1)


@pytest.mark.parametrize("timeout_s", [0.0, 0.01])
def test_wait_gives_up_after_its_timeout(timeout_s: float) -> None:
    latest, executor, _ = scripted()
    latest.request(1)
    assert not latest.wait(timeout_s)
    executor.run_next()
    assert latest.wait(timeout_s)
