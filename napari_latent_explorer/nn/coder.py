"""Encoder and decoder as the paper builds them, for one modality.

Encoder: residual stem, then for each dense block *pool, block*, then flatten to the latent. Decoder: latent to the
smallest feature map, then for each dense block *nearest upsampling by 2, block*, then a linear 1x1 convolution to
the output channels. No skip connection crosses the latent. What differs between cine and ECG is only the `CoderConfig`.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from math import prod
from typing import Any

from torch import Tensor, nn

from napari_latent_explorer.nn.blocks import (
    ActivationName,
    DenseConvolutional,
    GaussianHead,
    LatentHead,
    PoolingName,
    ResidualStem,
    UnflattenLast,
    make_activation,
    make_convolution,
    make_linear,
    make_pooling,
)

MAX_SIZE = 1 << 20
_MAX_LAYERS = 64
"""Bounds for configurations that come from a file; a network of that many layers would take hours to build."""


@dataclass(frozen=True, slots=True)
class CoderConfig:
    """Widths of one modality's encoder and decoder.

    Attributes
    ----------
    n_channels
        Channels of the recording: frames of a cine, leads of an ECG.
    space
        Size of the rest: ``(rows, columns)`` or ``(samples,)``; divisible by 2 to the number of dense blocks.
    kernel
        Kernel width, odd.
    stem
        Filters of the residual stem.
    encoder_blocks, decoder_blocks
        Filters of each dense block in the order in which data pass them.
    block_size
        Convolutions in a dense block.
    activation, pooling
        Names as in `blocks`.
    """

    n_channels: int
    space: tuple[int, ...]
    kernel: int
    stem: int
    encoder_blocks: tuple[int, ...]
    decoder_blocks: tuple[int, ...]
    block_size: int
    activation: ActivationName
    pooling: PoolingName

    def __post_init__(self) -> None:
        blocks = (*self.encoder_blocks, *self.decoder_blocks)
        sizes = (self.n_channels, *self.space, self.kernel, self.stem, self.block_size, *blocks)
        if not (self.space and self.encoder_blocks and self.decoder_blocks):
            raise ValueError(f"space {self.space}, encoder {self.encoder_blocks}, decoder {self.decoder_blocks}")
        if not all(isinstance(size, int) and 0 < size <= MAX_SIZE for size in sizes):
            raise ValueError(f"a size in {sizes} is no whole number from 1 to {MAX_SIZE}")
        if max(self.block_size, len(blocks)) > _MAX_LAYERS:
            raise ValueError(f"{len(blocks)} dense blocks of {self.block_size} layers; at most {_MAX_LAYERS} of each")

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return asdict(self)

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> "CoderConfig":
        """Inverse of `to_dict`, lists from JSON turned back into tuples."""
        arguments: dict[str, Any] = {name: tuple(v) if isinstance(v, list) else v for name, v in values.items()}
        return cls(**arguments)


class Encoder(nn.Module):
    """Recording ``(batch, n_channels, *space)`` to latent ``(batch, latent_dim)``.

    A probabilistic one gives a normal distribution over latents and encodes to its mean.
    """

    def __init__(self, config: CoderConfig, latent_dim: int, *, is_probabilistic: bool = False) -> None:
        super().__init__()
        dim = _dimensionality(config)
        layers: list[nn.Module] = [ResidualStem(dim, config.n_channels, config.stem, config.kernel, config.activation)]
        n_in = config.stem
        for filters in config.encoder_blocks:
            layers.append(make_pooling(dim, config.pooling))
            layers.append(DenseConvolutional(dim, n_in, filters, config.block_size, config.kernel, config.activation))
            n_in = filters
        self.features = nn.Sequential(*layers)
        space = [size // 2 ** len(config.encoder_blocks) for size in config.space]
        n_features = prod(space) * n_in
        self.head = (
            GaussianHead(n_features, latent_dim)
            if is_probabilistic
            else LatentHead(n_features, latent_dim, config.activation)
        )

    def distribution(self, x: Tensor) -> tuple[Tensor, Tensor | None]:
        """Mean and log-variance ``(batch, latent_dim)`` of the latent; a deterministic one has no variance."""
        found = self.head(self.features(x))
        return found if isinstance(found, tuple) else (found, None)

    def forward(self, x: Tensor) -> Tensor:
        """Encode a batch."""
        return self.distribution(x)[0]


class Decoder(nn.Module):
    """Latent ``(batch, latent_dim)`` to recording ``(batch, n_channels, *space)``."""

    def __init__(self, config: CoderConfig, latent_dim: int) -> None:
        super().__init__()
        dim = _dimensionality(config)
        space = [size // 2 ** len(config.decoder_blocks) for size in config.space]
        n_in = config.encoder_blocks[-1]
        self.linear = make_linear(latent_dim, prod(space) * n_in)
        self.activation = make_activation(config.activation)
        layers: list[nn.Module] = [UnflattenLast(n_in, space)]
        for filters in config.decoder_blocks:
            layers.append(nn.Upsample(scale_factor=2, mode="nearest"))
            layers.append(DenseConvolutional(dim, n_in, filters, config.block_size, config.kernel, config.activation))
            n_in = filters
        self.blocks = nn.Sequential(*layers)
        self.output = make_convolution(dim, n_in, config.n_channels, 1)

    def feature_maps(self, z: Tensor) -> list[Tensor]:
        """Feature maps ``(batch, filters, *space)`` from the smallest to the recording's size, before the output."""
        h: Tensor = self.activation(self.linear(z))
        maps = []
        for layer in self.blocks:
            h = layer(h)
            if not isinstance(layer, nn.Upsample):
                maps.append(h)
        return maps

    def forward(self, z: Tensor) -> Tensor:
        """Decode a batch."""
        x: Tensor = self.output(self.feature_maps(z)[-1])
        return x


def _dimensionality(config: CoderConfig) -> Any:
    return len(config.space)
