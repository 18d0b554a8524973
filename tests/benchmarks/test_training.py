"""Does loading keep the network busy? Steps of training and encoding on inputs mapped from disk, against memory.

The same step takes the same rows from both places in turns, so that whatever else the machine does falls on both. The
budget is a ratio. Peak memory is measured in a process of its own, see `memory_peaks`.
"""

import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from memory_peaks import measured

pytestmark = pytest.mark.benchmark

N_PEOPLE = 192
N_STEPS = 6
MIN_SHARE = 0.8
"""Of the samples per second from memory, what must be reached from mapped files."""


def people_of(n: int) -> np.ndarray:
    return np.array([f"P{i}" for i in range(n)])


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Model inputs of people made of noise, in files as a training run prepares them."""
    from napari_latent_explorer.modeling.dataset import _ARRAYS

    folder: Path = tmp_path_factory.mktemp("inputs")
    random = np.random.default_rng(0)
    for name, (shape, dtype) in _ARRAYS.items():
        values = random.integers(0, 2 if dtype == "bool" else 200, (N_PEOPLE, *shape), dtype=np.uint8).astype(dtype)
        np.save(folder / f"{name}.npy", np.ones_like(values) if dtype == "bool" else values)
    return folder


@pytest.fixture(scope="module")
def mapped(folder: Path) -> Any:
    from napari_latent_explorer.modeling.dataset import load_model_inputs

    return load_model_inputs(folder, people_of(N_PEOPLE))


def in_memory(mapped: Any) -> Any:
    from napari_latent_explorer.modeling.inputs import ModelInputs

    return ModelInputs(*[np.array(getattr(mapped, name)) for name in ModelInputs.__slots__])


def make_training_step(inputs: Any, folder: Path) -> Callable[[np.ndarray], object]:
    import torch

    from napari_latent_explorer.modeling.objectives import CrossModalObjective
    from napari_latent_explorer.modeling.precision import Precision
    from napari_latent_explorer.modeling.stage import Stage
    from napari_latent_explorer.modeling.training_config import TrainingConfig
    from napari_latent_explorer.nn.autoencoder import AutoencoderConfig, CrossModalAutoencoder
    from napari_latent_explorer.nn.blocks import lay_out_channels_last

    torch.manual_seed(0)
    config, precision = TrainingConfig(precision="float32"), Precision.choose("float32")
    network = CrossModalAutoencoder(AutoencoderConfig.preset("compact")).to(precision.device).train()
    lay_out_channels_last(network)
    rows, objective = np.arange(N_PEOPLE), CrossModalObjective(inputs, config, precision)
    stage = Stage("joint", network, objective, rows, rows, inputs.participant_ids, config, folder / "c.pt")
    random = torch.Generator().manual_seed(0)
    return lambda batch: stage._step(batch, random)


def make_encoding_step(inputs: Any, folder: Path) -> Callable[[np.ndarray], object]:
    import torch

    from napari_latent_explorer.modeling.bundle import ModelBundle
    from napari_latent_explorer.modeling.bundle_metadata import PREPROCESSING
    from napari_latent_explorer.nn.autoencoder import AutoencoderConfig, CrossModalAutoencoder

    torch.manual_seed(0)
    bundle = ModelBundle(CrossModalAutoencoder(AutoencoderConfig.preset("compact")), {}, PREPROCESSING)
    return lambda batch: [bundle.encode(name, inputs.batch(name, batch).numpy()) for name in ("mri", "ecg")]


@pytest.mark.parametrize("make_step", [make_training_step, make_encoding_step])
def test_mapped_inputs_keep_the_network_busy(
    benchmark: Any,
    record_property: Any,
    mapped: Any,
    tmp_path: Path,
    make_step: Callable[..., Callable[[np.ndarray], object]],
) -> None:
    size = 32
    from_files, from_memory = (make_step(inputs, tmp_path) for inputs in (mapped, in_memory(mapped)))
    order = np.random.default_rng(1).permutation(N_PEOPLE)
    batches = [order[i : i + size] for i in range(0, N_PEOPLE, size)][:N_STEPS]
    for step in (from_files, from_memory):
        step(batches[0])
    memory_s: list[float] = []
    remaining = iter(batches)

    def measure_memory() -> tuple[tuple[np.ndarray], dict[str, Any]]:
        batch = next(remaining)
        started = time.perf_counter()
        from_memory(batch)
        memory_s.append(time.perf_counter() - started)
        return (batch,), {}

    benchmark.pedantic(from_files, setup=measure_memory, rounds=N_STEPS)
    files_s = float(np.median(benchmark.stats.stats.data))
    share = float(np.median(memory_s)) / files_s
    benchmark.extra_info |= {
        "samples_per_s_from_files": round(size / files_s, 2),
        "samples_per_s_from_memory": round(size / float(np.median(memory_s)), 2),
        "share": round(share, 3),
    }
    what = "train on" if make_step is make_training_step else "encode"
    figures = f"{size / files_s:.0f}/s | {size / float(np.median(memory_s)):.0f}/s | {share:.0%}"
    record_property("figure", f"| {what} prepared inputs, compact | {figures} |")
    assert share > MIN_SHARE


@pytest.mark.skipif(sys.platform != "linux", reason="the peak of a process is read from /proc")
def test_training_needs_memory_for_its_batches_only(benchmark: Any, record_property: Any, folder: Path) -> None:
    peaks = benchmark.pedantic(measured, args=("train", folder), rounds=1)
    benchmark.extra_info |= peaks
    record_property("figure", f"| train in batches of 32: memory | {peaks['peak_mb']} MB | "
                    f"{peaks['loaded_mb']} MB | +{peaks['increment_mb']} MB |")  # fmt: skip
    assert peaks["increment_mb"] < 4000
