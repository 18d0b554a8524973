"""A button that opens a list to tick: some of many names, in little room.

The list stays open while it is being ticked, and says what is ticked when it closes.
"""

from collections.abc import Mapping, Sequence

from qtpy.QtCore import Qt, Signal
from qtpy.QtWidgets import QListWidget, QListWidgetItem, QMenu, QSizePolicy, QToolButton, QWidget, QWidgetAction

from napari_latent_explorer._qt.theme import DARK, Theme, tool_button_style

MOST_LINES = 12


class QtTickMenu(QToolButton):
    """The button.

    Parameters
    ----------
    title
        Before the names of what is ticked, e.g. ``Adjusted for``.
    nothing
        In the place of names while nothing is ticked.
    parent
        Qt parent.
    """

    ticked = Signal(tuple)
    """Names of all that are ticked now; when the list closes, if they are others than before."""

    def __init__(self, title: str, nothing: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._title, self._nothing = title, nothing
        self._names: dict[str, str] = {}
        self._ticked: tuple[str, ...] = ()
        self.list = QListWidget(self)
        self.list.setAccessibleName(title)
        action = QWidgetAction(self)
        action.setDefaultWidget(self.list)
        menu = QMenu(self)
        menu.addAction(action)
        menu.aboutToShow.connect(self._on_menu_about_to_show)
        menu.aboutToHide.connect(self._on_menu_about_to_hide)
        self.setMenu(menu)
        self.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        self.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextOnly)
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        self.set_theme(DARK)
        self._write()

    def set_theme(self, theme: Theme) -> None:
        """Take other colours."""
        self.setStyleSheet(f"{tool_button_style(theme)} QToolButton::menu-indicator {{ image: none; }}")

    def set_names(self, names: Mapping[str, str]) -> None:
        """Offer these, each with its words."""
        if dict(names) != self._names:
            self._names = dict(names)
            self._write()

    @property
    def names(self) -> tuple[str, ...]:
        """What is offered."""
        return tuple(self._names)

    def set_ticked(self, names: Sequence[str]) -> None:
        """Show these as ticked."""
        self._ticked = tuple(names)
        self._write()

    def _write(self) -> None:
        words = ", ".join(self._names.get(name, name) for name in self._ticked) or self._nothing
        text = f"{self._title} {words}"
        self.setText(f"{text.replace('&', '&&')} ▾")
        self.setAccessibleDescription(text)

    def _on_menu_about_to_show(self) -> None:
        self.list.clear()
        for name, words in self._names.items():
            item = QListWidgetItem(words, self.list)
            item.setData(Qt.ItemDataRole.UserRole, name)
            item.setFlags(Qt.ItemFlag.ItemIsEnabled | Qt.ItemFlag.ItemIsUserCheckable | Qt.ItemFlag.ItemIsSelectable)
            item.setCheckState(Qt.CheckState.Checked if name in self._ticked else Qt.CheckState.Unchecked)
        height = max(1, self.list.sizeHintForRow(0)) * min(MOST_LINES, max(1, len(self._names))) + 6
        self.list.setFixedSize(max(200, self.list.sizeHintForColumn(0) + 30), height)

    def _on_menu_about_to_hide(self) -> None:
        items = [self.list.item(row) for row in range(self.list.count())]
        checked = Qt.CheckState.Checked
        names = tuple(str(item.data(Qt.ItemDataRole.UserRole)) for item in items if item.checkState() == checked)
        if names != self._ticked:
            self.set_ticked(names)
            self.ticked.emit(names)
