"""Building a study from its plan: every participant in a process of their own, and what became of every file."""

from collections.abc import Generator
from dataclasses import dataclass
from pathlib import Path

from napari_latent_explorer.building.plan import StudyPlan
from napari_latent_explorer.data.progress import Progress
from napari_latent_explorer.io.study import Study


@dataclass(frozen=True, slots=True, eq=False)
class BuildResult:
    """What was built.

    Attributes
    ----------
    study
        The study, open.
    report
        ``report.html`` in its folder; ``report.parquet`` lies beside it.
    counts
        Files by outcome: ``used``, ``skipped`` and ``failed``.
    """

    study: Study
    report: Path
    counts: dict[str, int]


def build_study(
    plan: StudyPlan, n_workers: int | None = None, scheduler: str | None = None
) -> Generator[Progress, None, BuildResult]:
    """Build the study of `plan`; called again after a stop, it goes on where it was.

    Parameters
    ----------
    plan
        What `plan_study` found.
    n_workers
        Processes; None for one per processor.
    scheduler
        Address of a Dask scheduler, whose workers are used instead; they must see the same files at the same paths.

    Raises
    ------
    StudyError
        When another study is in that place, it was begun with other arguments, or there is no space.
    """
    raise NotImplementedError
    yield Progress(0, 0)
