"""The probe on a walk: which way, how far, how sure that is, and what else moves.

Laying a direction is quick and begins at once. What else moves takes a second or more, and begins by itself when the
hand has come to rest, for nobody should walk along mass and not know that sex goes with it. So does the measuring of
decoded hearts where it can tell what the slider's unit is worth; until it has, the scale is called predicted. What it
tells of other directions waits for a button, for it takes a while.
"""

from dataclasses import replace
from typing import TYPE_CHECKING

from qtpy.QtCore import Qt, QTimer
from qtpy.QtGui import QHideEvent, QShowEvent
from qtpy.QtWidgets import (
    QDoubleSpinBox,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QSizePolicy,
    QVBoxLayout,
    QWidget,
)

from napari_latent_explorer._qt.direction_bar import QtDirectionBar
from napari_latent_explorer._qt.direction_slider import REACH_SD, QtDirectionSlider
from napari_latent_explorer._qt.direction_text import (
    calibration_text,
    heart_text,
    held_out_text,
    predicted_text,
    unit_of,
)
from napari_latent_explorer._qt.effects_table import QtEffectsTable
from napari_latent_explorer._qt.job_strip import QtJobStrip
from napari_latent_explorer._qt.listening import listen, listen_while_seen
from napari_latent_explorer._qt.theme import DARK, Theme, small_font
from napari_latent_explorer._qt.vector_picker import VectorSource, named_vector
from napari_latent_explorer.errors import LatentExplorerError
from napari_latent_explorer.session.direction_choice import DirectionChoice
from napari_latent_explorer.session.direction_walk import CALIBRATE, EFFECTS, LAY, DirectionWalk
from napari_latent_explorer.session.explorer import Explorer

if TYPE_CHECKING:
    from napari_latent_explorer.analysis.directions import Direction

REST_MS = 250
NO_CHOICE = (
    "Choose a phenotype, a principal component, two groups or two vectors; the probe then walks from where it is."
)
MEASURED_WORDS = (
    "Hearts of 50 participants were decoded at -2, 0 and +2 SD and measured in their plane.\n"
    "The mean of many people is none of them: its heart can change by more than one of theirs."
)
NO_VECTORS = "Choose both vectors: take them from the probe, as it is dragged from one to the other, or paste them."
READING = "Per walk of one SD, as predictors read it. ● sure  ○ the 95 % interval holds zero. Tick to hold still."


class QtDirectionPanel(QWidget):
    """Choices, slider, sentences and table.

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
        self._explorer, self._walk = explorer, walk
        self._shown_groups: tuple[str, ...] = ()
        self._laid: Direction | None = None
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(REST_MS)
        self._timer.timeout.connect(self._on_rest)
        self._heart_timer = QTimer(self)
        self._heart_timer.setSingleShot(True)
        self._heart_timer.setInterval(REST_MS)
        self._heart_timer.timeout.connect(self._on_heart_rest)
        self._heart_change: float | None = None
        self.bar = QtDirectionBar(self)
        self.slider = QtDirectionSlider(self)
        self.amount, self.amount_sd = self._spin("How far, in the unit"), self._spin("How far, in SD")
        self.take_back = QPushButton("Take back", self)
        self.take_back.setToolTip("End the walk; single dimensions stay where they were moved")
        self.calibrate = QPushButton("Measure decoded hearts", self)
        self.calibrate.setToolTip(
            "Decode 50 participants at -2, 0 and +2 SD and measure their left ventricles: what does the walk change "
            "there?"
        )
        self.again = QPushButton("Measure what else moves", self)
        self._labels = {name: self._label() for name in ("status", "held_out", "measured", "reading")}
        self._labels["reading"].setText(READING)
        self._labels["measured"].setToolTip(MEASURED_WORDS)
        self.strip = QtJobStrip(explorer.jobs, self, (LAY, EFFECTS, CALIBRATE))
        self.table = QtEffectsTable(self)
        self._build_layout()
        self._connect()
        self.set_theme(DARK)
        self._on_study_changed()

    def _label(self) -> QLabel:
        label = QLabel(self)
        label.setTextFormat(Qt.TextFormat.PlainText)
        label.setWordWrap(True)
        label.setFont(small_font(self, 0.95))
        return label

    def _spin(self, name: str) -> QDoubleSpinBox:
        spin = QDoubleSpinBox(self)
        spin.setAccessibleName(name)
        spin.setToolTip(name)
        spin.setDecimals(2)
        spin.setRange(-1e6, 1e6)
        spin.setKeyboardTracking(False)
        spin.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        return spin

    def _build_layout(self) -> None:
        typed = QHBoxLayout()
        typed.setSpacing(4)
        for spin in (self.amount, self.amount_sd):
            typed.addWidget(spin, 1)
        typed.addWidget(self.take_back)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(4)
        layout.addWidget(self.bar)
        layout.addWidget(self._labels["status"])
        layout.addWidget(self.slider)
        layout.addLayout(typed)
        layout.addWidget(self._labels["measured"])
        layout.addWidget(self._labels["held_out"])
        layout.addWidget(self.calibrate, 0, Qt.AlignmentFlag.AlignLeft)
        layout.addWidget(self.strip)
        layout.addWidget(self.again, 0, Qt.AlignmentFlag.AlignLeft)
        layout.addWidget(self.table, 1)
        layout.addWidget(self._labels["reading"])
        layout.addStretch(0)  # takes the room while there is no table

    def _connect(self) -> None:
        explorer, walk = self._explorer, self._walk
        self.bar.chosen.connect(self._on_bar_chosen)
        self.bar.vector_requested.connect(self._on_bar_vector_requested)
        self.slider.moved.connect(self._walk_sd)
        self.slider.drag_began.connect(explorer.begin_gesture)
        self.slider.drag_ended.connect(explorer.end_gesture)
        self.amount.valueChanged.connect(self._on_amount_typed)
        self.amount_sd.valueChanged.connect(self._walk_sd)
        self.take_back.clicked.connect(self._end_walk)
        self.calibrate.clicked.connect(self._on_calibrate_clicked)
        self.again.clicked.connect(walk.measure_effects)
        self.table.effects.held_changed.connect(lambda held: walk.choose(replace(walk.choice, held=held)))
        listen(self, explorer.study_changed, self._on_study_changed)
        listen(self, explorer.direction_changed, self._wait_for_rest)
        listen(self, explorer.groups_changed, self._wait_for_rest)
        listen_while_seen(self, explorer.pace.due, self._show_amount)
        listen(self, explorer.probe.origin_changed, self.synchronize)
        listen(self, explorer.bundle_changed, self._wait_for_rest)
        listen(self, walk.changed, self._on_walk_changed)
        listen(self, explorer.decode.decoded, self._wait_for_heart)
        listen(self, explorer.decoded_origin.changed, self._wait_for_heart)

    def set_theme(self, theme: Theme) -> None:
        """Take other colours."""
        self.bar.set_theme(theme)
        self.slider.set_theme(theme)
        self.table.set_theme(theme)
        for name in ("held_out", "reading"):
            self._labels[name].setStyleSheet(f"color: {theme.muted};")

    @property
    def sentences(self) -> dict[str, str]:
        """What is said: status, held_out, measured, reading."""
        return {name: label.text() for name, label in self._labels.items() if not label.isHidden()}

    def showEvent(self, event: QShowEvent) -> None:
        """Lay and measure now that somebody looks."""
        super().showEvent(event)
        self._timer.start()

    def hideEvent(self, event: QHideEvent) -> None:
        """Measure no longer."""
        super().hideEvent(event)
        self._timer.stop()
        self._heart_timer.stop()

    @property
    def _unit_per_sd(self) -> float:
        """What one standard deviation is on the slider's second scale."""
        direction, measured = self._walk.direction, self._walk.measured
        spread = 1.0 if direction is None else direction.spread
        return spread if measured is None else spread * measured.per_unit

    def synchronize(self) -> None:
        """Show the choice, and what is known of it."""
        walk, explorer = self._walk, self._explorer
        names = tuple(group.name for group in explorer.groups)
        if names != self._shown_groups:
            self._shown_groups = names
            self.bar.set_groups(names)
        choice, direction = walk.choice, walk.direction
        self.bar.set_choice(choice)
        can_walk = direction is not None and explorer.probe.vector.shape == direction.vector.shape
        for widget in (self.slider, self.amount, self.amount_sd):
            widget.setEnabled(can_walk)
        open_words = NO_VECTORS if choice.kind == "vectors" else NO_CHOICE
        status = walk.problem or ("" if choice.is_complete else open_words)
        self._say("status", status)
        is_waiting = self._timer.isActive()
        can_measure = direction is not None and walk.calibration is None and explorer.bundle is not None
        is_measuring = walk.is_running(CALIBRATE) or (is_waiting and walk.is_measurable)
        self.calibrate.setVisible(can_measure and not is_measuring and not walk.calibration_problem)
        found = walk.effects
        is_idle = not walk.is_running(EFFECTS) and not is_waiting
        self.again.setVisible(direction is not None and found is None and is_idle)
        self._say("held_out", held_out_text(direction, found) if direction is not None else "")
        self.table.effects.set_choice(choice.phenotype if choice.kind == "phenotype" else None, choice.held)
        self.table.effects.set_effects(found)
        self.table.setVisible(direction is not None)
        self._labels["reading"].setVisible(direction is not None)
        if found is not None and found.problem:
            self._say("held_out", found.problem)
        self._show_amount()

    def _say(self, name: str, text: str) -> None:
        self._labels[name].setText(text)
        self._labels[name].setVisible(bool(text))

    def _show_amount(self) -> None:
        """Show how far the probe has walked; called at each move."""
        self._heart_change = None
        walk, direction = self._walk, self._walk.direction
        spread = direction.spread if direction is not None else 0.0
        amount_sd = walk.amount / spread if spread else 0.0
        self.slider.set_amount_sd(amount_sd)
        unit = "" if direction is None else unit_of(direction, walk.measured)
        self.slider.set_scale(self._unit_per_sd, unit)
        self.amount.setVisible(bool(unit))
        for spin, value, words, step in (
            (self.amount, amount_sd * self._unit_per_sd, unit, abs(self._unit_per_sd) / 10.0),
            (self.amount_sd, amount_sd, "SD", 0.1),
        ):
            was_blocked = spin.blockSignals(True)
            if spin.suffix() != f" {words}":  # else the window is laid out anew
                spin.setSuffix(f" {words}")
            spin.setSingleStep(step)
            spin.setValue(value)
            spin.blockSignals(was_blocked)
        self.take_back.setEnabled(walk.amount != 0)
        self._say_measured()
        if walk.has_heart:
            self._wait_for_heart()

    def _say_measured(self) -> None:
        walk = self._walk
        has_heart = walk.has_heart and not walk.calibration_problem
        heart = heart_text(self._heart_change, walk.measured_unit) if has_heart else ""
        self._say("measured", self._measured_text() + heart)

    def _measured_text(self) -> str:
        walk, direction = self._walk, self._walk.direction
        if (calibration := walk.calibration) is not None:
            return calibration_text(calibration, walk.amount)
        if walk.calibration_problem or direction is None:
            return walk.calibration_problem
        return predicted_text(direction.unit, walk.is_running(CALIBRATE)) if walk.is_measurable else ""

    def _walk_sd(self, amount_sd: float) -> None:
        direction = self._walk.direction
        if direction is not None:
            self._walk.walk(min(max(amount_sd, -2 * REACH_SD), 2 * REACH_SD) * direction.spread)
            self._show_amount()  # what the hand moves follows it at once

    def _end_walk(self) -> None:
        self._explorer.probe.end_walk()
        self._show_amount()

    def _on_amount_typed(self, value: float) -> None:
        if self._unit_per_sd:
            self._walk_sd(value / self._unit_per_sd)

    def _on_bar_chosen(self, choice: DirectionChoice) -> None:
        is_open = choice.kind == "vectors" and choice.start is None and choice.end is None
        if is_open and self._explorer.probe_text:  # else the place that the probe has come to would be lost
            start, end = (named_vector(self._explorer, source, 0) for source in ("origin", "here"))
            choice = replace(choice, start=start, end=end)
        self._walk.choose(choice)

    def _on_bar_vector_requested(self, end: str, source: VectorSource) -> None:
        choice = self._walk.choice
        latents = self._explorer.latents
        space = latents.get(choice.modality or next(iter(latents), ""))
        if space is None:
            return
        try:
            vector = named_vector(self._explorer, source, space.latent_dim)
        except LatentExplorerError as error:
            self._explorer.failed.emit(error)
            return
        chosen = replace(choice, start=vector) if end == "start" else replace(choice, end=vector)
        self._walk.choose(chosen)

    def _on_calibrate_clicked(self) -> None:
        try:
            self._walk.calibrate()
        except LatentExplorerError as error:
            self._explorer.failed.emit(error)

    def _wait_for_heart(self) -> None:
        if self.isVisible():
            self._heart_timer.start()

    def _on_heart_rest(self) -> None:
        self._heart_change = self._walk.heart_change()
        self._say_measured()

    def _wait_for_rest(self) -> None:
        self._timer.start()

    def _on_walk_changed(self) -> None:
        if self._walk.direction is not self._laid:  # a large study's takes longer than the hand rests
            self._laid = self._walk.direction
            self._wait_for_rest()
        self.synchronize()

    def _on_rest(self) -> None:
        if self.isVisible():
            self._walk.start()
            self._walk.measure_effects()
            self._walk.calibrate_if_usual()
        self.synchronize()

    def _on_study_changed(self) -> None:
        cohort, latents = self._explorer.cohort, self._explorer.latents
        specs = [] if cohort is None else list(cohort.specs.values())
        latent_dim = max((space.latent_dim for space in latents.values()), default=0)
        self.bar.set_study(specs, list(latents), latent_dim)
        self.table.effects.set_phenotypes([spec for spec in specs if spec.kind != "categorical"])
        self.synchronize()
