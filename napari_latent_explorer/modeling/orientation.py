"""Turning a 4-chamber cine the way such pictures are usually looked at, which is how the model has seen them.

Columns go to the patient's left, rows forward and down: the left ventricle lies at the lower right. Only turns by right
angles and mirrors are made, and none is needed for most recordings, so no pixel changes its value.
"""

from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_latent_explorer.data.cine import CineLabels, CineMRI

_COLUMNS_TOWARDS = np.array([1.0, 0.0, 0.0])
_ROWS_TOWARDS = np.array([0.0, -0.57, -0.82])


def turn_to_usual(cine: CineMRI, labels: CineLabels | None) -> tuple[CineMRI, CineLabels | None, str]:
    """Turn a 4-chamber cine (with its labels) to the usual orientation; other planes stay as they are.

    Returns
    -------
    cine, labels
        Turned; the very same objects when nothing had to be done.
    what
        What was done, in words.
    """
    if cine.imaging_plane != "la_4ch":
        return cine, labels, "not turned"
    rows, columns = (cine.affine[:3, axis] / np.linalg.norm(cine.affine[:3, axis]) for axis in (1, 2))
    is_swapped = abs(columns @ _COLUMNS_TOWARDS) + abs(rows @ _ROWS_TOWARDS) < (
        abs(rows @ _COLUMNS_TOWARDS) + abs(columns @ _ROWS_TOWARDS)
    )
    if is_swapped:
        rows, columns = columns, rows
    flips = (bool(rows @ _ROWS_TOWARDS < 0), bool(columns @ _COLUMNS_TOWARDS < 0))
    if not is_swapped and flips == (False, False):
        return cine, labels, "not turned"
    turned = replace(
        cine,
        frames=_turned(cine.frames, is_swapped, flips),
        spacing_mm=(cine.spacing_mm[0], *cine.spacing_mm[:0:-1]) if is_swapped else cine.spacing_mm,
        affine=cine.affine @ _index_change(cine.frames.shape[2:], is_swapped, flips),
    )
    turned_labels = None if labels is None else replace(labels, frames=_turned(labels.frames, is_swapped, flips))
    return turned, turned_labels, "turned by right angles so that columns go to the patient's left and rows forward"


def _turned(frames: NDArray[Any], is_swapped: bool, flips: tuple[bool, bool]) -> NDArray[Any]:
    if is_swapped:
        frames = frames.swapaxes(-1, -2)
    rows, columns = (slice(None, None, -1) if flip else slice(None) for flip in flips)
    return frames[..., rows, columns]


def _index_change(shape: tuple[int, ...], is_swapped: bool, flips: tuple[bool, bool]) -> NDArray[np.float64]:
    """``(4, 4)`` from an index (slice, row, column, 1) of the turned cine to one of the original."""
    change = np.eye(4)
    new_shape = shape[::-1] if is_swapped else shape
    for axis, (flip, n) in enumerate(zip(flips, new_shape, strict=True), start=1):
        if flip:
            change[axis, axis], change[axis, 3] = -1.0, n - 1.0
    return change[[0, 2, 1, 3]] if is_swapped else change
