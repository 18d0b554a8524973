"""A slider along a direction, with the phenotype's unit below and standard deviations above.

The amount itself is in standard deviations; what one of them is in the unit is only written. The band is where 90 % of
the cohort are. Double-click, or Home, takes the walk back.
"""

import numpy as np
from qtpy.QtCore import QPointF, QRectF, QSize, Qt, Signal
from qtpy.QtGui import QKeyEvent, QMouseEvent, QPainter, QPaintEvent, QPen
from qtpy.QtWidgets import QSizePolicy, QWidget

from napari_latent_explorer._qt.theme import DARK, Theme, small_font
from napari_latent_explorer.data.readable_numbers import readable_step

REACH_SD = 3.0
HALF_BAND_SD = 1.644854
"""90 % of a normal distribution lie within, to both sides."""
MARGIN_PX, TRACK_PX, HANDLE_PX = 26, 5, 7.5
PIXELS_PER_TICK = 46
STEP_SD, LARGE_STEP_SD = 0.1, 1.0


class QtDirectionSlider(QWidget):
    """The slider.

    Parameters
    ----------
    parent
        Qt parent.
    """

    moved = Signal(float)
    """How far the user walks, in standard deviations."""
    drag_began = Signal()
    """The handle is held; all that it is moved until `drag_ended` is one wish."""
    drag_ended = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._amount_sd = 0.0
        self._unit_per_sd, self._unit = 1.0, ""
        self._is_dragged = False
        self._theme = DARK
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setAccessibleName("Walk along the direction")
        self.setToolTip(
            "Drag to walk; double-click or Home to take the walk back.\n"
            "Left and Right walk by 0.1 standard deviations (with Shift 1).\n"
            "Band: where 90 % of the cohort are about their mean."
        )

    def sizeHint(self) -> QSize:
        """Two rows of words and the track between them."""
        return QSize(240, 2 * self.fontMetrics().height() + 26)

    def minimumSizeHint(self) -> QSize:
        """As low as high, but narrower."""
        return QSize(160, self.sizeHint().height())

    def set_theme(self, theme: Theme) -> None:
        """Redraw in other colours."""
        self._theme = theme
        self.update()

    def set_scale(self, unit_per_sd: float, unit: str) -> None:
        """Say what one standard deviation is in the unit; an empty one has no second scale."""
        self._unit_per_sd, self._unit = unit_per_sd, unit
        self.update()

    @property
    def amount_sd(self) -> float:
        """Where the handle is."""
        return self._amount_sd

    def set_amount_sd(self, amount_sd: float) -> None:
        """Show how far the probe has walked."""
        if amount_sd != self._amount_sd:
            self._amount_sd = amount_sd
            self.update()

    def x_of(self, amount_sd: float) -> float:
        """Pixel of an amount; what is beyond the end lies at the end."""
        share = (min(max(amount_sd, -REACH_SD), REACH_SD) + REACH_SD) / (2 * REACH_SD)
        return MARGIN_PX + share * (self.width() - 2 * MARGIN_PX)

    def _amount_at(self, x: float) -> float:
        share = (x - MARGIN_PX) / max(1.0, self.width() - 2.0 * MARGIN_PX)
        amount = (2.0 * min(max(share, 0.0), 1.0) - 1.0) * REACH_SD
        is_near_zero = abs(self.x_of(amount) - self.x_of(0.0)) < 2.5
        return 0.0 if is_near_zero else amount

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Take hold of the handle, or bring it to the pointer."""
        if event.button() == Qt.MouseButton.LeftButton:
            self._is_dragged = True
            self.drag_began.emit()
            if abs(event.position().x() - self.x_of(self._amount_sd)) > HANDLE_PX:
                self.moved.emit(self._amount_at(event.position().x()))

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Walk with the pointer."""
        if self._is_dragged:
            self.moved.emit(self._amount_at(event.position().x()))

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        """Let go."""
        if self._is_dragged:
            self._is_dragged = False
            self.drag_ended.emit()

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        """Take the walk back."""
        self.moved.emit(0.0)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Walk by steps."""
        step = LARGE_STEP_SD if event.modifiers() & Qt.KeyboardModifier.ShiftModifier else STEP_SD
        steps = {Qt.Key.Key_Left: -step, Qt.Key.Key_Right: step}
        if event.key() in steps:
            self.moved.emit(round(self._amount_sd + steps[Qt.Key(event.key())], 9))
        elif event.key() == Qt.Key.Key_Home:
            self.moved.emit(0.0)
        else:
            super().keyPressEvent(event)

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw both scales, the band, and the handle."""
        painter, theme = QPainter(self), self._theme
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setFont(small_font(self, 0.85))
        middle, is_on = self.height() / 2, self.isEnabled()
        painter.setPen(Qt.PenStyle.NoPen)
        left, right = self.x_of(-REACH_SD), self.x_of(REACH_SD)
        painter.setBrush(theme.color("line"))
        painter.drawRoundedRect(QRectF(left, middle - TRACK_PX / 2, right - left, TRACK_PX), 2, 2)
        low, high = self.x_of(-HALF_BAND_SD), self.x_of(HALF_BAND_SD)
        painter.setBrush(theme.color("muted", 0.55))
        painter.drawRoundedRect(QRectF(low, middle - TRACK_PX / 2, high - low, TRACK_PX), 2, 2)
        zero, here = self.x_of(0.0), self.x_of(self._amount_sd)
        if is_on:
            painter.setBrush(theme.color("accent"))
            painter.drawRect(QRectF(min(zero, here), middle - TRACK_PX / 2, abs(here - zero), TRACK_PX))
        self._paint_scale(painter, 1.0, "SD", is_above=True)
        if self._unit:
            self._paint_scale(painter, self._unit_per_sd, self._unit, is_above=False)
        painter.setPen(QPen(theme.color("text"), 1.4))
        painter.drawLine(QPointF(zero, middle - 8), QPointF(zero, middle + 8))
        painter.setPen(QPen(theme.color("text" if self.hasFocus() else "panel"), 1.6))
        painter.setBrush(theme.color("accent" if is_on else "muted"))
        painter.drawEllipse(QPointF(here, middle), HANDLE_PX, HANDLE_PX)
        painter.end()

    def _paint_scale(self, painter: QPainter, per_sd: float, unit: str, is_above: bool) -> None:
        """Draw ticks and words of one scale; the unit stands at the right end."""
        per_sd = abs(per_sd)
        if not per_sd > 0 or not np.isfinite(per_sd):
            return
        metrics, middle = painter.fontMetrics(), self.height() / 2
        n_ticks = max(2.0, (self.width() - 2 * MARGIN_PX) / PIXELS_PER_TICK)
        step = readable_step(2 * REACH_SD * per_sd / n_ticks)
        n_right = int(REACH_SD * per_sd / step + 1e-9)
        top = middle - 11 - metrics.height() if is_above else middle + 10
        painter.setPen(self._theme.color("muted"))
        edge = float(self.width())
        words = QRectF(edge - metrics.horizontalAdvance(unit) - 2, top, metrics.horizontalAdvance(unit) + 2, 20)
        painter.drawText(words, Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignTop, unit)
        for number in range(-n_right, n_right + 1):
            x = self.x_of(number * step / per_sd)
            end = middle - 9 if is_above else middle + 9
            painter.drawLine(QPointF(x, middle - 5 if is_above else middle + 5), QPointF(x, end))
            text = f"{number * step:+g}" if number else "0"
            half = metrics.horizontalAdvance(text) / 2
            if x + half < words.left() - 3:
                place = QRectF(x - half - 1, top, 2 * half + 2, metrics.height())
                painter.drawText(place, Qt.AlignmentFlag.AlignCenter, text)
