"""Predictions along a path: a small chart per phenotype, those that change most first.

The line is what the row of most inputs predicts, the band its 95 % interval for one person, thin lines the other rows;
squares are measured on the decoded hearts. All charts share the way across, so that one cursor goes through all.
"""

import numpy as np
from numpy.typing import NDArray
from qtpy.QtCore import QPointF, QRectF, QSize, Qt, Signal
from qtpy.QtGui import QMouseEvent, QPainter, QPaintEvent, QPen, QPixmap, QPolygonF
from qtpy.QtWidgets import QSizePolicy, QWidget

from napari_latent_explorer._qt.numbers import format_value
from napari_latent_explorer._qt.polyline import make_polyline
from napari_latent_explorer._qt.theme import DARK, Theme, small_font
from napari_latent_explorer.data.phenotype import PhenotypeSpec
from napari_latent_explorer.session.path_survey import MEASURED, PathCurves, PathFilm

CHART_WIDTH_PX, CHART_HEIGHT_PX, GAP_PX = 170, 96, 10
PAD_PX, RIGHT_PX = 4.0, 5
"""Inside a chart, and between the last one and the scroll bar."""
VALUE_ROOM = "99.9 kg/m²  "
"""As wide as what is written beside a title."""
NOTHING_PREDICTED = "No phenotype can be predicted along the way: too few encoded participants have any."
_DASHES = ([1.0, 2.0], [4.0, 2.0])


class QtPathCurves(QWidget):
    """The charts; they lie in a scroll area.

    Parameters
    ----------
    parent
        Qt parent.
    """

    share_requested = Signal(float)
    """Share of the way to which the user wants to go."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = DARK
        self._curves: PathCurves | None = None
        self._film: PathFilm | None = None
        self._order: NDArray[np.intp] = np.zeros(0, np.intp)
        self._share: float | None = None
        self._picture: QPixmap | None = None
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Minimum)
        self.setAccessibleName("Predictions along the path")

    def set_theme(self, theme: Theme) -> None:
        """Repaint in other colours."""
        self._theme = theme
        self._redraw()

    def set_curves(self, curves: PathCurves | None, film: PathFilm | None) -> None:
        """Show these, with what was measured on hearts of the same path."""
        if curves is self._curves and film is self._film:
            return
        self._curves, self._film = curves, film
        self._order = np.zeros(0, np.intp) if curves is None else curves.by_change()
        self.updateGeometry()
        self._redraw()

    def set_share(self, share: float | None) -> None:
        """Show where the probe is; None when it is not on the path."""
        self._share = share
        self.update()

    @property
    def titles(self) -> tuple[str, ...]:
        """What the charts are of, in their order."""
        return () if self._curves is None else tuple(self._curves.targets[target].title for target in self._order)

    @property
    def legend(self) -> str:
        """What lines, band and squares are."""
        if self._curves is None:
            return ""
        if not len(self._order):
            return NOTHING_PREDICTED
        *others, main = self._curves.rows
        signs = ["dotted", "dashed"]
        more = [f"{sign}: {row}" for sign, row in zip(signs, others, strict=False)]
        squares = ["squares: measured"] if self._has_measures() else []
        return "; ".join([f"Line: {main}, with 95 % for one person", *more, *squares])

    def _has_measures(self) -> bool:
        return self._film is not None and bool(np.isfinite(self._film.measured("lvm")).any())

    def sizeHint(self) -> QSize:
        """As high as its rows are in the present width."""
        n_rows = -(-len(self._order) // self._n_columns())
        return QSize(300, n_rows * (self._chart_height() + GAP_PX))

    def minimumSizeHint(self) -> QSize:
        """Never cut a row."""
        return QSize(140, self.sizeHint().height())

    def resizeEvent(self, event: object) -> None:
        """Take another height with another width."""
        self.updateGeometry()
        self._redraw()

    def _redraw(self) -> None:
        """Paint the charts anew when they are next seen."""
        self._picture = None
        self.update()

    def _n_columns(self) -> int:
        return max(1, (self.width() + GAP_PX) // (CHART_WIDTH_PX + GAP_PX))

    def _chart_height(self) -> int:
        return int(max(CHART_HEIGHT_PX, 6 * self.fontMetrics().height()))

    def area(self, number: int) -> QRectF:
        """Rectangle in which the lines of a chart are."""
        n_columns, line = self._n_columns(), self.fontMetrics().height()
        width = (self.width() - RIGHT_PX - GAP_PX * (n_columns - 1)) / n_columns
        row, column = divmod(number, n_columns)
        top = row * (self._chart_height() + GAP_PX)
        return QRectF(column * (width + GAP_PX), top + line + 2, width, self._chart_height() - line - 2)

    def x_of(self, number: int, share: float) -> float:
        """Pixel of a share of the way in a chart."""
        area = self.area(number)
        return float(area.left() + PAD_PX + share * (area.width() - 2 * PAD_PX))

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Go to the place under the pointer."""
        self._ask(event)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Go with the pointer."""
        self._ask(event)

    def _ask(self, event: QMouseEvent) -> None:
        for number in range(len(self._order)):
            if self.area(number).contains(event.position()):
                first, last = self.x_of(number, 0.0), self.x_of(number, 1.0)
                self.share_requested.emit(float(np.clip((event.position().x() - first) / (last - first), 0.0, 1.0)))

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw the charts, which are kept as a picture while only the cursor moves, and the cursor."""
        if self._curves is None or not len(self._order):
            return
        if self._picture is None:
            self._picture = self._drawn(self._curves)
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.drawPixmap(0, 0, self._picture)
        if self._share is not None:
            for number, target in enumerate(self._order.tolist()):
                if self.area(number).adjusted(0, -20, 0, 0).intersects(QRectF(event.rect())):
                    self._paint_cursor(painter, self._curves, self._share, number, target)
        painter.end()

    def _drawn(self, curves: PathCurves) -> QPixmap:
        ratio = self.devicePixelRatioF()
        picture = QPixmap(self.size() * ratio)
        picture.setDevicePixelRatio(ratio)
        picture.fill(Qt.GlobalColor.transparent)
        painter = QPainter(picture)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        for number, target in enumerate(self._order.tolist()):
            self._paint_chart(painter, curves, number, target)
            self._paint_title(painter, curves.targets[target], number)
        painter.end()
        return picture

    def _title_area(self, number: int) -> QRectF:
        area, line = self.area(number), self.fontMetrics().height()
        return QRectF(area.left(), area.top() - line - 2, area.width(), line)

    def _paint_title(self, painter: QPainter, spec: PhenotypeSpec, number: int) -> None:
        room = self._title_area(number)
        painter.setFont(small_font(self, 0.85))
        painter.setPen(self._theme.color("text"))
        width = int(room.width()) - painter.fontMetrics().horizontalAdvance(VALUE_ROOM)
        title = painter.fontMetrics().elidedText(_title(spec), Qt.TextElideMode.ElideRight, width)
        painter.drawText(room, Qt.AlignmentFlag.AlignLeft, title)

    def _paint_cursor(self, painter: QPainter, curves: PathCurves, share: float, number: int, target: int) -> None:
        area, x = self.area(number), self.x_of(number, share)
        painter.setPen(QPen(self._theme.color("text", 0.8), 1))
        painter.drawLine(QPointF(x, area.top()), QPointF(x, area.bottom()))
        value = float(np.interp(share, curves.shares, curves.values[:, -1, target]))
        painter.setFont(small_font(self, 0.85, is_bold=True))
        words = value_text(curves.targets[target], value)
        painter.drawText(self._title_area(number), Qt.AlignmentFlag.AlignRight, words)

    def _paint_chart(self, painter: QPainter, curves: PathCurves, number: int, target: int) -> None:
        theme, area, spec = self._theme, self.area(number), curves.targets[target]
        painter.fillRect(area, theme.color("panel"))
        measured = self._film.measured(spec.name) if self._film is not None and spec.name in MEASURED else None
        low, high = limits_of(curves, target, measured)
        x = np.array([self.x_of(number, share) for share in curves.shares])

        def y_of(values: NDArray[np.float64]) -> NDArray[np.float64]:
            part = (values - low) / (high - low)
            return np.asarray(area.bottom() - PAD_PX - part * (area.height() - 2 * PAD_PX))

        band = make_polyline(
            np.concatenate([x, x[::-1]]),
            y_of(np.concatenate([curves.low[:, -1, target], curves.high[::-1, -1, target]])),
        )
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(theme.color("accent", 0.22))
        painter.drawPolygon(band)
        painter.setBrush(Qt.BrushStyle.NoBrush)
        for row in range(len(curves.rows) - 1):
            self._paint_line(painter, make_polyline(x, y_of(curves.values[:, row, target])), row)
        painter.setPen(QPen(theme.color("accent"), 1.8))
        painter.drawPolyline(make_polyline(x, y_of(curves.values[:, -1, target])))
        if measured is not None and self._film is not None:
            painter.setPen(QPen(theme.color("panel"), 0.8))
            painter.setBrush(theme.color("text"))
            for share, y in zip(self._film.shares.tolist(), y_of(measured).tolist(), strict=True):
                if np.isfinite(y):
                    painter.drawRect(QRectF(self.x_of(number, share) - 2.5, y - 2.5, 5, 5))
        painter.setFont(small_font(self, 0.78))
        painter.setPen(theme.color("muted"))
        aside = [Qt.AlignmentFlag.AlignLeft, Qt.AlignmentFlag.AlignRight]  # the highest, where a rising line is low
        if curves.values[-1, -1, target] < curves.values[0, -1, target]:
            aside.reverse()
        for value, flag in (
            (high, Qt.AlignmentFlag.AlignTop | aside[0]),
            (low, Qt.AlignmentFlag.AlignBottom | aside[1]),
        ):
            painter.drawText(area.adjusted(3, 0, -3, 0), flag, value_text(spec, value))

    def _paint_line(self, painter: QPainter, line: QPolygonF, row: int) -> None:
        pen = QPen(self._theme.color("muted"), 1.0)
        pen.setDashPattern(_DASHES[row % len(_DASHES)])
        painter.setPen(pen)
        painter.drawPolyline(line)


def limits_of(curves: PathCurves, target: int, measured: NDArray[np.float64] | None) -> tuple[float, float]:
    """Lowest and highest of all that a chart shows."""
    parts = [curves.low[:, -1, target], curves.high[:, -1, target], curves.values[:, :, target].ravel()]
    every = np.concatenate(parts if measured is None else [*parts, measured])
    every = every[np.isfinite(every)]
    low, high = float(every.min()), float(every.max())
    return (low, high) if high > low else (low - 1.0, high + 1.0)


def value_text(spec: PhenotypeSpec, value: float) -> str:
    """Write a value with its unit, or a probability in per cent."""
    return f"{value:.0%}" if spec.kind == "binary" else f"{format_value(value)} {spec.unit}".rstrip()


def _title(spec: PhenotypeSpec) -> str:
    name = spec.label or spec.name
    return f"{name}: {spec.categories[1]}" if spec.kind == "binary" else name
