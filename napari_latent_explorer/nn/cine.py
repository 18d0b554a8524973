"""Cine networks: presets of widths, and the label head that says which structure each decoded pixel is.

The frames of the cine are the channels of the image, so one 2-D network sees the whole beat. The label head reads the
decoder's features *detached*: it learns to name what the decoder draws, while no gradient of a label ever
reaches the latents, which therefore stay what self-supervision made of them.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from napari_latent_explorer.nn.blocks import make_activation, make_convolution
from napari_latent_explorer.nn.coder import MAX_SIZE, CoderConfig

N_FRAMES = 50
CINE_SPACE = (96, 96)

PUBLISHED_CINE = CoderConfig(
    n_channels=N_FRAMES, space=CINE_SPACE, kernel=3, stem=24, encoder_blocks=(40, 40, 40), decoder_blocks=(40, 40, 40),
    block_size=3, activation="gelu", pooling="average",
)  # fmt: skip
"""1,734,240 parameters in the encoder and 1,741,930 in the decoder with 256 latents."""

COMPACT_CINE = CoderConfig(
    n_channels=N_FRAMES, space=CINE_SPACE, kernel=3, stem=16, encoder_blocks=(24, 32, 48), decoder_blocks=(48, 32, 24),
    block_size=2, activation="gelu", pooling="average",
)  # fmt: skip
"""Narrower towards full resolution, where the cost is, and wider at the bottom."""


@dataclass(frozen=True, slots=True)
class LabelHeadConfig:
    """What the label head tells apart.

    Attributes
    ----------
    label_values
        Value of each class in a label map; the class number in the network is the place in this tuple.
    n_frames
        Frames that it labels.
    filters
        Width of its hidden layers.
    """

    label_values: tuple[int, ...] = (0, 1, 2, 3, 4, 5, 6, 8, 9, 10, 11, 12, 13)
    n_frames: int = N_FRAMES
    filters: int = 32

    def __post_init__(self) -> None:
        sizes = (len(self.label_values), self.n_frames, self.filters)
        if not all(0 < size <= MAX_SIZE for size in sizes) or not all(0 <= value < 256 for value in self.label_values):
            raise ValueError(f"{sizes} classes, frames and filters of the label head, class values {self.label_values}")

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> "LabelHeadConfig":
        """From plain values as JSON holds them."""
        return cls(tuple(values["label_values"]), int(values["n_frames"]), int(values["filters"]))


class LabelHead(nn.Module):
    """Feature maps of the cine decoder, from coarse to fine, to class scores of each frame.

    Atria and ventricles are the same blood: only where they lie tells them apart. So the head begins where the
    decoder's maps are small and see the whole heart, and takes in one finer map after the other.
    """

    def __init__(self, channels: Sequence[int], config: LabelHeadConfig) -> None:
        super().__init__()
        self.config = config
        self.n_classes = len(config.label_values)
        inputs = [channels[0], *[config.filters + n for n in channels[1:]]]
        self.hidden = nn.ModuleList([make_convolution(2, n_in, config.filters, 3) for n_in in inputs])
        self.activation = make_activation("gelu")
        self.output = make_convolution(2, config.filters, config.n_frames * self.n_classes, 1)

    def forward(self, maps: Sequence[Tensor], frames: Tensor | None = None) -> Tensor:
        """Class scores ``(batch, n_frames, n_classes, rows, columns)``, of the given `frames` only if any are given."""
        h = self._features(maps)
        weight, bias = self.output.weight, self.output.bias
        if frames is not None:
            rows = (frames[:, None] * self.n_classes + torch.arange(self.n_classes, device=frames.device)).flatten()
            weight, bias = weight[rows], None if bias is None else bias[rows]
        scores = functional.conv2d(h, weight, bias)
        return scores.reshape(scores.shape[0], -1, self.n_classes, *scores.shape[2:])

    def classes(self, maps: Sequence[Tensor]) -> Tensor:
        """Class number ``(batch, n_frames, rows, columns)`` of each pixel: the one with the largest score.

        On CPUs that is found by pooling over the classes, with the frames as channels: a tenth of the time that the
        maximum along an axis takes, which looks at one number at a time.
        """
        if maps[-1].device.type != "cpu":
            return self.forward(maps).max(dim=2).indices
        h, n_frames, n_classes = self._features(maps), self.config.n_frames, self.n_classes
        order = torch.arange(n_frames * n_classes).reshape(n_frames, n_classes).T.flatten()
        bias = self.output.bias
        scores = functional.conv2d(h, self.output.weight[order], None if bias is None else bias[order])
        scores = scores.movedim(1, -1)  # (batch, row, column, class x frame)
        pixels = scores.reshape(-1, 1, n_classes, n_frames).movedim(-1, 1)
        _, places = functional.max_pool2d(pixels, (1, n_classes), return_indices=True)
        return places.reshape(*scores.shape[:-1], n_frames).movedim(-1, 1)

    def _features(self, maps: Sequence[Tensor]) -> Tensor:
        """From maps of all sizes to one ``(batch, filters, rows, columns)``, which the classes are read from."""
        h: Tensor = self.activation(self.hidden[0](maps[0].detach()))
        for convolution, features in zip(self.hidden[1:], maps[1:], strict=True):
            h = functional.interpolate(h, scale_factor=2, mode="nearest")
            h = self.activation(convolution(torch.cat([h, features.detach()], dim=1)))
        return h
