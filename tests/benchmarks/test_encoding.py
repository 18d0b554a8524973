"""Encoding a study against the bare encoder: the same recordings, read and prepared, or in memory as tensors already.

Both take the same batches in turns, so that whatever else the machine does falls on both; the budget is a ratio. The
study is opened anew for each turn, since it keeps what it has read.
"""

import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from memory_peaks import measured

pytestmark = pytest.mark.benchmark

N_PEOPLE = 96
N_ROUNDS = 5
SIZE = 32
BUDGET = 0.9
MIN_SHARE = 0.6
"""On two cores that the bare encoder fills alone, reading and preparing must take some of its time."""


@pytest.fixture(scope="module")
def study_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    from napari_latent_explorer.data.progress import finish
    from napari_latent_explorer.modeling.recordings import create_simulated_study

    return finish(create_simulated_study(tmp_path_factory.mktemp("encoding") / "study", N_PEOPLE, 5)).path


def make_bundle(preset: Any) -> Any:
    import torch

    from napari_latent_explorer.modeling.bundle import ModelBundle
    from napari_latent_explorer.modeling.bundle_metadata import PREPROCESSING
    from napari_latent_explorer.nn.autoencoder import AutoencoderConfig, CrossModalAutoencoder

    torch.manual_seed(0)
    return ModelBundle(CrossModalAutoencoder(AutoencoderConfig.preset(preset)), {}, PREPROCESSING)


@pytest.mark.parametrize("modality", ["mri", "ecg"])
@pytest.mark.parametrize("preset", ["compact", "published"])
def test_a_study_is_encoded_about_as_fast_as_its_tensors(
    benchmark: Any, record_property: Any, study_folder: Path, preset: str, modality: str
) -> None:
    from napari_latent_explorer.data.progress import finish
    from napari_latent_explorer.modeling.encoding import encode_study
    from napari_latent_explorer.modeling.recordings import open_study
    from napari_latent_explorer.modeling.tensors import prepare_study_tensor

    bundle, study = make_bundle(preset), open_study(study_folder)
    people = study.cohort().participant_ids.tolist()
    tensors = np.stack([prepare_study_tensor(study, one, modality) for one in people])
    bare_s: list[float] = []
    bare: list[np.ndarray] = []

    def encode_tensors() -> tuple[tuple[Any], dict[str, Any]]:
        fresh = open_study(study_folder)
        fresh.cohort()
        started = time.perf_counter()
        bare[:] = [bundle.encode(modality, tensors[i : i + SIZE]) for i in range(0, N_PEOPLE, SIZE)]
        bare_s.append(time.perf_counter() - started)
        return (fresh,), {}

    def encode(fresh: Any) -> np.ndarray:
        return finish(encode_study(fresh, bundle, modality, SIZE)).values

    found = benchmark.pedantic(encode, setup=encode_tensors, rounds=N_ROUNDS, warmup_rounds=1)
    np.testing.assert_array_equal(found, np.concatenate(bare))
    study_s, alone_s = float(np.median(benchmark.stats.stats.data)), float(np.median(bare_s[1:]))
    share, rate, bare_rate = alone_s / study_s, N_PEOPLE / study_s, N_PEOPLE / alone_s
    benchmark.extra_info |= {
        "recordings_per_s": round(rate, 1),
        "recordings_per_s_bare": round(bare_rate, 1),
        "share": round(share, 3),
        "budget": BUDGET,
    }
    figures = f"{rate:.0f}/s | {bare_rate:.0f}/s | {share:.0%}"
    record_property("figure", f"| encode a study: {modality}, {preset} | {figures} |")
    assert share > MIN_SHARE


@pytest.mark.skipif(sys.platform != "linux", reason="the peak of a process is read from /proc")
def test_encoding_needs_memory_for_two_batches(benchmark: Any, record_property: Any, study_folder: Path) -> None:
    peaks = benchmark.pedantic(measured, args=("encode", study_folder), rounds=1)
    benchmark.extra_info |= peaks
    record_property("figure", f"| encode cines in batches of {SIZE}: memory | {peaks['peak_mb']} MB | "
                    f"{peaks['loaded_mb']} MB | +{peaks['increment_mb']} MB |")  # fmt: skip
    assert peaks["increment_mb"] < 1000
