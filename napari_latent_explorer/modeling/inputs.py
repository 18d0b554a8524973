"""What the networks are fed: the recordings of many participants as arrays that need no more decoding.

Cines are kept as whole numbers and z-scored when a batch is taken, so 6,000 of them are 2.8 GB instead of 11 GB and
an epoch reads them straight from the page cache. They lie frames-last, which is exactly how torch's
``channels_last`` wants an image whose channels are the frames: a batch needs no transposition.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from napari_latent_explorer.nn.losses import IGNORED_CLASS

Z_SCORE_EPSILON = 1e-7
"""Added to the standard deviation when z-scoring, as ml4h does."""


@dataclass(frozen=True, slots=True, eq=False)
class ModelInputs:
    """Recordings of `n` participants, ready to be batched. Rows of absent recordings hold zeros.

    Attributes
    ----------
    participant_ids
        ``(n,)`` strings.
    cine
        ``(n, n_rows, n_columns, n_frames)`` uint8, each participant's signal stretched over 0..255.
    ecg
        ``(n, n_leads, n_samples)`` float32 in model units (50 uV).
    labels
        ``(n, n_frames, n_rows, n_columns)`` uint8 label values.
    has_mri, has_ecg, has_labels
        ``(n,)`` whether the row of that array is filled.
    """

    participant_ids: NDArray[np.str_]
    cine: NDArray[np.uint8]
    ecg: NDArray[np.float32]
    labels: NDArray[np.uint8]
    has_mri: NDArray[np.bool_]
    has_ecg: NDArray[np.bool_]
    has_labels: NDArray[np.bool_]

    def has(self, modality: str) -> NDArray[np.bool_]:
        """Tell who has ``mri``, ``ecg``, ``joint`` (both), ``any`` of the two or ``labels`` with a cine, ``(n,)``."""
        return {
            "mri": self.has_mri,
            "ecg": self.has_ecg,
            "joint": self.has_mri & self.has_ecg,
            "any": self.has_mri | self.has_ecg,
            "labels": self.has_mri & self.has_labels,
        }[modality]

    def rows_with(self, modality: str) -> NDArray[np.intp]:
        """Rows of the participants who have what `has` takes."""
        return np.flatnonzero(self.has(modality))

    def batch(self, modality: str, rows: NDArray[np.intp]) -> Tensor:
        """Model tensors of the given rows: ``(batch, frame, row, column)`` z-scored, or ``(batch, lead, sample)``."""
        if modality == "ecg":
            return torch.from_numpy(np.ascontiguousarray(self.ecg[rows]))
        cine = torch.from_numpy(self.cine[rows]).permute(0, 3, 1, 2).float()
        if len(rows) == 0:
            return cine
        std, mean = torch.std_mean(cine, dim=(1, 2, 3), correction=0, keepdim=True)
        return (cine - mean).div_(std + Z_SCORE_EPSILON)

    def class_batch(self, rows: NDArray[np.intp], frames: NDArray[np.intp], label_values: tuple[int, ...]) -> Tensor:
        """Class numbers ``(batch, n_frames, row, column)`` uint8 of the given frames; `IGNORED_CLASS` where unknown."""
        values = self.labels[rows[:, None], frames[None, :]]
        classes = class_table(label_values)[values]
        classes[~self.has_labels[rows]] = IGNORED_CLASS
        return torch.from_numpy(classes)


def class_table(label_values: tuple[int, ...]) -> NDArray[np.uint8]:
    """Table ``(256,)`` from label value to class number."""
    table = np.full(256, IGNORED_CLASS, dtype=np.uint8)
    table[list(label_values)] = np.arange(len(label_values))
    return table


def to_whole_numbers(cine: NDArray[Any]) -> NDArray[np.uint8]:
    """Signal of one participant on 0..255; uint8 comes back as it is, anything else is stretched over its range.

    The z-score that follows does not see the stretching, only the rounding to 1/255 of the range.
    """
    if cine.dtype == np.uint8:
        return cine
    low, high = float(cine.min()), float(cine.max())
    scaled = (cine.astype(np.float32) - low) * (255.0 / max(high - low, 1e-12))
    return np.round(scaled).astype(np.uint8)


def class_weights(inputs: ModelInputs, rows: NDArray[np.intp], label_values: tuple[int, ...]) -> Tensor:
    """Weights ``(n_classes,)`` by one over the root of each class's share in a sample of `rows`, 1 for the commonest.

    The root keeps small structures (a septum of a few pixels) from being ignored without letting them spill over.
    """
    sample = rows[inputs.has_labels[rows]][:64]
    classes = class_table(label_values)[inputs.labels[sample][:, ::10]]
    counts = np.bincount(classes.ravel(), minlength=256)[: len(label_values)]
    share = np.maximum(counts, 1) / max(counts.sum(), 1)
    weights = np.sqrt(share.max() / share).clip(max=20.0)
    return torch.from_numpy(weights.astype(np.float32))
