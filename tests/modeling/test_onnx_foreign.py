"""A model that others wrote: networks put together by hand, and the least metadata that `onnx_bundle` asks for."""

import json
import os
import re
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest

from napari_latent_explorer.analysis.projection import Projection
from napari_latent_explorer.data.ecg import LEAD_NAMES
from napari_latent_explorer.data.latents import LatentSpace
from napari_latent_explorer.data.progress import finish
from napari_latent_explorer.modeling.bundle_facts import BundleFacts
from napari_latent_explorer.modeling.encoding import encode_recording, encode_study
from napari_latent_explorer.modeling.preprocessing import prepare_cine, prepare_ecg
from napari_latent_explorer.modeling.preprocessing_spec import (
    INDEPENDENT_LEADS,
    CineSpec,
    EcgSpec,
    PreprocessingSpec,
    read_spec,
)
from napari_latent_explorer.modeling.recordings import create_simulated_study, open_study
from napari_latent_explorer.modeling.trained_model import TrainedModel, load_model

onnx = pytest.importorskip("onnx")
if find_spec("onnxruntime") is None:
    pytest.skip("onnxruntime is not installed", allow_module_level=True)

SAMPLES = Path(__file__).parents[2] / "napari_latent_explorer" / "sample_data"
LATENT_DIM = 5
CINE, BEAT = (10, 24, 20), (8, 300)
METADATA = {
    "name": "Random projections",
    "network_data_format": {
        "inputs": {
            "mri": {"num_channels": 10, "spatial_shape": [24, 20]},
            "ecg": {
                "num_channels": 8,
                "spatial_shape": [300],
                "channel_def": {str(number): name for number, name in enumerate(reversed(INDEPENDENT_LEADS))},
            },
        },
        "outputs": {"latent": {"num_channels": LATENT_DIM}},
    },
    "preprocessing": {
        "mri": {"spacing_mm": 7.2, "intensity": "0 to 1 per participant over all frames and pixels"},
        "ecg": {"kind": "median beat", "sampling_rate_hz": 250, "qrs_onset_ms": 400, "unit_uv": 1000},
    },
}


def write_network(path: Path, sizes_in: tuple[int, ...], sizes_out: tuple[int, ...], weights: np.ndarray) -> None:
    """Write a network that flattens, multiplies and shapes."""
    kind = onnx.TensorProto.FLOAT
    ends = [
        onnx.helper.make_tensor_value_info(name, kind, ["people", *sizes])
        for name, sizes in (("what", sizes_in), ("answer", sizes_out))
    ]
    nodes = [
        onnx.helper.make_node("Flatten", ["what"], ["flat"]),
        onnx.helper.make_node("MatMul", ["flat", "weights"], ["product"]),
        onnx.helper.make_node("Reshape", ["product", "sizes"], ["answer"]),
    ]
    constants = [
        onnx.numpy_helper.from_array(weights.astype(np.float32), "weights"),
        onnx.numpy_helper.from_array(np.array([0, *sizes_out], np.int64), "sizes"),
    ]
    graph = onnx.helper.make_graph(nodes, "by_hand", ends[:1], ends[1:], constants)
    onnx.save(onnx.helper.make_model(graph, opset_imports=[onnx.helper.make_opsetid("", 18)], ir_version=9), path)


@pytest.fixture(scope="module")
def weights() -> dict[str, np.ndarray]:
    rng = np.random.default_rng(0)
    return {name: rng.normal(size=(int(np.prod(sizes)), LATENT_DIM)) for name, sizes in (("mri", CINE), ("ecg", BEAT))}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory, weights: dict[str, np.ndarray]) -> Path:
    place = tmp_path_factory.mktemp("foreign")
    for name, sizes in (("mri", CINE), ("ecg", BEAT)):
        write_network(place / f"{name}_encoder.onnx", sizes, (LATENT_DIM,), weights[name])
        write_network(place / f"{name}_decoder.onnx", (LATENT_DIM,), sizes, weights[name].T)
    (place / "metadata.json").write_text(json.dumps(METADATA))
    return place


@pytest.fixture(scope="module")
def model(folder: Path) -> TrainedModel:
    return load_model(folder)


def test_the_least_metadata_are_enough(model: TrainedModel) -> None:
    beat = EcgSpec(300, 250.0, 400.0, 1000.0, tuple(reversed(INDEPENDENT_LEADS)))
    assert model.input_spec == PreprocessingSpec(CineSpec(10, 24, 20, 7.2, intensity="0 to 1"), beat)
    assert (model.modalities, model.latent_dim, dict(model.training)) == (("mri", "ecg"), LATENT_DIM, {})


def test_recordings_are_brought_to_what_it_takes(model: TrainedModel, weights: dict[str, np.ndarray]) -> None:
    study = open_study(SAMPLES / "study")
    one = str(study.cohort().participant_ids[0])
    cine, ecg = study.cine(one), study.ecg(one)
    seen = prepare_cine(cine, spec=model.input_spec.mri).cine.frames[:, 0].astype(np.float64)
    assert seen.shape == CINE
    expected = ((seen - seen.min()) / (seen.max() - seen.min())).ravel() @ weights["mri"]
    np.testing.assert_allclose(encode_recording(model, cine), expected, rtol=1e-3, atol=1e-3)
    beat_mv = prepare_ecg(ecg, model.input_spec.ecg).ecg_mv
    expected = beat_mv.leads(tuple(reversed(INDEPENDENT_LEADS))).ravel() @ weights["ecg"]
    np.testing.assert_allclose(encode_recording(model, ecg), expected, rtol=1e-3, atol=1e-3)


def test_what_it_draws_comes_back_in_our_leads_and_signal(model: TrainedModel, weights: dict[str, np.ndarray]) -> None:
    vector = np.linspace(-1, 1, LATENT_DIM)
    decoded = model.decode(vector[None])
    assert decoded.cine is not None
    assert decoded.ecg_mv is not None
    drawn = (weights["mri"] @ vector).reshape(CINE)
    np.testing.assert_allclose(decoded.cine[0], (drawn - drawn.mean()) / drawn.std(), atol=1e-4)
    leads = dict(zip(reversed(INDEPENDENT_LEADS), (weights["ecg"] @ vector).reshape(BEAT), strict=True))
    twelve = dict(zip(LEAD_NAMES, decoded.ecg_mv[0], strict=True))
    for name, signal in leads.items():
        np.testing.assert_allclose(twelve[name], signal, atol=1e-4)
    np.testing.assert_allclose(twelve["III"], leads["II"] - leads["I"], atol=1e-4)
    np.testing.assert_allclose(twelve["aVR"], -(leads["I"] + leads["II"]) / 2, atol=1e-4)
    np.testing.assert_allclose(twelve["aVL"], leads["I"] - leads["II"] / 2, atol=1e-4)
    np.testing.assert_allclose(twelve["aVF"], leads["II"] - leads["I"] / 2, atol=1e-4)


def projection_of(space: LatentSpace) -> Projection:
    return Projection(space.values[:, :2], space.participant_ids, space.modality, "plain", {}, space.bundle_fingerprint)


def test_what_the_readme_says_is_enough() -> None:
    (block,) = re.findall(r"^```json\n(.*?)^```$", (SAMPLES.parents[1] / "README.md").read_text("utf-8"), re.M | re.S)
    facts = BundleFacts(Path("metadata.json"), json.loads(block))
    shapes = {"mri": facts.shape_of("mri", 3, 1 << 26), "ecg": facts.shape_of("ecg", 2, 1 << 26)}
    spec = read_spec(facts.mapping_at("preprocessing"), shapes, "README", lead_names=facts.leads(12))
    assert spec == PreprocessingSpec(ecg=EcgSpec(unit_uv=1000.0))


@pytest.mark.slow
def test_it_encodes_is_scored_and_drives_the_session(folder: Path, model: TrainedModel, tmp_path: Path) -> None:
    from napari_latent_explorer.modeling.evaluation import EvaluationConfig, evaluate
    from napari_latent_explorer.session.explorer import Explorer

    study = finish(create_simulated_study(tmp_path / "study", 24, 5, n_workers=1))
    for modality in ("mri", "ecg"):
        space = finish(encode_study(study, model, modality))
        assert space.values.shape == (24, LATENT_DIM)
        study.save_latents(space)
        arrays, meta = projection_of(space).to_arrays()
        study.save_projection(modality, model.fingerprint, arrays, meta)
    result = finish(evaluate(study, model, EvaluationConfig(max_decoded=24)))
    table = result.tables["reconstruction"]
    assert np.isfinite(table.loc[table["model"] == "cross-modal", "mse"].astype(float)).all()
    explorer = Explorer()
    seen = []
    explorer.decode.decoded.connect(seen.append)
    explorer.open(study, model)
    assert explorer.decode.wait(60)
    assert seen[-1].result.cine.shape == CINE
    assert seen[-1].result.ecg_mv.shape == (12, 300)


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere it is told through its interface")
def test_nobody_is_told_of_the_model(folder: Path, tmp_path: Path) -> None:
    """Where onnxruntime collects what it tells its makers, it makes an id of the machine and a database at home."""
    may_tell = {name: value for name, value in os.environ.items() if name not in ("CI", "ORT_DISABLE_TELEMETRY")}
    homes = {name: tmp_path / name for name in ("bare", "ours")}
    codes = {
        "bare": "import onnxruntime; onnxruntime.SessionOptions()",
        "ours": f"from napari_latent_explorer.modeling.trained_model import load_model; load_model({str(folder)!r})",
    }
    for name, home in homes.items():
        home.mkdir()
        subprocess.run([sys.executable, "-c", codes[name]], env=may_tell | {"HOME": str(home)}, check=True, timeout=120)
    if not any(homes["bare"].rglob("*onnxruntime*")):
        pytest.skip("this build of onnxruntime tells nothing")
    assert not any(homes["ours"].rglob("*onnxruntime*"))
