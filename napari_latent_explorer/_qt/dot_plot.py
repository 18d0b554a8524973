"""A latent vector as dots: one line per dimension, the value across, the cohort's range behind it.

A dot is dragged sideways; the hollow ring stays where it began. The arrows choose a dimension and move it, R takes it
back, L locks it. Only the lines in view are painted, so the number of dimensions costs nothing.
"""

import numpy as np
from numpy.typing import NDArray
from qtpy.QtCore import QPointF, QRectF, Qt, Signal
from qtpy.QtGui import QColor, QHideEvent, QKeyEvent, QMouseEvent, QPainter, QPaintEvent, QPen, QResizeEvent
from qtpy.QtWidgets import QAbstractScrollArea, QFrame, QWidget

from napari_latent_explorer._qt.theme import DARK, Theme, line_color, small_font, to_rgba
from napari_latent_explorer.data.readable_numbers import readable_step

NAME_WIDTH_PX, VALUE_WIDTH_PX = 46, 58
AXIS_HEIGHT_PX = 20
DOT_PX = 4.5
BAND_PERCENTILES = (5.0, 50.0, 95.0)
ROOM_AROUND_BAND = 1.0
"""The axis reaches this many half-widths of the widest band beyond it, to both sides."""


class QtDotPlot(QAbstractScrollArea):
    """The dots.

    Parameters
    ----------
    parent
        Qt parent.
    """

    moved = Signal(int, float)
    """Dimension and the value that the user gave it."""
    drag_began = Signal()
    """A dot is held; all that it is moved until `drag_ended` is one wish."""
    drag_ended = Signal()
    reset_requested = Signal(int)
    lock_requested = Signal(int)
    """A dimension that is to be locked, or unlocked if it is."""
    current_changed = Signal(int)
    """Dimension on which the keys act."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._origin: NDArray[np.float32] = np.zeros(0, np.float32)
        self._vector = self._origin
        self._bands: NDArray[np.float64] = np.zeros((3, 0))
        self._order: NDArray[np.intp] = np.zeros(0, np.intp)
        self._group_bands: NDArray[np.float64] | None = None
        self._group_color = QColor()
        self._influence: NDArray[np.float64] | None = None
        self._locked: frozenset[int] = frozenset()
        self._limits = (-1.0, 1.0)
        self._current = 0
        self._dragged: int | None = None
        self._theme = DARK
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setAccessibleName("Latent dimensions")
        self.setToolTip(
            "Drag a dot to move one latent dimension; double-click it to take it back.\n"
            "Up and Down choose, Left and Right move by 0.1 SD (with Shift 1), R takes back, L locks.\n"
            "Bar: where 90 % of the cohort are. Tick: its median. Line above it: 90 % of the active group.\n"
            "Ring: where the probe began. Under the number: how much the dimension matters, in the order chosen."
        )

    def set_theme(self, theme: Theme) -> None:
        """Redraw in other colours."""
        self._theme = theme
        self.viewport().update()

    def set_population(self, values: NDArray[np.floating]) -> None:
        """Set the cohort's latents ``(n_participants, latent_dim)`` that are behind the dots."""
        self._bands = _bands(values) if len(values) else np.zeros((3, values.shape[1]))
        half = float(np.max(self._bands[2] - self._bands[0], initial=0.0)) / 2
        low, high = float(np.min(self._bands[0], initial=0.0)), float(np.max(self._bands[2], initial=0.0))
        self._limits = (low - ROOM_AROUND_BAND * half, high + ROOM_AROUND_BAND * half) if half else (-1.0, 1.0)
        self.set_order(np.arange(values.shape[1]))

    def set_group(self, values: NDArray[np.floating] | None, color: QColor) -> None:
        """Set the latents ``(n_members, latent_dim)`` of a group, whose spread is drawn in its colour."""
        self._group_bands = _bands(values) if values is not None and len(values) > 1 else None
        self._group_color = color
        self.viewport().update()

    def set_influence(self, influence: NDArray[np.float64] | None) -> None:
        """Draw how much each dimension matters ``(latent_dim,)``, as a share of the largest; None to draw nothing."""
        largest = 0.0 if influence is None else float(np.max(influence, initial=0.0))
        self._influence = None if influence is None or largest == 0.0 else influence / largest
        self.viewport().update()

    def set_locked(self, locked: frozenset[int]) -> None:
        """Mark these dimensions as locked."""
        self._locked = locked
        self.viewport().update()

    def set_order(self, order: NDArray[np.intp]) -> None:
        """Show these dimensions, all or some, in this order."""
        self._order = order
        self.verticalScrollBar().setValue(0)
        self._fit_scroll_bar()
        self.viewport().update()

    def set_vector(self, origin: NDArray[np.float32], vector: NDArray[np.float32]) -> None:
        """Show where the probe is and where it began, both ``(latent_dim,)``."""
        self._origin, self._vector = origin, vector
        self.viewport().update()

    @property
    def current(self) -> int:
        """Dimension on which the keys act."""
        return self._current

    @property
    def is_dragging(self) -> bool:
        """Whether a dot is held."""
        return self._dragged is not None

    @property
    def first_dimension(self) -> int:
        """Dimension on the first line."""
        return int(self._order[0])

    @property
    def shown_dims(self) -> tuple[int, ...]:
        """Dimensions that have a line, from the top."""
        return tuple(self._order.tolist())

    def set_current(self, dim: int) -> None:
        """Choose the dimension on which the keys act, and bring it into view."""
        if dim not in self._order or dim == self._current:
            return
        self._current = dim
        line = int(np.flatnonzero(self._order == dim)[0])
        bar, height = self.verticalScrollBar(), self._line_height()
        if line * height < bar.value():
            bar.setValue(line * height)
        elif (line + 1) * height > bar.value() + self._lines_height():
            bar.setValue((line + 1) * height - self._lines_height())
        self.viewport().update()
        self.current_changed.emit(dim)

    def x_of(self, value: float) -> float:
        """Pixel of a value."""
        low, high = self._limits
        width = float(self.viewport().width()) - NAME_WIDTH_PX - VALUE_WIDTH_PX
        return NAME_WIDTH_PX + (value - low) / (high - low) * width

    def y_of(self, dim: int) -> float:
        """Pixel of the middle of a dimension's line."""
        line = int(np.flatnonzero(self._order == dim)[0])
        height = self._line_height()
        return float(AXIS_HEIGHT_PX + line * height - self.verticalScrollBar().value() + height / 2)

    def _value_at(self, x: float) -> float:
        low, high = self._limits
        width = float(self.viewport().width()) - NAME_WIDTH_PX - VALUE_WIDTH_PX
        return low + min(max((x - NAME_WIDTH_PX) / max(1.0, width), 0.0), 1.0) * (high - low)

    def _dim_at(self, y: float) -> int | None:
        line = int(y - AXIS_HEIGHT_PX + self.verticalScrollBar().value()) // self._line_height()
        return int(self._order[line]) if y >= AXIS_HEIGHT_PX and 0 <= line < len(self._order) else None

    def _line_height(self) -> int:
        return max(18, int(self.fontMetrics().height()) + 4)

    def _lines_height(self) -> int:
        return max(1, int(self.viewport().height()) - AXIS_HEIGHT_PX)

    def _fit_scroll_bar(self) -> None:
        bar, height = self.verticalScrollBar(), self._line_height()
        bar.setSingleStep(height)
        bar.setPageStep(self._lines_height())
        bar.setRange(0, max(0, len(self._order) * height - self._lines_height()))

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Fit the scroll bar."""
        super().resizeEvent(event)
        self._fit_scroll_bar()

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Take hold of a dot, or bring it to the pointer."""
        dim = self._dim_at(float(event.position().y()))
        if dim is None or event.button() != Qt.MouseButton.LeftButton or not self._vector.size:
            return
        self._dragged = dim
        self.drag_began.emit()
        self.set_current(dim)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Move the dot with the pointer."""
        if self._dragged is not None:
            self.moved.emit(self._dragged, self._value_at(float(event.position().x())))

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        """Let go."""
        self._let_go()

    def hideEvent(self, event: QHideEvent) -> None:
        """Let go of a dot that was held while the dock was closed."""
        self._let_go()

    def _let_go(self) -> None:
        if self._dragged is not None:
            self._dragged = None
            self.drag_ended.emit()

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        """Take a dimension back to where it began."""
        dim = self._dim_at(float(event.position().y()))
        if dim is not None and self._vector.size:
            self.reset_requested.emit(dim)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Choose a dimension and move it."""
        if not self._vector.size:
            super().keyPressEvent(event)
        elif event.key() in (Qt.Key.Key_Up, Qt.Key.Key_Down):
            step = -1 if event.key() == Qt.Key.Key_Up else 1
            here = np.flatnonzero(self._order == self._current)
            line = int(here[0]) + step if here.size else 0
            if len(self._order):
                self.set_current(int(self._order[min(max(line, 0), len(self._order) - 1)]))
        elif event.key() in (Qt.Key.Key_Left, Qt.Key.Key_Right):
            is_large = bool(event.modifiers() & Qt.KeyboardModifier.ShiftModifier)
            step_sd = (1.0 if is_large else 0.1) * (-1 if event.key() == Qt.Key.Key_Left else 1)
            # 90 % of a normal distribution are within 3.29 standard deviations.
            sd = float(self._bands[2, self._current] - self._bands[0, self._current]) / 3.29
            self.moved.emit(self._current, float(self._vector[self._current]) + step_sd * (sd or 1.0))
        elif event.key() == Qt.Key.Key_L:
            self.lock_requested.emit(self._current)
        elif event.key() == Qt.Key.Key_R:
            self.reset_requested.emit(self._current)
        else:
            super().keyPressEvent(event)

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw the axis and the lines in view."""
        painter = QPainter(self.viewport())
        painter.fillRect(self.viewport().rect(), self._theme.color("panel"))
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setFont(small_font(self, 0.9))
        height, offset = self._line_height(), self.verticalScrollBar().value()
        first = offset // height
        last = min(len(self._order), (offset + self._lines_height()) // height + 1)
        painter.setClipRect(QRectF(0, AXIS_HEIGHT_PX, self.viewport().width(), self._lines_height()))
        for line in range(first, last):
            self._paint_line(painter, int(self._order[line]), AXIS_HEIGHT_PX + line * height - offset)
        painter.setClipping(False)
        self._paint_axis(painter)
        painter.end()

    def _paint_axis(self, painter: QPainter) -> None:
        low, high = self._limits
        painter.setPen(self._theme.color("muted"))
        painter.setFont(small_font(self, 0.85))
        middle = Qt.AlignmentFlag.AlignCenter
        step = readable_step((high - low) / 5.0)
        for value in np.arange(np.ceil(low / step), np.floor(high / step) + 1) * step:
            text = f"{value + 0.0:g}"  # 0, not -0
            painter.drawText(QRectF(self.x_of(value) - 30, 0, 60, AXIS_HEIGHT_PX), middle, text)
        painter.drawText(QRectF(0, 0, NAME_WIDTH_PX, AXIS_HEIGHT_PX), middle, "dim.")
        painter.drawText(
            QRectF(self.viewport().width() - VALUE_WIDTH_PX, 0, VALUE_WIDTH_PX - 6, AXIS_HEIGHT_PX), middle, "value"
        )
        painter.setPen(QPen(self._theme.color("line"), 1))
        painter.drawLine(QPointF(0, AXIS_HEIGHT_PX - 0.5), QPointF(self.viewport().width(), AXIS_HEIGHT_PX - 0.5))

    def _paint_line(self, painter: QPainter, dim: int, top: float) -> None:
        theme, height, width = self._theme, self._line_height(), self.viewport().width()
        middle = top + height / 2
        if dim == self._current:
            painter.fillRect(QRectF(0, top, width, height), theme.color("accent", 0.16 if self.hasFocus() else 0.08))
        painter.setPen(theme.color("muted"))
        vertical = Qt.AlignmentFlag.AlignVCenter
        painter.drawText(QRectF(6, top, NAME_WIDTH_PX - 6, height), vertical, str(dim))
        if dim in self._locked:
            self._paint_lock(painter, QPointF(NAME_WIDTH_PX - 8, middle))
        if self._influence is not None:
            room = NAME_WIDTH_PX - 14.0
            painter.fillRect(QRectF(6, top + height - 4, room, 2), theme.color("line"))
            painter.fillRect(QRectF(6, top + height - 4, room * self._influence[dim], 2), theme.color("warning"))
        low, median, high = (self.x_of(float(value)) for value in self._bands[:, dim])
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(theme.color("quiet"))
        painter.drawRoundedRect(QRectF(low, middle - 3, max(1.0, high - low), 6), 3, 3)
        painter.setPen(QPen(theme.color("muted"), 1.2))
        painter.drawLine(QPointF(median, middle - 4), QPointF(median, middle + 4))
        if self._group_bands is not None:
            low, median, high = (self.x_of(float(value)) for value in self._group_bands[:, dim])
            painter.setPen(QPen(line_color(to_rgba(self._group_color), theme), 2.2))
            painter.drawLine(QPointF(low, middle - 6), QPointF(high, middle - 6))
            painter.drawLine(QPointF(median, middle - 8), QPointF(median, middle - 4))
        if self._vector.size:
            self._paint_dot(painter, dim, middle)

    def _paint_lock(self, painter: QPainter, center: QPointF) -> None:
        painter.setPen(QPen(self._theme.color("text"), 1.3))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.drawArc(QRectF(center.x() - 2.5, center.y() - 6, 5, 8), 0, 180 * 16)
        painter.fillRect(QRectF(center.x() - 4, center.y() - 2, 8, 6), self._theme.color("text"))

    def _paint_dot(self, painter: QPainter, dim: int, middle: float) -> None:
        theme = self._theme
        value, began = float(self._vector[dim]), float(self._origin[dim])
        here, there = self.x_of(value), self.x_of(began)
        is_moved = value != began
        if is_moved:
            painter.setPen(QPen(theme.color("accent", 0.7), 1.4))
            painter.drawLine(QPointF(there, middle), QPointF(here, middle))
            painter.setBrush(theme.color("panel"))
            painter.drawEllipse(QPointF(there, middle), DOT_PX - 0.5, DOT_PX - 0.5)
        painter.setPen(QPen(theme.color("panel"), 1))
        painter.setBrush(theme.color("accent" if is_moved else "text"))
        painter.drawEllipse(QPointF(here, middle), DOT_PX, DOT_PX)
        font = small_font(self, 0.9, is_bold=is_moved)
        painter.setFont(font)
        painter.setPen(theme.color("accent" if is_moved else "text"))
        place = QRectF(self.viewport().width() - VALUE_WIDTH_PX, middle - 10, VALUE_WIDTH_PX - 8, 20)
        painter.drawText(place, Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignRight, f"{value:.2f}")
        painter.setFont(small_font(self, 0.9))


def _bands(values: NDArray[np.floating]) -> NDArray[np.float64]:
    """Percentiles ``(3, latent_dim)``; each dimension is brought together in memory first, which is faster."""
    return np.asarray(np.percentile(np.ascontiguousarray(values.T), BAND_PERCENTILES, axis=1), np.float64)
