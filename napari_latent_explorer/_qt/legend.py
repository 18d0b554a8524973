"""What the colours of the maps mean: swatches, or a colour scale with its ends."""

from html import escape

import numpy as np
from qtpy.QtCore import QPointF, QRectF, QSize, Qt
from qtpy.QtGui import QLinearGradient, QPainter, QPaintEvent
from qtpy.QtWidgets import QSizePolicy, QWidget

from napari_latent_explorer._qt.numbers import format_value
from napari_latent_explorer._qt.theme import DARK, Theme, small_font, to_qcolor
from napari_latent_explorer.session.coloring import ContinuousLegend, Legend, LegendEntry, viridis

SWATCH_PX = 9
GAP_PX = 14
N_STOPS = 12
MIN_BAR_PX, MAX_BAR_PX = 60.0, 160.0


class QtLegend(QWidget):
    """Legend of the maps; wraps its entries to the width that it has."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._legend: Legend = ()
        self._theme = DARK
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Minimum)
        policy = self.sizePolicy()
        policy.setHeightForWidth(True)
        self.setSizePolicy(policy)
        self.setAccessibleName("Legend of the maps")

    def set_theme(self, theme: Theme) -> None:
        """Repaint in other colours."""
        self._theme = theme
        self.update()

    def set_legend(self, legend: Legend) -> None:
        """Show another legend."""
        self._legend = legend
        names = [entry.label for entry in legend] if isinstance(legend, tuple) else [legend.title]
        self.setAccessibleDescription(", ".join(names))
        self.setToolTip("" if isinstance(legend, tuple) else f"<span>{escape(legend.title)}</span>")
        self.updateGeometry()
        self.update()

    def sizeHint(self) -> QSize:
        """As high as its lines at the present width."""
        return QSize(180, self.heightForWidth(max(180, self.width())))

    def hasHeightForWidth(self) -> bool:
        """Its height follows from its width."""
        return True

    def heightForWidth(self, width: int) -> int:
        """Height of its lines in pixels."""
        if isinstance(self._legend, ContinuousLegend):
            return self._line_height()
        n_lines = 1 + max((line for _, line in self._places(width)), default=0)
        return n_lines * self._line_height()

    def _line_height(self) -> int:
        return int(self.fontMetrics().height()) + 4

    def _places(self, width: float) -> list[tuple[float, int]]:
        """Left edge and line of each entry."""
        places, left, line = [], 0.0, 0
        for entry in self._legend if isinstance(self._legend, tuple) else ():
            needed = self._entry_width(entry, width)
            if left and left + needed > width:
                left, line = 0.0, line + 1
            places.append((left, line))
            left += needed + GAP_PX
        return places

    def _entry_width(self, entry: LegendEntry, width: float) -> float:
        return float(min(SWATCH_PX + 6 + self.fontMetrics().horizontalAdvance(entry.label), width))

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw it."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setFont(small_font(self, 0.95))
        if isinstance(self._legend, ContinuousLegend):
            self._paint_scale(painter, self._legend)
        else:
            for entry, (left, line) in zip(self._legend, self._places(self.width()), strict=True):
                self._paint_entry(painter, entry, left, line * self._line_height())
        painter.end()

    def _paint_entry(self, painter: QPainter, entry: LegendEntry, left: float, top: float) -> None:
        height = self._line_height()
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(to_qcolor(entry.color))
        painter.drawEllipse(QRectF(left, top + (height - SWATCH_PX) / 2, SWATCH_PX, SWATCH_PX))
        painter.setPen(self._theme.color("text"))
        room = self._entry_width(entry, self.width()) - SWATCH_PX - 5
        label = painter.fontMetrics().elidedText(entry.label, Qt.TextElideMode.ElideRight, int(room) + 1)
        painter.drawText(QRectF(left + SWATCH_PX + 5, top, room + 2, height), Qt.AlignmentFlag.AlignVCenter, label)

    def _paint_scale(self, painter: QPainter, legend: ContinuousLegend) -> None:
        words, height = painter.fontMetrics(), self._line_height()
        painter.setPen(self._theme.color("text"))
        vertical = Qt.AlignmentFlag.AlignVCenter
        low, high = format_value(legend.low), format_value(legend.high)
        ends = words.horizontalAdvance(low) + words.horizontalAdvance(high) + 24
        room = self.width() - ends - words.horizontalAdvance(legend.title)
        bar_width = min(MAX_BAR_PX, max(MIN_BAR_PX, room))
        title_room = max(0.0, self.width() - bar_width - ends)
        title = words.elidedText(legend.title, Qt.TextElideMode.ElideRight, int(title_room))
        painter.drawText(QRectF(0, 0, title_room, height), vertical, title)
        left = min(float(words.horizontalAdvance(title)), title_room) + 12
        painter.drawText(QPointF(left, height / 2 + words.ascent() / 2 - 1), low)
        left += words.horizontalAdvance(low) + 6
        bar = QRectF(left, height / 2 - 4, bar_width, 8)
        gradient = QLinearGradient(bar.topLeft(), bar.topRight())
        for stop in np.linspace(0.0, 1.0, N_STOPS):
            gradient.setColorAt(float(stop), to_qcolor(tuple(viridis(np.array([stop]))[0])))
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(gradient)
        painter.drawRoundedRect(bar, 3, 3)
        painter.setPen(self._theme.color("text"))
        painter.drawText(QPointF(bar.right() + 6, height / 2 + words.ascent() / 2 - 1), high)
