import numpy as np
import pytest

from napari_latent_explorer.analysis.linear_model import PENALTIES, LinearModel, can_fit, fit_linear

N, N_INPUTS = 300, 12


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(0)


@pytest.fixture
def inputs(rng: np.random.Generator) -> np.ndarray:
    return rng.normal(size=(N, N_INPUTS)) @ rng.normal(size=(N_INPUTS, N_INPUTS)) + 5.0


def fit(inputs: np.ndarray, outcomes: np.ndarray, is_binary: list[bool]) -> LinearModel:
    return fit_linear(inputs, outcomes, np.arange(len(is_binary)), np.array(is_binary))


@pytest.mark.parametrize("n_people", [N, 9], ids=["more people", "more inputs"])
def test_ridge_agrees_with_sklearn_in_choice_of_penalty_and_in_prediction(
    inputs: np.ndarray, rng: np.random.Generator, n_people: int
) -> None:
    from sklearn.linear_model import RidgeCV
    from sklearn.preprocessing import StandardScaler

    inputs = inputs[:n_people]
    noise = rng.normal(size=(n_people, 3)) * [0.1, 3.0, 30.0]
    outcomes = inputs[:, :3] @ rng.normal(size=(3, 3)) + noise
    model = fit(inputs, outcomes, [False] * 3)
    standardised = StandardScaler().fit_transform(inputs)
    reference = RidgeCV(PENALTIES, alpha_per_target=True).fit(standardised, outcomes)
    assert len(set(reference.alpha_)) > 1
    np.testing.assert_allclose(model.linear(inputs), reference.predict(standardised), rtol=1e-8, atol=1e-8)


def test_logistic_agrees_with_sklearn_on_the_inputs_themselves(inputs: np.ndarray, rng: np.random.Generator) -> None:
    from sklearn.linear_model import LogisticRegression, RidgeCV
    from sklearn.preprocessing import StandardScaler

    outcomes = (inputs[:, :1] + rng.normal(size=(N, 1)) > 6.0).astype(float)
    model = fit(inputs, outcomes, [True])
    standardised = StandardScaler().fit_transform(inputs)
    penalty = RidgeCV(PENALTIES).fit(standardised, outcomes[:, 0]).alpha_ * outcomes.var()
    reference = LogisticRegression(C=1.0 / penalty, tol=1e-8, max_iter=10_000).fit(standardised, outcomes[:, 0])
    np.testing.assert_allclose(model.linear(inputs)[:, 0], reference.decision_function(standardised), atol=0.02)


def test_numbers_and_yes_or_no_can_be_fit_together(inputs: np.ndarray, rng: np.random.Generator) -> None:
    number = inputs[:, :1] + rng.normal(size=(N, 1))
    outcomes = np.concatenate([number, number > number.mean()], axis=1)
    together = fit(inputs, outcomes, [False, True]).linear(inputs)
    np.testing.assert_allclose(together[:, :1], fit(inputs, outcomes[:, :1], [False]).linear(inputs), rtol=1e-9)
    np.testing.assert_allclose(together[:, 1:], fit(inputs, outcomes[:, 1:], [True]).linear(inputs), rtol=1e-9)


def test_the_interval_of_a_number_is_that_of_its_residuals(inputs: np.ndarray) -> None:
    outcomes = inputs[:, :1].copy()
    model = fit(inputs, outcomes, [False]).with_residual_sd(np.array([2.0]))
    value, low, high = model.predict_interval(inputs[0])
    assert value[0] == pytest.approx(outcomes[0, 0], abs=0.1)
    np.testing.assert_allclose([value - low, high - value], 2.0 * 1.96, rtol=1e-4)


def test_the_interval_of_a_probability_is_as_wide_as_refitting_on_other_samples_makes_it(
    rng: np.random.Generator,
) -> None:
    coefficients = rng.normal(size=5) / 3
    probe = rng.normal(size=5)

    def sample() -> LinearModel:
        inputs = rng.normal(size=(800, 5))
        chances = 1 / (1 + np.exp(-inputs @ coefficients))
        return fit(inputs, (rng.random(800) < chances)[:, None].astype(float), [True])

    models = [sample() for _ in range(60)]
    logits = [model.linear(probe[None])[0, 0] for model in models]
    value, low, high = models[0].predict_interval(probe)
    assert 0.0 < low[0] < value[0] < high[0] < 1.0
    width = np.log(high / (1 - high)) - np.log(low / (1 - low))
    assert width[0] / (2 * 1.96) == pytest.approx(np.std(logits), rel=0.35)


def test_a_constant_input_does_no_harm(inputs: np.ndarray) -> None:
    with_constant = np.concatenate([inputs, np.full((N, 1), 3.0)], axis=1)
    outcomes = inputs[:, :1]
    np.testing.assert_allclose(
        fit(with_constant, outcomes, [False]).linear(with_constant), fit(inputs, outcomes, [False]).linear(inputs)
    )


def test_more_inputs_than_participants_can_be_fit(rng: np.random.Generator) -> None:
    inputs = rng.normal(size=(60, 200))
    model = fit(inputs, inputs[:, :1], [False])
    assert np.corrcoef(model.linear(inputs)[:, 0], inputs[:, 0])[0, 1] > 0.9


def test_too_little_cannot_be_fit() -> None:
    assert not can_fit(np.arange(10.0), is_binary=False)
    assert not can_fit(np.ones(100), is_binary=False)
    assert can_fit(np.arange(100.0), is_binary=False)
    rare = np.zeros(1_000)
    rare[:5] = 1.0
    assert not can_fit(rare, is_binary=True)
    assert can_fit(np.arange(100) % 2.0, is_binary=True)
