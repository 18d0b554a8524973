"""Which points of a map lie inside a drawn polygon.

The hard idea: an even-odd test of every point against every edge costs points x edges. So a grid is laid over the
polygon, and the cells that no edge comes near are inside or outside as a whole: their points need one look at the grid.
The few points of the other cells are sorted by y, and an edge only meets those between its two ends. Nothing is
approximate: a cell counts as near an edge already when one of its eight neighbours holds a piece of it.
"""

import numpy as np
from numpy.typing import ArrayLike, NDArray

FEWEST_GRIDDED = 4_000
"""Below so many points the grid costs more than it saves."""
BLOCK_POINTS = 65_536
OUTSIDE, INSIDE, NEAR_EDGE = 0, 1, 2


def points_in_polygon(coordinates: NDArray[np.floating], polygon: ArrayLike) -> NDArray[np.bool_]:
    """Tell which points lie inside a closed polygon, by the even-odd rule.

    Parameters
    ----------
    coordinates
        ``(n_points, 2)``; points with NaN are outside.
    polygon
        ``(n_vertices, 2)``; the last vertex is joined to the first. Fewer than three enclose nothing.

    Returns
    -------
    NDArray
        Mask ``(n_points,)``.
    """
    vertices = np.asarray(polygon, np.float64)
    inside = np.zeros(len(coordinates), np.bool_)
    if len(vertices) < 3 or not np.isfinite(vertices).all() or np.ptp(vertices, axis=0).min() == 0.0:
        return inside
    low, high = vertices.min(axis=0), vertices.max(axis=0)
    if len(coordinates) < FEWEST_GRIDDED:
        uncertain = np.flatnonzero(np.all((coordinates >= low) & (coordinates <= high), axis=1))
    else:
        places = _cells(coordinates, vertices)
        inside = places == INSIDE
        uncertain = np.flatnonzero(places == NEAR_EDGE)
    uncertain = uncertain[np.argsort(coordinates[uncertain, 1])]
    inside[uncertain] = _is_odd(coordinates[uncertain].astype(np.float64), vertices)
    return inside


def _is_odd(sorted_points: NDArray[np.float64], vertices: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Whether a ray to the right of each point, the points sorted by y, crosses an odd number of edges."""
    x, y = sorted_points[:, 0], sorted_points[:, 1]
    odd = np.zeros(len(x), np.bool_)
    ends = np.roll(vertices, -1, axis=0)
    between = np.searchsorted(y, np.sort([vertices[:, 1], ends[:, 1]], axis=0))
    for (x0, y0), (x1, y1), first, last in zip(vertices, ends, *between.tolist(), strict=True):
        if first < last:
            crossing = x0 + (y[first:last] - y0) * ((x1 - x0) / (y1 - y0))
            odd[first:last] ^= x[first:last] < crossing
    return odd


def _cells(coordinates: NDArray[np.floating], vertices: NDArray[np.float64]) -> NDArray[np.uint8]:
    """Kind of the cell of each point ``(n_points,)``; a point without a place is in the outermost ring of cells."""
    n_cells = int(np.clip(np.sqrt(len(coordinates)) / 2, 32, 512))
    low, high = vertices.min(axis=0), vertices.max(axis=0)
    per_unit = (n_cells - 1) / (high - low)  # all of the polygon falls into the cells 1 to n_cells
    grid = _grid((vertices - low) * per_unit + 1.0, n_cells).ravel()
    kinds = np.empty(len(coordinates), np.uint8)
    for start in range(0, len(coordinates), BLOCK_POINTS):
        places = (coordinates[start : start + BLOCK_POINTS].astype(np.float64) - low) * per_unit + 1.0
        cells = np.fmin(np.fmax(places, 0.0, out=places), n_cells + 1.0, out=places).astype(np.intp)
        kinds[start : start + BLOCK_POINTS] = grid[cells[:, 1] * (n_cells + 2) + cells[:, 0]]
    return kinds


def _grid(vertices: NDArray[np.float64], n_cells: int) -> NDArray[np.uint8]:
    """Kind of each cell ``(row, column)`` of a grid with a ring around it, for vertices in units of cells."""
    size = n_cells + 2
    ends = np.roll(vertices, -1, axis=0)
    lows, highs = np.sort([vertices[:, 1], ends[:, 1]], axis=0)
    edges, rows = _each(np.ceil(lows - 0.5), np.ceil(highs - 0.5))  # the rows whose middle an edge crosses
    start, step = vertices[edges], (ends - vertices)[edges]
    crossings = start[:, 0] + (rows + 0.5 - start[:, 1]) * (step[:, 0] / step[:, 1])
    columns = np.clip(np.ceil(crossings - 0.5), 0, size - 1).astype(np.intp)  # the first whose middle is beyond
    turns = np.bincount(rows * size + columns, minlength=size * size).reshape(size, size)
    grid = (np.cumsum(turns, axis=1) % 2).astype(np.uint8)
    steps = np.ceil(2.0 * np.abs(ends - vertices).max(axis=1)) + 1.0  # two to a cell, so that no piece is 1 cell away
    edges, numbers = _each(np.zeros(len(steps)), steps)
    cells = (vertices[edges] + (ends - vertices)[edges] * (numbers / steps[edges])[:, None]).astype(np.intp)
    for down in (-1, 0, 1):
        for right in (-1, 0, 1):
            grid[cells[:, 1] + down, cells[:, 0] + right] = NEAR_EDGE
    return grid


def _each(first: NDArray[np.float64], end: NDArray[np.float64]) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """For each whole number from ``first[i]`` up to, not with, ``end[i]``: `i`, and the number."""
    counts = (end - first).astype(np.intp)
    owners = np.repeat(np.arange(len(counts)), counts)
    return owners, np.arange(len(owners)) - np.repeat(np.cumsum(counts) - counts - first.astype(np.intp), counts)
