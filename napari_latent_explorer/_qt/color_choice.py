"""Choosing a colour: first those that most colour-blind people tell apart, then any other."""

from qtpy.QtCore import Signal
from qtpy.QtGui import QColor
from qtpy.QtWidgets import QColorDialog, QGridLayout, QMenu, QToolButton, QWidget, QWidgetAction

from napari_latent_explorer._qt.theme import to_qcolor, to_rgba
from napari_latent_explorer.session.coloring import CATEGORY_COLORS
from napari_latent_explorer.session.groups import RGBA

N_COLUMNS = 8
SWATCH_PX = 22
_NAMES = ("orange", "sky blue", "bluish green", "reddish purple", "yellow", "vermilion", "blue")
"""Of Okabe and Ito's colours, in the order of the palette."""


class QtColorMenu(QMenu):
    """The palette, and a way to all other colours.

    Parameters
    ----------
    parent
        Under which it opens.
    """

    color_chosen = Signal(tuple)
    """Red, green, blue and alpha in 0..1."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.swatches: list[QToolButton] = []
        grid = QWidget(self)
        layout = QGridLayout(grid)
        layout.setContentsMargins(6, 6, 6, 4)
        layout.setSpacing(4)
        for number, color in enumerate(CATEGORY_COLORS):
            layout.addWidget(self._swatch(grid, number, color), number // N_COLUMNS, number % N_COLUMNS)
        palette = QWidgetAction(self)
        palette.setDefaultWidget(grid)
        self.addAction(palette)
        other = self.addAction("Other colour …")
        if other is not None:
            other.triggered.connect(self._ask)

    def _swatch(self, parent: QWidget, number: int, color: RGBA) -> QToolButton:
        code = to_qcolor(color).name()
        name = _NAMES[number] if number < len(_NAMES) else code
        swatch = QToolButton(parent)
        swatch.setFixedSize(SWATCH_PX, SWATCH_PX)
        swatch.setStyleSheet(
            f"QToolButton {{ background: {code}; border: 1px solid gray; border-radius: 4px; }}"
            "QToolButton:hover, QToolButton:focus { border: 2px solid white; }"
        )
        swatch.setToolTip(name)
        swatch.setAccessibleName(name)
        swatch.clicked.connect(lambda: self._choose(color))
        self.swatches.append(swatch)
        return swatch

    def _choose(self, color: RGBA) -> None:
        self.close()
        self.color_chosen.emit(color)

    def _ask(self) -> None:
        dialog = QColorDialog(self.parentWidget())
        dialog.setOption(QColorDialog.ColorDialogOption.DontUseNativeDialog)
        for number, color in enumerate(CATEGORY_COLORS):
            QColorDialog.setCustomColor(number, to_qcolor(color))
        dialog.colorSelected.connect(self._on_color_selected)
        dialog.finished.connect(dialog.deleteLater)
        dialog.open()

    def _on_color_selected(self, color: QColor) -> None:
        self.color_chosen.emit(to_rgba(color))
