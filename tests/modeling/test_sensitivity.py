from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from napari_latent_explorer.data.progress import finish
from napari_latent_explorer.errors import BundleError
from napari_latent_explorer.modeling.bundle import ModelBundle
from napari_latent_explorer.modeling.bundle_metadata import PREPROCESSING
from napari_latent_explorer.modeling.onnx_bundle import OnnxBundle
from napari_latent_explorer.modeling.onnx_export import export_onnx
from napari_latent_explorer.modeling.sensitivity import measure_sensitivity
from napari_latent_explorer.nn.autoencoder import AutoencoderConfig, CrossModalAutoencoder
from napari_latent_explorer.nn.cine import COMPACT_CINE
from napari_latent_explorer.nn.ecg import COMPACT_ECG

LATENT_DIM = 20


@pytest.fixture(scope="module")
def bundle() -> ModelBundle:
    import torch

    torch.manual_seed(0)
    narrow = {"encoder_blocks": (4, 4, 4), "decoder_blocks": (6, 6, 6), "stem": 4}
    config = AutoencoderConfig(LATENT_DIM, replace(COMPACT_CINE, **narrow), replace(COMPACT_ECG, **narrow))
    return ModelBundle(CrossModalAutoencoder(config), {}, PREPROCESSING)


def by_differences(model: Any, vector: np.ndarray, spreads: np.ndarray, modality: str) -> np.ndarray:
    """Decode one dimension at a time, in double precision, a small step to each side."""
    import torch

    network = model.network.double()
    changes = []
    with torch.no_grad():
        for dim in range(len(vector)):
            step = np.zeros(len(vector))
            step[dim] = 1e-4 * spreads[dim]
            ahead, behind = (network.decode(modality, torch.from_numpy(vector + sign * step)[None]) for sign in (1, -1))
            changes.append(float(((ahead - behind) / 2e-4).square().mean().sqrt()))
    network.float()
    return np.array(changes)


@pytest.mark.parametrize("modality", ["mri", "ecg"])
def test_the_jacobian_ranks_dimensions_as_finite_differences_do(bundle: ModelBundle, modality: Any) -> None:
    rng = np.random.default_rng(1)
    vector, spreads = rng.normal(size=LATENT_DIM), rng.uniform(0.2, 3.0, LATENT_DIM)
    changes = finish(measure_sensitivity(bundle, vector, spreads, modality))
    unit_mv = PREPROCESSING["ecg"]["unit_uv"] / 1000.0 if modality == "ecg" else 1.0
    expected = by_differences(bundle, vector, spreads, modality) * unit_mv
    np.testing.assert_allclose(changes, expected, rtol=2e-3)
    np.testing.assert_array_equal(np.argsort(changes), np.argsort(expected))


def test_a_dimension_that_does_not_vary_changes_nothing(bundle: ModelBundle) -> None:
    spreads = np.ones(LATENT_DIM)
    spreads[[3, 17]] = 0.0
    changes = finish(measure_sensitivity(bundle, np.zeros(LATENT_DIM), spreads, "ecg"))
    np.testing.assert_array_equal(np.flatnonzero(changes == 0), [3, 17])


def test_a_model_without_derivatives_gives_nearly_the_same(bundle: ModelBundle, tmp_path: Path) -> None:
    pytest.importorskip("onnxruntime")
    pytest.importorskip("onnxscript")
    export_onnx(bundle, tmp_path)
    model = OnnxBundle.load(tmp_path)
    vector, spreads = np.random.default_rng(2).normal(size=LATENT_DIM), np.ones(LATENT_DIM)
    expected = finish(measure_sensitivity(bundle, vector, spreads, "ecg"))
    np.testing.assert_allclose(finish(measure_sensitivity(model, vector, spreads, "ecg")), expected, rtol=0.02)


def test_refusals(bundle: ModelBundle) -> None:
    with pytest.raises(BundleError, match=r"shapes \(3,\) and \(20,\), not \(20,\)"):
        finish(measure_sensitivity(bundle, np.zeros(3), np.ones(LATENT_DIM), "mri"))
    blind = ModelBundle(CrossModalAutoencoder(bundle.network.config.only("ecg")), {}, PREPROCESSING)
    with pytest.raises(BundleError, match="decodes ecg, not 'mri'"):
        finish(measure_sensitivity(blind, np.zeros(LATENT_DIM), np.ones(LATENT_DIM), "mri"))
