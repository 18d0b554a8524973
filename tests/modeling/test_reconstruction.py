"""Watching a training: what is told of it is right, and that it is told changes nothing."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from tiny_training import CONFIG, CPU, make_inputs, make_stage

from napari_latent_explorer.data.progress import finish
from napari_latent_explorer.errors import TrainingError
from napari_latent_explorer.modeling import stage as stage_module
from napari_latent_explorer.modeling.reconstruction import reconstruct
from napari_latent_explorer.modeling.stage import Stage
from napari_latent_explorer.modeling.training_reports import RECONSTRUCTIONS_FILE, Reconstructions, TrainingStep

ROWS = np.array([12, 13])


def reconstruct_after(stage: Stage, epoch: int) -> Reconstructions:
    inputs = make_inputs()
    return reconstruct(stage.network, inputs, ROWS, inputs.participant_ids, CPU, "joint", epoch)


def test_a_watched_training_ends_with_the_same_weights(tmp_path: Path) -> None:
    torch.set_num_threads(1)
    alone, watched = (make_stage(make_inputs(), tmp_path / name / "checkpoint.pt") for name in ("alone", "watched"))
    steps: list[TrainingStep] = []
    shown: list[Reconstructions] = []
    watched.on_step = steps.append
    watched.on_epoch.append(lambda row: shown.append(reconstruct_after(watched, int(row["epoch"]))))
    expected = finish(alone.run())
    history = finish(watched.run())
    for name, weights in alone.network.state_dict().items():
        assert torch.equal(weights, watched.network.state_dict()[name]), name
    assert [row["valid_loss"] for row in history] == [row["valid_loss"] for row in expected]
    assert [one.epoch for one in shown] == [1, 2, 3]
    assert [step.n_passes for step in steps] == pytest.approx(np.arange(1, 10) / 3)
    assert [step.progress for step in steps] == pytest.approx(np.arange(1, 10) / 9)
    assert {step.n_samples for step in steps} == {4}
    of_first = [step.losses["mri"] for step in steps[:3]]
    assert np.mean(of_first) == pytest.approx(history[0]["train_mri"])


def test_reconstructions_are_what_the_network_makes_of_each_latent(tmp_path: Path) -> None:
    stage, inputs = make_stage(make_inputs(), tmp_path / "checkpoint.pt"), make_inputs()
    shown = reconstruct_after(stage, 3)
    assert shown.participant_ids == ("P12", "P13")
    assert shown.leads == ("II",)
    frame = inputs.cine[12].astype(float)
    np.testing.assert_allclose(shown.cine["original"][0], ((frame - frame.mean()) / frame.std())[..., 0], atol=1e-5)
    np.testing.assert_array_equal(shown.ecg["original"][1, 0], inputs.ecg[13, 1])
    with torch.no_grad():
        z = stage.network.eval().encode("ecg", torch.from_numpy(inputs.ecg[ROWS]))
        from_ecg = stage.network.decode("mri", z)[:, 0].numpy()
    np.testing.assert_allclose(shown.cine["ecg"], from_ecg, atol=1e-6)
    assert shown.cine.keys() == shown.ecg.keys() == {"original", "mri", "ecg"}
    with pytest.raises(ValueError, match="read-only"):
        shown.cine["mri"][0, 0, 0] = 1.0


def test_reconstructions_come_back_from_the_folder_of_the_run(tmp_path: Path) -> None:
    assert Reconstructions.load(tmp_path) is None
    shown = reconstruct_after(make_stage(make_inputs(), tmp_path / "checkpoint.pt"), 7)
    shown.save(tmp_path)
    found = Reconstructions.load(tmp_path)
    assert found is not None
    assert (found.stage, found.epoch, found.participant_ids, found.leads) == ("joint", 7, ("P12", "P13"), ("II",))
    for source, cine in shown.cine.items():
        np.testing.assert_array_equal(found.cine[source], cine)
        np.testing.assert_array_equal(found.ecg[source], shown.ecg[source])
    path = tmp_path / RECONSTRUCTIONS_FILE
    path.write_bytes(path.read_bytes()[:200])
    with pytest.raises(TrainingError, match="cannot be read"):
        Reconstructions.load(tmp_path)


def test_a_rest_between_steps_is_not_counted_as_training_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    clock_s = [0.0]

    def tick() -> float:
        clock_s[0] += 0.5
        return clock_s[0]

    monkeypatch.setattr(stage_module.time, "monotonic", tick)
    config = replace(CONFIG, max_minutes=0.4)
    histories = []
    for rest_s in (0.0, 1000.0):
        clock_s[0] = 0.0
        work = make_stage(make_inputs(), tmp_path / str(rest_s) / "checkpoint.pt", config).run()
        while True:
            try:
                next(work)
            except StopIteration as stop:
                histories.append(stop.value)
                break
            clock_s[0] += rest_s
    assert len(histories[0]) > 1
    assert histories[1] == histories[0]
