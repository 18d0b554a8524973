"""The fuzz run itself: draw damage, have it read in the worker, count, and tell failures apart.

With a number of inputs it is the same run each time (for CI). With ``LATENT_EXPLORER_FUZZ_SECONDS`` in the environment
each reader gets that many seconds and ever new damage instead; ``LATENT_EXPLORER_FUZZ_SEED`` says where to begin.
"""

import os
import shutil
import time
from collections.abc import Sequence
from pathlib import Path

from damage import Edit, damaged, edits_of
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st
from reading_server import ReadingServer, Tally, Verdict
from seeds import Seed

_PER_ROUND = 300
_MOST_FAILURES = 12


class FuzzRun:
    """Inputs for one reader, and what came of them.

    Parameters
    ----------
    server
        Who reads.
    target
        Name of the reader.
    seeds
        Whole inputs.
    folder
        Empty folder for the inputs; those that failed stay in it.
    """

    def __init__(self, server: ReadingServer, target: str, seeds: Sequence[Seed], folder: Path) -> None:
        self._server, self._target, self._seeds = server, target, tuple(seeds)
        self._input, self._kept = folder / "input", folder / "failures"
        self._inputs = st.one_of([st.tuples(st.just(whole), edits_of(whole.files)) for whole in self._seeds])
        self.tally = Tally()
        self.failures: dict[tuple[str, str], str] = {}

    def run(self, n_inputs: int) -> None:
        """Read the whole seeds, then damaged ones."""
        for whole in self._seeds:
            self._read(whole, ())
        seconds = float(os.environ.get("LATENT_EXPLORER_FUZZ_SECONDS") or 0)
        if not seconds:
            self._round(n_inputs, None)
            return
        end, number = time.monotonic() + seconds, int(os.environ.get("LATENT_EXPLORER_FUZZ_SEED") or 0)
        while time.monotonic() < end and len(self.failures) < _MOST_FAILURES:
            self._round(_PER_ROUND, number)
            number += 1

    def _round(self, n_inputs: int, number: int | None) -> None:
        @settings(
            max_examples=n_inputs, derandomize=number is None, database=None, deadline=None, phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
        )  # fmt: skip
        @given(self._inputs)
        def read_one(drawn: tuple[Seed, tuple[Edit, ...]]) -> None:
            self._read(*drawn)

        (read_one if number is None else seed(number)(read_one))()

    def _read(self, whole: Seed, edits: tuple[Edit, ...]) -> None:
        verdict = self._ask(whole, edits)
        self.tally.add(verdict)
        key = (verdict.kind, verdict.where)
        if not verdict.is_fine and key not in self.failures and len(self.failures) < _MOST_FAILURES:
            self.failures[key] = self._described(whole, self._fewest(whole, edits, key), verdict)

    def _ask(self, whole: Seed, edits: tuple[Edit, ...]) -> Verdict:
        shutil.rmtree(self._input, ignore_errors=True)
        self._input.mkdir(parents=True)
        return self._server.ask(self._target, whole.write(self._input, damaged(whole.files, edits)))

    def _fewest(self, whole: Seed, edits: tuple[Edit, ...], key: tuple[str, str]) -> tuple[Edit, ...]:
        """Leave out edits that the failure does not need (not where each try costs a hang)."""
        if key[0] == "hang":
            return edits
        for edit in edits:
            fewer = tuple(other for other in edits if other is not edit)
            verdict = self._ask(whole, fewer)
            if (verdict.kind, verdict.where) == key:
                edits = fewer
        return edits

    def _described(self, whole: Seed, edits: tuple[Edit, ...], verdict: Verdict) -> str:
        kept = self._kept / f"{len(self.failures):02d}"
        kept.mkdir(parents=True)
        whole.write(kept, damaged(whole.files, edits))
        return (
            f"{verdict.kind}: {verdict.message}\n    at {verdict.where}\n    {whole.name}: {edits}\n    kept in {kept}"
        )

    def report(self) -> str:
        """All failures, one of each kind and place."""
        return f"{len(self.failures)} ways to fail ({self._target}):\n" + "\n".join(self.failures.values())
