"""A comparison as forest plot and table, which scroll, sort and mark their rows together.

Beside each other where there is room, and below each other in a narrow dock.
"""

from qtpy.QtCore import QModelIndex, Qt
from qtpy.QtGui import QResizeEvent
from qtpy.QtWidgets import (
    QAbstractItemView,
    QAbstractScrollArea,
    QFrame,
    QHeaderView,
    QSizePolicy,
    QSplitter,
    QTableView,
    QVBoxLayout,
    QWidget,
)

from napari_latent_explorer._qt.comparison_model import (
    EFFECT,
    NAME,
    SIDE_A,
    SIDE_B,
    QtComparisonModel,
    title_of,
)
from napari_latent_explorer._qt.comparison_text import SIGNIFICANT_Q, effect_text, explain
from napari_latent_explorer._qt.forest_painter import HEADER_PX, ROW_PX, Forest, ForestRow
from napari_latent_explorer._qt.forest_plot import QtForestPlot
from napari_latent_explorer._qt.plain_text import as_plain
from napari_latent_explorer._qt.theme import Theme, to_qcolor
from napari_latent_explorer.analysis.comparison import ComparisonTable
from napari_latent_explorer.analysis.phenotype_comparison import PhenotypeComparison
from napari_latent_explorer.session.groups import RGBA

WIDE_PX = 640
NAME_COLUMN_PX, SIDE_COLUMN_PX, MOST_COLUMN_PX = 126, 92, 180
NO_EFFECT = "nothing to compare"
_WIDTHS = {NAME: NAME_COLUMN_PX, SIDE_A: SIDE_COLUMN_PX, SIDE_B: SIDE_COLUMN_PX}


class QtComparisonView(QWidget):
    """Plot and table.

    Parameters
    ----------
    parent
        Qt parent.
    """

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._colors: tuple[RGBA, RGBA] = ((0.5, 0.5, 0.5, 1.0), (0.5, 0.5, 0.5, 1.0))
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)  # else napari puts room below it
        self.model = QtComparisonModel(self)
        self.plot = QtForestPlot(self)
        self.table = QTableView(self)
        self._set_up_table()
        self._splitter = QSplitter(Qt.Orientation.Vertical, self)
        self._splitter.addWidget(self.plot)
        self._splitter.addWidget(self.table)
        self._splitter.setChildrenCollapsible(False)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self._splitter)
        self.model.sorted_anew.connect(self._on_sorted_anew)
        self.plot.row_clicked.connect(self.table.selectRow)
        self.table.selectionModel().currentRowChanged.connect(self._on_current_row_changed)
        self._is_scrolling = False
        self.plot.verticalScrollBar().valueChanged.connect(lambda value: self._scroll(self.table, value))
        self.table.verticalScrollBar().valueChanged.connect(lambda value: self._scroll(self.plot, value))

    def _set_up_table(self) -> None:
        self.table.setModel(self.model)
        self.table.setAccessibleName("Comparison of all phenotypes")
        self.table.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.table.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.table.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.table.setHorizontalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.table.setFrameShape(QFrame.Shape.NoFrame)
        self.table.setWordWrap(False)
        self.table.setTabKeyNavigation(False)
        self.table.setMinimumHeight(HEADER_PX + 2 * ROW_PX)
        vertical, horizontal = self.table.verticalHeader(), self.table.horizontalHeader()
        vertical.hide()
        vertical.setMinimumSectionSize(ROW_PX)
        vertical.setSectionResizeMode(QHeaderView.ResizeMode.Fixed)
        vertical.setDefaultSectionSize(ROW_PX)
        horizontal.setFixedHeight(HEADER_PX)
        horizontal.setDefaultAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
        horizontal.setHighlightSections(False)
        horizontal.setResizeContentsPrecision(20)
        self.table.setSortingEnabled(True)
        self.table.sortByColumn(EFFECT, Qt.SortOrder.DescendingOrder)

    @property
    def forest(self) -> Forest | None:
        """The rows of the plot, as they are sorted now."""
        table = self.model.table
        if table is None:
            return None
        rows = tuple(_forest_row(row, table) for row in self.model.rows)
        return Forest(rows, table.name_a, table.name_b, *(to_qcolor(color) for color in self._colors))

    def set_table(self, table: ComparisonTable | None, colors: tuple[RGBA, RGBA]) -> None:
        """Show another comparison, its groups in their colours."""
        if table is self.model.table and colors == self._colors:
            return
        self._colors = colors
        is_first = self.model.table is None
        self.model.set_table(table)
        if is_first and table is not None:
            self._fit_columns()

    def set_theme(self, theme: Theme) -> None:
        """Redraw in other colours."""
        self.plot.set_theme(theme)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Lay plot and table beside each other if there is room."""
        super().resizeEvent(event)
        is_wide = event.size().width() >= WIDE_PX
        orientation = Qt.Orientation.Horizontal if is_wide else Qt.Orientation.Vertical
        if orientation != self._splitter.orientation():
            self._splitter.setOrientation(orientation)
            self._splitter.setSizes([event.size().width() // 2] * 2 if is_wide else [event.size().height() // 2] * 2)

    def _fit_columns(self) -> None:
        self.table.resizeColumnsToContents()
        for column in range(self.model.columnCount()):
            most = _WIDTHS.get(column, MOST_COLUMN_PX)
            self.table.setColumnWidth(column, min(most, self.table.columnWidth(column) + 4))

    def _scroll(self, other: QAbstractScrollArea, value: int) -> None:
        """Let the other one follow, as far as it can; it must not pull back where it ends sooner."""
        if not self._is_scrolling:
            self._is_scrolling = True
            other.verticalScrollBar().setValue(value)
            self._is_scrolling = False

    def _on_sorted_anew(self) -> None:
        table = self.model.table
        tooltips = [as_plain(explain(row, table)) for row in self.model.rows] if table is not None else []
        self.plot.set_forest(self.forest, tuple(tooltips))
        self._on_current_row_changed(self.table.currentIndex())

    def _on_current_row_changed(self, current: QModelIndex) -> None:
        self.plot.set_current(current.row())


def _forest_row(row: PhenotypeComparison, table: ComparisonTable) -> ForestRow:
    return ForestRow(
        title_of(row, table),
        row.standardised,
        "circle" if row.spec.kind == "continuous" else "square",
        row.q < SIGNIFICANT_Q,
        effect_text(row.effect) if row.effect is not None else NO_EFFECT,
    )
