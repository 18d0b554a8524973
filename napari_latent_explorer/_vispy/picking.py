"""Which point of a cloud a person means: the one under the pointer."""

import numpy as np
from numpy.typing import ArrayLike, NDArray


def nearest_point(
    coordinates: NDArray[np.floating], position: ArrayLike, rows: NDArray[np.integer], radius: float
) -> int | None:
    """Row of the candidate nearest to a position, or None when none is within the radius.

    Parameters
    ----------
    coordinates
        ``(n_points, 2)``.
    position
        ``(2,)`` in the same units.
    rows
        ``(n_candidates,)`` rows of the points that may be picked; all have a place.
    radius
        Largest distance.
    """
    if len(rows) == 0:
        return None
    squared = np.square(coordinates[rows] - np.asarray(position, np.float64)).sum(axis=1)
    nearest = int(np.argmin(squared))
    return int(rows[nearest]) if squared[nearest] <= radius**2 else None
