"""The probe: a latent vector taken apart into its dimensions, each of which can be moved, or walked along a direction.

Dimensions and direction are two pages on the same vector; what is done on one is seen on the other.
"""

import numpy as np
from numpy.typing import NDArray
from qtpy.QtCore import Qt
from qtpy.QtWidgets import (
    QComboBox,
    QDoubleSpinBox,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QSizePolicy,
    QSpinBox,
    QStackedWidget,
    QVBoxLayout,
    QWidget,
)

from napari_latent_explorer._qt.comparison_model import as_plain
from napari_latent_explorer._qt.direction_panel import QtDirectionPanel
from napari_latent_explorer._qt.dot_plot import QtDotPlot
from napari_latent_explorer._qt.listening import listen
from napari_latent_explorer._qt.page_switch import QtPageSwitch
from napari_latent_explorer._qt.theme import Theme, small_font
from napari_latent_explorer.session.direction_walk import DirectionWalk
from napari_latent_explorer.session.explorer import Explorer

NOTHING = "No vector yet. Click a participant on a map, or make a group; its latent vector appears here."
DIMENSIONS, DIRECTION = "Dimensions", "Direction"
PAGES = {
    DIMENSIONS: "Move one latent dimension at a time",
    DIRECTION: "Walk along a phenotype, a principal component, or from one group to another",
}
ORDERS = {
    "number": "by number",
    "variance": "by variance in the cohort",
    "moved": "by distance moved",
}


class QtProbeDock(QWidget):
    """Where the probe began, its dots, and a line to type a value.

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
        self._std: NDArray[np.float32] = np.zeros(0, np.float32)
        self._title = QLabel(self)
        self._title.setFont(small_font(self, 1.0, is_bold=True))
        self._title.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        self._empty = QLabel(NOTHING, self)
        self._empty.setWordWrap(True)
        self._moves = QLabel(self)
        for label in (self._title, self._empty, self._moves):
            label.setTextFormat(Qt.TextFormat.PlainText)
        self._moves.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        self.pages = QtPageSwitch(PAGES, self)
        self.pages.set_available(list(PAGES))
        self.directions = QtDirectionPanel(explorer, walk, self)
        self.dots = QtDotPlot(self)
        self.order = QComboBox(self)
        self.dimension = QSpinBox(self)
        self.value = QDoubleSpinBox(self)
        self.reset_one = QPushButton("Reset", self)
        self.reset_all = QPushButton("Reset all", self)
        self._set_up_controls()
        self._build_layout()
        self._connect()
        self._on_study_changed()

    def _set_up_controls(self) -> None:
        for name, label in ORDERS.items():
            self.order.addItem(label, name)
        self.order.setAccessibleName("Order of the dimensions")
        self.dimension.setAccessibleName("Latent dimension")
        self.dimension.setToolTip("Latent dimension")
        self.value.setAccessibleName("Value of the dimension")
        self.value.setToolTip("Type a value for this dimension")
        self.value.setDecimals(3)
        self.value.setRange(-1000.0, 1000.0)
        self.value.setSingleStep(0.1)
        self.value.setKeyboardTracking(False)
        self.reset_one.setToolTip("Take this dimension back to where it began  [R on the plot]")
        self.reset_all.setToolTip("Take all dimensions and the walk back")

    def _build_layout(self) -> None:
        top = QHBoxLayout()
        top.addWidget(QLabel("Sort", self))
        top.addWidget(self.order, 1)
        bottom = QHBoxLayout()
        bottom.addWidget(QLabel("Dimension", self))
        for widget, stretch in ((self.dimension, 0), (self.value, 1), (self.reset_one, 0)):
            bottom.addWidget(widget, stretch)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(8, 6, 8, 6)
        layout.setSpacing(5)
        by_dimension = QWidget(self)
        inner = QVBoxLayout(by_dimension)
        inner.setContentsMargins(0, 0, 0, 0)
        inner.setSpacing(5)
        inner.addLayout(top)
        inner.addWidget(self.dots, 1)
        inner.addLayout(bottom)
        self._stack = QStackedWidget(self)
        self._stack.addWidget(by_dimension)
        self._stack.addWidget(self.directions)
        switch = QHBoxLayout()
        switch.addWidget(self.pages)
        switch.addStretch(1)
        switch.addWidget(self.reset_all)
        for widget in (self._title, self._moves, self._empty):
            layout.addWidget(widget)
        layout.addLayout(switch)
        layout.addWidget(self._stack, 1)

    def _connect(self) -> None:
        explorer = self._explorer
        self.order.activated.connect(self._sort)
        self.pages.page_changed.connect(lambda: self._stack.setCurrentIndex(list(PAGES).index(self.pages.page)))
        self.dots.moved.connect(explorer.probe.move)
        self.dots.drag_began.connect(explorer.begin_gesture)
        self.dots.drag_ended.connect(explorer.end_gesture)
        self.dots.reset_requested.connect(explorer.probe.reset)
        self.dots.current_changed.connect(self._on_dots_current_changed)
        self.dimension.valueChanged.connect(self.dots.set_current)
        self.value.valueChanged.connect(self._on_value_typed)
        self.reset_one.clicked.connect(lambda: explorer.probe.reset(self.dots.current))
        self.reset_all.clicked.connect(lambda: explorer.probe.reset())
        listen(self, explorer.study_changed, self._on_study_changed)
        listen(self, explorer.probe.origin_changed, self._on_probe_origin_changed)
        listen(self, explorer.probe.vector_changed, self._on_probe_vector_changed)

    def set_theme(self, theme: Theme) -> None:
        """Redraw in other colours."""
        self.dots.set_theme(theme)
        self.directions.set_theme(theme)
        self.pages.set_theme(theme)
        self._moves.setStyleSheet(f"color: {theme.accent};")

    def spread(self, dim: int) -> float:
        """Return the standard deviation of a dimension in the cohort."""
        return float(self._std[dim])

    def _on_study_changed(self) -> None:
        latents = list(self._explorer.latents.values())
        values = np.concatenate([space.values for space in latents]) if latents else np.zeros((0, 0), np.float32)
        self._std = values.std(axis=0) if len(values) else np.zeros(values.shape[1], np.float32)
        self.dots.set_population(values)
        self.dimension.setRange(0, max(0, values.shape[1] - 1))
        self._sort()
        self._on_probe_origin_changed()

    def _on_probe_origin_changed(self) -> None:
        self._on_probe_vector_changed(self._explorer.probe.vector)

    def _on_probe_vector_changed(self, vector: NDArray[np.float32]) -> None:
        probe = self._explorer.probe
        is_shown = probe.is_set and vector.size == self._std.size
        nothing = np.zeros(0, np.float32)
        self.dots.set_vector(probe.origin if is_shown else nothing, vector if is_shown else nothing)
        self._title.setText(probe.label)
        self._title.setToolTip(as_plain(f"The probe began at: {probe.label}"))
        self._empty.setVisible(not is_shown)
        for widget in (self.value, self.dimension):
            widget.setEnabled(is_shown)
        moves = probe.moves_text if is_shown else ""
        self._moves.setText(moves)
        self._moves.setToolTip(as_plain(moves))
        self._moves.setVisible(bool(moves))
        self.reset_all.setEnabled(bool(moves))
        self.reset_one.setEnabled(bool(moves) and self.dots.current in probe.moved_dims)
        self._show_value()

    def _on_dots_current_changed(self, dim: int) -> None:
        self.dimension.setValue(dim)
        self.reset_one.setEnabled(dim in self._explorer.probe.moved_dims)
        self._show_value()

    def _show_value(self) -> None:
        vector = self._explorer.probe.vector
        if self.dots.current < vector.size and not self.value.hasFocus():
            was_blocked = self.value.blockSignals(True)
            self.value.setValue(float(vector[self.dots.current]))
            self.value.blockSignals(was_blocked)

    def _on_value_typed(self, value: float) -> None:
        if self._explorer.probe.is_set:
            self._explorer.probe.move(self.dots.current, value)

    def _sort(self) -> None:
        chosen = self.order.currentData()
        key: NDArray[np.float64]
        if chosen == "variance":
            key = -self._std.astype(np.float64)
        elif chosen == "moved" and self._explorer.probe.vector.size == self._std.size:
            key = -np.abs(self._explorer.probe.offsets) / np.maximum(self._std, 1e-6)
        else:
            key = np.zeros(self._std.size)
        self.dots.set_order(np.argsort(key, kind="stable"))
