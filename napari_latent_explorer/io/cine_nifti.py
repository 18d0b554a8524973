"""Cine MRI from one NIfTI file: column x row x slice x frame, as converters write it.

| what | how |
|---|---|
| files | ``.nii``, ``.nii.gz``, ``.hdr``/``.img`` pairs, NIfTI-1 and NIfTI-2, either byte order; told by content |
| axes | as stored: the third is the slice, the second the row, the first the column; the affine says where they lie |
| place | `nifti_header.py`: sform or qform, right-anterior-superior there, left-posterior-superior here, in mm |
| times | `frame_timing.py`: sidecar or header if sensible, else equal steps over an assumed cycle, with a note |
| imaging plane | given, else guessed from the geometry (`imaging_plane.py`), else what was asked for, with a note |
| signal | `scl_slope` and `scl_inter` applied |

Refused with a reason: a single frame (one volume is no cine), a label map, colours and complex numbers, more than
`MAX_RECORDING_BYTES`, truncated and damaged files, pixels that are no finite numbers. Files that belong to a collection
with a known layout are read with their companions by `cine_cases.py`.
"""

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_latent_explorer.data.cine import CineMRI, ImagingPlane
from napari_latent_explorer.errors import RecordingError
from napari_latent_explorer.io.frame_timing import FrameTiming, read_sidecar, time_frames
from napari_latent_explorer.io.imaging_plane import guess_imaging_plane
from napari_latent_explorer.io.nifti_header import NiftiHeader, read_nifti_header
from napari_latent_explorer.io.nifti_pixels import read_nifti_pixels
from napari_latent_explorer.io.reading import ANY, FileOutcome, Reading, ReadOptions

_MOST_CLASSES = 16


def read_cine_nifti(path: str | Path, options: ReadOptions = ANY) -> Reading:
    """Read one cine.

    Parameters
    ----------
    path
        File; of a pair, either one.
    options
        `assumed_plane` counts; an `imaging_plane` that the file does not show is refused.

    Raises
    ------
    RecordingError
        See the table above.
    """
    header = read_nifti_header(Path(path))
    if header.shape[0] == 1:
        size = " x ".join(map(str, reversed(header.shape[1:])))
        raise RecordingError(
            f"{header.path} holds one volume of {size} pixels; a cine has several frames, along the fourth axis. "
            "If the third axis is time, store the file with one slice (column x row x 1 x frame)."
        )
    timing = time_frames(header.shape[0], header.time_step_ms, header.time_start_ms, read_sidecar(header.path))
    plane, plane_note = _plane_of(header, options)
    cine = make_cine(header, read_nifti_pixels(header), timing, plane)
    used = dict.fromkeys(str(file) for file in (header.path, header.data_path))
    outcomes = tuple(FileOutcome(file, True, "the cine") for file in used)
    return Reading(cine, None, tuple(note for note in (*header.notes, timing.note, plane_note) if note), outcomes)


def make_cine(header: NiftiHeader, signal: NDArray[Any], timing: FrameTiming, plane: ImagingPlane) -> CineMRI:
    """Cine of a file's pixels, unless they are class numbers.

    Raises
    ------
    RecordingError
        When no more than 16 small whole numbers occur, which no scanner gives.
    """
    if _looks_like_labels(signal):
        raise RecordingError(
            f"{header.path} is a label map (its pixels are whole numbers up to {signal.max():g}), not a cine. Give it "
            "as labels, with the cine that it belongs to."
        )
    return CineMRI(
        signal,
        header.spacing_mm,
        timing.frame_times_ms,
        header.affine,
        plane,
        timing.rr_interval_ms,
        str(header.path),
    )


def _plane_of(header: NiftiHeader, options: ReadOptions) -> tuple[ImagingPlane, str]:
    """Imaging plane, and a note where it is not known from the file."""
    if options.assumed_plane is not None:
        return options.assumed_plane, ""
    normal = np.cross(header.affine[:3, 2], header.affine[:3, 1])
    guessed = guess_imaging_plane(normal) if header.is_placed else "unknown"
    wanted = options.imaging_plane
    if wanted in (None, guessed):
        return guessed, ""
    if guessed != "unknown":
        raise RecordingError(
            f"{header.path} shows the plane {guessed} by its geometry, {wanted} was asked for. If that is what it "
            "shows, say so as its assumed plane."
        )
    return (
        wanted,
        f"The geometry of {header.path.name} does not tell its plane; it is taken for the {wanted} asked for.",
    )


def _looks_like_labels(signal: NDArray[Any]) -> bool:
    low, high = signal.min(), signal.max()
    return bool(low == 0 and 0 < high < _MOST_CLASSES and (signal.dtype.kind in "iu" or _is_whole(signal)))


def _is_whole(signal: NDArray[Any]) -> bool:
    return all(bool((frame == np.floor(frame)).all()) for frame in signal)
