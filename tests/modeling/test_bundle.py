import json
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

from napari_latent_explorer.errors import BundleError
from napari_latent_explorer.modeling.bundle import ModelBundle
from napari_latent_explorer.modeling.bundle_files import FILES
from napari_latent_explorer.modeling.bundle_metadata import PREPROCESSING, SIMULATION_WARNING, describe_model
from napari_latent_explorer.modeling.decoding import DecodeRequest, decode
from napari_latent_explorer.nn.autoencoder import AutoencoderConfig, CrossModalAutoencoder
from napari_latent_explorer.nn.cine import LabelHeadConfig
from napari_latent_explorer.nn.coder import CoderConfig

TINY = AutoencoderConfig(
    latent_dim=16,
    mri=CoderConfig(4, (16, 16), 3, 6, (6, 8), (8, 6), 2, "gelu", "average"),
    ecg=CoderConfig(3, (32,), 5, 6, (8,), (8,), 2, "mish", "max"),
    labels=LabelHeadConfig((0, 3, 9), n_frames=4, filters=5),
)


def make_bundle(config: AutoencoderConfig = TINY, seed: int = 0) -> ModelBundle:
    torch.manual_seed(seed)
    metadata = describe_model(config, is_simulated=True, data_source="a test", n_participants=3)
    statistics = {"mri_mean": np.arange(16, dtype=np.float32)}
    return ModelBundle(CrossModalAutoencoder(config), metadata, PREPROCESSING, statistics, {"epochs": 2})


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    make_bundle().save(tmp_path / "bundle")
    return tmp_path / "bundle"


def test_a_saved_bundle_is_the_same_bundle(folder: Path) -> None:
    made, loaded = make_bundle(), ModelBundle.load(folder)
    assert loaded.fingerprint == made.fingerprint
    assert loaded.network.config == TINY
    assert loaded.training == {"epochs": 2}
    np.testing.assert_array_equal(loaded.latent_statistics["mri_mean"], np.arange(16))
    x = np.random.default_rng(0).normal(size=(3, 4, 16, 16)).astype(np.float32)
    np.testing.assert_array_equal(loaded.encode("mri", x), made.encode("mri", x))


def test_fingerprint_follows_weights_and_not_the_folder(folder: Path, tmp_path: Path) -> None:
    ModelBundle.load(folder).save(tmp_path / "copy")
    assert ModelBundle.load(tmp_path / "copy").fingerprint == make_bundle().fingerprint
    assert make_bundle(seed=1).fingerprint != make_bundle().fingerprint


def test_decode_is_the_bare_network_in_the_recordings_units() -> None:
    bundle = make_bundle()
    vector = np.random.default_rng(0).normal(size=16).astype(np.float32)
    result = decode(bundle, DecodeRequest(vector))
    z = torch.from_numpy(vector)[None]
    cine, scores = bundle.network.decode_cine(z)
    assert result.cine is not None
    assert result.ecg_mv is not None
    assert result.labels is not None
    assert scores is not None
    np.testing.assert_allclose(result.cine, cine[0].numpy(), atol=1e-6)
    np.testing.assert_allclose(result.ecg_mv, 0.05 * bundle.network.decode("ecg", z)[0].numpy(), atol=1e-6)
    np.testing.assert_array_equal(result.labels, np.array([0, 3, 9])[scores[0].argmax(1).numpy()])
    assert (result.bundle_fingerprint, result.duration_ms > 0) == (bundle.fingerprint, True)
    assert not result.cine.flags.writeable


def test_only_what_is_asked_for_is_decoded() -> None:
    result = decode(make_bundle(), DecodeRequest(np.zeros(16, np.float32), with_labels=False, with_ecg=False))
    assert result.cine is not None
    assert result.labels is None
    assert result.ecg_mv is None
    result = decode(make_bundle(TINY.only("ecg")), DecodeRequest(np.zeros(16, np.float32)))
    assert (result.cine is None, result.ecg_mv is not None) == (True, True)


def test_many_vectors_decode_as_one_by_one() -> None:
    bundle = make_bundle()
    vectors = np.random.default_rng(0).normal(size=(70, 16)).astype(np.float32)
    together = bundle.decode(vectors, with_labels=True)
    assert together.cine is not None
    np.testing.assert_allclose(together.cine[69], decode(bundle, DecodeRequest(vectors[69])).cine, atol=1e-5)


def test_facts_for_users() -> None:
    bundle = make_bundle()
    assert dict(bundle.label_names) == {0: "background", 3: "LA_free_wall", 9: "RV_cavity"}
    assert bundle.warning == SIMULATION_WARNING
    assert bundle.latent_dim == 16
    outputs = bundle.metadata["network_data_format"]["outputs"]
    assert outputs["mri_reconstruction"]["spatial_shape"] == [16, 16]
    assert outputs["labels"]["channel_def"]["9"] == "RV_cavity"


def test_wrong_input_is_refused_with_what_was_expected() -> None:
    bundle = make_bundle()
    with pytest.raises(BundleError, match=r"\(2, 5, 16, 16\).*4, 16, 16"):
        bundle.encode("mri", np.zeros((2, 5, 16, 16), np.float32))
    with pytest.raises(BundleError, match="not 'ct'"):
        bundle.encode("ct", np.zeros((2, 5), np.float32))
    with pytest.raises(BundleError, match=r"expects \(n, 16\)"):
        bundle.decode(np.zeros((1, 8), np.float32))


@pytest.mark.parametrize("name", FILES)
def test_a_missing_file_is_named(folder: Path, name: str) -> None:
    (folder / name).unlink()
    with pytest.raises(BundleError, match=name):
        ModelBundle.load(folder)


def test_no_folder_at_all(tmp_path: Path) -> None:
    with pytest.raises(BundleError, match="no such folder"):
        ModelBundle.load(tmp_path / "nothing")


def test_all_weights_that_do_not_fit_are_named_at_once(folder: Path) -> None:
    weights = load_file(folder / "weights.safetensors")
    del weights["log_scale"]
    weights["label_head.output.bias"] = torch.zeros(7)
    weights["stranger"] = torch.zeros(1)
    save_file(weights, folder / "weights.safetensors")
    with pytest.raises(BundleError, match=r"log_scale missing") as raised:
        ModelBundle.load(folder)
    assert "stranger unexpected" in str(raised.value)
    assert "label_head.output.bias has shape (7,), expected (12,)" in str(raised.value)


def test_weights_that_are_no_numbers_are_refused(folder: Path) -> None:
    weights = load_file(folder / "weights.safetensors")
    weights["log_scale"] = torch.tensor(float("nan"))
    save_file(weights, folder / "weights.safetensors")
    with pytest.raises(BundleError, match="log_scale is not finite"):
        ModelBundle.load(folder)


@pytest.mark.parametrize("content", [b"", b"\x10\x00", b"version https://git-lfs.github.com/spec/v1\noid sha256:0"])
def test_damaged_weights(folder: Path, content: bytes) -> None:
    (folder / "weights.safetensors").write_bytes(content)
    with pytest.raises(BundleError, match="git lfs pull" if content.startswith(b"version") else "damaged"):
        ModelBundle.load(folder)


def test_truncated_weights(folder: Path) -> None:
    path = folder / "weights.safetensors"
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(BundleError, match="damaged"):
        ModelBundle.load(folder)


def test_unknown_schema_and_unknown_network(folder: Path) -> None:
    path = folder / "config.json"
    config = json.loads(path.read_text())
    path.write_text(json.dumps(config | {"schema_version": 99}))
    with pytest.raises(BundleError, match="schema version 99"):
        ModelBundle.load(folder)
    config["autoencoder"]["mri"]["wings"] = 2
    path.write_text(json.dumps(config))
    with pytest.raises(BundleError, match="does not describe a network"):
        ModelBundle.load(folder)
    path.write_text("{")
    with pytest.raises(BundleError, match="not JSON"):
        ModelBundle.load(folder)


def test_half_precision_weights_are_read_as_single(folder: Path) -> None:
    weights = {name: value.half() for name, value in load_file(folder / "weights.safetensors").items()}
    save_file(weights, folder / "weights.safetensors")
    assert ModelBundle.load(folder).network.log_scale.dtype == torch.float32
