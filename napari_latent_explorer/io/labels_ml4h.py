"""Labels of a 4-chamber cine in an ml4h HDF5 file: ``<series>_annotated_<i>``, one array per frame, *i* from 1.

ml4h paints each map into the top left of a square of 256 x 256, whatever the size of the cine; what lies beyond the
cine must be blank. Frames without a map, or with a blank one, are not labelled.
"""

import re
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_latent_explorer.data.cine import LA_4CH_CLASSES, CineLabels, CineMRI
from napari_latent_explorer.errors import RecordingError
from napari_latent_explorer.io.hdf5_numbers import opened_hdf5, read_numbers
from napari_latent_explorer.io.ml4h_layout import MRI_GROUP, group_names, same_visit, tensors_of

_ANNOTATED = re.compile(r"(?P<series>.+?)(?:_(?P<author>jamesp))?_annotated_(?P<frame>[0-9]{1,4})", re.ASCII)
_MAX_LABEL_BYTES = 16 << 20


def is_label_name(name: str) -> bool:
    """Whether a name below the group of MRI is one of labels."""
    return _ANNOTATED.fullmatch(name) is not None


def labelled_series(root: Any) -> frozenset[str]:
    """Series of which there are labels."""
    names = group_names(root, MRI_GROUP)
    return frozenset(known["series"] for name in names if (known := _ANNOTATED.fullmatch(name)))


def read_labels_ml4h(path: str | Path, cine: CineMRI) -> CineLabels:
    """Read the labels of a 4-chamber cine, which may itself come from another file.

    Warnings
    --------
    The file does not say where its labels lie in the patient; row and column are taken to be those of the cine, as they
    are for the DICOM files that ml4h was given.

    Raises
    ------
    RecordingError
        When there are none, or they do not fit the cine.
    """
    with opened_hdf5(Path(path)) as root:
        known = sorted(labelled_series(root))
        wanted = [series for series in known if series.endswith("_lax_4ch")]
        if not wanted:
            raise RecordingError(
                f"{path} holds no labels of a 4-chamber cine; labelled are: {', '.join(known) or 'none'}."
            )
        return read_series_labels(root, wanted[0], None, cine)


def read_series_labels(root: Any, series: str, visit: tuple[int, int] | None, cine: CineMRI) -> CineLabels:
    """Read the labels of one series of an open file; of a visit, where the layout tells visits apart."""
    n_frames, n_slices, n_rows, n_columns = cine.frames.shape
    frames = np.zeros(cine.frames.shape, dtype=np.uint8)
    labelled = []
    for number, name in _annotated_frames(root, series).items():
        tensors = tensors_of(root, MRI_GROUP, name)
        tensor = tensors[0] if tensors and visit is None else same_visit(tensors, visit or (0, 0))
        if tensor is None:
            continue
        values = read_numbers(tensor.dataset, _MAX_LABEL_BYTES)
        if number >= n_frames or n_slices != 1 or values.ndim != 2 or not _fits(values, n_rows, n_columns):
            raise RecordingError(
                f"{tensor.key} in {root.file.filename} does not fit the cine: labels of {values.shape} for frame "
                f"{number + 1}, the cine has {n_frames} frames of {n_rows} x {n_columns} (and blank beyond)."
            )
        inside = values[:n_rows, :n_columns]
        if not np.isin(inside, list(LA_4CH_CLASSES)).all():
            raise RecordingError(f"{tensor.key} in {root.file.filename} holds other numbers than 0 to 15.")
        frames[number, 0] = inside
        labelled += [number] if inside.any() else []
    if not labelled:
        raise RecordingError(f"Nothing is labelled in {root.file.filename}: its labels of {series} are blank.")
    return CineLabels(frames, LA_4CH_CLASSES, tuple(sorted(labelled)))


def _fits(values: NDArray[Any], n_rows: int, n_columns: int) -> bool:
    is_large_enough = values.shape[0] >= n_rows and values.shape[1] >= n_columns
    return is_large_enough and not values[n_rows:].any() and not values[:, n_columns:].any()


def _annotated_frames(root: Any, series: str) -> dict[int, str]:
    """Name of the labels of each frame, from 0; those that name no author where there are several."""
    found = [known for name in group_names(root, MRI_GROUP) if (known := _ANNOTATED.fullmatch(name))]
    named = sorted((known for known in found if known["series"] == series), key=lambda known: known["author"] is None)
    return {int(known["frame"]) - 1: known.string for known in named if int(known["frame"]) > 0}
