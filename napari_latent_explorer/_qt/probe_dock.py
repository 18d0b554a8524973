"""The probe: a latent vector taken apart into its dimensions, each of which can be moved, or walked along a direction.

Dimensions and direction are two pages on the same vector; what is done on one is seen on the other. A third says what
changed since it began.
"""

from qtpy.QtCore import Qt
from qtpy.QtWidgets import QHBoxLayout, QLabel, QPushButton, QSizePolicy, QStackedWidget, QVBoxLayout, QWidget
from superqt import QElidingLabel

from napari_latent_explorer._qt.change_panel import QtChangePanel
from napari_latent_explorer._qt.decoder_line import QtDecoderLine
from napari_latent_explorer._qt.dimension_panel import QtDimensionPanel
from napari_latent_explorer._qt.direction_panel import QtDirectionPanel
from napari_latent_explorer._qt.gauge_strip import QtGaugeStrip
from napari_latent_explorer._qt.listening import listen, listen_while_seen
from napari_latent_explorer._qt.page_switch import QtPageSwitch
from napari_latent_explorer._qt.plain_text import as_plain
from napari_latent_explorer._qt.steady_label import QtSteadyLabel
from napari_latent_explorer._qt.theme import Theme, small_font
from napari_latent_explorer.session.direction_walk import DirectionWalk
from napari_latent_explorer.session.explorer import Explorer

N_SAMPLED = 2_000
"""About so many people of each modality tell where the cohort is and how far it spreads, to within two in a hundred:
all of 40,000 would hold the window for two seconds."""
NOTHING = "No vector yet. Click a participant on a map, or make a group; its latent vector appears here."
DIMENSIONS, DIRECTION, CHANGES = "Dimensions", "Direction", "Changes"
PAGES = {
    DIMENSIONS: "Move one latent dimension at a time",
    DIRECTION: "Walk along a phenotype, a principal component, or from one group to another",
    CHANGES: "Where and by how much the decoded heart differs from where the probe began",
}


class QtProbeDock(QWidget):
    """Where the probe began, what was moved, and the pages.

    Parameters
    ----------
    explorer
        The session.
    walk
        The direction in it.
    parent
        Qt parent.
    """

    def __init__(self, explorer: Explorer, walk: DirectionWalk, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._explorer = explorer
        self._title, self._moves, self._empty = self._label(), QtSteadyLabel(self), QLabel(self)
        self._title.setFont(small_font(self, 1.0, is_bold=True))
        self._empty.setText(NOTHING)
        self._empty.setWordWrap(True)
        self._empty.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Preferred)
        self.pages = QtPageSwitch(PAGES, self)
        self.pages.set_available(list(PAGES))
        self.dimensions = QtDimensionPanel(explorer, self)
        self.directions = QtDirectionPanel(explorer, walk, self)
        self.changes = QtChangePanel(explorer, self)
        self.gauge = QtGaugeStrip(explorer, self)
        self.decoder = QtDecoderLine(explorer, self)
        self.reset_all = QPushButton("Reset all", self)
        self.reset_all.setToolTip("Take all dimensions and the walk back; locked dimensions stay")
        self._build_layout()
        self.pages.page_changed.connect(lambda: self._stack.setCurrentIndex(list(PAGES).index(self.pages.page)))
        self.reset_all.clicked.connect(lambda: explorer.probe.reset())
        listen(self, explorer.study_changed, self._synchronize)
        listen(self, explorer.probe.origin_changed, self._synchronize)
        listen_while_seen(self, explorer.pace.due, self._synchronize)
        self._synchronize()

    def _label(self) -> QElidingLabel:
        label = QElidingLabel(self)
        label.setTextFormat(Qt.TextFormat.PlainText)
        label.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        return label

    def _build_layout(self) -> None:
        self._stack = QStackedWidget(self)
        expanding = QSizePolicy.Policy.Expanding  # else napari puts room below it
        self._stack.setSizePolicy(expanding, expanding)
        self._stack.addWidget(self.dimensions)
        self._stack.addWidget(self.directions)
        self._stack.addWidget(self.changes)
        moves = QHBoxLayout()  # not beside the pages: together they are wider than a narrow dock
        moves.addWidget(self._moves, 1)
        moves.addWidget(self.reset_all)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(8, 6, 8, 6)
        layout.setSpacing(5)
        layout.addWidget(self._title)
        layout.addLayout(moves)
        layout.addWidget(self._empty)
        layout.addWidget(self.pages, 0, Qt.AlignmentFlag.AlignLeft)
        layout.addWidget(self._stack, 1)
        layout.addWidget(self.gauge)
        layout.addWidget(self.decoder)

    def set_theme(self, theme: Theme) -> None:
        """Redraw in other colours."""
        self.dimensions.set_theme(theme)
        self.directions.set_theme(theme)
        self.changes.set_theme(theme)
        self.pages.set_theme(theme)
        self.gauge.set_theme(theme)
        self.decoder.set_theme(theme)
        self._moves.setStyleSheet(f"color: {theme.accent};")

    def _synchronize(self) -> None:
        """Say where the probe began and what was moved."""
        probe = self._explorer.probe
        moves = probe.moves_text if probe.is_set else ""
        self._title.setText(probe.label)
        self._title.setToolTip(as_plain(f"The probe began at: {probe.label}"))
        self._moves.setText(moves or "as it began")
        self._moves.setToolTip(as_plain(moves))
        for widget, is_there in (
            (self._title, probe.is_set),
            (self._moves, probe.is_set),
            (self.reset_all, probe.is_set),
            (self._empty, not probe.is_set),
        ):
            widget.setVisible(is_there)
        self.reset_all.setEnabled(bool(moves))
