r"""The neural tangent kernel of infinitely wide, fully connected ReLU networks, in closed form.

For unit vectors at cosine *u* one ReLU layer with variance-preserving weights maps, with the arc-cosine kernels

.. math:: \kappa_0(u) = \frac{\pi - \arccos u}{\pi}, \qquad
          \kappa_1(u) = \frac{\sqrt{1 - u^2} + (\pi - \arccos u)\, u}{\pi},

the cosine to :math:`\kappa_1(u)` and its derivative to :math:`\kappa_0(u)`. So with :math:`u_0 = u`, :math:`\Theta_0 =
u` and one step :math:`u_h = \kappa_1(u_{h-1})`, :math:`\Theta_h = \Theta_{h-1} \kappa_0(u_{h-1}) + u_h` per hidden
layer, the kernel is :math:`|x||y| \Theta_L`. The paper does not state its depth *L*; one hidden layer is the default
here.

References
----------
Jacot et al., Neural Tangent Kernel: Convergence and Generalization in Neural Networks (2018); Cho and Saul, Kernel
Methods for Deep Learning (2009), for the arc-cosine kernels.
"""

import math

import torch
from torch import Tensor

BLOCK_ROWS = 1024
"""Rows of the kernel computed at a time, so that its intermediate values stay small."""


def neural_tangent_kernel(x: Tensor, y: Tensor, depth: int = 1) -> Tensor:
    """Kernel ``(n, m)`` between inputs ``(n, n_inputs)`` and ``(m, n_inputs)``.

    Parameters
    ----------
    x, y
        Inputs; a zero vector has kernel 0 with everything.
    depth
        Hidden layers, at least 1.

    Raises
    ------
    ValueError
        When `depth` is below 1.
    """
    if depth < 1:
        raise ValueError(f"a network of {depth} hidden layers has no tangent kernel of this kind")
    kernel = torch.empty(len(x), len(y), dtype=x.dtype, device=x.device)
    for start in range(0, len(x), BLOCK_ROWS):
        _fill_block(x[start : start + BLOCK_ROWS], y, depth, kernel[start : start + BLOCK_ROWS])
    return kernel


def kernel_diagonal(x: Tensor, depth: int = 1) -> Tensor:
    """Kernel ``(n,)`` of each input ``(n, n_inputs)`` with itself: its squared length times `depth` + 1."""
    return (depth + 1) * x.square().sum(dim=1)


def _fill_block(x: Tensor, y: Tensor, depth: int, kernel: Tensor) -> None:
    x_lengths, y_lengths = x.norm(dim=1, keepdim=True), y.norm(dim=1, keepdim=True)
    smallest = torch.finfo(x.dtype).tiny
    cosine = ((x / x_lengths.clamp_min(smallest)) @ (y / y_lengths.clamp_min(smallest)).T).clamp_(-1.0, 1.0)
    tangent = cosine
    for _ in range(depth):
        unturned = math.pi - torch.acos(cosine)
        covariance = ((1.0 - cosine.square()).clamp_min_(0.0).sqrt_() + unturned * cosine) / math.pi
        tangent = tangent * unturned / math.pi + covariance
        cosine = covariance.clamp(-1.0, 1.0)
    torch.mul(tangent, x_lengths * y_lengths.T, out=kernel)
