"""Convolution blocks of the cross-modal autoencoder, for signals (1-D) and images (2-D) alike.

The hard idea is that a dense block returns only its last convolution, not the concatenation of all: every
convolution sees the block's input and all earlier results, but the block is exactly `filters` channels wide on its
way out.

Everything is channels-first as torch wants it. The one place where the order of axes matters is between the last
feature map and the latent: Keras flattens ``(row, column, channel)``, so `FlattenLast` moves the channels last
before it flattens and `UnflattenLast` does the reverse; weights trained elsewhere with that order then fit without
reshuffling.

References
----------
Radhakrishnan et al., Cross-modal autoencoder framework learns holistic representations of cardiovascular state,
Nat. Commun. 14:2436 (2023), Methods; layer widths as in the authors' released networks.
"""

from collections.abc import Sequence
from typing import Literal

import torch
from torch import Tensor, nn

Dimensionality = Literal[1, 2]
ActivationName = Literal["mish", "gelu", "gelu_exact"]
PoolingName = Literal["max", "average"]

LAYER_NORM_EPSILON = 1e-3
"""Keras' default, which the published networks were trained with (torch's is 1e-5)."""

_CONVOLUTION: dict[int, type[nn.Conv1d] | type[nn.Conv2d]] = {1: nn.Conv1d, 2: nn.Conv2d}
_POOLING: dict[tuple[str, int], type[nn.Module]] = {
    ("max", 1): nn.MaxPool1d,
    ("max", 2): nn.MaxPool2d,
    ("average", 1): nn.AvgPool1d,
    ("average", 2): nn.AvgPool2d,
}


def make_activation(name: ActivationName) -> nn.Module:
    """Mish, or GELU.

    ``gelu`` is the tanh approximation ``0.5 x (1 + tanh(sqrt(2/pi) (x + 0.044715 x^3)))`` with which the published
    networks were trained; ``gelu_exact`` is ``x Phi(x)``, which the released code has taken since (the paper names
    GELU alone). They differ by 5e-4 at most.
    """
    return nn.Mish() if name == "mish" else nn.GELU(approximate="tanh" if name == "gelu" else "none")


def make_convolution(dim: Dimensionality, n_in: int, n_out: int, kernel: int) -> nn.Conv1d | nn.Conv2d:
    """Convolution with bias that keeps the size of its input; Glorot-uniform weights and zero bias as in Keras."""
    layer = _CONVOLUTION[dim](n_in, n_out, kernel, padding=kernel // 2)
    _initialize(layer)
    return layer


def make_linear(n_in: int, n_out: int) -> nn.Linear:
    """Fully connected layer, initialized like `make_convolution`."""
    layer = nn.Linear(n_in, n_out)
    _initialize(layer)
    return layer


def make_pooling(dim: Dimensionality, name: PoolingName) -> nn.Module:
    """Halve each spatial axis by its maximum or its mean."""
    return _POOLING[name, dim](2)


def _initialize(layer: nn.Conv1d | nn.Conv2d | nn.Linear) -> None:
    nn.init.xavier_uniform_(layer.weight)
    if layer.bias is not None:
        nn.init.zeros_(layer.bias)


def lay_out_channels_last(network: nn.Module) -> None:
    """Store image kernels with the channel varying fastest, which convolutions on CPUs read faster; values stay."""
    for parameter in network.parameters():
        if parameter.dim() == 4:
            parameter.data = parameter.data.contiguous(memory_format=torch.channels_last)


class ResidualStem(nn.Module):
    """First layers of an encoder: ``y0 = act(conv(x))``, then ``y = y0 + conv1x1(act(conv(y0)))``."""

    def __init__(self, dim: Dimensionality, n_in: int, filters: int, kernel: int, activation: ActivationName) -> None:
        super().__init__()
        self.first = make_convolution(dim, n_in, filters, kernel)
        self.second = make_convolution(dim, filters, filters, kernel)
        self.mix = make_convolution(dim, filters, filters, 1)
        self.activation = make_activation(activation)

    def forward(self, x: Tensor) -> Tensor:
        """``(batch, n_in, ...)`` to ``(batch, filters, ...)``."""
        y: Tensor = self.activation(self.first(x))
        branch: Tensor = self.mix(self.activation(self.second(y)))
        return y + branch


class DenseConvolutional(nn.Module):
    """Densely connected convolutions: ``c_i = act(conv([x, c_1, ..., c_(i-1)]))``; returns ``c_n`` alone."""

    def __init__(
        self, dim: Dimensionality, n_in: int, filters: int, n_layers: int, kernel: int, activation: ActivationName
    ) -> None:
        super().__init__()
        self.layers = nn.ModuleList(make_convolution(dim, n_in + i * filters, filters, kernel) for i in range(n_layers))
        self.activation = make_activation(activation)

    def forward(self, x: Tensor) -> Tensor:
        """``(batch, n_in, ...)`` to ``(batch, filters, ...)``."""
        seen, y = x, x
        for i, layer in enumerate(self.layers):
            seen = x if i == 0 else torch.cat([seen, y], dim=1)
            y = self.activation(layer(seen))
        return y


class FlattenLast(nn.Module):
    """``(batch, channel, *space)`` to ``(batch, prod(space) * channel)`` with the channel varying fastest."""

    def forward(self, x: Tensor) -> Tensor:
        """Move the channels last, then flatten."""
        return x.movedim(1, -1).flatten(1)


class UnflattenLast(nn.Module):
    """Inverse of `FlattenLast`."""

    def __init__(self, n_channels: int, space: Sequence[int]) -> None:
        super().__init__()
        self.shape = (*space, n_channels)

    def forward(self, x: Tensor) -> Tensor:
        """``(batch, prod(space) * channel)`` to ``(batch, channel, *space)``."""
        return x.reshape(x.shape[0], *self.shape).movedim(-1, 1)


class LatentHead(nn.Module):
    """Features to latent: ``z = LayerNorm(act(W flatten(h) + b))``."""

    def __init__(self, n_features: int, latent_dim: int, activation: ActivationName) -> None:
        super().__init__()
        self.flatten = FlattenLast()
        self.linear = make_linear(n_features, latent_dim)
        self.activation = make_activation(activation)
        self.norm = nn.LayerNorm(latent_dim, eps=LAYER_NORM_EPSILON)

    def forward(self, x: Tensor) -> Tensor:
        """``(batch, channel, *space)`` to ``(batch, latent_dim)``."""
        z: Tensor = self.norm(self.activation(self.linear(self.flatten(x))))
        return z


class GaussianHead(nn.Module):
    """Features to mean and log-variance of a normal distribution over latents, each by a linear layer.

    The log-variance is kept within -10 and 10, beyond which its exponential says nothing any more.
    """

    def __init__(self, n_features: int, latent_dim: int) -> None:
        super().__init__()
        self.flatten = FlattenLast()
        self.mean = make_linear(n_features, latent_dim)
        self.log_variance = make_linear(n_features, latent_dim)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """``(batch, channel, *space)`` to two times ``(batch, latent_dim)``."""
        h = self.flatten(x)
        return self.mean(h), self.log_variance(h).clamp(-10.0, 10.0)
