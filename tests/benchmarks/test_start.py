"""From nothing to the first picture of both maps of 40,000 people, with stored maps and without, in a fresh process.

Without stored maps the picture is of principal components. Times are printed with the processor's time beside, for
another program on the same machine makes the one longer and not the other.
"""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from napari_latent_explorer.analysis.projection import Projection
from napari_latent_explorer.data.latents import LatentSpace
from napari_latent_explorer.data.progress import finish
from napari_latent_explorer.modeling.recordings import create_simulated_study

pytestmark = pytest.mark.benchmark

N, LATENT_DIM, FINGERPRINT = 40_000, 256, "bench00"
BUDGET_MB = 1_000
BUDGET_S = 3.0


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make a study whose latents follow from size, age and heart rate, and noise; nothing of it is recorded."""
    folder = tmp_path_factory.mktemp("start") / "study"
    study = finish(create_simulated_study(folder, N, seed=0, stored=False, n_workers=1))
    cohort, rng = study.cohort(), np.random.default_rng(0)
    columns = [np.nan_to_num(cohort.values(name)) for name in ("lvm", "age", "lvedv", "heart_rate")]
    known = np.stack([(column - column.mean()) / column.std() for column in columns], axis=1)
    for modality in ("mri", "ecg"):
        values = known @ rng.normal(size=(4, LATENT_DIM)) + rng.normal(size=(N, LATENT_DIM))
        study.save_latents(LatentSpace(values, cohort.participant_ids, modality, FINGERPRINT))
    return folder


def store_maps(folder: Path) -> None:
    from napari_latent_explorer.modeling.recordings import open_study

    study, rng = open_study(folder), np.random.default_rng(0)
    ids = study.cohort().participant_ids
    for name in ("mri", "ecg", "joint"):
        for kind in ("tsne", "whitened_tsne", "pca"):
            projection = Projection(rng.normal(size=(N, 2)), ids, name, kind, {}, FINGERPRINT, rng.random(N))
            study.save_projection(projection.key, FINGERPRINT, *projection.to_arrays())


def started(folder: Path, kind: str) -> dict[str, Any]:
    script = Path(__file__).parent / "start_process.py"
    places = os.pathsep.join([str(script.parent), os.environ.get("PYTHONPATH", "")])
    command = [sys.executable, "-P", str(script), str(folder), kind]
    done = subprocess.run(command, env=os.environ | {"PYTHONPATH": places}, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


@pytest.mark.parametrize("kind", ["docks", "napari"])
@pytest.mark.parametrize("maps", ["pca first", "stored maps"])
def test_start_to_first_picture(folder: Path, maps: str, kind: str, capsys: pytest.CaptureFixture[str]) -> None:
    if maps == "stored maps":
        store_maps(folder)
    runs = [started(folder, kind) for _ in range(3)]
    best = min(runs, key=lambda run: run["both maps"])
    with capsys.disabled():
        print(f"\n{N:,} people, {kind}, {maps}: " + ", ".join(f"{name} {value}" for name, value in best.items()))
        print(f"    budget {BUDGET_S} s from the study's opening: {best['both maps'] - best['docks']:.2f} s")
    assert {*best["methods"].values()} == ({"pca"} if maps == "pca first" else {"tsne"})
    assert best["peak MB"] < BUDGET_MB
