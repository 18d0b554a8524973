"""What one step of each training stage computes: a loss to minimise and its parts to report.

An objective takes rows of the model inputs and a generator of random numbers, nothing else; so the same rows with
the same seed give the same loss, which makes validation comparable between epochs and training resumable.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from napari_latent_explorer.modeling.inputs import ModelInputs
from napari_latent_explorer.modeling.precision import Precision
from napari_latent_explorer.modeling.training_config import TrainingConfig
from napari_latent_explorer.nn.autoencoder import CrossModalAutoencoder, Modality
from napari_latent_explorer.nn.fusion import draw_fusion_mask, merge
from napari_latent_explorer.nn.losses import contrastive_loss, label_loss, log_cosh, mean_squared_error

RECONSTRUCTION: dict[str, Callable[[Tensor, Tensor], Tensor]] = {"mri": mean_squared_error, "ecg": log_cosh}

Rows = NDArray[np.intp]


@dataclass(frozen=True, slots=True)
class Loss:
    """Loss to minimise and its parts by name, all scalars."""

    total: Tensor
    parts: dict[str, Tensor]


class Objective(Protocol):
    """Loss of a batch."""

    def __call__(self, network: CrossModalAutoencoder, rows: Rows, random: torch.Generator) -> Loss:
        """Loss of the participants in `rows`."""

    def monitored(self, network: CrossModalAutoencoder, rows: Rows) -> dict[str, float]:
        """Further numbers to watch on the validation participants."""


@dataclass(frozen=True, slots=True)
class UnimodalObjective:
    """Reconstruction of one modality from its own latent."""

    inputs: ModelInputs
    modality: Modality
    precision: Precision

    def __call__(self, network: CrossModalAutoencoder, rows: Rows, random: torch.Generator) -> Loss:
        """Reconstruction loss."""
        x = self.inputs.batch(self.modality, rows).to(self.precision.device)
        with self.precision.autocast():
            reconstruction = network.decode(self.modality, network.encode(self.modality, x))
        loss = RECONSTRUCTION[self.modality](x, reconstruction)
        return Loss(loss, {self.modality: loss})

    def monitored(self, network: CrossModalAutoencoder, rows: Rows) -> dict[str, float]:
        """Nothing beyond the loss."""
        return {}


@dataclass(frozen=True, slots=True)
class CrossModalObjective:
    """Both reconstructions from the merged vector, and the contrastive term."""

    inputs: ModelInputs
    config: TrainingConfig
    precision: Precision

    def __call__(self, network: CrossModalAutoencoder, rows: Rows, random: torch.Generator) -> Loss:
        """Total loss and its parts ``mri``, ``ecg`` and ``contrastive``."""
        config, device = self.config, self.precision.device
        mri = self.inputs.batch("mri", rows).to(device)
        ecg = self.inputs.batch("ecg", rows).to(device)
        n_decoded = max(1, round(config.decoded_share * len(rows)))
        with self.precision.autocast():
            z_mri, z_ecg = network.encode("mri", mri), network.encode("ecg", ecg)
            mask = draw_fusion_mask(config.fusion, n_decoded, z_mri.shape[1], random)
            z = merge(z_mri[:n_decoded], z_ecg[:n_decoded], mask)
            cine, signal = network.decode("mri", z), network.decode("ecg", z)
        parts = {
            "mri": mean_squared_error(mri[:n_decoded], cine),
            "ecg": log_cosh(ecg[:n_decoded], signal),
            "contrastive": contrastive_loss(z_mri, z_ecg, network.log_scale, config.contrastive),
        }
        total = config.mri_weight * parts["mri"] + config.ecg_weight * parts["ecg"]
        total = total + config.contrastive_weight * parts["contrastive"]
        return Loss(total, parts)

    def monitored(self, network: CrossModalAutoencoder, rows: Rows) -> dict[str, float]:
        """Reconstruction errors from each single modality, and how often the ECG finds its own MRI first."""
        x = {modality: self.inputs.batch(modality, rows).to(self.precision.device) for modality in RECONSTRUCTION}
        with self.precision.autocast():
            z = {modality: network.encode(modality, x[modality]) for modality in x}
            decoded = {(to, source): network.decode(to, z[source]) for to in x for source in x}
        found = {f"{to}_from_{source}": float(RECONSTRUCTION[to](x[to], y)) for (to, source), y in decoded.items()}
        a, b = (torch.nn.functional.normalize(z[modality].float(), dim=1) for modality in ("ecg", "mri"))
        found["top_1"] = float(((a @ b.T).argmax(dim=1).cpu() == torch.arange(len(rows))).float().mean())
        return found


@dataclass(frozen=True, slots=True)
class LabelObjective:
    """Naming each pixel of random frames that the finished autoencoder decodes; trains the label head alone."""

    inputs: ModelInputs
    config: TrainingConfig
    precision: Precision
    class_weights: Tensor

    def __call__(self, network: CrossModalAutoencoder, rows: Rows, random: torch.Generator) -> Loss:
        """Weighted cross-entropy, named ``labels``."""
        head, device = network.label_head, self.precision.device
        assert head is not None
        drawn = torch.randperm(head.config.n_frames, generator=random)[: self.config.labelled_frames].sort().values
        mri = self.inputs.batch("mri", rows).to(device)
        with self.precision.autocast():
            with torch.no_grad():
                maps = network.cine_feature_maps(network.encode("mri", mri))
            scores = head(maps, drawn.to(device))
        classes = self.inputs.class_batch(rows, drawn.numpy(), head.config.label_values).to(device)
        loss = label_loss(scores, classes, self.class_weights.to(device))
        return Loss(loss, {"labels": loss})

    def monitored(self, network: CrossModalAutoencoder, rows: Rows) -> dict[str, float]:
        """Nothing beyond the loss."""
        return {}
