"""A map of many points on one GL canvas: arrays go in, picks come out as signals.

The hard idea: who is selected must be seen without colour. Points are therefore drawn in three sheets, bottom to top:
those that a filter hides (small and faint), those that are visible, and the selected ones (larger, with an outline);
while anything is selected, the rest steps back.
"""

from dataclasses import dataclass, replace
from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import ArrayLike, NDArray
from psygnal import Signal
from vispy import keys, scene

from napari_latent_explorer._vispy.picking import nearest_point

Tool = Literal["lasso", "rectangle", "pan"]
PickMode = Literal["replace", "add", "subtract"]
Color = tuple[float, float, float, float]

LEFT, MIDDLE = 1, 3
ZOOM_PER_WHEEL_STEP = 1.2
PICK_RADIUS_PX = 9.0
CLICK_SLOP_PX = 4.0
HIDDEN_ALPHA = 0.16
STEPPED_BACK_ALPHA = 0.4


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
    """

    polygon_drawn = Signal(np.ndarray, str)
    hovered = Signal(object)
    clicked = Signal(object, str)

    def __init__(self, app: str | None = None) -> None:
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
        self._sheets = [self._add(scene.visuals.Markers(), order) for order in range(3)]
        self._probe = self._add(scene.visuals.Markers(), 3)
        self._lasso = self._add(scene.visuals.Line(width=1.5, antialias=True), 4)
        for sheet in [*self._sheets, self._probe, self._lasso]:
            sheet.visible = False
        self._canvas.events.mouse_press.connect(self._on_mouse_press)
        self._canvas.events.mouse_move.connect(self._on_mouse_move)
        self._canvas.events.mouse_release.connect(self._on_mouse_release)
        self._canvas.events.mouse_wheel.connect(self._on_mouse_wheel)

    def _add(self, visual: Any, order: int) -> Any:
        self._view.add(visual)
        visual.order = order
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

    def show_all(self) -> None:
        """Bring all points into view, with a margin of 4 %."""
        placed = self._picture.coordinates[self._picture.has_place]
        if len(placed) == 0:
            return
        low, high = placed.min(axis=0), placed.max(axis=0)
        size = np.maximum(high - low, 1e-6)
        left, bottom = low - 0.04 * size
        width, height = 1.08 * size
        self.view_rect = (float(left), float(bottom), float(width), float(height))

    def draw(self, picture: ScatterPicture, colors: ScatterColors | None = None) -> None:
        """Show a picture, in other surrounding colours if given."""
        self._picture = picture
        self._colors = colors or self._colors
        self._canvas.bgcolor = self._colors.background
        self._draw_sheets()
        self.move_probe(picture.probe)

    def _draw_sheets(self) -> None:
        picture, has_place = self._picture, self._picture.has_place
        hidden, plain, selected = self._sheets
        _fill(hidden, picture.coordinates[has_place & ~picture.visible], self._colors.hidden, size=3.0)
        is_plain = has_place & picture.visible & ~picture.selected
        rgba = picture.rgba[is_plain].astype(np.float32)
        rgba[:, 3] *= STEPPED_BACK_ALPHA if picture.selected.any() else 0.9
        _fill(plain, picture.coordinates[is_plain], rgba, size=5.0)
        is_selected = has_place & picture.visible & picture.selected
        _fill(
            selected, picture.coordinates[is_selected], picture.rgba[is_selected], size=7.5, edge=self._colors.outline
        )

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
        self._canvas.close()

    def _row_at(self, canvas_px: ArrayLike) -> int | None:
        here = self.to_map(canvas_px)
        radius = float(np.abs(self.to_map(np.add(canvas_px, (PICK_RADIUS_PX, 0.0))) - here).max())
        return nearest_point(self._picture.coordinates, here, self._picture.visible & self._picture.has_place, radius)

    def _on_mouse_wheel(self, event: Any) -> None:
        self._camera.zoom(ZOOM_PER_WHEEL_STEP ** -float(event.delta[1]), self.to_map(event.pos[:2]))

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


def _fill(
    sheet: Any,
    coordinates: NDArray[np.floating],
    face: NDArray[np.floating] | Color,
    size: float,
    edge: Color | None = None,
) -> None:
    """Put points on a sheet, or blank it when there are none: vispy cannot draw an empty one."""
    sheet.visible = len(coordinates) > 0
    if sheet.visible:
        width = 0.0 if edge is None else 1.0
        sheet.set_data(coordinates.astype(np.float32), size=size, face_color=face, edge_color=edge, edge_width=width)


def _mode_of(modifiers: Any) -> PickMode:
    if keys.SHIFT in modifiers:
        return "add"
    return "subtract" if keys.ALT in modifiers or keys.CONTROL in modifiers else "replace"
