"""Training a model on the open study: its settings, the run, and what it has told so far.

The hard idea: what is trained lives longer than what shows it. The run goes on when its dock, or another study, is
opened meanwhile; it is paused, stopped and gone on with from any dock; and when the program itself was closed, the
folder of the run tells the same story as before. So all that a view draws is kept here, and every report is taken only
if it is of the run that is on.
"""

import os
from collections.abc import Callable, Generator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal, Protocol

from psygnal import Signal

import napari_latent_explorer
from napari_latent_explorer.data.progress import Progress
from napari_latent_explorer.errors import TrainingError
from napari_latent_explorer.io.study import Study
from napari_latent_explorer.modeling.child_task import ChildTask
from napari_latent_explorer.modeling.training_reports import (
    PlannedStage,
    Reconstructions,
    TrainingEpoch,
    TrainingPlan,
    TrainingStep,
)
from napari_latent_explorer.modeling.training_request import TrainingRequest
from napari_latent_explorer.session.dispatch import Dispatch, inline
from napari_latent_explorer.session.explorer import Explorer
from napari_latent_explorer.session.jobs import Job, Jobs
from napari_latent_explorer.session.training_curves import PastTraining, is_finished, read_past
from napari_latent_explorer.session.training_record import TrainingRecord

TRAIN, ENCODE, LOOK = "Train the model", "Encode the study", "Look at the folder"
Status = Literal["idle", "running", "pausing", "paused", "stopping", "finished", "encoding"]


class Task(Protocol):
    """Work that can rest; `modeling.child_task.ChildTask` is one."""

    def run(self, on_event: Callable[[Mapping[str, Any]], None]) -> Generator[Progress, None, dict[str, Any]]:
        """Do it, telling events on the thread that drives it."""

    def pause(self) -> None:
        """Rest after the present step."""

    def go_on(self) -> None:
        """End the rest."""


class ModelTraining:
    """The model that is being trained.

    Parameters
    ----------
    explorer
        Whose study is trained on, and where the finished model is opened.
    dispatch
        Brings reports of workers to the thread that owns this object.
    make_task
        Makes a task of its name and parameters; by default one in a process of its own.

    Attributes
    ----------
    jobs
        What runs now; progress is told there.
    """

    settings_changed = Signal(description="Other settings, another folder or another study.")
    status_changed = Signal()
    losses_changed = Signal(description="A step or an epoch was told, or all were forgotten.")
    reconstructions_changed = Signal()
    encoded = Signal(description="Study and model are about to be opened in the explorer.")
    failed = Signal(Exception, description="Training or encoding could not go on; `problem` says the same.")

    def __init__(
        self,
        explorer: Explorer,
        dispatch: Dispatch = inline,
        make_task: Callable[[Mapping[str, Any]], Task] = ChildTask,
    ) -> None:
        self.jobs = Jobs(dispatch)
        self._explorer, self._dispatch, self._make_task = explorer, dispatch, make_task
        self._request = TrainingRequest()
        self._study: Study | None = None
        self._n_pairs = 0
        self._output: Path | None = None
        self._task: Task | None = None
        self._status: Status = "idle"
        self._problem = self._note = ""
        self._record = TrainingRecord()
        explorer.study_changed.connect(self._on_study_changed)
        self.jobs.failed.connect(self._on_failed)
        self.jobs.ended.connect(self._on_ended)
        self._on_study_changed()

    # ---- what there is to see

    @property
    def request(self) -> TrainingRequest:
        """How to train."""
        return self._request

    @property
    def study(self) -> Study | None:
        """What to train on; None before a study on disk is open."""
        return self._study

    @property
    def n_pairs(self) -> int:
        """How many of its participants have both MRI and ECG."""
        return self._n_pairs

    @property
    def output(self) -> Path | None:
        """Folder of the run."""
        return self._output

    @property
    def status(self) -> Status:
        """What goes on."""
        return self._status

    @property
    def is_busy(self) -> bool:
        """Whether a process is at work or at rest, so that settings stay as they are."""
        return self._status not in ("idle", "finished")

    @property
    def is_looking(self) -> bool:
        """Whether the folder is still being looked at."""
        return any(job.name == LOOK and not job.is_cancelled for job in self.jobs.running)

    @property
    def problem(self) -> str:
        """Why the last thing asked for could not be done; empty if it could."""
        return self._problem

    @property
    def note(self) -> str:
        """What is worth saying of what was done; mostly empty."""
        return self._note

    @property
    def record(self) -> TrainingRecord:
        """What the run in the folder has told so far."""
        return self._record

    def problems(self) -> tuple[str, ...]:
        """Say what is to be done before training can start, all of it at once."""
        found = [] if self._study is not None else ["Open a study to train on."]
        if self._output is None:
            found.append("Choose a folder for the model.")
        elif self._status == "finished":
            found.append("This folder holds a finished model; choose another one to train again.")
        return (*found, *self._request.problems())

    @property
    def can_go_on(self) -> bool:
        """Whether a run was begun in the folder and not finished."""
        return bool(self._record.stages) and self._status == "idle"

    # ---- settings

    def fill_in(self, **settings: Any) -> None:
        """Change settings, named as in `TrainingRequest`; nothing happens while a run is on."""
        changed = replace(self._request, **settings)
        if changed != self._request and not self.is_busy:
            self._request = changed
            self.settings_changed.emit()

    def set_output(self, folder: Path | None) -> None:
        """Choose the folder of the run; what is known of a run in it is read and shown."""
        if folder == self._output or self.is_busy:
            return
        self._output = folder
        self._record = TrainingRecord()
        self._problem = self._note = ""
        self._set_status("idle")
        self.settings_changed.emit()
        self._tell_all()
        if folder is not None:
            self.jobs.start(LOOK, lambda: read_past(folder), lambda past: self._on_past_read(folder, past))

    def use_open_study(self) -> None:
        """Train on the study that is open in the explorer; a run that is on keeps its own."""
        study = self._explorer.study
        if self.is_busy:
            return
        found = study if isinstance(study, Study) else None
        is_same = found is not None and self._study is not None and found.path == self._study.path
        self._study = found
        self._n_pairs = _count_pairs(self._explorer)
        self.settings_changed.emit()
        if not is_same:
            self.set_output(suggested_output(found) if found is not None else None)

    @property
    def other_study(self) -> str:
        """Name of the open study if it is another one than that of the run; empty if not."""
        study = self._explorer.study
        if not isinstance(study, Study) or self._study is None or study.path == self._study.path:
            return ""
        return study.name

    def _on_study_changed(self) -> None:
        if self.is_busy or self._status == "finished":
            self.settings_changed.emit()  # the run goes on, and a model that is there can still be opened
        if self._status != "finished" or not self.other_study:
            self.use_open_study()

    def _on_past_read(self, folder: Path, past: PastTraining) -> None:
        if folder != self._output or self.is_busy:
            return
        self._record = TrainingRecord(past)
        self._request = past.request or self._request
        self._set_status("finished" if past.is_finished else "idle")
        self.settings_changed.emit()
        self._tell_all()

    def _tell_all(self) -> None:
        self.losses_changed.emit()
        self.reconstructions_changed.emit()

    # ---- the run

    def start(self) -> Job[dict[str, Any]]:
        """Start training, or go on where a run in this folder was stopped.

        Raises
        ------
        TrainingError
            When something is missing, or a run is on.
        """
        if self.is_busy or self.is_looking:
            raise TrainingError("A model is being trained already, or its folder is still being looked at.")
        if problems := self.problems():
            raise TrainingError("Training cannot start yet. " + " ".join(problems))
        assert self._study is not None
        study, output, request = str(self._study.path), str(self._output), self._request.to_dict()
        return self._begin("running", TRAIN, {"name": "train", "study": study, "output": output, "request": request})

    def pause(self) -> None:
        """Finish the present step and rest: memory is kept, the processor is free."""
        if self._status == "running" and self._task is not None:
            self._set_status("pausing")
            self._task.pause()

    def resume(self) -> None:
        """End the rest."""
        if self._status in ("pausing", "paused") and self._task is not None:
            self._record.forget_pace()
            self._set_status("running")
            self._task.go_on()

    def cancel(self) -> None:
        """Stop what runs; finished epochs and encoded participants are kept, and `start` goes on with them."""
        if self.is_busy:
            self._set_status("stopping")
            self.jobs.cancel_all()

    def encode_and_open(self) -> Job[dict[str, Any]]:
        """Encode the study with the finished model, lay out its maps, and open both in the explorer.

        Raises
        ------
        TrainingError
            When there is no finished model.
        """
        if self._status != "finished" or self._study is None:
            raise TrainingError("There is no finished model to encode this study with. Train one first.")
        task = {"name": "encode", "study": str(self._study.path), "bundle": str(self._output)}
        return self._begin("encoding", ENCODE, task)

    def close(self) -> None:
        """Stop all work, its processes and threads."""
        self._explorer.study_changed.disconnect(self._on_study_changed, missing_ok=True)
        self.jobs.close()

    def _begin(self, status: Status, name: str, parameters: Mapping[str, Any]) -> Job[dict[str, Any]]:
        task = self._task = self._make_task(parameters)
        self._problem = self._note = ""
        self._record.forget_pace()
        self._set_status(status)
        output = self._output
        assert output is not None

        def on_event(event: Mapping[str, Any]) -> None:
            report = _report_of(event, output)
            self._dispatch(lambda: self._take(task, report))

        on_finished = self._on_encoded if name == ENCODE else self._on_trained
        return self.jobs.start(name, lambda: task.run(on_event), on_finished)

    def _take(self, task: Task, report: Any) -> None:
        """Take a report, if it is of the run that is on."""
        if task is not self._task or self._status == "stopping":
            return
        self._record.take(report)
        if isinstance(report, TrainingStep | TrainingEpoch):
            self.losses_changed.emit()
        elif isinstance(report, Reconstructions):
            self.reconstructions_changed.emit()
        elif report == "paused" and self._status == "pausing":
            self._set_status("paused")

    def _on_trained(self, result: dict[str, Any]) -> None:
        self._set_status("finished")

    def _on_encoded(self, result: dict[str, Any]) -> None:
        if result["n_skipped"]:
            who, why = result["first_skipped"]
            self._note = f"{result['n_skipped']} recordings could not be encoded, the first of {who}: {why}"
        self._set_status("finished")
        if self._study is not None and self._output is not None:
            self.encoded.emit()
            self._explorer.open_folder(self._study.path, self._output)

    def _on_failed(self, error: Exception) -> None:
        self._problem = str(error) or type(error).__name__
        self.failed.emit(error)
        self.status_changed.emit()

    def _on_ended(self, job: Job[Any]) -> None:
        if job.name in (TRAIN, ENCODE) and self.is_busy:
            is_whole = self._output is not None and is_finished(self._output)
            self._set_status("finished" if is_whole else "idle")

    def _set_status(self, status: Status) -> None:
        if status != self._status:
            self._status = status
            self.status_changed.emit()


def _report_of(event: Mapping[str, Any], folder: Path) -> Any:
    """Make the report that an event tells; the word itself where it tells nothing else."""
    fields = {name: value for name, value in event.items() if name != "event"}
    if event["event"] == "plan":
        return TrainingPlan(tuple(PlannedStage(**stage) for stage in fields["stages"]))
    if event["event"] == "step":
        return TrainingStep(**fields)
    if event["event"] == "epoch":
        return TrainingEpoch(**fields)
    if event["event"] == "reconstructions":
        return Reconstructions.load(folder)
    return event["event"]


def _count_pairs(explorer: Explorer) -> int:
    available = explorer.cohort.availability if explorer.cohort is not None else {}
    return int((available["mri"] & available["ecg"]).sum()) if {"mri", "ecg"} <= available.keys() else 0


def suggested_output(study: Study) -> Path:
    """Folder beside the study that has no finished model in it.

    Where none can be made, or the study came with this package, it is one in the home folder.
    """
    beside = study.path.parent
    is_shipped = Path(napari_latent_explorer.__file__).parent in study.path.resolve().parents
    parent = beside if os.access(beside, os.W_OK) and not is_shipped else Path.home()
    names = ["model", *(f"model_{number}" for number in range(2, 100))]
    return next((parent / name for name in names if not is_finished(parent / name)), parent / "model_100")
