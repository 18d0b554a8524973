import itertools
import math

import numpy as np
import pytest
import torch

from napari_latent_explorer.modeling.ntk import kernel_diagonal, neural_tangent_kernel

RANDOM = np.random.default_rng(0)
POINTS = torch.from_numpy(RANDOM.normal(size=(4, 6)))


def test_one_hidden_layer_is_the_published_closed_form() -> None:
    kernel = neural_tangent_kernel(POINTS, POINTS, depth=1)
    for i, x in enumerate(POINTS.numpy()):
        for j, y in enumerate(POINTS.numpy()):
            lengths = np.linalg.norm(x) * np.linalg.norm(y)
            u = min(1.0, float(x @ y) / lengths)
            theta = math.acos(u)
            flat = (math.pi - theta) / math.pi
            ramp = (math.sin(theta) + (math.pi - theta) * math.cos(theta)) / math.pi
            assert float(kernel[i, j]) == pytest.approx(lengths * (ramp + u * flat), rel=1e-6)


def finite_width_kernel(points: torch.Tensor, depth: int, width: int, seed: int) -> torch.Tensor:
    """Products of the gradients of a random network's output with respect to all of its weights."""
    random = torch.Generator().manual_seed(seed)
    sizes = [points.shape[1], *[width] * depth, 1]
    weights = [
        torch.randn(a, b, generator=random, dtype=torch.float64).requires_grad_() for a, b in itertools.pairwise(sizes)
    ]
    gradients = []
    for x in points:
        h = x @ weights[0]
        for weight in weights[1:]:
            h = torch.relu(h) * math.sqrt(2.0 / width) @ weight
        gradients.append(torch.cat([g.ravel() for g in torch.autograd.grad(h.sum(), weights)]))
    stacked = torch.stack(gradients)
    return stacked @ stacked.T


@pytest.mark.parametrize("depth", [1, 2, 3])
def test_wide_random_networks_have_this_kernel(depth: int) -> None:
    measured = torch.stack([finite_width_kernel(POINTS, depth, 384, seed) for seed in range(30)]).mean(dim=0)
    kernel = neural_tangent_kernel(POINTS, POINTS, depth)
    scale = float(kernel.diagonal().mean())
    assert float((measured - kernel).abs().max()) / scale < 0.06
    # the kernels of other depths are farther away
    assert float((measured - neural_tangent_kernel(POINTS, POINTS, depth + 1)).abs().max()) / scale > 0.2


def test_diagonal_blocks_and_zeros(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = neural_tangent_kernel(POINTS, POINTS, 3)
    torch.testing.assert_close(whole.diagonal(), kernel_diagonal(POINTS, 3), rtol=1e-5, atol=1e-6)
    monkeypatch.setattr("napari_latent_explorer.modeling.ntk.BLOCK_ROWS", 3)
    torch.testing.assert_close(neural_tangent_kernel(POINTS, POINTS, 3), whole)
    assert float(neural_tangent_kernel(torch.zeros(1, 6), torch.ones(1, 6)).abs().max()) == 0.0
    with pytest.raises(ValueError, match="0 hidden layers"):
        neural_tangent_kernel(POINTS, POINTS, 0)
