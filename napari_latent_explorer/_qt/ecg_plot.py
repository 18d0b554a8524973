"""Twelve leads on millimetre paper, 25 mm/s and 10 mm/mV; three leads where room is small.

The hard idea: the paper has one scale for time and voltage, and it must not breathe while the probe moves. The pixels
of a millimetre follow from the widget's size and from the largest voltage since the last original; they only shrink.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from qtpy.QtCore import QPointF, QRectF, QSize, Qt, Signal
from qtpy.QtGui import QColor, QKeyEvent, QMouseEvent, QPainter, QPaintEvent, QPen
from qtpy.QtWidgets import QSizePolicy, QWidget

from napari_latent_explorer._qt.ecg_paper import MM_PER_MS, MM_PER_MV, SCALE_TEXT, extent_mv, paint_grid
from napari_latent_explorer._qt.polyline import make_polyline
from napari_latent_explorer._qt.theme import DARK, Theme, small_font
from napari_latent_explorer.data.ecg import LEAD_NAMES

SHOWN_MS = 1200.0
COLUMN_GAP_MM = 2.0
TOP_PX = 20
TWELVE_LEADS = (("I", "aVR", "V1", "V4"), ("II", "aVL", "V2", "V5"), ("III", "aVF", "V3", "V6"))
THREE_LEADS = (("I", "II", "V5"),)
SMALL_HEIGHT_PX, SMALL_WIDTH_PX = 150, 420
LEAST_UP_MV, LEAST_DOWN_MV = 0.75, 0.5
KEY_STEP_MS = 20.0
LEAST_LABEL_PX, MOST_LABELLED = 90.0, 3
"""So much of a name is always in the legend, unless it has to name more ECGs."""


@dataclass(frozen=True, slots=True, eq=False)
class EcgTrace:
    """One ECG to draw.

    Attributes
    ----------
    label
        For the legend.
    color
        Red, green, blue, alpha in 0..1; None for the colour of text.
    signal_mv
        ``(12, n_samples)`` in mV, in the order of `LEAD_NAMES`; a lead that is NaN is not drawn.
    sampling_rate_hz
        Samples per second.
    width_px
        Width of the line.
    """

    label: str
    color: tuple[float, ...] | None
    signal_mv: NDArray[np.float32]
    sampling_rate_hz: float
    width_px: float = 1.2


@dataclass(frozen=True, slots=True)
class Paper:
    """Where the leads lie: pixels per millimetre, and for each lead its left edge and zero line."""

    px_per_mm: float
    places: dict[str, tuple[float, float]]


class QtEcgPlot(QWidget):
    """Overlaid ECGs with a time cursor in each column.

    Parameters
    ----------
    parent
        Qt parent.
    """

    time_requested = Signal(float)
    """Time in ms after the first sample at which the user put the cursor."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._traces: tuple[EcgTrace, ...] = ()
        self._time_ms: float | None = None
        self._theme = DARK
        self._extent_mv = (LEAST_UP_MV, LEAST_DOWN_MV)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setMinimumSize(200, 90)
        self.setAccessibleName("Electrocardiogram")
        self.setToolTip("25 mm/s, 10 mm/mV. Click or drag to move through the heart cycle; Left and Right step.")

    @property
    def lead_rows(self) -> tuple[tuple[str, ...], ...]:
        """Names of the leads shown, row by row."""
        is_small = self.height() < SMALL_HEIGHT_PX or self.width() < SMALL_WIDTH_PX
        return THREE_LEADS if is_small else TWELVE_LEADS

    @property
    def traces(self) -> tuple[EcgTrace, ...]:
        """What is drawn, bottom to top."""
        return self._traces

    @property
    def time_ms(self) -> float | None:
        """Where the cursor is, in ms after the first sample; None without one."""
        return self._time_ms

    def sizeHint(self) -> QSize:
        """Room for twelve leads."""
        return QSize(700, 240)

    def set_theme(self, theme: Theme) -> None:
        """Redraw in other colours."""
        self._theme = theme
        self.update()

    def set_traces(self, traces: tuple[EcgTrace, ...], keeps_scale: bool = True) -> None:
        """Draw these ECGs; with `keeps_scale` the paper may shrink to fit them but does not grow."""
        self._traces = traces
        up, down = self._extent_mv if keeps_scale else (LEAST_UP_MV, LEAST_DOWN_MV)
        for trace in traces:
            trace_up, trace_down = extent_mv(trace.signal_mv)
            up, down = max(up, trace_up), max(down, trace_down)
        self._extent_mv = (up, down)
        self.setAccessibleDescription(", ".join(trace.label for trace in traces))
        self.update()

    def set_time_ms(self, time_ms: float | None) -> None:
        """Put the cursor at a time after the first sample, or take it away."""
        self._time_ms = time_ms
        self.update()

    def paper(self) -> Paper:
        """Lay the leads out in the widget's present size."""
        rows = self.lead_rows
        n_columns = len(rows[0])
        up, down = self._extent_mv
        # Neighbouring rows may overlap a little, as on paper; a full gap would waste half of it.
        row_mm = 0.75 * (up + down) * MM_PER_MV
        column_mm = SHOWN_MS * MM_PER_MS + COLUMN_GAP_MM
        height = max(1.0, float(self.height()) - TOP_PX - 6)
        total_mm = row_mm * (len(rows) - 1) + (up + down) * MM_PER_MV
        px_per_mm = min((self.width() - 12) / (n_columns * column_mm), height / total_mm)
        column_px = (self.width() - 12) / n_columns
        top = TOP_PX + max(0.0, height - total_mm * px_per_mm) / 2
        places = {}
        for row, names in enumerate(rows):
            zero = top + (up * MM_PER_MV + row * row_mm) * px_per_mm
            for column, name in enumerate(names):
                places[name] = (8 + column * column_px, zero)
        return Paper(px_per_mm, places)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Move the cursor to the pointer."""
        self._ask_for_time(float(event.position().x()))

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Move the cursor with the pointer."""
        self._ask_for_time(float(event.position().x()))

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Left and Right step through time."""
        steps: dict[int, float] = {Qt.Key.Key_Left: -KEY_STEP_MS, Qt.Key.Key_Right: KEY_STEP_MS}
        if event.key() in steps:
            self.time_requested.emit((self._time_ms or 0.0) + steps[event.key()])
        else:
            super().keyPressEvent(event)

    def _ask_for_time(self, x: float) -> None:
        paper = self.paper()
        lefts = sorted({left for left, _ in paper.places.values()})
        left = max((one for one in lefts if one <= x), default=lefts[0])
        time_ms = (x - left) / paper.px_per_mm / MM_PER_MS
        if 0.0 <= time_ms <= SHOWN_MS:
            self.time_requested.emit(time_ms)

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw paper, traces and cursor."""
        painter = QPainter(self)
        self.render_to(painter)
        painter.end()

    def render_to(self, painter: QPainter) -> None:
        """Draw everything with any painter, for the screen or a file."""
        paper = self.paper()
        left, zero = next(iter(paper.places.values()))
        paint_grid(painter, self, self._theme, paper.px_per_mm, left, zero)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        for trace in self._traces:
            self._paint_trace(painter, paper, trace)
        self._paint_names(painter, paper)
        self._paint_cursor(painter, paper)
        self._paint_legend(painter)

    def _paint_trace(self, painter: QPainter, paper: Paper, trace: EcgTrace) -> None:
        painter.setPen(QPen(self._color_of(trace), trace.width_px))
        n_shown = int(SHOWN_MS * trace.sampling_rate_hz / 1000.0)
        times_mm = np.arange(trace.signal_mv.shape[1])[:n_shown] * (1000.0 / trace.sampling_rate_hz) * MM_PER_MS
        for name, (left, zero) in paper.places.items():
            signal_mm = trace.signal_mv[LEAD_NAMES.index(name)][:n_shown] * MM_PER_MV
            if np.isnan(signal_mm).any():
                continue
            x = left + times_mm * paper.px_per_mm
            y = zero - signal_mm * paper.px_per_mm
            painter.drawPolyline(make_polyline(x, y))

    def _color_of(self, trace: EcgTrace) -> QColor:
        if trace.color is None:
            return self._theme.color("text")
        return QColor.fromRgbF(*trace.color[:3])

    def _paint_names(self, painter: QPainter, paper: Paper) -> None:
        painter.setFont(small_font(self, 0.95, is_bold=True))
        painter.setPen(self._theme.color("text"))
        for name, (left, zero) in paper.places.items():
            painter.drawText(QPointF(left, zero - 4 * paper.px_per_mm), name)

    def _paint_cursor(self, painter: QPainter, paper: Paper) -> None:
        if self._time_ms is None:
            return
        painter.setPen(QPen(self._theme.color("accent", 0.9), 1.4))
        for left in {left for left, _ in paper.places.values()}:
            x = left + self._time_ms * MM_PER_MS * paper.px_per_mm
            painter.drawLine(QPointF(x, TOP_PX), QPointF(x, self.height()))

    def _paint_legend(self, painter: QPainter) -> None:
        painter.fillRect(QRectF(0, 0, self.width(), TOP_PX), self._theme.color("paper"))
        painter.setFont(small_font(self, 0.92))
        words, left = painter.fontMetrics(), 8.0
        for trace in reversed(self._traces):
            painter.setPen(QPen(self._color_of(trace), trace.width_px + 0.6))
            painter.drawLine(QPointF(left, TOP_PX / 2), QPointF(left + 18, TOP_PX / 2))
            painter.setPen(self._theme.color("text"))
            room = (self.width() - 150) / max(1, len(self._traces)) - 40
            fits = words.horizontalAdvance(trace.label) <= room
            short = trace.label if fits or room > 160 else trace.label.split(":")[0]
            least = LEAST_LABEL_PX if len(self._traces) <= MOST_LABELLED else 0.0
            label = words.elidedText(short, Qt.TextElideMode.ElideRight, int(max(least, room)))
            painter.drawText(QRectF(left + 24, 0, self.width(), TOP_PX), Qt.AlignmentFlag.AlignVCenter, label)
            left += 24 + words.horizontalAdvance(label) + 18
        painter.setPen(self._theme.color("muted"))
        right = Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignRight
        if left + words.horizontalAdvance(SCALE_TEXT) < self.width() - 8:
            painter.drawText(QRectF(0, 0, self.width() - 8, TOP_PX), right, SCALE_TEXT)
