"""The filters in words, each with a cross that takes it away."""

from collections.abc import Callable

from qtpy.QtCore import Qt
from qtpy.QtWidgets import QToolButton, QWidget
from superqt import QFlowLayout

from napari_latent_explorer._qt.listening import listen
from napari_latent_explorer._qt.numbers import format_count
from napari_latent_explorer._qt.theme import DARK, Theme
from napari_latent_explorer.session.explorer import Explorer

MAX_CHIP_PX = 250


class QtFilterChips(QWidget):
    """One button per filter, and one that takes all away.

    Parameters
    ----------
    explorer
        Whose filters they are.
    parent
        Qt parent.
    """

    def __init__(self, explorer: Explorer, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._explorer = explorer
        self._chips: list[QToolButton] = []
        self._flow = QFlowLayout(self)
        self._flow.setContentsMargins(0, 0, 0, 0)
        self._flow.setSpacing(4)
        self.set_theme(DARK)
        listen(self, explorer.filters_changed, self.synchronize)
        listen(self, explorer.study_changed, self.synchronize)
        self.synchronize()

    @property
    def chips(self) -> tuple[QToolButton, ...]:
        """The buttons shown, in the order of the filters; the last clears all."""
        return tuple(self._chips)

    def set_theme(self, theme: Theme) -> None:
        """Take other colours."""
        rule = "QToolButton#{} {{ padding: 2px 8px; border-radius: 9px; {} }}"
        chip = f"background: {theme.panel}; border: 1px solid {theme.accent}; color: {theme.text};"
        clear = f"background: transparent; border: none; color: {theme.accent};"
        self.setStyleSheet(rule.format("chip", chip) + rule.format("clear", clear))

    def synchronize(self) -> None:
        """Show the explorer's filters."""
        for chip in self._chips:
            self._flow.removeWidget(chip)
            chip.hide()
            chip.deleteLater()
        self._chips = []
        cohort = self._explorer.cohort
        if cohort is not None:
            for chosen in self._explorer.filters:
                words = chosen.describe(cohort.specs)
                n_passing = format_count(self._explorer.view_state.n_passing[chosen.key])
                tool_tip = f"{words}\n{n_passing} participants pass this filter. Click to remove it."
                chip = self._add_chip(f"{words}  ({n_passing})", tool_tip)
                chip.clicked.connect(_remover(self._explorer, chosen.key))
        if self._chips:
            clear = self._add_chip("Clear all", "Remove all filters")
            clear.clicked.connect(self._explorer.clear_filters)
        self.setVisible(bool(self._chips))

    def _add_chip(self, words: str, tool_tip: str) -> QToolButton:
        chip = QToolButton(self)
        is_clear = words == "Clear all"
        text = chip.fontMetrics().elidedText(words, Qt.TextElideMode.ElideRight, MAX_CHIP_PX)
        chip.setText(text if is_clear else f"{text}  ✕")
        chip.setToolTip(tool_tip)
        chip.setAccessibleName(words if is_clear else f"Remove filter {words}")
        chip.setObjectName("clear" if is_clear else "chip")
        self._flow.addWidget(chip)
        chip.show()
        self._chips.append(chip)
        return chip


def _remover(explorer: Explorer, key: str) -> Callable[[], None]:
    return lambda: explorer.remove_filter(key)
