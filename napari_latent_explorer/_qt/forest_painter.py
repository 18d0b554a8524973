"""How a forest plot is drawn, on the screen as in a figure.

All effects lie on one axis, that of Hedges' g: numbers as they are (circles), odds ratios on the same scale (squares).
Right of the zero line group A has more, left of it group B. Filled is what remains after the correction for many tests;
colour is the group's that has more, and never the only sign. What lies beyond the axis ends in an arrow.
"""

from dataclasses import dataclass
from typing import Literal

from qtpy.QtCore import QPointF, QRectF, Qt
from qtpy.QtGui import QColor, QFont, QFontMetricsF, QPainter, QPen, QPolygonF

from napari_latent_explorer._qt.theme import Theme
from napari_latent_explorer.analysis.effect_sizes import Effect
from napari_latent_explorer.data.readable_numbers import readable_step

HEADER_PX, ROW_PX = 40, 24
NAME_SHARE, MOST_NAME_PX = 0.42, 230
MARK_PX = 4.5
LEAST_LIMIT, MOST_LIMIT = 0.5, 3.0
PIXELS_PER_TICK = 44


@dataclass(frozen=True, slots=True)
class ForestRow:
    """One phenotype.

    Attributes
    ----------
    title
        At the left.
    effect
        On the scale of Hedges' g; None if it has no direction.
    mark
        Circle for numbers, square for odds ratios.
    is_filled
        Whether it remains after the correction for many tests.
    words
        In the place of the effect, if there is none.
    """

    title: str
    effect: Effect | None
    mark: Literal["circle", "square"]
    is_filled: bool
    words: str


@dataclass(frozen=True, slots=True)
class Forest:
    """All rows, and who is compared: names and colours of group A and group B."""

    rows: tuple[ForestRow, ...]
    name_a: str
    name_b: str
    color_a: QColor
    color_b: QColor

    @property
    def limit(self) -> float:
        """The axis reaches from its negative to it: all intervals, if they are not far out."""
        ends = [abs(end) for row in self.rows if row.effect is not None for end in (row.effect.low, row.effect.high)]
        return min(MOST_LIMIT, max(LEAST_LIMIT, 1.08 * max(ends, default=0.0)))


class ForestPainter:
    """Draws a forest into a width.

    Parameters
    ----------
    painter
        Qt's painter.
    forest
        What is drawn.
    width
        Of the whole, in pixels.
    theme
        Colours.
    font
        Of all words.
    ground
        Colour on which it is drawn.
    """

    def __init__(
        self,
        painter: QPainter,
        forest: Forest,
        width: float,
        theme: Theme,
        font: QFont,
        ground: QColor,
    ) -> None:
        self._painter, self._forest, self._theme = painter, forest, theme
        self._ground = ground
        self._words_of = QFontMetricsF(font)
        widest = max((self._words_of.horizontalAdvance(row.title) for row in forest.rows), default=0.0)
        self._axis_left = min(widest + 14, NAME_SHARE * width, MOST_NAME_PX) + 8
        self._axis_right = width - 12
        painter.setFont(font)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)

    def x_of(self, value: float) -> float:
        """Where a value lies on the axis."""
        share = 0.5 + 0.5 * value / self._forest.limit
        return self._axis_left + share * (self._axis_right - self._axis_left)

    def draw_header(self, top: float) -> None:
        """Draw the axis: which side is whose, and its ticks."""
        line, half = HEADER_PX / 2, self.x_of(0) - self._axis_left - 6
        middle = Qt.AlignmentFlag.AlignVCenter
        text = self._theme.color("text")
        self._swatch(QPointF(self._axis_right - 5, top + line / 2), self._forest.color_a)
        right = QRectF(self.x_of(0) + 6, top, half - 14, line)
        self._words(right, Qt.AlignmentFlag.AlignRight | middle, f"{self._forest.name_a} ▸", text)
        self._swatch(QPointF(self._axis_left + 5, top + line / 2), self._forest.color_b)
        left = QRectF(self._axis_left + 14, top, half - 14, line)
        self._words(left, Qt.AlignmentFlag.AlignLeft | middle, f"◂ {self._forest.name_b}", text)
        muted = self._theme.color("muted")
        for value in self._ticks():
            place = QRectF(self.x_of(value) - 30, top + line - 2, 60, line)
            label = f"{value:g}"
            self._words(place, Qt.AlignmentFlag.AlignHCenter | middle, label, muted)
        title = QRectF(4, top + line - 2, self._axis_left - 24, line)
        self._words(title, Qt.AlignmentFlag.AlignLeft | middle, "SD units", muted)

    def draw_grid(self, top: float, height: float) -> None:
        """Draw the lines of the ticks, and the strong one at zero, behind rows."""
        for value in self._ticks():
            pen = QPen(self._theme.color("text" if value == 0 else "line", 0.75 if value == 0 else 0.5))
            pen.setWidthF(1.4 if value == 0 else 1.0)
            self._painter.setPen(pen)
            self._painter.drawLine(QPointF(self.x_of(value), top), QPointF(self.x_of(value), top + height))

    def draw_row(self, row: ForestRow, top: float) -> None:
        """Draw a name and its effect, or the words in its place."""
        middle = Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft
        name = QRectF(4, top, self._axis_left - 14, ROW_PX)
        self._words(name, middle, row.title, self._theme.color("text"))
        if row.effect is None:
            place = QRectF(self._axis_left, top, self._axis_right - self._axis_left, ROW_PX)
            wide = self._words_of.horizontalAdvance(row.words) + 8
            ground = QRectF(place.center().x() - wide / 2, top + 2, wide, ROW_PX - 4)
            self._painter.fillRect(ground, self._ground)
            self._words(place, Qt.AlignmentFlag.AlignCenter, row.words, self._theme.color("muted"))
        else:
            self._draw_effect(row, row.effect, top + ROW_PX / 2)

    def draw_caption(self, text: str, place: QRectF) -> None:
        """Draw a line of words below."""
        middle = Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft
        self._words(place, middle, text, self._theme.color("muted"))

    def _draw_effect(self, row: ForestRow, effect: Effect, y: float) -> None:
        limit = self._forest.limit
        pen = QPen(self._theme.color("text", 0.9))
        pen.setWidthF(1.5)
        self._painter.setPen(pen)
        low, high = (self.x_of(max(-limit, min(limit, end))) for end in (effect.low, effect.high))
        self._painter.drawLine(QPointF(low, y), QPointF(high, y))
        for end, x in ((effect.low, low), (effect.high, high)):
            if abs(end) > limit:
                self._arrow(QPointF(self.x_of(limit if end > 0 else -limit), y), 1.0 if end > 0 else -1.0)
            else:
                self._painter.drawLine(QPointF(x, y - 3), QPointF(x, y + 3))
        if abs(effect.value) <= limit:
            self._mark(row, QPointF(self.x_of(effect.value), y), effect.value)

    def _mark(self, row: ForestRow, center: QPointF, value: float) -> None:
        forest = self._forest
        fill = (forest.color_a if value >= 0 else forest.color_b) if row.is_filled else self._ground
        self._painter.setBrush(fill)
        box = QRectF(center.x() - MARK_PX, center.y() - MARK_PX, 2 * MARK_PX, 2 * MARK_PX)
        if row.mark == "circle":
            self._painter.drawEllipse(box)
        else:
            self._painter.drawRect(box.adjusted(0.5, 0.5, -0.5, -0.5))

    def _arrow(self, tip: QPointF, direction: float) -> None:
        back = tip.x() - direction * 7
        self._painter.setBrush(self._theme.color("text", 0.9))
        self._painter.drawPolygon(QPolygonF([tip, QPointF(back, tip.y() - 4), QPointF(back, tip.y() + 4)]))

    def _swatch(self, center: QPointF, color: QColor) -> None:
        self._painter.setPen(QPen(self._theme.color("text", 0.6)))
        self._painter.setBrush(color)
        self._painter.drawEllipse(center, 4.5, 4.5)

    def _ticks(self) -> list[float]:
        n_steps = max(1.0, (self._axis_right - self._axis_left) / 2 / PIXELS_PER_TICK)
        step = readable_step(self._forest.limit / n_steps)
        n_right = int(self._forest.limit / step + 1e-9)
        return [round(number * step, 6) for number in range(-n_right, n_right + 1)]

    def _words(self, place: QRectF, alignment: Qt.AlignmentFlag, text: str, color: QColor) -> None:
        text = self._words_of.elidedText(text, Qt.TextElideMode.ElideMiddle, place.width())
        self._painter.setPen(color)
        self._painter.drawText(place, alignment, text)
