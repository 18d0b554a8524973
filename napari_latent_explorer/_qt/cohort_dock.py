"""The cohort: who is in it, who passes the filters, and one chart per phenotype to filter by."""

from itertools import pairwise

from qtpy.QtCore import Signal
from qtpy.QtWidgets import QHBoxLayout, QLabel, QLineEdit, QPushButton, QVBoxLayout, QWidget
from superqt.utils import qthrottled

from napari_latent_explorer._qt.arrangement import scrolled
from napari_latent_explorer._qt.chart_order import QtChartOrder, in_order
from napari_latent_explorer._qt.color_by import QtColorByCombo
from napari_latent_explorer._qt.filter_chips import QtFilterChips
from napari_latent_explorer._qt.history_bar import QtHistoryBar
from napari_latent_explorer._qt.job_strip import QtJobStrip
from napari_latent_explorer._qt.listening import listen
from napari_latent_explorer._qt.numbers import format_count
from napari_latent_explorer._qt.phenotype_card import QtPhenotypeCard
from napari_latent_explorer._qt.sentence_box import QtSentenceBox
from napari_latent_explorer._qt.theme import DARK, Theme, small_font
from napari_latent_explorer.session.explorer import Explorer
from napari_latent_explorer.session.filters import Filter
from napari_latent_explorer.session.view_state import ViewState

NO_STUDY = "No study is open. Open one with File > Open Sample > Latent Explorer, or drop a study folder on the window."
BUILD_TOOL_TIP = "Make a study of a table and folders of cine MRI and ECG"


class QtCohortDock(QWidget):
    """Counts, chips, search, and the charts.

    Parameters
    ----------
    explorer
        The session.
    parent
        Qt parent.
    """

    build_requested = Signal()
    """The user wants to make a study of their own files."""

    def __init__(self, explorer: Explorer, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._explorer = explorer
        self._theme = DARK
        self._cards: dict[str, QtPhenotypeCard] = {}
        self._count = QLabel(self)
        self._count.setFont(small_font(self, 1.25, is_bold=True))
        self._count.setWordWrap(True)
        self._empty = QLabel(NO_STUDY, self)
        self._empty.setWordWrap(True)
        self.build = QPushButton("Build a study from your own files …", self)
        self.build.setToolTip(BUILD_TOOL_TIP)
        self.build.clicked.connect(self.build_requested)
        self._search = QLineEdit(self)
        self._search.setPlaceholderText("Search phenotypes …")
        self._search.setClearButtonEnabled(True)
        self._search.setAccessibleName("Search phenotypes")
        self._search.textChanged.connect(self._on_search_changed)
        self.order = QtChartOrder(self)
        self.order.order_chosen.connect(self._order_cards)
        self.order.log_toggled.connect(self._on_log_toggled)
        self.sentence = QtSentenceBox(explorer, self)
        self._chips = QtFilterChips(explorer, self)
        self.history = QtHistoryBar(explorer, self)
        self._build_layout(QtColorByCombo(explorer, self))
        self._request_filter = qthrottled(self._set_filter, timeout=30, leading=True)
        listen(self, explorer.study_changed, self._build_cards)
        listen(self, explorer.view_state_changed, self._on_view_state_changed)
        self._build_cards()

    def _build_layout(self, color_by: QtColorByCombo) -> None:
        self._charts = QWidget(self)
        self._charts_layout = QVBoxLayout(self._charts)
        self._charts_layout.setContentsMargins(0, 4, 8, 0)
        self._charts_layout.setSpacing(2)
        self._charts_layout.addStretch(1)
        self._coloring = QWidget(self)
        coloring = QHBoxLayout(self._coloring)
        coloring.setContentsMargins(0, 0, 0, 0)
        coloring.addWidget(QLabel("Colour by", self))
        coloring.addWidget(color_by, 1)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(8, 6, 4, 6)
        layout.setSpacing(6)
        top = QHBoxLayout()
        top.addWidget(self._count, 1)
        top.addWidget(self.history)
        layout.addLayout(top)
        for widget in (self._empty, self.build, self.sentence, self._chips):
            layout.addWidget(widget)
        layout.addWidget(self._coloring)
        layout.addWidget(self._search)
        layout.addWidget(self.order)
        layout.addWidget(scrolled(self._charts, self), 1)
        layout.addWidget(QtJobStrip(self._explorer.jobs, self))
        self.setMinimumWidth(240)

    @property
    def cards(self) -> dict[str, QtPhenotypeCard]:
        """Card of each phenotype."""
        return dict(self._cards)

    def set_theme(self, theme: Theme) -> None:
        """Repaint in other colours."""
        self._theme = theme
        self.sentence.set_theme(theme)
        self._chips.set_theme(theme)
        self.history.set_theme(theme)
        self.order.set_theme(theme)
        for card in self._cards.values():
            card.set_theme(theme)

    def _build_cards(self) -> None:
        for card in self._cards.values():
            self._charts_layout.removeWidget(card)
            card.hide()
            card.deleteLater()
        cohort = self._explorer.cohort
        self._cards = {}
        for spec in cohort.specs.values() if cohort is not None else ():
            card = QtPhenotypeCard(spec, self._charts)
            card.set_theme(self._theme)
            card.filter_requested.connect(self._request_filter)
            card.drag_began.connect(self._explorer.begin_gesture)
            card.drag_ended.connect(self._on_drag_ended)
            card.chart.set_log(self.order.is_log)
            self._charts_layout.insertWidget(self._charts_layout.count() - 1, card)
            self._cards[spec.name] = card
        self._empty.setVisible(cohort is None)
        self.build.setVisible(cohort is None)
        self.sentence.setVisible(cohort is not None)
        self._coloring.setVisible(cohort is not None)
        self._search.setVisible(cohort is not None)
        self.order.setVisible(cohort is not None)
        self._on_search_changed(self._search.text())
        self._on_view_state_changed(self._explorer.view_state)
        self._order_cards()

    def _on_drag_ended(self) -> None:
        self._request_filter.flush(restart_timer=False)  # what the mouse did last belongs to the same step
        self._explorer.end_gesture()

    def _order_cards(self) -> None:
        bars = self._explorer.view_state.bars
        specs = {name: card.spec for name, card in self._cards.items() if name in bars}
        names = in_order(self.order.order, specs, bars)
        for place, name in enumerate(names):
            self._charts_layout.insertWidget(place, self._cards[name])
        for before, after in pairwise(names):
            self.setTabOrder(self._cards[before], self._cards[after])

    def _on_log_toggled(self, is_log: bool) -> None:
        for card in self._cards.values():
            card.chart.set_log(is_log)

    def _set_filter(self, phenotype: str, chosen: Filter | None) -> None:
        if chosen is None:
            self._explorer.remove_filter(phenotype)
        else:
            self._explorer.set_filter(chosen)

    def _on_search_changed(self, words: str) -> None:
        for card in self._cards.values():
            card.setVisible(card.matches(words))

    def _on_view_state_changed(self, state: ViewState) -> None:
        self._count.setText(f"{format_count(state.n_visible)} of {format_count(state.n_total)} participants")
        self._count.setVisible(self._explorer.cohort is not None)
        filters = {chosen.key: chosen for chosen in self._explorer.filters}
        for name, card in self._cards.items():
            if name in state.bars:
                legend = state.legend if name == self._explorer.color_by else None
                card.set_counts(state.bars[name], filters.get(name), legend)
