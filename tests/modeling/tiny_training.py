"""A training small enough to be run many times, whole, killed, resumed and in several processes.

As a script, ``python tiny_training.py FOLDER [n_epochs]``, it trains the cross-modal stage and leaves its history and
weights in the folder; run again after a kill, it goes on. Under ``torchrun`` the processes share each batch.
"""

import json
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch

from napari_latent_explorer.data.progress import finish
from napari_latent_explorer.modeling.inputs import ModelInputs
from napari_latent_explorer.modeling.objectives import CrossModalObjective
from napari_latent_explorer.modeling.precision import Precision
from napari_latent_explorer.modeling.stage import Stage
from napari_latent_explorer.modeling.training_config import TrainingConfig
from napari_latent_explorer.nn.autoencoder import AutoencoderConfig, CrossModalAutoencoder
from napari_latent_explorer.nn.cine import LabelHeadConfig
from napari_latent_explorer.nn.coder import CoderConfig

TINY = AutoencoderConfig(
    latent_dim=16,
    mri=CoderConfig(4, (16, 16), 3, 6, (6, 8), (8, 6), 2, "gelu", "average"),
    ecg=CoderConfig(3, (32,), 5, 6, (8,), (8,), 2, "mish", "max"),
    labels=LabelHeadConfig((0, 3, 9), n_frames=4, filters=5),
)
CONFIG = TrainingConfig(
    epochs_mri=3, epochs_ecg=3, epochs_joint=3, epochs_labels=3, batch_size=4, batch_size_joint=4, labelled_frames=2,
    precision="float32", decoded_share=1.0,
)  # fmt: skip
CPU = Precision(torch.device("cpu"), uses_bfloat16=False)
N = 16


def make_inputs() -> ModelInputs:
    """People whose one factor is the size of a bright disc, the height of a wave, and what is labelled."""
    random = np.random.default_rng(0)
    size = random.uniform(2, 7, N)
    rows, columns = np.indices((16, 16)) - 7.5
    disc = np.hypot(rows, columns) < size[:, None, None]
    cine = np.repeat((40 + 160 * disc + random.integers(0, 9, disc.shape))[..., None], 4, axis=-1)
    wave = size[:, None, None] * np.sin(np.arange(32) / 3) * np.ones((1, 3, 1))
    present = np.ones(N, dtype=bool)
    return ModelInputs(
        np.array([f"P{i}" for i in range(N)]),
        cine.astype(np.uint8),
        wave.astype(np.float32),
        np.repeat(np.where(disc, 9, 0)[:, None], 4, axis=1).astype(np.uint8),
        present,
        present,
        present,
    )


def make_stage(inputs: ModelInputs, checkpoint: Path, config: TrainingConfig = CONFIG) -> Stage:
    torch.manual_seed(0)
    objective = CrossModalObjective(inputs, config, CPU)
    network = CrossModalAutoencoder(TINY)
    return Stage(
        "joint", network, objective, np.arange(12), np.arange(12, 16), inputs.participant_ids, config, checkpoint
    )


def main(folder: Path, n_epochs: int) -> None:
    """Train to the end and leave ``history.json`` and ``weights.pt``."""
    torch.set_num_threads(1)
    stage = make_stage(make_inputs(), folder / "checkpoint.pt", replace(CONFIG, epochs_joint=n_epochs))
    stage.resume()
    history = finish(stage.run())
    torch.save(stage.network.state_dict(), folder / "weights.pt")
    (folder / "history.json").write_text(json.dumps(history))


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
