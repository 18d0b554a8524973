from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from keras_writer import Sizes, make_decoder, make_encoder, write_half
from typer.testing import CliRunner

import napari_latent_explorer
from napari_latent_explorer._cli.app import app
from napari_latent_explorer.io.study import Study
from napari_latent_explorer.modeling.bundle import ModelBundle
from napari_latent_explorer.modeling.bundle_metadata import PREPROCESSING, describe_model
from napari_latent_explorer.modeling.trained_model import load_model
from napari_latent_explorer.nn.autoencoder import AutoencoderConfig, CrossModalAutoencoder
from napari_latent_explorer.session.opening import load_bundle

SAMPLE = Path(napari_latent_explorer.__file__).parent / "sample_data" / "bundle"
ECG = Sizes((600,), 12, 71, 23, 46, 1, 5, "mish", "max", 256)


def invoke(*words):
    return CliRunner().invoke(app, [str(word) for word in words], env={"COLUMNS": "1000"})


@pytest.fixture(scope="module")
def halves(tmp_path_factory):
    folder = tmp_path_factory.mktemp("released")
    return write_half(folder / "encoder_ecg.h5", make_encoder(ECG)), write_half(folder / "x.h5", make_decoder(ECG))


def test_released_halves_become_a_bundle(tmp_path, halves):
    result = invoke("import-dropfuse", tmp_path / "bundle", "--ecg-encoder", halves[0], "--ecg-decoder", halves[1])
    assert result.exit_code == 0, result.stderr
    bundle = ModelBundle.load(tmp_path / "bundle")
    assert f"bundle {bundle.fingerprint} of ecg" in result.stdout
    assert "x.h5: unknown file (SHA-256" in result.stdout
    assert bundle.encode("ecg", np.zeros((1, 12, 600), np.float32)).shape == (1, 256)
    again = invoke("import-dropfuse", tmp_path / "again", "--folder", halves[0].parent)
    assert again.exit_code == 0, again.stderr
    assert ModelBundle.load(tmp_path / "again").fingerprint == bundle.fingerprint


def test_swapped_halves_leave_nothing_behind(tmp_path, halves):
    result = invoke("import-dropfuse", tmp_path / "bundle", "--ecg-encoder", halves[1], "--ecg-decoder", halves[0])
    assert result.exit_code == 2
    assert "x.h5 holds the ECG decoder, where the ECG encoder was expected" in result.stderr
    assert not (tmp_path / "bundle").exists()


def test_it_must_be_said_what_to_import(tmp_path):
    result = invoke("import-dropfuse", tmp_path / "bundle")
    assert result.exit_code == 2
    assert "--folder" in result.stderr


def test_exported_networks_encode_a_study_as_the_bundle_does(tmp_path):
    for name in ("onnx", "onnxruntime", "onnxscript"):
        pytest.importorskip(name)
    config = AutoencoderConfig.preset("compact")
    metadata = describe_model(config, is_simulated=True, data_source="nothing", n_participants=0)
    bundle = ModelBundle(CrossModalAutoencoder(config), metadata, PREPROCESSING)
    bundle.save(tmp_path / "bundle")
    study = tmp_path / "hearts"
    assert invoke("study", "simulate", study, "--participants", 3, "--no-recordings").exit_code == 0
    result = invoke("export-onnx", tmp_path / "bundle", tmp_path / "onnx")
    assert result.exit_code == 0, result.stderr
    fingerprint = load_model(tmp_path / "onnx").fingerprint
    assert f"model {fingerprint}" in result.stdout
    for folder in ("bundle", "onnx"):
        result = invoke("encode", study, tmp_path / folder)
        assert result.exit_code == 0, result.stderr
    opened = Study.open(study)
    for modality in ("mri", "ecg"):
        one, other = (opened.latents(modality, name).values for name in (bundle.fingerprint, fingerprint))
        np.testing.assert_allclose(one, other, atol=1e-5)


@pytest.mark.slow
def test_exported_networks_are_scored_and_decode_as_the_bundle_does(tmp_path):
    for name in ("onnx", "onnxruntime", "onnxscript"):
        pytest.importorskip(name)
    bundle = load_model(SAMPLE)
    assert invoke("export-onnx", SAMPLE, tmp_path / "onnx").exit_code == 0
    assert invoke("study", "simulate", tmp_path / "study", "--participants", 24, "--seed", 4711).exit_code == 0
    scores, drawn = [], []
    for folder in (SAMPLE, tmp_path / "onnx"):
        assert invoke("encode", tmp_path / "study", folder).exit_code == 0
        output = tmp_path / f"scores of {folder.name}"
        result = invoke("evaluate", tmp_path / "study", folder, "--output", output, "--supervised-minutes", 0)
        assert result.exit_code == 0, result.stderr
        table = pd.read_parquet(output / "reconstruction.parquet")
        scores.append(
            table[table["model"].isin(["mean recording", "cross-modal"])][["mse", "rmse", "explained"]].to_numpy(float)
        )
        model = load_model(folder)
        latents = Study.open(tmp_path / "study").latents("mri", model.fingerprint).values[:3]
        drawn.append(model.decode(latents))
    assert bundle.fingerprint != model.fingerprint
    np.testing.assert_allclose(scores[1], scores[0], rtol=1e-3, atol=1e-3)
    np.testing.assert_allclose(drawn[1].cine, drawn[0].cine, atol=1e-3)
    np.testing.assert_allclose(drawn[1].ecg_mv, drawn[0].ecg_mv, atol=1e-3)


def test_a_viewer_opens_exported_networks_where_it_expects_a_bundle(tmp_path):
    for name in ("onnx", "onnxruntime", "onnxscript"):
        pytest.importorskip(name)
    config = AutoencoderConfig.preset("compact").only("ecg")
    metadata = describe_model(config, is_simulated=True, data_source="nothing", n_participants=0)
    ModelBundle(CrossModalAutoencoder(config), metadata, PREPROCESSING).save(tmp_path / "bundle")
    assert invoke("export-onnx", tmp_path / "bundle", tmp_path / "onnx").exit_code == 0
    opened = []

    def work():
        opened.append((yield from load_bundle(tmp_path / "onnx")))

    assert list(work())
    assert opened[0].fingerprint == load_model(tmp_path / "onnx").fingerprint
