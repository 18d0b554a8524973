"""Parts of decoders that compute the same in another form, which takes less time or rounds less.

A decoder of signals becomes one of images one row high: convolutions of images are read channel by channel at each
place, which processors do well; those of signals are not. The weights are the same numbers in another order.
"""

import copy

from torch import Tensor, nn

from napari_latent_explorer.nn.blocks import UnflattenLast, lay_out_channels_last
from napari_latent_explorer.nn.coder import Decoder


class RowDecoder(nn.Module):
    """The same as a `Decoder` of signals.

    Parameters
    ----------
    decoder
        Latent ``(batch, latent_dim)`` to signal ``(batch, n_channels, n_samples)``; it stays as it is.
    """

    def __init__(self, decoder: Decoder) -> None:
        super().__init__()
        self.decoder = copy.deepcopy(decoder)
        _exchange(self.decoder)
        lay_out_channels_last(self.decoder)

    def forward(self, z: Tensor) -> Tensor:
        """Decode a batch."""
        x: Tensor = self.decoder(z)
        return x.squeeze(2)


class InFloat32(nn.Module):
    """A layer in float32 behind others in a shorter number format.

    Parameters
    ----------
    layer
        Its weights are float32.
    """

    def __init__(self, layer: nn.Module) -> None:
        super().__init__()
        self.layer = layer

    def forward(self, x: Tensor) -> Tensor:
        """Compute from `x` in whatever format."""
        y: Tensor = self.layer(x.float())
        return y


def _exchange(module: nn.Module) -> None:
    for name, child in module.named_children():
        if isinstance(child, nn.Conv1d):
            setattr(module, name, _row_convolution(child))
        elif isinstance(child, nn.Upsample):
            setattr(module, name, nn.Upsample(scale_factor=(1.0, 2.0), mode="nearest"))
        elif isinstance(child, UnflattenLast):
            n_samples, n_channels = child.shape
            setattr(module, name, UnflattenLast(n_channels, (1, n_samples)))
        else:
            _exchange(child)


def _row_convolution(layer: nn.Conv1d) -> nn.Conv2d:
    (kernel,) = layer.kernel_size
    row = nn.Conv2d(layer.in_channels, layer.out_channels, (1, kernel), padding=(0, kernel // 2), device="meta")
    row.weight = nn.Parameter(layer.weight.data.unsqueeze(2), requires_grad=False)
    assert layer.bias is not None
    row.bias = nn.Parameter(layer.bias.data.clone(), requires_grad=False)
    return row


def decoder_to_rows(decoder: nn.Module) -> nn.Module:
    """Return the same decoder as one of rows if it decodes signals, else itself."""
    is_of_signals = isinstance(decoder, Decoder) and any(isinstance(layer, nn.Conv1d) for layer in decoder.modules())
    return RowDecoder(decoder) if is_of_signals and isinstance(decoder, Decoder) else decoder
