"""Histogram of a continuous phenotype on which a range is dragged, with a bar beside it for who has no value.

A drag draws a new range, its ends can be dragged afterwards, a click inside it takes it away, a click on one bar
chooses that bar. The range is rounded to a step that reads well.
"""

import numpy as np
from qtpy.QtCore import QPointF, QRectF, QSize, Qt, Signal
from qtpy.QtGui import QColor, QKeyEvent, QMouseEvent, QPainter, QPaintEvent, QPen
from qtpy.QtWidgets import QSizePolicy, QWidget

from napari_latent_explorer._qt.numbers import format_count, format_value, round_to_step
from napari_latent_explorer._qt.theme import DARK, Theme, small_font
from napari_latent_explorer.data.phenotype import PhenotypeSpec
from napari_latent_explorer.session.bars import BarCounts
from napari_latent_explorer.session.coloring import ContinuousLegend, viridis
from napari_latent_explorer.session.filters import CategoryFilter, Filter, RangeFilter

BARS_HEIGHT_PX = 46
GRIP_PX = 5
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
        self.setMouseTracking(True)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setAccessibleName(f"{spec.title}: choose a range")
        self.setToolTip("Drag a range; drag its ends to change it; click inside it to take it away.")

    def set_theme(self, theme: Theme) -> None:
        """Repaint in other colours."""
        self._theme = theme
        self.update()

    def set_counts(self, counts: BarCounts, chosen: Filter | None, legend: ContinuousLegend | None = None) -> None:
        """Show counts and the filter that acts on them; bars take the legend's colours while it colours the map."""
        self._counts, self._filter, self._legend = counts, chosen, legend
        self.update()

    def sizeHint(self) -> QSize:
        """Bars and their axis."""
        return QSize(200, BARS_HEIGHT_PX + int(self.fontMetrics().height()) + 6)

    def x_of(self, value: float) -> float:
        """Pixel of a value; one beyond the bars, such as an open end of a range, is at their end."""
        low, high = self._limits()
        x: float = (min(max(value, low), high) - low) / (high - low) * self._bars_width()
        return x

    def _value_at(self, x: float) -> float:
        low, high = self._limits()
        fraction = min(max(x / self._bars_width(), 0.0), 1.0)
        return min(max(round_to_step(low + fraction * (high - low), high - low), low), high)

    def _limits(self) -> tuple[float, float]:
        if self._counts is None or self._counts.edges is None:
            return 0.0, 1.0
        return float(self._counts.edges[0]), float(self._counts.edges[-1])

    def _bars_width(self) -> float:
        has_missing = self._counts is not None and self._counts.missing_total > 0
        room = MISSING_WIDTH_PX + MISSING_GAP_PX if has_missing else 0
        return max(1.0, float(self.width()) - room - 1.0)

    @property
    def _range(self) -> RangeFilter | None:
        return self._filter if isinstance(self._filter, RangeFilter) else None

    @property
    def _includes_missing(self) -> bool:
        return isinstance(self._filter, CategoryFilter | RangeFilter) and self._filter.include_missing

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Begin a range, take hold of an end, or choose the missing."""
        if event.button() != Qt.MouseButton.LeftButton or self._counts is None:
            return
        x = float(event.position().x())
        if x > self._bars_width() + MISSING_GAP_PX / 2:
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
            self._has_dragged = True
            low, high = sorted((self._drag_from, self._value_at(x)))
            self._request(low, high)
        elif self._drag_from is None:
            self._show_grip(x)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        """End the drag; a click without one chooses a bar or takes the range away."""
        if self._drag_from is not None and not self._has_dragged:
            self._click(float(event.position().x()))
        self._drag_from = None

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Escape clears; Left and Right move the range by a bar, with Shift its upper end."""
        steps: dict[int, int] = {Qt.Key.Key_Left: -1, Qt.Key.Key_Right: 1}
        if event.key() == Qt.Key.Key_Escape and self._filter is not None:
            self.filter_requested.emit(None)
        elif event.key() in steps and self._counts is not None:
            self._step(steps[event.key()], bool(event.modifiers() & Qt.KeyboardModifier.ShiftModifier))
        else:
            super().keyPressEvent(event)

    def _step(self, direction: int, is_resize: bool) -> None:
        low, high = self._limits()
        bar = (high - low) / max(1, len(self._counts.labels) if self._counts else 1)
        if self._range is None:
            middle = (low + high) / 2
            self._request(round_to_step(middle - bar, high - low), round_to_step(middle + bar, high - low))
            return
        start = self._range.low if is_resize else max(low, self._range.low + direction * bar)
        end = max(start, min(high, self._range.high + direction * bar))
        self._request(round_to_step(start, high - low), round_to_step(end, high - low))

    def _click(self, x: float) -> None:
        value, chosen = self._value_at(x), self._range
        edges = None if self._counts is None else self._counts.edges
        if chosen is not None and chosen.low <= value <= chosen.high:
            self.filter_requested.emit(None)
        elif edges is not None:
            bar = int(np.clip(np.searchsorted(edges, value, side="right") - 1, 0, len(edges) - 2))
            self._request(float(edges[bar]), float(edges[bar + 1]))

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
        painter.end()

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
                height = float(count) / most * (BARS_HEIGHT_PX - 4)
                height = max(height, 1.0) if count else 0.0
                painter.fillRect(QRectF(left, BARS_HEIGHT_PX - height, bar_width, height), color)

    def _bar_color(self, number: int) -> QColor:
        edges = None if self._counts is None else self._counts.edges
        if edges is None or number >= len(edges) - 1:
            return self._theme.color("accent" if self._includes_missing else "muted")
        middle = float(edges[number] + edges[number + 1]) / 2
        chosen = self._range
        is_outside = self._filter is not None and not (chosen is not None and chosen.low <= middle <= chosen.high)
        color = self._theme.color("accent")
        if self._legend is not None:
            span = (self._legend.high - self._legend.low) or 1.0
            color = QColor.fromRgbF(*viridis(np.array([(middle - self._legend.low) / span]))[0, :3].tolist())
        color.setAlphaF(0.35 if is_outside else 1.0)
        return color

    def _paint_axis(self, painter: QPainter) -> None:
        theme, width = self._theme, self._bars_width()
        low, high = self._limits()
        painter.setPen(QPen(theme.color("line"), 1))
        painter.drawLine(QPointF(0, BARS_HEIGHT_PX + 0.5), QPointF(width, BARS_HEIGHT_PX + 0.5))
        painter.setFont(small_font(self, 0.85))
        painter.setPen(theme.color("muted"))
        below = QRectF(0, BARS_HEIGHT_PX + 2, width, self.height() - BARS_HEIGHT_PX - 2)
        top = Qt.AlignmentFlag.AlignTop
        for value, side in (
            (low, Qt.AlignmentFlag.AlignLeft),
            ((low + high) / 2, Qt.AlignmentFlag.AlignHCenter),
            (high, Qt.AlignmentFlag.AlignRight),
        ):
            painter.drawText(below, side | top, format_value(value))
        if self._counts is not None and self._counts.missing_total:
            place = QRectF(width, below.top(), self.width() - width, below.height())
            painter.drawText(place, Qt.AlignmentFlag.AlignRight | top, format_count(self._counts.missing_total))

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
