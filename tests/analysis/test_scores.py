import numpy as np
import pytest

from napari_latent_explorer.analysis.scores import auroc, bootstrap_weights, r2, score_predictions


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(0)


def test_auroc_agrees_with_sklearn_with_ties_and_weights(rng: np.random.Generator) -> None:
    from sklearn.metrics import roc_auc_score

    outcomes = (rng.random(200) < 0.3).astype(float)
    predictions = np.round(rng.normal(size=200) + outcomes, 1)  # many ties
    weights = rng.integers(0, 4, (5, 200)).astype(float)
    expected = [roc_auc_score(outcomes, predictions, sample_weight=row) for row in weights]
    np.testing.assert_allclose(auroc(outcomes, predictions, weights), expected, rtol=1e-12)


def test_r2_agrees_with_sklearn_with_weights(rng: np.random.Generator) -> None:
    from sklearn.metrics import r2_score

    outcomes = rng.normal(size=100)
    predictions = outcomes + rng.normal(size=100)
    weights = rng.integers(0, 4, (5, 100)).astype(float)
    expected = [r2_score(outcomes, predictions, sample_weight=row) for row in weights]
    np.testing.assert_allclose(r2(outcomes, predictions, weights), expected, rtol=1e-9)


def test_bootstrap_draws_as_many_as_there_are_and_the_first_row_is_everybody_once() -> None:
    weights = bootstrap_weights(50, seed=0)
    assert (weights[0] == 1).all()
    assert (weights.sum(axis=1) == 50).all()
    assert weights[1:].mean() == pytest.approx(1.0)
    assert weights[1:].var() == pytest.approx(1.0 - 1 / 50, rel=0.05)  # binomial(50, 1 / 50)


def test_the_interval_of_auroc_is_as_wide_as_hanley_and_mcneil_say(rng: np.random.Generator) -> None:
    n_each = 300
    outcomes = np.repeat([0.0, 1.0], n_each)
    score = score_predictions("auroc", outcomes, rng.normal(size=600) + outcomes, bootstrap_weights(600, 0))
    area = score.value
    q1, q2 = area / (2 - area), 2 * area**2 / (1 + area)
    variance = (area * (1 - area) + (n_each - 1) * (q1 + q2 - 2 * area**2)) / n_each**2
    assert score.low < area < score.high
    assert score.high - score.low == pytest.approx(2 * 1.96 * np.sqrt(variance), rel=0.2)


def test_the_intervals_hold_the_truth_as_often_as_they_say(rng: np.random.Generator) -> None:
    weights = bootstrap_weights(200, 1)
    truth, hits = 0.5, 0
    for _ in range(200):
        predictions = rng.normal(size=200)
        outcomes = predictions + rng.normal(size=200)
        score = score_predictions("r2", outcomes, predictions, weights)
        hits += score.low <= truth <= score.high
    assert 0.88 <= hits / 200 <= 0.99


def test_resamplings_that_can_score_nothing_are_left_out() -> None:
    outcomes = np.zeros(30)
    outcomes[0] = 1.0
    predictions = np.linspace(1.0, 0.0, 30)
    score = score_predictions("auroc", outcomes, predictions, bootstrap_weights(30, 0))
    assert (score.value, score.low, score.high) == (1.0, 1.0, 1.0)
