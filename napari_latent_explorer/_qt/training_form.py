"""How a model is to be trained: which one, for how long, what to compare it with, and where it goes."""

from typing import Any, Literal

from qtpy.QtWidgets import QCheckBox, QComboBox, QHBoxLayout, QLayout, QSpinBox, QWidget

from napari_latent_explorer._qt.arrangement import question_rows
from napari_latent_explorer._qt.listening import listen
from napari_latent_explorer._qt.path_field import QtPathField
from napari_latent_explorer.modeling.training_request import MAX_MINUTES, MAX_PASSES, TrainingRequest
from napari_latent_explorer.session.model_training import ModelTraining

MODELS = (
    ("Compact, for this computer", "compact"),
    ("As the paper says", "paper"),
    ("As its code was then", "ml4h"),
    ("As its code is now", "ml4h_head"),
)
MODEL_TOOL_TIP = (
    "Compact trains on a desktop computer. The others have the published widths and schedule, and need a GPU and a "
    "day: as the paper's text says, as its code did at the time, and as that code does since 2025."
)
Bound = Literal["minutes", "passes", "none"]
BOUNDS: tuple[tuple[str, Bound], ...] = (
    ("minutes in all", "minutes"), ("passes each", "passes"), ("its own length", "none"),
)  # fmt: skip
BASELINES = (("what it began with", "pretraining"), ("as many passes", "equal_passes"))
DEFAULT_MINUTES, DEFAULT_PASSES = 20, 10


class QtTrainingForm(QWidget):
    """One line per question; each answer goes to the session at once.

    Parameters
    ----------
    training
        The model that is being trained.
    parent
        Qt parent.
    """

    def __init__(self, training: ModelTraining, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._training = training
        self.model = _combo("Model", MODEL_TOOL_TIP, MODELS, self)
        self.amount = QSpinBox(self)
        self.bound = _combo(
            "Length of the training",
            "What ends the training: time, passes over the participants in each stage, or what belongs to the model",
            BOUNDS,
            self,
        )
        self.baselines = _combo(
            "Unimodal autoencoders to compare with",
            "Autoencoders of one modality alone are kept beside the model: those that it began with, or others that "
            "had as many passes as it had in all, which takes longer",
            BASELINES, self,
        )  # fmt: skip
        self.vae = QCheckBox("and variational ones", self)
        self.seed = QSpinBox(self)
        self.output = QtPathField(
            "Folder of the model", "new folder", "It is made, or a training that was stopped there goes on", "", self
        )
        self._set_up()
        self._build_layout()
        self._connect()
        self.synchronize()

    def _set_up(self) -> None:
        self.amount.setAccessibleName("Minutes or passes")
        self.amount.setMaximumWidth(90)
        self.amount.setToolTip("How many minutes, or passes over the participants")
        self.vae.setToolTip("Also train plain variational autoencoders to compare with")
        self.seed.setAccessibleName("Seed")
        self.seed.setToolTip("Settles weights, who is held out, and the order of participants")
        for spin in (self.amount, self.seed):
            spin.setKeyboardTracking(False)

    def _build_layout(self) -> None:
        length = QHBoxLayout()
        length.setContentsMargins(0, 0, 0, 0)
        length.addWidget(self.amount)
        length.addWidget(self.bound, 1)
        rows: tuple[tuple[str, QWidget | None, QWidget | QLayout], ...] = (
            ("Model", self.model, self.model),
            ("Train for", self.amount, length),
            ("Compare with", self.baselines, self.baselines),
            ("", None, self.vae),
            ("Seed", self.seed, self.seed),
            ("Folder", self.output, self.output),
        )
        self.setLayout(question_rows(rows, self))

    def _connect(self) -> None:
        fill_in = self._training.fill_in
        self.model.activated.connect(self._on_model_chosen)
        self.bound.activated.connect(self._on_bound_chosen)
        self.amount.valueChanged.connect(self._on_amount_changed)
        self.baselines.activated.connect(lambda: fill_in(baselines=self.baselines.currentData()))
        self.vae.clicked.connect(lambda is_wanted: fill_in(has_vae_baselines=is_wanted))
        self.seed.valueChanged.connect(lambda seed: fill_in(seed=seed))
        self.output.path_changed.connect(self._training.set_output)
        listen(self, self._training.settings_changed, self.synchronize)
        listen(self, self._training.status_changed, self.synchronize)

    def synchronize(self) -> None:
        """Show the session's settings; those of a run that was begun stay as they are."""
        request, training = self._training.request, self._training
        bound = bound_of(request)
        for combo, value in (
            (self.model, request.model), (self.bound, bound), (self.baselines, request.baselines),
        ):  # fmt: skip
            combo.setCurrentIndex(combo.findData(value))
        self.vae.setChecked(request.has_vae_baselines)
        self._show_number(self.seed, request.seed, 0, 2**31 - 1)
        self.amount.setVisible(bound != "none")
        most = int(MAX_MINUTES) if bound == "minutes" else MAX_PASSES
        self._show_number(self.amount, int(request.max_minutes or request.n_passes or 1), 1, most)
        if self.output.path != training.output:
            self.output.set_path(training.output)
        is_open = training.status == "idle" and not training.can_go_on
        for control in (self.model, self.bound, self.amount, self.baselines, self.vae, self.seed):
            control.setEnabled(is_open)
        self.output.setEnabled(not training.is_busy)

    def _show_number(self, spin: QSpinBox, value: int, low: int, high: int) -> None:
        was_blocked = spin.blockSignals(True)
        spin.setRange(low, high)
        spin.setValue(value)
        spin.blockSignals(was_blocked)

    def _on_model_chosen(self) -> None:
        model = self.model.currentData()
        minutes = float(DEFAULT_MINUTES) if model == "compact" else None
        self._training.fill_in(model=model, max_minutes=minutes, n_passes=None)

    def _on_bound_chosen(self) -> None:
        bound = self.bound.currentData()
        minutes = float(DEFAULT_MINUTES) if bound == "minutes" else None
        self._training.fill_in(max_minutes=minutes, n_passes=DEFAULT_PASSES if bound == "passes" else None)

    def _on_amount_changed(self, amount: int) -> None:
        if self.bound.currentData() == "minutes":
            self._training.fill_in(max_minutes=float(amount))
        else:
            self._training.fill_in(n_passes=amount)


def bound_of(request: TrainingRequest) -> Bound:
    """Tell what ends a training."""
    if request.max_minutes is not None:
        return "minutes"
    return "none" if request.n_passes is None else "passes"


def _combo(name: str, tool_tip: str, entries: tuple[tuple[str, str], ...], parent: QWidget) -> Any:
    combo = QComboBox(parent)
    combo.setAccessibleName(name)
    combo.setToolTip(tool_tip)
    combo.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
    combo.setMinimumContentsLength(8)
    for label, value in entries:
        combo.addItem(label, value)
    return combo
