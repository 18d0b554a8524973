"""Bars of a binary or categorical phenotype: one row per category, and one for who has no value.

A click chooses one category, with Ctrl it adds or takes away, with Shift it chooses all from the last one clicked; the
same with the arrow keys and Space. What is chosen carries a tick, so that it is not told by colour alone.
"""

import math
from collections.abc import Sequence

from qtpy.QtCore import QEvent, QPointF, QRectF, QSize, Qt, Signal
from qtpy.QtGui import QColor, QFocusEvent, QHelpEvent, QKeyEvent, QMouseEvent, QPainter, QPaintEvent, QPen
from qtpy.QtWidgets import QSizePolicy, QToolTip, QWidget

from napari_latent_explorer._qt.bar_samples import BarSamples
from napari_latent_explorer._qt.numbers import format_count
from napari_latent_explorer._qt.plain_text import as_plain
from napari_latent_explorer._qt.theme import DARK, Theme, small_font, to_qcolor
from napari_latent_explorer.data.phenotype import PhenotypeSpec
from napari_latent_explorer.session.bars import BarCounts
from napari_latent_explorer.session.filters import CategoryFilter, Filter

MISSING = "missing"
BOX_PX = 10


class QtCategoryChart(QWidget):
    """Filtered over total counts of the categories of one phenotype.

    Parameters
    ----------
    spec
        The phenotype.
    parent
        Qt parent.
    """

    filter_requested = Signal(object)
    """A `CategoryFilter`, or None when nothing is chosen any more."""

    def __init__(self, spec: PhenotypeSpec, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._spec = spec
        self._counts: BarCounts | None = None
        self._filter: Filter | None = None
        self._samples: BarSamples | None = None
        self._passing: tuple[bool, ...] = ()
        self._is_log = False
        self._colors: Sequence[tuple[float, ...]] | None = None
        self._theme = DARK
        self._row_under_pointer = self._row_in_focus = self._anchor = 0
        self._is_hovered = False
        self.setMouseTracking(True)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setAccessibleName(f"{spec.title}: choose categories")
        self.setToolTip("Click: only this one. Ctrl+click: add or take away. Shift+click: all up to here.")

    @property
    def row_labels(self) -> tuple[str, ...]:
        """Name of each row; `missing` is the last if anybody has no value."""
        if self._counts is None:
            return ()
        return (*self._counts.labels, MISSING) if self._counts.missing_total else self._counts.labels

    def set_theme(self, theme: Theme) -> None:
        """Repaint in other colours."""
        self._theme = theme
        self.update()

    def set_counts(
        self, counts: BarCounts, chosen: Filter | None, colors: Sequence[tuple[float, ...]] | None = None
    ) -> None:
        """Show counts and the filter that acts on them; bars take `colors` while they colour the map too."""
        n_rows_before = len(self.row_labels)
        if self._samples is None:
            self._samples = BarSamples(self._spec, counts)
        self._counts, self._filter, self._colors = counts, chosen, colors
        self._passing = self._samples.passing(chosen)
        self.setAccessibleDescription("; ".join(self._rows_in_words()))
        if len(self.row_labels) != n_rows_before:
            self.updateGeometry()
        self.update()

    def set_log(self, is_log: bool) -> None:
        """Draw bars as long as the logarithm of their counts, or as the counts."""
        self._is_log = is_log
        self.update()

    def _rows_in_words(self) -> list[str]:
        if (counts := self._counts) is None:
            return []
        filtered, total = [*counts.filtered, counts.missing_filtered], [*counts.total, counts.missing_total]
        rows = zip(self.row_labels, filtered, total, strict=False)
        return [f"{label} {_count_text(int(one), int(all_of_it))}" for label, one, all_of_it in rows]

    def sizeHint(self) -> QSize:
        """As high as its rows."""
        return QSize(200, max(1, len(self.row_labels)) * self._row_height())

    def row_center(self, row: int) -> tuple[int, int]:
        """Pixel in the middle of a row."""
        return self.width() // 2, row * self._row_height() + self._row_height() // 2

    def _row_height(self) -> int:
        return int(self.fontMetrics().height()) + 6

    def _is_chosen(self, label: str) -> bool:
        if self._filter is None:
            return False
        return self._passing[self.row_labels.index(label)]

    def _chosen(self) -> set[str]:
        return {label for label in self.row_labels if self._is_chosen(label)}

    def _choose(self, row: int, modifiers: Qt.KeyboardModifier) -> None:
        labels = self.row_labels
        if not 0 <= row < len(labels):
            return
        chosen = self._chosen()
        if modifiers & Qt.KeyboardModifier.ShiftModifier:
            first, last = sorted((self._anchor, row))
            chosen |= set(labels[first : last + 1])
        elif modifiers & (Qt.KeyboardModifier.ControlModifier | Qt.KeyboardModifier.MetaModifier):
            chosen ^= {labels[row]}
            self._anchor = row
        else:
            chosen = set() if chosen == {labels[row]} else {labels[row]}
            self._anchor = row
        self._row_in_focus = row
        self.filter_requested.emit(self._filter_of(chosen))

    def _filter_of(self, chosen: set[str]) -> CategoryFilter | None:
        if not chosen:
            return None
        return CategoryFilter(self._spec.name, frozenset(chosen - {MISSING}), MISSING in chosen)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Choose the row under the pointer."""
        if event.button() == Qt.MouseButton.LeftButton:
            self._choose(int(event.position().y()) // self._row_height(), event.modifiers())

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Mark the row under the pointer."""
        self._is_hovered = True
        self._row_under_pointer = int(event.position().y()) // self._row_height()
        self.update()

    def leaveEvent(self, event: object) -> None:
        """Unmark it."""
        self._is_hovered = False
        self.update()

    def event(self, event: QEvent) -> bool:
        """Say the whole of a row, of which a narrow chart shows a part."""
        if isinstance(event, QHelpEvent) and event.type() == QEvent.Type.ToolTip:
            row = event.pos().y() // self._row_height()
            QToolTip.showText(event.globalPos(), self.tool_tip_of(row), self)
            return True
        return bool(super().event(event))

    def tool_tip_of(self, row: int) -> str:
        """Name and counts of a row in full, and what clicks do."""
        rows = self._rows_in_words()
        return as_plain("\n".join([*rows[row : row + 1], self.toolTip()]))

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Arrows move, Space chooses, Escape clears."""
        steps: dict[int, int] = {Qt.Key.Key_Up: -1, Qt.Key.Key_Down: 1}
        if event.key() in steps:
            row = self._row_in_focus + steps[event.key()]
            self._row_in_focus = min(max(row, 0), len(self.row_labels) - 1)
            self.update()
        elif event.key() in (Qt.Key.Key_Space, Qt.Key.Key_Return):
            self._choose(self._row_in_focus, event.modifiers())
        elif event.key() == Qt.Key.Key_Escape and self._filter is not None:
            self.filter_requested.emit(None)
        else:
            super().keyPressEvent(event)

    def focusInEvent(self, event: QFocusEvent) -> None:
        """Show where the keys act."""
        self.update()
        super().focusInEvent(event)

    def focusOutEvent(self, event: QFocusEvent) -> None:
        """Hide it again."""
        self.update()
        super().focusOutEvent(event)

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw the rows."""
        counts = self._counts
        if counts is None:
            return
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setFont(small_font(self, 0.95))
        totals = [*map(int, counts.total), counts.missing_total]
        passing = [*map(int, counts.filtered), counts.missing_filtered]
        for row, label in enumerate(self.row_labels):
            self._paint_row(painter, row, label, (passing[row], totals[row], max(totals)))
        painter.end()

    def _paint_row(self, painter: QPainter, row: int, label: str, numbers: tuple[int, int, int]) -> None:
        n_passing, n_total, n_most = numbers
        theme, height = self._theme, self._row_height()
        top, width = row * height, self.width()
        if self._is_hovered and row == self._row_under_pointer:
            painter.fillRect(QRectF(0, top, width, height), theme.color("line", 0.35))
        if self.hasFocus() and row == self._row_in_focus:
            painter.setPen(QPen(theme.color("accent", 0.8), 1))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawRoundedRect(QRectF(0.5, top + 0.5, width - 1, height - 1), 3, 3)
        self._paint_box(painter, top + height / 2, self._is_chosen(label))
        is_faded = self._filter is not None and not self._is_chosen(label)
        words = painter.fontMetrics()
        label_width, count_width = self._column_widths(painter, n_most)
        painter.setPen(theme.color("muted" if is_faded or label == MISSING else "text"))
        shown = words.elidedText(label, Qt.TextElideMode.ElideRight, label_width)
        vertical = Qt.AlignmentFlag.AlignVCenter
        painter.drawText(QRectF(BOX_PX + 10, top, label_width, height), vertical | Qt.AlignmentFlag.AlignLeft, shown)
        count = QRectF(width - count_width - 2, top, count_width, height)
        painter.drawText(count, vertical | Qt.AlignmentFlag.AlignRight, _count_text(n_passing, n_total))
        left = BOX_PX + 10 + label_width + 8
        room = max(8.0, count.left() - 8 - left)
        bar = QRectF(left, top + 4, room * self._share(n_total, n_most), height - 8)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(theme.color("quiet"))
        painter.drawRoundedRect(bar, 2, 2)
        bar.setWidth(room * self._share(n_passing, n_most))
        painter.setBrush(self._bar_color(row, is_faded))
        painter.drawRoundedRect(bar, 2, 2)

    def _share(self, count: int, most: int) -> float:
        if self._is_log:
            return math.log1p(count) / math.log1p(max(1, most))
        return count / max(1, most)

    def _column_widths(self, painter: QPainter, n_most: int) -> tuple[int, int]:
        """Pixels for the labels and for the counts."""
        words = painter.fontMetrics()
        widest = max((words.horizontalAdvance(label) for label in self.row_labels), default=0) + 2
        most = format_count(n_most)
        count_width = words.horizontalAdvance(f"{most} / {most}")
        return min(widest, int(self.width() * 0.38)), count_width

    def _paint_box(self, painter: QPainter, middle: float, is_chosen: bool) -> None:
        box = QRectF(3.5, middle - BOX_PX / 2, BOX_PX, BOX_PX)
        painter.setPen(QPen(self._theme.color("accent" if is_chosen else "muted", 1.0 if is_chosen else 0.6), 1))
        painter.setBrush(self._theme.color("accent") if is_chosen else QColor(0, 0, 0, 0))
        painter.drawRoundedRect(box, 2, 2)
        if is_chosen:
            painter.setPen(QPen(self._theme.color("background"), 1.6))
            x, y = box.left(), box.top()
            painter.drawPolyline([QPointF(x + dx, y + dy) for dx, dy in ((2, 5.2), (4.2, 7.4), (8, 2.8))])

    def _bar_color(self, row: int, is_faded: bool) -> QColor:
        is_missing = self.row_labels[row] == MISSING
        if is_missing:
            color = self._theme.color("muted")
        elif self._colors is not None and row < len(self._colors):
            color = to_qcolor(tuple(self._colors[row]))
        else:
            color = self._theme.color("accent")
        color.setAlphaF(0.35 if is_faded else 1.0)
        return color


def _count_text(n_passing: int, n_total: int) -> str:
    if n_passing == n_total:
        return format_count(n_total)
    return f"{format_count(n_passing)} / {format_count(n_total)}"
