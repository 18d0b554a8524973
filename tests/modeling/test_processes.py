"""Two processes that share each batch learn what one with the whole batch learns."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tiny_training
import torch

from napari_latent_explorer.modeling.processes import ALONE, Processes

MISSING = {"mri": [1, 4, 5], "ecg": [2, 7, 8, 9]}


def train(folder: Path, n_processes: int, options: dict[str, Any]) -> list[dict[str, float]]:
    folder.mkdir()
    launcher = [sys.executable]
    if n_processes > 1:
        launcher += ["-m", "torch.distributed.run", "--standalone", f"--nproc-per-node={n_processes}"]
    command = [*launcher, tiny_training.__file__, str(folder), json.dumps(options)]
    done = subprocess.run(command, timeout=240, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-3000:]
    history: list[dict[str, float]] = json.loads((folder / "history.json").read_text())
    return history


@pytest.mark.slow
@pytest.mark.parametrize(
    "options",
    [
        {"decoded_share": 0.5},
        {"fusion": "batch", "schedule": "plateau", "batch_size_joint": 5, "contrastive": "ml4h"},
        {"uses_unpaired": True, "without": MISSING, "reconstruction": "merged_and_each"},
        {"is_probabilistic": True, "optimizer": "radam"},
    ],
)
def test_two_processes_give_the_loss_curve_of_one(options: dict[str, Any], tmp_path: Path) -> None:
    options = options | {"epochs_joint": 6, "learning_rate_joint": 3e-3}
    one, two = (train(tmp_path / str(n), n, dict(options)) for n in (1, 2))
    assert len(one) == len(two) == 6
    assert one[-1]["train_mri"] < one[0]["train_mri"]
    for whole, shared in zip(one, two, strict=True):
        assert whole.keys() == shared.keys()
        for name in whole.keys() - {"elapsed_s"}:
            assert shared[name] == pytest.approx(whole[name], rel=1e-5, abs=1e-5), (name, whole["epoch"])


def test_shares_are_every_row_once() -> None:
    for n in (0, 1, 5, 8):
        shares = [Processes(rank, 3).share(n).tolist() for rank in range(3)]
        assert sorted(place for share in shares for place in share) == list(range(n))
        assert np.ptp([len(share) for share in shares]) <= 1


def test_alone_nothing_is_sent() -> None:
    x = torch.ones(2, requires_grad=True)
    assert ALONE.gathered(x) is x
    assert ALONE.from_first(3) == 3
    assert torch.equal(ALONE.total(x), torch.ones(2))
