"""A map of many points on one GL canvas: arrays go in, picks come out as signals.

The hard idea: who is selected must be seen without colour. Points are therefore drawn in three sheets, bottom to top:
those that a filter hides (small and faint), those that are visible, and the selected ones (larger, with an outline);
while anything is selected, the rest steps back. `VispyPointCloud` draws them.
"""

from dataclasses import replace
from typing import Any, Final, Literal, get_args

import numpy as np
from numpy.typing import ArrayLike, NDArray
from psygnal import Signal
from vispy import keys, scene

from napari_latent_explorer._vispy.picking import nearest_point
from napari_latent_explorer._vispy.picture import EMPTY_PICTURE, ScatterColors, ScatterPicture
from napari_latent_explorer._vispy.point_cloud import VispyPointCloud
from napari_latent_explorer._vispy.point_grid import Rectangle

Tool = Literal["lasso", "rectangle", "pan"]
PickMode = Literal["replace", "add", "subtract"]

LEFT, MIDDLE = 1, 3
ZOOM_PER_WHEEL_STEP = 1.2
PICK_RADIUS_PX = 9.0
CLICK_SLOP_PX = 4.0
MOST_POINTS: Final = 60_000
"""Drawn as discs, on a card of which nothing is known: what two processor cores draw in 30 ms."""


class VispyScatter:
    """One map on its own canvas; `native` is the widget that shows it.

    Signals
    -------
    polygon_drawn(polygon, mode)
        A lasso or rectangle was closed: ``(n_vertices, 2)`` in map coordinates and a `PickMode`.
    hovered(row), clicked(row, mode)
        The point under the pointer, or None. Hidden points are never picked.

    Parameters
    ----------
    app
        Name of vispy's application backend; None for the one in use.
    most_points
        How many are drawn as discs; more become a density image.
    """

    polygon_drawn = Signal(np.ndarray, str)
    hovered = Signal(object)
    clicked = Signal(object, str)

    def __init__(self, app: str | None = None, most_points: int = MOST_POINTS) -> None:
        self._canvas = scene.SceneCanvas(keys=None, show=False, app=app)
        self._view = self._canvas.central_widget.add_view()
        # The camera's own mouse handling would pan with the button that draws.
        self._camera = scene.PanZoomCamera(aspect=1, interactive=False)
        self._view.camera = self._camera
        self._picture = EMPTY_PICTURE
        self._colors = ScatterColors()
        self._tool: Tool = "lasso"
        self._path: list[NDArray[np.float64]] = []
        self._press_px: NDArray[np.float64] | None = None
        self._is_drag = False
        self._pan_from: NDArray[np.float64] | None = None
        self._hovered_row: int | None = None
        self._cloud = VispyPointCloud(self._canvas, self._view, most_points)
        self._probe = self._add(scene.visuals.Markers(), 10)
        self._lasso = self._add(scene.visuals.Line(width=1.5, antialias=True), 11)
        self._canvas.events.mouse_press.connect(self._on_mouse_press)
        self._canvas.events.mouse_move.connect(self._on_mouse_move)
        self._canvas.events.mouse_release.connect(self._on_mouse_release)
        self._canvas.events.mouse_wheel.connect(self._on_mouse_wheel)
        self._canvas.events.resize.connect(self._on_view_changed)

    def _add(self, visual: Any, order: int) -> Any:
        self._view.add(visual)
        visual.order, visual.visible = order, False
        visual.set_gl_state("translucent", depth_test=False)
        return visual

    @property
    def native(self) -> Any:
        """The widget of the GUI toolkit."""
        return self._canvas.native

    @property
    def tool(self) -> Tool:
        """What dragging with the left button does."""
        return self._tool

    @tool.setter
    def tool(self, tool: Tool) -> None:
        if tool not in get_args(Tool):
            raise ValueError(f"The tool of a map is one of {', '.join(get_args(Tool))}, not {tool!r}.")
        self._tool = tool

    @property
    def picture(self) -> ScatterPicture:
        """What is shown."""
        return self._picture

    @property
    def view_rect(self) -> tuple[float, float, float, float]:
        """Left, bottom, width and height of what is in view, in map coordinates."""
        rect = self._camera.rect
        return (rect.left, rect.bottom, rect.width, rect.height)

    @view_rect.setter
    def view_rect(self, rect: tuple[float, float, float, float]) -> None:
        self._camera.rect = rect
        self._on_view_changed()

    @property
    def is_at_rest(self) -> bool:
        """Whether all is drawn: no density image is being painted."""
        return not self._cloud.is_painting

    @property
    def has_density_image(self) -> bool:
        """Whether some of the points are shown as a density image."""
        return self._cloud.has_image

    def show_all(self) -> None:
        """Bring all points into view, with a margin of 4 %."""
        grid = self._cloud.grid
        if grid.n_placed == 0:
            return
        bounds = grid.bounds
        low, high = np.array([bounds.left, bounds.bottom]), np.array([bounds.right, bounds.top])
        size = np.maximum(high - low, 1e-6)
        left, bottom = low - 0.04 * size
        width, height = 1.08 * size
        self.view_rect = (float(left), float(bottom), float(width), float(height))

    def draw(self, picture: ScatterPicture, colors: ScatterColors | None = None) -> None:
        """Show a picture, in other surrounding colours if given."""
        self._picture = picture
        self._colors = colors or self._colors
        self._canvas.bgcolor = self._colors.background
        self._cloud.draw(picture, self._colors)
        self.move_probe(picture.probe)

    def move_probe(self, point: NDArray[np.floating] | None) -> None:
        """Put the probe's marker, a ring with a cross, at a place ``(2,)``, or take it away."""
        self._picture = replace(self._picture, probe=point)
        self._probe.visible = point is not None
        if point is not None:
            background = self._colors.background
            self._probe.set_data(
                np.repeat(np.asarray(point, np.float32)[None], 3, axis=0),
                size=np.array([20.0, 17.0, 11.0]),
                edge_width=np.array([5.0, 2.0, 1.0]),
                edge_color=np.array([background, self._colors.outline, background]),
                face_color=np.array([(0, 0, 0, 0), (0, 0, 0, 0), self._colors.outline]),
                symbol=["disc", "disc", "cross"],
            )
        self._canvas.update()

    def to_canvas_px(self, coordinates: ArrayLike) -> NDArray[np.float64]:
        """Pixel positions ``(n, 2)`` on the canvas, from its top left, of places ``(n, 2)`` on the map."""
        transform = self._view.scene.node_transform(self._canvas.scene)
        mapped: NDArray[np.float64] = transform.map(np.asarray(coordinates, np.float64))[:, :2]
        return mapped

    def to_map(self, canvas_px: ArrayLike) -> NDArray[np.float64]:
        """Place ``(2,)`` on the map of a pixel of the canvas."""
        transform = self._view.scene.node_transform(self._canvas.scene)
        place: NDArray[np.float64] = transform.imap(np.asarray(canvas_px, np.float64))[:2]
        return place

    def close(self) -> None:
        """Let go of the GL context."""
        self._cloud.close()
        self._canvas.close()

    def _row_at(self, canvas_px: ArrayLike) -> int | None:
        here = self.to_map(canvas_px)
        radius = float(np.abs(self.to_map(np.add(canvas_px, (PICK_RADIUS_PX, 0.0))) - here).max())
        rows = self._cloud.grid.rows_near(Rectangle(*(here - radius).tolist(), *(here + radius).tolist()))
        return nearest_point(self._picture.coordinates, here, rows[self._picture.visible[rows]], radius)

    def _on_view_changed(self, event: Any = None) -> None:
        width, height = self._canvas.size
        left, top = self.to_map((0.0, 0.0)).tolist()
        right, bottom = self.to_map((width, height)).tolist()
        if right > left and top > bottom:
            self._cloud.look(Rectangle(left, bottom, right, top), width)

    def _on_mouse_wheel(self, event: Any) -> None:
        self._camera.zoom(ZOOM_PER_WHEEL_STEP ** -float(event.delta[1]), self.to_map(event.pos[:2]))
        self._on_view_changed()

    def _on_mouse_press(self, event: Any) -> None:
        if event.button == MIDDLE or (event.button == LEFT and self._tool == "pan"):
            self._pan_from = self.to_map(event.pos[:2])
        if event.button == LEFT:
            self._press_px = np.asarray(event.pos[:2], np.float64)
            self._is_drag = False
            self._path = [self.to_map(event.pos[:2])]

    def _on_mouse_move(self, event: Any) -> None:
        if self._pan_from is not None:
            self._camera.pan(self._pan_from - self.to_map(event.pos[:2]))
            self._on_view_changed()
        if self._press_px is None:
            if self._pan_from is None:
                self._hover(event.pos[:2])
            return
        # A lasso may end where it began: a drag is whatever has once left the place of the press.
        self._is_drag |= bool(np.abs(np.asarray(event.pos[:2]) - self._press_px).max() > CLICK_SLOP_PX)
        if self._is_drag and self._tool != "pan":
            self._extend_path(self.to_map(event.pos[:2]))

    def _hover(self, canvas_px: ArrayLike) -> None:
        row = self._row_at(canvas_px)
        if row != self._hovered_row:
            self._hovered_row = row
            self.hovered.emit(row)

    def _extend_path(self, place: NDArray[np.float64]) -> None:
        if self._tool == "lasso":
            self._path.append(place)
        else:
            start = self._path[0]
            self._path = [start, np.array([place[0], start[1]]), place, np.array([start[0], place[1]])]
        outline = np.array([*self._path, self._path[0]], np.float32)
        self._lasso.set_data(outline, color=self._colors.outline)
        self._lasso.visible = True
        self._canvas.update()

    def _on_mouse_release(self, event: Any) -> None:
        self._on_mouse_move(event)  # the last stretch: Qt may leave out the move before a release
        self._pan_from = None
        if event.button != LEFT or self._press_px is None:
            return
        path, self._path, self._press_px = self._path, [], None
        self._lasso.visible = False
        self._canvas.update()
        mode = _mode_of(event.modifiers)
        if not self._is_drag:
            self.clicked.emit(self._row_at(event.pos[:2]), mode)
        elif self._tool != "pan" and len(path) >= 3:
            self.polygon_drawn.emit(np.array(path), mode)


def _mode_of(modifiers: Any) -> PickMode:
    if keys.SHIFT in modifiers:
        return "add"
    return "subtract" if keys.ALT in modifiers or keys.CONTROL in modifiers else "replace"
