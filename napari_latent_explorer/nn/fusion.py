r"""DropFuse: how the latents of one participant become the one vector that all decoders must read.

Each coordinate of the merged vector comes from one of the participant's modalities; of two,

.. math:: z = m \odot z_\mathrm{ecg} + (1 - m) \odot z_\mathrm{mri}, \qquad m_d \sim \mathrm{Bernoulli}(1/2),

without rescaling and without a learned layer. What differs between the variants is who shares a draw:

- ``batch``: one draw for the whole batch in each step, as in the code behind the paper (which used batches of four).
- ``sample``: each participant has its own draw, so a larger batch does not see fewer masks.
- ``mixed``: as ``sample``, but half of the participants take *all* coordinates from one modality, each in turn. When
  the model is used there is only one modality's latent to decode, a case that the two others never train; hence this
  is the default.
- ``whole``: each participant takes all coordinates from one modality drawn for it, which mixes no coordinates at all.
  The released code has done so since 2025, after the paper; the text of the paper mixes coordinates.

A participant who lacks a modality takes nothing from it.

References
----------
Radhakrishnan et al., Nat. Commun. 14:2436 (2023), Methods, "Cross-modal autoencoder".
"""

from typing import Literal

import torch
from torch import Tensor

FusionName = Literal["batch", "sample", "mixed", "whole"]


def draw_sources(
    fusion: FusionName, available: Tensor, latent_dim: int, generator: torch.Generator | None = None
) -> Tensor:
    """Draw the number of the modality ``(n, latent_dim)`` that each coordinate of the merged vector comes from.

    Parameters
    ----------
    fusion
        Who shares a draw.
    available
        Which modalities each participant has, ``(n, n_modalities)`` boolean; at least one each.
    latent_dim
        Length of a latent.
    generator
        Random numbers; the same number of them is drawn whatever is available.
    """
    n, n_modalities = available.shape
    shape = {"batch": (1, latent_dim), "whole": (n, 1)}.get(fusion, (n, latent_dim))
    n_available = available.sum(dim=1, keepdim=True)
    place = n_available - 1 - (torch.rand(shape, generator=generator) * n_available).long()
    if fusion == "mixed":
        kind = torch.arange(n)[:, None] % (2 * n_modalities)
        place = torch.where(kind >= n_modalities, (kind - n_modalities) % n_available, place)
    order = available.int().argsort(dim=1, descending=True, stable=True)  # what a participant has comes first
    return order.gather(1, place.expand(n, latent_dim))


def merge(latents: Tensor, sources: Tensor) -> Tensor:
    """Merge latents ``(n_modalities, n, latent_dim)`` by what `draw_sources` drew into ``(n, latent_dim)``."""
    return latents.gather(0, sources[None].to(latents.device))[0]
