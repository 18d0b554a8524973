"""Cine MRI from DICOM files, by geometry and cardiac timing; file names and typed descriptions decide nothing.

| what | how |
|---|---|
| place | folder with subfolders, zip archive, or one file (its cine is looked for among the files beside it) |
| files | single-frame MR images, enhanced multi-frame MR; others and damaged ones are passed over (`dicom_series.py`) |
| slices | positions along the normal; series of single slices are pooled into a stack (`dicom_pooling.py`) |
| frames | rank of the time after the R peak within each slice, as heart rates differ (`dicom_timing.py`) |
| whole | no slice or frame missing or twice (`dicom_stack.py`), no damaged file among them |
| heart cycle | median of what the scanner noted, if the frames fit in it, else from the frames |
| signal | any packing that pydicom unpacks, rescaled (`dicom_pixels.py`) |
| imaging plane | among all planes of the place and of related ones (`imaging_plane.py`), or given |
| choice | by series, by plane, or the only one (`dicom_choice.py`) |
"""

import os
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from napari_latent_explorer.data.cine import CineMRI
from napari_latent_explorer.errors import RecordingError
from napari_latent_explorer.io.archive import is_archive
from napari_latent_explorer.io.dicom_choice import FoundCine, choose_cine, find_cines, refuse_broken
from napari_latent_explorer.io.dicom_file import HEAD_BYTES, looks_like_dicom
from napari_latent_explorer.io.dicom_series import DicomScan, scan
from napari_latent_explorer.io.dicom_stack import DicomCine
from napari_latent_explorer.io.reading import ANY, MAX_RECORDING_BYTES, Reading, ReadOptions
from napari_latent_explorer.io.source_file import SourceFile, files_of

if TYPE_CHECKING:
    from napari_latent_explorer.io.dicom_pixels import PackedPixels

_MAX_FILES_LOOKED_AT = 200
_WAVEFORM = b"1.2.840.10008.5.1.4.1.1.9."
_COVERED = 0.9
_SHEARED_MM = 1.0
_UNEQUAL_CYCLES = 0.25
_LATE_STEPS = 2.0


def is_cine_dicom(path: Path) -> bool:
    """Whether there are DICOM files that are no waveforms at `path`; never raises."""
    try:
        return any(_is_image_file(file) for file in islice(_some_files(path), _MAX_FILES_LOOKED_AT))
    except (OSError, ValueError, RecordingError):
        return False


def read_cine_dicom(path: str | Path, options: ReadOptions = ANY) -> Reading:
    """Read one cine.

    Parameters
    ----------
    path
        Folder, zip archive, or one file of the cine.
    options
        Which cine is meant, where there are several.

    Raises
    ------
    RecordingError
        When there is no cine, there are several to choose from, or frames of it are missing or damaged. Its `outcomes`
        tell what became of each file.
    """
    place = Path(path)
    file = place if place.is_file() and not is_archive(place) else None
    found = find_cines(place, _scan_around(file) if file else scan(place), options)
    chosen, notes = choose_cine(found, options, file)
    refuse_broken(found, chosen)
    try:
        cine, more_notes = _assemble(chosen, place, options)
    except RecordingError as refusal:
        raise RecordingError(str(refusal), found.outcomes()) from refusal
    return Reading(cine, notes=(*notes, *chosen.cine.notes, *more_notes), outcomes=found.outcomes(chosen))


def _some_files(path: Path) -> Iterator[SourceFile]:
    if not path.is_dir():
        yield from files_of(path)
        return
    for folder, _, names in os.walk(path):
        for name in sorted(names):
            file = Path(folder, name)
            if not name.startswith(".") and file.is_file():
                yield from files_of(file) if file.suffix.lower() == ".zip" else (SourceFile(file),)


def _is_image_file(file: SourceFile) -> bool:
    try:
        head = file.head(HEAD_BYTES)
    except RecordingError:
        return False
    return looks_like_dicom(head) and _WAVEFORM not in head


def _scan_around(file: Path) -> DicomScan:
    beside = sorted(other for other in file.parent.iterdir() if other.is_file() and not other.name.startswith("."))
    return scan([other for other in beside if other == file or not is_archive(other)])


def _assemble(chosen: FoundCine, place: Path, options: ReadOptions) -> tuple[CineMRI, tuple[str, ...]]:
    cine = chosen.cine
    notes: list[str] = []
    times_ms = np.array([one.times_ms for one in cine.slices])  # (slice, frame)
    frame_times_ms = times_ms.mean(axis=0)
    affine, step_mm = _affine(cine, notes)
    plane = chosen.guess.plane
    if options.assumed_plane is not None:
        plane = options.assumed_plane
    elif chosen.guess.note:
        notes.append(chosen.guess.note)
    result = CineMRI(
        frames=_signal(cine, place, notes),
        spacing_mm=(step_mm, *cine.first.placement.spacing_mm),
        frame_times_ms=frame_times_ms,
        affine=affine,
        imaging_plane=plane,
        rr_interval_ms=_rr_interval_ms(cine, times_ms, notes),
        source=str(place),
    )
    return result, tuple(notes)


def _signal(cine: DicomCine, place: Path, notes: list[str]) -> NDArray[Any]:
    """Signal ``(n_frames, n_slices, n_rows, n_columns)``: stored numbers, or float32 where they are rescaled."""
    n_slices, n_frames = len(cine.slices), len(cine.slices[0].frames)
    pixels = cine.first.pixels
    n_bytes = n_slices * n_frames * pixels.n_rows * pixels.n_columns * max(pixels.bits_allocated // 8, 4)
    if n_bytes > MAX_RECORDING_BYTES:
        raise RecordingError(f"The cine in {place} would take {n_bytes / 1e9:.1f} GB; at most 2.1 GB are read.")
    has_rescale = any(image.has_rescale for image in cine.images)
    signal: NDArray[Any] | None = None
    unpacked: tuple[PackedPixels | None, NDArray[Any]] = (None, np.empty(0))
    for slice_index, one in enumerate(cine.slices):
        for frame_index, frame in enumerate(one.frames):
            image = frame.image
            if unpacked[0] is not image.pixels:
                unpacked = (image.pixels, image.pixels.unpack())
            stored = unpacked[1][image.frame_index]
            if signal is None:
                dtype = np.float32 if has_rescale else stored.dtype
                signal = np.empty((n_frames, n_slices, *stored.shape), dtype)
            elif not np.can_cast(stored.dtype, signal.dtype):
                signal = signal.astype(np.promote_types(stored.dtype, signal.dtype))
            signal[frame_index, slice_index] = stored
            if image.has_rescale:
                signal[frame_index, slice_index] *= np.float32(image.rescale_slope)
                signal[frame_index, slice_index] += np.float32(image.rescale_intercept)
    if pixels.is_inverted:
        notes.append("The images are MONOCHROME1; their grey values were inverted, so that bright is strong.")
    if pixels.padding is not None:
        notes.append(f"Pixels that hold the padding value {pixels.padding} have the lowest signal of their image.")
    return signal if signal is not None else np.empty(0)


def _affine(cine: DicomCine, notes: list[str]) -> tuple[NDArray[np.float64], float]:
    """Affine, and the step between slices along their normal."""
    placement, positions = cine.first.placement, cine.positions_mm
    step, step_mm = placement.normal * placement.thickness_mm, placement.thickness_mm
    if len(positions) > 1:
        step = (positions[-1] - positions[0]) / (len(positions) - 1)
        step_mm = float(step @ placement.normal)
    shift_mm = float(np.linalg.norm(step - step_mm * placement.normal))
    if shift_mm > _SHEARED_MM:
        notes.append(f"Each slice is shifted by {shift_mm:.1f} mm against the one before; the affine says so.")
    affine = np.eye(4)
    affine[:3, 0] = step
    affine[:3, 1] = placement.column_direction * placement.spacing_mm[0]
    affine[:3, 2] = placement.row_direction * placement.spacing_mm[1]
    affine[:3, 3] = positions[0]
    return affine, step_mm


def _rr_interval_ms(cine: DicomCine, times_ms: NDArray[np.float64], notes: list[str]) -> float:
    """Length of the heart cycle; notes where frames do not cover it, or slices differ."""
    steps_ms = np.median(np.diff(times_ms, axis=1), axis=1)
    covered_ms = times_ms[:, -1] - times_ms[:, 0] + steps_ms  # (slice,)
    usual_ms = float(np.median(covered_ms))
    unequal = int((np.abs(covered_ms / usual_ms - 1.0) > _UNEQUAL_CYCLES).sum())
    if unequal:
        notes.append(
            f"The heart cycle of {unequal} of {len(covered_ms)} slices is more than 25 % longer or shorter than usual "
            f"({usual_ms:.0f} ms); frames were matched by rank."
        )
    first_ms = float(times_ms[:, 0].mean())
    if first_ms > _LATE_STEPS * float(np.median(steps_ms)):
        notes.append(f"The first frame lies {first_ms:.0f} ms after the R peak; it does not show end diastole.")
    noted = [image.timing.rr_interval_ms for image in cine.images if image.timing.rr_interval_ms is not None]
    last_ms = float(times_ms.mean(axis=0)[-1] - times_ms.mean(axis=0)[0])
    rr_ms = float(np.median(noted)) if noted else 0.0
    if rr_ms <= last_ms:
        why = f"the noted one ({rr_ms:.0f} ms) is shorter than they are" if noted else "none is noted"
        notes.append(f"The heart cycle ({usual_ms:.0f} ms) is taken from the frames' times, as {why}.")
        return last_ms + float(np.median(np.diff(times_ms.mean(axis=0))))
    if usual_ms < _COVERED * rr_ms:
        notes.append(
            f"The frames cover {usual_ms:.0f} ms of a heart cycle of {rr_ms:.0f} ms ({usual_ms / rr_ms:.0%}); the "
            "rest was not imaged."
        )
    n_missing = max(one.n_missing for one in cine.slices)
    if n_missing and not any(one.is_surely_whole for one in cine.slices):
        notes.append(f"The scanner meant to take {n_missing} frames per slice more than there are.")
    return rr_ms
