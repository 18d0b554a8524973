"""Linear models with shrinkage, in the principal axes of their standardised inputs.

Let ``Z = U S V'`` be the standardised inputs of the training participants. In the axes ``V`` ridge regression with
penalty ``a`` divides: the coefficient along an axis is ``s (u . y) / (s^2 + a)``, the leverage of a participant is the
sum of ``u^2 s^2 / (s^2 + a)``, and the leave-one-out residual is the residual over one minus the leverage, exactly. So
each penalty of a grid costs one matrix product for all targets together.

Logistic regression has curvature ``w Z'Z`` where ``w`` is near ``p (1 - p)`` of the whole; to shrink as ridge
regression does on the same 0 and 1, its penalty is ``w a``. With the same curvature its coefficients have, about their
estimate, variance ``1 / (w s^2 + w a)`` along each axis (Laplace's approximation with one weight for all), from which
the interval of a probability follows.

References
----------
Hastie T, Tibshirani R, Friedman J (2009), The Elements of Statistical Learning, sections 3.4.1 and 7.10.
Bishop C (2006), Pattern Recognition and Machine Learning, section 4.5.
"""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from napari_latent_explorer.analysis.blas import apply_matrix

PENALTIES = np.logspace(-1, 5, 19)
"""Grid of ridge penalties, for inputs of unit variance."""
ROWS_PER_STEP = 4_096
"""Participants whose leave-one-out residuals are in memory at once."""
MIN_PARTICIPANTS = 20
MIN_PER_CATEGORY = 20
"""Enough that each part of a random division in five has some of both."""
Z_95 = 1.959964
"""Half width of a 95 % interval in standard deviations of a normal."""


@dataclass(frozen=True, slots=True, eq=False)
class LinearModel:
    """One linear model per target of a block, on shared inputs.

    Attributes
    ----------
    columns
        ``(n_targets,)`` which columns of the whole table these targets are.
    center, axes
        ``(n_inputs,)`` and ``(n_inputs, n_axes)``: inputs to principal axes; the axes also divide by the inputs' SD.
    coefficients, intercepts
        ``(n_axes, n_targets)`` and ``(n_targets,)``.
    is_binary
        ``(n_targets,)`` which targets are logits.
    coefficient_variances
        ``(n_axes, n_targets)`` of logistic models; zeros for numbers, whose interval is that of the residuals.
    residual_sd
        ``(n_targets,)`` spread of held-out residuals of numbers; zeros for logits.
    """

    columns: NDArray[np.intp]
    center: NDArray[np.float64]
    axes: NDArray[np.float64]
    coefficients: NDArray[np.float64]
    intercepts: NDArray[np.float64]
    is_binary: NDArray[np.bool_]
    coefficient_variances: NDArray[np.float64]
    residual_sd: NDArray[np.float64]

    def linear(self, inputs: NDArray[np.float64]) -> NDArray[np.float64]:
        """Predicted values, or logits, ``(n, n_targets)`` of inputs ``(n, n_inputs)``."""
        return np.asarray((inputs - self.center) @ (self.axes @ self.coefficients) + self.intercepts)

    def predict_interval(
        self, inputs: NDArray[np.float64]
    ) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
        """Value, low and high ``(n_targets,)`` for one input ``(n_inputs,)``; probabilities for binary targets."""
        along_axes = apply_matrix(inputs - self.center, self.axes)
        values = apply_matrix(along_axes, self.coefficients) + self.intercepts
        margin = Z_95 * np.sqrt(apply_matrix(along_axes**2, self.coefficient_variances) + self.residual_sd**2)
        bounds = np.stack([values, values - margin, values + margin])
        bounds[:, self.is_binary] = sigmoid(bounds[:, self.is_binary])
        value, low, high = bounds
        return value, low, high

    def with_residual_sd(self, residual_sd: NDArray[np.float64]) -> "LinearModel":
        """Return the same model, knowing the spread ``(n_targets,)`` of its held-out residuals."""
        return replace(self, residual_sd=np.where(self.is_binary, 0.0, residual_sd))


def sigmoid(logits: NDArray[np.float64]) -> NDArray[np.float64]:
    """Probabilities of logits."""
    return np.asarray(0.5 * (1.0 + np.tanh(0.5 * logits)))


def can_fit(outcomes: NDArray[np.float64], is_binary: bool) -> bool:
    """Whether there are enough participants, and enough of both kinds, to fit and to hold out."""
    if is_binary:
        return bool(min((outcomes == 0).sum(), (outcomes == 1).sum()) >= MIN_PER_CATEGORY)
    return len(outcomes) >= MIN_PARTICIPANTS and bool(np.ptp(outcomes) > 0)


def fit_linear(
    inputs: NDArray[np.float64],
    outcomes: NDArray[np.float64],
    columns: NDArray[np.intp],
    is_binary: NDArray[np.bool_],
) -> LinearModel:
    """Fit one model per target: ridge regression, or logistic regression where `is_binary`.

    Parameters
    ----------
    inputs
        ``(n, n_inputs)``, no missing values.
    outcomes
        ``(n, n_targets)``, no missing values; 0 and 1 where `is_binary`.
    columns
        ``(n_targets,)``, kept in the model.
    is_binary
        ``(n_targets,)``.
    """
    center, scale = inputs.mean(axis=0), inputs.std(axis=0)
    scale = np.where(scale > 0, scale, 1.0)
    standardised = (inputs - center) / scale
    singular, axes = _principal_axes(standardised)
    along_axes = standardised @ axes
    del standardised  # of 40,000 participants and two modalities it is 160 MB
    intercepts = outcomes.mean(axis=0)
    penalties, coefficients = _ridge(along_axes, singular, outcomes - intercepts)
    spread = np.zeros_like(coefficients)
    for target in np.flatnonzero(is_binary):
        weight = intercepts[target] * (1.0 - intercepts[target])
        penalty = weight * penalties[target]
        coefficients[:, target], intercepts[target] = _logistic(along_axes, outcomes[:, target], penalty)
        spread[:, target] = 1.0 / (weight * singular**2 + penalty)
    return LinearModel(
        columns, center, axes / scale[:, None], coefficients, intercepts, is_binary, spread, np.zeros(len(columns))
    )


def _principal_axes(standardised: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """``S`` ``(n_axes,)`` and ``V`` ``(n_inputs, n_axes)`` from the smaller of ``Z'Z`` and ``ZZ'``.

    Of 120 participants with 2,048 latents that has 120 rows and not 2,048, and the time grows with their cube.
    """
    has_more_inputs = standardised.shape[1] > len(standardised)
    square = standardised @ standardised.T if has_more_inputs else standardised.T @ standardised
    variances, vectors = np.linalg.eigh(square)
    kept = variances > variances[-1] * 1e-9
    singular, vectors = np.sqrt(variances[kept]), vectors[:, kept]
    return singular, standardised.T @ vectors / singular if has_more_inputs else vectors


def _ridge(
    along_axes: NDArray[np.float64], singular: NDArray[np.float64], outcomes: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Penalty ``(n_targets,)`` with the smallest leave-one-out error, and its coefficients ``(n_axes, n_targets)``."""
    along = along_axes.T @ outcomes / singular[:, None]
    errors = np.zeros((len(PENALTIES), outcomes.shape[1]))
    for start in range(0, len(outcomes), ROWS_PER_STEP):
        rows = slice(start, start + ROWS_PER_STEP)
        u = along_axes[rows] / singular
        squared_u = u**2
        for number, penalty in enumerate(PENALTIES):
            shrinkage = singular**2 / (singular**2 + penalty)
            leverage = squared_u @ shrinkage + 1.0 / len(outcomes)  # the mean was fitted too
            residuals = (outcomes[rows] - u @ (shrinkage[:, None] * along)) / np.maximum(1.0 - leverage, 1e-9)[:, None]
            errors[number] += (residuals**2).sum(axis=0)
    penalties = PENALTIES[np.argmin(errors, axis=0)]
    return penalties, singular[:, None] * along / (singular[:, None] ** 2 + penalties)


def _logistic(
    along_axes: NDArray[np.float64], outcomes: NDArray[np.float64], penalty: float
) -> tuple[NDArray[np.float64], float]:
    """Coefficients ``(n_axes,)`` and intercept that minimise the log loss plus half the penalty times their squares."""
    from sklearn.linear_model import LogisticRegression

    model = LogisticRegression(C=1.0 / penalty, max_iter=2_000).fit(along_axes, outcomes)
    return model.coef_[0], float(model.intercept_[0])
