"""What all fuzz tests share: the process that reads, the seeds, and the line that stands in the tests' output."""

import re
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from fuzzing import FuzzRun
from reading_server import ReadingServer
from seeds import Seed, recordings

from napari_latent_explorer.io.formats import FORMATS

if sys.platform != "linux":  # memory and time are watched through Linux's /proc
    collect_ignore_glob = ["test_*.py"]


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ReadingServer]:
    with ReadingServer(tmp_path_factory.mktemp("reading")) as one:
        yield one


@pytest.fixture(scope="session")
def seeds_by_format(tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest) -> dict[str, list[Seed]]:
    """Seeds for each format: those that its own `is_recognised` takes."""
    try:
        realdata: Path | None = request.getfixturevalue("realdata")
    except pytest.skip.Exception:
        realdata = None
    found: dict[str, list[Seed]] = {known.name: [] for known in FORMATS}
    for number, whole in enumerate(recordings(realdata)):
        place = whole.write(tmp_path_factory.mktemp(f"seed{number}"))
        for known in FORMATS:
            if known.is_recognised(place):
                found[known.name].append(whole)
    return found


@pytest.fixture
def fuzz(
    server: ReadingServer, tmp_path: Path, record_property: Callable[[str, object], None]
) -> Callable[[str, list[Seed], int], None]:
    """Fuzz one reader, put the counts into the tests' output, and fail if anything but the expected came of it."""

    def run(target: str, seeds: list[Seed], n_inputs: int) -> None:
        fuzzing = FuzzRun(server, target, seeds, tmp_path)
        fuzzing.run(n_inputs)
        record_property("figure", f"fuzz: {fuzzing.tally.line(target)}")
        if fuzzing.failures:
            pytest.fail(fuzzing.report(), pytrace=False)
        assert not server.left_behind()

    return run


@pytest.fixture
def refusal(server: ReadingServer) -> Callable[..., str]:
    """Have a place read in the worker: it must be refused with the expected words, and nothing else may go wrong."""

    def refuse(place: Path, expected: str, target: str = "any recording") -> str:
        verdict = server.ask(target, place)
        assert verdict.kind == "refused", verdict
        assert re.search(expected, verdict.message), verdict.message
        return verdict.message

    return refuse
