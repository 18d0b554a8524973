r"""DropFuse: how two latents of one participant become the one vector that both decoders must read.

A mask :math:`m \in \{0, 1\}^d` picks each coordinate from one of the two modalities,

.. math:: z = m \odot z_\mathrm{ecg} + (1 - m) \odot z_\mathrm{mri}, \qquad m_d \sim \mathrm{Bernoulli}(1/2),

without rescaling and without a learned layer. What differs between the variants is who shares a mask:

- ``batch``: one mask for the whole batch in each step, as in the code behind the paper (which used batches of four).
- ``sample``: each pair has its own mask, so a larger batch does not see fewer masks.
- ``mixed``: as ``sample``, but half of the pairs take *all* coordinates from one modality, MRI or ECG in turn. When
the model is
  used there is only one modality's latent to decode, a case that the two others never train; hence this is the default.

References
----------
Radhakrishnan et al., Nat. Commun. 14:2436 (2023), Methods, "Cross-modal autoencoder".
"""

from typing import Literal

import torch
from torch import Tensor

FusionName = Literal["batch", "sample", "mixed"]


def draw_fusion_mask(
    fusion: FusionName, n_pairs: int, latent_dim: int, generator: torch.Generator | None = None
) -> Tensor:
    """Boolean mask ``(n_pairs, latent_dim)``, true where the merged vector takes the ECG's coordinate."""
    rows = 1 if fusion == "batch" else n_pairs
    mask = torch.rand(rows, latent_dim, generator=generator) < 0.5
    if fusion == "mixed":
        kind = torch.arange(n_pairs) % 4
        mask[kind == 2] = False
        mask[kind == 3] = True
    return mask.expand(n_pairs, latent_dim)


def merge(z_mri: Tensor, z_ecg: Tensor, from_ecg: Tensor) -> Tensor:
    """Merge two latents ``(n_pairs, latent_dim)`` by a mask of `draw_fusion_mask`."""
    return torch.where(from_ecg.to(z_mri.device), z_ecg, z_mri)
