import json
import shutil
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest
from typer.testing import CliRunner

from napari_latent_explorer._cli.app import app
from napari_latent_explorer.errors import TrainingError
from napari_latent_explorer.io.study import Study
from napari_latent_explorer.modeling.bundle import ModelBundle
from napari_latent_explorer.modeling.bundle_metadata import PREPROCESSING, describe_model
from napari_latent_explorer.modeling.training_config import TrainingConfig
from napari_latent_explorer.nn.autoencoder import AutoencoderConfig, CrossModalAutoencoder

N_PARTICIPANTS = 24
SAMPLE_SETTINGS = Path(__file__).parents[2] / "sample_data" / "training.json"


def invoke(*words):
    return CliRunner().invoke(app, [str(word) for word in words], env={"COLUMNS": "1000"})


def untrained_bundle(folder, config):
    metadata = describe_model(config, is_simulated=True, data_source="nothing", n_participants=0)
    bundle = ModelBundle(CrossModalAutoencoder(config), metadata, PREPROCESSING)
    bundle.save(folder)
    return folder


@pytest.fixture(scope="module")
def study_folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("model") / "hearts"
    result = invoke("study", "simulate", folder, "--participants", N_PARTICIPANTS, "--no-recordings")
    assert result.exit_code == 0, result.stderr
    return folder


@pytest.fixture(scope="module")
def bundle_folder(tmp_path_factory):
    return untrained_bundle(tmp_path_factory.mktemp("model") / "bundle", AutoencoderConfig.preset("compact"))


@pytest.fixture(scope="module")
def encoded(study_folder, bundle_folder):
    result = invoke("encode", study_folder, bundle_folder)
    assert result.exit_code == 0, result.stderr
    return result


def test_encoding_leaves_latents_of_both_modalities(encoded, study_folder, bundle_folder):
    fingerprint = ModelBundle.load(bundle_folder).fingerprint
    assert f"mri: {N_PARTICIPANTS} x 256 latents of bundle {fingerprint}" in encoded.stdout
    study = Study.open(study_folder)
    assert study.latents("ecg", fingerprint).values.shape == (N_PARTICIPANTS, 256)


def test_projecting_leaves_maps_of_each_kind_of_each_modality_and_of_both(encoded, study_folder, bundle_folder):
    result = invoke("project", study_folder, bundle_folder)
    assert result.exit_code == 0, result.stderr
    for name in ("mri", "ecg", "joint"):
        for key in (name, f"{name}_whitened_tsne", f"{name}_pca"):
            arrays, _ = Study.open(study_folder).projection(key, ModelBundle.load(bundle_folder).fingerprint)
            assert arrays["coordinates"].shape == (N_PARTICIPANTS, 2)
    assert "mri_whitened_tsne, mri_pca, ecg" in invoke("study", "info", study_folder).stdout


def test_evaluating_writes_a_page_that_says_on_whom(study_folder, bundle_folder, tmp_path):
    result = invoke("evaluate", study_folder, bundle_folder, "--output", tmp_path / "scores")
    assert result.exit_code == 0, result.stderr
    assert f"Scored on {N_PARTICIPANTS} people" in (tmp_path / "scores" / "scores.md").read_text("utf-8")
    assert f"Scored on {N_PARTICIPANTS} people" in (tmp_path / "scores" / "report.html").read_text("utf-8")
    assert len(pd.read_parquet(tmp_path / "scores" / "people.parquet")) == N_PARTICIPANTS
    assert not (tmp_path / "scores" / "evaluation_work").exists()


def test_projecting_before_encoding_says_what_to_do(study_folder, tmp_path):
    other = untrained_bundle(tmp_path / "other", AutoencoderConfig.preset("compact"))
    result = invoke("project", study_folder, other)
    assert result.exit_code == 2
    assert "latents" in result.stderr
    assert "encode" in result.stderr.lower()


def test_a_unimodal_bundle_encodes_what_it_knows(study_folder, tmp_path):
    unimodal = untrained_bundle(tmp_path / "unimodal", AutoencoderConfig.preset("compact").only("ecg"))
    result = invoke("encode", study_folder, unimodal)
    assert result.exit_code == 0, result.stderr
    assert "ecg: 24 x 256 latents" in result.stdout
    assert "mri" not in result.stdout


def test_a_bundle_that_knows_none_of_the_studys_recordings_is_refused(study_folder, tmp_path):
    ecg_only = untrained_bundle(tmp_path / "ecg_only", AutoencoderConfig.preset("compact").only("ecg"))
    mri_study = tmp_path / "mri_study"
    shutil.copytree(study_folder, mri_study)
    manifest = json.loads((mri_study / "manifest.json").read_text("utf-8"))
    (mri_study / "manifest.json").write_text(json.dumps({**manifest, "modalities": ["mri"]}), "utf-8")
    result = invoke("encode", mri_study, ecg_only)
    assert result.exit_code == 2
    assert "it knows ecg, the study has mri. Train a bundle on this study." in result.stderr


def test_a_bundle_whose_weights_do_not_fit_is_refused(study_folder, bundle_folder, tmp_path):
    broken = tmp_path / "broken"
    shutil.copytree(bundle_folder, broken)
    config = json.loads((broken / "config.json").read_text("utf-8"))
    config["autoencoder"]["latent_dim"] = 128
    (broken / "config.json").write_text(json.dumps(config), "utf-8")
    result = invoke("encode", study_folder, broken)
    assert result.exit_code == 2
    assert str(broken) in result.stderr


def test_what_is_no_bundle_is_refused(study_folder, tmp_path):
    result = invoke("encode", study_folder, tmp_path)
    assert result.exit_code == 2
    assert "weights.safetensors" in result.stderr


def test_too_few_people_to_train_on_is_said(study_folder, tmp_path):
    result = invoke("train", study_folder, "--output", tmp_path / "bundle")
    assert result.exit_code == 2
    assert "at least 4 of each are needed" in result.stderr


def test_minutes_must_be_positive(study_folder, tmp_path):
    result = invoke("train", study_folder, "--output", tmp_path / "bundle", "--max-minutes", "0")
    assert result.exit_code == 2
    assert "--max-minutes" in result.stderr


@pytest.fixture
def configurations(monkeypatch):
    """Configurations that a training was begun with; none gets further."""
    begun = []

    def note(study, config, output, **_):
        begun.append(config)
        raise TrainingError("noted")
        yield

    monkeypatch.setattr("napari_latent_explorer.modeling.training.train", note)
    return begun


def begin(study_folder, tmp_path, *words):
    result = invoke("train", study_folder, "--output", tmp_path / "bundle", *words)
    assert "noted" in result.stderr


def test_a_settings_file_lies_between_preset_and_options(study_folder, tmp_path, configurations):
    file = tmp_path / "settings.json"
    file.write_text(
        json.dumps({"epochs_mri": 4, "train_fraction": 0.56, "seed": 5, "baselines": "equal_passes"}), "utf-8"
    )
    begin(study_folder, tmp_path)
    begin(study_folder, tmp_path, "--config", file)
    begin(study_folder, tmp_path, "--config", file, "--seed", 0, "--baselines", "pretraining", "--vae")
    begin(study_folder, tmp_path, "--config", file, "--preset", "ml4h")
    entries = {"epochs_mri": 4, "train_fraction": 0.56, "seed": 5, "baselines": "equal_passes"}
    assert configurations == [
        TrainingConfig(),
        TrainingConfig(**entries),
        TrainingConfig(epochs_mri=4, train_fraction=0.56, has_vae_baselines=True),
        replace(TrainingConfig.reading("ml4h"), **entries),
    ]


def test_an_option_can_undo_what_the_settings_file_says(study_folder, tmp_path, configurations):
    file = tmp_path / "settings.json"
    file.write_text(json.dumps({"has_vae_baselines": True, "preset": "published", "max_minutes": 5}), "utf-8")
    begin(study_folder, tmp_path, "--config", file, "--no-vae", "--preset", "compact", "--max-minutes", 2)
    assert configurations == [TrainingConfig(max_minutes=2.0)]


def test_the_settings_of_the_shipped_bundle_can_be_trained_with(study_folder, tmp_path, configurations):
    begin(study_folder, tmp_path, "--config", SAMPLE_SETTINGS)
    expected = {"train_fraction": 0.56, "epochs_mri": 4, "epochs_ecg": 5, "epochs_joint": 10, "epochs_labels": 4}
    assert configurations == [TrainingConfig(valid_fraction=0.03, baselines="equal_passes", **expected)]


def test_a_settings_file_with_unknown_names_is_refused(study_folder, tmp_path):
    file = tmp_path / "settings.json"
    file.write_text('{"epoch": 4, "speed": 2, "seed": "x"}', "utf-8")
    result = invoke("train", study_folder, "--output", tmp_path / "bundle", "--config", file)
    assert result.exit_code == 2
    assert str(file) in result.stderr
    assert "unknown entries: epoch, speed; seed: 'x', expected a whole number" in result.stderr
