"""Work in a process of its own: its failures are told as they are, and it never outlives whoever wanted it."""

import subprocess
import threading
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest

from napari_latent_explorer.data.progress import finish
from napari_latent_explorer.errors import TrainingError
from napari_latent_explorer.modeling import child_program, child_task
from napari_latent_explorer.modeling.child_program import PipeWatch
from napari_latent_explorer.modeling.child_task import ChildTask
from napari_latent_explorer.modeling.training_config import READINGS, TrainingConfig
from napari_latent_explorer.modeling.training_reports import TrainingEpoch, TrainingStep
from napari_latent_explorer.modeling.training_request import TrainingRequest


def told(event: Any) -> None:
    raise AssertionError(event)


def test_the_childs_own_reason_is_what_the_parent_says(tmp_path: Path) -> None:
    task = ChildTask({"name": "encode", "study": str(tmp_path / "nowhere"), "bundle": "none"})
    with pytest.raises(TrainingError, match="nowhere"):
        finish(task.run(told))
    assert not [thread for thread in threading.enumerate() if thread.name == "Child task"]


def test_a_process_that_is_lost_is_said_to_be(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(child_task, "PROGRAM", "napari_latent_explorer.no_such_program")
    with pytest.raises(TrainingError, match=r"ended with exit code 1.*start again to go on"):
        finish(ChildTask({}).run(told))


def test_a_process_that_was_killed_is_said_to_be(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(child_task, "PROGRAM", "json.tool")  # waits for the end of its input
    task = ChildTask({})
    work = task.run(told)
    next(work)
    assert isinstance(task._child, subprocess.Popen)
    task._child.kill()
    with pytest.raises(TrainingError, match=r"SIGKILL.*memory ran out|exit code 1"):
        finish(work)


def test_closing_ends_the_process_and_its_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(child_task, "PROGRAM", "json.tool")
    task = ChildTask({})
    task.pause()  # before there is a process, nothing happens
    work = task.run(told)
    next(work)
    child = task._child
    assert isinstance(child, subprocess.Popen)
    assert child.poll() is None
    task.pause()
    work.close()
    assert child.poll() is not None
    assert not [thread for thread in threading.enumerate() if thread.name == "Child task"]
    task.go_on()  # and after


def test_steps_that_come_fast_are_told_as_their_mean(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    clock_s, events = [100.0], []
    monkeypatch.setattr(child_program, "monotonic", lambda: clock_s[0])
    monkeypatch.setattr(child_program, "tell", lambda stream, event, **given: events.append((event, given)))
    watch = PipeWatch(None, tmp_path)  # type: ignore[arg-type]
    for number in range(1, 6):
        watch.on_step(TrainingStep("mri", number / 10, number / 10, 4, {"mri": float(number)}))
        clock_s[0] += 0.04
    watch.on_epoch(TrainingEpoch("mri", {"epoch": 1.0}))
    kinds = [event for event, _ in events]
    assert kinds == ["step", "step", "step", "epoch"]
    assert [given["losses"]["mri"] for event, given in events if event == "step"] == [1.0, 3.0, 5.0]
    assert sum(given["n_samples"] for event, given in events if event == "step") == 20
    assert events[1][1]["n_passes"] == 0.4


@pytest.mark.parametrize("model", ["compact", "paper", "ml4h", "ml4h_head"])
def test_a_request_becomes_the_configuration_of_that_name(model: Any) -> None:
    config = TrainingRequest(model, max_minutes=None, seed=4).config(n_pairs=10_000)
    expected = {**{field.name: field.default for field in fields(TrainingConfig)}, **READINGS.get(model, {}), "seed": 4}
    assert {name: getattr(config, name) for name in expected} == expected


def test_small_studies_have_enough_to_validate_on() -> None:
    request = TrainingRequest(max_minutes=None, n_passes=2)
    config = request.config(n_pairs=32)
    assert config.valid_fraction == pytest.approx(8 / 32)
    assert config.train_fraction + config.valid_fraction == pytest.approx(0.89)
    assert (config.epochs_mri, config.epochs_ecg, config.epochs_joint) == (2, 2, 2)
    assert TrainingRequest.from_dict(request.to_dict()) == request
    with pytest.raises(TrainingError, match="below 0"):
        TrainingRequest(seed=-1).config(n_pairs=32)
