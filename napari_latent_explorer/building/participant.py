"""One participant of a build: their files read, their recordings written, and what became of each file kept with them.

Everything of one participant appears in one step, the account of their files too, so a build can be killed at any
moment and goes on without asking twice for anybody.
"""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from napari_latent_explorer.building.found import Modality
from napari_latent_explorer.building.outcomes import FACTS_KEY, ReportRow, Shortener, rows_of_files, size_on_disk
from napari_latent_explorer.building.study_plan import BuildConfig, ParticipantPlan
from napari_latent_explorer.data.cine import CineLabels, CineMRI
from napari_latent_explorer.data.ecg import ECG
from napari_latent_explorer.data.heart_box import HeartBox
from napari_latent_explorer.errors import RecordingError, StudyError
from napari_latent_explorer.io import recording_store
from napari_latent_explorer.io.formats import read_place
from napari_latent_explorer.io.label_maps import LABEL_SCHEMES, read_label_map
from napari_latent_explorer.io.reading import Reading, ReadOptions
from napari_latent_explorer.modeling.heart_position import find_heart_box

_ADVICE = " What is read: "
"""Where a refusal goes on to list all formats, which need not be repeated for each file of a report."""


@dataclass(frozen=True, slots=True)
class ParticipantTask:
    """Whose recordings are to be read.

    Attributes
    ----------
    row
        Their row in the study.
    plan
        Where their recordings are.
    is_extension
        Whether they are in the study already, and lack these recordings.
    """

    row: int
    plan: ParticipantPlan
    is_extension: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class ParticipantBuilder:
    """Reads the recordings of one participant and writes them into the study; what every worker is given.

    Attributes
    ----------
    study
        Folder of the study.
    config
        What was asked for.
    """

    study: Path
    config: BuildConfig

    def __call__(self, task: ParticipantTask) -> None:
        """Build one participant, unless they have been written."""
        if recording_store.is_written(self.study, task.row) and not task.is_extension:
            return
        try:
            self._build(task)
        except StudyError:  # the place of the study is at fault, a full disk for instance
            if task.is_extension or not recording_store.is_written(self.study, task.row):
                raise  # else a worker that was given up came first
        except Exception as fault:  # must not cost the others their study
            what = f"the program failed, please report it: {type(fault).__name__}: {fault}"
            write_lost(self.study, self.config, task, what)

    def _build(self, task: ParticipantTask) -> None:
        account = _Account(self.config, task.plan)
        cine, labels = account.read_cine()
        box = account.find_box(cine, labels)
        ecg = account.read_ecg()
        if task.is_extension:
            facts = _more_facts(self.study, task, account.rows)
            recording_store.extend_recordings(self.study, task.row, cine, labels, ecg, box, facts)
        else:
            facts = facts_of(task.plan, account.rows)
            recording_store.write_recordings(self.study, task.row, cine, labels, ecg, box, facts)


def facts_of(plan: ParticipantPlan, rows: list[ReportRow]) -> dict[str, Any]:
    """Give what is kept with a participant besides their recordings."""
    return {"participant_id": plan.participant_id, FACTS_KEY: [row.to_json() for row in rows]}


def _more_facts(study: Path, task: ParticipantTask, rows: list[ReportRow]) -> dict[str, Any]:
    """Facts of somebody who is in the study already, with what became of further files."""
    files = {(row.modality, row.file) for row in rows}
    before = [row for row in read_rows(study, task.row) if (row.modality, row.file) not in files]
    return {**recording_store.read_facts(study, task.row), **facts_of(task.plan, [*before, *rows])}


def read_rows(study: Path, row: int) -> list[ReportRow]:
    """Rows of one participant, as they were kept with their recordings.

    Raises
    ------
    StudyError
        When they are damaged.
    """
    facts = recording_store.read_facts(study, row)
    try:
        participant_id = str(facts.get("participant_id", ""))
        return [ReportRow.from_json(participant_id, content) for content in facts.get(FACTS_KEY, [])]
    except (TypeError, AttributeError) as damage:
        raise StudyError(f"The account of the files of row {row} in {study} is damaged: {damage}.") from damage


def write_lost(study: Path, config: BuildConfig, task: ParticipantTask, reason: str) -> None:
    """Write a participant whose recordings could not be read at all, with the reason."""
    if recording_store.is_written(study, task.row) and not task.is_extension:
        return
    account = _Account(config, task.plan)
    places: dict[Modality, Path | None] = {"mri": task.plan.cine, "ecg": task.plan.ecg}
    for modality, place in places.items():
        if place is not None:
            account.fail(modality, place, f"The recordings of this person could not be read: {reason}.")
    if task.is_extension:
        recording_store.extend_recordings(study, task.row, facts=_more_facts(study, task, account.rows))
    else:
        recording_store.write_recordings(study, task.row, facts=facts_of(task.plan, account.rows))


class _Account:
    """The files of one participant, and what became of them so far."""

    def __init__(self, config: BuildConfig, plan: ParticipantPlan) -> None:
        self._config = config
        self._plan = plan
        self._shorten = {modality: Shortener(str(folder)) for modality, folder in config.folders().items()}
        self.rows: list[ReportRow] = []

    def read_cine(self) -> tuple[CineMRI | None, CineLabels | None]:
        plane, series = self._config.imaging_plane, self._config.series
        if series is None:
            options = ReadOptions(imaging_plane=plane, related=self._plan.related)
        else:  # whoever names the series knows what it shows
            options = ReadOptions(series=series, assumed_plane=plane, related=self._plan.related)
        reading = None if self._plan.cine is None else self._read("mri", self._plan.cine, options)
        if reading is None or not isinstance(reading.recording, CineMRI):
            self._leave_labels()
            return None, None
        labels = reading.labels
        if self._plan.labels:
            labels = self._read_labels(reading.recording)
        return replace(reading.recording, source=self._shorten["mri"](reading.recording.source)), labels

    def read_ecg(self) -> ECG | None:
        options = ReadOptions(ecg_kind=self._config.ecg_kind)
        reading = None if self._plan.ecg is None else self._read("ecg", self._plan.ecg, options)
        if reading is None or not isinstance(reading.recording, ECG):
            return None
        return replace(reading.recording, source=self._shorten["ecg"](reading.recording.source))

    def find_box(self, cine: CineMRI | None, labels: CineLabels | None) -> HeartBox | None:
        """Heart box by the rule of the build, told in the row of the cine."""
        if cine is None or self._config.crop_rule == "none":
            return None
        box = find_heart_box(cine, labels, self._config.crop_rule)
        index = next(i for i, row in enumerate(self.rows) if row.modality == "mri" and row.outcome == "used")
        if box is None:
            note = "No heart box: nothing moves in it; draw one by hand."
            self.rows[index] = replace(self.rows[index], notes=f"{self.rows[index].notes} {note}".strip())
        else:
            self.rows[index] = replace(self.rows[index], heart_box=box.source)
        return box

    def fail(self, modality: Modality, place: Path, reason: str) -> None:
        shorten = self._shorten[modality]
        n_bytes = size_on_disk(place)
        self.rows.append(
            ReportRow(
                self._plan.participant_id, modality, shorten(str(place)), "failed", shorten(reason), n_bytes=n_bytes
            )
        )

    def _read(self, modality: Modality, place: Path, options: ReadOptions) -> Reading | None:
        participant_id, shorten = self._plan.participant_id, self._shorten[modality]
        try:
            reading = read_place(place, options, modality)
        except RecordingError as refusal:
            self.fail(modality, place, str(refusal).partition(_ADVICE)[0])
            self.rows += rows_of_files(participant_id, modality, refusal.outcomes, place, shorten)
            return None
        except Exception as fault:  # a fault of the program must not cost the others their study
            self.fail(modality, place, f"The reader itself failed, please report it: {type(fault).__name__}: {fault}")
            return None
        what = _described(reading.recording)
        notes = shorten(" ".join(reading.notes))
        self.rows.append(
            ReportRow(participant_id, modality, shorten(str(place)), "used", what, notes, n_bytes=size_on_disk(place))
        )
        files = rows_of_files(participant_id, modality, reading.outcomes, place, shorten)
        self.rows += [row for row in files if row.file != shorten(str(place))]
        return reading

    def _read_labels(self, cine: CineMRI) -> CineLabels | None:
        files = self._plan.labels
        names = None if self._config.label_scheme is None else LABEL_SCHEMES[self._config.label_scheme]
        try:
            labels = read_label_map(files[0] if len(files) == 1 else files, cine, names)
        except RecordingError as refusal:
            self.fail("labels", files[0], str(refusal))
            self._leave_labels(files[1:])
            return None
        shorten = self._shorten["labels"]
        self.rows += [
            ReportRow(
                self._plan.participant_id, "labels", shorten(str(file)), "used", "label map", n_bytes=size_on_disk(file)
            )
            for file in files
        ]
        return labels

    def _leave_labels(self, files: tuple[Path, ...] | None = None) -> None:
        shorten, participant_id = self._shorten.get("labels"), self._plan.participant_id
        for file in self._plan.labels if files is None else files:
            if shorten is not None:
                why = "the cine that it labels, or another of its label files, could not be read"
                self.rows.append(ReportRow(participant_id, "labels", shorten(str(file)), "skipped", why))


def _described(recording: CineMRI | ECG) -> str:
    if isinstance(recording, CineMRI):
        return f"cine of the plane {recording.imaging_plane}"
    return "median beat" if recording.kind == "median" else "rhythm strip"
