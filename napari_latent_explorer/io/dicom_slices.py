"""Slices of a DICOM series over the heart cycle: where each lies, its frames in order, and which image is a copy.

Slices are told apart by their position along the normal (`ImagePositionPatient`; `SliceLocation` can be wrong by half).
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from napari_latent_explorer.io.dicom_image import DicomImage
from napari_latent_explorer.io.dicom_series import DicomSeries
from napari_latent_explorer.io.dicom_timing import TimedImage, timed_slices
from napari_latent_explorer.io.reading import FileOutcome

SAME_SLICE_MM = 0.1
GAP_STEPS = 1.6
"""A step between frames that is this many times the usual one is a gap."""
_COVERED = 0.97
_SAME_TIME_MS = 1e-6


@dataclass(frozen=True, slots=True, eq=False)
class SliceCine:
    """One slice of one series over the heart cycle.

    Attributes
    ----------
    series
        Series that it comes from.
    along_mm
        Position along the normal.
    frames
        Its images by time.
    rr_interval_ms
        Length of the heart cycle as the scanner noted it; None when it did not.
    problem
        Why its frames are no cycle; empty when they are.
    """

    series: DicomSeries
    along_mm: float
    frames: tuple[TimedImage, ...]
    rr_interval_ms: float | None
    problem: str = ""

    @property
    def first(self) -> DicomImage:
        """Its first image."""
        return self.frames[0].image

    def along_mm_of(self, normal: NDArray[np.float64]) -> float:
        """Position along a normal ``(3,)``."""
        return float(self.first.placement.position_mm @ normal)

    def place(self, normal: NDArray[np.float64]) -> str:
        """Where it lies along a normal, at the begin of a sentence."""
        return f"The slice at {self.along_mm_of(normal):.1f} mm along the normal"

    @property
    def times_ms(self) -> NDArray[np.float64]:
        """Time of each frame ``(n_frames,)``."""
        return np.array([frame.time_ms for frame in self.frames])

    @property
    def preference(self) -> tuple[bool, int, str, int]:
        """Sorts repeated acquisitions, the best last: measured before computed, then most frames, then the latest."""
        acquired = max(frame.image.origin.acquired for frame in self.frames)
        origin = self.first.origin
        return origin.is_original, len(self.frames), acquired, origin.series_number or 0

    @property
    def gaps(self) -> tuple[int, ...]:
        """Frames after which the step is much longer than usual."""
        steps_ms = np.diff(self.times_ms)
        if len(steps_ms) < 2:
            return ()
        return tuple(np.flatnonzero(steps_ms > GAP_STEPS * np.median(steps_ms)).tolist())

    @property
    def is_surely_whole(self) -> bool:
        """Whether the scanner meant to take as many frames, or they cover the whole noted heart cycle."""
        if self.first.timing.n_phases == len(self.frames):
            return True
        times_ms = self.times_ms
        if self.rr_interval_ms is None or len(times_ms) < 2 or self.gaps:
            return False
        covered_ms = times_ms[-1] - times_ms[0] + float(np.median(np.diff(times_ms)))
        return bool(covered_ms >= min(_COVERED, 1.0 - 0.5 / len(times_ms)) * self.rr_interval_ms)

    @property
    def n_missing(self) -> int:
        """How many frames the scanner meant to take that are not there; 0 when it does not say."""
        return max((self.first.timing.n_phases or 0) - len(self.frames), 0)


@dataclass(frozen=True, slots=True, eq=False)
class CineSeries:
    """A series that is a cine.

    Attributes
    ----------
    series
        The series.
    slices
        Its slices along the normal; one position twice where the series holds repeated acquisitions.
    copies
        Files that are copies of others in it.
    notes
        What was taken for the time.
    """

    series: DicomSeries
    slices: tuple[SliceCine, ...]
    copies: tuple[FileOutcome, ...]
    notes: tuple[str, ...]

    @property
    def along_mm(self) -> NDArray[np.float64]:
        """Different positions of its slices along the normal ``(n_positions,)``."""
        return np.unique(np.round([one.along_mm for one in self.slices], 3))


def as_cine(series: DicomSeries) -> CineSeries:
    """Put a series' images into slices and frames.

    Raises
    ------
    NotCineError
        When it is no cine of one heart cycle.
    """
    images, copies = _without_copies(series.images)
    timed = timed_slices(_by_position(images))
    slices = []
    for frames in timed.slices:
        for part in _repeated_parts(frames):
            along_mm = float(part[0].image.placement.position_mm @ series.images[0].placement.normal)
            slices.append(SliceCine(series, along_mm, part, timed.rr_interval_ms, _repetition(part)))
    return CineSeries(series, tuple(sorted(slices, key=lambda one: one.along_mm)), copies, timed.notes)


def _without_copies(images: Sequence[DicomImage]) -> tuple[list[DicomImage], tuple[FileOutcome, ...]]:
    """Drop files that hold the same image with the same pixels as another."""
    kept: dict[tuple[object, ...], DicomImage] = {}
    copies = []
    for image in images:
        key = (image.origin.image_uid or image.name, image.frame_index, image.timing.trigger_time_ms)
        other = kept.setdefault(key, image)
        if other is image:
            continue
        if other.pixels.content == image.pixels.content and other.pixels.content is not None:
            copies.append(FileOutcome(str(image.file), False, f"a copy of {other.file}"))
        else:
            kept[(image.name, len(kept))] = image
    return list(kept.values()), tuple(copies)


def _by_position(images: Sequence[DicomImage]) -> list[list[DicomImage]]:
    normal = images[0].placement.normal
    along_mm = np.array([image.placement.position_mm @ normal for image in images])
    order = np.argsort(along_mm, kind="stable")
    starts = np.flatnonzero(np.diff(along_mm[order]) > SAME_SLICE_MM) + 1
    return [[images[index] for index in rows] for rows in np.split(order, starts)]


def _repeated_parts(frames: Sequence[TimedImage]) -> list[tuple[TimedImage, ...]]:
    """Split the frames of a slice by acquisition where times repeat and that tells the repetitions apart."""
    if not _repetition(frames):
        return [tuple(frames)]
    parts: dict[int | None, list[TimedImage]] = defaultdict(list)
    for frame in frames:
        parts[frame.image.origin.acquisition_number].append(frame)
    if len(parts) == 1 or any(_repetition(part) or len(part) < 2 for part in parts.values()):
        return [tuple(frames)]
    return [tuple(part) for part in parts.values()]


def _repetition(frames: Sequence[TimedImage]) -> str:
    for frame, following in pairwise(frames):
        if following.time_ms - frame.time_ms <= _SAME_TIME_MS:
            return (
                f"{frame.image.name} and {following.image.name} show the same slice at the same trigger time "
                f"({frame.time_ms:g} ms). Remove the repeated acquisition."
            )
    return ""
