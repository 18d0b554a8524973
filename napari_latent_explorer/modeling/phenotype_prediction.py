"""Phenotypes predicted from latents as in the paper: who teaches, who chooses, who is scored, and by which regression.

The people whom no autoencoder has learned from are divided by participant into 75 % to learn from, 12.5 % to choose
penalties (or when to stop) by, and 12.5 % to score on, once for all phenotypes and all latents. Numbers are predicted
by ridge regression and yes or no by logistic regression whose classes weigh *n / r* and *n / (n - r)* for *r* positives
among *n*; both also by kernel regression with the neural tangent kernel. Intervals, also of differences between two
kinds of latents, are bootstrapped over the scored people, by the same draws for all.
"""

from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from napari_latent_explorer.analysis.linear_model import PENALTIES
from napari_latent_explorer.analysis.scores import auroc, bootstrap_weights, metric_of, r2
from napari_latent_explorer.data.phenotype import PhenotypeSpec
from napari_latent_explorer.data.progress import Progress
from napari_latent_explorer.modeling.kernel_regression import fit_kernel_regression

SHARES = (0.75, 0.125)
"""Of the people held out, to learn from and to choose by; the rest is scored."""
STRENGTHS = (1e-5, 1e-4, 1e-3, 1e-2)
"""Inverse penalties of the logistic regression to choose from, on standardised inputs."""
MIN_PER_CLASS = 5
MIN_PEOPLE = 10

Floats = NDArray[np.float64]
LatentsByModel = Mapping[tuple[str, str], NDArray[np.floating]]
"""Inputs ``(n, latent_dim)`` of the same people by model and modality."""
METRICS = {"r2": "R2", "auroc": "AUROC"}


@dataclass(frozen=True, slots=True, eq=False)
class LabelledSplit:
    """Rows of the held-out people, divided.

    Attributes
    ----------
    train, valid, test
        Rows to learn from, to choose by, to score on.
    """

    train: NDArray[np.intp]
    valid: NDArray[np.intp]
    test: NDArray[np.intp]

    @classmethod
    def of(cls, n: int) -> "LabelledSplit":
        """Divide `n` people who are in random order already."""
        rows = np.arange(n)
        first, second = round(SHARES[0] * n), round(sum(SHARES) * n)
        return cls(rows[:first], rows[first:second], rows[second:])

    def table(self, participant_ids: NDArray[np.str_]) -> pd.DataFrame:
        """One row per person: the id, and ``train``, ``valid`` or ``test``."""
        parts = {"train": self.train, "valid": self.valid, "test": self.test}
        rows = [{"participant_id": str(one), "part": part} for part, r in parts.items() for one in participant_ids[r]]
        return pd.DataFrame(rows, columns=["participant_id", "part"])

    def first(self, n_train: int) -> "LabelledSplit":
        """Learn from the first `n_train` only."""
        return LabelledSplit(self.train[:n_train], self.valid, self.test)


def outcomes_of(specs: Sequence[PhenotypeSpec], values: Mapping[str, Floats], split: LabelledSplit) -> Floats:
    """Outcomes ``(n, n_targets)``; a column is NaN throughout when a part has too few people, or of one kind."""
    columns = []
    for spec in specs:
        column = np.array(values[spec.name], dtype=np.float64)
        if not all(_suffices(column[rows], spec) for rows in (split.train, split.valid, split.test)):
            column[:] = np.nan
        columns.append(column)
    return np.stack(columns, axis=1) if columns else np.empty((0, 0))


def _suffices(column: Floats, spec: PhenotypeSpec) -> bool:
    known = column[np.isfinite(column)]
    if spec.kind == "binary":
        return bool(min((known == 0).sum(), (known == 1).sum()) >= MIN_PER_CLASS)
    return len(known) >= MIN_PEOPLE and bool(np.ptp(known) > 0)


def predict_phenotypes(
    latents: LatentsByModel,
    outcomes: Floats,
    specs: Sequence[PhenotypeSpec],
    split: LabelledSplit,
    *,
    depth: int = 1,
    seed: int = 0,
) -> Generator[Progress, None, tuple[pd.DataFrame, pd.DataFrame]]:
    """Score every regression from every kind of latents, and what the first kind gains over the others.

    Parameters
    ----------
    latents
        Inputs by model and modality.
    outcomes, specs
        ``(n, n_targets)`` of `outcomes_of`, and what they are.
    split
        Rows of both.
    depth
        Hidden layers of the kernel's network.
    seed
        Settles bootstrap samples.

    Returns
    -------
    tuple
        Scores, one row per model, latents, phenotype and regression; and per latents and phenotype the difference
        between the first model and each other, by kernel regression.
    """
    usable = np.flatnonzero(np.isfinite(outcomes).any(axis=0))
    chosen = [specs[column] for column in usable.tolist()]
    known = outcomes[:, usable]
    rows, spread = [], {}
    for number, ((model, modality), values) in enumerate(latents.items()):
        prefix = Progress(number, len(latents), f"predicting phenotypes from {modality}, {model}")
        yield prefix
        predicted = {"linear": (yield from _linear(values, known, chosen, split, prefix))}
        if chosen:
            predicted["ntk"] = yield from _kernel(values, known, split, depth, prefix)
        for name, found in predicted.items():
            for column, spec in enumerate(chosen):
                draws, n_test = _draws(known[split.test, column], found[:, column], spec, seed)
                spread[model, modality, spec.name, name] = draws
                rows.append(
                    {"model": model, "latents": modality, "phenotype": spec.name}
                    | {"regression": _name(name, spec), "metric": METRICS[metric_of(spec)]}
                    | _interval(draws)
                    | {"n_train": int(np.isfinite(known[split.train, column]).sum()), "n_test": n_test}
                )
    columns = ["model", "latents", "phenotype", "regression", "metric", "value", "low", "high", "n_train", "n_test"]
    return pd.DataFrame(rows, columns=columns), _gains(spread, chosen)


def _name(regression: str, spec: PhenotypeSpec) -> str:
    if regression == "ntk":
        return "NTK"
    return "logistic" if spec.kind == "binary" else "ridge"


def _draws(truth: Floats, predicted: Floats, spec: PhenotypeSpec, seed: int) -> tuple[Floats, int]:
    """Score of everybody, then of each bootstrap sample of those whose outcome is known."""
    known = np.isfinite(truth)
    weights = bootstrap_weights(int(known.sum()), seed)
    score = auroc if metric_of(spec) == "auroc" else r2
    return score(truth[known], predicted[known], weights), int(known.sum())


def _interval(draws: Floats) -> dict[str, float]:
    low, high = np.nanpercentile(draws[1:], (2.5, 97.5))
    return {"value": float(draws[0]), "low": float(low), "high": float(high)}


def _gains(spread: Mapping[tuple[str, str, str, str], Floats], specs: Sequence[PhenotypeSpec]) -> pd.DataFrame:
    """Difference of scores on the same bootstrap samples, first model minus other."""
    models = list(dict.fromkeys(model for model, *_ in spread))
    modalities = list(dict.fromkeys(modality for _, modality, *_ in spread))
    rows = []
    for other in models[1:]:
        for modality in modalities:
            for spec in specs:
                one, two = (spread.get((model, modality, spec.name, "ntk")) for model in (models[0], other))
                if one is not None and two is not None:
                    row = {"model": models[0], "than": other, "latents": modality, "phenotype": spec.name}
                    rows.append(row | {"metric": METRICS[metric_of(spec)]} | _interval(one - two))
    return pd.DataFrame(rows, columns=["model", "than", "latents", "phenotype", "metric", "value", "low", "high"])


# --------------------------------------------------------------------------------------------------------- regressions


def _kernel(
    x: NDArray[np.floating], y: Floats, split: LabelledSplit, depth: int, prefix: Progress
) -> Generator[Progress, None, Floats]:
    work = fit_kernel_regression(x[split.train], y[split.train], x[split.valid], y[split.valid], depth=depth)
    while True:
        try:
            inner = next(work)
        except StopIteration as stop:
            predicted: Floats = stop.value.predict(x[split.test])
            return predicted
        yield Progress(prefix.done, prefix.total, f"{prefix.message}: {inner.message}")


def _linear(
    x: NDArray[np.floating], y: Floats, specs: Sequence[PhenotypeSpec], split: LabelledSplit, prefix: Progress
) -> Generator[Progress, None, Floats]:
    """Predictions ``(n_test, n_targets)`` by ridge or logistic regression on standardised inputs."""
    center, scale = x[split.train].mean(axis=0, dtype=np.float64), x[split.train].std(axis=0, dtype=np.float64)
    z = (x - center) / np.where(scale > 0, scale, 1.0)
    predicted = np.empty((len(split.test), len(specs)))
    for column, spec in enumerate(specs):
        train, valid = (rows[np.isfinite(y[rows, column])] for rows in (split.train, split.valid))
        fit = _logistic if spec.kind == "binary" else _ridge
        predicted[:, column] = fit(z[train], y[train, column], z[valid], y[valid, column], z[split.test])
        yield prefix
    return predicted


def _ridge(x: Floats, y: Floats, x_valid: Floats, y_valid: Floats, x_test: Floats) -> Floats:
    center, offset = x.mean(axis=0), y.mean()
    u, singular, axes = np.linalg.svd(x - center, full_matrices=False)
    along = u.T @ (y - offset)
    best, error = np.zeros(x.shape[1]), np.inf
    for penalty in PENALTIES:
        coefficients = axes.T @ (singular * along / (singular**2 + penalty))
        now = np.mean(((x_valid - center) @ coefficients + offset - y_valid) ** 2)
        if now < error:
            best, error = coefficients, now
    return np.asarray((x_test - center) @ best + offset)


def _logistic(x: Floats, y: Floats, x_valid: Floats, y_valid: Floats, x_test: Floats) -> Floats:
    """Logits; the penalty is chosen by the AUROC of the validation people."""
    from sklearn.linear_model import LogisticRegression

    n, r = len(y), float(y.sum())
    weights = {0: n / (n - r), 1: n / r}
    best, score = np.zeros(len(x_test)), -np.inf
    for strength in STRENGTHS:
        model = LogisticRegression(C=strength, class_weight=weights, max_iter=2_000, tol=1e-3)
        model.fit(x, y)
        now = float(auroc(y_valid, model.decision_function(x_valid), np.ones((1, len(y_valid))))[0])
        if now > score:
            best, score = model.decision_function(x_test), now
    return np.asarray(best)
