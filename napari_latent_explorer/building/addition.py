"""Adding people and recordings to a study: what is there stays untouched, and its latents stay good.

Files of people who are not in the study make new rows of its table; people who lack a cine or an ECG get the one that
is found. Nothing is ever replaced. The study is the old one until all of it is there (`io.study_addition`).
"""

from collections.abc import Generator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from napari_latent_explorer.building.build import (
    TIME_LIMIT_S,
    BuildResult,
    asked_for,
    read_participants,
    rows_of_people,
    write_report,
)
from napari_latent_explorer.building.found import Modality, UnusedFile
from napari_latent_explorer.building.outcomes import ReportRow
from napari_latent_explorer.building.participant import ParticipantTask
from napari_latent_explorer.building.plan import Search, choose_all, cohort_of, search_recordings, warnings_of
from napari_latent_explorer.building.report import REPORT_PAGE, read_planning_rows, rows_of_unused
from napari_latent_explorer.building.study_plan import BuildConfig, ParticipantPlan, StudyPlan
from napari_latent_explorer.data.cohort import Cohort
from napari_latent_explorer.data.phenotype import PhenotypeSpec
from napari_latent_explorer.data.progress import Progress
from napari_latent_explorer.errors import StudyError
from napari_latent_explorer.io.study import Study
from napari_latent_explorer.io.study_addition import StudyAddition

if TYPE_CHECKING:
    from pathlib import Path

_HELD = "the study holds such a recording of this person already"


@dataclass(frozen=True, slots=True, eq=False)
class AdditionPlan:
    """What would be added to a study.

    Attributes
    ----------
    plan
        Those who are new: their phenotypes as the study has them, and their recordings; files left aside, warnings.
    extended
        Recordings that people of the study lacked.
    """

    plan: StudyPlan
    extended: tuple[ParticipantPlan, ...]


def plan_addition(config: BuildConfig) -> Generator[Progress, None, AdditionPlan]:
    """Find what can be added to the study in `config.output`.

    Raises
    ------
    StudyError
        When there is no complete study there, or there is nothing to add; see `plan_study` besides.
    """
    study = Study.open(config.output)
    cohort = study.cohort()
    has_phenotypes = bool(cohort.specs) or config.table is not None
    search = yield from search_recordings(
        config, frozenset(cohort.participant_ids.tolist()) if has_phenotypes else frozenset()
    )
    order = search.ids_in_order()
    order += sorted({one for _, one in search.found.places}.difference(order))
    found, unused = yield from choose_all(config, search, order)
    new = [one for one in found if one.participant_id not in cohort]
    extended, held = _lacking(study, [one for one in found if one.participant_id in cohort])
    if not new and not extended:
        raise StudyError(
            f"There is nothing to add to the study {study.path}: of the {len(unused) + len(held)} files found, none is "
            "of a new person or a recording that somebody lacks."
        )
    theirs = cohort_of(search.table, [one.participant_id for one in new])
    people, notes = as_in_the_study(theirs, cohort)
    lacking = () if search.table is None else _without_recording(search, new, cohort)
    plan = StudyPlan(config, people, tuple(new), search.instance, lacking, (*unused, *held), search.n_hidden)
    return AdditionPlan(replace(plan, warnings=(*warnings_of(plan, search.table), *notes)), tuple(extended))


def add_to_study(
    addition: AdditionPlan,
    n_workers: int | None = None,
    scheduler: str | None = None,
    time_limit_s: float = TIME_LIMIT_S,
) -> Generator[Progress, None, BuildResult]:
    """Add what `plan_addition` found; called again after a stop, it goes on where it was.

    See `building.build.build_study` for the parameters and what is raised.
    """
    plan = addition.plan
    study = Study.open(plan.config.output)
    path, rows = study.path, study.cohort()
    yield Progress(0, len(plan.participants) + len(addition.extended), "beginning the addition")
    writer = StudyAddition.begin(path, plan.cohort, {**asked_for(plan.config), "instance": plan.instance})
    tasks = [ParticipantTask(writer.n_before + number, one) for number, one in enumerate(plan.participants)]
    tasks += [
        ParticipantTask(int(rows.rows_of([one.participant_id])[0]), one, is_extension=True) for one in addition.extended
    ]
    yield from read_participants(path, plan.config, tasks, n_workers, scheduler, time_limit_s)
    others = _rows_of_nobody(plan, {*rows.participant_ids.tolist(), *plan.cohort.participant_ids.tolist()})
    summary = yield from write_report(path, study.name, plan, writer.n_after, others)
    return BuildResult(writer.finish(), path / REPORT_PAGE, summary.outcomes())


def _rows_of_nobody(plan: StudyPlan, everybody: set[str]) -> list[ReportRow]:
    """Rows of files that are left aside: those of the report so far, but what has changed since, then the new ones."""
    now = [*rows_of_unused(plan.config, plan.unused), *rows_of_people(plan)]
    settled = {(row.modality, row.file) for row in now if row.n_files}
    before = [
        row
        for row in read_planning_rows(plan.config.output.expanduser().absolute())
        if (row.modality, row.file) not in settled
        and row not in now
        and not (row.modality == "table" and row.participant_id in everybody)
    ]
    return [*before, *now]


def _lacking(study: Study, found: Sequence[ParticipantPlan]) -> tuple[list[ParticipantPlan], list[UnusedFile]]:
    """Of recordings of people in the study, those that they lack, and files of those that they have."""
    cohort, extended, held = study.cohort(), [], []
    for one in found:
        row = int(cohort.rows_of([one.participant_id])[0])
        has = {modality: bool(mask[row]) for modality, mask in cohort.availability.items()}
        places: dict[Modality, Path | None] = {"mri": one.cine, "ecg": one.ecg}
        kept = {modality: place for modality, place in places.items() if place and not has.get(modality, False)}
        held += [
            UnusedFile(place, modality, _HELD, one.participant_id)
            for modality, place in places.items()
            if place and modality not in kept
        ]
        if kept:
            labels, related = (one.labels, one.related) if "mri" in kept else ((), ())
            extended.append(ParticipantPlan(one.participant_id, kept.get("mri"), kept.get("ecg"), labels, related))
    return extended, held


def _without_recording(search: Search, new: Sequence[ParticipantPlan], cohort: Cohort) -> tuple[str, ...]:
    ids = {one.participant_id for one in new}
    everybody = [] if search.table is None else search.table.participant_ids.tolist()
    return tuple(one for one in everybody if one not in ids and one not in cohort)


def as_in_the_study(theirs: Cohort, cohort: Cohort) -> tuple[Cohort, list[str]]:
    """Bring the phenotypes of new people to those of the study.

    Returns
    -------
    cohort
        The new people with the study's phenotypes; what does not fit is missing.
    notes
        What does not fit, in sentences.
    """
    n, notes = len(theirs), []
    specs: dict[str, PhenotypeSpec] = {}
    columns: dict[str, Any] = {}
    for name, spec in cohort.specs.items():
        other = theirs.specs.get(name)
        if other is None or (other.kind == "continuous") != (spec.kind == "continuous"):
            if n:
                notes.append(f"The new people have no {spec.title}: it is missing for them.")
            columns[name] = np.full(n, np.nan)
        elif spec.kind == "continuous":
            columns[name] = theirs.values(name)
            if other.unit != spec.unit:
                notes.append(
                    f"{spec.title}: the new table has the unit {other.unit!r}; the numbers are taken as they are."
                )
        else:
            columns[name] = theirs.phenotypes[name].astype(object).to_numpy()
            spec = _with_labels(spec, columns[name], notes)
        if spec.kind != "continuous":
            columns[name] = pd.Categorical(columns[name], categories=list(spec.categories))
        specs[name] = spec
    strangers = [name for name in theirs.specs if name not in cohort.specs]
    if strangers:
        shown = ", ".join(strangers[:5])
        notes.append(f"{len(strangers)} columns that the study does not have are left out (e.g. {shown}).")
    return Cohort(theirs.participant_ids, pd.DataFrame(columns, index=range(n)), specs), notes


def _with_labels(spec: PhenotypeSpec, labels: Any, notes: list[str]) -> PhenotypeSpec:
    """Spec that knows the labels of new people; a binary one has two for good."""
    unknown = sorted({label for label in labels if isinstance(label, str)} - set(spec.categories))
    if not unknown:
        return spec
    if spec.kind == "binary":
        notes.append(f"{spec.title} is {' or '.join(spec.categories)}; {', '.join(unknown)} count as missing.")
        return spec
    notes.append(f"{spec.title} has new labels: {', '.join(unknown)}.")
    return replace(spec, categories=(*spec.categories, *unknown))
