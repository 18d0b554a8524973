import numpy as np
import pytest
import torch
from sklearn.kernel_ridge import KernelRidge

from napari_latent_explorer.data.progress import finish
from napari_latent_explorer.modeling import kernel_regression
from napari_latent_explorer.modeling.kernel_regression import RIDGES, fit_kernel_regression
from napari_latent_explorer.modeling.ntk import neural_tangent_kernel

torch.set_num_threads(1)


def people(n: int, seed: int, noise: float = 0.3) -> tuple[np.ndarray, np.ndarray]:
    """Inputs, and a wave, a straight line and a bent line in them."""
    random = np.random.default_rng(seed)
    x = random.normal(size=(n, 5)) * [1, 2, 3, 1, 1] + 4
    z = (x - 4) / [1, 2, 3, 1, 1]
    y = np.stack([np.sin(2 * z[:, 0]) + z[:, 1], z @ np.arange(5.0), np.abs(z[:, 2]) * 10 + 100], axis=1)
    return x, y + noise * random.normal(size=y.shape)


def test_exact_solution_is_kernel_ridge_of_scikit_learn() -> None:
    (x, y), (x_valid, y_valid), (x_test, _) = people(200, 0), people(80, 1), people(50, 2)
    model = finish(fit_kernel_regression(x, y, x_valid, y_valid, depth=2))
    assert model.solver == "cholesky"

    def standard(rows: np.ndarray) -> torch.Tensor:
        return torch.from_numpy((rows - x.mean(0)) / x.std(0) / np.sqrt(5))

    kernel = neural_tangent_kernel(standard(x), standard(x), 2).numpy()
    offset, unit = y.mean(0), y.std(0)
    for target in range(3):
        errors = []
        for ridge in RIDGES:
            theirs = KernelRidge(alpha=ridge * kernel.diagonal().mean(), kernel="precomputed")
            theirs.fit(kernel, (y[:, target] - offset[target]) / unit[target])
            found = theirs.predict(neural_tangent_kernel(standard(x_valid), standard(x), 2).numpy())
            errors.append(np.mean((found * unit[target] + offset[target] - y_valid[:, target]) ** 2))
        assert model.chosen[target] == RIDGES[int(np.argmin(errors))]
        best = KernelRidge(alpha=model.chosen[target] * kernel.diagonal().mean(), kernel="precomputed")
        best.fit(kernel, (y[:, target] - offset[target]) / unit[target])
        found = best.predict(neural_tangent_kernel(standard(x_test), standard(x), 2).numpy())
        np.testing.assert_allclose(model.predict(x_test)[:, target], found * unit[target] + offset[target], rtol=1e-7)


def test_people_whose_target_is_unknown_do_not_count() -> None:
    (x, y), (x_valid, y_valid), (x_test, _) = people(150, 0), people(60, 1), people(20, 2)
    hidden = y.copy()
    hidden[100:, 0] = np.nan
    whole = finish(fit_kernel_regression(x, hidden, x_valid, y_valid))
    assert torch.all(whole.coefficients[100:, 0] == 0)
    assert torch.all(whole.coefficients[:, 1] != 0)
    absurd = hidden.copy()
    absurd[:, 1] = 7.0
    other = finish(fit_kernel_regression(x, absurd, x_valid, y_valid))
    np.testing.assert_allclose(other.predict(x_test)[:, 0], whole.predict(x_test)[:, 0])
    np.testing.assert_allclose(other.predict(x_test)[:, 1], 7.0)


def test_eigenpro_reaches_the_exact_solution(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kernel_regression, "RIDGES", (1e-9,))
    monkeypatch.setattr(kernel_regression, "N_SAMPLE", 250)
    monkeypatch.setattr(kernel_regression, "BATCH", 100)
    # validated on the people learned from, it is never asked to stop, and both are the interpolating solution
    (x, y), (x_test, _) = people(300, 0), people(50, 2)
    exact = finish(fit_kernel_regression(x, y, x, y))
    iterated = finish(fit_kernel_regression(x, y, x, y, max_cholesky=10, max_epochs=400))
    assert iterated.solver == "eigenpro"
    difference = iterated.predict(x_test) - exact.predict(x_test)
    assert np.all(np.sqrt(np.mean(difference**2, axis=0)) < 0.02 * y.std(axis=0))


def test_a_kernel_that_is_not_kept_gives_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kernel_regression, "N_SAMPLE", 100)
    monkeypatch.setattr(kernel_regression, "BATCH", 40)
    (x, y), (x_valid, y_valid), (x_test, _) = people(150, 0), people(60, 1), people(20, 2)
    kept = finish(fit_kernel_regression(x, y, x_valid, y_valid, max_cholesky=10, max_epochs=3))
    monkeypatch.setattr(kernel_regression, "MAX_KEPT", 100)
    made_anew = finish(fit_kernel_regression(x, y, x_valid, y_valid, max_cholesky=10, max_epochs=3))
    assert kept.chosen.min() > 0
    np.testing.assert_allclose(made_anew.predict(x_test), kept.predict(x_test), rtol=1e-3)


def test_eigenpro_stops_before_it_learns_the_noise(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kernel_regression, "RIDGES", (1e-9,))
    monkeypatch.setattr(kernel_regression, "N_SHRUNK", 10)
    monkeypatch.setattr(kernel_regression, "BATCH", 100)
    (x, y), (x_valid, y_valid), (x_test, y_test) = people(400, 0, 4.0), people(150, 1, 4.0), people(400, 2, 0.0)
    stopped = finish(fit_kernel_regression(x, y, x_valid, y_valid, max_cholesky=10))
    interpolating = finish(fit_kernel_regression(x, y, x_valid, y_valid))
    assert stopped.chosen.max() < kernel_regression.MAX_EPOCHS

    def error(model: kernel_regression.KernelModel) -> float:
        return float(np.mean((model.predict(x_test)[:, 1] - y_test[:, 1]) ** 2))

    assert error(stopped) < 0.05 * np.var(y_test[:, 1])
    assert error(stopped) < 0.5 * error(interpolating)
