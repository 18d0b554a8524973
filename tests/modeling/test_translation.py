from pathlib import Path

import numpy as np
import pytest
import torch

from napari_latent_explorer.data.phenotype import PhenotypeSpec
from napari_latent_explorer.data.progress import finish
from napari_latent_explorer.modeling.bundle import Decoded
from napari_latent_explorer.modeling.recording_cache import RecordingCache
from napari_latent_explorer.modeling.translation import correlation_interval, measure_translations

RANDOM = np.random.default_rng(0)
N = 60


class Judge:
    """Measures the spread over frames at one pixel, which z-scoring leaves comparable."""

    specs = (
        PhenotypeSpec("lvm", "continuous", "LV mass", "g"),
        PhenotypeSpec("ill", "binary", "Ill", categories=("no", "yes")),
    )

    def predict(self, x: torch.Tensor) -> np.ndarray:
        value = x[:, 0, 0, 0].numpy()
        return np.stack([value, value], axis=1)


class Decoder:
    """Draws the number that the first latent holds, in signal of another scale than the original."""

    def decode(self, latents: np.ndarray, *, with_ecg: bool) -> Decoded:
        assert not with_ecg
        return Decoded(cines(latents[:, 0]) * 7 + 3, None, None)


def cines(sizes: np.ndarray) -> np.ndarray:
    frame = np.linspace(0, 1, 2 * 4 * 4).reshape(1, 2, 4, 4) * np.ones((len(sizes), 1, 1, 1))
    frame[:, 0, 0, 0] = sizes
    return frame.astype(np.float32)


def test_reconstructions_show_what_their_latents_know(tmp_path: Path) -> None:
    size = RANDOM.uniform(2, 4, N)
    blurred = 3 + 0.3 * (size - 3) + 0.1 * RANDOM.normal(size=N)
    latents = {"mri": size[:, None].astype(np.float32), "ecg": blurred[:, None].astype(np.float32)}
    truth = 100 + 30 * size
    truth[3] = np.nan
    rows = np.arange(10, N)
    cache, ids = RecordingCache("mri", cines(size)), np.arange(N).astype(str)
    scores, people = finish(measure_translations(Decoder(), Judge(), cache, rows, latents, {"lvm": truth}, ids))
    found = scores.set_index(["cine", "compared_with"])["correlation"]
    assert found["reconstructed", "original"] == pytest.approx(1.0, abs=1e-4)
    assert 0.5 < found["translated", "original"] < 0.97
    assert found["original", "truth"] > 0.95
    assert set(scores["phenotype"]) == {"lvm"}
    assert people["participant_id"].tolist() == rows.astype(str).tolist()
    np.testing.assert_allclose(people["original"], people["reconstructed"], atol=1e-4)
    np.testing.assert_array_equal(people["truth"], truth[rows])


def test_correlation_is_numpys_with_an_interval_around_it() -> None:
    x = RANDOM.normal(size=200)
    y = x + RANDOM.normal(size=200)
    y[5] = np.nan
    found = correlation_interval(x, y)
    known = np.isfinite(y)
    assert found["correlation"] == pytest.approx(np.corrcoef(x[known], y[known])[0, 1])
    assert found["low"] < found["correlation"] < found["high"]
    assert found["n"] == 199
    assert np.isnan(correlation_interval(x[:2], y[:2])["correlation"])
    assert np.isnan(correlation_interval(x, np.ones(200))["correlation"])
