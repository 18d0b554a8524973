r"""What training minimises, and where the paper's text and its released code differ.

Reconstruction from the merged vector *z*, and a contrastive term that brings the latents of one person together:

.. math:: L_\mathrm{rec} = \sum_j w_j \, L_\mathrm{rec}^{(j)}\bigl(x_j, D_j(z)\bigr)

=====================  ===============================================  ==============================================
what                   ``paper``                                        ``ml4h``, the released code
=====================  ===============================================  ==============================================
total                  :math:`L_\mathrm{contr} + 0.1 L_\mathrm{rec}`    :math:`L_\mathrm{rec} + 0.1 L_\mathrm{contr}`
ECG reconstruction     squared error                                    log-cosh
contrastive term       symmetric cross-entropy (printed without its     labels and predictions swapped:
                       minus sign)                                      :math:`16.118 (1 - \tfrac1n \sum_i P_{ii})`
similarity             dot product                                      cosine
=====================  ===============================================  ==============================================

`TrainingConfig.reading` offers both by name. The similarity is the cosine in each: a dot product of unbounded vectors
together with a trainable temperature has no scale of its own. Eq. 3 sums over all ordered pairs of modalities including
each with itself; a modality against itself has nothing to learn from, so here each unordered pair counts once.

References
----------
Radhakrishnan et al., Nat. Commun. 14:2436 (2023), Eq. 1, 3 and 4; Radford et al., Learning transferable visual
models from natural language supervision (2021), for the symmetric cross-entropy; Kingma and Welling, Auto-encoding
variational Bayes (2014), for the divergence.
"""

import math
from typing import Literal

import torch
from torch import Tensor
from torch.nn import functional

ContrastiveName = Literal["paper", "ml4h"]

IGNORED_CLASS = 255
"""Class number of a pixel whose label the network does not know."""

ML4H_SCALE = -math.log(1e-7)
"""16.118: what Keras' clipped logarithm of a zero label becomes in the released code."""


def mean_squared_error(x: Tensor, reconstruction: Tensor) -> Tensor:
    """Mean of the squared difference over all elements; the cine's loss."""
    return functional.mse_loss(reconstruction.float(), x.float())


def log_cosh(x: Tensor, reconstruction: Tensor) -> Tensor:
    r"""Mean of :math:`\log\cosh(\hat x - x) = |e| + \log(1 + e^{-2|e|}) - \log 2`; the ECG's loss.

    Quadratic for small and linear for large errors, so the tall QRS complex does not drown the P wave.
    """
    error = (reconstruction.float() - x.float()).abs()
    return (error + functional.softplus(-2.0 * error) - math.log(2.0)).mean()


def standard_normal_divergence(mean: Tensor, log_variance: Tensor) -> Tensor:
    r"""Kullback-Leibler divergence of :math:`N(\mu, \sigma^2)` from :math:`N(0, 1)`, summed over the latent.

    :math:`\tfrac12 \sum_d (\mu_d^2 + \sigma_d^2 - 1 - \log \sigma_d^2)` for ``(n, latent_dim)``, mean over rows.
    """
    terms = mean.float().square() + log_variance.float().exp() - 1.0 - log_variance.float()
    return 0.5 * terms.sum(dim=1).mean()


def pair_probabilities(z_a: Tensor, z_b: Tensor, log_scale: Tensor) -> tuple[Tensor, Tensor]:
    r"""Log-probabilities ``(n, n)`` that row *i* of one belongs to column *j* of the other, in both directions.

    Scores are cosines :math:`S_{ij} = \hat a_i \cdot \hat b_j \, e^t` with the trainable log-temperature *t*.
    """
    a = functional.normalize(z_a.float(), dim=1)
    b = functional.normalize(z_b.float(), dim=1)
    scores = a @ b.T * log_scale.float().exp()
    return scores.log_softmax(dim=1), scores.T.log_softmax(dim=1)


def contrastive_loss(z_a: Tensor, z_b: Tensor, log_scale: Tensor, variant: ContrastiveName = "paper") -> Tensor:
    r"""Contrastive term over the pairs ``(n, latent_dim)`` of a batch, mean of both directions.

    ``paper`` is the symmetric cross-entropy :math:`-\tfrac1n \sum_i \log P_{ii}`. ``ml4h`` is what the released code
    computes, having swapped labels and predictions: :math:`16.118 \, (1 - \tfrac1n \sum_i P_{ii})`, bounded and
    linear in the probability.
    """
    diagonals = [log_p.diagonal() for log_p in pair_probabilities(z_a, z_b, log_scale)]
    if variant == "ml4h":
        return ML4H_SCALE * (1.0 - torch.stack([d.exp().mean() for d in diagonals]).mean())
    return -torch.stack([d.mean() for d in diagonals]).mean()


def label_loss(scores: Tensor, classes: Tensor, class_weights: Tensor) -> Tensor:
    """Weighted cross-entropy of ``(batch, frame, class, row, column)`` for classes ``(batch, frame, row, column)``.

    Pixels of the class `IGNORED_CLASS` do not count.
    """
    return functional.cross_entropy(
        scores.flatten(0, 1).float(), classes.flatten(0, 1).long(), class_weights, ignore_index=IGNORED_CLASS
    )
