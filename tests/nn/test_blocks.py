import math

import numpy as np
import torch

from napari_latent_explorer.nn.blocks import (
    DenseConvolutional,
    FlattenLast,
    LatentHead,
    ResidualStem,
    UnflattenLast,
    lay_out_channels_last,
    make_activation,
)


def test_flatten_lets_the_channel_vary_fastest_as_keras_does() -> None:
    x = torch.arange(2 * 3 * 4 * 5, dtype=torch.float32).reshape(2, 3, 4, 5)
    flat = FlattenLast()(x).numpy()
    np.testing.assert_array_equal(flat, x.numpy().transpose(0, 2, 3, 1).reshape(2, -1))
    assert torch.equal(UnflattenLast(3, (4, 5))(torch.from_numpy(flat)), x)


def test_dense_block_sees_all_and_returns_only_the_last() -> None:
    torch.manual_seed(0)
    block = DenseConvolutional(1, n_in=3, filters=4, n_layers=3, kernel=5, activation="mish")
    x = torch.randn(2, 3, 16)
    act = make_activation("mish")
    c1 = act(block.layers[0](x))
    c2 = act(block.layers[1](torch.cat([x, c1], 1)))
    c3 = act(block.layers[2](torch.cat([x, c1, c2], 1)))
    assert torch.equal(block(x), c3)
    assert c3.shape == (2, 4, 16)


def test_residual_stem_adds_the_mixed_branch_to_the_first_activation() -> None:
    torch.manual_seed(0)
    stem = ResidualStem(2, n_in=3, filters=4, kernel=3, activation="gelu")
    x = torch.randn(1, 3, 8, 8)
    with torch.no_grad():
        stem.mix.weight.zero_()
        assert torch.equal(stem(x), make_activation("gelu")(stem.first(x)))


def test_activations_are_the_published_ones() -> None:
    x = torch.linspace(-4, 4, 81, dtype=torch.float64)
    v = x.numpy()
    gelu = 0.5 * v * (1 + np.tanh(np.sqrt(2 / np.pi) * (v + 0.044715 * v**3)))
    np.testing.assert_allclose(make_activation("gelu")(x).numpy(), gelu, atol=1e-12)
    np.testing.assert_allclose(make_activation("mish")(x).numpy(), v * np.tanh(np.log1p(np.exp(v))), atol=1e-12)


def test_latents_are_normalised_with_the_epsilon_of_keras() -> None:
    head = LatentHead(6, 8, "gelu")
    x = 1e-2 * torch.randn(3, 2, 3)
    a = torch.nn.functional.gelu(head.linear(x.movedim(1, -1).flatten(1)), approximate="tanh").detach().numpy()
    expected = (a - a.mean(1, keepdims=True)) / np.sqrt(a.var(1, keepdims=True) + 1e-3)
    np.testing.assert_allclose(head(x).detach().numpy(), expected, atol=1e-5)


def test_layout_changes_no_value() -> None:
    stem = ResidualStem(2, 3, 4, 3, "gelu")
    x = torch.randn(1, 3, 8, 8)
    before = stem(x)
    lay_out_channels_last(stem)
    assert stem.first.weight.is_contiguous(memory_format=torch.channels_last)
    torch.testing.assert_close(stem(x), before)


def test_exact_gelu_differs_from_the_published_one_by_less_than_5e_4() -> None:
    x = torch.linspace(-4, 4, 801, dtype=torch.float64)
    exact = x * 0.5 * (1 + torch.erf(x / math.sqrt(2)))
    torch.testing.assert_close(make_activation("gelu_exact")(x), exact)
    assert 1e-4 < (make_activation("gelu")(x) - exact).abs().max() < 5e-4
