"""Bringing a label map to the grid of its cine by their places in the patient, exactly or not at all.

Two files of one grid may store its axes in another order or direction. Then the step from one index to the other is a
permutation with signs, and the labels can be turned over without touching a value. Anything else (another spacing, a
shift of half a pixel, a crop) would need interpolation, which invents borders: it is refused.

Where there is one slice only, the length and sign of the step to the next one mean nothing and are not compared.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_latent_explorer.data.cine import CineMRI
from napari_latent_explorer.errors import RecordingError

Floats = NDArray[np.float64]

_MAX_MISMATCH = 0.1
"""In steps of the grid, at the worst corner."""


@dataclass(frozen=True, slots=True, eq=False)
class Grid:
    """Pixels in the patient.

    Attributes
    ----------
    affine
        ``(4, 4)`` index ``(slice, row, column, 1)`` to patient mm (LPS).
    shape
        Number of slices, rows and columns.
    source
        Whose grid it is, for people.
    """

    affine: Floats
    shape: tuple[int, ...]
    source: str

    @classmethod
    def of(cls, cine: CineMRI) -> "Grid":
        """Grid of a cine."""
        return cls(cine.affine, cine.frames.shape[1:], cine.source)


def on_grid(grid: Grid, values: NDArray[Any], affine: Floats, file: object) -> NDArray[Any]:
    """Values of another file in the order of axes of a grid.

    Parameters
    ----------
    grid
        What is wanted.
    values
        ``(n_frames, n_slices, n_rows, n_columns)`` in that file's own order.
    affine
        ``(4, 4)`` its index ``(slice, row, column, 1)`` to patient mm (LPS).
    file
        Its name, for the error.

    Raises
    ------
    RecordingError
        When the grids are not the same pixels of the patient.
    """
    shape = values.shape[1:]
    to_grid = np.linalg.solve(_comparable(grid.affine, grid.shape), _comparable(affine, shape))
    order = _axes_of(to_grid[:3, :3])
    if order is None or tuple(shape[axis] for axis in order) != grid.shape:
        raise _elsewhere(grid, shape, affine, file)
    signs = [1 if to_grid[row, axis] > 0 else -1 for row, axis in enumerate(order)]
    exact = np.zeros((4, 4))
    exact[3, 3] = 1.0
    for row, (axis, sign) in enumerate(zip(order, signs, strict=True)):
        exact[row, [axis, 3]] = sign, 0 if sign > 0 else grid.shape[row] - 1
    corners = np.array([[*corner, 1] for corner in np.ndindex(2, 2, 2)]) * [*(n - 1 for n in shape), 1]
    if np.abs(corners @ (to_grid - exact).T).max() > _MAX_MISMATCH:
        raise _elsewhere(grid, shape, affine, file)
    moved = values.transpose(0, *(1 + axis for axis in order))
    return moved[(slice(None), *(slice(None, None, sign) for sign in signs))]


def _comparable(affine: Floats, shape: tuple[int, ...]) -> Floats:
    """Affine with the one axis of length 1, if there is just one, made the unit normal of the others."""
    single = [axis for axis, n in enumerate(shape) if n == 1]
    if len(single) != 1:
        return affine
    first, second = (axis for axis in range(3) if axis != single[0])
    normal = np.cross(affine[:3, first], affine[:3, second])
    changed = affine.copy()
    changed[:3, single[0]] = normal / np.linalg.norm(normal)
    return changed


def _axes_of(matrix: NDArray[np.floating[Any]]) -> tuple[int, ...] | None:
    """Axis of the other file along which each axis of the grid runs; None when they are askew."""
    order = tuple(int(axis) for axis in np.abs(matrix).argmax(axis=1))
    return order if sorted(order) == [0, 1, 2] else None


def _elsewhere(grid: Grid, shape: tuple[int, ...], affine: Floats, file: object) -> RecordingError:
    return RecordingError(
        f"{file} does not lie on the grid of {grid.source}: it has {_described(shape, affine)}, the other "
        f"{_described(grid.shape, grid.affine)} (slice x row x column, LPS). Nothing is interpolated: resample it onto "
        "that grid, labels by nearest neighbour."
    )


def _described(shape: tuple[int, ...], affine: Floats) -> str:
    steps_mm = " x ".join(f"{step:.3g}" for step in np.linalg.norm(affine[:3, :3], axis=0))
    return f"{' x '.join(map(str, shape))} pixels of {steps_mm} mm from {np.round(affine[:3, 3], 1).tolist()}"
