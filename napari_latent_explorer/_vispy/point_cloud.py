"""The points of a map: as discs where they are few, as a density image where they are many.

The hard idea: between two frames there is no time for a million points. So only what has changed goes to the card (see
`PointSheetVisual`), a view that moves within what is drawn sends nothing, and a density image is painted a few
milliseconds at a time while the former one stays in view. One is painted to its end before the next begins: dropping
those that are no longer current would show none while the view moves.
"""

import time
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from vispy import gloo, scene
from vispy.app import Timer

from napari_latent_explorer._vispy.density import DensitySheet, paint_density
from napari_latent_explorer._vispy.draw_plan import HIDDEN, PLAIN, SELECTED, DrawPlan, plan_drawing
from napari_latent_explorer._vispy.picture import (
    EMPTY_PICTURE,
    HIDDEN_ALPHA,
    PLAIN_ALPHA,
    STEPPED_BACK_ALPHA,
    ScatterColors,
    ScatterPicture,
)
from napari_latent_explorer._vispy.point_grid import PointGrid, Rectangle
from napari_latent_explorer._vispy.point_sheet import PointSheet

if TYPE_CHECKING:
    from collections.abc import Generator

HIDDEN_IMAGE_ALPHA = 2.0 * HIDDEN_ALPHA
SECONDS_PER_TICK = 0.006
"""How long the density image is painted before the window may do something else."""
NO_PLACES, NO_COLORS = np.zeros((1, 2), np.float32), np.zeros((1, 4), np.float32)
"""Of a buffer that nothing is drawn from; vispy has no empty ones."""
NO_ROWS, NO_IMAGE = np.zeros(0, np.uint32), np.zeros((1, 1, 4), np.uint8)


class VispyPointCloud:
    """The points of one map on one canvas.

    Parameters
    ----------
    canvas, view
        Where they are drawn.
    most_points
        How many are drawn as discs.
    """

    def __init__(self, canvas: Any, view: Any, most_points: int) -> None:
        self.most_points = most_points
        self._canvas = canvas
        self._picture, self._colors = EMPTY_PICTURE, ScatterColors()
        self._grid = PointGrid(EMPTY_PICTURE.coordinates)
        self._kinds = np.empty(0, np.uint8)
        self._view: tuple[Rectangle, float] | None = None
        self._shown: DrawPlan | None = None
        self._painting: tuple[DrawPlan, Generator[None, None, NDArray[np.uint8]]] | None = None
        self._timer = Timer(0.0, connect=self._on_tick, start=False, app=canvas.app)
        self._places, self._point_colors = gloo.VertexBuffer(NO_PLACES), gloo.VertexBuffer(NO_COLORS)
        sizes_px = ((3.0, 0.0), (5.0, 0.0), (8.5, 1.0))
        self._sheets = [PointSheet(self._places, self._point_colors, *sizes) for sizes in sizes_px]
        self._image = scene.visuals.Image(NO_IMAGE, interpolation="linear", method="subdivide")
        self._image.transform = scene.STTransform()
        # The image comes multiplied by its opacity, so that its pixels may be interpolated.
        self._image.set_gl_state("translucent", depth_test=False, blend_func=("one", "one_minus_src_alpha"))
        for order, node in enumerate([self._image, *self._sheets]):
            view.add(node)
            node.order, node.visible = order, False

    @property
    def grid(self) -> PointGrid:
        """The points by their place."""
        return self._grid

    @property
    def is_painting(self) -> bool:
        """Whether a density image is being made; what is seen meanwhile is what was seen before."""
        return self._painting is not None

    @property
    def has_image(self) -> bool:
        """Whether a part of what is seen is a density image."""
        return bool(self._image.visible)

    def draw(self, picture: ScatterPicture, colors: ScatterColors) -> None:
        """Show other points; what is the same as before is not sent again."""
        former, self._picture, self._colors = self._picture, picture, colors
        if picture.coordinates is not former.coordinates:
            self._stop_painting()
            self._grid = PointGrid(picture.coordinates)
            places = np.nan_to_num(picture.coordinates.astype(np.float32))
            self._places.set_data(places if len(places) else NO_PLACES)
        if not _is_same(picture.rgba, former.rgba):
            self._point_colors.set_data(picture.rgba.astype(np.float32) if len(picture.rgba) else NO_COLORS)
        if not (_is_same(picture.visible, former.visible) and _is_same(picture.selected, former.selected)):
            kinds = np.where(picture.selected, np.uint8(SELECTED), np.uint8(PLAIN))
            self._kinds = np.where(picture.visible, kinds, np.uint8(HIDDEN))
        self._shown = None
        self._refresh()

    def look(self, view: Rectangle, width_px: float) -> None:
        """Show what belongs into a view that is so many logical pixels wide."""
        self._view = (view, width_px / view.width)
        self._refresh()

    def close(self) -> None:
        """Stop painting, for good."""
        self._stop_painting()
        self._timer.disconnect()

    def _refresh(self) -> None:
        """Draw what belongs into the view, unless it is there or an image is being painted."""
        if self._view is None or self._painting is not None:
            return
        if self._shown is not None and self._shown.suffices_for(*self._view):
            return
        self._shown = plan = plan_drawing(self._grid, self._kinds, *self._view, self.most_points)
        if plan.n_image_sheets == 0:
            self._show(plan, None)
            return
        points = (self._picture.coordinates, self._picture.rgba, self._kinds, plan.image_rows)
        sheets = self._density_sheets()[: plan.n_image_sheets]
        self._painting = (plan, paint_density(*points, sheets, plan.image_area, plan.image_shape))
        self._timer.start()

    def _density_sheets(self) -> tuple[DensitySheet, ...]:
        return (
            DensitySheet(HIDDEN, HIDDEN_IMAGE_ALPHA, self._colors.hidden),
            DensitySheet(PLAIN, self._plain_alpha),
            DensitySheet(SELECTED, 1.0),
        )

    @property
    def _plain_alpha(self) -> float:
        return STEPPED_BACK_ALPHA if self._picture.selected.any() else PLAIN_ALPHA

    def _on_tick(self, event: Any) -> None:
        """Paint for some milliseconds."""
        if self._painting is None:
            return
        plan, painting = self._painting
        until = time.perf_counter() + SECONDS_PER_TICK
        try:
            while time.perf_counter() < until:
                next(painting)
        except StopIteration as end:
            self._stop_painting()
            self._show(plan, end.value)
            self._refresh()

    def _stop_painting(self) -> None:
        self._timer.stop()
        self._painting = None

    def _show(self, plan: DrawPlan, image: NDArray[np.uint8] | None) -> None:
        self._image.visible = image is not None
        if image is not None:
            self._image.set_data(image)
            self._image.transform.scale = plan.unit_per_pixel
            self._image.transform.translate = (plan.image_area.left, plan.image_area.bottom)
        self._show_discs(plan)
        self._canvas.update()

    def _show_discs(self, plan: DrawPlan) -> None:
        rows = [NO_ROWS] * plan.n_image_sheets + list(plan.rows)
        opacities, faces = (1.0, self._plain_alpha, 1.0), (self._colors.hidden, None, None)
        for sheet, rows_of_sheet, opacity, face in zip(self._sheets, rows, opacities, faces, strict=True):
            sheet.visible = len(rows_of_sheet) > 0
            if sheet.visible:
                sheet.set_colors(self._colors.outline, opacity, face)
                sheet.show_rows(rows_of_sheet)


def _is_same(one: NDArray[Any], other: NDArray[Any]) -> bool:
    return one is other or np.array_equal(one, other)
