"""How many participants are selected, and what can be done with them."""

from qtpy.QtCore import Qt
from qtpy.QtGui import QKeySequence, QShortcut
from qtpy.QtWidgets import QHBoxLayout, QLabel, QPushButton, QSizePolicy, QWidget

from napari_latent_explorer._qt.excluded_list import QtExcludedList
from napari_latent_explorer._qt.exclusion_reason import QtExclusionReason
from napari_latent_explorer._qt.listening import listen
from napari_latent_explorer._qt.numbers import format_count
from napari_latent_explorer.session.explorer import Explorer
from napari_latent_explorer.session.view_state import ViewState


class QtSelectionBar(QWidget):
    """Make a group of the selected, leave them out, or select nobody.

    Parameters
    ----------
    explorer
        The session.
    parent
        The dock, in which Escape clears the selection.
    """

    def __init__(self, explorer: Explorer, parent: QWidget) -> None:
        super().__init__(parent)
        self._explorer = explorer
        self._count = QLabel(self)
        self._count.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        self.new_group = self._button("New group", "Make a group of the selected participants")
        self.exclude = self._button(
            "Exclude …", "Leave the selected participants out of everything, e.g. for bad scans"
        )
        self.clear = self._button("Clear", "Select nobody  [Esc]")
        self.clear.setObjectName("clearSelection")
        self.excluded = self._button("Excluded", "Who is excluded and why, and the way back")
        self.new_group.clicked.connect(lambda: explorer.create_group())
        self.exclude.clicked.connect(lambda: QtExclusionReason(explorer, explorer.selection.tolist(), self).open())
        self.clear.clicked.connect(explorer.clear_selection)
        self.excluded.clicked.connect(lambda: QtExcludedList(explorer, self).show())
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(4)
        layout.addWidget(self._count, 1)
        for button in (self.excluded, self.new_group, self.exclude, self.clear):
            layout.addWidget(button)
        escape = QShortcut(QKeySequence("Escape"), parent)
        escape.setContext(Qt.ShortcutContext.WidgetWithChildrenShortcut)
        escape.activated.connect(self.clear.click)
        listen(self, explorer.view_state_changed, self.synchronize)
        self.synchronize(explorer.view_state)

    def _button(self, name: str, tool_tip: str) -> QPushButton:
        button = QPushButton(name, self)
        button.setToolTip(tool_tip)
        return button

    def synchronize(self, state: ViewState) -> None:
        """Show the session's selection."""
        has_selection = state.n_selected > 0
        self._count.setText(f"{format_count(state.n_selected)} selected" if has_selection else "Nobody selected")
        self._count.setToolTip("Draw on a map to select participants")
        for button in (self.new_group, self.exclude, self.clear):
            button.setEnabled(has_selection)
        n_excluded = len(self._explorer.excluded)
        self.excluded.setText(f"{format_count(n_excluded)} excluded")
        self.excluded.setVisible(n_excluded > 0)
