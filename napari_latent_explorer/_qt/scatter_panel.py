"""One map in a panel: a title and the GL canvas.

The hard idea: a GL canvas that Qt moves into another top-level window goes blank, because its context stays behind, and
whatever it still draws there is an error. Qt hides a canvas before it moves it. So a hidden canvas draws nothing, and
one that comes back in another window, because its dock was floated, docked again or put together with others, is
replaced by a new one with the same picture and view.
"""

import numpy as np
import qtpy
from numpy.typing import NDArray
from qtpy.QtCore import QEvent, QObject, QTimer, Signal
from qtpy.QtWidgets import QLabel, QSizePolicy, QVBoxLayout, QWidget

from napari_latent_explorer._qt.theme import DARK, Theme, small_font, to_rgba
from napari_latent_explorer._vispy.picture import HIDDEN_ALPHA, ScatterColors, ScatterPicture
from napari_latent_explorer._vispy.scatter import Tool, VispyScatter

MIN_CANVAS_PX = 140


class QtScatterPanel(QWidget):
    """A `VispyScatter` that survives being moved between windows.

    Parameters
    ----------
    title
        What the map shows.
    parent
        Qt parent.
    """

    polygon_drawn = Signal(object, str)
    hovered = Signal(object)
    clicked = Signal(object, str)

    def __init__(self, title: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._title = QLabel(title, self)
        self._title.setFont(small_font(self, 1.0, is_bold=True))
        self._title.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        self._theme = DARK
        self._window_of_canvas: int | None = None  # its id: the window itself would be kept alive
        self._layout = QVBoxLayout(self)
        self._layout.setContentsMargins(0, 0, 0, 0)
        self._layout.setSpacing(3)
        self._layout.addWidget(self._title)
        self._scatter = self._make_canvas()
        self._layout.addWidget(self._scatter.native, 1)

    @property
    def scatter(self) -> VispyScatter:
        """The canvas of now; another one after the dock was floated."""
        return self._scatter

    @property
    def title(self) -> str:
        """What the map shows."""
        return str(self._title.text())

    def set_title(self, title: str, tool_tip: str) -> None:
        """Say what the map shows."""
        self._title.setText(title)
        self._title.setToolTip(tool_tip)

    def set_theme(self, theme: Theme) -> None:
        """Redraw in other colours."""
        self._theme = theme
        self._scatter.draw(self._scatter.picture, _canvas_colors(theme))

    def set_tool(self, tool: Tool) -> None:
        """Choose what dragging does."""
        self._scatter.tool = tool

    def draw(self, picture: ScatterPicture) -> None:
        """Show a picture."""
        self._scatter.draw(picture, _canvas_colors(self._theme))

    def move_probe(self, point: NDArray[np.floating] | None) -> None:
        """Put the probe's marker at a place ``(2,)`` of the map, or take it away."""
        self._scatter.move_probe(point)

    def show_all(self) -> None:
        """Bring all points into view."""
        self._scatter.show_all()

    def rebuild(self) -> None:
        """Put a new canvas with the same picture in the place of the old one."""
        old = self._scatter
        new = self._make_canvas(old.most_points)
        new.tool = old.tool
        new.draw(old.picture, _canvas_colors(self._theme))
        new.view_rect = old.view_rect
        self._layout.replaceWidget(old.native, new.native)
        self._scatter = new
        old.close()
        old.native.deleteLater()

    def close_canvas(self) -> None:
        """Let go of the GL context; the panel is of no use afterwards."""
        self._scatter.close()
        self._scatter.native.deleteLater()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Hear when the pointer leaves the canvas, and when the canvas goes out of sight and comes back."""
        if watched is self._scatter.native:
            if event.type() in (QEvent.Type.Leave, QEvent.Type.Hide):
                self._scatter.leave()
            if event.type() == QEvent.Type.Hide:
                self._scatter.is_paused = True
            elif event.type() == QEvent.Type.Show:
                QTimer.singleShot(0, self._on_canvas_shown)
        return bool(super().eventFilter(watched, event))

    def _on_canvas_shown(self) -> None:
        former, self._window_of_canvas = self._window_of_canvas, int(self.window().winId())
        if former not in (None, self._window_of_canvas):
            self.rebuild()  # vispy lets Qt handle events when it closes the old one, so that this may come again
        self._scatter.is_paused = False

    def _make_canvas(self, most_points: int | None = None) -> VispyScatter:
        scatter = VispyScatter(qtpy.API_NAME.lower(), most_points)
        scatter.native.setParent(self)
        scatter.native.setMinimumSize(MIN_CANVAS_PX, MIN_CANVAS_PX)
        scatter.native.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        scatter.native.setAccessibleName(self._title.text())
        scatter.native.installEventFilter(self)
        scatter.polygon_drawn.connect(lambda polygon, mode: self.polygon_drawn.emit(polygon, mode))
        scatter.hovered.connect(lambda row: self.hovered.emit(row))
        scatter.clicked.connect(lambda row, mode: self.clicked.emit(row, mode))
        return scatter


def _canvas_colors(theme: Theme) -> ScatterColors:
    background, outline, hidden = theme.color("panel"), theme.color("text"), theme.color("muted", HIDDEN_ALPHA)
    return ScatterColors(to_rgba(background), to_rgba(outline), to_rgba(hidden))
