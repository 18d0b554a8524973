"""Training that is killed or whose checkpoints rot: it goes on bit for bit, or says which file is damaged."""

import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import tiny_training
import torch
from tiny_training import CONFIG, make_inputs, make_stage

from napari_latent_explorer.data.progress import finish
from napari_latent_explorer.errors import StudyError, TrainingError
from napari_latent_explorer.modeling import checkpoint
from napari_latent_explorer.modeling.checkpoint import previous_path, read_checkpoint, write_checkpoint


def without_times(history: list[dict[str, float]]) -> list[dict[str, float]]:
    return [{name: value for name, value in row.items() if name != "elapsed_s"} for row in history]


def assert_equal(found: dict[str, torch.Tensor], expected: dict[str, torch.Tensor]) -> None:
    assert found.keys() == expected.keys()
    for name, value in expected.items():
        assert torch.equal(found[name], value), name


@pytest.mark.parametrize("schedule", ["cosine", "plateau"])
@pytest.mark.parametrize("n_before", [0, 2, 4, 5, 8])
def test_a_stage_stopped_at_any_step_goes_on_bit_for_bit(schedule: Any, n_before: int, tmp_path: Path) -> None:
    config = replace(CONFIG, schedule=schedule, learning_rate_joint=0.02)
    whole = make_stage(make_inputs(), tmp_path / "whole.pt", config)
    history = finish(whole.run())

    stopped = make_stage(make_inputs(), tmp_path / "stopped.pt", config)
    work = stopped.run()
    while stopped.state.step < n_before:
        next(work)
    work.close()

    resumed = make_stage(make_inputs(), tmp_path / "stopped.pt", config)
    assert resumed.resume() == (n_before >= 4)  # a step of the next epoch has begun, so the epoch before is kept
    assert resumed.state.epoch == max(0, n_before - 1) // 3
    assert without_times(finish(resumed.run())) == without_times(history)
    assert_equal(resumed.network.state_dict(), whole.network.state_dict())


@pytest.mark.slow
def test_a_process_killed_twice_ends_with_the_same_weights(tmp_path: Path) -> None:
    for name in ("whole", "killed"):
        (tmp_path / name).mkdir()
    command = [sys.executable, tiny_training.__file__]
    options = json.dumps({"epochs_joint": 60})
    subprocess.run([*command, str(tmp_path / "whole"), options], check=True, timeout=120)
    for after_epoch in (3, 20):
        process = subprocess.Popen([*command, str(tmp_path / "killed"), options])
        wait_for_epoch(tmp_path / "killed" / "checkpoint.pt", after_epoch)
        process.send_signal(signal.SIGKILL)
        assert process.wait(30) == -signal.SIGKILL
    assert not (tmp_path / "killed" / "weights.pt").exists()
    subprocess.run([*command, str(tmp_path / "killed"), options], check=True, timeout=120)
    whole, killed = (json.loads((tmp_path / name / "history.json").read_text()) for name in ("whole", "killed"))
    assert len(killed) == 60
    assert without_times(killed) == without_times(whole)
    weights = [torch.load(tmp_path / name / "weights.pt", weights_only=True) for name in ("killed", "whole")]
    assert_equal(*weights)


def wait_for_epoch(path: Path, epoch: int) -> None:
    """Wait until the checkpoint is of that epoch or a later one; while one replaces the other there may be none."""
    for _ in range(3000):
        try:
            if checkpoint._read(path)["state"]["epoch"] >= epoch:
                return
        except FileNotFoundError:
            pass
        time.sleep(0.02)
    raise AssertionError(f"no checkpoint of epoch {epoch} came")


def cut(raw: bytes) -> bytes:
    return raw[: len(raw) * 2 // 3]


def flip(raw: bytes) -> bytes:
    middle = len(raw) // 2
    return raw[:middle] + bytes([raw[middle] ^ 1]) + raw[middle + 1 :]


def empty(raw: bytes) -> bytes:
    return b""


def header_alone(raw: bytes) -> bytes:
    return raw[:60]


@pytest.mark.parametrize("damage", [cut, flip, empty, header_alone])
def test_a_damaged_checkpoint_is_named_and_the_one_before_it_used(damage: Any, tmp_path: Path) -> None:
    whole = make_stage(make_inputs(), tmp_path / "c.pt")
    finish(whole.run())
    (tmp_path / "c.pt").write_bytes(damage((tmp_path / "c.pt").read_bytes()))

    resumed = make_stage(make_inputs(), tmp_path / "c.pt")
    assert resumed.resume()
    assert resumed.state.epoch == CONFIG.epochs_joint - 1
    assert f"{tmp_path / 'c.pt'} is damaged" in resumed.note
    assert "the one before it" in resumed.note
    finish(resumed.run())
    assert_equal(resumed.network.state_dict(), whole.network.state_dict())
    assert not make_stage(make_inputs(), tmp_path / "c.pt").note


def test_nothing_whole_left_is_said_with_every_name(tmp_path: Path) -> None:
    finish(make_stage(make_inputs(), tmp_path / "c.pt").run())
    for path in (tmp_path / "c.pt", previous_path(tmp_path / "c.pt")):
        path.write_bytes(flip(path.read_bytes()))
    with pytest.raises(TrainingError, match=r"c\.pt is damaged.*c\.previous\.pt is damaged.*Delete what is damaged"):
        make_stage(make_inputs(), tmp_path / "c.pt").resume()


def test_a_kill_between_moving_the_old_and_writing_the_new_loses_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_checkpoint(tmp_path / "c.pt", {"epoch": 1})

    def no_space(*_: Any) -> None:
        raise StudyError("No space left")

    monkeypatch.setattr(checkpoint, "write_file", no_space)
    with pytest.raises(StudyError, match="No space"):
        write_checkpoint(tmp_path / "c.pt", {"epoch": 2})
    found = read_checkpoint(tmp_path / "c.pt")
    assert found is not None
    assert (found.content, found.note) == ({"epoch": 1}, "")


def test_a_checkpoint_executes_nothing(tmp_path: Path) -> None:
    class Opens:
        def __reduce__(self) -> tuple[Any, ...]:
            return os.mkdir, (str(tmp_path / "executed"),)

    write_checkpoint(tmp_path / "c.pt", {"state": Opens()})  # with a checksum that is right
    with pytest.raises(TrainingError, match="damaged"):
        read_checkpoint(tmp_path / "c.pt")
    assert not (tmp_path / "executed").exists()
