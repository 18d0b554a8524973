"""A whole run on a small study with everything that can be asked for: fair baselines, variational ones, logs."""

from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest
import torch

from napari_latent_explorer.data.progress import finish
from napari_latent_explorer.errors import TrainingError
from napari_latent_explorer.io.study import Study
from napari_latent_explorer.modeling import tensorboard_log
from napari_latent_explorer.modeling.bundle import ModelBundle
from napari_latent_explorer.modeling.recordings import create_simulated_study
from napari_latent_explorer.modeling.training import CURVE_FILE, train
from napari_latent_explorer.modeling.training_config import STAGES, TrainingConfig

CONFIG = TrainingConfig(
    train_fraction=0.5, valid_fraction=0.4, epochs_mri=1, epochs_ecg=2, epochs_joint=1, epochs_labels=0, batch_size=4,
    batch_size_joint=4, baselines="equal_passes", has_vae_baselines=True, seed=11, precision="float32",
)  # fmt: skip


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> Study:
    return finish(create_simulated_study(tmp_path_factory.mktemp("run") / "study", 10, 5, stored=False, n_workers=1))


@pytest.mark.slow
def test_baselines_have_as_many_passes_and_every_number_is_logged(study: Study, tmp_path: Path) -> None:
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    torch.set_num_threads(1)
    finish(train(study, CONFIG, tmp_path / "run", n_workers=1, log_folder=tmp_path / "logs"))
    bundle = ModelBundle.load(tmp_path / "run")
    assert (bundle.training["seed"], bundle.training["precision"]) == (11, "cpu, float32")
    for modality, n_passes in (("mri", 2), ("ecg", 3)):
        baseline, variational = (
            ModelBundle.load(tmp_path / "run" / "baselines" / name) for name in (modality, f"{modality}_vae")
        )
        assert baseline.training["epochs"] == variational.training["epochs"] == n_passes
        assert baseline.modalities == variational.modalities == (modality,)
        assert (baseline.network.config.is_probabilistic, variational.network.config.is_probabilistic) == (False, True)
    curve = pd.read_csv(tmp_path / "run" / CURVE_FILE)
    assert curve["stage"].unique().tolist() == [name for name in STAGES if name != "labels"]
    for (stage, epoch), row in curve.set_index(["stage", "epoch"]).iterrows():
        events = EventAccumulator(str(tmp_path / "logs" / str(stage)))
        events.Reload()
        for name in ("valid_loss", "learning_rate"):
            logged = {event.step: event.value for event in events.Scalars(name.replace("_", "/", 1))}
            assert logged[int(epoch)] == pytest.approx(row[name], rel=1e-5)


@pytest.mark.slow
@pytest.mark.parametrize("stopped_in", ["ECG autoencoder, epoch 2", "cross-modal autoencoder, epoch 1", "label head"])
def test_a_run_stopped_in_any_stage_ends_with_the_same_bundle(study: Study, tmp_path: Path, stopped_in: str) -> None:
    torch.set_num_threads(1)
    config = replace(CONFIG, epochs_labels=1, baselines="pretraining", has_vae_baselines=False)
    whole = finish(train(study, config, tmp_path / "whole", n_workers=1))
    work = train(study, config, tmp_path / "stopped", n_workers=1)
    assert any(stopped_in in progress.message for progress in work)
    work.close()
    resumed = finish(train(study, config, tmp_path / "stopped", n_workers=1))
    assert resumed.fingerprint == whole.fingerprint
    curves = [pd.read_csv(tmp_path / name / CURVE_FILE).drop(columns="elapsed_s") for name in ("whole", "stopped")]
    pd.testing.assert_frame_equal(*curves)


def test_logs_without_tensorboard_are_refused_before_anything_is_done(
    study: Study, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tensorboard_log.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(TrainingError, match=r"pip install napari-latent-explorer\[tensorboard\]"):
        finish(train(study, CONFIG, tmp_path / "run", log_folder=tmp_path / "logs"))
    assert not (tmp_path / "run").exists()


def test_time_is_divided_among_the_further_baselines_too() -> None:
    config = replace(CONFIG, max_minutes=10.0)
    budgets = {stage: config.budget_s(stage) for stage in STAGES}
    assert sum(budget or 0 for budget in budgets.values()) == pytest.approx(600)
    assert budgets["mri_vae"] == pytest.approx((budgets["mri"] or 0) + (budgets["joint"] or 0))
    assert not budgets["labels"]
    assert replace(CONFIG, baselines="pretraining").epochs("mri_baseline") == 0
