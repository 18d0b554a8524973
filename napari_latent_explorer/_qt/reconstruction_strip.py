"""The fixed validation participants after an epoch: what was recorded, and what the model makes of each latent.

A column per participant, pictures above, ECG leads below. Pictures of one participant share their grey scale, so that a
reconstruction that is too dark looks too dark; a lead's curves share their millivolts.
"""

import html

import numpy as np
from numpy.typing import NDArray
from qtpy.QtCore import QEvent, QPointF, QRectF, QSize, Qt
from qtpy.QtGui import QColor, QHelpEvent, QImage, QPainter, QPaintEvent, QPen
from qtpy.QtWidgets import QSizePolicy, QToolTip, QWidget

from napari_latent_explorer._qt.polyline import make_polyline
from napari_latent_explorer._qt.theme import DARK, Theme, small_font
from napari_latent_explorer.modeling.training_reports import STAGE_TITLES, Reconstructions

SOURCES: tuple[tuple[str, str], ...] = (("original", "recorded"), ("mri", "from MRI"), ("ecg", "from ECG"))
"""In the order of the rows, with what people read."""
LABEL_PX, GAP_PX, LEAD_PX = 58.0, 4.0, 44.0
_COLORS = {"mri": ("#6ea8fe", "#2563c9"), "ecg": ("#f2a65a", "#b85c00")}


class QtReconstructionStrip(QWidget):
    """Pictures and curves, painted.

    Parameters
    ----------
    parent
        Qt parent.
    """

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = DARK
        self._shown: Reconstructions | None = None
        self._images: dict[tuple[str, int], QImage] = {}
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setAccessibleName("Reconstructions of validation participants")

    @property
    def shown(self) -> Reconstructions | None:
        """What is shown."""
        return self._shown

    @property
    def caption(self) -> str:
        """After which epoch of which stage."""
        shown = self._shown
        return "" if shown is None else f"After epoch {shown.epoch}, {STAGE_TITLES.get(shown.stage, shown.stage)}"

    def set_theme(self, theme: Theme) -> None:
        """Repaint in other colours."""
        self._theme = theme
        self.update()

    def set_reconstructions(self, shown: Reconstructions | None) -> None:
        """Show these, or nothing."""
        self._shown = shown
        self._images = {}
        if shown is not None:
            for source, cine in shown.cine.items():
                for number, frame in enumerate(cine):
                    low, high = np.quantile(shown.cine["original"][number], [0.01, 0.99])
                    self._images[source, number] = _gray_image(frame, float(low), float(high))
        self.updateGeometry()
        self.update()

    def sizeHint(self) -> QSize:
        """As high as its rows are in the present width."""
        return QSize(300, self._height_for(max(self.width(), 300)))

    def minimumSizeHint(self) -> QSize:
        """Never cut a row."""
        return QSize(200, self._height_for(max(self.width(), 200)))

    def resizeEvent(self, event: object) -> None:
        """Take another height with another width."""
        self.updateGeometry()

    def _height_for(self, width: float) -> int:
        if self._shown is None:
            return 0
        line = self.fontMetrics().height()
        pictures = len(self._picture_rows()) * (self._cell_px(width) + GAP_PX)
        return int(2 * line + GAP_PX + pictures + len(self._lead_rows()) * (LEAD_PX + GAP_PX))

    def _cell_px(self, width: float) -> float:
        n = max(1, len(self._shown.participant_ids)) if self._shown is not None else 1
        return float(min(120.0, max(20.0, (width - LABEL_PX) / n - GAP_PX)))

    def _picture_rows(self) -> list[tuple[str, str]]:
        return [(source, words) for source, words in SOURCES if self._shown and source in self._shown.cine]

    def _lead_rows(self) -> tuple[str, ...]:
        return self._shown.leads if self._shown is not None and self._shown.ecg else ()

    def _color_of(self, source: str) -> QColor:
        if source == "original":
            return self._theme.color("text")
        return QColor(_COLORS[source][0 if self._theme.is_dark else 1])

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw caption, ids, pictures and curves."""
        shown = self._shown
        if shown is None:
            return
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
        painter.setFont(small_font(self, 0.85))
        line, cell = float(self.fontMetrics().height()), self._cell_px(self.width())
        painter.setPen(self._theme.color("muted"))
        painter.drawText(QRectF(0, 0, self.width(), line), Qt.AlignmentFlag.AlignLeft, self.caption)
        painter.setPen(self._theme.color("text"))
        for number, name in enumerate(shown.participant_ids):
            place = QRectF(self._left_of(number), line, cell, line)
            words = painter.fontMetrics().elidedText(name, Qt.TextElideMode.ElideMiddle, int(cell))
            painter.drawText(place, Qt.AlignmentFlag.AlignHCenter, words)
        top = 2 * line + GAP_PX
        for source, words in self._picture_rows():
            self._paint_label(painter, words, self._color_of(source), QRectF(0, top, LABEL_PX - 4, cell))
            for number in range(len(shown.participant_ids)):
                painter.drawImage(QRectF(self._left_of(number), top, cell, cell), self._images[source, number])
            top += cell + GAP_PX
        for row, lead in enumerate(self._lead_rows()):
            place = QRectF(0, top, LABEL_PX - 4, LEAD_PX)
            self._paint_label(painter, f"lead {lead}", self._theme.color("muted"), place)
            for number in range(len(shown.participant_ids)):
                self._paint_lead(painter, shown, row, number, QRectF(self._left_of(number), top, cell, LEAD_PX))
            top += LEAD_PX + GAP_PX
        painter.end()

    def _left_of(self, number: int) -> float:
        return LABEL_PX + number * (self._cell_px(self.width()) + GAP_PX)

    def _paint_label(self, painter: QPainter, words: str, color: QColor, place: QRectF) -> None:
        painter.setPen(color)
        flags = Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter
        painter.drawText(place, flags | Qt.TextFlag.TextWordWrap, words)

    def _paint_lead(self, painter: QPainter, shown: Reconstructions, row: int, number: int, place: QRectF) -> None:
        painter.fillRect(place, self._theme.color("paper"))
        original = shown.ecg["original"][number, row]
        low, high = float(original.min()), float(original.max())
        room = 0.15 * max(high - low, 1e-6)
        low, high = low - room, high + room
        painter.setBrush(Qt.BrushStyle.NoBrush)
        x = place.left() + np.arange(len(original)) / max(1, len(original) - 1) * place.width()
        for source, _ in SOURCES:
            if source in shown.ecg:
                values = np.nan_to_num(shown.ecg[source][number, row])
                part = np.clip((values - low) / (high - low), 0.0, 1.0)
                painter.setPen(QPen(self._color_of(source), 1.0))
                painter.drawPolyline(make_polyline(x, place.bottom() - part * place.height()))

    def event(self, event: QEvent) -> bool:
        """Say whose picture or curve is under the mouse."""
        if isinstance(event, QHelpEvent) and event.type() == QEvent.Type.ToolTip:
            QToolTip.showText(event.globalPos(), self.words_at(QPointF(event.pos())), self)
            return True
        return super().event(event)

    def words_at(self, place: QPointF) -> str:
        """Whole id of the participant at a place; empty where there is none."""
        cell = self._cell_px(self.width())
        for number, name in enumerate(self._shown.participant_ids if self._shown is not None else ()):
            if self._left_of(number) <= place.x() <= self._left_of(number) + cell:
                return html.escape(name)  # a tool tip may take it for markup
        return ""


def _gray_image(frame: NDArray[np.float32], low: float, high: float) -> QImage:
    """Make Qt's picture of a frame ``(n_rows, n_columns)`` on a grey scale from `low` to `high`."""
    scaled = np.clip((frame - low) / max(high - low, 1e-6), 0.0, 1.0)
    gray = np.ascontiguousarray(np.nan_to_num(scaled) * 255, dtype=np.uint8)
    rows, columns = gray.shape
    return QImage(gray.tobytes(), columns, rows, columns, QImage.Format.Format_Grayscale8).copy()
