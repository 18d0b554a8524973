"""PR, QRS, QT and corrected QT of each ECG that is shown, in a small table in the colours of the legend."""

from dataclasses import dataclass

from qtpy.QtCore import QPointF, QRectF, QSize, Qt
from qtpy.QtGui import QColor, QPainter, QPaintEvent, QPen
from qtpy.QtWidgets import QSizePolicy, QWidget

from napari_latent_explorer._qt.theme import DARK, Theme, small_font
from napari_latent_explorer.analysis.ecg_intervals import EcgIntervals

HEADS = ("HR", "PR", "QRS", "QT", "QTcB", "QTcF", "T in")
UNITS = "bpm; ms"
LINE_PX, SWATCH_PX = 16, 26
LEAST_NAMED_PX = 440
MOST_NAME_PX, MOST_COLUMN_PX = 260.0, 76.0
UNKNOWN = "-"


@dataclass(frozen=True, slots=True)
class IntervalRow:
    """One ECG: its name and colour, its intervals, and where its heart rate comes from."""

    label: str
    color: QColor
    intervals: EcgIntervals
    rate_source: str


class QtEcgIntervalTable(QWidget):
    """One line per ECG; hidden while there is none.

    Parameters
    ----------
    parent
        Qt parent.
    """

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._rows: tuple[IntervalRow, ...] = ()
        self._n_lines = 0
        self._theme = DARK
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setAccessibleName("ECG intervals")
        self.hide()

    @property
    def rows(self) -> tuple[IntervalRow, ...]:
        """What is told, top to bottom."""
        return self._rows

    def set_theme(self, theme: Theme) -> None:
        """Redraw in other colours."""
        self._theme = theme
        self.update()

    def set_rows(self, rows: tuple[IntervalRow, ...]) -> None:
        """Tell these intervals."""
        self._rows = rows
        said = "; ".join(
            f"{row.label}: {', '.join(map(' '.join, zip(HEADS, cells(row), strict=True)))}" for row in rows
        )
        self.setAccessibleDescription(said)
        sources = "\n".join(f"{row.label}: heart rate {row.rate_source}" for row in rows)
        self.setToolTip(
            "Heart rate in beats a minute, intervals in ms. PR and QRS are taken over all leads; T ends where the "
            "tangent at its steepest fall meets the baseline, in the lead named.\n"
            f"QTcB is QT by Bazett's formula, QTcF by Fridericia's.\n{sources}"
        )
        self.setVisible(bool(rows))
        self.update()

    def fit(self, height_px: float) -> None:
        """Show as many lines as there is room for, at least one; the last says how many more there are."""
        self._n_lines = min(len(self._rows), max(1, int(height_px) // LINE_PX - 1))
        self.setFixedHeight(self.sizeHint().height())
        self.update()

    @property
    def n_named(self) -> int:
        """How many ECGs have a line."""
        return self._n_lines if self._n_lines == len(self._rows) else self._n_lines - 1

    def sizeHint(self) -> QSize:
        """Room for the lines."""
        return QSize(300, LINE_PX * (self._n_lines + 1) + 2)

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw heads and lines."""
        painter = QPainter(self)
        painter.setFont(small_font(self, 0.88))
        named_px = min(MOST_NAME_PX, 0.28 * self.width()) if self.width() >= LEAST_NAMED_PX else 0.0
        left = SWATCH_PX + named_px
        column = min(MOST_COLUMN_PX, (self.width() - left) / len(HEADS))
        painter.setPen(self._theme.color("muted"))
        self._paint_line(painter, 0, left, column, HEADS)
        if named_px:
            painter.drawText(self._cell(0, SWATCH_PX, named_px), Qt.AlignmentFlag.AlignVCenter, UNITS)
        for line, row in enumerate(self._rows[: self.n_named], 1):
            middle = (line + 0.5) * LINE_PX
            painter.setPen(QPen(row.color, 2.4))
            painter.drawLine(QPointF(4, middle), QPointF(SWATCH_PX - 6, middle))
            painter.setPen(self._theme.color("text"))
            if named_px:
                name = painter.fontMetrics().elidedText(row.label, Qt.TextElideMode.ElideRight, int(named_px - 8))
                painter.drawText(self._cell(line, SWATCH_PX, named_px), Qt.AlignmentFlag.AlignVCenter, name)
            self._paint_line(painter, line, left, column, cells(row))
        if self.n_named < len(self._rows):
            painter.setPen(self._theme.color("muted"))
            place = self._cell(self.n_named + 1, SWATCH_PX, self.width() - SWATCH_PX)
            painter.drawText(place, Qt.AlignmentFlag.AlignVCenter, f"and {len(self._rows) - self.n_named} more")
        painter.end()

    def _paint_line(self, painter: QPainter, line: int, left: float, column: float, texts: tuple[str, ...]) -> None:
        for index, text in enumerate(texts):
            painter.drawText(self._cell(line, left + index * column, column), Qt.AlignmentFlag.AlignVCenter, text)

    @staticmethod
    def _cell(line: int, left: float, width: float) -> QRectF:
        return QRectF(left, line * LINE_PX, width, LINE_PX)


def cells(row: IntervalRow) -> tuple[str, ...]:
    """Texts of a line, one per head."""
    one = row.intervals
    rate = None if one.rr_interval_ms is None else 60_000.0 / one.rr_interval_ms
    numbers = (rate, one.pr_ms, one.qrs_ms, one.qt_ms, one.qtc_bazett_ms, one.qtc_fridericia_ms)
    return (*(UNKNOWN if number is None else f"{number:.0f}" for number in numbers), one.t_lead or UNKNOWN)
