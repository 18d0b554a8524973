"""What of a map is drawn as discs, and what as a density image.

The hard idea: what can be drawn one by one is a budget, and it is spent from the top: first the selected, then the
visible, then those that a filter hides. The first sheet for which it does not suffice, and all below, become one image.
With more points than the budget only those in view and a margin around it are looked at; so whoever comes near enough
sees points again.
"""

import math
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from napari_latent_explorer._vispy.point_grid import PointGrid, Rectangle

HIDDEN, PLAIN, SELECTED = range(3)
"""Kinds of points: the sheets in which they are drawn, from bottom to top."""
N_SHEETS: Final = 3
MARGIN: Final = 0.25
"""Beside the view, as a share of its size, that is drawn too."""
PIXEL_PX: Final = 2.0
"""Size of a pixel of the density image, in logical pixels of the screen."""
EVERYWHERE = Rectangle(-math.inf, -math.inf, math.inf, math.inf)


@dataclass(frozen=True, slots=True, eq=False)
class DrawPlan:
    """What is drawn how.

    Attributes
    ----------
    area
        Views within it need no other plan.
    px_per_unit
        Magnification for which it was made.
    n_image_sheets
        How many sheets, from the bottom, are in the image.
    rows
        For each other sheet the rows of its points in the area.
    image_area, image_rows, image_shape
        What the image covers, the points to look at for it, and its number of pixels up and across.
    """

    area: Rectangle
    px_per_unit: float
    n_image_sheets: int
    rows: tuple[NDArray[np.uint32], ...]
    image_area: Rectangle
    image_rows: NDArray[np.uint32]
    image_shape: tuple[int, int]

    def suffices_for(self, view: Rectangle, px_per_unit: float) -> bool:
        """Whether the same is to be drawn for another view."""
        has_right_pixels = self.n_image_sheets == 0 or math.isclose(px_per_unit, self.px_per_unit, rel_tol=1e-3)
        return has_right_pixels and self.area.holds(view)

    @property
    def unit_per_pixel(self) -> tuple[float, float]:
        """Width and height of a pixel of the image on the map."""
        up, across = self.image_shape
        return self.image_area.width / across, self.image_area.height / up


def plan_drawing(
    grid: PointGrid, kinds: NDArray[np.uint8], view: Rectangle, px_per_unit: float, most_points: int
) -> DrawPlan:
    """Decide what is drawn how.

    Parameters
    ----------
    grid
        The points by their place.
    kinds
        ``(n_points,)`` in which sheet each is.
    view
        What is in view.
    px_per_unit
        Logical pixels of the screen per unit of the map.
    most_points
        How many may be drawn as discs.
    """
    everything, area = grid.bounds.grown(0.01), view.grown(MARGIN)
    if grid.n_placed <= most_points or area.holds(everything):
        area = EVERYWHERE
    image_area = area.common_with(everything)
    rows = grid.rows_near(image_area)
    kinds = kinds[rows]
    budget, n_image_sheets = most_points, N_SHEETS
    while n_image_sheets:
        budget -= int(np.count_nonzero(kinds == n_image_sheets - 1))
        if budget < 0:
            break
        n_image_sheets -= 1
    as_points = tuple(rows[kinds == kind] for kind in range(n_image_sheets, N_SHEETS))
    up, across = (max(1, math.ceil(size * px_per_unit / PIXEL_PX)) for size in (image_area.height, image_area.width))
    return DrawPlan(area, px_per_unit, n_image_sheets, as_points, image_area, rows, (up, across))
