"""Predicted phenotypes as a heat map: inputs by phenotypes, whichever way the room allows.

The colour of a cell says where the predicted value lies among the cohort (low to high), or how probable the positive
category is; the words in it say the value, its interval, and how well such predictions did on people held out. A cell
whose held-out score is no better than a guess is hatched: its number should not be believed.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from qtpy.QtCore import QEvent, QPointF, QRectF, QSize, Qt
from qtpy.QtGui import QBrush, QColor, QHelpEvent, QPainter, QPaintEvent, QPen
from qtpy.QtWidgets import QSizePolicy, QToolTip, QWidget

from napari_latent_explorer._qt.numbers import format_value
from napari_latent_explorer._qt.theme import DARK, Theme, small_font
from napari_latent_explorer.analysis.prediction import PredictionTable
from napari_latent_explorer.data.phenotype import PhenotypeSpec

LOW_COLOR, HIGH_COLOR = QColor("#3b7dd8"), QColor("#e08214")
CELL_HEIGHT_PX, CELL_WIDTH_PX = 38, 104
NARROW_CELL_HEIGHT_PX, NARROW_CELL_WIDTH_PX = 50, 124
LEAST_CELL_WIDTH_PX = 74
LABEL_WIDTH_PX, LABEL_SHARE, HEADER_HEIGHT_PX = 150, 0.31, 24
WIDE_HEADER_HEIGHT_PX, WIDE_LABEL_WIDTH_PX = 40, 86
METRIC_NAMES = {"r2": "R²", "auroc": "AUROC"}
POOR_R2, POOR_AUROC = 0.1, 0.6


@dataclass(frozen=True, slots=True)
class HeatMapLayout:
    """How the cells lie: `is_wide` has one row per input, else one row per phenotype."""

    is_wide: bool
    cell_width: float
    label_width: float

    @property
    def cell_height(self) -> float:
        """Narrow cells have three lines: interval and score do not fit beside each other."""
        return CELL_HEIGHT_PX if self.cell_width >= NARROW_CELL_WIDTH_PX else NARROW_CELL_HEIGHT_PX

    def cell(self, row: int, target: int) -> QRectF:
        """Rectangle of the prediction of a phenotype from an input."""
        if self.is_wide:
            left, top = target * self.cell_width, WIDE_HEADER_HEIGHT_PX + row * self.cell_height
        else:
            left, top = row * self.cell_width, HEADER_HEIGHT_PX + target * self.cell_height
        return QRectF(self.label_width + left, top, self.cell_width, self.cell_height)


class QtPredictionHeatMap(QWidget):
    """The picture; it lies in a scroll area.

    Parameters
    ----------
    parent
        Qt parent.
    """

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._table: PredictionTable | None = None
        self._ranks: dict[str, NDArray[np.float64]] = {}
        self._theme = DARK
        self._room = QSize(500, 400)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setAccessibleName("Predicted phenotypes")

    def set_theme(self, theme: Theme) -> None:
        """Redraw in other colours."""
        self._theme = theme
        self.update()

    def set_cohort_values(self, sorted_values: dict[str, NDArray[np.float64]]) -> None:
        """Set the sorted values of each continuous phenotype in the cohort, which the colours compare with."""
        self._ranks = sorted_values
        self.update()

    def set_table(self, table: PredictionTable | None) -> None:
        """Show predictions."""
        is_other_shape = (table is None) != (self._table is None)
        self._table = table
        if is_other_shape:
            self.fit_to(self._room)
        self.update()

    def fit_to(self, room: QSize) -> None:
        """Lay the cells out for the room that the scroll area offers."""
        self._room = room
        if self._table is not None:
            lowest = self.layout_cells().cell(len(self._table.rows) - 1, len(self._table.targets) - 1)
            self.setMinimumSize(int(lowest.right()), int(lowest.bottom()) + 4)

    def layout_cells(self) -> HeatMapLayout:
        """One row per input where all phenotypes fit beside each other, else one row per phenotype."""
        if self._table is None:
            return HeatMapLayout(False, CELL_WIDTH_PX, LABEL_WIDTH_PX)
        n_targets, n_rows = len(self._table.targets), len(self._table.rows)
        wide_cell = (self._room.width() - WIDE_LABEL_WIDTH_PX) / n_targets
        if wide_cell >= CELL_WIDTH_PX * 0.8:
            return HeatMapLayout(True, wide_cell, WIDE_LABEL_WIDTH_PX)
        label_width = min(LABEL_WIDTH_PX, LABEL_SHARE * self._room.width())
        return HeatMapLayout(
            False, max(LEAST_CELL_WIDTH_PX, (self._room.width() - label_width - 4) / n_rows), label_width
        )

    def event(self, event: QEvent) -> bool:
        """Explain the cell under the pointer."""
        if event.type() == QEvent.Type.ToolTip and isinstance(event, QHelpEvent):
            found = self._cell_at(QPointF(event.pos()))
            if found is not None:
                QToolTip.showText(event.globalPos(), self.explain(*found), self)
                return True
        return bool(super().event(event))

    def _cell_at(self, position: QPointF) -> tuple[int, int] | None:
        if self._table is None:
            return None
        cells = self.layout_cells()
        for row in range(len(self._table.rows)):
            for target in range(len(self._table.targets)):
                if cells.cell(row, target).contains(position):
                    return row, target
        return None

    def explain(self, row: int, target: int) -> str:
        """One cell in full sentences."""
        table = self._table
        if table is None:
            return ""
        spec, score = table.targets[target], table.scores[row][target]
        if not np.isfinite(table.values[row, target]):
            return f"{spec.title} cannot be predicted from {table.rows[row]} in this study."
        meaning = f"probability of {spec.categories[1]}" if spec.kind == "binary" else "value"
        return (
            f"<b>{spec.label or spec.name} from {table.rows[row]}</b><br>"
            f"Predicted {meaning}: {self._value_text(row, target)}, "
            f"95 % interval {self._interval_text(row, target)}<br>"
            f"Held-out {METRIC_NAMES[score.metric]}: {score.value:.2f} ({score.low:.2f} to {score.high:.2f}), "
            f"{score.n_participants:,} participants"
            + ("<br>No better than a guess: do not believe this number." if self._is_poor(row, target) else "")
        )

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw headers and cells."""
        if self._table is None:
            return
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        cells = self.layout_cells()
        self._paint_headers(painter, self._table, cells)
        for row in range(len(self._table.rows)):
            for target in range(len(self._table.targets)):
                self._paint_cell(painter, cells.cell(row, target), row, target)
        painter.end()

    def _paint_headers(self, painter: QPainter, table: PredictionTable, cells: HeatMapLayout) -> None:
        painter.setFont(small_font(self, 0.95, is_bold=True))
        painter.setPen(self._theme.color("text"))
        middle = Qt.AlignmentFlag.AlignCenter
        beside = Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft
        for row, name in enumerate(table.rows):
            cell = cells.cell(row, 0)
            if cells.is_wide:
                painter.drawText(QRectF(4, cell.top(), cells.label_width - 8, cells.cell_height), beside, name)
            else:
                painter.drawText(QRectF(cell.left(), 0, cell.width(), HEADER_HEIGHT_PX), middle, name)
        painter.setFont(small_font(self, 0.95))
        for target, spec in enumerate(table.targets):
            cell = cells.cell(0, target)
            if cells.is_wide:
                place = QRectF(cell.left() + 2, 0, cell.width() - 4, WIDE_HEADER_HEIGHT_PX)
                self._paint_name(painter, place, middle, spec)
            else:
                place = QRectF(4, cell.top(), cells.label_width - 10, cells.cell_height)
                self._paint_name(painter, place, beside, spec)

    def _paint_name(self, painter: QPainter, place: QRectF, flags: Qt.AlignmentFlag, spec: PhenotypeSpec) -> None:
        """Write a phenotype's name in as many lines as it needs; a word that is too long for a line is cut."""
        words, room = painter.fontMetrics(), int(place.width())
        cut = [words.elidedText(word, Qt.TextElideMode.ElideRight, room) for word in (spec.label or spec.name).split()]
        painter.drawText(place, int(flags) | int(Qt.TextFlag.TextWordWrap), " ".join(cut))

    def _paint_cell(self, painter: QPainter, cell: QRectF, row: int, target: int) -> None:
        assert self._table is not None
        box = cell.adjusted(1.5, 1.5, -1.5, -1.5)
        value = self._table.values[row, target]
        painter.setPen(Qt.PenStyle.NoPen)
        if not np.isfinite(value):
            painter.setBrush(self._theme.color("line", 0.3))
            painter.drawRoundedRect(box, 4, 4)
            painter.setPen(self._theme.color("muted"))
            painter.drawText(box, Qt.AlignmentFlag.AlignCenter, "n/a")
            return
        painter.setBrush(self._cell_color(self._table.targets[target], float(value)))
        painter.drawRoundedRect(box, 4, 4)
        if self._is_poor(row, target):
            painter.setBrush(QBrush(self._theme.color("muted", 0.35), Qt.BrushStyle.BDiagPattern))
            painter.drawRoundedRect(box, 4, 4)
        painter.setPen(QPen(self._theme.color("muted" if self._is_poor(row, target) else "text")))
        score = self._table.scores[row][target]
        interval, said = self._interval_text(row, target), f"{METRIC_NAMES[score.metric]} {score.value:.2f}"
        is_narrow = cell.width() < NARROW_CELL_WIDTH_PX
        small_print = [interval, said] if is_narrow else [f"{interval}  ·  {said}"]
        box.adjust(0, 2, 0, -2)
        height = box.height() / (1 + len(small_print))
        painter.setFont(small_font(self, 1.0, is_bold=True))
        for number, line in enumerate([self._value_text(row, target), *small_print]):
            place = QRectF(box.left(), box.top() + number * height, box.width(), height)
            painter.drawText(place, Qt.AlignmentFlag.AlignCenter, line)
            painter.setFont(small_font(self, 0.78))

    def _cell_color(self, spec: PhenotypeSpec, value: float) -> QColor:
        """Blue for low, orange for high, nothing for the middle of the cohort."""
        values = self._ranks.get(spec.name)
        if spec.kind == "binary":
            share = float(np.clip(value, 0.0, 1.0))
        elif values is not None and len(values):
            share = float(np.searchsorted(values, value)) / len(values)
        else:
            share = 0.5
        color = QColor(HIGH_COLOR if share >= 0.5 else LOW_COLOR)
        color.setAlphaF(0.08 + 0.62 * abs(share - 0.5) * 2.0)
        return color

    def _is_poor(self, row: int, target: int) -> bool:
        assert self._table is not None
        score = self._table.scores[row][target]
        least = POOR_AUROC if self._table.targets[target].kind == "binary" else POOR_R2
        return not score.value >= least

    def _value_text(self, row: int, target: int) -> str:
        assert self._table is not None
        spec, value = self._table.targets[target], float(self._table.values[row, target])
        if spec.kind == "binary":
            return f"{spec.categories[1]} {value:.0%}"
        return f"{format_value(value)} {spec.unit}".rstrip()

    def _interval_text(self, row: int, target: int) -> str:
        assert self._table is not None
        low, high = float(self._table.low[row, target]), float(self._table.high[row, target])
        if self._table.targets[target].kind == "binary":
            return f"{low:.0%} to {high:.0%}"
        return f"{format_value(low)} to {format_value(high)}"
