"""Numbers that say how good latents and reconstructions are; arrays in, numbers out."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.floating]

N_FOLDS = 5
N_BOOTSTRAP = 500
_RIDGE_PENALTIES = np.logspace(-1, 5, 13)
_LOGISTIC_STRENGTH = 0.01
"""Inverse penalty of the logistic regression on standardised latents; strong, for as many latents as people."""


@dataclass(frozen=True, slots=True)
class Interval:
    """A score with its 95 % bootstrap interval over participants."""

    value: float
    low: float
    high: float


def phenotype_score(latents: Floats, target: Floats, *, is_binary: bool, seed: int) -> Interval:
    """R2 of a number or AUROC of a yes/no (0 and 1), predicted linearly from latents by people left out.

    Ridge or logistic regression on standardised latents in five folds; participants without the target are left out.
    NaN with fewer than ten people, or fewer than ten in a class.
    """
    known = np.isfinite(target)
    x, y = latents[known], target[known]
    too_few = len(y) < 2 * N_FOLDS or (is_binary and min(np.sum(y == 0), np.sum(y == 1)) < 2 * N_FOLDS)
    if too_few:
        return Interval(np.nan, np.nan, np.nan)
    predicted = _predict_left_out(x, y, is_binary=is_binary, seed=seed)
    score = area_under_curve if is_binary else r_squared
    random = np.random.default_rng(seed)
    samples = random.integers(len(y), size=(N_BOOTSTRAP, len(y)))
    values = [score(y[rows], predicted[rows]) for rows in samples]
    low, high = np.nanpercentile(values, [2.5, 97.5])
    return Interval(score(y, predicted), float(low), float(high))


def _predict_left_out(x: Floats, y: Floats, *, is_binary: bool, seed: int) -> NDArray[np.float64]:
    from sklearn.linear_model import LogisticRegression, RidgeCV
    from sklearn.model_selection import KFold, StratifiedKFold
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    folds = (StratifiedKFold if is_binary else KFold)(N_FOLDS, shuffle=True, random_state=seed)
    predicted = np.empty(len(y))
    for train, test in folds.split(x, y):
        if is_binary:
            model = make_pipeline(StandardScaler(), LogisticRegression(C=_LOGISTIC_STRENGTH, max_iter=500))
            predicted[test] = model.fit(x[train], y[train]).decision_function(x[test])
        else:
            model = make_pipeline(StandardScaler(), RidgeCV(_RIDGE_PENALTIES))
            predicted[test] = model.fit(x[train], y[train]).predict(x[test])
    return predicted


def r_squared(y: Floats, predicted: Floats) -> float:
    """Share of the variance that is explained, ``1 - SS_res / SS_tot``."""
    return float(1.0 - np.sum((y - predicted) ** 2) / np.sum((y - y.mean()) ** 2))


def area_under_curve(y: Floats, predicted: Floats) -> float:
    """Probability that a random positive is ranked above a random negative; ties count half."""
    from scipy.stats import rankdata

    n_positive = int(np.sum(y == 1))
    n_negative = len(y) - n_positive
    if not n_positive or not n_negative:
        return float("nan")
    rank_sum = float(rankdata(predicted)[y == 1].sum())
    return (rank_sum - n_positive * (n_positive + 1) / 2) / (n_positive * n_negative)


def retrieval_ranks(queries: Floats, keys: Floats) -> NDArray[np.int64]:
    """Rank ``(n,)``, from 1, of key *i* among all keys by cosine to query *i*; ties count against it."""
    a = queries / np.linalg.norm(queries, axis=1, keepdims=True)
    b = keys / np.linalg.norm(keys, axis=1, keepdims=True)
    cosines = a @ b.T
    ranks: NDArray[np.int64] = np.sum(cosines >= np.diagonal(cosines)[:, None], axis=1)
    return ranks


def fit_linear_map(source: Floats, goal: Floats) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Ridge regression between latent spaces: matrix ``(latent_dim, latent_dim)`` and offset ``(latent_dim,)``."""
    from sklearn.linear_model import RidgeCV

    model = RidgeCV(_RIDGE_PENALTIES / 10.0).fit(source, goal)
    return model.coef_.T, model.intercept_


def dice(truth: NDArray[np.uint8], found: NDArray[np.uint8], value: int) -> float:
    """Overlap ``2 |A and B| / (|A| + |B|)`` of one label value in two maps; NaN where neither has it."""
    a, b = truth == value, found == value
    size = int(a.sum()) + int(b.sum())
    return 2.0 * int((a & b).sum()) / size if size else float("nan")
