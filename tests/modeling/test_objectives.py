"""Losses of a batch against their formulas written out: each reading, modalities missing, three modalities."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from tiny_training import CONFIG, CPU, TINY, make_inputs, make_stage

from napari_latent_explorer.data.progress import finish
from napari_latent_explorer.modeling.objectives import CrossModalObjective, Loss, UnimodalObjective
from napari_latent_explorer.modeling.stage import Stage
from napari_latent_explorer.modeling.training_config import READINGS, ReadingName, TrainingConfig
from napari_latent_explorer.nn.autoencoder import AutoencoderConfig, CrossModalAutoencoder
from napari_latent_explorer.nn.coder import CoderConfig

ROWS = np.arange(8)
THREE = replace(
    TINY, labels=None, others=(("pulse", CoderConfig(2, (16,), 3, 4, (6,), (6,), 2, "mish", "max")),)
)  # fmt: skip


def loss_of(network: CrossModalAutoencoder, config: TrainingConfig, inputs: Any, rows: Any = ROWS) -> Loss:
    return CrossModalObjective(inputs, config, CPU)(network, rows, torch.Generator().manual_seed(7))


def network_of(config: AutoencoderConfig = TINY) -> CrossModalAutoencoder:
    torch.manual_seed(0)
    return CrossModalAutoencoder(config, 0.5).requires_grad_(requires_grad=False)


def squared_error(x: torch.Tensor, y: torch.Tensor) -> float:
    return float(((x.double() - y.double()) ** 2).mean())


def log_cosh(x: torch.Tensor, y: torch.Tensor) -> float:
    return float(torch.log(torch.cosh(x.double() - y.double())).mean())


def probabilities(a: torch.Tensor, b: torch.Tensor, log_scale: float) -> np.ndarray:
    u, v = (z.double() / z.double().norm(dim=1, keepdim=True) for z in (a, b))
    e = np.exp((u @ v.T).numpy() * np.exp(log_scale))
    return np.array([np.diag(e / e.sum(axis=axis, keepdims=True)) for axis in (0, 1)])


@pytest.mark.parametrize("reading", list(READINGS))
def test_a_reading_is_the_formula_that_it_names(reading: ReadingName) -> None:
    inputs, network, config = make_inputs(), network_of(), TrainingConfig.reading(reading)
    loss = loss_of(network, config, inputs)
    mri, ecg = inputs.batch("mri", ROWS), inputs.batch("ecg", ROWS)
    z = torch.stack([network.encode("mri", mri), network.encode("ecg", ecg)])
    drawn = torch.rand(
        (len(ROWS), 1) if reading == "ml4h_head" else (1, 16), generator=torch.Generator().manual_seed(7)
    )
    merged = torch.where(drawn < 0.5, z[1], z[0])
    p = probabilities(*z, 0.5)
    contrastive = {
        "paper": -np.log(p).mean(), "ml4h": 16.1181 * (1 - p.mean()), "ml4h_head": 16.1181 * (1 - p.mean()),
    }[reading]  # fmt: skip
    error = squared_error if reading == "paper" else log_cosh
    reconstruction = squared_error(mri, network.decode("mri", merged)) + error(ecg, network.decode("ecg", merged))
    expected = contrastive + 0.1 * reconstruction if reading == "paper" else reconstruction + 0.1 * contrastive
    assert loss.total.item() == pytest.approx(expected, rel=1e-5)
    assert loss.parts["contrastive"].item() == pytest.approx(contrastive, rel=1e-5)


def test_readings_differ_in_what_the_table_says() -> None:
    paper, code, head = (TrainingConfig.reading(name) for name in ("paper", "ml4h", "ml4h_head"))
    assert TrainingConfig.published() == paper
    assert (paper.optimizer, code.optimizer, head.optimizer) == ("adam", "radam", "adam")
    assert (paper.learning_rate_joint, code.learning_rate_joint, head.learning_rate_joint) == (2e-5, 2e-4, 5e-5)
    assert (paper.gelu, code.gelu, head.gelu) == ("tanh", "tanh", "exact")
    assert (paper.schedule, code.schedule, code.steps_per_epoch) == ("plateau", "ml4h", 128)
    assert {config.batch_size_joint for config in (paper, code, head)} == {4}
    for config in (paper, code, head):
        assert TrainingConfig.from_dict(config.to_dict()) == config


def test_reconstruction_from_each_latent_too_is_the_mean_of_the_three() -> None:
    inputs, network = make_inputs(), network_of()
    config = replace(CONFIG, reconstruction="merged_and_each", fusion="batch")
    both = loss_of(network, config, inputs).parts
    merged = loss_of(network, replace(config, reconstruction="merged"), inputs).parts
    x = {name: inputs.batch(name, ROWS) for name in ("mri", "ecg")}
    z = {name: network.encode(name, x[name]) for name in x}
    for name, error in (("mri", squared_error), ("ecg", log_cosh)):
        each = [error(x[name], network.decode(name, z[source])) for source in z]
        assert both[name].item() == pytest.approx((merged[name].item() + sum(each)) / 3, rel=1e-5)


def test_who_lacks_a_modality_is_reconstructed_in_the_other_and_contrasted_with_nobody() -> None:
    inputs, network = make_inputs({"mri": [1, 2], "ecg": [5]}), network_of()
    inputs.cine[[1, 2]], inputs.ecg[5] = 255, 1e6  # what is said to be missing must not be looked at
    config = replace(CONFIG, fusion="whole")
    parts = loss_of(network, config, inputs).parts
    pairs = np.array([0, 3, 4, 6, 7])
    z = {name: network.encode(name, inputs.batch(name, pairs)) for name in ("mri", "ecg")}
    assert parts["contrastive"].item() == pytest.approx(
        -np.log(probabilities(z["mri"], z["ecg"], 0.5)).mean(), rel=1e-5
    )
    drawn = torch.rand(8, 1, generator=torch.Generator().manual_seed(7))[:, 0].numpy()
    from_ecg = np.where(np.isin(ROWS, [1, 2]), True, np.where(ROWS == 5, False, drawn < 0.5))
    for name, rows, error in (("mri", [0, 3, 4, 5, 6, 7], squared_error), ("ecg", [0, 1, 2, 3, 4, 6, 7], log_cosh)):
        errors = []
        for row in rows:
            one = np.array([row])
            source = "ecg" if from_ecg[row] else "mri"
            decoded = network.decode(name, network.encode(source, inputs.batch(source, one)))
            errors.append(error(inputs.batch(name, one), decoded))
        assert parts[name].item() == pytest.approx(np.mean(errors), rel=1e-5), name


def test_nobody_with_both_leaves_reconstruction_alone() -> None:
    inputs, network = make_inputs({"mri": [0, 1, 2, 3], "ecg": [4, 5, 6, 7]}), network_of()
    loss = loss_of(network, CONFIG, inputs)
    assert loss.parts["contrastive"].item() == 0
    assert loss.total.item() == pytest.approx(loss.parts["mri"].item() + loss.parts["ecg"].item(), rel=1e-6)
    only_ecg = loss_of(network, CONFIG, inputs, np.arange(4))
    assert only_ecg.parts["mri"].item() == 0
    assert only_ecg.parts["ecg"].item() > 0


def test_training_takes_people_with_one_recording(tmp_path: Path) -> None:
    config = replace(CONFIG, epochs_joint=40, learning_rate_joint=5e-3, uses_unpaired=True)
    stage = make_stage(make_inputs({"mri": [0, 1, 2, 3], "ecg": [8, 9]}), tmp_path / "c.pt", config)
    assert len(stage.train_rows) == 12
    history = finish(stage.run())
    assert history[-1]["valid_mri_from_ecg"] < 0.7 * history[0]["valid_mri_from_ecg"]


class ThreeRecordings:
    """MRI and ECG of the tiny people, and a third recording that follows the same factor; some miss some."""

    def __init__(self) -> None:
        self.inputs = make_inputs()
        height = self.inputs.ecg.max(axis=(1, 2))
        wave = height[:, None, None] * np.cos(np.arange(16) / 2)[None, None] * np.array([[1.0], [-1.0]])
        self.pulse = wave.astype(np.float32)

    def batch(self, modality: str, rows: Any) -> torch.Tensor:
        return torch.from_numpy(self.pulse[rows]) if modality == "pulse" else self.inputs.batch(modality, rows)

    def has(self, modality: str) -> Any:
        row = np.arange(len(self.pulse))
        missing: dict[str, Any] = {"mri": row == 1, "ecg": row == 3, "pulse": (row == 1) | (row == 6)}
        return ~missing[modality]


def test_three_modalities_give_three_pairs_of_contrastive_terms() -> None:
    recordings, network = ThreeRecordings(), network_of(THREE)
    parts = loss_of(network, CONFIG, recordings).parts
    assert list(parts) == ["mri", "ecg", "pulse", "contrastive"]
    terms = []
    for a, b in (("mri", "ecg"), ("mri", "pulse"), ("ecg", "pulse")):
        rows = np.flatnonzero(recordings.has(a) & recordings.has(b))
        rows = rows[rows < 8]
        z = [network.encode(name, recordings.batch(name, rows)) for name in (a, b)]
        terms.append(-np.log(probabilities(z[0], z[1], 0.5)).mean())
    assert parts["contrastive"].item() == pytest.approx(np.mean(terms), rel=1e-5)


def test_three_modalities_are_learned_and_translated(tmp_path: Path) -> None:
    recordings = ThreeRecordings()
    torch.manual_seed(0)
    config = replace(CONFIG, epochs_joint=40, learning_rate_joint=5e-3)
    objective = CrossModalObjective(recordings, config, CPU)
    rows, ids = (np.arange(12), np.arange(12, 16)), recordings.inputs.participant_ids
    stage = Stage("joint", CrossModalAutoencoder(THREE), objective, *rows, ids, config, tmp_path / "c.pt")
    history = finish(stage.run())
    for translation in ("mri_from_pulse", "pulse_from_mri", "pulse_from_ecg"):
        assert history[-1][f"valid_{translation}"] < 0.7 * history[0][f"valid_{translation}"], translation


def test_a_variational_autoencoder_adds_the_weighted_divergence_and_encodes_to_the_mean() -> None:
    inputs = make_inputs()
    network = network_of(replace(TINY.only("ecg"), is_probabilistic=True))
    config = replace(CONFIG, divergence_weight=0.01)
    loss = UnimodalObjective(inputs, "ecg", CPU, config)(network, ROWS, torch.Generator().manual_seed(7))
    x = inputs.batch("ecg", ROWS)
    mean, log_variance = network.encode_distribution("ecg", x)
    assert log_variance is not None
    noise = torch.randn(8, 16, generator=torch.Generator().manual_seed(7))
    reconstruction = network.decode("ecg", mean + torch.exp(log_variance / 2) * noise)
    variance = torch.distributions.Normal(mean, torch.exp(log_variance / 2))
    divergence = torch.distributions.kl_divergence(variance, torch.distributions.Normal(0.0, 1.0)).sum(1).mean()
    assert loss.total.item() == pytest.approx(log_cosh(x, reconstruction) + 0.01 * divergence.item(), rel=1e-5)
    assert torch.equal(network.encode("ecg", x), mean)


def test_a_heavy_divergence_makes_latents_standard_normal(tmp_path: Path) -> None:
    inputs = make_inputs()
    config = replace(CONFIG, epochs_ecg=150, learning_rate_ecg=1e-2, divergence_weight=10.0)
    torch.manual_seed(0)
    network = CrossModalAutoencoder(replace(TINY.only("ecg"), is_probabilistic=True))
    rows = np.arange(12)
    objective = UnimodalObjective(inputs, "ecg", CPU, config)
    stage = Stage("ecg", network, objective, rows, rows, inputs.participant_ids, config, tmp_path / "c.pt")
    history = finish(stage.run())
    assert history[-1]["valid_divergence"] < 0.02 * history[0]["train_divergence"]


def test_probabilistic_encoders_also_meet_in_the_cross_modal_stage(tmp_path: Path) -> None:
    config = replace(CONFIG, is_probabilistic=True, epochs_joint=30, learning_rate_joint=5e-3)
    history = finish(make_stage(make_inputs(), tmp_path / "c.pt", config).run())
    assert history[-1]["train_divergence"] >= 0
    assert history[-1]["valid_mri_from_ecg"] < 0.8 * history[0]["valid_mri_from_ecg"]
