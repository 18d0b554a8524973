"""One cine put together from slices, and the rules by which it is whole.

| case | rule |
|---|---|
| slices at uneven steps, or shifted against each other | refused, with their positions |
| fewer or more frames in slices in the middle | refused, with the counts |
| the same in outermost slices | left out where they are at most a quarter, and noted: the stack then covers less |
| a gap in time at the same frame of all slices | noted (beats were rejected), unless files are missing there |
| a gap in time in some slices | refused, with the files on both sides |
| one slice at one time twice | refused, with the files |

Warnings
--------
Volumes from a stack without its outermost slices are too small by what these slices hold; the note says so.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from napari_latent_explorer.io.dicom_image import DicomImage
from napari_latent_explorer.io.dicom_series import DicomSeries
from napari_latent_explorer.io.dicom_slices import GAP_STEPS, SliceCine
from napari_latent_explorer.io.reading import FileOutcome

UNEVEN_MM = 0.5
_MOST_LEFT_OUT = 0.25
_LEAST_UPRIGHT = 0.96
"""Cosine between the normal and the way from slice to slice: they may be shifted by a quarter of their step."""


@dataclass(frozen=True, slots=True, eq=False)
class DicomCine:
    """Slices that make one cine.

    Attributes
    ----------
    slices
        Its slices along the normal, each with its frames.
    problem
        Why it cannot be put together, as a sentence; empty when it can.
    notes
        What its user should know.
    left_out
        Files of its series that are not part of it, and why.
    """

    slices: tuple[SliceCine, ...]
    problem: str = ""
    notes: tuple[str, ...] = ()
    left_out: tuple[FileOutcome, ...] = ()

    @property
    def series(self) -> tuple[DicomSeries, ...]:
        """Series that its slices come from, each once."""
        return tuple({id(one.series): one.series for one in self.slices}.values())

    @property
    def first(self) -> DicomImage:
        """First image of the first slice."""
        return self.slices[0].first

    @property
    def normal(self) -> NDArray[np.float64]:
        """Unit vector ``(3,)`` across its slices."""
        return self.first.placement.normal

    @property
    def positions_mm(self) -> NDArray[np.float64]:
        """Centre of the first pixel of each slice ``(n_slices, 3)``."""
        return np.array([one.first.placement.position_mm for one in self.slices])

    @property
    def images(self) -> tuple[DicomImage, ...]:
        """All its images."""
        return tuple(frame.image for one in self.slices for frame in one.frames)

    @property
    def preference(self) -> tuple[bool, int, int, str, int]:
        """Sorts repeated stacks, the best last."""
        is_original, n_frames, acquired, number = max(one.preference for one in self.slices)
        return is_original, len(self.slices), n_frames, acquired, number


def checked(cine: DicomCine) -> DicomCine:
    """Apply the rules on frames and positions: the cine with its problem or its notes."""
    broken = next((one.problem for one in cine.slices if one.problem), "")
    if broken:
        return replace(cine, problem=broken)
    cine = _with_even_counts(cine)
    return cine if cine.problem else _with_gaps_judged(_with_even_positions(cine))


def _with_even_counts(cine: DicomCine) -> DicomCine:
    counts = [len(one.frames) for one in cine.slices]
    (usual, n_usual), *others = Counter(counts).most_common()
    if not others:
        return cine
    inner = np.flatnonzero(np.array(counts) == usual)
    middle = cine.slices[inner[0] : inner[-1] + 1]
    is_clear = n_usual >= (1.0 - _MOST_LEFT_OUT) * len(counts) and n_usual > others[0][1]
    if not is_clear or len(middle) != n_usual:
        return replace(
            cine,
            problem=(
                f"The slices have different numbers of frames: {counts} (along the normal). Files are missing or "
                "belong to several acquisitions; export the series again."
            ),
        )
    outer = [one for one in cine.slices if not any(one is other for other in middle)]
    notes = [
        f"{one.place(cine.normal)}, an outermost slice, has {len(one.frames)} frames instead of {usual} and is left "
        "out: volumes do not count it."
        for one in outer
    ]
    files = [
        FileOutcome(frame.image.name, False, f"an outermost slice with {len(one.frames)} frames instead of {usual}")
        for one in outer
        for frame in one.frames
    ]
    return replace(cine, slices=middle, notes=(*cine.notes, *notes), left_out=(*cine.left_out, *files))


def _with_even_positions(cine: DicomCine) -> DicomCine:
    positions = cine.positions_mm
    if len(positions) < 2:
        return cine
    step = (positions[-1] - positions[0]) / (len(positions) - 1)
    expected = positions[0] + np.arange(len(positions))[:, None] * step
    is_slanted = abs(float(step @ cine.normal)) < _LEAST_UPRIGHT * float(np.linalg.norm(step))
    if np.abs(positions - expected).max() > UNEVEN_MM or is_slanted:
        along_mm = np.round((positions - positions[0]) @ cine.normal, 1).tolist()
        return replace(
            cine,
            problem=(
                f"The slices do not lie at even steps: {along_mm} mm along their normal"
                f"{', and shifted sideways' if is_slanted else ''}. A slice is missing or belongs to another stack; "
                "choose the files of one stack."
            ),
        )
    return cine


def _with_gaps_judged(cine: DicomCine) -> DicomCine:
    if cine.problem or not any(one.gaps for one in cine.slices):
        return cine
    gaps = cine.slices[0].gaps
    is_shared = len(cine.slices) > 1 and all(one.gaps == gaps for one in cine.slices)
    is_meant = all(one.is_surely_whole or (is_shared and _numbers_go_on(one, gaps)) for one in cine.slices)
    if is_meant and len(gaps) == 1 and not any(one.n_missing for one in cine.slices):
        before, after = (cine.slices[0].frames[gaps[0] + k] for k in (0, 1))
        return replace(
            cine,
            notes=(
                *cine.notes,
                f"No slice has frames between {before.time_ms:g} and {after.time_ms:g} ms, while no file is missing: "
                "the scanner left that time out (rejected heart beats).",
            ),
        )
    one = next(one for one in cine.slices if one.gaps)
    before, after = (one.frames[one.gaps[0] + k] for k in (0, 1))
    usual_ms = float(np.median(np.diff(one.times_ms)))
    return replace(
        cine,
        problem=(
            f"Frames are missing between {before.image.name} ({before.time_ms:g} ms) and {after.image.name} "
            f"({after.time_ms:g} ms); the others are {usual_ms:g} ms apart. Export the series again."
        ),
    )


def _numbers_go_on(one: SliceCine, gaps: Sequence[int]) -> bool:
    """Whether the scanner's numbers of the images do not jump where the times do."""
    numbers = [frame.image.origin.instance_number for frame in one.frames]
    known = [number for number in numbers if number is not None]
    if len(known) < len(numbers):
        return True
    steps = np.abs(np.diff(known))
    return bool(all(steps[gap] < GAP_STEPS * np.median(steps) for gap in gaps))
