import numpy as np
import pytest
import torch

from napari_latent_explorer.nn.losses import (
    contrastive_loss,
    label_loss,
    log_cosh,
    mean_squared_error,
    pair_probabilities,
    standard_normal_divergence,
)


@pytest.fixture
def pairs() -> tuple[torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(0)
    a = torch.randn(6, 16, generator=generator)
    return a, a + torch.randn(6, 16, generator=generator)


def probabilities(a: torch.Tensor, b: torch.Tensor, t: float) -> tuple[np.ndarray, np.ndarray]:
    """Rows and columns of the softmax, written with loops in float64."""
    x, y = a.double().numpy(), b.double().numpy()
    s = np.array([[u @ v / np.linalg.norm(u) / np.linalg.norm(v) * np.exp(t) for v in y] for u in x])
    e = np.exp(s)
    return e / e.sum(1, keepdims=True), (e / e.sum(0, keepdims=True)).T


@pytest.mark.parametrize("t", [0.0, 2.66])
def test_contrastive_loss_is_the_symmetric_cross_entropy(pairs: tuple[torch.Tensor, torch.Tensor], t: float) -> None:
    p, q = probabilities(*pairs, t)
    expected = -0.5 * (np.log(np.diag(p)).mean() + np.log(np.diag(q)).mean())
    assert contrastive_loss(*pairs, torch.tensor(t)).item() == pytest.approx(expected, rel=1e-5)


def test_ml4h_variant_is_what_swapped_arguments_of_a_clipped_cross_entropy_give(
    pairs: tuple[torch.Tensor, torch.Tensor],
) -> None:
    p, q = probabilities(*pairs, 0.0)
    labels = np.clip(np.eye(6), 1e-7, 1 - 1e-7)
    coded = 0.5 * sum(float(np.mean(np.sum(-each * np.log(labels), axis=1))) for each in (p, q))
    found = contrastive_loss(*pairs, torch.tensor(0.0), "ml4h").item()
    assert found == pytest.approx(coded, rel=1e-5)
    assert found == pytest.approx(16.1181 * (1 - (np.diag(p).mean() + np.diag(q).mean()) / 2), rel=1e-5)


def test_probabilities_sum_to_one_in_both_directions(pairs: tuple[torch.Tensor, torch.Tensor]) -> None:
    for log_p in pair_probabilities(*pairs, torch.tensor(1.0)):
        torch.testing.assert_close(log_p.exp().sum(1), torch.ones(6))


def test_length_of_a_latent_does_not_matter(pairs: tuple[torch.Tensor, torch.Tensor]) -> None:
    a, b = pairs
    torch.testing.assert_close(contrastive_loss(3 * a, b, torch.tensor(1.0)), contrastive_loss(a, b, torch.tensor(1.0)))


def test_log_cosh_also_where_cosh_overflows() -> None:
    x = torch.tensor([0.0, 0.5, -3.0, 1000.0])
    found = log_cosh(torch.zeros(4), x).item()
    expected = np.mean([0.0, np.log(np.cosh(0.5)), np.log(np.cosh(3.0)), 1000.0 - np.log(2.0)])
    assert found == pytest.approx(expected, rel=1e-6)


def test_mean_squared_error_is_of_all_elements() -> None:
    x, y = torch.randn(2, 3, 4), torch.randn(2, 3, 4)
    assert mean_squared_error(x, y).item() == pytest.approx(float(((x - y).numpy() ** 2).mean()), rel=1e-5)


def test_label_loss_weights_classes_and_skips_unknown_pixels() -> None:
    generator = torch.Generator().manual_seed(0)
    scores = torch.randn(1, 2, 3, 2, 2, generator=generator)
    classes = torch.tensor([[[[0, 1], [2, 255]], [[1, 1], [0, 2]]]], dtype=torch.uint8)
    weights = np.array([1.0, 2.0, 5.0])
    log_p = scores.log_softmax(2).numpy()
    terms = [
        (weights[k], -log_p[0, f, k, i, j])
        for f in range(2)
        for i in range(2)
        for j in range(2)
        if (k := int(classes[0, f, i, j])) != 255
    ]
    expected = sum(w * v for w, v in terms) / sum(w for w, _ in terms)
    found = label_loss(scores, classes, torch.from_numpy(weights).float()).item()
    assert found == pytest.approx(expected, rel=1e-5)


def test_divergence_from_the_standard_normal_is_torchs_own() -> None:
    mean, log_variance = torch.randn(5, 8), torch.randn(5, 8)
    normal = torch.distributions.Normal(mean, (0.5 * log_variance).exp())
    expected = torch.distributions.kl_divergence(normal, torch.distributions.Normal(0.0, 1.0)).sum(1).mean()
    assert standard_normal_divergence(mean, log_variance).item() == pytest.approx(expected.item(), rel=1e-5)
    assert standard_normal_divergence(torch.zeros(2, 8), torch.zeros(2, 8)).item() == 0
