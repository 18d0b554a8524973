"""Which points are in a part of a map, without looking at all of them.

The hard idea: points sorted by the cell of a 256 x 256 grid in which they lie are, for one row of cells, one stretch of
the sorted rows. So whoever is inside a rectangle is at most 256 stretches, found without a look at any point.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

N_CELLS = 256
"""Along each side; all cells together have a number of 16 bits, which numpy sorts by radix, ten times as fast."""


@dataclass(frozen=True, slots=True)
class Rectangle:
    """A part of a map, in its coordinates."""

    left: float
    bottom: float
    right: float
    top: float

    @property
    def width(self) -> float:
        """From left to right."""
        return self.right - self.left

    @property
    def height(self) -> float:
        """From bottom to top."""
        return self.top - self.bottom

    def grown(self, share: float) -> "Rectangle":
        """Return the same with a margin on each side, a share of its width and height."""
        across, up = share * self.width, share * self.height
        return Rectangle(self.left - across, self.bottom - up, self.right + across, self.top + up)

    def common_with(self, other: "Rectangle") -> "Rectangle":
        """Return the part that is in the other too, without size where there is none."""
        left, bottom = max(self.left, other.left), max(self.bottom, other.bottom)
        return Rectangle(left, bottom, max(left, min(self.right, other.right)), max(bottom, min(self.top, other.top)))

    def holds(self, other: "Rectangle") -> bool:
        """Whether the other one is inside."""
        is_across = self.left <= other.left and other.right <= self.right
        return is_across and self.bottom <= other.bottom and other.top <= self.top


class PointGrid:
    """Points by their place.

    Parameters
    ----------
    coordinates
        ``(n_points, 2)``; points with NaN are nowhere.
    """

    def __init__(self, coordinates: NDArray[np.floating]) -> None:
        self._coordinates = coordinates
        placed = np.flatnonzero(np.isfinite(coordinates).all(axis=1)).astype(np.uint32)
        places = coordinates if len(placed) == len(coordinates) else coordinates[placed]
        self._low = places.min(axis=0).astype(np.float64) if len(places) else np.zeros(2)
        size = places.max(axis=0) - self._low if len(places) else np.ones(2)
        self._per_unit = (N_CELLS - 1) / np.maximum(size, 1e-12)
        columns, rows = (places - self._low.astype(places.dtype)).T * self._per_unit[:, None].astype(places.dtype)
        cells = rows.astype(np.uint16) * np.uint16(N_CELLS) + columns.astype(np.uint16)
        self._rows = placed[np.argsort(cells, kind="stable")]
        self._starts = np.concatenate([[0], np.cumsum(np.bincount(cells, minlength=N_CELLS**2))])

    @cached_property
    def bounds(self) -> Rectangle:
        """Smallest rectangle around all points that have a place."""
        high = self._low + (N_CELLS - 1) / self._per_unit
        return Rectangle(*self._low.tolist(), *high.tolist())

    @property
    def n_placed(self) -> int:
        """How many points have a place."""
        return len(self._rows)

    def rows_near(self, area: Rectangle) -> NDArray[np.uint32]:
        """Rows of all points in an area and of some beside it, sorted by their place, from bottom to top."""
        stretches = self._stretches(area)
        if stretches is None:
            return self._rows[:0]
        first, end = stretches
        if np.array_equal(first[1:], end[:-1]):
            return self._rows[first[0] : end[-1]]
        return np.concatenate([self._rows[a:b] for a, b in zip(first.tolist(), end.tolist(), strict=True)])

    def _stretches(self, area: Rectangle) -> tuple[NDArray[np.int64], NDArray[np.int64]] | None:
        corners = np.array([[area.left, area.bottom], [area.right, area.top]])
        cells = np.floor((corners - self._low) * self._per_unit + np.array([[-1e-3], [1e-3]]))
        if (cells[1] < 0).any() or (cells[0] >= N_CELLS).any():
            return None
        (left, bottom), (right, top) = np.clip(cells, 0, N_CELLS - 1).astype(np.intp).tolist()
        lines = np.arange(bottom, top + 1) * N_CELLS
        return self._starts[lines + left], self._starts[lines + right + 1]
