"""A picture that can leave the window: how large it is, how it is painted, and what it says of itself.

The hard idea: widgets may only be painted on the GUI's thread, while a figure at printing resolution takes longer than
a frame. So what a widget paints is recorded, which takes milliseconds, and the record is played on a worker, at any
resolution and into any kind of file.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from qtpy.QtCore import QPoint, QPointF
from qtpy.QtGui import QColor, QFont, QPainter, QPicture, QRegion
from qtpy.QtWidgets import QWidget

from napari_latent_explorer._qt.theme import LIGHT

PAPER = QColor("white")
INK = LIGHT.color("text")
FONT_PX = 12
MARGIN_PX = 16
TITLE_PX, CAPTION_PX = 24, 18

Paint = Callable[[QPainter], None]


@dataclass(frozen=True, slots=True, eq=False)
class Figure:
    """A picture to be written.

    Attributes
    ----------
    name
        What its file may be called, without an ending.
    title
        What it shows, in a line.
    size_px
        Width and height in pixels of 1/96 inch.
    paint
        Paints it on white paper of that size, on any thread.
    facts
        What it shows in detail, for its metadata, beside what the session knows (see `session.provenance`).
    """

    name: str
    title: str
    size_px: tuple[int, int]
    paint: Paint
    facts: Mapping[str, str] = field(default_factory=dict)


def figure_font(is_bold: bool = False, px: int = FONT_PX) -> QFont:
    """Font of words in figures, of the same size on every screen."""
    font = QFont()
    font.setPixelSize(px)
    font.setBold(is_bold)
    return font


def recorded(paint: Paint) -> Paint:
    """Paint once, now, and give back what plays that on other painters, at any time and on any thread."""
    picture = QPicture()
    painter = QPainter(picture)
    paint(painter)
    painter.end()
    return lambda other: _play(picture, other)


def recorded_widget(widget: QWidget) -> Paint:
    """Record what a widget shows, without its background."""
    flags = QWidget.RenderFlag.DrawChildren
    return recorded(lambda painter: widget.render(painter, QPoint(), QRegion(), flags))


def moved(paint: Paint, left: float, top: float) -> Paint:
    """Paint the same elsewhere."""

    def paint_there(painter: QPainter) -> None:
        painter.save()
        painter.translate(QPointF(left, top))
        paint(painter)
        painter.restore()

    return paint_there


def in_order(*parts: Paint) -> Paint:
    """Paint one after the other."""

    def paint_all(painter: QPainter) -> None:
        for part in parts:
            part(painter)

    return paint_all


def words(text: str, left: float, baseline: float, is_bold: bool = False, color: QColor = INK) -> Paint:
    """Paint one line of words."""

    def paint_words(painter: QPainter) -> None:
        painter.setFont(figure_font(is_bold))
        painter.setPen(color)
        painter.drawText(QPointF(left, baseline), text)

    return paint_words


def _play(picture: QPicture, painter: QPainter) -> None:
    device = painter.device()
    painter.save()
    # A picture enlarges itself on paper that says it is finer than the screen, but here the painter knows its scale.
    painter.scale(picture.logicalDpiX() / device.logicalDpiX(), picture.logicalDpiY() / device.logicalDpiY())
    picture.play(painter)
    painter.restore()
