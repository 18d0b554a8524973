"""Training from a session: every way through it with a scripted task, and a real one, stopped and gone on with."""

import queue
import threading
from collections.abc import Callable, Generator, Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from napari_latent_explorer.data.progress import Progress, finish
from napari_latent_explorer.errors import TrainingError
from napari_latent_explorer.io.study import Study
from napari_latent_explorer.modeling.recordings import create_simulated_study, open_study
from napari_latent_explorer.modeling.sample import sample_study_path
from napari_latent_explorer.modeling.training_reports import Reconstructions
from napari_latent_explorer.session.explorer import Explorer
from napari_latent_explorer.session.model_training import ModelTraining, suggested_output
from napari_latent_explorer.session.training_curves import CURVE_FILE

WAIT_S = 20.0
STEP = {"event": "step", "stage": "mri", "n_passes": 0.5, "progress": 0.25, "n_samples": 4, "losses": {"mri": 2.0}}
EPOCH = {"event": "epoch", "stage": "mri", "row": {"epoch": 1.0, "train_mri": 1.5, "valid_mri": 1.6}}


class ScriptedTask:
    """Does what the test puts into `script`: an event, a result, or an exception."""

    def __init__(self, task: Mapping[str, Any]) -> None:
        self.task, self.wishes = task, []
        self.script: queue.Queue[Any] = queue.Queue()
        self.is_closed = threading.Event()

    def run(self, on_event: Callable[[Mapping[str, Any]], None]) -> Generator[Progress, None, dict[str, Any]]:
        try:
            while True:
                yield Progress(1, 2, "at work")
                try:
                    item = self.script.get(timeout=0.01)
                except queue.Empty:
                    continue
                if isinstance(item, Exception):
                    raise item
                if "event" not in item:
                    return item
                on_event(item)
        finally:
            self.is_closed.set()

    def pause(self) -> None:
        self.wishes.append("pause")
        self.script.put({"event": "paused"})

    def go_on(self) -> None:
        self.wishes.append("go on")
        self.script.put({"event": "went_on"})


@pytest.fixture(scope="module")
def simulated(tmp_path_factory: pytest.TempPathFactory) -> Study:
    return finish(create_simulated_study(tmp_path_factory.mktemp("train") / "study", 16, 5, stored=False, n_workers=1))


@pytest.fixture
def tasks() -> list[ScriptedTask]:
    return []


@pytest.fixture
def training(simulated: Study, tasks: list[ScriptedTask], tmp_path: Path) -> Iterator[ModelTraining]:
    explorer = Explorer()

    def make_task(task: Mapping[str, Any]) -> ScriptedTask:
        tasks.append(ScriptedTask(task))
        return tasks[-1]

    training = ModelTraining(explorer, make_task=make_task)
    explorer.open(simulated)
    training.set_output(tmp_path / "model")
    assert training.jobs.wait(WAIT_S)
    yield training
    training.close()
    explorer.close()


def waiting(condition: Callable[[], bool]) -> bool:
    """Wait until something is so."""
    ticks = threading.Event()
    return any(condition() or ticks.wait(0.01) for _ in range(2000))


def test_it_says_what_is_missing_and_suggests_the_rest(simulated: Study) -> None:
    explorer = Explorer()
    training = ModelTraining(explorer)
    assert training.problems() == ("Open a study to train on.", "Choose a folder for the model.")
    with pytest.raises(TrainingError, match="Open a study"):
        training.start()
    explorer.open(simulated)
    assert training.jobs.wait(WAIT_S)
    assert (training.problems(), training.n_pairs) == ((), 16)
    assert training.output == simulated.path.parent / "model"
    training.set_output(None)
    assert training.problems() == ("Choose a folder for the model.",)
    training.close()
    explorer.close()


def test_reports_become_losses_and_the_end_a_model(training, tasks, simulated, tmp_path) -> None:
    heard = []
    training.losses_changed.connect(lambda: heard.append("losses"))
    training.reconstructions_changed.connect(lambda: heard.append("reconstructions"))
    training.fill_in(seed=3)
    training.start()
    with pytest.raises(TrainingError, match="already"):
        training.start()
    training.fill_in(seed=4)
    assert training.request.seed == 3
    (task,) = tasks
    assert task.task["study"] == str(simulated.path)
    assert task.task["request"]["seed"] == 3
    pictures = {source: np.zeros((1, 4, 4)) for source in ("original", "mri")}
    Reconstructions("mri", 1, ("P1",), pictures, {}, ()).save(tmp_path / "model")
    for event in (STEP, {"event": "reconstructions"}, EPOCH):
        task.script.put(event)
    task.script.put({"fingerprint": "abc"})
    assert training.jobs.wait(WAIT_S)
    assert heard == ["losses", "reconstructions", "losses"]
    assert training.status == "finished"
    assert [curve.kind for curve in training.record.curves("mri")] == ["steps", "train", "valid"]
    assert training.record.reconstructions.participant_ids == ("P1",)


def test_it_rests_and_goes_on(training, tasks) -> None:
    statuses = []
    training.status_changed.connect(lambda: statuses.append(training.status))
    training.start()
    training.pause()
    training.pause()
    assert waiting(lambda: training.status == "paused")
    training.resume()
    tasks[0].script.put({"fingerprint": "abc"})
    assert training.jobs.wait(WAIT_S)
    assert tasks[0].wishes == ["pause", "go on"]
    assert statuses == ["running", "pausing", "paused", "running", "finished"]


@pytest.mark.parametrize("is_resting", [False, True], ids=["running", "resting"])
def test_cancelling_ends_the_task_and_keeps_what_was_told(training, tasks, is_resting) -> None:
    training.start()
    tasks[0].script.put(EPOCH)
    assert waiting(lambda: training.record.stages == ("mri",))
    if is_resting:
        training.pause()
        assert waiting(lambda: training.status == "paused")
    training.cancel()
    assert training.jobs.wait(WAIT_S)
    assert tasks[0].is_closed.is_set()
    assert (training.status, training.can_go_on, training.problem) == ("idle", True, "")
    training.start()
    tasks[0].script.put(STEP)  # too late, from the run before
    tasks[1].script.put({"fingerprint": "abc"})
    assert training.jobs.wait(WAIT_S)
    assert training.status == "finished"


def test_why_it_could_not_go_on_is_kept_until_it_does(training, tasks) -> None:
    training.start()
    tasks[0].script.put(TrainingError("The loss of stage mri is not finite."))
    assert training.jobs.wait(WAIT_S)
    assert (training.status, training.problem) == ("idle", "The loss of stage mri is not finite.")
    training.start()
    assert training.problem == ""


def test_another_study_does_not_take_the_place_of_the_one_trained_on(training, tasks, simulated, study) -> None:
    explorer = training._explorer
    training.start()
    explorer.open(study)  # in memory, cannot be trained on
    assert training.study is simulated
    tasks[0].script.put({"fingerprint": "abc"})
    assert training.jobs.wait(WAIT_S)
    explorer.open(open_study(simulated.path))
    assert training.study.path == simulated.path
    assert training.status == "finished"


def test_a_folder_that_is_not_finished_shows_its_curve_and_keeps_its_settings(training, tmp_path) -> None:
    old = tmp_path / "old"
    training.fill_in(seed=9)
    training.request.save(old)
    (old / CURVE_FILE).write_text("stage,epoch,train_mri\nmri,1,0.9\n")
    training.fill_in(seed=1)
    training.set_output(old)
    assert training.jobs.wait(WAIT_S)
    assert (training.request.seed, training.can_go_on, training.record.stages) == (9, True, ("mri",))
    (old / CURVE_FILE).write_text("nonsense")
    training.set_output(None)
    training.set_output(old)
    assert training.jobs.wait(WAIT_S)
    assert CURVE_FILE in training.problem


@pytest.mark.slow
def test_a_real_training_is_stopped_and_gone_on_with(simulated: Study, tmp_path: Path) -> None:
    explorer = Explorer()
    explorer.open(simulated)
    first = ModelTraining(explorer)
    first.set_output(tmp_path / "model")
    assert first.jobs.wait(WAIT_S)
    first.fill_in(max_minutes=None, n_passes=1)
    first.losses_changed.connect(lambda: first.cancel() if first.record.stages == ("mri", "ecg") else None)
    first.start()
    assert first.jobs.wait(600.0)
    assert (first.status, first.problem, list(first.record.histories)) == ("idle", "", ["mri"])
    first.close()

    second = ModelTraining(explorer)  # as after the program was closed
    second.set_output(tmp_path / "model")
    assert second.jobs.wait(WAIT_S)
    assert second.can_go_on
    assert second.request.n_passes == 1
    before = second.record.histories["mri"][0]
    second.start()
    assert second.jobs.wait(600.0)
    assert (second.status, second.problem) == ("finished", "")
    assert second.record.histories["mri"][0]["valid_mri"] == before["valid_mri"]
    assert second.record.stages == ("mri", "ecg", "joint", "labels")
    shown = second.record.reconstructions
    assert (shown.stage, shown.leads, len(shown.participant_ids)) == ("joint", ("II", "V1"), 4)
    assert shown.cine["ecg"].shape == (4, 96, 96)
    assert second.problems() == ("This folder holds a finished model; choose another one to train again.",)
    second.close()
    explorer.close()


def test_a_model_of_the_shipped_study_goes_into_the_home_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Path, "home", lambda: tmp_path)
    assert suggested_output(Study.open(sample_study_path())) == tmp_path / "model"
