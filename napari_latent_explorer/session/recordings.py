"""Recordings that are brought before the user: a participant's own, or a file from outside the study."""

from collections.abc import Callable, Generator
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

from napari_latent_explorer.data.arrays import read_only
from napari_latent_explorer.data.cine import CineLabels, CineMRI
from napari_latent_explorer.data.ecg import ECG
from napari_latent_explorer.data.heart_box import HeartBox
from napari_latent_explorer.data.progress import Progress
from napari_latent_explorer.errors import RecordingError, StudyError
from napari_latent_explorer.modeling.preprocessing_spec import PreprocessingSpec

Recording = TypeVar("Recording")


class Recordings(Protocol):
    """Where a participant's recordings come from; `io.study.Study` is one."""

    def cine(self, participant_id: str) -> CineMRI:
        """Cine of a participant."""

    def labels(self, participant_id: str) -> CineLabels:
        """Label map of a participant's cine."""

    def ecg(self, participant_id: str) -> ECG:
        """ECG of a participant."""


class Encoder(Protocol):
    """What reading a recording asks of a bundle."""

    @property
    def warning(self) -> str:
        """What its user must know; empty if nothing."""

    @property
    def input_spec(self) -> PreprocessingSpec:
        """What recordings are brought to for it."""

    def encode(self, modality: str, batch: NDArray[np.float32], /) -> NDArray[np.float32]:
        """Encode model tensors ``(n, ...)`` to latents ``(n, latent_dim)``."""


@dataclass(frozen=True, slots=True, eq=False)
class ShownParticipant:
    """A participant's own recordings; None for those that they do not have.

    Attributes
    ----------
    participant_id
        Who.
    cine, labels
        The cine and its label map.
    ecg
        The median beat: as stored, or made of the rhythm strip as it is for the model.
    strip
        The rhythm strip.
    """

    participant_id: str
    cine: CineMRI | None
    labels: CineLabels | None
    ecg: ECG | None
    strip: ECG | None = None


@dataclass(frozen=True, slots=True, eq=False)
class LoadedRecording:
    """A recording from outside the study, as it is and as the model sees it.

    Attributes
    ----------
    modality
        ``mri`` or ``ecg``.
    path
        Where it was read.
    original
        As recorded.
    prepared
        On the model's grid: the cropped and resampled cine, or the median beat.
    vector
        ``(latent_dim,)`` its latent vector.
    rule
        How `prepared` was made from `original`, in words.
    warning
        What the user must know of this recording and of the bundle, in words.
    strip
        Rhythm strip of an ECG, where its file has one.
    labels
        Label map of `prepared`, where the cine came with one.
    """

    modality: str
    path: Path
    original: CineMRI | ECG
    prepared: CineMRI | ECG
    vector: NDArray[np.float32]
    rule: str
    warning: str
    strip: ECG | None = None
    labels: CineLabels | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "vector", read_only(self.vector, np.float32))


def read_participant(study: Recordings, participant_id: str) -> Generator[Progress, None, ShownParticipant]:
    """Read the recordings of one participant; one that they lack is None.

    Yields
    ------
    Progress
        Before each recording.
    """
    yield Progress(0, 3, f"Reading the cine of {participant_id}")
    cine = _or_none(study.cine, participant_id)
    yield Progress(1, 3, f"Reading the labels of {participant_id}")
    labels = _or_none(study.labels, participant_id) if cine is not None else None
    yield Progress(2, 3, f"Reading the ECG of {participant_id}")
    ecg = _or_none(study.ecg, participant_id)
    if cine is None and ecg is None:
        raise RecordingError(f"Participant {participant_id} has neither a cine nor an ECG in this study.")
    if ecg is None or ecg.kind == "median":
        return ShownParticipant(participant_id, cine, labels, ecg)
    return ShownParticipant(participant_id, cine, labels, beat_or_none(ecg), ecg)


def beat_or_none(strip: ECG) -> ECG | None:
    """Make the median beat of a rhythm strip as it is for the model; None when it has no beats to take one from."""
    from napari_latent_explorer.modeling.preprocessing import prepare_ecg

    try:
        return prepare_ecg(strip).ecg_mv
    except RecordingError:
        return None


def _or_none(read: Callable[[str], Recording], participant_id: str) -> Recording | None:
    try:
        return read(participant_id)
    except StudyError:
        return None


def read_and_encode(path: Path, bundle: Encoder) -> Generator[Progress, None, LoadedRecording]:
    """Read a cine or an ECG, bring it to the model's grid and encode it.

    Yields
    ------
    Progress
        Before reading, preparing and encoding.
    """
    from napari_latent_explorer.io.formats import read_recording

    yield Progress(0, 3, f"Reading {path.name}")
    original = read_recording(path)
    strip = original if isinstance(original, ECG) and original.kind == "rhythm" else None
    return (yield from encode_recording(path, original, bundle, strip))


def encode_recording(
    path: Path,
    original: CineMRI | ECG,
    bundle: Encoder,
    strip: ECG | None = None,
    labels: CineLabels | None = None,
    heart_box: HeartBox | None = None,
) -> Generator[Progress, None, LoadedRecording]:
    """Bring a cine or an ECG to the model's grid and encode it; torch is first imported here, on the worker.

    A cine is cropped by `heart_box` where one is given, else by its labels where it has some.

    Yields
    ------
    Progress
        Before preparing and encoding.
    """
    from napari_latent_explorer.modeling.preprocessing import prepare_cine, prepare_ecg

    yield Progress(1, 3, f"Preparing {path.name} for the model")
    warnings = [bundle.warning] if bundle.warning else []
    if isinstance(original, CineMRI):
        cine = prepare_cine(original, labels, heart_box=heart_box, spec=bundle.input_spec.mri)
        yield Progress(2, 3, f"Encoding {path.name}")
        vector = bundle.encode("mri", cine.tensor[None])[0]
        warning = " ".join([*cine.warnings, *warnings])
        return LoadedRecording("mri", path, original, cine.cine, vector, cine.rule, warning, labels=cine.labels)
    ecg = prepare_ecg(original, bundle.input_spec.ecg)
    yield Progress(2, 3, f"Encoding {path.name}")
    vector = bundle.encode("ecg", ecg.tensor[None])[0]
    return LoadedRecording("ecg", path, original, ecg.ecg_mv, vector, ecg.rule, " ".join(warnings), strip)
