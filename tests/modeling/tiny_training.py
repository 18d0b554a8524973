"""A training small enough to be run many times, whole, killed, resumed and in several processes.

As a script, ``python tiny_training.py FOLDER OPTIONS``, it trains the cross-modal stage and leaves its history and
weights in the folder; run again after a kill, it goes on. Under ``torchrun`` the processes share each batch.
"""

import json
import sys
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch

from napari_latent_explorer.data.progress import finish
from napari_latent_explorer.modeling.inputs import ModelInputs
from napari_latent_explorer.modeling.objectives import CrossModalObjective
from napari_latent_explorer.modeling.precision import Precision
from napari_latent_explorer.modeling.processes import ALONE, Processes, joined_processes
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


def make_inputs(without: Mapping[str, list[int]] | None = None) -> ModelInputs:
    """People whose one factor is the size of a bright disc, the height of a wave, and what is labelled."""
    random = np.random.default_rng(0)
    size = random.uniform(2, 7, N)
    rows, columns = np.indices((16, 16)) - 7.5
    disc = np.hypot(rows, columns) < size[:, None, None]
    cine = np.repeat((40 + 160 * disc + random.integers(0, 9, disc.shape))[..., None], 4, axis=-1)
    wave = size[:, None, None] * np.sin(np.arange(32) / 3) * np.ones((1, 3, 1))
    present = {modality: np.ones(N, dtype=bool) for modality in ("mri", "ecg", "labels")}
    for modality, missing in (without or {}).items():
        present[modality][missing] = False
    return ModelInputs(
        np.array([f"P{i}" for i in range(N)]),
        cine.astype(np.uint8),
        wave.astype(np.float32),
        np.repeat(np.where(disc, 9, 0)[:, None], 4, axis=1).astype(np.uint8),
        **{f"has_{modality}": mask for modality, mask in present.items()},
    )


def make_stage(
    inputs: ModelInputs, checkpoint: Path, config: TrainingConfig = CONFIG, processes: Processes = ALONE
) -> Stage:
    torch.manual_seed(0)
    objective = CrossModalObjective(inputs, config, CPU)
    network = CrossModalAutoencoder(replace(TINY, is_probabilistic=config.is_probabilistic))
    train_rows = np.intersect1d(np.arange(12), inputs.rows_with("any"))
    valid_rows = np.arange(12, 16)
    return Stage(
        "joint", network, objective, train_rows, valid_rows, inputs.participant_ids, config, checkpoint, processes
    )


def main(folder: Path, options: dict[str, Any]) -> None:
    """Train to the end and leave ``history.json`` and ``weights.pt``.

    Options are those of `TrainingConfig` and ``without``, rows whose ``mri`` or ``ecg`` is missing.
    """
    torch.set_num_threads(1)
    inputs = make_inputs(options.pop("without", {}))
    config = replace(CONFIG, **options)
    with joined_processes() as processes:
        stage = make_stage(inputs, folder / "checkpoint.pt", config, processes)
        stage.resume()
        history = finish(stage.run())
        if processes.is_first:
            torch.save(stage.network.state_dict(), folder / "weights.pt")
            (folder / "history.json").write_text(json.dumps(history))


if __name__ == "__main__":
    main(Path(sys.argv[1]), json.loads(sys.argv[2]))
