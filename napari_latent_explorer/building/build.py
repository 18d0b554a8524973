"""Building a study from its plan: every participant in some process of their own, and what became of every file.

Being killed at any moment costs at most the participants that were being read. A file that takes its process down or
keeps it busy for ever costs its participant alone. Started again with the same arguments, a build ends with the very
same bytes, whatever happened to it before.
"""

from collections.abc import Generator, Iterable, Sequence
from dataclasses import dataclass, fields, replace
from functools import partial
from itertools import chain
from pathlib import Path
from typing import Any

from napari_latent_explorer import __version__
from napari_latent_explorer.building.outcomes import ReportRow
from napari_latent_explorer.building.participant import ParticipantBuilder, ParticipantTask, write_lost
from napari_latent_explorer.building.report import REPORT_PAGE, ReportSummary, rows_of_unused, write_report_table
from napari_latent_explorer.building.report_page import make_page
from napari_latent_explorer.building.study_plan import BuildConfig, StudyPlan
from napari_latent_explorer.data.progress import Progress
from napari_latent_explorer.errors import StudyError
from napari_latent_explorer.io import study_table
from napari_latent_explorer.io.atomic import write_file
from napari_latent_explorer.io.printable import printable
from napari_latent_explorer.io.study import Study
from napari_latent_explorer.io.study_manifest import MANIFEST_FILE, MODALITIES, StudyManifest
from napari_latent_explorer.io.study_writer import StudyWriter
from napari_latent_explorer.modeling.dask_workers import work_on_cluster
from napari_latent_explorer.modeling.worker_pool import Guard, work_through

TIME_LIMIT_S = 900.0
"""Reading the recordings of one participant takes seconds; one who takes longer than this is given up."""

_MESSAGE = "reading recordings"


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
    plan: StudyPlan, n_workers: int | None = None, scheduler: str | None = None, time_limit_s: float = TIME_LIMIT_S
) -> Generator[Progress, None, BuildResult]:
    """Build the study of `plan`; called again after a stop, it goes on where it was.

    Parameters
    ----------
    plan
        What `plan_study` found.
    n_workers
        Processes; None for one per processor, 0 for none: then a file that crashes its reader ends it all.
    scheduler
        Address of a Dask scheduler, whose workers are used instead; they must see the same files at the same paths.
    time_limit_s
        A participant whose recordings take longer to read is given up.

    Raises
    ------
    StudyError
        When another study is in that place, it was begun with other arguments, or there is no space.
    """
    yield Progress(0, len(plan.participants), "beginning the study")
    writer = _writer(plan)
    remaining = set(writer.remaining_ids())
    tasks = [ParticipantTask(row, one) for row, one in enumerate(plan.participants) if one.participant_id in remaining]
    yield from read_participants(writer.path, plan.config, tasks, n_workers, scheduler, time_limit_s)
    others = chain(rows_of_unused(plan.config, plan.unused), rows_of_people(plan))
    summary = yield from write_report(writer.path, writer.manifest.name, plan, len(plan.participants), others)
    study = writer.finish(has_labels=summary.recordings["labels"] > 0)
    return BuildResult(study, study.path / REPORT_PAGE, summary.outcomes())


def read_participants(
    study: Path,
    config: BuildConfig,
    tasks: Sequence[ParticipantTask],
    n_workers: int | None,
    scheduler: str | None,
    time_limit_s: float,
) -> Generator[Progress, None, None]:
    """Read and write the recordings of some participants, here or on a cluster."""
    config = replace(config, table=None, columns=None)  # of no use to the workers, and possibly large
    work = ParticipantBuilder(study, config)
    guard = Guard(time_limit_s, partial(write_lost, study, config))
    if not tasks:
        return
    if scheduler is not None:
        yield from work_on_cluster(work, tasks, scheduler, _MESSAGE, guard)
    else:
        yield from work_through(work, tasks, n_workers, _MESSAGE, guard=guard)


def write_report(
    study: Path, name: str, plan: StudyPlan, n_participants: int, others: Iterable[ReportRow]
) -> Generator[Progress, None, ReportSummary]:
    """Write the table and the page of the report."""
    summary = yield from write_report_table(study, n_participants, others)
    page = make_page(name, summary, plan.warnings, facts_given(plan.config))
    write_file(study / REPORT_PAGE, page.encode("utf-8", "backslashreplace"))
    return summary


def rows_of_people(plan: StudyPlan) -> Iterable[ReportRow]:
    """Rows of those in the table who have no recording."""
    table = "" if plan.config.table is None else printable(plan.config.table.name)
    return (
        ReportRow(
            one, "table", table, "skipped", "No recording was found for this person.", n_files=0, stage="planning"
        )
        for one in plan.without_recording
    )


def facts_given(config: BuildConfig) -> list[tuple[str, str]]:
    """Say what was asked for, for people; what was left open is not listed."""
    texts = [(_FACT_TITLES.get(one.name, ""), getattr(config, one.name)) for one in fields(config)]
    return [(title, printable(str(value))) for title, value in texts if title and value not in (None, "")]


_FACT_TITLES = {
    "table": "Table",
    "id_column": "Column of ids",
    "cine": "Cines",
    "ecg": "ECGs",
    "labels": "Labels",
    "imaging_plane": "Imaging plane",
    "series": "Series",
    "ecg_kind": "Kind of ECG",
    "instance": "Visit",
    "id_pattern": "Id pattern",
    "crop_rule": "Crop",
    "label_scheme": "Meaning of labels",
}


def provenance_of(plan: StudyPlan) -> dict[str, Any]:
    """Say what makes a study, as plain JSON."""
    asked = asked_for(plan.config)
    return {"made_by": "build_study", "version": __version__, "instance": plan.instance, "asked": asked}


def asked_for(config: BuildConfig) -> dict[str, Any]:
    """Say what was asked for, as plain JSON."""
    given = {one.name: getattr(config, one.name) for one in fields(config) if one.name in _FACT_TITLES}
    return {name: printable(str(value)) if isinstance(value, Path) else value for name, value in given.items()}


def _writer(plan: StudyPlan) -> StudyWriter:
    """Begin the study, or go on with one that was begun with the same arguments."""
    config = plan.config
    root = config.output.expanduser().absolute()
    if (root / MANIFEST_FILE).is_file() and not StudyManifest.read(root).is_complete:
        return _resumed(root, plan)
    folders = config.folders()
    return StudyWriter.create(
        root,
        plan.cohort,
        config.name,
        modalities=tuple(modality for modality in MODALITIES if modality in folders),
        has_labels=False,
        provenance=provenance_of(plan),
    )


def _resumed(root: Path, plan: StudyPlan) -> StudyWriter:
    writer = StudyWriter.resume(root)
    begun, now = dict(writer.manifest.provenance), provenance_of(plan)
    changed = [name for name, value in now.get("asked", {}).items() if begun.get("asked", {}).get(name) != value]
    if begun.get("made_by") != now["made_by"] or begun.get("instance") != now["instance"] or changed:
        raise StudyError(
            f"The half-written study in {root} was begun in another way ({', '.join(changed) or 'not by a build'} "
            "differ). Give the same arguments to go on with it, or delete the folder."
        )
    cohort = study_table.read_cohort(root, {})
    same = writer.participant_ids == tuple(plan.cohort.participant_ids.tolist())
    if not (same and cohort.specs == plan.cohort.specs and cohort.phenotypes.equals(plan.cohort.phenotypes)):
        raise StudyError(
            f"The half-written study in {root} was begun with {len(writer.participant_ids)} participants; table or "
            f"folders have changed since, and now give {len(plan.participants)} or other phenotypes. Put them back as "
            "they were, or delete the folder and begin again."
        )
    return writer
