"""Cine MRI from DICOM files, by geometry and trigger time; file names and typed descriptions decide nothing.

| what | how |
|---|---|
| one cine | images of one SeriesInstanceUID with one orientation and one size |
| slices | positions along the slice normal (`ImagePositionPatient`; `SliceLocation` can be wrong by half) |
| frames | rank of `TriggerTime` within each slice, because the heart rate differs from slice to slice |
| heart cycle | median of `NominalInterval`, else `HeartRate`, else the spacing of the trigger times |
| signal | `RescaleSlope` and `RescaleIntercept` applied |
| imaging plane | guessed from the normal (`imaging_plane.py`), or given |

Refused with a reason: images without trigger time (scouts), enhanced multi-frame files, slices at uneven steps,
frames that are missing or occur twice, damaged files.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from napari_latent_explorer.data.cine import CineMRI, ImagingPlane
from napari_latent_explorer.errors import RecordingError
from napari_latent_explorer.io.dicom_image import (
    DicomImage,
    NotMrImageError,
    has_dicom_mark,
    read_image_facts,
    read_signal,
)
from napari_latent_explorer.io.imaging_plane import guess_imaging_plane

_SAME_SLICE_MM = 0.1
_SAME_DIRECTION = 0.01
_UNEVEN_MM = 0.5
_MISSING_FRAME_STEPS = 1.6
_MAX_CINE_BYTES = 4 << 30
_DICOM_SUFFIXES = (".dcm", ".ima")


@dataclass(frozen=True, slots=True, eq=False)
class DicomSeries:
    """Images that belong to one acquisition: same series, orientation and size.

    Attributes
    ----------
    key
        How it is chosen: its SeriesInstanceUID, with ``#2`` and so on where one series holds several orientations.
    images
        Its images, in no order.
    """

    key: str
    images: tuple[DicomImage, ...]

    @property
    def is_cine(self) -> bool:
        """Whether all images are gated and there are several of them."""
        times = {image.trigger_time_ms for image in self.images}
        return None not in times and len(times) > 1

    @property
    def summary(self) -> str:
        """What it is, in one line for people."""
        first = self.images[0]
        kind = "cine" if self.is_cine else "no cine: no trigger times"
        plane = guess_imaging_plane(first.normal)
        text = f"{len(self.images)} images of {first.n_rows} x {first.n_columns}, plane {plane}, {kind}"
        return f"{self.key} ({first.series_description or 'no description'}: {text})"


def read_cine_dicom(path: str | Path, series: str | None = None, imaging_plane: ImagingPlane | None = None) -> CineMRI:
    """Read one cine from a folder of DICOM files (searched with its subfolders), or the one that a file belongs to.

    Parameters
    ----------
    path
        Folder, or one file of the series.
    series
        SeriesInstanceUID or series description of the cine, when the folder holds several.
    imaging_plane
        What the slices show, when the guess from their geometry is to be overruled.

    Raises
    ------
    RecordingError
        When there is no cine, there are several to choose from, or files are damaged or missing.
    """
    place = Path(path)
    return _assemble(_choose(list_series(place), place, series), place, imaging_plane)


def list_series(path: str | Path) -> tuple[DicomSeries, ...]:
    """All acquisitions among the DICOM files at `path`, cine or not.

    Raises
    ------
    RecordingError
        When there is no DICOM image, or one of them is damaged.
    """
    place = Path(path)
    groups: list[list[DicomImage]] = []
    others: list[NotMrImageError] = []
    for file in _dicom_files(place):
        try:
            image = read_image_facts(file)
        except NotMrImageError as other:
            others.append(other)
            continue
        group = next((images for images in groups if _belongs(image, images[0])), None)
        if group is None:
            groups.append([image])
        else:
            group.append(image)
    if not groups:
        raise others[0]
    return _with_keys(groups)


def _belongs(image: DicomImage, first: DicomImage) -> bool:
    return (
        image.series_uid == first.series_uid
        and (image.n_rows, image.n_columns) == (first.n_rows, first.n_columns)
        and bool(np.abs(image.row_direction - first.row_direction).max() < _SAME_DIRECTION)
        and bool(np.abs(image.column_direction - first.column_direction).max() < _SAME_DIRECTION)
    )


def _dicom_files(place: Path) -> list[Path]:
    if not place.exists():
        raise RecordingError(f"There is no {place}. Give a folder of DICOM files, or one of the files.")
    inside = place.parent.glob("*") if place.is_file() else place.rglob("*")
    candidates = sorted(file for file in inside if file.is_file() and not file.name.startswith("."))
    files = [file for file in candidates if has_dicom_mark(file) and file.name != "DICOMDIR"]
    for file in candidates:
        if file.suffix.lower() in _DICOM_SUFFIXES and not has_dicom_mark(file):
            raise RecordingError(
                f"{file} is named like a DICOM file but is none ({file.stat().st_size} bytes). Copy or export the "
                "series again, or move that file elsewhere."
            )
    if not files:
        raise RecordingError(f"{place} holds no DICOM file ({len(candidates)} other files). Choose another folder.")
    return files


def _with_keys(groups: Sequence[Sequence[DicomImage]]) -> tuple[DicomSeries, ...]:
    n_seen: dict[str, int] = defaultdict(int)
    series = []
    for images in groups:
        uid = images[0].series_uid
        n_seen[uid] += 1
        series.append(DicomSeries(uid if n_seen[uid] == 1 else f"{uid}#{n_seen[uid]}", tuple(images)))
    return tuple(series)


def _choose(found: Sequence[DicomSeries], place: Path, series: str | None) -> DicomSeries:
    chosen = [one for one in found if one.is_cine]
    if place.is_file():
        chosen = [one for one in chosen if any(image.path == place for image in one.images)]
    if series is not None:
        chosen = [one for one in chosen if series in (one.key, one.images[0].series_description)]
    listing = "\n  ".join(one.summary for one in found)
    if not chosen:
        wanted = "no cine" if series is None else f"no cine {series!r}"
        raise RecordingError(
            f"There is {wanted} in {place}. A cine has a TriggerTime in each image and several of them per slice; "
            f"scouts and stills have none. Found:\n  {listing}"
        )
    if len(chosen) > 1:
        raise RecordingError(
            f"There are {len(chosen)} cines in {place}; say which one with `series` (its UID or description), or open "
            f"one of its files. Found:\n  {listing}"
        )
    return chosen[0]


def _assemble(series: DicomSeries, place: Path, imaging_plane: ImagingPlane | None) -> CineMRI:
    grid = _grid(series, place)
    first = grid[0][0]
    times_ms = np.array([[image.trigger_time_ms for image in images] for images in grid])  # (slice, frame)
    n_bytes = times_ms.size * first.n_rows * first.n_columns * 4
    if n_bytes > _MAX_CINE_BYTES:
        raise RecordingError(f"The cine in {place} would take {n_bytes / 1e9:.1f} GB; at most 4.3 GB are read.")
    frame_times_ms = times_ms.mean(axis=0)
    signal = np.stack([np.stack([read_signal(image) for image in images]) for images in grid], axis=1)
    affine, step_mm = _affine(grid, place)
    return CineMRI(
        frames=signal,
        spacing_mm=(step_mm, *first.spacing_mm),
        frame_times_ms=frame_times_ms,
        affine=affine,
        imaging_plane=imaging_plane or guess_imaging_plane(first.normal),
        rr_interval_ms=_rr_interval_ms(series, frame_times_ms),
        source=str(place),
    )


def _grid(series: DicomSeries, place: Path) -> list[list[DicomImage]]:
    """Images as ``[slice][frame]``: slices along the normal, frames by trigger time."""
    normal = series.images[0].normal
    along_mm = np.array([image.position_mm @ normal for image in series.images])
    order = np.argsort(along_mm, kind="stable")
    starts = np.flatnonzero(np.diff(along_mm[order]) > _SAME_SLICE_MM) + 1
    grid = [
        sorted((series.images[index] for index in rows), key=lambda image: image.trigger_time_ms or 0.0)
        for rows in np.split(order, starts)
    ]
    counts = [len(images) for images in grid]
    if len(set(counts)) > 1:
        raise RecordingError(
            f"The slices of the cine in {place} have different numbers of frames: {counts} (along the normal). Files "
            "are missing or belong to several acquisitions; export the series again."
        )
    for images in grid:
        _refuse_gaps(images)
    return grid


def _refuse_gaps(images: Sequence[DicomImage]) -> None:
    times_ms = np.array([image.trigger_time_ms for image in images], dtype=np.float64)
    steps_ms = np.diff(times_ms)
    if len(steps_ms) == 0:
        raise RecordingError(f"The slice of {images[0].path} has a single frame; a cine has several.")
    if steps_ms.min() <= 0:
        index = int(steps_ms.argmin())
        raise RecordingError(
            f"{images[index].path} and {images[index + 1].path} show the same slice at the same trigger time "
            f"({times_ms[index]:g} ms). Remove the repeated acquisition."
        )
    index = int(steps_ms.argmax())
    if steps_ms[index] > _MISSING_FRAME_STEPS * np.median(steps_ms):
        raise RecordingError(
            f"Frames are missing between {images[index].path} ({times_ms[index]:g} ms) and {images[index + 1].path} "
            f"({times_ms[index + 1]:g} ms); the others are {np.median(steps_ms):g} ms apart. Export the series again."
        )


def _affine(grid: Sequence[Sequence[DicomImage]], place: Path) -> tuple[NDArray[np.float64], float]:
    first = grid[0][0]
    positions = np.array([images[0].position_mm for images in grid])  # (slice, xyz)
    step = first.normal * first.thickness_mm
    if len(positions) > 1:
        step = (positions[-1] - positions[0]) / (len(positions) - 1)
        expected = positions[0] + np.arange(len(positions))[:, None] * step
        if np.abs(positions - expected).max() > _UNEVEN_MM:
            along_mm = np.round(positions @ first.normal, 1).tolist()
            raise RecordingError(
                f"The slices of the cine in {place} do not lie at even steps: {along_mm} mm along their normal. A "
                "slice is missing or belongs to another stack; choose the files of one stack."
            )
    affine = np.eye(4)
    affine[:3, 0] = step
    affine[:3, 1] = first.column_direction * first.spacing_mm[0]
    affine[:3, 2] = first.row_direction * first.spacing_mm[1]
    affine[:3, 3] = positions[0]
    return affine, float(np.linalg.norm(step))


def _rr_interval_ms(series: DicomSeries, frame_times_ms: NDArray[np.float64]) -> float:
    noted = [image.rr_interval_ms for image in series.images if image.rr_interval_ms is not None]
    if noted and np.median(noted) > frame_times_ms[-1] - frame_times_ms[0]:
        return float(np.median(noted))
    return float(frame_times_ms[-1] - frame_times_ms[0] + np.median(np.diff(frame_times_ms)))
