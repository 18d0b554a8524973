from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from tiny_training import CONFIG, CPU, TINY, N, make_inputs, make_stage

from napari_latent_explorer.data.progress import finish
from napari_latent_explorer.errors import TrainingError
from napari_latent_explorer.modeling.inputs import ModelInputs, class_weights, to_whole_numbers
from napari_latent_explorer.modeling.objectives import LabelObjective, UnimodalObjective
from napari_latent_explorer.modeling.stage import Stage
from napari_latent_explorer.modeling.training_config import STAGES, TrainingConfig
from napari_latent_explorer.nn.autoencoder import CrossModalAutoencoder


@pytest.fixture
def inputs() -> ModelInputs:
    return make_inputs()


def test_another_configuration_does_not_resume(inputs: ModelInputs, tmp_path: Path) -> None:
    finish(make_stage(inputs, tmp_path / "c.pt").run())
    with pytest.raises(TrainingError, match="another configuration"):
        make_stage(inputs, tmp_path / "c.pt", replace(CONFIG, seed=5)).resume()
    assert not make_stage(inputs, tmp_path / "absent.pt").resume()


def test_the_best_epoch_is_kept(inputs: ModelInputs, tmp_path: Path) -> None:
    stage = make_stage(inputs, tmp_path / "c.pt", replace(CONFIG, epochs_joint=4, learning_rate_joint=0.02))
    history = finish(stage.run())
    assert stage.validate()["valid_loss"] == min(row["valid_loss"] for row in history)


def test_learning_lowers_every_part_of_the_loss(inputs: ModelInputs, tmp_path: Path) -> None:
    config = replace(CONFIG, epochs_joint=60, learning_rate_joint=5e-3, contrastive_weight=1.0)
    history = finish(make_stage(inputs, tmp_path / "c.pt", config).run())
    for part in ("mri", "ecg", "contrastive"):
        assert history[-1][f"train_{part}"] < 0.7 * history[0][f"train_{part}"], part
    assert history[-1]["valid_mri_from_ecg"] < 0.7 * history[0]["valid_mri_from_ecg"]


def test_labels_name_what_lies_where_and_leave_the_autoencoder_alone(inputs: ModelInputs, tmp_path: Path) -> None:
    left = np.indices((16, 16))[1] < 8
    inputs.labels[...] = np.where(inputs.labels == 9, np.where(left, 3, 9), 0)  # two halves of one bright disc
    config = replace(CONFIG, epochs_joint=40, epochs_labels=150, learning_rate_joint=5e-3, learning_rate_labels=1e-2)
    joint = make_stage(inputs, tmp_path / "joint.pt", config)
    finish(joint.run())
    before = {name: value.clone() for name, value in joint.network.state_dict().items()}
    objective = LabelObjective(inputs, config, CPU, torch.ones(3))
    rows = np.arange(12), np.arange(12, 16)
    stage = Stage("labels", joint.network, objective, *rows, inputs.participant_ids, config, tmp_path / "labels.pt")
    finish(stage.run())
    for name, value in joint.network.state_dict().items():
        assert torch.equal(value, before[name]) != name.startswith("label_head"), name
    with torch.no_grad():
        found = joint.network.decode_labels(joint.network.encode("mri", inputs.batch("mri", rows[1])))
    truth = inputs.class_batch(rows[1], np.arange(4), TINY.labels.label_values)
    assert (found == truth).float().mean() > 0.95
    for half, other in ((1, 2), (2, 1)):  # equally bright: told apart by their place alone
        assert (found == other)[truth == half].float().mean() < 0.2


def test_what_is_not_finite_stops_and_names_the_batch(inputs: ModelInputs, tmp_path: Path) -> None:
    inputs.ecg[3, 0, 0] = np.nan
    with pytest.raises(TrainingError, match=r"ecg = nan.*P3"):
        finish(make_stage(inputs, tmp_path / "c.pt").run())


def test_a_budget_of_time_ends_the_stage_with_the_rate_annealed(inputs: ModelInputs, tmp_path: Path) -> None:
    config = replace(CONFIG, max_minutes=0.01, epochs_mri=0, epochs_ecg=0)
    stage = make_stage(inputs, tmp_path / "c.pt", config)
    history = finish(stage.run())
    assert stage.state.progress == 1.0
    assert history[-1]["learning_rate"] < 0.05 * config.learning_rate_joint
    assert stage.is_finished


def test_plateau_halves_the_rate_and_stops_after_three_epochs_without_progress(
    inputs: ModelInputs, tmp_path: Path
) -> None:
    config = replace(CONFIG, schedule="plateau", epochs_joint=100, learning_rate_joint=1e-12)
    history = finish(make_stage(inputs, tmp_path / "c.pt", config).run())
    assert len(history) < 20
    assert history[-1]["learning_rate"] == pytest.approx(1e-12 / 8)


def test_the_codes_plateau_waits_64_epochs_and_stops_after_192(
    inputs: ModelInputs, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = replace(
        CONFIG, schedule="ml4h", epochs_joint=500, learning_rate_joint=1e-12, steps_per_epoch=1, optimizer="radam"
    )
    stage = make_stage(inputs, tmp_path / "c.pt", config)
    losses = iter([{"valid_loss": 1.0}, {"valid_loss": 0.5}] + [{"valid_loss": 0.6}] * 500)
    monkeypatch.setattr(Stage, "validate", lambda _: next(losses))
    monkeypatch.setattr(Stage, "save_checkpoint", lambda _: None)
    history = finish(stage.run())
    assert len(history) == 2 + 192
    rates = [row["learning_rate"] for row in history]
    assert rates[2 + 62] == 1e-12
    assert rates[2 + 63] == pytest.approx(0.5e-12)
    assert rates[-1] == pytest.approx(1e-12 / 8)
    assert stage.state.step == len(history)


def test_gradients_of_each_part_are_scaled_down_to_the_norm(inputs: ModelInputs, tmp_path: Path) -> None:
    config = replace(CONFIG, gradient_norm=1e-3)
    stage = make_stage(inputs, tmp_path / "c.pt", config)
    stage._step(np.arange(4), torch.Generator().manual_seed(0))
    for part in (stage.network.encoders, stage.network.decoders):
        squares = [float(p.grad.square().sum()) for p in part.parameters() if p.grad is not None]
        assert np.sqrt(sum(squares)) == pytest.approx(1e-3, rel=1e-3)


def test_the_best_weights_are_a_copy_that_later_steps_do_not_reach(
    inputs: ModelInputs, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stage = make_stage(inputs, tmp_path / "c.pt", replace(CONFIG, epochs_joint=4, learning_rate_joint=5e-3))
    scripted = iter([{"valid_loss": loss} for loss in (3.0, 1.0, 2.0, 2.0)])
    seen = []

    def validate(_: Stage) -> dict[str, float]:
        seen.append({name: value.clone() for name, value in stage.network.state_dict().items()})
        return next(scripted)

    monkeypatch.setattr(Stage, "validate", validate)
    finish(stage.run())
    for name, value in stage.network.state_dict().items():
        assert torch.equal(value, seen[1][name]), name
    assert any(not torch.equal(seen[1][name], seen[3][name]) for name in seen[1])


def test_unimodal_stage_learns_its_modality_only(inputs: ModelInputs, tmp_path: Path) -> None:
    torch.manual_seed(0)
    network = CrossModalAutoencoder(TINY.only("mri"))
    rows = np.arange(12)
    stage = Stage(
        "mri",
        network,
        UnimodalObjective(inputs, "mri", CPU, CONFIG),
        rows,
        rows,
        inputs.participant_ids,
        CONFIG,
        tmp_path / "c",
    )
    history = finish(stage.run())
    assert [row["epoch"] for row in history] == [1, 2, 3]
    assert history[-1]["valid_mri"] < history[0]["valid_mri"]


def test_batches_are_z_scored_by_participant(inputs: ModelInputs) -> None:
    batch = inputs.batch("mri", np.array([3, 1])).double()
    assert batch.shape == (2, 4, 16, 16)
    torch.testing.assert_close(batch.mean((1, 2, 3)), torch.zeros(2).double(), atol=1e-5, rtol=0)
    torch.testing.assert_close(batch.std((1, 2, 3), correction=0), torch.ones(2).double(), atol=1e-5, rtol=0)
    assert torch.argmax(batch[0, 2]) == inputs.cine[3, :, :, 2].argmax()


def test_unknown_and_absent_labels_are_ignored(inputs: ModelInputs) -> None:
    inputs.has_labels[1] = False
    classes = inputs.class_batch(np.array([0, 1]), np.array([0, 2]), (3, 9)).numpy()
    assert classes.shape == (2, 2, 16, 16)
    assert set(np.unique(classes[0])) == {1, 255}  # 9 is class 1; 0 is not among the values
    assert set(np.unique(classes[1])) == {255}


def test_rare_classes_weigh_more_by_the_root_of_their_share(inputs: ModelInputs) -> None:
    found = class_weights(inputs, np.arange(N), (0, 9)).numpy()
    labels = inputs.labels[:, ::10]
    expected = np.sqrt((labels == 0).sum() / (labels == 9).sum())
    np.testing.assert_allclose(found, [1.0, expected], rtol=1e-5)


def test_whole_numbers_keep_the_picture() -> None:
    signal = np.random.default_rng(0).normal(1000, 300, (4, 8, 8))
    whole = to_whole_numbers(signal)
    assert np.corrcoef(whole.ravel(), signal.ravel())[0, 1] > 0.9999
    assert to_whole_numbers(whole) is whole


def test_impossible_configurations_name_all_problems() -> None:
    with pytest.raises(TrainingError, match=r"batch needs.*decoded_share"):
        TrainingConfig(batch_size=1, decoded_share=0)
    with pytest.raises(TrainingError, match="unknown entries: speed"):
        TrainingConfig.from_dict({"speed": 3})
    assert TrainingConfig.from_dict(TrainingConfig.published().to_dict()) == TrainingConfig.published()
    assert sum(replace(CONFIG, max_minutes=2.0).budget_s(s) or 0 for s in STAGES) == pytest.approx(120)
