"""The probe's vector by dimension: dots in a chosen order, filtered, locked, typed, copied and pasted."""

from collections.abc import Callable
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from qtpy.QtGui import QColor, QGuiApplication
from qtpy.QtWidgets import (
    QComboBox,
    QDoubleSpinBox,
    QHBoxLayout,
    QLabel,
    QMenu,
    QPushButton,
    QSpinBox,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from napari_latent_explorer._qt.dot_plot import QtDotPlot
from napari_latent_explorer._qt.job_strip import QtJobStrip
from napari_latent_explorer._qt.listening import listen, listen_while_seen
from napari_latent_explorer._qt.theme import DARK, Theme, to_qcolor, tool_button_style
from napari_latent_explorer.errors import LatentExplorerError
from napari_latent_explorer.session.dimension_ranking import RANK, DimensionRanking
from napari_latent_explorer.session.explorer import Explorer
from napari_latent_explorer.session.vector_text import vector_from_text, vector_to_csv, vector_to_text

MOST_ROWS: Final = 1000
"""Of each modality, evenly drawn, behind the dots; the 5th percentile is then known to 1.4 percentiles."""
MOST_DIMENSION_PX: Final = 100
"""Four digits between two buttons; the rest of a narrow dock is for the value."""
ORDERS = {
    "number": "by number",
    "variance": "by variance in the cohort",
    "moved": "by distance moved",
    "mri": "by change of the image",
    "ecg": "by change of the ECG",
    "phenotype": "by effect on …",
}
MEASURED = ("mri", "ecg", "phenotype")
SHOWN = {"all": "all", "first 10": "first 10", "first 50": "first 50", "moved": "moved", "locked": "locked"}
MEASURED_WORDS = "For one standard deviation of the dimension; of image and ECG where the probe began"


class QtDimensionPanel(QWidget):
    """The dots, and what is done with them.

    Parameters
    ----------
    explorer
        The session.
    parent
        Qt parent.
    """

    def __init__(self, explorer: Explorer, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._explorer = explorer
        self._ranking = DimensionRanking(explorer)
        self._std: NDArray[np.float32] = np.zeros(0, np.float32)
        self.dots = QtDotPlot(self)
        self.order, self.phenotype, self.shown = QComboBox(self), QComboBox(self), QComboBox(self)
        self.dimension = QSpinBox(self)
        self.value = QDoubleSpinBox(self)
        self.lock = QToolButton(self)
        self.reset_one = QPushButton("Reset", self)
        self.more = QToolButton(self)
        self.strip = QtJobStrip(explorer.jobs, self, (RANK,))
        self._set_up_choices()
        self._set_up_controls()
        self._build_layout()
        self._connect()
        self._on_study_changed()

    def _set_up_choices(self) -> None:
        for combo, words in ((self.order, ORDERS), (self.shown, SHOWN)):
            for name, label in words.items():
                combo.addItem(label, name)
        for combo, title in (
            (self.order, "Order of the dimensions"),
            (self.phenotype, "Phenotype by which dimensions are ordered"),
            (self.shown, "Which dimensions are shown"),
        ):
            combo.setAccessibleName(title)
            combo.setToolTip(title)
            combo.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
            combo.setMinimumContentsLength(4)
        self.order.setToolTip(f"Order of the dimensions. {MEASURED_WORDS}")
        self.phenotype.hide()

    def _set_up_controls(self) -> None:
        self.dimension.setAccessibleName("Latent dimension")
        self.dimension.setToolTip("Latent dimension")
        self.dimension.setMaximumWidth(MOST_DIMENSION_PX)
        self.value.setAccessibleName("Value of the dimension")
        self.value.setToolTip("Type a value for this dimension")
        self.value.setDecimals(3)
        self.value.setRange(-1000.0, 1000.0)
        self.value.setSingleStep(0.1)
        self.value.setKeyboardTracking(False)
        self.lock.setText("Lock")
        self.lock.setCheckable(True)
        self.lock.setToolTip("A locked dimension stays when it, or all, are moved or taken back; a walk moves it  [L]")
        self.reset_one.setToolTip("Take this dimension back to where it began  [R on the plot]")
        self.more.setText("Vector ▾")
        self.more.setToolTip("Copy the whole vector, or paste another")
        self.more.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        menu = QMenu(self.more)
        menu.addAction("Copy as text", self.copy)
        menu.addAction("Copy as table (CSV)", lambda: self.copy(is_table=True))
        menu.addAction("Paste", self.paste)
        self.more.setMenu(menu)
        self.set_theme(DARK)

    def _build_layout(self) -> None:
        top, bottom = QHBoxLayout(), QHBoxLayout()
        top.addWidget(QLabel("Sort", self))
        for widget, stretch in ((self.order, 3), (self.shown, 2)):
            top.addWidget(widget, stretch)
        top.addWidget(self.more)
        bottom.addWidget(self.dimension)
        bottom.addWidget(self.value, 1)
        for button in (self.lock, self.reset_one):
            bottom.addWidget(button)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(5)
        layout.addLayout(top)
        layout.addWidget(self.phenotype)
        layout.addWidget(self.strip)
        layout.addWidget(self.dots, 1)
        layout.addLayout(bottom)

    def _connect(self) -> None:
        explorer, probe = self._explorer, self._explorer.probe
        self.order.activated.connect(self._on_order_chosen)
        self.phenotype.activated.connect(self._on_order_chosen)
        self.shown.activated.connect(self._sort)
        self.dots.moved.connect(self._by_hand(probe.move))
        self.dots.drag_began.connect(explorer.begin_gesture)
        self.dots.drag_ended.connect(explorer.end_gesture)
        self.dots.reset_requested.connect(self._by_hand(probe.reset))
        self.dots.lock_requested.connect(lambda dim: probe.set_locked(dim, dim not in probe.locked))
        self.dots.current_changed.connect(self._on_dots_current_changed)
        self.dimension.valueChanged.connect(self._on_dimension_typed)
        self.value.valueChanged.connect(self._by_hand(self._on_value_typed))
        self.lock.clicked.connect(lambda is_locked: probe.set_locked(self.dots.current, is_locked))
        self.reset_one.clicked.connect(self._by_hand(lambda *_: probe.reset(self.dots.current)))
        listen(self, self._ranking.changed, self._on_ranking_changed)
        listen(self, explorer.study_changed, self._on_study_changed)
        listen(self, explorer.active_group_changed, self._on_active_group_changed)
        listen(self, explorer.groups_changed, self._on_active_group_changed)
        listen(self, probe.locks_changed, self._on_locks_changed)
        listen(self, probe.origin_changed, self._on_probe_origin_changed)
        listen_while_seen(self, explorer.pace.due, self._show_vector)

    def set_theme(self, theme: Theme) -> None:
        """Redraw in other colours."""
        self.dots.set_theme(theme)
        for button in (self.lock, self.more):
            button.setStyleSheet(f"{tool_button_style(theme)} QToolButton::menu-indicator {{ image: none; }}")

    def spread(self, dim: int) -> float:
        """Return the standard deviation of a dimension in the cohort."""
        return float(self._std[dim])

    def copy(self, is_table: bool = False) -> None:
        """Put the probe's vector on the clipboard."""
        vector = self._explorer.probe.vector
        if vector.size and (clipboard := QGuiApplication.clipboard()) is not None:
            clipboard.setText(vector_to_csv(vector) if is_table else vector_to_text(vector))

    def paste(self) -> None:
        """Move the probe to the vector on the clipboard; what it is not is told as the session's failures are."""
        clipboard, probe = QGuiApplication.clipboard(), self._explorer.probe
        if clipboard is None or not probe.is_set:
            return
        try:
            probe.move_to(vector_from_text(clipboard.text(), probe.vector.size))
        except LatentExplorerError as error:
            self._explorer.failed.emit(error)

    def _on_study_changed(self) -> None:
        latents = list(self._explorer.latents.values())
        samples = [space.values[:: max(1, len(space.values) // MOST_ROWS)] for space in latents]
        values = np.concatenate(samples) if samples else np.zeros((0, 0), np.float32)
        self._std = values.std(axis=0) if len(values) else np.zeros(values.shape[1], np.float32)
        self.dots.set_population(values)
        self.dimension.setRange(0, max(0, values.shape[1] - 1))
        cohort = self._explorer.cohort
        self.phenotype.clear()
        for spec in cohort.specs.values() if cohort is not None else ():
            if spec.kind != "categorical":
                self.phenotype.addItem(spec.label or spec.name, spec.name)
        self._on_order_chosen()
        self._on_active_group_changed()
        self._show_vector()

    def _on_active_group_changed(self) -> None:
        group, latents = self._explorer.active_group, self._explorer.latents
        if group is None or not latents:
            self.dots.set_group(None, QColor())
            return
        space = latents.get(self._explorer.probe_modality, next(iter(latents.values())))
        sample = group.participant_ids[:: max(1, len(group) // MOST_ROWS)].tolist()
        members = [participant_id for participant_id in sample if participant_id in space]
        self.dots.set_group(space.of(members) if members else None, to_qcolor(group.color))

    def _on_probe_origin_changed(self) -> None:
        self._show_vector()
        if self.order.currentData() == "moved":
            self._sort()

    def _on_locks_changed(self) -> None:
        self.dots.set_locked(self._explorer.probe.locked)
        self._show_vector()
        if self.shown.currentData() == "locked":
            self._sort()

    def _show_vector(self, *_: Any) -> None:
        probe = self._explorer.probe
        vector = probe.vector
        is_shown = probe.is_set and vector.size == self._std.size
        nothing = np.zeros(0, np.float32)
        self.dots.set_vector(probe.origin if is_shown else nothing, vector if is_shown else nothing)
        for widget in (self.value, self.dimension, self.lock, self.more):
            widget.setEnabled(is_shown)
        lists_moved = is_shown and self.shown.currentData() == "moved" and not self.dots.is_dragging
        if lists_moved and set(self.dots.shown_dims) != set(probe.moved_dims.tolist()):
            self._sort()
        self._on_dots_current_changed(self.dots.current)

    def _on_dimension_typed(self, dim: int) -> None:
        """Choose a dimension, which is brought back if the filter had hidden it."""
        if dim not in self.dots.shown_dims:
            self.shown.setCurrentIndex(self.shown.findData("all"))
            self._sort()
        self.dots.set_current(dim)

    def _on_dots_current_changed(self, dim: int) -> None:
        probe = self._explorer.probe
        self.dimension.setValue(dim)
        self.lock.setChecked(dim in probe.locked)
        self.reset_one.setEnabled(dim in probe.moved_dims and dim not in probe.locked)
        vector = probe.vector
        if dim < vector.size and not self.value.hasFocus():
            was_blocked = self.value.blockSignals(True)
            self.value.setValue(float(vector[dim]))
            self.value.blockSignals(was_blocked)

    def _by_hand(self, change: Callable[..., None]) -> Callable[..., None]:
        """Show at once what the hand changes here; what others change can wait for its turn."""

        def change_and_show(*values: Any) -> None:
            change(*values)
            self._show_vector()

        return change_and_show

    def _on_value_typed(self, value: float) -> None:
        if self._explorer.probe.is_set:
            self._explorer.probe.move(self.dots.current, value)

    def _on_order_chosen(self, *_: Any) -> None:
        """Sort, or begin to measure what is to be sorted by."""
        chosen = self.order.currentData()
        self.phenotype.setVisible(chosen == "phenotype")
        if chosen not in MEASURED:
            self._ranking.forget()
        elif self._explorer.latents:
            try:
                self._ranking.start(chosen, self.phenotype.currentData())
            except LatentExplorerError as error:
                self.order.setCurrentIndex(self.order.findData("number"))
                self._explorer.failed.emit(error)
        self._sort()

    def _on_ranking_changed(self) -> None:
        """Sort by what was measured; by number again when that is of another place, model or study."""
        if not self._ranking.is_asked and self.order.currentData() in MEASURED:
            self.order.setCurrentIndex(self.order.findData("number"))
            self.phenotype.hide()
        self._sort()

    def _key(self) -> NDArray[np.float64]:
        """How much each dimension matters in the chosen order, ``(latent_dim,)``."""
        chosen, probe = self.order.currentData(), self._explorer.probe
        influence = self._ranking.influence
        if chosen in MEASURED and influence is not None and influence.size == self._std.size:
            return influence
        if chosen == "variance":
            return self._std.astype(np.float64)
        if chosen == "moved" and probe.vector.size == self._std.size:
            return np.asarray(np.abs(probe.offsets) / np.maximum(self._std, 1e-6), np.float64)
        return np.zeros(self._std.size)

    def _sort(self, *_: Any) -> None:
        key, probe = self._key(), self._explorer.probe
        order = np.argsort(-key, kind="stable")
        shown = self.shown.currentData()
        if shown == "moved":
            order = order[np.isin(order, probe.moved_dims)]
        elif shown == "locked":
            order = order[np.isin(order, list(probe.locked))]
        elif shown != "all":
            order = order[: int(shown.removeprefix("first "))]
        self.dots.set_influence(key if self.order.currentData() != "number" else None)
        self.dots.set_order(order)
