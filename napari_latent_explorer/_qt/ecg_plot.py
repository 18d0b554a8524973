"""The leads of a beat on millimetre paper: traces over each other, what changed, wave boundaries, and a cursor.

The hard idea: the paper has one scale for time and voltage, and it must not breathe while the probe moves. The pixels
of a millimetre follow from the widget's size and from the largest voltage since the last original. They shrink, and
grow again only when the traces have come to need less than half of the paper, as after a vector that was no heart's.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from qtpy.QtCore import QPointF, QRectF, QSize, Qt, Signal
from qtpy.QtGui import QColor, QKeyEvent, QMouseEvent, QPainter, QPaintEvent, QPen, QPixmap
from qtpy.QtWidgets import QSizePolicy, QWidget

from napari_latent_explorer._qt.ecg_layout import AUTOMATIC, SHOWN_MS, TOP_PX, Paper, Rows, lay_out
from napari_latent_explorer._qt.ecg_marks import WAVES_PX, paint_difference, paint_waves, waves_top
from napari_latent_explorer._qt.ecg_panel import LeadCurve, LeadPanel
from napari_latent_explorer._qt.ecg_paper import CLINICAL_SCALE, PaperScale, extent_mv, paint_grid
from napari_latent_explorer._qt.polyline import bent, make_polyline
from napari_latent_explorer._qt.theme import DARK, Theme, line_color, small_font
from napari_latent_explorer.analysis.ecg_difference import EcgDifference
from napari_latent_explorer.analysis.ecg_intervals import WaveBoundaries
from napari_latent_explorer.data.ecg import LEAD_NAMES
from napari_latent_explorer.session.ecg_rates import UNKNOWN_RATE, HeartRate

LEAST_UP_MV, LEAST_DOWN_MV = 0.75, 0.5
MOST_MV = 5.0
"""Higher than any heart's; what goes beyond is drawn flat, so that the other leads stay readable."""
LEAST_USED = 0.5
"""Traces that need less of the paper's height have it fitted to them."""
KEY_STEP_MS = 20.0
CHANGE_PX, LEAST_UNIT_PX = 16.0, 110.0
LEAST_CHANGE_MV = 0.005
"""A smaller change would be written as 0.00."""
LEAST_LABEL_PX, MOST_LABELLED, SCALE_PX = 90.0, 3, 150.0
"""So much of a name is in the legend, and up to so many ECGs always; the scale is beside them."""


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
    qrs_onset_ms
        Where the recording says that QRS begins; None if it does not.
    width_px
        Width of the line.
    rate
        The heart rate that goes with it.
    """

    label: str
    color: tuple[float, ...] | None
    signal_mv: NDArray[np.float32]
    sampling_rate_hz: float
    qrs_onset_ms: float | None = None
    width_px: float = 1.2
    rate: HeartRate = UNKNOWN_RATE


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
        self._picture: QPixmap | None = None
        self._theme = DARK
        self._extent_mv = (LEAST_UP_MV, LEAST_DOWN_MV)
        self._layout, self._scale = AUTOMATIC, CLINICAL_SCALE
        self._waves: WaveBoundaries | None = None
        self._difference: EcgDifference | None = None
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setMinimumSize(200, 90)
        self.setAccessibleName("Electrocardiogram")
        self.setToolTip("Click or drag to move through the heart cycle; Left and Right step.")

    @property
    def lead_rows(self) -> Rows:
        """Names of the leads shown, row by row."""
        return self.paper().rows

    @property
    def traces(self) -> tuple[EcgTrace, ...]:
        """What is drawn, bottom to top."""
        return self._traces

    @property
    def time_ms(self) -> float | None:
        """Where the cursor is, in ms after the first sample; None without one."""
        return self._time_ms

    @property
    def waves(self) -> WaveBoundaries | None:
        """What is marked."""
        return self._waves

    @property
    def lead_layout(self) -> str:
        """Layout of the leads that was asked for."""
        return self._layout

    @property
    def extent_mv(self) -> tuple[float, float]:
        """Room of a lead above and below its zero line."""
        return self._extent_mv

    @property
    def difference(self) -> EcgDifference | None:
        """What is shaded."""
        return self._difference

    @property
    def scale(self) -> PaperScale:
        """Millimetres of time and voltage."""
        return self._scale

    def sizeHint(self) -> QSize:
        """Room for twelve leads."""
        return QSize(700, 240)

    def set_theme(self, theme: Theme) -> None:
        """Redraw in other colours."""
        self._theme = theme
        self._redraw()

    def set_traces(self, traces: tuple[EcgTrace, ...], keeps_scale: bool = True) -> None:
        """Draw these ECGs; with `keeps_scale` the paper fits itself to them only where too small or much too large."""
        self._traces = traces
        needed = _needed_mv(traces)
        if keeps_scale and sum(needed) >= LEAST_USED * sum(self._extent_mv):
            needed = (max(needed[0], self._extent_mv[0]), max(needed[1], self._extent_mv[1]))
        self._extent_mv = needed
        self.setAccessibleDescription(", ".join(trace.label for trace in traces))
        self._redraw()

    def set_time_ms(self, time_ms: float | None) -> None:
        """Put the cursor at a time after the first sample, or take it away."""
        self._time_ms = time_ms
        self.update()

    def set_view(self, layout: str, scale: PaperScale) -> None:
        """Lay the leads out in another way of `LAYOUTS`, or `AUTOMATIC`, at another scale."""
        self._layout, self._scale = layout, scale
        self._redraw()

    def set_marks(self, waves: WaveBoundaries | None, difference: EcgDifference | None) -> None:
        """Mark the waves of a beat, and shade how it changed; None for no such mark."""
        self._waves, self._difference = waves, difference
        self._redraw()

    def paper(self) -> Paper:
        """Lay the leads out in the widget's present size."""
        bottom_px = WAVES_PX if self._waves is not None else 0.0
        return lay_out(self._layout, (self.width(), self.height()), self._extent_mv, self._scale, bottom_px)

    def panels(self) -> tuple[LeadPanel, ...]:
        """Return each lead with its curves, for calipers; the curve on top comes first."""
        paper = self.paper()
        return tuple(
            LeadPanel(name, paper.area(name), *paper.places[name], paper.px_per_ms, paper.px_per_mv, 0.0, curves)
            for name in paper.places
            if (curves := self._curves(LEAD_NAMES.index(name)))
        )

    def _curves(self, row: int) -> tuple[LeadCurve, ...]:
        return tuple(
            LeadCurve(trace.label, self._color_of(trace), trace.signal_mv[row], trace.sampling_rate_hz)
            for trace in reversed(self._traces)
            if not np.isnan(trace.signal_mv[row]).any()
        )

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
        left = max((one for one in paper.lefts if one <= x), default=paper.lefts[0])
        time_ms = (x - left) / paper.px_per_ms
        if 0.0 <= time_ms <= SHOWN_MS:
            self.time_requested.emit(time_ms)

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw the leads, which are kept as a picture while only the cursor moves, and the cursor."""
        ratio = self.devicePixelRatioF()
        if self._picture is None or self._picture.size() != self.size() * ratio:
            self._picture = QPixmap(self.size() * ratio)
            self._picture.setDevicePixelRatio(ratio)
            drawn = QPainter(self._picture)
            self.render_to(drawn)
            drawn.end()
        painter = QPainter(self)
        painter.drawPixmap(0, 0, self._picture)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        self._paint_cursor(painter, self.paper())
        painter.end()

    def _redraw(self) -> None:
        self._picture = None
        self.update()

    def render_to(self, painter: QPainter) -> None:
        """Draw everything but the cursor with any painter, for the screen or a file."""
        paper = self.paper()
        left, zero = next(iter(paper.places.values()))
        paint_grid(painter, self, self._theme, paper.px_per_mm, left, zero)
        if self._difference is not None:
            paint_difference(painter, self._theme, paper, self._difference)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        if self._waves is not None:
            paint_waves(painter, self, self._theme, paper, self._waves)
        for trace in self._traces:
            self._paint_trace(painter, paper, trace)
        self._paint_names(painter, paper)
        if self._difference is not None:
            self._paint_changes(painter, paper, self._difference)
        self._paint_legend(painter)

    def _paint_trace(self, painter: QPainter, paper: Paper, trace: EcgTrace) -> None:
        painter.setPen(QPen(self._color_of(trace), trace.width_px))
        n_shown = int(SHOWN_MS * trace.sampling_rate_hz / 1000.0)
        times_ms = np.arange(trace.signal_mv.shape[1])[:n_shown] * (1000.0 / trace.sampling_rate_hz)
        for name, (left, zero) in paper.places.items():
            signal_mv = trace.signal_mv[LEAD_NAMES.index(name)][:n_shown].clip(-paper.extent_mv[1], paper.extent_mv[0])
            if not np.isnan(signal_mv).any():
                x, y = bent(left + times_ms * paper.px_per_ms, zero - signal_mv * paper.px_per_mv)
                painter.drawPolyline(make_polyline(x, y))

    def _color_of(self, trace: EcgTrace) -> QColor:
        if trace.color is None:
            return self._theme.color("text")
        return line_color(trace.color, self._theme)

    def _paint_names(self, painter: QPainter, paper: Paper) -> None:
        painter.setFont(small_font(self, 0.95, is_bold=True))
        painter.setPen(self._theme.color("text"))
        for name, (left, zero) in paper.places.items():
            painter.drawText(QPointF(left, zero - 4 * paper.px_per_mm), name)

    def _paint_changes(self, painter: QPainter, paper: Paper, difference: EcgDifference) -> None:
        """Write the largest change of each lead below the end of its trace, where little else is."""
        painter.setFont(small_font(self, 0.85))
        painter.setPen(self._theme.color("text"))
        for name, (left, zero) in paper.places.items():
            line = QRectF(left, zero + 1, SHOWN_MS * paper.px_per_ms, CHANGE_PX)
            change_mv = difference.largest_mv[LEAD_NAMES.index(name)]
            if abs(change_mv) < LEAST_CHANGE_MV:
                continue
            unit = " mV" if line.width() >= LEAST_UNIT_PX else ""
            painter.drawText(line, Qt.AlignmentFlag.AlignRight, f"{change_mv:+.2f}{unit}")

    def _paint_cursor(self, painter: QPainter, paper: Paper) -> None:
        if self._time_ms is None:
            return
        painter.setPen(QPen(self._theme.color("accent", 0.9), 1.4))
        names_px = self.height() if self._waves is None else waves_top(paper)
        for left in paper.lefts:
            x = left + self._time_ms * paper.px_per_ms
            painter.drawLine(QPointF(x, TOP_PX), QPointF(x, names_px))

    @property
    def n_named(self) -> int:
        """How many ECGs the legend has room to name; of many it names some and counts the rest."""
        fitting = int((self.width() - SCALE_PX) / (LEAST_LABEL_PX + 42))
        n_traces = len(self._traces)
        return n_traces if n_traces <= max(MOST_LABELLED, fitting) else max(1, fitting - 1)

    def _paint_legend(self, painter: QPainter) -> None:
        painter.fillRect(QRectF(0, 0, self.width(), TOP_PX), self._theme.color("paper"))
        painter.setFont(small_font(self, 0.92))
        words, left = painter.fontMetrics(), 8.0
        n_named = self.n_named
        room = (self.width() - SCALE_PX) / max(1, n_named) - 40
        middle = Qt.AlignmentFlag.AlignVCenter
        for trace in self._traces[::-1][:n_named]:
            painter.setPen(QPen(self._color_of(trace), trace.width_px + 0.6))
            painter.drawLine(QPointF(left, TOP_PX / 2), QPointF(left + 18, TOP_PX / 2))
            painter.setPen(self._theme.color("text"))
            fits = words.horizontalAdvance(trace.label) <= room
            short = trace.label if fits or room > 160 else trace.label.split(":")[0]
            label = words.elidedText(short, Qt.TextElideMode.ElideRight, int(max(LEAST_LABEL_PX, room)))
            painter.drawText(QRectF(left + 24, 0, self.width(), TOP_PX), middle, label)
            left += 24 + words.horizontalAdvance(label) + 18
        if n_named < len(self._traces):
            more = f"and {len(self._traces) - n_named} more"
            painter.drawText(QRectF(left, 0, self.width(), TOP_PX), middle, more)
            left += words.horizontalAdvance(more) + 18
        painter.setPen(self._theme.color("muted"))
        right = Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignRight
        difference = self._difference
        is_told = difference is not None and np.abs(difference.largest_mv).max() >= LEAST_CHANGE_MV
        changed = f"Changed from the origin by up to {difference}      " if is_told else ""
        for said in (f"{changed}{self._scale}", str(self._scale)):
            if left + words.horizontalAdvance(said) < self.width() - 8:
                painter.drawText(QRectF(0, 0, self.width() - 8, TOP_PX), right, said)
                break


def _needed_mv(traces: tuple[EcgTrace, ...]) -> tuple[float, float]:
    """Room that traces need above and below zero."""
    rooms = [(LEAST_UP_MV, LEAST_DOWN_MV), *(extent_mv(trace.signal_mv) for trace in traces)]
    return min(MOST_MV, max(up for up, _ in rooms)), min(MOST_MV, max(down for _, down in rooms))
