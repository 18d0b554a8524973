from collections.abc import Generator

import pytest

from napari_latent_explorer.data.progress import Progress, finish


def count(n: int, log: list[str]) -> Generator[Progress, None, int]:
    try:
        for done in range(n):
            yield Progress(done, n, "counting")
        return n
    finally:
        log.append("closed")


def test_work_is_run_to_its_end_and_its_result_returned() -> None:
    log: list[str] = []
    assert finish(count(3, log)) == 3
    assert finish(count(0, log)) == 0
    assert log == ["closed", "closed"]


def test_closing_cancels() -> None:
    log: list[str] = []
    work = count(3, log)
    assert next(work) == Progress(0, 3, "counting")
    work.close()
    assert log == ["closed"]
    with pytest.raises(StopIteration):
        next(work)
