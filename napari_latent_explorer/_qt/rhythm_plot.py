"""A rhythm strip as a clinic prints it: three rows of four leads, 2.5 s each, over ten seconds of lead II.

The columns follow one another in time, so that a beat stands once on the page and once in the strip below. A page that
is wider than its 250 mm, at the scale that its height allows, holds more of a long recording, a very narrow one less.
Each lead is moved to its own zero line by its median over the page: amplifiers add an offset, and paper has no room for
it.
"""

import numpy as np
from numpy.typing import NDArray
from qtpy.QtCore import QPointF, QRectF, QSize, Qt, Signal
from qtpy.QtGui import QKeyEvent, QPainter, QPaintEvent, QPen, QPolygonF, QResizeEvent, QWheelEvent
from qtpy.QtWidgets import QScrollBar, QSizePolicy, QVBoxLayout, QWidget

from napari_latent_explorer._qt.ecg_layout import AUTOMATIC, LAYOUTS
from napari_latent_explorer._qt.ecg_panel import LeadCurve, LeadPanel
from napari_latent_explorer._qt.ecg_paper import CLINICAL_SCALE, PaperScale, extent_mv, paint_grid
from napari_latent_explorer._qt.polyline import make_polyline
from napari_latent_explorer._qt.theme import DARK, Theme, small_font
from napari_latent_explorer.data.ecg import ECG, LEAD_NAMES

PAGE_MM = 250.0
"""Ten seconds at 25 mm/s."""
LEAST_PX_PER_MM = 1.9
"""A page that is too narrow for its 250 mm at this size holds less time."""
SCROLL_STEP_MS = 1000.0
LOOKED_AT_MS = 60_000.0
"""How much of a recording decides about the scale; a day of it would take seconds to look at."""
CLINICAL, NARROW = "3 x 4", "12 x 1"
NARROW_PX = (420, 300)
"""A page that is less wide and at least so high has its leads below each other."""
STRIP_LEADS = ("II", "I", "V5", "V1")
"""The first that there is, is drawn over the whole page."""
LEAST_MV, MOST_MV = 0.5, 2.0
SMALL_HEIGHT_PX = 150
TOP_PX, SIDE_PX = 20, 8
_ROW_SHARES = (0.6, 1.0)
"""Least and most height of a row, as a part of what the largest lead needs; neighbours may overlap, as on paper."""
_NAME_MM = 5.5


class QtRhythmStrip(QWidget):
    """The page, and a scroll bar where the recording is longer than one.

    Parameters
    ----------
    parent
        Qt parent.
    """

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._duration_ms = 0.0
        self.page = QtRhythmPage(self)
        self.bar = QScrollBar(Qt.Orientation.Horizontal, self)
        self.bar.setAccessibleName("Time in the rhythm strip")
        self.bar.setToolTip("Move through the recording; Left and Right on the page do the same")
        self.bar.valueChanged.connect(self.page.set_start_ms)
        self.page.length_changed.connect(self._set_range)
        self.page.scroll_requested.connect(lambda by_ms: self.bar.setValue(round(self.bar.value() + by_ms)))
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addWidget(self.page, 1)
        layout.addWidget(self.bar)
        self.bar.hide()

    def set_ecg(self, ecg: ECG | None, label: str = "") -> None:
        """Show a recording from its beginning, or nothing."""
        self._duration_ms = ecg.duration_ms if ecg is not None else 0.0
        self.page.set_ecg(ecg, label)
        self.bar.setValue(0)
        self._set_range()

    def set_theme(self, theme: Theme) -> None:
        """Redraw in other colours."""
        self.page.set_theme(theme)

    def _set_range(self) -> None:
        hidden_ms = max(0.0, self._duration_ms - self.page.length_ms)
        self.bar.setRange(0, int(np.ceil(hidden_ms)))
        self.bar.setSingleStep(round(SCROLL_STEP_MS))
        self.bar.setPageStep(round(self.page.length_ms))
        self.bar.setVisible(hidden_ms > 0)


class QtRhythmPage(QWidget):
    """Ten seconds or more of twelve leads on millimetre paper.

    Parameters
    ----------
    parent
        Qt parent.
    """

    scroll_requested = Signal(float)
    """By how many ms the user wants to go on."""
    length_changed = Signal()
    """The page holds another stretch of time."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._lead_mv: dict[str, NDArray[np.float32]] = {}
        self._rate_hz, self._duration_ms = 1.0, 0.0
        self._label = ""
        self._up_mv = self._down_mv = LEAST_MV
        self._start_ms, self._length_ms = 0.0, PAGE_MM / CLINICAL_SCALE.mm_per_ms
        self._layout = AUTOMATIC
        self._theme, self._scale = DARK, CLINICAL_SCALE
        self._lines: list[QPolygonF] | None = None
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setMinimumSize(200, 90)
        self.setAccessibleName("Rhythm strip")
        self.setToolTip("As recorded; each lead is centred on its median. Columns follow one another in time.")

    @property
    def label(self) -> str:
        """What is drawn, for people."""
        return self._label

    @property
    def scale(self) -> PaperScale:
        """Millimetres of time and voltage."""
        return self._scale

    @property
    def length_ms(self) -> float:
        """How much time the page holds."""
        return self._length_ms

    @property
    def shown_leads(self) -> tuple[str, ...]:
        """Leads of the recording that have a place on the page, the long strip's first."""
        places = [name for name, *_ in self._segments()]
        return tuple(dict.fromkeys(reversed(places)))

    def sizeHint(self) -> QSize:
        """Room for four rows."""
        return QSize(700, 240)

    def set_ecg(self, ecg: ECG | None, label: str) -> None:
        """Draw the beginning of a recording, or nothing."""
        self._lead_mv = {}
        if ecg is not None:
            self._rate_hz, self._duration_ms = ecg.sampling_rate_hz, ecg.duration_ms
            rows = dict(zip(ecg.lead_names, ecg.signal_mv, strict=True))
            self._lead_mv = {name: rows[name] for name in LEAD_NAMES if name in rows}
        looked_at = slice(round(LOOKED_AT_MS * self._rate_hz / 1000.0))
        beginnings = [lead[looked_at] for lead in self._lead_mv.values()]
        extents = [extent_mv(lead - np.nanmedian(lead)) for lead in beginnings if np.isfinite(lead).any()]
        ups, downs = zip((LEAST_MV, LEAST_MV), *extents, strict=True)
        self._up_mv, self._down_mv = min(MOST_MV, max(ups)), min(MOST_MV, max(downs))
        self._label = label
        self.setAccessibleDescription(label)
        self.set_start_ms(0.0)
        self._set_length()

    def set_start_ms(self, start_ms: float) -> None:
        """Draw from here."""
        self._start_ms = float(start_ms)
        self._lines = None
        self.update()

    def set_theme(self, theme: Theme) -> None:
        """Redraw in other colours."""
        self._theme = theme
        self.update()

    def set_view(self, layout: str, scale: PaperScale) -> None:
        """Lay the leads out in another way of `LAYOUTS`, or `AUTOMATIC`, at another scale."""
        self._layout, self._scale = layout, scale
        self._set_length()
        self.update()

    def show_same(self, other: "QtRhythmPage", label: str) -> None:
        """Show the page that another one shows, under another name."""
        self._lead_mv, self._rate_hz, self._duration_ms = other._lead_mv, other._rate_hz, other._duration_ms
        self._up_mv, self._down_mv, self._start_ms = other._up_mv, other._down_mv, other._start_ms
        self._label = label
        self.set_view(CLINICAL if other._layout == AUTOMATIC else other._layout, other._scale)

    def panels(self) -> tuple[LeadPanel, ...]:
        """Return each piece of a lead on the page, for calipers; leads with gaps on the page are left out."""
        px_per_mm, zeros = self.paper()
        px_per_ms, px_per_mv = self._scale.mm_per_ms * px_per_mm, self._scale.mm_per_mv * px_per_mm
        panels = []
        for name, row, begin_ms, end_ms in self._segments():
            page_mv = self._page_mv(name)
            if page_mv.size and np.isfinite(page_mv).all():
                left = SIDE_PX + begin_ms * px_per_ms
                up, down = self._up_mv * px_per_mv, self._down_mv * px_per_mv
                area = QRectF(left, zeros[row] - up, (end_ms - begin_ms) * px_per_ms, up + down)
                zero = zeros[row] + float(np.median(page_mv)) * px_per_mv
                curve = LeadCurve(self._label, self._theme.color("text"), self._lead_mv[name], self._rate_hz)
                begins_at_ms = self._start_ms + begin_ms
                panels.append(LeadPanel(name, area, left, zero, px_per_ms, px_per_mv, begins_at_ms, (curve,)))
        return tuple(panel for panel in panels if panel.end_ms > panel.begin_ms)

    def needed_mm(self) -> tuple[float, float]:
        """Width and height in millimetres of clinical paper that holds the page."""
        return PAGE_MM, (_ROW_SHARES[0] * (len(self._rows()) - 1) + 1.0) * self._lead_mm()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Left and Right move through time."""
        steps: dict[int, float] = {Qt.Key.Key_Left: -SCROLL_STEP_MS, Qt.Key.Key_Right: SCROLL_STEP_MS}
        if event.key() in steps:
            self.scroll_requested.emit(steps[event.key()])
        else:
            super().keyPressEvent(event)

    def wheelEvent(self, event: QWheelEvent) -> None:
        """Turn the wheel to move through time."""
        turns = (event.angleDelta().y() or event.angleDelta().x()) / 120.0
        self.scroll_requested.emit(-turns * SCROLL_STEP_MS)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Lay out anew."""
        super().resizeEvent(event)
        self._set_length()

    # ---- layout

    def _strip_lead(self) -> str | None:
        return next((name for name in STRIP_LEADS if name in self._lead_mv), None)

    def _rows(self) -> tuple[tuple[str, ...], ...]:
        strip = self._strip_lead()
        is_narrow = self.width() < NARROW_PX[0] and self.height() >= NARROW_PX[1]
        chosen = NARROW if is_narrow else CLINICAL
        rows = LAYOUTS[chosen if self._layout == AUTOMATIC else self._layout]
        below = ((strip,),) if strip is not None and len(rows[0]) > 1 else ()
        return below if below and self.height() < SMALL_HEIGHT_PX else (*rows, *below)

    def _segments(self) -> list[tuple[str, int, float, float]]:
        """Name, row, and begin and end in ms after the page's begin of each piece that is drawn."""
        segments = []
        for row, names in enumerate(self._rows()):
            length_ms = self._length_ms / len(names)
            pieces = [(name, row, column * length_ms, (column + 1) * length_ms) for column, name in enumerate(names)]
            segments += [piece for piece in pieces if piece[0] in self._lead_mv]
        return segments

    def _window_mv(self, name: str, begin_ms: float, end_ms: float) -> NDArray[np.float32]:
        """Signal of a lead in a part of the page, about its median over the whole page."""
        page, piece = self._page_mv(name), self._lead_mv[name][self._sample(begin_ms) : self._sample(end_ms) + 1]
        centred: NDArray[np.float32] = piece - np.nanmedian(page) if np.isfinite(page).any() else piece[:0]
        return centred

    def _page_mv(self, name: str) -> NDArray[np.float32]:
        return self._lead_mv[name][self._sample(0.0) : self._sample(self._length_ms)]

    def _sample(self, page_ms: float) -> int:
        return round((self._start_ms + page_ms) * self._rate_hz / 1000.0)

    def _set_length(self) -> None:
        """Let the page hold what its width has room for, its 250 mm at least, and no more than there is."""
        rows = max(1, len(self._rows()))
        px_per_mm = self._height_px() / ((_ROW_SHARES[0] * (rows - 1) + 1.0) * self._lead_mm())
        fits_ms = (self.width() - 2 * SIDE_PX) / (self._scale.mm_per_ms * px_per_mm)
        page_mm = min(PAGE_MM, (self.width() - 2 * SIDE_PX) / LEAST_PX_PER_MM)
        length_ms = max(page_mm / self._scale.mm_per_ms, min(fits_ms, self._duration_ms))
        self._lines = None
        if length_ms != self._length_ms:
            self._length_ms = length_ms
            self.length_changed.emit()

    def _height_px(self) -> float:
        return max(1.0, float(self.height()) - TOP_PX - 6)

    def _lead_mm(self) -> float:
        """Height that the largest lead needs."""
        return (self._up_mv + self._down_mv) * self._scale.mm_per_mv

    def paper(self) -> tuple[float, list[float]]:
        """Pixels of a millimetre, and the zero line of each row."""
        rows = max(1, len(self._rows()))
        height, lead_mm = self._height_px(), self._lead_mm()
        least_mm, most_mm = (share * lead_mm for share in _ROW_SHARES)
        px_per_mm = (self.width() - 2 * SIDE_PX) / (self._length_ms * self._scale.mm_per_ms)
        px_per_mm = min(px_per_mm, height / (least_mm * (rows - 1) + lead_mm))
        row_mm = min(most_mm, max(least_mm, (height / px_per_mm - lead_mm) / max(1, rows - 1)))
        total_mm = row_mm * (rows - 1) + lead_mm
        top = TOP_PX + max(0.0, height - total_mm * px_per_mm) / 2
        return px_per_mm, [
            top + (self._up_mv * self._scale.mm_per_mv + row * row_mm) * px_per_mm for row in range(rows)
        ]

    # ---- painting

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw paper, leads and their names."""
        painter = QPainter(self)
        self.render_to(painter)
        painter.end()

    def render_to(self, painter: QPainter) -> None:
        """Draw everything with any painter, for the screen or a file."""
        px_per_mm, zeros = self.paper()
        paint_grid(painter, self, self._theme, px_per_mm, SIDE_PX, zeros[0])
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        if self._lines is None:
            self._lines = [self._line(segment, px_per_mm, zeros) for segment in self._segments()]
        pen = QPen(self._theme.color("text"), 1)
        pen.setCosmetic(True)  # wider lines take Qt fifty times as long
        painter.setPen(pen)
        for line in self._lines:
            painter.drawPolyline(line)
        self._paint_words(painter, px_per_mm, zeros)

    def _line(self, segment: tuple[str, int, float, float], px_per_mm: float, zeros: list[float]) -> QPolygonF:
        name, row, begin_ms, end_ms = segment
        signal_mv = self._window_mv(name, begin_ms, end_ms)
        times_ms = begin_ms + np.arange(signal_mv.size) * 1000.0 / self._rate_hz
        x = np.asarray(SIDE_PX + times_ms * self._scale.mm_per_ms * px_per_mm, np.float64)
        y = np.asarray(zeros[row] - signal_mv * self._scale.mm_per_mv * px_per_mm, np.float64)
        is_known = np.isfinite(y)
        return make_polyline(*envelope(x[is_known], y[is_known]))

    def _paint_words(self, painter: QPainter, px_per_mm: float, zeros: list[float]) -> None:
        painter.setPen(self._theme.color("text"))
        painter.setFont(small_font(self, 0.95, is_bold=True))
        for name, row, begin_ms, _ in self._segments():
            left = SIDE_PX + begin_ms * self._scale.mm_per_ms * px_per_mm
            painter.drawLine(QPointF(left, zeros[row] - 2 * px_per_mm), QPointF(left, zeros[row] + 2 * px_per_mm))
            painter.drawText(QPointF(left + 3, zeros[row] - _NAME_MM * px_per_mm), name)
        painter.fillRect(QRectF(0, 0, self.width(), TOP_PX), self._theme.color("paper"))
        painter.setFont(small_font(self, 0.92))
        words = painter.fontMetrics()
        end_s = (self._start_ms + self._length_ms) / 1000.0
        scale = f"{self._start_ms / 1000.0:.1f} to {end_s:.1f} s   {self._scale}"
        room = self.width() - words.horizontalAdvance(scale) - 4 * SIDE_PX
        label = words.elidedText(self._label, Qt.TextElideMode.ElideRight, max(0, room))
        top = QRectF(SIDE_PX, 0, self.width() - 2 * SIDE_PX, TOP_PX)
        painter.drawText(top, Qt.AlignmentFlag.AlignVCenter, label)
        painter.setPen(self._theme.color("muted"))
        painter.drawText(top, Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignRight, scale)


def envelope(x: NDArray[np.float64], y: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Lowest and highest point in each column of pixels, in the order in which they come; short lines are kept.

    What is drawn is the same to the pixel, and a strip at 1000 Hz costs no more than one at 100 Hz.
    """
    columns = np.floor(x).astype(np.intp)
    starts = np.flatnonzero(np.r_[True, np.diff(columns) > 0]) if x.size else np.zeros(0, np.intp)
    if 2 * starts.size >= x.size:
        return x, y
    low, high = np.minimum.reduceat(y, starts), np.maximum.reduceat(y, starts)
    falls = y[starts] > y[np.r_[starts[1:], y.size] - 1]
    pairs = np.where(falls[:, None], np.stack([high, low], axis=1), np.stack([low, high], axis=1))
    return np.repeat(x[starts], 2), pairs.ravel()
