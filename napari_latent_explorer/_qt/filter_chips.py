"""The filters in words, each with a cross that takes it away; they are shortened to the room that there is."""

from collections.abc import Callable

from qtpy.QtCore import Qt
from qtpy.QtGui import QResizeEvent
from qtpy.QtWidgets import QFrame, QScrollArea, QToolButton, QWidget
from superqt import QFlowLayout

from napari_latent_explorer._qt.listening import listen
from napari_latent_explorer._qt.numbers import format_count
from napari_latent_explorer._qt.plain_text import as_plain
from napari_latent_explorer._qt.theme import DARK, Theme
from napari_latent_explorer.session.explorer import Explorer

MAX_CHIP_PX = 250
LEAST_WORDS_PX = 60
ROWS_SHOWN = 3.4
"""Then it scrolls; the piece of a row says so."""


class QtFilterChips(QScrollArea):
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
        self._words: list[tuple[str, str]] = []
        self._inside = QWidget(self)
        self._inside.setObjectName("chips")
        self.setWidget(self._inside)
        self.setWidgetResizable(True)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self._flow = QFlowLayout(self._inside)
        self._flow.setContentsMargins(0, 0, 0, 0)
        self._flow.setSpacing(4)
        self.set_theme(DARK)
        listen(self, explorer.filters_changed, self.synchronize)
        listen(self, explorer.study_changed, self.synchronize)
        self.synchronize()

    @property
    def chips(self) -> tuple[QToolButton, ...]:
        """The buttons shown, in the order of the filters; the last clears all, or, of many, the first."""
        return tuple(self._chips)

    def set_theme(self, theme: Theme) -> None:
        """Take other colours."""
        rule = "QToolButton#{} {{ padding: 2px 8px; border-radius: 9px; {} }}"
        chip = f"background: {theme.panel}; border: 1px solid {theme.accent}; color: {theme.text};"
        clear = f"background: transparent; border: none; color: {theme.accent};"
        ground = "QtFilterChips, QWidget#chips { background: transparent; }"
        self.setStyleSheet(ground + rule.format("chip", chip) + rule.format("clear", clear))

    def synchronize(self) -> None:
        """Show the explorer's filters."""
        for chip in self._chips:
            self._flow.removeWidget(chip)
            chip.hide()
            chip.deleteLater()
        self._chips, self._words = [], []
        cohort, filters = self._explorer.cohort, self._explorer.filters
        clears_first = len(filters) > ROWS_SHOWN  # else it may be out of sight
        if clears_first:
            self._add_clear()
        if cohort is not None:
            for chosen in filters:
                words = chosen.describe(cohort.specs)
                n_passing = format_count(self._explorer.view_state.n_passing[chosen.key])
                tool_tip = f"{words}\n{n_passing} participants pass this filter. Click to remove it."
                chip = self._add_chip(words, f"  ({n_passing})  ✕", tool_tip)
                chip.clicked.connect(_remover(self._explorer, chosen.key))
        if self._chips and not clears_first:
            self._add_clear()
        self.setVisible(bool(self._chips))
        self._fit()

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Shorten the words to the new room."""
        super().resizeEvent(event)
        self._fit()

    def _add_clear(self) -> None:
        self._add_chip("Clear all", "", "Remove all filters").clicked.connect(self._explorer.clear_filters)

    def _add_chip(self, words: str, ending: str, tool_tip: str) -> QToolButton:
        chip = QToolButton(self._inside)
        chip.setToolTip(as_plain(tool_tip))
        chip.setAccessibleName(f"Remove filter {words}" if ending else words)
        chip.setObjectName("chip" if ending else "clear")
        chip.setMinimumWidth(1)  # else the longest words would keep the dock wide
        self._flow.addWidget(chip)
        chip.show()
        self._chips.append(chip)
        self._words.append((words, ending))
        return chip

    def _fit(self) -> None:
        """Shorten the words, not the counts, to the width, and take the height of a few rows."""
        width = self.viewport().width()
        for chip, (words, ending) in zip(self._chips, self._words, strict=True):
            chip.ensurePolished()  # else it is measured without the style that it is shown in
            metrics = chip.fontMetrics()
            padding = chip.sizeHint().width() - metrics.horizontalAdvance(chip.text())
            room = min(MAX_CHIP_PX, width - padding) - metrics.horizontalAdvance(ending)
            shown = metrics.elidedText(words, Qt.TextElideMode.ElideMiddle, max(LEAST_WORDS_PX, room))
            chip.setText(f"{shown}{ending}")
        if self._chips:
            row = self._chips[0].sizeHint().height() + self._flow.verticalSpacing()
            rows = min(self._flow.heightForWidth(width), int(ROWS_SHOWN * row))
            self.setFixedHeight(rows + 2 * self.frameWidth())  # the window's style may draw a frame


def _remover(explorer: Explorer, key: str) -> Callable[[], None]:
    return lambda: explorer.remove_filter(key)
