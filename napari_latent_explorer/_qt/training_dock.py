"""Training a model on the open study: settings, losses as they come, reconstructions, pause and cancel."""

from pathlib import Path
from typing import Any

from qtpy.QtCore import Qt, Signal
from qtpy.QtWidgets import (
    QComboBox,
    QFileDialog,
    QHBoxLayout,
    QLabel,
    QProgressBar,
    QPushButton,
    QSizePolicy,
    QVBoxLayout,
    QWidget,
)
from superqt.utils import qthrottled

from napari_latent_explorer._qt.arrangement import scrolled
from napari_latent_explorer._qt.listening import listen
from napari_latent_explorer._qt.loss_chart import QtLossChart
from napari_latent_explorer._qt.numbers import format_count, format_value
from napari_latent_explorer._qt.reconstruction_strip import QtReconstructionStrip
from napari_latent_explorer._qt.theme import DARK, Theme, small_font
from napari_latent_explorer._qt.training_form import QtTrainingForm
from napari_latent_explorer.data.progress import Progress
from napari_latent_explorer.modeling.training_reports import STAGE_TITLES
from napari_latent_explorer.session.jobs import Job
from napari_latent_explorer.session.model_training import ModelTraining, Status
from napari_latent_explorer.session.training_curves import Pace

NO_STUDY = "No study is open. Open one with cine MRI and ECG to train a model on it."
REDRAW_MS = 200
_STATUS_WORDS: dict[Status, str] = {
    "idle": "",
    "running": "Training",
    "pausing": "Finishing the present step …",
    "paused": "Paused. The processor is free; the model waits in memory.",
    "stopping": "Stopping …",
    "finished": "The model is trained. Choose another folder to train again.",
    "encoding": "Encoding the study",
}
STOPPED = "This training was stopped. It goes on after the last finished epoch, with the same settings."


class QtTrainingDock(QWidget):
    """Form, buttons, chart and strip, one below the other.

    Parameters
    ----------
    training
        The model that is being trained.
    parent
        Qt parent.
    """

    open_requested = Signal(object)
    """Folder of a study that the user wants to open."""

    def __init__(self, training: ModelTraining, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._training = training
        self._job: Job[Any] | None = None
        self._chosen_stage: str | None = None
        self.empty = QLabel(NO_STUDY, self)
        self.open_study = QPushButton("Open a study …", self)
        self.title = QLabel(self)
        self.use_open = QPushButton(self)
        self.form = QtTrainingForm(training, self)
        self.start = QPushButton("Start training", self)
        self.pause = QPushButton("Pause", self)
        self.cancel = QPushButton("Cancel", self)
        self.encode = QPushButton("Encode and open", self)
        self.status = QLabel(self)
        self.progress = QProgressBar(self)
        self.pace = QLabel(self)
        self.problem = QLabel(self)
        self.stage = QComboBox(self)
        self.chart = QtLossChart(self)
        self.strip = QtReconstructionStrip(self)
        self._set_up()
        self._build_layout()
        self._redraw_losses = qthrottled(self.show_losses, timeout=REDRAW_MS, leading=True)
        self._connect()
        self.set_theme(DARK)
        self.synchronize()

    def _set_up(self) -> None:
        self.title.setFont(small_font(self, 1.1, is_bold=True))
        for words in (self.empty, self.title, self.status, self.pace, self.problem):
            words.setTextFormat(Qt.TextFormat.PlainText)
            words.setWordWrap(True)
            words.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        self.problem.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.progress.setTextVisible(False)
        self.progress.setFixedHeight(8)
        self.stage.setAccessibleName("Stage of the training")
        self.stage.setToolTip("Stage whose losses are shown; it follows the training until you choose one")
        self.open_study.setToolTip("Choose the folder of a study")
        self.use_open.setToolTip("Train on the study that is open now")
        self.start.setToolTip("Train in a process of its own; the window stays free")
        self.cancel.setToolTip("Stop at once; finished epochs are kept, and starting again goes on with them")
        self.encode.setToolTip("Encode every recording of the study, lay out both maps, and open them with this model")

    def _build_layout(self) -> None:
        inside = QWidget(self)
        column = QVBoxLayout(inside)
        column.setContentsMargins(0, 0, 4, 0)
        column.setSpacing(5)
        buttons = QHBoxLayout()
        for button in (self.start, self.pause, self.cancel, self.encode):
            buttons.addWidget(button, 1)
        above: tuple[QWidget, ...] = (self.empty, self.open_study, self.title, self.use_open, self.form)
        below: tuple[QWidget, ...] = (self.status, self.progress, self.pace, self.problem, self.stage)
        for widget in above:
            column.addWidget(widget)
        column.addLayout(buttons)
        for widget in below:
            column.addWidget(widget)
        column.addWidget(self.chart, 1)
        column.addWidget(self.strip)
        column.addStretch(0)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(8, 6, 4, 6)
        layout.addWidget(scrolled(inside, self))
        self.setMinimumWidth(300)

    def _connect(self) -> None:
        training = self._training
        self.open_study.clicked.connect(self._on_open_clicked)
        self.use_open.clicked.connect(training.use_open_study)
        self.start.clicked.connect(lambda: training.start())
        self.pause.clicked.connect(self._on_pause_clicked)
        self.cancel.clicked.connect(training.cancel)
        self.encode.clicked.connect(lambda: training.encode_and_open())
        self.stage.activated.connect(self._on_stage_chosen)
        listen(self, training.settings_changed, self.synchronize)
        listen(self, training.status_changed, self.synchronize)
        listen(self, training.losses_changed, self._on_losses_changed)
        listen(self, training.reconstructions_changed, self.show_reconstructions)
        listen(self, training.jobs.started, self._on_job_started)
        listen(self, training.jobs.ended, self._on_job_ended)
        for job in training.jobs.running:
            self._on_job_started(job)

    def set_theme(self, theme: Theme) -> None:
        """Take other colours."""
        self.chart.set_theme(theme)
        self.strip.set_theme(theme)
        self.problem.setStyleSheet(f"color: {theme.error};")
        self.pace.setStyleSheet(f"color: {theme.muted};")

    def synchronize(self) -> None:
        """Show the session's state."""
        training, status = self._training, self._training.status
        has_study, is_busy = training.study is not None, training.is_busy
        self.empty.setVisible(not has_study)
        self.open_study.setVisible(not has_study)
        for widget in (self.title, self.stage, self.chart, self.strip):
            widget.setVisible(has_study)
        self.form.setVisible(has_study and not is_busy)
        if training.study is not None:
            self.title.setText(f"{training.study.name}: {format_count(training.n_pairs)} with MRI and ECG")
        self.use_open.setVisible(bool(training.other_study) and not is_busy)
        self.use_open.setText(f"Train on {training.other_study.replace('&', '&&')} instead")
        problems = training.problems()
        self.start.setVisible(has_study and status == "idle")
        self.start.setText("Go on with training" if training.can_go_on else "Start training")
        self.start.setEnabled(not problems and not training.is_looking)
        self.pause.setVisible(status in ("running", "pausing", "paused"))
        self.pause.setText("Pause" if status == "running" else "Resume")
        self.pause.setToolTip(
            "Finish the present step and free the processor" if status == "running" else "Go on where it was"
        )
        self.cancel.setVisible(is_busy)
        self.cancel.setEnabled(status != "stopping")
        self.encode.setVisible(status == "finished" and has_study)
        self.progress.setVisible(status in ("running", "encoding"))
        self._show_words()
        self.show_losses()
        self.show_reconstructions()

    def show_losses(self) -> None:
        """Draw the losses as they are now."""
        record = self._training.record
        stages = record.stages
        if [self.stage.itemData(row) for row in range(self.stage.count())] != list(stages):
            self.stage.clear()
            for name in stages:
                self.stage.addItem(STAGE_TITLES[name][:1].upper() + STAGE_TITLES[name][1:], name)
        self.stage.setEnabled(len(stages) > 1)
        shown = self._chosen_stage if self._chosen_stage in stages else record.current_stage
        self.stage.setCurrentIndex(self.stage.findData(shown))
        self.chart.set_curves(record.curves(shown) if shown is not None else ())
        self._show_pace()

    def show_reconstructions(self) -> None:
        """Draw the reconstructions after the last epoch."""
        shown = self._training.record.reconstructions
        if shown is not self.strip.shown:
            self.strip.set_reconstructions(shown)

    def _show_words(self) -> None:
        training = self._training
        words = STOPPED if training.can_go_on and not training.problem else _STATUS_WORDS[training.status]
        if training.status in ("running", "encoding") and self._job is not None:
            words = f"{words}: starting"
        self.status.setText(words)
        self.status.setVisible(bool(words) and training.study is not None)
        self.problem.setText(training.problem or training.note)
        self.problem.setVisible(bool(self.problem.text()))
        self._show_pace()

    def _show_pace(self) -> None:
        self.pace.setText(words_of(self._training.record.pace, self._training))
        self.pace.setVisible(bool(self.pace.text()))

    def _on_losses_changed(self) -> None:
        self._redraw_losses()

    def _on_stage_chosen(self) -> None:
        chosen = self.stage.currentData()
        is_running = self._training.record.current_stage == chosen
        self._chosen_stage = None if is_running else chosen
        self.show_losses()

    def _on_job_started(self, job: Job[Any]) -> None:
        self._job = job
        self.progress.setRange(0, 0)
        listen(self, job.progressed, self._on_job_progressed)
        self.synchronize()

    def _on_job_ended(self, job: Job[Any]) -> None:
        if job is self._job:
            self._job = None
        self.synchronize()

    def _on_job_progressed(self, progress: Progress) -> None:
        if self._training.status in ("running", "encoding"):
            self.progress.setRange(0, progress.total)
            self.progress.setValue(progress.done)
            self.status.setText(progress.message)

    def _on_pause_clicked(self) -> None:
        if self._training.status == "running":
            self._training.pause()
        else:
            self._training.resume()

    def _on_open_clicked(self) -> None:
        chosen = QFileDialog.getExistingDirectory(self, "Open a study")
        if chosen:
            self.open_requested.emit(Path(chosen))


def words_of(pace: Pace | None, training: ModelTraining) -> str:
    """Say how long it will take, as far as that is known."""
    request, status = training.request, training.status
    if status == "running":
        if pace is None:
            return "How long it takes is measured from the first steps."
        return f"{format_value(pace.samples_per_s, 2)} participants per second; about {duration(pace.left_s)} left."
    if status != "idle" or training.study is None:
        return ""
    if request.max_minutes is not None:
        return f"Takes {duration(60 * request.max_minutes)}, after the recordings have been read once."
    return "How long it takes is said after the first steps."


def duration(seconds: float) -> str:
    """Write a time as people say it: ``40 s``, ``12 min``, ``3 h 20 min``, ``2 days 4 h``."""
    if seconds < 60:
        return f"{max(1, round(seconds))} s"
    minutes = round(seconds / 60)
    if minutes < 60:
        return f"{minutes} min"
    hours, minutes = divmod(minutes, 60)
    if hours < 24:
        return f"{hours} h {minutes} min" if minutes else f"{hours} h"
    days, hours = divmod(hours, 24)
    return f"{days} day{'s' if days > 1 else ''} {hours} h"
