"""Small pictures of participants, for whoever rests the pointer on one: a beating heart, a median beat.

Reading a recording takes tens of milliseconds, and a pointer passes many people. So a worker reads for the newest wish
only (see `LatestWins`), and the last pictures are kept.
"""

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, TypeVar

import numpy as np
from numpy.typing import NDArray
from psygnal import Signal

from napari_latent_explorer.data.arrays import read_only
from napari_latent_explorer.data.cine import CineLabels, CineMRI
from napari_latent_explorer.data.ecg import ECG
from napari_latent_explorer.errors import LatentExplorerError
from napari_latent_explorer.session.dispatch import Dispatch, forward, inline
from napari_latent_explorer.session.latest_wins import LatestWins
from napari_latent_explorer.session.recordings import Recordings, beat_or_none

Part = TypeVar("Part")

N_KEPT: Final = 128
"""Thumbnails, of at most 0.3 MB each."""
N_FRAMES: Final = 20
SIDE_PX: Final = 112
HEART_MARGIN: Final = 0.25
"""Around the labels, as a share of their size."""
WINDOW_PERCENTILES: Final = (1.0, 99.5)
"""Signals that become black and white."""
LEAD: Final = "II"


@dataclass(frozen=True, slots=True, eq=False)
class CineThumbnail:
    """One slice of a heart, beating.

    Attributes
    ----------
    frames
        ``(n_frames, n_rows, n_columns)`` uint8; the first is at end diastole.
    aspect
        Height of a pixel divided by its width.
    rr_interval_ms
        Length of the heart cycle, and so of all frames, in ms.
    """

    frames: NDArray[np.uint8]
    aspect: float
    rr_interval_ms: float


@dataclass(frozen=True, slots=True, eq=False)
class BeatThumbnail:
    """One lead of the median beat, or of the strip where no beat was found.

    Attributes
    ----------
    signal_mv
        ``(n_samples,)`` in mV.
    duration_ms
        Its length in ms.
    lead_name
        Which lead.
    """

    signal_mv: NDArray[np.float32]
    duration_ms: float
    lead_name: str


@dataclass(frozen=True, slots=True, eq=False)
class Thumbnail:
    """What a participant's recordings look like; None for what they lack or what was not asked for."""

    participant_id: str
    modalities: tuple[str, ...]
    cine: CineThumbnail | None
    beat: BeatThumbnail | None


@dataclass(frozen=True, slots=True, eq=False)
class _Wish:
    study: Recordings
    participant_id: str
    modalities: tuple[str, ...]


class Thumbnails:
    """Makes the thumbnail that was asked for last.

    Parameters
    ----------
    dispatch
        Brings it to the thread that listens.
    """

    made = Signal(Thumbnail, description="On the thread of `dispatch`, or at once when it was kept.")
    failed = Signal(Exception, description="A thumbnail could not be made, for no fault of the recording.")

    def __init__(self, dispatch: Dispatch = inline) -> None:
        self._kept: OrderedDict[tuple[str, tuple[str, ...]], Thumbnail] = OrderedDict()
        self._study: Recordings | None = None
        self._queue: LatestWins[_Wish, Thumbnail] = LatestWins(_make, dispatch)
        self._queue.finished.connect(self._on_made)
        forward(self._queue.failed, self.failed)

    def request(self, study: Recordings, participant_id: str, modalities: tuple[str, ...]) -> None:
        """Ask for the thumbnail of one participant's recordings of these modalities, ``mri`` and ``ecg``."""
        if study is not self._study:
            self._study = study
            self._kept.clear()
            self._queue.forget()
        kept = self._kept.get((participant_id, modalities))
        if kept is None:
            self._queue.request(_Wish(study, participant_id, modalities))
        else:
            self.made.emit(kept)

    def wait(self, timeout_s: float | None = None) -> bool:
        """Block until nothing is being read; False after `timeout_s`. Not for the thread that listens."""
        return self._queue.wait(timeout_s)

    def close(self) -> None:
        """Stop the worker thread."""
        self._queue.close()

    def _on_made(self, thumbnail: Thumbnail) -> None:
        self._kept[thumbnail.participant_id, thumbnail.modalities] = thumbnail
        if len(self._kept) > N_KEPT:
            self._kept.popitem(last=False)
        self.made.emit(thumbnail)


def _make(wish: _Wish) -> Thumbnail:
    one, study = wish.participant_id, wish.study
    cine = _or_none(study.cine, one) if "mri" in wish.modalities else None
    ecg = _or_none(study.ecg, one) if "ecg" in wish.modalities else None
    labels = _or_none(study.labels, one) if cine is not None else None
    return Thumbnail(
        one,
        wish.modalities,
        None if cine is None else cine_thumbnail(cine, labels),
        None if ecg is None else beat_thumbnail(ecg),
    )


def _or_none(read: Callable[[str], Part], participant_id: str) -> Part | None:
    try:
        return read(participant_id)
    except LatentExplorerError:  # absent or damaged: who opens the recording is told which
        return None


def cine_thumbnail(cine: CineMRI, labels: CineLabels | None = None) -> CineThumbnail:
    """Take the middle slice, around the heart where labels say where it is."""
    n_frames, n_slices, n_rows, n_columns = cine.frames.shape
    heart: NDArray[np.bool_] = np.zeros((n_rows, n_columns), np.bool_)
    if labels is not None and labels.frames.shape[1:] == cine.frames.shape[1:]:
        heart = np.logical_or.reduce(labels.frames[:, n_slices // 2] > 0, axis=0)
    rows, columns = _around(heart if heart.any() else ~heart)
    step = max(1, -(-max(len(rows), len(columns)) // SIDE_PX))
    chosen = np.unique(np.linspace(0, n_frames - 1, min(n_frames, N_FRAMES)).round().astype(np.intp))
    frames = cine.frames[chosen, n_slices // 2][:, rows[::step]][:, :, columns[::step]].astype(np.float32)
    low, high = np.percentile(frames, WINDOW_PERCENTILES)
    shades = np.clip((frames - low) / (high - low if high > low else 1.0), 0.0, 1.0)
    aspect = cine.spacing_mm[1] / cine.spacing_mm[2]
    return CineThumbnail(read_only(np.rint(255.0 * shades), np.uint8), aspect, cine.rr_interval_ms)


def _around(mask: NDArray[np.bool_]) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Rows and columns of a mask ``(n_rows, n_columns)`` around what it marks."""
    windows = []
    for across in (1, 0):
        marked: NDArray[np.bool_] = np.logical_or.reduce(mask, axis=across)
        first, last = np.flatnonzero(marked)[[0, -1]]
        margin = int(HEART_MARGIN * (last - first)) + 1
        windows.append(np.arange(max(0, first - margin), min(len(marked), last + margin + 1)))
    return windows[0], windows[1]


def beat_thumbnail(ecg: ECG) -> BeatThumbnail:
    """Take lead II of the median beat; another lead, or the strip, where there is no such thing."""
    beat = ecg if ecg.kind == "median" else beat_or_none(ecg) or ecg
    lead = LEAD if LEAD in beat.lead_names else beat.lead_names[0]
    return BeatThumbnail(beat.leads((lead,))[0], beat.duration_ms, lead)
