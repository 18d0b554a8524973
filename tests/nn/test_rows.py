import pytest
import torch

from napari_latent_explorer.nn.coder import CoderConfig, Decoder
from napari_latent_explorer.nn.rows import RowDecoder, decoder_to_rows

SIGNALS = [
    CoderConfig(12, (600,), 31, 12, (20,), (20,), 3, "mish", "max"),
    CoderConfig(3, (64,), 5, 6, (8, 4), (8, 4), 2, "gelu", "average"),
]


@pytest.mark.parametrize("config", SIGNALS, ids=["ecg", "two blocks"])
def test_rows_are_the_same_signals(config: CoderConfig) -> None:
    torch.manual_seed(0)
    decoder = Decoder(config, 16)
    z = torch.randn(3, 16)
    with torch.inference_mode():
        expected = decoder(z)
        found = decoder_to_rows(decoder)(z)
    assert found.shape == (3, config.n_channels, *config.space)
    torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-5)
    assert any(isinstance(layer, torch.nn.Conv1d) for layer in decoder.modules())  # it stays as it is


def test_a_decoder_of_images_is_left_alone() -> None:
    decoder = Decoder(CoderConfig(4, (16, 16), 3, 6, (6,), (8,), 2, "gelu", "average"), 16)
    assert decoder_to_rows(decoder) is decoder
    assert not isinstance(decoder_to_rows(decoder), RowDecoder)
