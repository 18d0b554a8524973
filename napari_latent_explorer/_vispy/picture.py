"""All that a map shows, as values."""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

Color = tuple[float, float, float, float]
"""Red, green, blue and alpha in 0..1."""

HIDDEN_ALPHA: Final = 0.16
PLAIN_ALPHA: Final = 0.9
STEPPED_BACK_ALPHA: Final = 0.4
"""Of the visible points while some are selected."""


@dataclass(frozen=True, slots=True, eq=False)
class ScatterPicture:
    """All that a map shows.

    Attributes
    ----------
    coordinates
        ``(n_points, 2)``; NaN for a point that has no place on this map.
    rgba
        ``(n_points, 4)`` in 0..1.
    visible
        Mask ``(n_points,)`` of the points that pass the filters.
    selected
        Mask ``(n_points,)``.
    probe
        ``(2,)`` place of the probed vector, or None.
    """

    coordinates: NDArray[np.floating]
    rgba: NDArray[np.floating]
    visible: NDArray[np.bool_]
    selected: NDArray[np.bool_]
    probe: NDArray[np.floating] | None = None

    @property
    def has_place(self) -> NDArray[np.bool_]:
        """Mask ``(n_points,)`` of the points with finite coordinates."""
        mask: NDArray[np.bool_] = np.isfinite(self.coordinates).all(axis=1)
        return mask


EMPTY_PICTURE = ScatterPicture(np.empty((0, 2)), np.empty((0, 4)), np.empty(0, np.bool_), np.empty(0, np.bool_))


@dataclass(frozen=True, slots=True)
class ScatterColors:
    """Colours of a map that do not come from the data."""

    background: Color = (0.0, 0.0, 0.0, 1.0)
    outline: Color = (1.0, 1.0, 1.0, 1.0)
    hidden: Color = (0.6, 0.6, 0.6, HIDDEN_ALPHA)
