"""One map in a panel: a title and the GL canvas.

The hard idea: a GL canvas that Qt moves into another top-level window goes blank, because its context stays behind. So
the panel keeps the picture and the view, and when its dock is floated or docked again it makes a new canvas from them.
"""

import numpy as np
import qtpy
from numpy.typing import NDArray
from qtpy.QtCore import QTimer, Signal
from qtpy.QtGui import QShowEvent
from qtpy.QtWidgets import QDockWidget, QLabel, QSizePolicy, QVBoxLayout, QWidget

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
        self._dock: QDockWidget | None = None
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
        new = self._make_canvas()
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

    def showEvent(self, event: QShowEvent) -> None:
        """Find the dock around it, to hear when it is floated."""
        super().showEvent(event)
        around: QWidget | None = self.parentWidget()
        while around is not None and not isinstance(around, QDockWidget):
            around = around.parentWidget()
        if around is not None and around is not self._dock:
            self._dock = around
            around.topLevelChanged.connect(self._on_dock_top_level_changed)

    def _on_dock_top_level_changed(self) -> None:
        # After Qt has moved the window: a context made before would stay behind like the old one.
        QTimer.singleShot(0, self.rebuild)

    def _make_canvas(self) -> VispyScatter:
        scatter = VispyScatter(qtpy.API_NAME.lower())
        scatter.native.setParent(self)
        scatter.native.setMinimumSize(MIN_CANVAS_PX, MIN_CANVAS_PX)
        scatter.native.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        scatter.native.setAccessibleName(self._title.text())
        scatter.polygon_drawn.connect(lambda polygon, mode: self.polygon_drawn.emit(polygon, mode))
        scatter.hovered.connect(lambda row: self.hovered.emit(row))
        scatter.clicked.connect(lambda row, mode: self.clicked.emit(row, mode))
        return scatter


def _canvas_colors(theme: Theme) -> ScatterColors:
    background, outline, hidden = theme.color("panel"), theme.color("text"), theme.color("muted", HIDDEN_ALPHA)
    return ScatterColors(to_rgba(background), to_rgba(outline), to_rgba(hidden))
