"""Placing the box around a heart by hand: of a participant of the study, or of a cine from outside it.

The box is in pixels of the cine as it was recorded. It begins where the heart was found (by labels, or by what moves),
is moved by whoever looks at it, and is used: a participant's is kept with the study, and a recording from outside is
encoded again at once.
"""

from collections.abc import Generator
from dataclasses import dataclass, replace
from typing import Protocol, runtime_checkable

from psygnal import Signal

from napari_latent_explorer.data.cine import CineLabels, CineMRI
from napari_latent_explorer.data.cohort import Cohort
from napari_latent_explorer.data.heart_box import BoxRule, HeartBox
from napari_latent_explorer.data.progress import Progress
from napari_latent_explorer.errors import BundleError, LatentExplorerError, RecordingError, StudyError
from napari_latent_explorer.modeling.preprocessing_spec import STANDARD, CineSpec
from napari_latent_explorer.session.explorer import Explorer
from napari_latent_explorer.session.outside_recordings import OutsideRecording, OutsideRecordings
from napari_latent_explorer.session.recordings import LoadedRecording, ShownParticipant, encode_recording

MODEL_PX = 96


@runtime_checkable
class BoxedStudy(Protocol):
    """A study that keeps heart boxes; `io.study.Study` is one."""

    def cohort(self) -> Cohort:
        """Read the participants."""

    def heart_box(self, participant_id: str, /) -> HeartBox | None:
        """Box of a participant."""

    def set_heart_box(self, participant_id: str, box: HeartBox | None, /) -> None:
        """Keep a box that was drawn."""


@dataclass(frozen=True, slots=True, eq=False)
class BoxSubject:
    """Whose heart the box is around.

    Attributes
    ----------
    label
        For people.
    cine, labels
        As recorded.
    participant_id
        Of a participant; empty for a recording from outside the study.
    recording
        The recording from outside; None for a participant.
    """

    label: str
    cine: CineMRI
    labels: CineLabels | None = None
    participant_id: str = ""
    recording: OutsideRecording | None = None

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns of the picture."""
        n_rows, n_columns = self.cine.frames.shape[2:]
        return int(n_rows), int(n_columns)


class HeartBoxing:
    """The box that is being placed, and around whose heart.

    Parameters
    ----------
    explorer
        The session; whoever it shows is the subject.
    outside
        Tells of cines from outside the study.
    """

    subject_changed = Signal(description="Another heart is looked at; there is no box yet.")
    box_changed = Signal(description="The box is elsewhere, or gone.")
    used = Signal(str, description="What became of the box, in words.")

    def __init__(self, explorer: Explorer, outside: OutsideRecordings) -> None:
        self._explorer = explorer
        self._subject: BoxSubject | None = None
        self._box: HeartBox | None = None
        self._found: HeartBox | None = None
        self._is_walking = False
        explorer.participant_shown.connect(self._on_participant_shown)
        explorer.study_changed.connect(self._on_study_changed)
        outside.opened.connect(self._on_outside_opened)

    @property
    def subject(self) -> BoxSubject | None:
        """Whose heart is looked at."""
        return self._subject

    @property
    def input_spec(self) -> CineSpec:
        """What the model in use takes."""
        return (STANDARD if self._explorer.bundle is None else self._explorer.bundle.input_spec).mri

    @property
    def box(self) -> HeartBox | None:
        """The box as it is now; None before `place`."""
        return self._box

    @property
    def found(self) -> HeartBox | None:
        """The box as it was when it was placed."""
        return self._found

    def place(self) -> None:
        """Start the job that finds where the box is now, or may be.

        Raises
        ------
        StudyError
            When no cine is shown.
        """
        subject = self._subject
        if subject is None:
            raise StudyError("No cine is shown. Click a participant on a map, or drop a cine on the window.")
        study = self._explorer.study if subject.participant_id else None

        def take(box: HeartBox) -> None:
            if subject is self._subject:
                self._found = box
                self._set(box)

        self._explorer.jobs.start("Find the heart", lambda: _find(subject, study), take)

    def move(self, box: HeartBox) -> None:
        """Put the box elsewhere; what lies beyond the picture is cut off. Nothing happens before `place`."""
        if self._subject is not None and self._box is not None:
            self._set(_inside(box, self._subject.shape))

    def set_rule(self, rule: BoxRule) -> None:
        """Choose how the model's input is cropped by the box."""
        if self._box is not None:
            self._set(replace(self._box, rule=rule))

    def reset(self) -> None:
        """Take the box back to where it was found."""
        if self._found is not None:
            self._set(self._found)

    def forget(self) -> None:
        """Place no box after all."""
        self._set(None)

    def use(self) -> None:
        """Start the job that keeps a participant's box, or encodes a recording from outside with it.

        Raises
        ------
        LatentExplorerError
            When there is no box, no model to encode with, or the study keeps no boxes.
        """
        subject, box = self._subject, self._box
        if subject is None or box is None:
            raise StudyError("There is no box to use. Place one first.")
        if subject.participant_id:
            study, one = _boxed(self._explorer.study), subject.participant_id
            self._explorer.jobs.start("Keep the heart box", lambda: _keep(study, one, box), self._on_kept)
            return
        if (bundle := self._explorer.bundle) is None:
            raise BundleError("The recording can only be cropped for a model, and none is in use. Open a model first.")
        assert subject.recording is not None
        path, cine, labels = subject.recording.path, subject.cine, subject.labels
        self._explorer.jobs.start(
            f"Encode {path.name}",
            lambda: encode_recording(path, cine, bundle, None, labels, replace(box, source="by hand")),
            self._on_encoded,
        )

    def show(self, participant_id: str) -> None:
        """Show a participant and place their box; StudyError for a stranger."""
        self._is_walking = True
        try:
            self._explorer.show_participant(participant_id)
        except LatentExplorerError:
            self._is_walking = False
            raise

    def show_next_without(self) -> None:
        """Start the job that looks for the next participant whose box nobody drew and no labels gave, and show them.

        Raises
        ------
        StudyError
            When the study keeps no boxes.
        """
        study = _boxed(self._explorer.study)
        after = self._subject.participant_id if self._subject is not None else ""
        self._explorer.jobs.start("Look for hearts without a box", lambda: _next_without(study, after), self._on_next)

    # ---- what comes of it

    def _on_participant_shown(self, shown: ShownParticipant) -> None:
        one = shown.participant_id
        subject = BoxSubject(one, shown.cine, shown.labels, one) if shown.cine is not None else None
        self._set_subject(subject)
        if self._is_walking and subject is not None:
            self.place()
        self._is_walking = False

    def _on_outside_opened(self, recording: OutsideRecording) -> None:
        if recording.cine is not None:
            self._set_subject(BoxSubject(recording.name, recording.cine, recording.labels, recording=recording))

    def _on_study_changed(self) -> None:
        if self._subject is not None and self._subject.participant_id:
            self._set_subject(None)

    def _on_kept(self, participant_id: str) -> None:
        if self._subject is not None and self._subject.participant_id == participant_id:
            self._found = self._box
            self.box_changed.emit()
        self.used.emit(
            f"The box of {participant_id} is kept. Their cine must be encoded again: the command encode does so, and "
            "leaves all others as they are."
        )

    def _on_encoded(self, loaded: LoadedRecording) -> None:
        self._found = self._box
        self._explorer.show_recording(loaded)
        self.box_changed.emit()
        self.used.emit(f"{loaded.path.name} was encoded again with this box.")

    def _on_next(self, participant_id: str | None) -> None:
        if participant_id is None:
            self.used.emit("Nobody is left: every cine has a box from its labels, or one that was drawn.")
        else:
            self.show(participant_id)

    def _set_subject(self, subject: BoxSubject | None) -> None:
        self._subject = subject
        self._found = None
        self._set(None)
        self.subject_changed.emit()

    def _set(self, box: HeartBox | None) -> None:
        if box != self._box:
            self._box = box
            self.box_changed.emit()


def model_view(
    box: HeartBox, spacing_mm: tuple[float, float], spec: CineSpec = STANDARD.mri
) -> tuple[float, float, float, float]:
    """Rows and columns (first row, first column, rows, columns) of the cine that the model is given by a box."""
    if (spec.crop or box.rule) == "published" or spec.spacing_mm is None:
        return float(box.row_start), float(box.column_start), float(spec.n_rows), float(spec.n_columns)
    sides_mm = (size * spec.spacing_mm for size in spec.space)
    n_rows, n_columns = (side_mm / step for side_mm, step in zip(sides_mm, spacing_mm, strict=True))
    row, column = box.middle
    return row - (n_rows - 1) / 2, column - (n_columns - 1) / 2, n_rows, n_columns


def _boxed(study: object) -> BoxedStudy:
    """Return the study if boxes can be kept in it."""
    if study is None:
        raise StudyError("No study is open; open one first.")
    manifest = getattr(study, "manifest", None)
    if not isinstance(study, BoxedStudy) or getattr(manifest, "recording_source", "stored") != "stored":
        raise StudyError(
            "This study makes its recordings on demand, each on the model's grid; there is nothing to crop."
        )
    return study


def _find(subject: BoxSubject, study: object) -> Generator[Progress, None, HeartBox]:
    """Box that is kept with a study, else the heart as labels or motion show it, else the middle of the picture."""
    from napari_latent_explorer.modeling.heart_position import find_heart_box

    yield Progress(0, 1, f"Looking for the heart of {subject.label}")
    kept = study.heart_box(subject.participant_id) if isinstance(study, BoxedStudy) else None
    box = kept or find_heart_box(subject.cine, subject.labels, "centred")
    return _inside(box or _in_the_middle(subject.shape), subject.shape)


def _keep(study: BoxedStudy, participant_id: str, box: HeartBox) -> Generator[Progress, None, str]:
    yield Progress(0, 1, f"Keeping the heart box of {participant_id}")
    study.set_heart_box(participant_id, replace(box, source="by hand"))
    return participant_id


def _next_without(study: BoxedStudy, after: str) -> Generator[Progress, None, str | None]:
    """First participant after `after`, round to them again, who has a cine and at most a box from motion."""
    cohort = study.cohort()
    ids = cohort.participant_ids.tolist()
    has_cine = cohort.availability.get("mri")
    start = int(cohort.rows_of([after])[0]) + 1 if after in cohort else 0
    for done in range(len(ids)):
        row = (start + done) % len(ids)
        if done % 100 == 0:
            yield Progress(done, len(ids), "Looking for hearts without a box")
        if has_cine is not None and not has_cine[row]:
            continue
        try:
            box = study.heart_box(ids[row])
        except (StudyError, RecordingError):
            return str(ids[row])
        if box is None or box.source == "motion":
            return str(ids[row])
    return None


def _in_the_middle(shape: tuple[int, int]) -> HeartBox:
    n_rows, n_columns = (min(MODEL_PX, size) for size in shape)
    return HeartBox((shape[0] - n_rows) // 2, (shape[1] - n_columns) // 2, n_rows, n_columns, source="motion")


def _inside(box: HeartBox, shape: tuple[int, int]) -> HeartBox:
    """Cut off what lies beyond a picture of so many rows and columns."""
    starts = [min(box.row_start, shape[0] - 1), min(box.column_start, shape[1] - 1)]
    sizes = [min(box.n_rows, shape[0] - starts[0]), min(box.n_columns, shape[1] - starts[1])]
    return replace(box, row_start=starts[0], column_start=starts[1], n_rows=sizes[0], n_columns=sizes[1])
