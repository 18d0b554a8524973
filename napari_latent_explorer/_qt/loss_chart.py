"""Chart of a training's losses: each part over passes, on a logarithmic axis, with the values under the mouse.

One colour per part; a bold line with dots for the validation participants, a thin one for the training participants of
whole epochs, and a faint one for single steps.
"""

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from qtpy.QtCore import QEvent, QPointF, QRectF, QSize, Qt
from qtpy.QtGui import QColor, QMouseEvent, QPainter, QPaintEvent, QPen
from qtpy.QtWidgets import QSizePolicy, QWidget

from napari_latent_explorer._qt.numbers import format_value
from napari_latent_explorer._qt.polyline import make_polyline
from napari_latent_explorer._qt.theme import DARK, Theme, small_font
from napari_latent_explorer.data.readable_numbers import readable_step
from napari_latent_explorer.session.training_curves import CurveKind, LossCurve

PART_COLORS: tuple[tuple[str, str], ...] = (
    ("#6ea8fe", "#2563c9"), ("#f2a65a", "#b85c00"), ("#7fd1ae", "#0f7a55"), ("#d59bf6", "#8532b5"),
    ("#f2777a", "#b3141f"),
)  # fmt: skip
"""In the dark and in the light theme; the parts of a loss take them in turn."""
LEFT_PX, RIGHT_PX, BOTTOM_PX = 44.0, 8.0, 20.0
KIND_WORDS: dict[CurveKind, str] = {"valid": "validation", "train": "training", "steps": "steps"}
_LINES: dict[CurveKind, tuple[float, float]] = {"steps": (1.0, 0.35), "train": (1.2, 0.75), "valid": (2.2, 1.0)}
"""Width in pixels and opacity."""


class QtLossChart(QWidget):
    """Losses of one stage.

    Parameters
    ----------
    parent
        Qt parent.
    """

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = DARK
        self._curves: tuple[LossCurve, ...] = ()
        self._hover_x: float | None = None
        self.setMouseTracking(True)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setMinimumHeight(130)
        self.setAccessibleName("Losses over passes")

    def sizeHint(self) -> QSize:
        """Wide enough for a narrow dock."""
        return QSize(300, 190)

    def set_theme(self, theme: Theme) -> None:
        """Repaint in other colours."""
        self._theme = theme
        self.update()

    def set_curves(self, curves: Sequence[LossCurve]) -> None:
        """Show these, all of one stage."""
        self._curves = tuple(curves)
        self.update()

    @property
    def parts(self) -> tuple[str, ...]:
        """Parts of the loss that are shown, in the order of the legend."""
        return tuple(dict.fromkeys(curve.part for curve in self._curves))

    def color_of(self, part: str) -> QColor:
        """Colour of a part's lines."""
        return QColor(PART_COLORS[self.parts.index(part) % len(PART_COLORS)][0 if self._theme.is_dark else 1])

    def x_limits(self) -> tuple[float, float]:
        """Give the passes at the left and right ends."""
        most = max((float(curve.n_passes[-1]) for curve in self._curves), default=1.0)
        return 0.0, max(1.0, most)

    def y_limits(self) -> tuple[float, float]:
        """Give the lowest and highest loss of the axis, the steps' rarest outliers apart."""
        values = [curve.losses for curve in self._curves if curve.kind != "steps"]
        values += [np.quantile(c.losses, [0.01, 0.99]) for c in self._curves if c.kind == "steps"]
        if not values:
            return 0.1, 1.0
        every = np.concatenate(values)
        low, high = float(every.min()), float(every.max())
        room = (high / low) ** 0.06 if high > 1.2 * low else 1.1
        return low / room, high * room

    def x_of(self, n_passes: NDArray[np.float64]) -> NDArray[np.float64]:
        """Pixels of passes."""
        low, high = self.x_limits()
        area = self._area()
        x: NDArray[np.float64] = area.left() + (n_passes - low) / (high - low) * area.width()
        return x

    def y_of(self, losses: NDArray[np.float64]) -> NDArray[np.float64]:
        """Pixels of losses."""
        low, high = np.log(self.y_limits())
        area = self._area()
        part = np.clip((np.log(losses) - low) / (high - low), 0.0, 1.0)
        y: NDArray[np.float64] = area.bottom() - part * area.height()
        return y

    def values_at(self, x: float) -> tuple[float, tuple[tuple[str, str, float], ...]]:
        """Find what is nearest to a pixel.

        Returns
        -------
        tuple
            Passes of the nearest epoch (of the nearest step before the first), and part, kind and value of each curve
            there. Steps are left out where there are epochs.
        """
        whole = [curve for curve in self._curves if curve.kind != "steps"] or list(self._curves)
        if not whole:
            return 0.0, ()
        places = np.unique(np.concatenate([curve.n_passes for curve in whole]))
        nearest = float(places[np.abs(self.x_of(places) - x).argmin()])
        found = []
        for curve in whole:
            at = int(np.abs(curve.n_passes - nearest).argmin())
            if curve.n_passes[at] == nearest:
                found.append((curve.part, KIND_WORDS[curve.kind], float(curve.losses[at])))
        return nearest, tuple(found)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Show the values under the mouse."""
        self._hover_x = float(event.position().x())
        self.update()

    def leaveEvent(self, event: QEvent) -> None:
        """Show no values any more."""
        self._hover_x = None
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw axes, curves, legend and values."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setFont(small_font(self, 0.85))
        painter.fillRect(self._area(), self._theme.color("panel"))
        if self._curves:
            self._paint_axes(painter)
            order = list(_LINES)
            for curve in sorted(self._curves, key=lambda curve: order.index(curve.kind)):
                self._paint_curve(painter, curve)
            self._paint_legend(painter)
            if self._hover_x is not None:
                self._paint_values(painter, self._hover_x)
        else:
            painter.setPen(self._theme.color("muted"))
            words = "Losses appear here once training has begun."
            painter.drawText(self._area(), Qt.AlignmentFlag.AlignCenter | Qt.TextFlag.TextWordWrap, words)
        painter.end()

    def _area(self) -> QRectF:
        """Where curves are drawn: beside the axes, below the legend."""
        top = self._legend_height() + 2.0
        width, height = self.width() - LEFT_PX - RIGHT_PX, self.height() - top - BOTTOM_PX
        return QRectF(LEFT_PX, top, max(1.0, width), max(1.0, height))

    def _legend_height(self) -> float:
        rows = self._legend_rows()
        return float(len(rows) * self.fontMetrics().height()) if rows else 4.0

    def _legend_rows(self) -> list[list[tuple[str, str | None]]]:
        """Words of the legend with the part that colours each, broken into rows that fit."""
        words: list[tuple[str, str | None]] = [(title_of(part), part) for part in self.parts]
        kinds = {curve.kind for curve in self._curves}
        words += [(KIND_WORDS[kind], None) for kind in KIND_WORDS if kind in kinds]
        rows: list[list[tuple[str, str | None]]] = []
        room = 0.0
        for word in words:
            width = self._legend_width(word[0])
            if not rows or width > room:
                rows.append([])
                room = self.width() - LEFT_PX - RIGHT_PX
            rows[-1].append(word)
            room -= width
        return rows

    def _legend_width(self, word: str) -> float:
        return 22.0 + 10.0 + self.fontMetrics().horizontalAdvance(word)

    def _paint_legend(self, painter: QPainter) -> None:
        height = float(self.fontMetrics().height())
        kinds: dict[str, CurveKind] = {word: kind for kind, word in KIND_WORDS.items()}
        for number, row in enumerate(self._legend_rows()):
            x, middle = LEFT_PX, (number + 0.5) * height
            for word, part in row:
                width, opacity = (5.0, 1.0) if part is not None else _LINES[kinds[word]]
                color = self.color_of(part) if part is not None else self._theme.color("text")
                color.setAlphaF(opacity)
                painter.setPen(QPen(color, width))
                painter.drawLine(QPointF(x, middle), QPointF(x + 16, middle))
                painter.setPen(self._theme.color("text"))
                place = QRectF(x + 22, middle - height / 2, self._legend_width(word), height)
                painter.drawText(place, Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter, word)
                x += self._legend_width(word)

    def _paint_axes(self, painter: QPainter) -> None:
        area, height = self._area(), float(self.fontMetrics().height())
        right = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
        ticks = log_ticks(*self.y_limits(), most=max(2, int(area.height() / (1.6 * height))))
        digits = next(n for n in range(1, 6) if n == 5 or all(_is_written(tick, n) for tick in ticks))
        free_below = area.bottom() + height
        for value in ticks:
            y = float(self.y_of(np.array([value]))[0])
            if y > free_below - height:
                continue  # there is no room for its number
            free_below = y
            painter.setPen(QPen(self._theme.color("line", 0.6), 1))
            painter.drawLine(QPointF(area.left(), y), QPointF(area.right(), y))
            painter.setPen(self._theme.color("muted"))
            painter.drawText(QRectF(0, y - height / 2, LEFT_PX - 5, height), right, format_value(value, digits))
        most = self.x_limits()[1]
        step = max(1.0, readable_step(most / 5.0))
        for value in np.arange(0.0, most + 1e-9, step):
            x = float(self.x_of(np.array([value]))[0])
            painter.drawLine(QPointF(x, area.bottom()), QPointF(x, area.bottom() + 3))
            if x < area.right() - 45:
                place = QRectF(x - 25, area.bottom() + 3, 50, height)
                painter.drawText(place, Qt.AlignmentFlag.AlignHCenter, f"{value:g}")
        place = QRectF(area.left(), area.bottom() + 3, area.width(), height)
        painter.drawText(place, Qt.AlignmentFlag.AlignRight, "passes")

    def _paint_curve(self, painter: QPainter, curve: LossCurve) -> None:
        width, opacity = _LINES[curve.kind]
        color = self.color_of(curve.part)
        color.setAlphaF(opacity)
        x, y = self.x_of(curve.n_passes), self.y_of(curve.losses)
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.setPen(QPen(color, width))
        painter.drawPolyline(make_polyline(x, y))
        if curve.kind == "valid" or len(x) == 1:
            painter.setBrush(color)
            painter.setPen(Qt.PenStyle.NoPen)
            for at in range(len(x)) if len(x) <= 60 else (len(x) - 1,):
                painter.drawEllipse(QPointF(float(x[at]), float(y[at])), 2.6, 2.6)

    def _paint_values(self, painter: QPainter, hover_x: float) -> None:
        n_passes, values = self.values_at(hover_x)
        lines = [f"pass {n_passes:.4g}", *(f"{title_of(part)}, {kind}: {value:.4g}" for part, kind, value in values)]
        area, height = self._area(), float(self.fontMetrics().height())
        x = float(self.x_of(np.array([n_passes]))[0])
        painter.setPen(QPen(self._theme.color("muted"), 1, Qt.PenStyle.DashLine))
        painter.drawLine(QPointF(x, area.top()), QPointF(x, area.bottom()))
        width = max(self.fontMetrics().horizontalAdvance(line) for line in lines) + 12.0
        left = x + 6 if x + 6 + width < self.width() else max(0.0, x - 6 - width)
        box = QRectF(left, area.top() + 2, width, len(lines) * height + 6)
        painter.setPen(QPen(self._theme.color("line"), 1))
        painter.setBrush(self._theme.color("background", 0.92))
        painter.drawRoundedRect(box, 3, 3)
        for number, line in enumerate(lines):
            color = self._theme.color("text") if number == 0 else self.color_of(values[number - 1][0])
            painter.setPen(color)
            painter.drawText(QPointF(left + 6, box.top() + 2 + (number + 0.8) * height), line)


def _is_written(value: float, digits: int) -> bool:
    return math.isclose(float(f"{value:.{digits - 1}e}"), value, rel_tol=1e-9)


def title_of(part: str) -> str:
    """Name a part of the loss for people."""
    return part.upper() if part in ("mri", "ecg") else part


def log_ticks(low: float, high: float, most: int) -> list[float]:
    """Values for a logarithmic axis from `low` to `high`: powers of ten, with 2 and 5 times these where there is room.

    Parameters
    ----------
    low, high
        Above 0.
    most
        How many there may be.
    """
    exponents = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    for factors in ((1, 2, 3, 4, 5, 6, 7, 8, 9), (1, 2, 5), (1, 3), (1,)):
        ticks = [factor * 10.0**exponent for exponent in exponents for factor in factors]
        ticks = [tick for tick in ticks if low <= tick <= high]
        if 2 <= len(ticks) <= most:
            return ticks
    if len(ticks) > most:
        return ticks[:: math.ceil(len(ticks) / most)]
    step = readable_step((high - low) / most)  # less than a power of ten is as good as linear
    return [number * step for number in range(math.ceil(low / step), math.floor(high / step) + 1)]
