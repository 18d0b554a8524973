"""A vector placed on a fitted map of 40,000 people, beside openTSNE's own way and a bare product of matrix and vector.

openTSNE lays the new point out among the fitted ones; it is timed with fewer people, for it grows with them.
"""

import time
from collections.abc import Callable

import numpy as np
import pytest

from napari_latent_explorer.analysis.map_space import whitened
from napari_latent_explorer.analysis.projection import Projection
from napari_latent_explorer.data.latents import LatentSpace

pytestmark = pytest.mark.benchmark

N, N_OPENTSNE, LATENT_DIM = 40_000, 2_000, 256
BUDGET_MS = 5.0


def median_ms(work: Callable[[], object], n_times: int = 21) -> float:
    work()
    times = []
    for _ in range(n_times):
        began = time.perf_counter()
        work()
        times.append(1e3 * (time.perf_counter() - began))
    return float(np.median(times))


def test_placing_one_vector(capsys: pytest.CaptureFixture[str]) -> None:
    from openTSNE import TSNE

    rng = np.random.default_rng(0)
    values = rng.normal(size=(N, LATENT_DIM)).astype(np.float32)
    latents = LatentSpace(values, np.array([f"{number:07d}" for number in range(N)]), "mri", "f")
    latents.make_ready()
    whitened(latents)
    places = rng.normal(size=(N, 2)).astype(np.float32)
    query = values[:2].mean(axis=0)
    kinds = ("tsne", "whitened_tsne")
    maps = {kind: Projection(places, latents.participant_ids, "mri", kind, {}, "f") for kind in kinds}
    took = {kind: median_ms(lambda one=one: one.place(query, latents)) for kind, one in maps.items()}  # type: ignore[misc]
    bare = median_ms(lambda: values @ query)
    fitted = TSNE(n_jobs=1, n_iter=50, early_exaggeration_iter=50, random_state=0).fit(values[:N_OPENTSNE, :50])
    theirs = median_ms(lambda: fitted.transform(query[None, :50]), 3)
    nearest = np.linalg.norm(values - query, axis=1).argsort()[:10]
    weights = 1 / ((values[nearest].astype(float) - query) ** 2).sum(axis=1)
    np.testing.assert_allclose(
        maps["tsne"].place(query, latents)[0], weights @ places[nearest] / weights.sum(), rtol=1e-3
    )
    np.testing.assert_array_equal(maps["tsne"].coordinates, places)
    with capsys.disabled():
        print(
            f"\n{N:,} x {LATENT_DIM}: "
            + ", ".join(f"{kind} {ms:.2f} ms" for kind, ms in took.items())
            + f" (budget {BUDGET_MS} ms); a bare product {bare:.2f} ms; "
            f"openTSNE's transform among {N_OPENTSNE:,} x 50 {theirs:.0f} ms"
        )
