"""What dragging on a map does, what colours it, and a word on how to read it."""

from qtpy.QtCore import Qt, Signal
from qtpy.QtGui import QCursor, QKeySequence, QShortcut
from qtpy.QtWidgets import QButtonGroup, QHBoxLayout, QLabel, QMenu, QToolButton, QToolTip, QVBoxLayout, QWidget

from napari_latent_explorer._qt.color_by import QtColorByCombo
from napari_latent_explorer._qt.map_kind import QtMapKindCombo
from napari_latent_explorer._qt.theme import DARK, Theme, tool_button_style
from napari_latent_explorer.session.explorer import Explorer

TOOLS = {
    "lasso": ("Lasso", "L", "Draw around points to select them. Shift adds to the selection, Alt or Ctrl takes away."),
    "rectangle": ("Rectangle", "R", "Drag a rectangle to select. Shift adds to the selection, Alt or Ctrl takes away."),
    "pan": ("Pan", "P", "Drag to move the map. The wheel zooms and the middle button pans with every tool."),
}


class QtMapTools(QWidget):
    """Lasso, rectangle or pan; show all; the joint map; kind of map; colour by.

    Parameters
    ----------
    explorer
        The session.
    parent
        The dock, in which the shortcuts hold.
    """

    tool_chosen = Signal(str)
    show_all_requested = Signal()
    joint_toggled = Signal(bool)

    def __init__(self, explorer: Explorer, parent: QWidget) -> None:
        super().__init__(parent)
        self._explanation = ""
        layout = QHBoxLayout()
        layout.setSpacing(3)
        self._group = QButtonGroup(self)
        self.buttons = {tool: self._add_tool(tool, layout, parent) for tool in TOOLS}
        self.buttons["lasso"].setChecked(True)
        fit = self._add_button("Fit", "Bring all points into view", layout)
        fit.clicked.connect(self.show_all_requested)
        self.save = self._add_button("Save ▾", "Save the maps as a figure; also on the right mouse button", layout)
        self.save.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        layout.addStretch(1)
        self.joint = self._add_button("Joint", "Show a third map, of MRI and ECG together", layout)
        self.joint.setCheckable(True)
        self.joint.toggled.connect(self.joint_toggled)
        explain = self._add_button("?", "How to read these maps", layout)
        explain.clicked.connect(lambda: QToolTip.showText(QCursor.pos(), self._explanation, self))
        self._explain = explain
        self.kinds = QtMapKindCombo(explorer, self)
        coloring = QHBoxLayout()
        coloring.addWidget(self.kinds)
        coloring.addWidget(QLabel("Colour", self))
        coloring.addWidget(QtColorByCombo(explorer, self), 1)
        rows = QVBoxLayout(self)
        rows.setContentsMargins(0, 0, 0, 0)
        rows.setSpacing(6)
        rows.addLayout(layout)
        rows.addLayout(coloring)
        self.set_theme(DARK)

    def set_theme(self, theme: Theme) -> None:
        """Take other colours."""
        self.setStyleSheet(tool_button_style(theme) + "QToolButton::menu-indicator { image: none; }")

    def set_save_menu(self, menu: QMenu) -> None:
        """Offer these ways to save the maps."""
        self.save.setMenu(menu)

    def set_explanation(self, words: str) -> None:
        """Set what is said of the maps."""
        self._explanation = words
        self._explain.setToolTip(words)

    def _add_tool(self, tool: str, layout: QHBoxLayout, dock: QWidget) -> QToolButton:
        name, key, words = TOOLS[tool]
        button = self._add_button(name, f"{words}  [{key}]", layout)
        button.setCheckable(True)
        button.toggled.connect(lambda is_on: self.tool_chosen.emit(tool) if is_on else None)
        self._group.addButton(button)
        shortcut = QShortcut(QKeySequence(key), dock)
        shortcut.setContext(Qt.ShortcutContext.WidgetWithChildrenShortcut)
        shortcut.activated.connect(lambda: button.setChecked(True))
        return button

    def _add_button(self, name: str, tool_tip: str, layout: QHBoxLayout) -> QToolButton:
        button = QToolButton(self)
        button.setText(name)
        button.setToolTip(tool_tip)
        button.setAccessibleName(name)
        layout.addWidget(button)
        return button
