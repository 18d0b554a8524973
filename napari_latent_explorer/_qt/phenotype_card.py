"""One phenotype of the cohort: its title, its chart, and a button that takes its filter away."""

from qtpy.QtCore import Qt, Signal
from qtpy.QtWidgets import QHBoxLayout, QLabel, QToolButton, QVBoxLayout, QWidget

from napari_latent_explorer._qt.category_chart import QtCategoryChart
from napari_latent_explorer._qt.histogram_chart import QtHistogramChart
from napari_latent_explorer._qt.plain_text import as_plain
from napari_latent_explorer._qt.range_edit import QtRangeEdit
from napari_latent_explorer._qt.theme import Theme, small_font
from napari_latent_explorer.data.phenotype import PhenotypeSpec
from napari_latent_explorer.session.bars import BarCounts
from napari_latent_explorer.session.coloring import ContinuousLegend, Legend
from napari_latent_explorer.session.filters import Filter, RangeFilter

TITLE_INSET_PX = 5
"""The window's style sheet pads labels; the chart begins where the words do."""


class QtPhenotypeCard(QWidget):
    """Title and chart of one phenotype.

    Parameters
    ----------
    spec
        The phenotype.
    parent
        Qt parent.
    """

    filter_requested = Signal(str, object)
    """Phenotype and its new filter, None to take it away."""
    drag_began = Signal()
    drag_ended = Signal()

    def __init__(self, spec: PhenotypeSpec, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.spec = spec
        self._title = QLabel(spec.title, self)
        self._title.setTextFormat(Qt.TextFormat.PlainText)
        self._title.setWordWrap(True)
        self._title.setFont(small_font(self, 1.0, is_bold=True))
        self._title.setStyleSheet("QLabel { padding: 0px; }")
        self._title.setToolTip(as_plain(spec.description or spec.title))
        self.range = QtRangeEdit(spec, self) if spec.kind == "continuous" else None
        self._clear = QToolButton(self)
        self._clear.setText("✕")
        self._clear.setToolTip(f"Remove the filter of {spec.label or spec.name}")
        self._clear.setStyleSheet("QToolButton { padding: 0px 4px; }")
        self._clear.clicked.connect(lambda: self._on_chart_filter_requested(None))
        self.chart: QtHistogramChart | QtCategoryChart
        self.chart = QtHistogramChart(spec, self) if spec.kind == "continuous" else QtCategoryChart(spec, self)
        self.chart.filter_requested.connect(self._on_chart_filter_requested)
        if isinstance(self.chart, QtHistogramChart):
            self.chart.drag_began.connect(self.drag_began)
            self.chart.drag_ended.connect(self.drag_ended)
        heading = QHBoxLayout()
        heading.setSpacing(4)
        heading.setContentsMargins(TITLE_INSET_PX, 0, 0, 0)
        heading.addWidget(self._title, 1)
        if self.range is not None:
            self.range.range_entered.connect(self._on_range_entered)
            heading.addWidget(self.range, 0, Qt.AlignmentFlag.AlignTop)
        heading.addWidget(self._clear, 0, Qt.AlignmentFlag.AlignTop)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 10)
        layout.setSpacing(3)
        layout.addLayout(heading)
        inset = QHBoxLayout()
        inset.setContentsMargins(TITLE_INSET_PX, 0, 0, 0)
        inset.addWidget(self.chart)
        layout.addLayout(inset)

    def set_theme(self, theme: Theme) -> None:
        """Repaint in other colours."""
        self.chart.set_theme(theme)
        if self.range is not None:
            self.range.set_theme(theme)

    def matches(self, words: str) -> bool:
        """Whether title, name, description or a category holds all the words."""
        text = " ".join([self.spec.title, self.spec.name, self.spec.description, *self.spec.categories]).lower()
        return all(word in text for word in words.lower().split())

    def set_counts(self, counts: BarCounts, chosen: Filter | None, legend: Legend | None) -> None:
        """Show counts and filter; `legend` only while this phenotype colours the map."""
        if isinstance(self.chart, QtHistogramChart):
            self.chart.set_counts(counts, chosen, legend if isinstance(legend, ContinuousLegend) else None)
        else:
            colors = [entry.color for entry in legend] if isinstance(legend, tuple) else None
            self.chart.set_counts(counts, chosen, colors)
        self._clear.setVisible(chosen is not None)
        if self.range is not None:
            self.range.set_filter(chosen)

    def _on_range_entered(self, entered: tuple[float, float] | None) -> None:
        if entered is None:
            self.filter_requested.emit(self.spec.name, None)
        else:
            self.filter_requested.emit(self.spec.name, RangeFilter(self.spec.name, *entered))

    def _on_chart_filter_requested(self, chosen: Filter | None) -> None:
        self.filter_requested.emit(self.spec.name, chosen)
