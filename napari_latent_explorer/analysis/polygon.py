"""Which points of a map lie inside a drawn polygon.

The hard idea: an even-odd test of every point against every edge costs points x edges. With the points of the polygon's
bounding box sorted by y, an edge only meets the slice of points between its two ends, so each point is touched once per
edge that crosses its height: a handful, however many vertices a lasso has.
"""

import numpy as np
from numpy.typing import ArrayLike, NDArray


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
    if len(vertices) < 3:
        return inside
    low, high = vertices.min(axis=0), vertices.max(axis=0)
    in_box = np.all((coordinates >= low) & (coordinates <= high), axis=1)
    rows = np.flatnonzero(in_box)
    rows = rows[np.argsort(coordinates[rows, 1])]
    inside[rows] = _is_odd(coordinates[rows].astype(np.float64), vertices)
    return inside


def _is_odd(sorted_points: NDArray[np.float64], vertices: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Whether a ray to the right of each point, the points sorted by y, crosses an odd number of edges."""
    x, y = sorted_points[:, 0], sorted_points[:, 1]
    odd = np.zeros(len(x), np.bool_)
    for (x0, y0), (x1, y1) in zip(vertices, np.roll(vertices, -1, axis=0), strict=True):
        if y0 == y1:
            continue
        first, last = np.searchsorted(y, sorted((y0, y1)), side="left")
        crossing = x0 + (y[first:last] - y0) * ((x1 - x0) / (y1 - y0))
        odd[first:last] ^= x[first:last] < crossing
    return odd
