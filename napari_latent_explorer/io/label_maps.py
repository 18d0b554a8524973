"""Label maps that belong to a cine, from files beside it: class numbers on the cine's own grid.

| file | which frames it labels |
|---|---|
| NIfTI with as many frames as the cine | those that hold any label: a heart without one was not labelled |
| NIfTI with one volume, ``..._frame12_gt`` | the one of its name, counted from 1 |
| NIfTI with one volume, ``..._ED_gt`` | the frame that is equal to the image beside it (``..._ED``), pixel by pixel |
| folder | all its label files, as ACDC, M&Ms and M&Ms-2 lay them out (`case_layout.py`) |
| ml4h HDF5 file | the frames of its `..._annotated_<k>` data sets (`labels_ml4h.py`) |

The grid must be the cine's, in whatever order and direction of axes (`label_grid.py`). What the numbers mean is told by
the layout, or given: a number without a meaning is refused rather than shown as something.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_latent_explorer.data.cine import (
    ACDC_CLASSES,
    LA_4CH_CLASSES,
    MNMS_CLASSES,
    SA_CLASSES,
    CineLabels,
    CineMRI,
)
from napari_latent_explorer.errors import RecordingError
from napari_latent_explorer.io.case_layout import CaseFile, nifti_files_in, parse_case_file
from napari_latent_explorer.io.hdf5_numbers import has_hdf5_mark
from napari_latent_explorer.io.label_grid import Grid, on_grid
from napari_latent_explorer.io.labels_ml4h import read_labels_ml4h
from napari_latent_explorer.io.nifti_header import NiftiHeader, read_nifti_header
from napari_latent_explorer.io.nifti_pixels import read_nifti_pixels

LABEL_SCHEMES: Mapping[str, Mapping[int, str]] = MappingProxyType(
    {"ml4h_la_4ch": LA_4CH_CLASSES, "ml4h_sa": SA_CLASSES, "acdc": ACDC_CLASSES, "mnms": MNMS_CLASSES}
)
"""Known meanings of class numbers, by the name that a user gives."""

_MAX_CLASS = 255


@dataclass(frozen=True, slots=True, eq=False)
class LabelPart:
    """Labels of some frames.

    Attributes
    ----------
    frames
        Their numbers in the cine.
    values
        ``(len(frames), n_slices, n_rows, n_columns)`` class numbers on the cine's grid.
    file
        Where they come from.
    """

    frames: tuple[int, ...]
    values: NDArray[Any]
    file: Path


def read_label_map(
    place: str | Path | Sequence[Path], cine: CineMRI, names: Mapping[int, str] | None = None
) -> CineLabels:
    """Read the labels of a cine.

    Parameters
    ----------
    place
        File, folder of one case, or several files, each with other frames (images of a known layout are passed over).
    cine
        What is labelled.
    names
        What the numbers mean, instead of what the layout says.

    Raises
    ------
    RecordingError
        When a file is damaged or lies on another grid, it is not known which frame it labels or what its numbers mean,
        two files label one frame, or nothing is labelled.
    """
    if isinstance(place, str | Path) and has_hdf5_mark(Path(place)):
        return read_labels_ml4h(place, cine)
    files = _label_files(place, cine)
    known = [parse_case_file(file) for file in files]
    parts = [read_label_part(file, case, cine) for file, case in zip(files, known, strict=True)]
    schemes = [case.names for case in known if case is not None]
    if names is None and not schemes:
        raise RecordingError(
            f"It is not known what the class numbers in {files[0]} mean: its name follows no known layout. Give their "
            f"names, or one of the schemes {', '.join(LABEL_SCHEMES)}."
        )
    return join_labels(parts, cine, names if names is not None else schemes[0])


def read_label_part(file: Path, case: CaseFile | None, cine: CineMRI) -> LabelPart:
    """Read one NIfTI file of labels, whose name says `case`, onto the grid of a cine."""
    header = read_nifti_header(file)
    n_frames = len(cine.frames)
    if header.shape[0] not in (1, n_frames):
        raise RecordingError(
            f"{file} holds labels of {header.shape[0]} frames; the cine {cine.source} has {n_frames}. Give the label "
            "map of that cine."
        )
    values = on_grid(Grid.of(cine), read_nifti_pixels(header), header.affine, file)
    if header.shape[0] == n_frames:
        return LabelPart(tuple(range(n_frames)), values, file)
    return LabelPart((_frame_of(header, case, cine),), values, file)


def join_labels(parts: Sequence[LabelPart], cine: CineMRI, names: Mapping[int, str]) -> CineLabels:
    """Put labels of several files together; blank frames count as not labelled."""
    frames = np.zeros(cine.frames.shape, dtype=np.uint8)
    source: dict[int, Path] = {}
    for part in parts:
        for number, values in zip(part.frames, _class_numbers(part, names), strict=True):
            if not values.any():
                continue
            if number in source:
                raise RecordingError(
                    f"{source[number]} and {part.file} both label frame {number + 1}. Remove one of them."
                )
            source[number] = part.file
            frames[number] = values
    if not source:
        listed = ", ".join(str(part.file) for part in parts[:3])
        raise RecordingError(f"Nothing is labelled in {listed}: all pixels are background. Leave the file out.")
    return CineLabels(frames, names, tuple(sorted(source)))


def _label_files(place: str | Path | Sequence[Path], cine: CineMRI) -> list[Path]:
    if not isinstance(place, str | Path):
        known = [parse_case_file(file) for file in place]
        is_told = any(case is not None and case.is_label for case in known)
        is_image = [is_told and case is not None and not case.is_label for case in known]
        return [file for file, skipped in zip(place, is_image, strict=True) if not skipped]
    path = Path(place)
    if not path.is_dir():
        return [path]
    found = [case for case in map(parse_case_file, nifti_files_in(path)) if case is not None and case.is_label]
    planes = {case.imaging_plane for case in found}
    plane = planes.pop() if cine.imaging_plane == "unknown" and len(planes) == 1 else cine.imaging_plane
    files = [case.path for case in found if case.imaging_plane == plane]
    if not files:
        raise RecordingError(
            f"{path} holds no label files of a known layout for a cine of the plane {cine.imaging_plane} (names end in "
            f"_gt.nii.gz; {len(found)} for other planes). Give the file itself."
        )
    return files


def _class_numbers(part: LabelPart, names: Mapping[int, str]) -> NDArray[np.uint8]:
    values = part.values
    if (
        values.min() < 0
        or values.max() > _MAX_CLASS
        or (values.dtype.kind == "f" and (values != np.floor(values)).any())
    ):
        raise RecordingError(
            f"{part.file} is no label map: its pixels lie between {values.min():g} and {values.max():g}; expected "
            f"whole numbers from 0 to {_MAX_CLASS}."
        )
    numbers = values.astype(np.uint8)
    unknown = sorted(set(np.flatnonzero(np.bincount(numbers.ravel(), minlength=1)).tolist()) - {0, *names})
    if unknown:
        raise RecordingError(
            f"{part.file} holds the class numbers {unknown}, which have no name; known are {dict(names)}. Give the "
            "names of its own scheme."
        )
    return numbers


def _frame_of(header: NiftiHeader, case: CaseFile | None, cine: CineMRI) -> int:
    """Which frame a single volume of labels belongs to."""
    n_frames = len(cine.frames)
    if case is None or case.frame is None:
        raise RecordingError(
            f"{header.path} labels one frame of the {n_frames} of {cine.source}, and its name does not say which; "
            "expected a name such as patient001_frame12_gt.nii.gz."
        )
    if isinstance(case.frame, int):
        if case.frame >= n_frames:
            raise RecordingError(f"{header.path} labels frame {case.frame + 1}; {cine.source} has {n_frames} frames.")
        return case.frame
    return _twin_of(header.path, case.frame, cine)


def _twin_of(label_file: Path, phase: str, cine: CineMRI) -> int:
    image = label_file.with_name(label_file.name.replace("_gt.", "."))
    if image != label_file and image.is_file():
        header = read_nifti_header(image)
        if header.shape[0] == 1:
            volume = on_grid(Grid.of(cine), read_nifti_pixels(header), header.affine, image)[0]
            twins = [number for number, frame in enumerate(cine.frames) if np.array_equal(frame, volume)]
            if twins:
                return twins[0]
    raise RecordingError(
        f"It is not known which frame is the {phase} that {label_file} labels: no frame of {cine.source} is equal to "
        f"{image.name} beside it."
    )
