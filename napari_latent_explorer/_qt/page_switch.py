"""A row of small buttons of which one is down: which page of a panel is shown."""

from collections.abc import Mapping, Sequence

from qtpy.QtCore import Signal
from qtpy.QtWidgets import QButtonGroup, QHBoxLayout, QToolButton, QWidget

from napari_latent_explorer._qt.theme import DARK, Theme, tool_button_style


class QtPageSwitch(QWidget):
    """Hidden while there is nothing to choose; remembers what was chosen last.

    Parameters
    ----------
    pages
        Name of each page, and one sentence on it.
    parent
        Qt parent.
    """

    page_changed = Signal()

    def __init__(self, pages: Mapping[str, str], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._wanted = next(iter(pages))
        self._available: tuple[str, ...] = ()
        self._group = QButtonGroup(self)
        self.buttons: dict[str, QToolButton] = {}
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(2)
        for name, sentence in pages.items():
            button = QToolButton(self)
            button.setText(name)
            button.setCheckable(True)
            button.setToolTip(sentence)
            button.setAccessibleDescription(sentence)
            self._group.addButton(button)
            layout.addWidget(button)
            self.buttons[name] = button
        self.buttons[self._wanted].setChecked(True)
        self._group.buttonClicked.connect(self._on_button_clicked)
        self.set_theme(DARK)
        self.hide()

    @property
    def page(self) -> str:
        """The page to show: the one that was chosen last, or the only one that there is."""
        return self._available[0] if len(self._available) == 1 else self._wanted

    def set_available(self, names: Sequence[str]) -> None:
        """Say which pages have something to show."""
        self._available = tuple(names)
        self.setVisible(len(self._available) > 1)

    def set_theme(self, theme: Theme) -> None:
        """Take other colours."""
        self.setStyleSheet(tool_button_style(theme))

    def _on_button_clicked(self, button: QToolButton) -> None:
        self._wanted = button.text()
        self.page_changed.emit()
