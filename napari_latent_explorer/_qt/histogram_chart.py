"""Histogram of a continuous phenotype on which a range is dragged, with a bar beside it for who has no value.

A drag draws a new range, its ends can be dragged afterwards, a click inside it takes it away, a click on one bar
chooses that bar, and with Shift all bars up to it. The range is rounded to a step that reads well. The keys do the
same: arrows move a cursor, Space chooses its bar, Shift and arrows draw a range, Control and arrows move it.
"""

import math
from typing import Final

import numpy as np
from numpy.typing import NDArray
from qtpy.QtCore import QPointF, QRectF, QSize, Qt, Signal
from qtpy.QtGui import QColor, QKeyEvent, QMouseEvent, QPainter, QPaintEvent, QPen
from qtpy.QtWidgets import QSizePolicy, QWidget

from napari_latent_explorer._qt.bar_samples import BarSamples
from napari_latent_explorer._qt.numbers import format_count, format_limit
from napari_latent_explorer._qt.theme import DARK, Theme, small_font
from napari_latent_explorer.data.phenotype import PhenotypeSpec
from napari_latent_explorer.data.readable_numbers import round_to_step
from napari_latent_explorer.session.bar_edges import are_between_whole_numbers
from napari_latent_explorer.session.bars import BarCounts, limits_of
from napari_latent_explorer.session.coloring import ContinuousLegend, viridis
from napari_latent_explorer.session.filters import CategoryFilter, Filter, RangeFilter

BARS_HEIGHT_PX = 46
GRIP_PX = 5
SPAN_BARS = 25.0
"""What is dragged is rounded as on an axis of so many bars."""
NO_EDGES: Final = np.array([0.0, 1.0])
MISSING_WIDTH_PX = 14
MISSING_GAP_PX = 12


class QtHistogramChart(QWidget):
    """Filtered over total counts of one continuous phenotype.

    Parameters
    ----------
    spec
        The phenotype.
    parent
        Qt parent.
    """

    filter_requested = Signal(object)
    """A `RangeFilter`, a `CategoryFilter` of the missing alone, or None when nothing is chosen any more."""
    drag_began = Signal()
    drag_ended = Signal()

    def __init__(self, spec: PhenotypeSpec, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._spec = spec
        self._counts: BarCounts | None = None
        self._filter: Filter | None = None
        self._legend: ContinuousLegend | None = None
        self._theme = DARK
        self._drag_from: float | None = None
        self._press_px = 0.0
        self._has_dragged = False
        self._is_log = False
        self._samples: BarSamples | None = None
        self._passing: tuple[bool, ...] = ()
        self._cursor = self._anchor = 0
        self.setMouseTracking(True)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setAccessibleName(f"{spec.title}: choose a range")
        self.setToolTip(
            "Drag a range; drag its ends to change it; click inside it to take it away.\n"
            "Shift+click: up to this bar. Keys: arrows and Space, Shift+arrows, Ctrl+arrows, Escape."
        )

    def set_theme(self, theme: Theme) -> None:
        """Repaint in other colours."""
        self._theme = theme
        self.update()

    def set_counts(self, counts: BarCounts, chosen: Filter | None, legend: ContinuousLegend | None = None) -> None:
        """Show counts and the filter that acts on them; bars take the legend's colours while it colours the map."""
        if self._samples is None or self._counts is None or counts.edges is not self._counts.edges:
            self._samples = BarSamples(self._spec, counts)
        self._counts, self._filter, self._legend = counts, chosen, legend
        self._passing = self._samples.passing(chosen)
        self.setAccessibleDescription(_in_words(counts))
        self.update()

    def set_log(self, is_log: bool) -> None:
        """Draw bars as high as the logarithm of their counts, or as the counts."""
        self._is_log = is_log
        self.update()

    def sizeHint(self) -> QSize:
        """Bars and their axis."""
        return QSize(200, BARS_HEIGHT_PX + int(self.fontMetrics().height()) + 6)

    def x_of(self, value: float) -> float:
        """Pixel of a value; one beyond the bars, such as an open end of a range, is at their end."""
        edges = self._edges()
        return float(np.interp(value, edges, np.linspace(0.0, self._bars_width(), len(edges))))

    def _value_at(self, x: float) -> float:
        edges = self._edges()
        value = float(np.interp(x, np.linspace(0.0, self._bars_width(), len(edges)), edges))
        if are_between_whole_numbers(edges):
            return float(min(max(round(value), math.ceil(edges[0])), math.floor(edges[-1])))
        bar = self._bar_at(value)
        return float(np.clip(round_to_step(value, SPAN_BARS * (edges[bar + 1] - edges[bar])), edges[0], edges[-1]))

    def _bar_at(self, value: float) -> int:
        edges = self._edges()
        return int(np.clip(np.searchsorted(edges, value, side="right") - 1, 0, len(edges) - 2))

    def _edges(self) -> NDArray[np.float64]:
        return NO_EDGES if self._counts is None or self._counts.edges is None else self._counts.edges

    def _bars_width(self) -> float:
        has_missing = self._counts is not None and self._counts.missing_total > 0
        room = MISSING_WIDTH_PX + MISSING_GAP_PX if has_missing else 0
        return max(1.0, float(self.width()) - room - 1.0)

    @property
    def _range(self) -> RangeFilter | None:
        return self._filter if isinstance(self._filter, RangeFilter) else None

    @property
    def _includes_missing(self) -> bool:
        return self._filter is not None and self._passing[-1]

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Begin a range, take hold of an end, or choose the missing."""
        if event.button() != Qt.MouseButton.LeftButton or self._counts is None:
            return
        x = float(event.position().x())
        if x > self._bars_width() + MISSING_GAP_PX / 2:
            self._cursor = self._anchor = len(self._counts.labels)
            self._toggle_missing()
            return
        self._press_px, self._has_dragged = x, False
        self._drag_from = self._value_at(x)
        if self._range is not None:
            if abs(x - self.x_of(self._range.low)) <= GRIP_PX:
                self._drag_from = self._range.high
            elif abs(x - self.x_of(self._range.high)) <= GRIP_PX:
                self._drag_from = self._range.low

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Draw the range live."""
        x = float(event.position().x())
        if self._drag_from is not None and (self._has_dragged or abs(x - self._press_px) > 3):
            if not self._has_dragged:
                self._has_dragged = True
                self.drag_began.emit()
            low, high = sorted((self._drag_from, self._value_at(x)))
            self._request(low, high)
        elif self._drag_from is None:
            self._show_grip(x)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        """End the drag; a click without one chooses a bar or takes the range away."""
        if self._drag_from is not None and not self._has_dragged:
            self._click(float(event.position().x()), bool(event.modifiers() & Qt.KeyboardModifier.ShiftModifier))
        elif self._drag_from is not None:
            self.drag_ended.emit()
        self._drag_from = None

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Arrows move the cursor, with Shift the range's end, with Control the range; Space chooses, Escape clears."""
        steps: dict[int, int] = {Qt.Key.Key_Left: -1, Qt.Key.Key_Right: 1}
        if event.key() == Qt.Key.Key_Escape and self._filter is not None:
            self.filter_requested.emit(None)
        elif event.key() in steps and self._counts is not None:
            self._step(steps[event.key()], event.modifiers(), self._counts)
        elif event.key() in (Qt.Key.Key_Space, Qt.Key.Key_Return) and self._counts is not None:
            self._choose_at_cursor(self._counts)
        else:
            super().keyPressEvent(event)

    def _step(self, direction: int, modifiers: Qt.KeyboardModifier, counts: BarCounts) -> None:
        n_bars = len(counts.labels)
        if modifiers & (Qt.KeyboardModifier.ControlModifier | Qt.KeyboardModifier.MetaModifier):
            self._move_range(direction)
        elif modifiers & Qt.KeyboardModifier.ShiftModifier:
            self._cursor = min(max(self._cursor + direction, 0), n_bars - 1)
            first, last = sorted((min(self._anchor, n_bars - 1), self._cursor))
            self._request_bars(first, last)
        else:
            last = n_bars if counts.missing_total else n_bars - 1
            self._cursor = self._anchor = min(max(self._cursor + direction, 0), last)
        self.update()

    def _move_range(self, direction: int) -> None:
        if (chosen := self._range) is None:
            return
        edges = self._edges()
        step = float(np.median(np.diff(edges)))
        low, high = max(chosen.low, edges[0]), min(chosen.high, edges[-1])
        by = min(max(direction * step, edges[0] - low), edges[-1] - high)  # the range keeps its width at the ends
        self._request(*(round_to_step(end + by, SPAN_BARS * step) for end in (low, high)))

    def _choose_at_cursor(self, counts: BarCounts) -> None:
        if self._cursor >= len(counts.labels):
            self._toggle_missing()
        elif counts.edges is not None:
            bar = limits_of(counts.edges, self._cursor, self._cursor)
            if self._range is not None and (self._range.low, self._range.high) == bar:
                self.filter_requested.emit(None)
            else:
                self._request(*bar)

    def _click(self, x: float, is_extending: bool) -> None:
        value, chosen = self._value_at(x), self._range
        if self._counts is None or self._counts.edges is None:
            return
        self._cursor = bar = min(int(x / self._bars_width() * len(self._counts.labels)), len(self._counts.labels) - 1)
        if is_extending and chosen is not None:
            low, high = limits_of(self._counts.edges, bar, bar)
            self._request(min(chosen.low, low), max(chosen.high, high))
            return
        self._anchor = bar
        if chosen is not None and chosen.low <= value <= chosen.high:
            self.filter_requested.emit(None)
        else:
            self._request_bars(bar, bar)

    def _request_bars(self, first: int, last: int) -> None:
        if self._counts is not None and self._counts.edges is not None:
            self._request(*limits_of(self._counts.edges, first, last))

    def _request(self, low: float, high: float) -> None:
        self.filter_requested.emit(RangeFilter(self._spec.name, low, high, self._includes_missing))

    def _toggle_missing(self) -> None:
        if self._range is not None:
            chosen = self._range
            self.filter_requested.emit(
                RangeFilter(chosen.phenotype, chosen.low, chosen.high, not chosen.include_missing)
            )
        else:
            only_missing = CategoryFilter(self._spec.name, include_missing=True)
            self.filter_requested.emit(None if self._includes_missing else only_missing)

    def _show_grip(self, x: float) -> None:
        chosen = self._range
        ends = () if chosen is None else (chosen.low, chosen.high)
        is_on_end = any(abs(x - self.x_of(end)) <= GRIP_PX for end in ends)
        self.setCursor(Qt.CursorShape.SizeHorCursor if is_on_end else Qt.CursorShape.ArrowCursor)

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw bars, axis and range."""
        if self._counts is None or self._counts.edges is None:
            return
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        self._paint_bars(painter, self._counts)
        self._paint_axis(painter)
        if self._range is not None:
            self._paint_range(painter, self._range)
        if self.hasFocus():
            painter.setPen(QPen(self._theme.color("accent", 0.6), 1))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawRoundedRect(QRectF(0.5, 0.5, self.width() - 1, BARS_HEIGHT_PX), 2, 2)
            self._paint_cursor(painter, len(self._counts.labels))
        painter.end()

    def _paint_cursor(self, painter: QPainter, n_bars: int) -> None:
        width = self._bars_width()
        left, bar_width = self._cursor * width / n_bars, width / n_bars
        if self._cursor >= n_bars:
            left, bar_width = width + MISSING_GAP_PX, float(MISSING_WIDTH_PX)
        painter.fillRect(QRectF(left, BARS_HEIGHT_PX - 3, bar_width, 3), self._theme.color("text"))

    def _paint_bars(self, painter: QPainter, counts: BarCounts) -> None:
        n_bars, width = len(counts.total), self._bars_width()
        most = max(1, int(counts.total.max(initial=0)), counts.missing_total)
        painter.setPen(Qt.PenStyle.NoPen)
        places = [(number * width / n_bars, width / n_bars - 1.0) for number in range(n_bars)]
        numbers = list(zip(counts.total, counts.filtered, strict=True))
        if counts.missing_total:
            places.append((width + MISSING_GAP_PX, MISSING_WIDTH_PX - 1.0))
            numbers.append((counts.missing_total, counts.missing_filtered))
        for number, ((left, bar_width), (n_total, n_passing)) in enumerate(zip(places, numbers, strict=True)):
            for count, color in ((n_total, self._theme.color("quiet")), (n_passing, self._bar_color(number))):
                share = math.log1p(count) / math.log1p(most) if self._is_log else float(count) / most
                height = max(share * (BARS_HEIGHT_PX - 4), 1.0) if count else 0.0
                painter.fillRect(QRectF(left, BARS_HEIGHT_PX - height, bar_width, height), color)

    def _bar_color(self, number: int) -> QColor:
        edges = None if self._counts is None else self._counts.edges
        if edges is None or number >= len(edges) - 1:
            return self._theme.color("accent" if self._includes_missing else "muted")
        middle = float(edges[number] + edges[number + 1]) / 2
        color = self._theme.color("accent")
        if self._legend is not None:
            span = (self._legend.high - self._legend.low) or 1.0
            color = QColor.fromRgbF(*viridis(np.array([(middle - self._legend.low) / span]))[0, :3].tolist())
        color.setAlphaF(1.0 if self._passing[number] else 0.35)
        return color

    def _paint_axis(self, painter: QPainter) -> None:
        theme, width, edges = self._theme, self._bars_width(), self._edges()
        painter.setPen(QPen(theme.color("line"), 1))
        painter.drawLine(QPointF(0, BARS_HEIGHT_PX + 0.5), QPointF(width, BARS_HEIGHT_PX + 0.5))
        painter.setFont(small_font(self, 0.85))
        painter.setPen(theme.color("muted"))
        counts = self._counts
        missing = format_count(counts.missing_total) if counts is not None and counts.missing_total else ""
        below = QRectF(0, BARS_HEIGHT_PX + 2, self.width(), self.height() - BARS_HEIGHT_PX - 2)
        top = Qt.AlignmentFlag.AlignTop
        painter.drawText(below, Qt.AlignmentFlag.AlignRight | top, missing)
        if counts is not None and not counts.total.any():
            painter.drawText(below, Qt.AlignmentFlag.AlignLeft | top, "nobody has a value")
            return
        words = painter.fontMetrics()
        room = self.width() - words.horizontalAdvance(missing) - MISSING_GAP_PX / 2 if missing else width
        for x, text in self._axis_labels(edges):
            place = QRectF(0, below.top(), words.horizontalAdvance(text) + 2.0, below.height())
            place.moveLeft(max(0.0, min(x - place.width() / 2, room - place.width())))
            painter.drawText(place, Qt.AlignmentFlag.AlignHCenter | top, text)
        self._paint_breaks(painter, edges)
        painter.drawText(
            QRectF(0, below.top(), self.width(), below.height()), Qt.AlignmentFlag.AlignRight | top, missing
        )

    def _axis_labels(self, edges: NDArray[np.float64]) -> list[tuple[float, str]]:
        """Place and text of the numbers on the axis: ends and middle, of whole numbers those of the bars there."""
        n_bars, width = len(edges) - 1, self._bars_width()
        if are_between_whole_numbers(edges):
            bars = sorted({0, n_bars // 2, n_bars - 1})
            labels = [((bar + 0.5) * width / n_bars, limits_of(edges, bar, bar)[bar == n_bars - 1]) for bar in bars]
        else:
            labels = [(end * width / n_bars, edges[end]) for end in sorted({0, n_bars // 2, n_bars})]
        return [(x, format_limit(float(value))) for x, value in labels]

    def _paint_breaks(self, painter: QPainter, edges: NDArray[np.float64]) -> None:
        """Mark on the axis where a bar at an end is wider than the others."""
        widths, place = np.diff(edges), self._bars_width() / (len(edges) - 1)
        painter.setPen(QPen(self._theme.color("muted"), 1))
        for x, bar in ((place, 0), (self._bars_width() - place, -1)):
            if widths[bar] > 1.5 * np.median(widths):
                for left in (x - 3.0, x):
                    painter.drawLine(QPointF(left, BARS_HEIGHT_PX + 4), QPointF(left + 3.0, BARS_HEIGHT_PX - 2))

    def _paint_range(self, painter: QPainter, chosen: RangeFilter) -> None:
        left, right = self.x_of(chosen.low), self.x_of(chosen.high)
        painter.fillRect(QRectF(left, 0, max(1.0, right - left), BARS_HEIGHT_PX), self._theme.color("accent", 0.14))
        painter.setPen(QPen(self._theme.color("accent"), 1.4))
        for x in (left, right):
            painter.drawLine(QPointF(x, 0), QPointF(x, BARS_HEIGHT_PX))
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(self._theme.color("accent"))
        for x in (left, right):
            painter.drawRoundedRect(QRectF(x - 2.5, BARS_HEIGHT_PX / 2 - 7, 5, 14), 2, 2)


def _in_words(counts: BarCounts) -> str:
    n_passing = int(counts.filtered.sum()) + counts.missing_filtered
    n_total = int(counts.total.sum()) + counts.missing_total
    missing = f", {format_count(counts.missing_total)} without a value" if counts.missing_total else ""
    return f"{format_count(n_passing)} of {format_count(n_total)} participants pass the other filters{missing}"
