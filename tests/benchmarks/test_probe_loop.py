"""The loop that the user feels: probe moved -> decoded cine, label map, ECG and predictions, against the bare networks.

Both are measured in turns within one run, so that whatever else the machine does falls on both. The budget is a ratio:
what the loop adds to the bare network calls, in the fastest accurate form that was found on this machine: on a graphics
card if there is one. How figures are kept is told in results/README.md.
"""

import os
import platform
import threading
import time
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest
from memory_peaks import now_mb

from napari_latent_explorer.analysis.prediction import PredictorTable, fit_predictors
from napari_latent_explorer.data.cohort import Cohort
from napari_latent_explorer.data.latents import LatentSpace
from napari_latent_explorer.data.phenotype import PhenotypeSpec
from napari_latent_explorer.data.progress import finish
from napari_latent_explorer.session.decode_service import DecodeOutcome, DecodeService
from napari_latent_explorer.session.probe import LatentProbe

pytestmark = pytest.mark.benchmark
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")  # as in napari's window

N_MOVES = 500
N_WARM_UP = 5
MAX_OVERHEAD, MAX_OVERHEAD_ON_CARD, MAX_ADDED_MS = 0.15, 0.20, 3.0
"""What the loop adds may be a share of the networks' time or, where they are fast, so many ms."""
N_SETTLING, MAX_GROWTH_MB = 100, 20.0
"""Memory is watched once the program has settled."""


def make_bundle(preset: Any) -> Any:
    """Build a bundle with random weights; they cost what trained ones cost."""
    import torch

    from napari_latent_explorer.modeling.bundle import ModelBundle
    from napari_latent_explorer.modeling.bundle_metadata import PREPROCESSING
    from napari_latent_explorer.nn.autoencoder import AutoencoderConfig, CrossModalAutoencoder
    from napari_latent_explorer.nn.cine import LabelHeadConfig

    torch.manual_seed(0)
    config = AutoencoderConfig.preset(preset, LabelHeadConfig())
    return ModelBundle(CrossModalAutoencoder(config), {}, PREPROCESSING)


def make_predictors(latent_dim: int) -> PredictorTable:
    """Fit twenty predictors on noise; they cost what good ones cost."""
    rng = np.random.default_rng(0)
    ids = np.array([f"P{number}" for number in range(400)])
    numbers = {f"number {i}": rng.normal(size=400) for i in range(12)}
    answers = {f"answer {i}": pd.Categorical.from_codes(rng.integers(0, 2, 400), ["no", "yes"]) for i in range(8)}
    specs = {name: PhenotypeSpec(name, "continuous") for name in numbers}
    specs |= {name: PhenotypeSpec(name, "binary", categories=("no", "yes")) for name in answers}
    cohort = Cohort(ids, pd.DataFrame(numbers | answers), specs)
    latents = {
        modality: LatentSpace(rng.normal(size=(400, latent_dim)), ids, modality, "random")
        for modality in ("mri", "ecg")
    }
    return finish(fit_predictors(latents, cohort))


def bare_call(drawer: Any) -> Callable[[np.ndarray], None]:
    """Return the networks' own passes in the form that was chosen, up to tensors on their device."""
    import torch

    from napari_latent_explorer.modeling.recorded_decoder import RecordedDecoder

    if isinstance(drawer, RecordedDecoder):
        return lambda vector: drawer.draw(vector[None])
    network, device = drawer.network, drawer.device

    @torch.inference_mode()
    def call(vector: np.ndarray) -> None:
        z = torch.from_numpy(vector[None]).to(device, network.log_scale.dtype)
        network.decode_cine_and_classes(z)
        network.decode("ecg", z)
        if device.type == "cuda":
            torch.cuda.synchronize()

    return call


def device_name() -> str:
    """Name the card, or the processor and how many threads compute on it."""
    import torch

    if torch.cuda.is_available():
        return str(torch.cuda.get_device_name())
    return f"CPU ({platform.processor() or platform.machine()}), {torch.get_num_threads()} threads"


class Loop:
    """Probe and decoder wired as in the explorer."""

    def __init__(self, bundle: Any, predictors: PredictorTable, path: Any) -> None:
        from napari_latent_explorer.modeling.decoding import DecodeRequest, decode

        self.probe = LatentProbe()
        self.service = DecodeService(lambda model, vector: decode(model, DecodeRequest(vector), path.drawer))
        self.service.set_bundle(bundle)
        self.service.set_predictors(predictors)
        self.probe.vector_changed.connect(self.service.request)
        self.service.decoded.connect(self._on_arrived)
        self.service.failed.connect(self._on_arrived)
        self.arrived = threading.Event()
        self.outcome: DecodeOutcome | Exception | None = None

    def move_to(self, vector: np.ndarray) -> None:
        """Move the probe and wait until the outcome has been told."""
        self.arrived.clear()
        self.probe.move_to(vector)
        assert self.arrived.wait(30.0)
        assert isinstance(self.outcome, DecodeOutcome), self.outcome

    def _on_arrived(self, outcome: DecodeOutcome | Exception) -> None:
        self.outcome = outcome
        self.arrived.set()


def percentiles(durations_ms: Any) -> dict[str, float]:
    """Name median, 95th and 99th percentile."""
    found = np.percentile(durations_ms, [50, 95, 99])
    return {name: round(float(value), 2) for name, value in zip(("median", "p95", "p99"), found, strict=True)}


def duration_ms(call: Callable[[np.ndarray], None], vector: np.ndarray) -> float:
    started = time.perf_counter()
    call(vector)
    return 1000.0 * (time.perf_counter() - started)


@pytest.mark.parametrize("preset", ["compact", "published"])
def test_the_loop_adds_little_to_the_networks(benchmark: Any, preset: str) -> None:
    from napari_latent_explorer.modeling.decode_path import choose_path

    bundle = make_bundle(preset)
    path = choose_path(bundle)
    loop = Loop(bundle, make_predictors(bundle.latent_dim), path)
    bare = bare_call(path.drawer)
    vectors = np.random.default_rng(1).normal(size=(N_WARM_UP + N_MOVES, bundle.latent_dim)).astype(np.float32)
    loop.probe.set_origin(np.zeros(bundle.latent_dim), "origin")
    assert loop.service.wait(30.0)
    for vector in vectors[:N_WARM_UP]:
        bare(vector)
        loop.move_to(vector)
    memory_mb, bare_ms = [], []
    remaining = iter(vectors[N_WARM_UP:])

    def measure_bare() -> tuple[tuple[np.ndarray], dict[str, Any]]:
        vector = next(remaining)
        memory_mb.append(now_mb())
        bare_ms.append(duration_ms(bare, vector))
        return (vector,), {}

    benchmark.pedantic(loop.move_to, setup=measure_bare, rounds=N_MOVES)
    growth_mb = memory_mb[-1] - memory_mb[N_SETTLING]
    loop.service.close()

    assert isinstance(loop.outcome, DecodeOutcome)
    np.testing.assert_array_equal(loop.outcome.vector, vectors[-1])
    result = loop.outcome.result
    shapes = [None if array is None else array.shape for array in (result.cine, result.labels, result.ecg_mv)]
    assert shapes == [(50, 96, 96), (50, 96, 96), (12, 600)]
    assert loop.outcome.predictions is not None

    loop_ms = 1000.0 * np.array(benchmark.stats.stats.data)
    added_ms = float(np.median(loop_ms) - np.median(bare_ms))
    overhead = added_ms / float(np.median(bare_ms))
    benchmark.extra_info |= {
        "device": device_name(),
        "path": path.description,
        **{f"loop_{name}_ms": value for name, value in percentiles(loop_ms).items()},
        **{f"bare_{name}_ms": value for name, value in percentiles(bare_ms).items()},
        "overhead": round(overhead, 3),
        "growth_mb": growth_mb,
    }
    print(f"\n{preset}:", *(f"{name} {value}" for name, value in benchmark.extra_info.items()), sep="\n  ")
    is_on_cpu = "the CPU" in path.description
    assert overhead < (MAX_OVERHEAD if is_on_cpu else MAX_OVERHEAD_ON_CARD) or added_ms < MAX_ADDED_MS
    assert growth_mb < MAX_GROWTH_MB
