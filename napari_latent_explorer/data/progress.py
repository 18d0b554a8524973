"""Progress of long work.

Long work is a generator: each ``yield Progress(...)`` is both a report and a place where it can be stopped; what it
returns is its result. The command line, the job thread of the session and a plain loop can all drive it.
"""

from collections.abc import Generator
from dataclasses import dataclass
from typing import TypeVar

Result = TypeVar("Result")


@dataclass(frozen=True, slots=True)
class Progress:
    """One report of a long work: `done` of `total` steps, and what is being done in plain words."""

    done: int
    total: int
    message: str = ""


def finish(work: Generator[Progress, None, Result]) -> Result:
    """Run `work` to its end without looking at its progress and return its result."""
    while True:
        try:
            next(work)
        except StopIteration as stop:
            return stop.value  # type: ignore[no-any-return]
