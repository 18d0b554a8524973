"""Planning a study: finding recordings, matching them to participants, and saying what does not fit.

Only names are looked at (and the first bytes of what its name does not tell), so that a hundred thousand files are
planned in seconds and can be shown to somebody before anything is written.
"""

from collections import Counter
from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd

from napari_latent_explorer.building.folders import Contents, list_contents
from napari_latent_explorer.building.found import Modality, UnusedFile, natural_key
from napari_latent_explorer.building.id_pattern import check_pattern, search_paths
from napari_latent_explorer.building.matching import NO_ROW, OwnerFinder, OwnersByLayout, OwnersByPattern, OwnersByTable
from napari_latent_explorer.building.names import FIRST_IMAGING_INSTANCE
from napari_latent_explorer.building.places import Chosen, Found, choose_place, count_instances, find_places
from napari_latent_explorer.building.study_plan import BuildConfig, CropRule, ParticipantPlan, StudyPlan
from napari_latent_explorer.data.cohort import Cohort
from napari_latent_explorer.data.progress import Progress
from napari_latent_explorer.errors import StudyError
from napari_latent_explorer.io.participant_ids import match_ids
from napari_latent_explorer.io.phenotype_table import PhenotypeTable, import_phenotypes
from napari_latent_explorer.io.printable import printable

__all__ = ["BuildConfig", "CropRule", "Modality", "ParticipantPlan", "StudyPlan", "UnusedFile", "plan_study"]

_N_EXAMPLES = 3
_STEP_PARTICIPANTS = 2_000
_ONE_PLACE: tuple[Modality, ...] = ("mri", "ecg")


def plan_study(config: BuildConfig) -> Generator[Progress, None, StudyPlan]:
    """Find recordings, match them to the participants of the table, and say what does not fit.

    Parameters
    ----------
    config
        What is asked for.

    Raises
    ------
    TableError
        When the table cannot be read or has no such column.
    StudyError
        When a folder is not there, the pattern is not usable, or nobody has a recording.
    """
    search = yield from search_recordings(config)
    participants, unused = yield from choose_all(config, search, search.ids_in_order())
    if not participants:
        raise StudyError(_nobody(config, search.table, unused))
    table = search.table
    cohort = cohort_of(table, [one.participant_id for one in participants])
    everybody = () if table is None else table.participant_ids.tolist()
    lacking = tuple(participant_id for participant_id in everybody if participant_id not in cohort)
    plan = StudyPlan(config, cohort, tuple(participants), search.instance, lacking, tuple(unused), search.n_hidden)
    return replace(plan, warnings=warnings_of(plan, table))


@dataclass(frozen=True, slots=True, eq=False)
class Search:
    """What was found for a study, before anything is chosen.

    Attributes
    ----------
    found
        Places by participant, and files of nobody.
    table
        The table; None without one.
    instance
        Visit that is taken.
    n_hidden
        Hidden files that were passed over.
    """

    found: Found
    table: PhenotypeTable | None
    instance: int | None
    n_hidden: int

    def ids_in_order(self) -> list[str]:
        """Everybody for whom a place was found: in the table's order, else as people count."""
        ids = {participant_id for _, participant_id in self.found.places}
        if self.table is None:
            return sorted(ids, key=natural_key)
        return [participant_id for participant_id in self.table.participant_ids.tolist() if participant_id in ids]


def search_recordings(config: BuildConfig, more_ids: frozenset[str] = frozenset()) -> Generator[Progress, None, Search]:
    """Read the table and find the recordings of everybody in it, and of `more_ids`; see `plan_study`."""
    folders = _wanted_of(config)
    if config.id_pattern is not None:
        check_pattern(config.id_pattern)
    contents = {}
    for root in folders:
        contents[root] = yield from list_contents(root, config.output.expanduser().absolute())
    instance = _instance(config, [count_instances(contents[root], wanted) for root, wanted in folders.items()])
    table = None
    if config.table is not None:
        yield Progress(0, 0, f"reading {config.table.name}")
        table = import_phenotypes(config.table, config.id_column, instance, config.columns)
    known = more_ids if table is None else more_ids.union(table.participant_ids.tolist())
    ids = known if table is not None or more_ids else None
    by_name: OwnerFinder = OwnersByLayout(list(contents.values())) if ids is None else OwnersByTable(ids)
    found = Found()
    for root, wanted in folders.items():
        finder = by_name
        if config.id_pattern is not None:
            finder = yield from _owners_by_pattern(config.id_pattern, contents[root], ids)
        yield from find_places(contents[root], wanted, finder, ids, found)
    return Search(found, table, instance, sum(one.n_hidden for one in contents.values()))


def _wanted_of(config: BuildConfig) -> dict[Path, frozenset[Modality]]:
    """Kinds of recordings to look for in each folder that was given."""
    wanted: dict[Path, frozenset[Modality]] = {}
    for modality, root in config.folders().items():
        wanted[root] = wanted.get(root, frozenset()) | {modality}
    if not config.folders().keys() & {"mri", "ecg"}:
        raise StudyError("A study is built from a folder of cines, of ECGs, or both; none was given.")
    return wanted


def _instance(config: BuildConfig, counts: Sequence[Mapping[int, int]]) -> int | None:
    """Visit to take: the one asked for, else the lowest imaging visit, else the lowest."""
    present = sorted({instance for count in counts for instance in count})
    if config.instance is not None or not present:
        return config.instance
    return next((instance for instance in present if instance >= FIRST_IMAGING_INSTANCE), present[0])


def _owners_by_pattern(
    pattern: str, contents: Contents, ids: frozenset[str] | None
) -> Generator[Progress, None, OwnerFinder]:
    paths = list(contents.paths())
    matches = dict(zip(paths, (yield from search_paths(pattern, paths)), strict=True))
    found = sorted({match.participant_id for match in matches.values() if match is not None})
    spelt = None if ids is None else {file_id: table_id for table_id, file_id in match_ids(sorted(ids), found).matched}
    return OwnersByPattern(matches, spelt)


def choose_all(
    config: BuildConfig, search: Search, participant_ids: Sequence[str]
) -> Generator[Progress, None, tuple[list[ParticipantPlan], list[UnusedFile]]]:
    """Choose one place for each of these people and each kind of recording.

    Returns
    -------
    participants
        Those who have a cine or an ECG, in the order given.
    unused
        All files that are left aside, those of nobody too, by name.
    """
    participants, unused = [], list(search.found.unused)
    for done, participant_id in enumerate(participant_ids):
        if done % _STEP_PARTICIPANTS == 0:
            yield Progress(done, len(participant_ids), "choosing recordings")
        one, left = _participant(config, participant_id, search.found, search.instance)
        unused += left
        if one.cine is not None or one.ecg is not None:
            participants.append(one)
    places = {one.cine for one in participants}
    unused = [file for file in unused if places.isdisjoint(file.path.parents)]  # the reader of the place reports them
    return participants, sorted(unused, key=lambda file: _natural(file.path))


def _participant(
    config: BuildConfig, participant_id: str, found: Found, instance: int | None
) -> tuple[ParticipantPlan, list[UnusedFile]]:
    chosen: dict[Modality, Chosen] = {}
    unused: list[UnusedFile] = []
    for modality in _ONE_PLACE:
        places = found.places.get((modality, participant_id), [])
        chosen[modality] = choose_place(participant_id, places, config.imaging_plane, instance)
        unused += chosen[modality].unused
    labels = tuple(sorted((place.path for place in found.places.get(("labels", participant_id), [])), key=_natural))
    if chosen["mri"].place is None:
        unused += [UnusedFile(path, "labels", "labels of a cine that is not there", participant_id) for path in labels]
        labels = ()
    cine, ecg = (None if one.place is None else one.place.path for one in chosen.values())
    return ParticipantPlan(participant_id, cine, ecg, labels, chosen["mri"].related), unused


def _natural(path: Path) -> tuple[tuple[int, str], ...]:
    return natural_key(str(path))


def cohort_of(table: PhenotypeTable | None, participant_ids: list[str]) -> Cohort:
    """Give these people with their phenotypes; without a table nothing is known of them."""
    if table is None:
        return Cohort(np.array(participant_ids, dtype=np.str_), pd.DataFrame(index=range(len(participant_ids))), {})
    return table.cohort().subset(participant_ids)


def warnings_of(plan: StudyPlan, table: PhenotypeTable | None) -> tuple[str, ...]:
    """Say what somebody should know before building, in sentences."""
    sentences = []
    if plan.instance is not None:
        n_other = sum(file.reason.startswith("visit ") for file in plan.unused)
        how = "as asked for" if plan.config.instance is not None else "the lowest imaging visit that there is"
        others = f"; {n_other} files of other visits are left aside" if n_other else ""
        sentences.append(f"Recordings of visit {plan.instance} are taken, {how}{others}.")
    if table is not None:
        sentences += [f"{finding}." for finding in table.id_report.findings]
        sentences += table.notes
    if plan.without_recording:
        n_rows = len(plan.without_recording) + len(plan.participants)
        shown = _examples(plan.without_recording)
        sentences.append(
            f"{len(plan.without_recording)} of {n_rows} participants of the table have no recording and are left out "
            f"({shown})."
        )
    strangers = [file for file in plan.unused if file.reason == NO_ROW]
    if strangers:
        shown = _examples([file.path.name for file in strangers])
        sentences.append(f"{len(strangers)} files are of people who have no row in the table ({shown}).")
    if plan.config.cine is not None and plan.config.ecg is not None and not plan.n_with_both():
        first = {
            name: next((getattr(one, name) for one in plan.participants if getattr(one, name)), None)
            for name in ("cine", "ecg")
        }
        shown = " and ".join(printable(path.name) for path in first.values() if path is not None)
        sentences.append(
            f"Nobody has both a cine and an ECG ({shown}). If the ids are spelt differently, give an id pattern."
        )
    if plan.n_hidden:
        sentences.append(f"{plan.n_hidden} hidden files and folders were passed over.")
    return tuple(sentences)


def _nobody(config: BuildConfig, table: PhenotypeTable | None, unused: Sequence[UnusedFile]) -> str:
    """Say that nobody has a recording, and what to do about it."""
    folders = " and ".join(printable(str(folder)) for folder in dict.fromkeys(config.folders().values()))
    if not unused:
        return f"There is no file in {folders}. Give the folders that hold the recordings."
    files = ", ".join(printable(file.path.name) for file in unused[:_N_EXAMPLES])
    ids = "" if table is None else f" The table has ids such as {_examples(table.participant_ids.tolist())}."
    reasons = Counter(file.reason for file in unused).most_common(_N_EXAMPLES)
    why = "; ".join(f"{n} files: {reason}" for reason, n in reasons)
    return (
        f"Nobody has a recording among the {len(unused)} files in {folders} (such as {files}): {why}.{ids} Check the "
        r"column of ids, or say where in a path the id stands with an id pattern, e.g. 'sub-(?P<id>\d+)'."
    )


def _examples(texts: Sequence[str]) -> str:
    return "e.g. " + ", ".join(printable(text) for text in texts[:_N_EXAMPLES])
