"""Recordings that the user brings from outside the study: dropped files and folders, read and shown as they are.

One drop may name many files of one recording; a file that an earlier reading used is not read again, so that the 240
images of a stack become one stack. A place that holds several cines gives one for each imaging plane. With a model at
hand, what it can take (a median beat, a cine of one slice) is encoded too; where that fails the recording is still
shown, and the reason said. Of several cines at one place only the 4-chamber one is encoded.
"""

from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import get_args

import numpy as np
from psygnal import Signal

from napari_latent_explorer.data.cine import CineLabels, CineMRI, ImagingPlane
from napari_latent_explorer.data.ecg import ECG
from napari_latent_explorer.data.progress import Progress
from napari_latent_explorer.errors import LatentExplorerError, RecordingError
from napari_latent_explorer.io.formats import read_place, recognise
from napari_latent_explorer.io.reading import Reading, ReadOptions
from napari_latent_explorer.session.explorer import Explorer
from napari_latent_explorer.session.jobs import Job
from napari_latent_explorer.session.originals import Original, Originals
from napari_latent_explorer.session.recordings import Encoder, LoadedRecording, encode_recording

CONTRAST_PERCENTILES = (0.5, 99.7)
_CONTRAST_SAMPLES = 1_000_000
_NAMED_FAILURES = 5


@dataclass(frozen=True, slots=True, eq=False)
class OutsideRecording:
    """A recording as its files hold it.

    Attributes
    ----------
    path
        Where it was read.
    cine, labels
        The cine and its label map; None for an ECG.
    beat, strip
        The device's median beat and the rhythm strip, those that there are; None for a cine.
    notes
        What its user should know, in sentences.
    contrast_limits, signal_range
        Signals of the cine that are shown black and white; the least and the largest.
    encoded
        What the model makes of it; None without a model that takes it.
    folder
        Folder whose name stands for the recording, where it was read from several files; empty for one file.
    """

    path: Path
    cine: CineMRI | None = None
    labels: CineLabels | None = None
    beat: ECG | None = None
    strip: ECG | None = None
    notes: tuple[str, ...] = ()
    contrast_limits: tuple[float, float] = (0.0, 1.0)
    signal_range: tuple[float, float] = (0.0, 1.0)
    encoded: LoadedRecording | None = None
    folder: str = ""

    @property
    def name(self) -> str:
        """Name for people."""
        return self.folder or self.path.name


@dataclass(frozen=True, slots=True)
class Opened:
    """What came of one drop."""

    recordings: tuple[OutsideRecording, ...]
    failures: tuple[LatentExplorerError, ...]


class OutsideRecordings:
    """Opens recordings from outside the study for an explorer.

    Parameters
    ----------
    explorer
        The session.
    originals
        Is told of an ECG that is shown without a reconstruction.
    get_ready
        Called on the worker before the first recording is told of; for what takes long the first time it is shown.
    """

    opened = Signal(OutsideRecording, description="A recording is here, to be shown.")

    def __init__(self, explorer: Explorer, originals: Originals, get_ready: Callable[[], None] | None = None) -> None:
        self._explorer = explorer
        self._originals = originals
        self._get_ready = get_ready

    def open(self, paths: Sequence[str | Path]) -> Job[Opened]:
        """Start the job that reads the recordings at `paths`, and encodes those that the model in use can take."""
        places = tuple(Path(path) for path in paths)
        bundle = self._explorer.bundle
        # the name tells jobs apart: a second drop does not end the first
        name = f"Open {places[0].name}" + (f" and {len(places) - 1} more" if len(places) > 1 else "")
        return self._explorer.jobs.start(name, lambda: self._work(places, bundle), self._on_opened)

    def _work(self, places: Sequence[Path], bundle: Encoder | None) -> Generator[Progress, None, Opened]:
        opened = yield from open_recordings(places, bundle)
        if self._get_ready is not None and opened.recordings:
            self._get_ready()
            self._get_ready = None
        return opened

    def _on_opened(self, opened: Opened) -> None:
        for recording in opened.recordings:
            if recording.encoded is not None:
                self._explorer.show_recording(recording.encoded)
            elif recording.cine is None:
                self._originals.show(Original(recording.path.name, None, None, recording.beat, (), recording.strip))
            self.opened.emit(recording)
        if opened.failures:
            self._explorer.failed.emit(_as_one(opened.failures))


def open_recordings(paths: Sequence[Path], bundle: Encoder | None = None) -> Generator[Progress, None, Opened]:
    """Read the recordings at `paths`, and encode with `bundle` what it can take.

    Yields
    ------
    Progress
        Before each recording is read, prepared and encoded.
    """
    recordings: list[OutsideRecording] = []
    failures: list[LatentExplorerError] = []
    seen: set[str] = set()
    for number, path in enumerate(paths):
        if str(path) in seen:
            continue
        yield Progress(number, len(paths), f"Reading {path.name}")
        try:
            readings = _readings_at(path)
        except RecordingError as error:
            failures.append(error)
            seen.update(outcome.file for outcome in error.outcomes)
            continue
        seen.update(outcome.file for reading in readings for outcome in reading.outcomes)
        for reading in readings:
            model = bundle if len(readings) == 1 or _shows_four_chambers(reading) else None
            recordings.append((yield from _opened(path, reading, model, failures)))
    return Opened(tuple(recordings), tuple(failures))


def _shows_four_chambers(reading: Reading) -> bool:
    return isinstance(reading.recording, CineMRI) and reading.recording.imaging_plane == "la_4ch"


def _readings_at(path: Path) -> list[Reading]:
    """Read the cine and the ECG at a place, whichever there is; of several cines, one for each imaging plane."""
    modalities = [modality for modality in ("mri", "ecg") if recognise(path, modality) is not None]
    if len(modalities) < 2:
        return _readings_of(path, None)
    readings, refusals = [], []
    for modality in modalities:
        try:
            readings += _readings_of(path, modality)
        except RecordingError as error:
            refusals.append(error)
    if not readings:
        raise refusals[0]
    return readings


def _readings_of(path: Path, modality: str | None) -> list[Reading]:
    try:
        return [read_place(path, modality=modality)]
    except RecordingError as error:
        if modality == "ecg":
            raise
        readings = []
        for plane in get_args(ImagingPlane):
            try:
                readings.append(read_place(path, ReadOptions(imaging_plane=plane), modality))
            except RecordingError:
                continue
        if not readings:
            raise error
        return readings


def _opened(
    path: Path, reading: Reading, bundle: Encoder | None, failures: list[LatentExplorerError]
) -> Generator[Progress, None, OutsideRecording]:
    recording = reading.recording
    encoded = None
    strip = _strip_of(path, recording) if isinstance(recording, ECG) else None
    if bundle is not None and (isinstance(recording, ECG) or recording.frames.shape[1] == 1):
        try:
            encoded = yield from encode_recording(path, recording, bundle, strip, reading.labels)
        except LatentExplorerError as error:
            failures.append(RecordingError(f"{error} It is shown as it was recorded, without a reconstruction."))
    if isinstance(recording, ECG):
        beat = recording if recording.kind == "median" else None
        return OutsideRecording(path, beat=beat, strip=strip, notes=reading.notes, encoded=encoded)
    limits, span = _contrast(recording)
    folder = _folder_of(path, reading)
    return OutsideRecording(path, recording, reading.labels, None, None, reading.notes, limits, span, encoded, folder)


def _folder_of(path: Path, reading: Reading) -> str:
    """Name of the folder of a file that was read together with its neighbours."""
    beside = [outcome for outcome in reading.outcomes if outcome.is_used and Path(outcome.file).parent == path.parent]
    return path.parent.name if path.is_file() and len(beside) > 1 else ""


def _strip_of(path: Path, ecg: ECG) -> ECG | None:
    """Rhythm strip of the file that an ECG came from; None where it has none beside the median beat."""
    if ecg.kind == "rhythm":
        return ecg
    try:
        strip = read_place(path, ReadOptions(ecg_kind="rhythm"), "ecg").recording
    except RecordingError:
        return None
    return strip if isinstance(strip, ECG) else None


def _contrast(cine: CineMRI) -> tuple[tuple[float, float], tuple[float, float]]:
    """Signals that are shown black and white, and the range of all signals; neither is empty."""
    signals = cine.frames.ravel()
    low, high = np.percentile(signals[:: max(1, signals.size // _CONTRAST_SAMPLES)], CONTRAST_PERCENTILES).tolist()
    least, largest = float(signals.min()), float(signals.max())
    return (low, high) if low < high else (low, low + 1.0), (least, largest) if least < largest else (least, least + 1)


def _as_one(failures: Sequence[LatentExplorerError]) -> LatentExplorerError:
    """Several failures in one message: the first in full, the others by their number and first words."""
    if len(failures) == 1:
        return failures[0]
    others = [str(failure).split(". ")[0] for failure in failures[1 : 1 + _NAMED_FAILURES]]
    more = f" and {len(failures) - 1 - len(others)} more" if len(failures) - 1 > len(others) else ""
    return RecordingError(f"{failures[0]}\nAlso: {'; '.join(others)}{more}.")
