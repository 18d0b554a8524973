"""The forest plot of a comparison: one line per phenotype, its header always in view, and the same as a figure."""

from functools import partial

from qtpy.QtCore import QEvent, QPointF, QRectF, QSize, Qt, Signal
from qtpy.QtGui import QHelpEvent, QMouseEvent, QPainter, QPaintEvent, QResizeEvent
from qtpy.QtWidgets import QAbstractScrollArea, QFrame, QToolTip, QWidget

from napari_latent_explorer._qt.figure import CAPTION_PX, MARGIN_PX, PAPER, Figure, figure_font
from napari_latent_explorer._qt.forest_painter import HEADER_PX, ROW_PX, Forest, ForestPainter
from napari_latent_explorer._qt.theme import DARK, LIGHT, Theme, small_font

FIGURE_WIDTH_PX = 640
AXIS_TOOLTIP = (
    "Effects in standard deviations, all on one scale: Hedges' g of numbers (circles), and log odds ratios times √3/π "
    "(squares). Right of zero the first group has more. Line: 95 % interval; an arrow where it leaves the axis. "
    "Filled: q below 0.05."
)


class QtForestPlot(QAbstractScrollArea):
    """The plot.

    Parameters
    ----------
    parent
        Qt parent.
    """

    row_clicked = Signal(int)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._forest: Forest | None = None
        self._tooltips: tuple[str, ...] = ()
        self._current = -1
        self._theme = DARK
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setMinimumHeight(HEADER_PX + 2 * ROW_PX)
        self.setAccessibleName("Forest plot")
        self.setAccessibleDescription("The same numbers are in the table.")

    @property
    def forest(self) -> Forest | None:
        """What is drawn."""
        return self._forest

    def set_theme(self, theme: Theme) -> None:
        """Redraw in other colours."""
        self._theme = theme
        self.viewport().update()

    def set_forest(self, forest: Forest | None, tooltips: tuple[str, ...] = ()) -> None:
        """Show other rows, each with what its tooltip says (as rich text)."""
        self._forest, self._tooltips = forest, tooltips
        self._fit_scroll_bar()
        self.viewport().update()

    def set_current(self, row: int) -> None:
        """Mark a row, or none if -1."""
        self._current = row
        self.viewport().update()

    def row_at(self, y: float) -> int:
        """Which row is at a height of the viewport; -1 if none."""
        row = int((y - HEADER_PX + self.verticalScrollBar().value()) // ROW_PX)
        n_rows = len(self._forest.rows) if self._forest is not None else 0
        return row if y >= HEADER_PX and row < n_rows else -1

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw the rows in view, then the header over them."""
        painter = QPainter(self.viewport())
        width, height = self.viewport().width(), self.viewport().height()
        painter.fillRect(self.viewport().rect(), self._theme.color("panel"))
        if self._forest is not None:
            ground = self._theme.color("panel")
            draw = ForestPainter(painter, self._forest, width, self._theme, small_font(self, 0.95), ground)
            scrolled = self.verticalScrollBar().value()
            first = scrolled // ROW_PX
            last = min(len(self._forest.rows), first + height // ROW_PX + 2)
            painter.setClipRect(QRectF(0, HEADER_PX, width, height - HEADER_PX))
            if first <= self._current < last:
                top = HEADER_PX + self._current * ROW_PX - scrolled
                painter.fillRect(QRectF(0, top, width, ROW_PX), self._theme.color("accent", 0.22))
            draw.draw_grid(HEADER_PX, min(height, len(self._forest.rows) * ROW_PX))
            for number in range(first, last):
                draw.draw_row(self._forest.rows[number], HEADER_PX + number * ROW_PX - scrolled)
            painter.setClipping(False)
            draw.draw_header(0)
        painter.end()

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Choose the row that is clicked."""
        row = self.row_at(event.position().y())
        if row >= 0:
            self.row_clicked.emit(row)

    def viewportEvent(self, event: QEvent) -> bool:
        """Explain the row, or the axis, under the pointer."""
        if event.type() == QEvent.Type.ToolTip and isinstance(event, QHelpEvent) and self._forest is not None:
            row = self.row_at(event.pos().y())
            text = self._tooltips[row] if row >= 0 else AXIS_TOOLTIP if event.pos().y() < HEADER_PX else ""
            QToolTip.showText(event.globalPos(), text, self)
            return True
        return bool(super().viewportEvent(event))

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Scroll as far as there are rows."""
        super().resizeEvent(event)
        self._fit_scroll_bar()

    def sizeHint(self) -> QSize:
        """Room for eight rows."""
        return QSize(360, HEADER_PX + 8 * ROW_PX)

    def _fit_scroll_bar(self) -> None:
        n_rows = len(self._forest.rows) if self._forest is not None else 0
        room = self.viewport().height() - HEADER_PX
        self.verticalScrollBar().setRange(0, max(0, n_rows * ROW_PX - room))
        self.verticalScrollBar().setPageStep(max(1, room))
        self.verticalScrollBar().setSingleStep(ROW_PX)


def forest_figure(forest: Forest, captions: tuple[str, ...]) -> Figure:
    """Make a figure of all rows, with lines of words below."""
    height = 2 * MARGIN_PX + HEADER_PX + len(forest.rows) * ROW_PX + len(captions) * CAPTION_PX
    title = f"{forest.name_a} against {forest.name_b}"
    paint = partial(_paint_figure, forest, captions)
    return Figure("comparison", title, (FIGURE_WIDTH_PX, height), paint, {"Shows": " ".join(captions)})


def _paint_figure(forest: Forest, captions: tuple[str, ...], painter: QPainter) -> None:
    painter.translate(QPointF(MARGIN_PX, MARGIN_PX))
    width = FIGURE_WIDTH_PX - 2 * MARGIN_PX
    draw = ForestPainter(painter, forest, width, LIGHT, figure_font(), PAPER)
    draw.draw_header(0)
    draw.draw_grid(HEADER_PX, len(forest.rows) * ROW_PX)
    for number, row in enumerate(forest.rows):
        draw.draw_row(row, HEADER_PX + number * ROW_PX)
    below = HEADER_PX + len(forest.rows) * ROW_PX
    for number, caption in enumerate(captions):
        draw.draw_caption(caption, QRectF(4, below + number * CAPTION_PX, width - 8, CAPTION_PX))
