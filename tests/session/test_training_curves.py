"""What is drawn of a training: its curves, what a folder tells of a run, and how long it will take."""

from pathlib import Path

import numpy as np
import pytest

from napari_latent_explorer.data.progress import finish
from napari_latent_explorer.errors import TrainingError
from napari_latent_explorer.modeling.training_reports import PlannedStage, TrainingEpoch, TrainingPlan, TrainingStep
from napari_latent_explorer.modeling.training_request import REQUEST_FILE, TrainingRequest
from napari_latent_explorer.session import training_record
from napari_latent_explorer.session.training_curves import CURVE_FILE, curves_of, pace_of, read_past
from napari_latent_explorer.session.training_record import MAX_STEPS, TrainingRecord


def step(n_passes: float, mri: float = 1.0, stage: str = "mri", of: float = 4.0) -> TrainingStep:
    return TrainingStep(stage, n_passes, n_passes / of, 16, {"mri": mri})


def test_curves_hold_what_was_told_and_nothing_that_no_logarithm_has() -> None:
    rows = [
        {"epoch": 1.0, "train_mri": 0.9, "valid_mri": 0.8, "valid_loss": 0.8, "valid_top_1": 0.1},
        {"epoch": 2.0, "train_mri": 0.5, "valid_mri": float("nan"), "valid_loss": 0.8},
    ]
    found = {(curve.part, curve.kind): curve for curve in curves_of(rows, [step(0.5), step(1.0, -1.0), step(1.5, 0.7)])}
    assert list(found) == [("mri", "steps"), ("mri", "train"), ("mri", "valid")]
    np.testing.assert_array_equal(found["mri", "train"].losses, [0.9, 0.5])
    np.testing.assert_array_equal(found["mri", "valid"].n_passes, [1.0])
    np.testing.assert_array_equal(found["mri", "steps"].n_passes, [0.5, 1.5])
    assert curves_of([], []) == ()


def test_the_time_left_is_that_of_all_stages_to_come() -> None:
    by_passes = TrainingPlan(
        (PlannedStage("ecg", 2, None), PlannedStage("mri", 4, None), PlannedStage("joint", 10, None))
    )
    pace = pace_of(by_passes, step(1.0), step(2.0), n_samples=64, elapsed_s=8.0)
    assert pace is not None
    assert pace.samples_per_s == 8.0
    assert pace.left_s == pytest.approx(2 * 8.0 + 10 * 8.0 * 38 / 29)
    by_time = TrainingPlan((PlannedStage("mri", 4, 100.0), PlannedStage("joint", 10, 300.0)))
    bounded = pace_of(by_time, step(1.0), step(2.0), n_samples=64, elapsed_s=8.0)
    assert bounded is not None
    assert bounded.left_s == pytest.approx(50.0 + 300.0)
    assert pace_of(by_time, step(1.0), step(1.0), 0, 0.0) is None
    assert pace_of(by_time, step(1.0, stage="ecg"), step(2.0), 64, 8.0) is None


def test_the_pace_is_measured_over_the_last_half_minute(monkeypatch: pytest.MonkeyPatch) -> None:
    clock_s = [0.0]
    monkeypatch.setattr(training_record, "monotonic", lambda: clock_s[0])
    record = TrainingRecord()
    record.take(TrainingPlan((PlannedStage("mri", 100, None),)))
    for number in range(1, 41):
        clock_s[0] += 10.0 if number <= 20 else 2.0
        record.take(step(number / 10, of=100))
    assert record.pace is not None
    assert record.pace.samples_per_s == pytest.approx(16 / 2.0)
    assert record.pace.left_s == pytest.approx(96 / 0.1 * 2.0)
    record.forget_pace()
    assert record.pace is None


def test_an_epoch_made_again_replaces_what_was_told_of_it() -> None:
    record = TrainingRecord()
    for n_passes in (0.5, 1.0, 1.5, 2.0):
        record.take(step(n_passes, 2.0))
    record.take(TrainingEpoch("mri", {"epoch": 1.0, "train_mri": 2.0}))
    record.take(TrainingEpoch("mri", {"epoch": 2.0, "train_mri": 2.0}))
    record.take(step(1.5, 0.5))
    record.take(TrainingEpoch("mri", {"epoch": 2.0, "train_mri": 0.5}))
    steps, train = record.curves("mri")
    np.testing.assert_array_equal(steps.n_passes, [0.5, 1.0, 1.5])
    np.testing.assert_array_equal(train.losses, [2.0, 0.5])


def test_long_trainings_keep_a_bounded_number_of_steps() -> None:
    record = TrainingRecord()
    for number in range(1, 5 * MAX_STEPS):
        record.take(step(number / 100))
    (steps,) = record.curves("mri")
    assert MAX_STEPS / 2 <= len(steps.losses) <= MAX_STEPS
    assert steps.n_passes[0] == 0.01
    assert steps.n_passes[-1] == (5 * MAX_STEPS - 1) / 100


def test_a_folder_tells_its_run_again(tmp_path: Path) -> None:
    assert finish(read_past(tmp_path)).histories == {}
    request = TrainingRequest(max_minutes=None, n_passes=3, seed=5)
    request.save(tmp_path)
    (tmp_path / CURVE_FILE).write_text("stage,epoch,train_mri,train_ecg\nmri,1,0.9,\nmri,2,0.8,\necg,1,,0.7\n")
    past = finish(read_past(tmp_path))
    assert past.request == request
    assert past.histories == {
        "mri": ({"epoch": 1.0, "train_mri": 0.9}, {"epoch": 2.0, "train_mri": 0.8}),
        "ecg": ({"epoch": 1.0, "train_ecg": 0.7},),
    }
    assert not past.is_finished
    (tmp_path / "weights.safetensors").touch()
    assert finish(read_past(tmp_path)).is_finished
    (tmp_path / "work").mkdir()
    assert not finish(read_past(tmp_path)).is_finished


@pytest.mark.parametrize(
    ("name", "content"),
    [
        (REQUEST_FILE, b"{"),
        (REQUEST_FILE, b'{"seed": -4}'),
        (REQUEST_FILE, b'{"speed": 4}'),
        (REQUEST_FILE, b'{"max_minutes": "long"}'),
        (CURVE_FILE, b"a,b\n1,2\n"),
        (CURVE_FILE, b"stage,epoch\nmri,first\n"),
        (CURVE_FILE, b""),
    ],
)
def test_damaged_files_of_a_run_are_named(tmp_path: Path, name: str, content: bytes) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(TrainingError, match=name):
        finish(read_past(tmp_path))
