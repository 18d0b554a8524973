"""How good predictions are, with an interval that says how sure one can be of that."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from napari_latent_explorer.data.phenotype import PhenotypeSpec

N_BOOTSTRAPS = 300
Metric = Literal["r2", "auroc"]


@dataclass(frozen=True, slots=True)
class Score:
    """A score on held-out participants.

    Attributes
    ----------
    metric
        ``r2``: share of the variance explained, 0 for the mean, 1 at best. ``auroc``: chance that a positive
        participant is ranked above a negative one, 0.5 for guessing.
    value
        The score; NaN where no model could be fit.
    low, high
        95 % bootstrap interval over participants.
    n_participants
        How many it was measured on.
    """

    metric: Metric
    value: float
    low: float
    high: float
    n_participants: int


def metric_of(spec: PhenotypeSpec) -> Metric:
    """How predictions of this phenotype are scored."""
    return "auroc" if spec.kind == "binary" else "r2"


def no_score(spec: PhenotypeSpec) -> Score:
    """Score of a target that no model could be fit for."""
    return Score(metric_of(spec), np.nan, np.nan, np.nan, 0)


def r2(
    outcomes: NDArray[np.float64], predictions: NDArray[np.float64], weights: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Share of variance explained ``(n_weightings,)``.

    Parameters
    ----------
    outcomes, predictions
        ``(n,)``.
    weights
        ``(n_weightings, n)`` how often each participant counts.
    """
    n = weights.sum(axis=1)
    mean = weights @ outcomes / n
    total = weights @ outcomes**2 - n * mean**2
    return 1.0 - _ratio(weights @ (outcomes - predictions) ** 2, total)


def auroc(
    outcomes: NDArray[np.float64], predictions: NDArray[np.float64], weights: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Area under the ROC curve ``(n_weightings,)`` by the rank-sum formula; ties count one half.

    Parameters
    ----------
    outcomes
        ``(n,)`` 0 or 1.
    predictions
        ``(n,)`` larger for more likely positive.
    weights
        ``(n_weightings, n)`` how often each participant counts.
    """
    order = np.argsort(predictions, kind="stable")
    _, starts = np.unique(predictions[order], return_index=True)
    sorted_weights = weights[:, order]
    positives = np.add.reduceat(sorted_weights * outcomes[order], starts, axis=1)
    negatives = np.add.reduceat(sorted_weights * (1.0 - outcomes[order]), starts, axis=1)
    below = np.cumsum(negatives, axis=1) - negatives / 2.0
    return _ratio((positives * below).sum(axis=1), positives.sum(axis=1) * negatives.sum(axis=1))


def _ratio(numerator: NDArray[np.float64], denominator: NDArray[np.float64]) -> NDArray[np.float64]:
    """Quotient; NaN for a resampling that drew only one kind of outcome, and so can score nothing."""
    return np.divide(numerator, denominator, out=np.full_like(numerator, np.nan), where=denominator > 0)


def bootstrap_weights(n_participants: int, seed: int) -> NDArray[np.float64]:
    """Draw counts ``(1 + N_BOOTSTRAPS, n_participants)``: everybody once, then resampled with replacement."""
    drawn = np.random.default_rng(seed).integers(0, n_participants, (N_BOOTSTRAPS, n_participants))
    drawn += np.arange(N_BOOTSTRAPS)[:, None] * n_participants
    counts = np.bincount(drawn.ravel(), minlength=drawn.size).reshape(drawn.shape)
    return np.concatenate([np.ones((1, n_participants)), counts])


def score_predictions(
    metric: Metric, outcomes: NDArray[np.float64], predictions: NDArray[np.float64], weights: NDArray[np.float64]
) -> Score:
    """Score held-out predictions ``(n,)``, with the interval over the resamplings of `bootstrap_weights`."""
    values = auroc(outcomes, predictions, weights) if metric == "auroc" else r2(outcomes, predictions, weights)
    low, high = np.nanpercentile(values[1:], (2.5, 97.5))
    return Score(metric, float(values[0]), float(low), float(high), len(outcomes))
