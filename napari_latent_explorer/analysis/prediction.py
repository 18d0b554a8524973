"""Phenotypes predicted from latents, and how far to trust the predictions."""

from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from napari_latent_explorer.data.cohort import Cohort
from napari_latent_explorer.data.latents import LatentSpace
from napari_latent_explorer.data.phenotype import PhenotypeSpec
from napari_latent_explorer.data.progress import Progress

ROWS = ("MRI", "ECG", "MRI + ECG")


@dataclass(frozen=True, slots=True)
class Score:
    """Held-out score of one cell.

    Attributes
    ----------
    metric
        ``r2`` or ``auroc``.
    value, low, high
        The score over all held-out predictions and its 95 % bootstrap interval; NaN where nothing could be fit.
    n_participants
        How many it was measured on.
    """

    metric: str
    value: float
    low: float
    high: float
    n_participants: int


@dataclass(frozen=True, slots=True, eq=False)
class PredictionTable:
    """What one vector predicts.

    Attributes
    ----------
    rows
        ``MRI``, ``ECG``, ``MRI + ECG``.
    targets
        The predicted phenotypes.
    values, low, high
        ``(n_rows, n_targets)`` in the phenotype's unit with a 95 % prediction interval, or the probability of the
        positive category of a binary one with the 95 % interval of that probability; NaN where nothing could be fit.
    scores
        ``scores[row][target]`` held-out score of that cell.
    """

    rows: tuple[str, ...]
    targets: tuple[PhenotypeSpec, ...]
    values: NDArray[np.float64]
    low: NDArray[np.float64]
    high: NDArray[np.float64]
    scores: tuple[tuple[Score, ...], ...]


@dataclass(frozen=True, slots=True, eq=False)
class PredictorTable:
    """One predictor per row and target.

    Attributes
    ----------
    rows, targets, scores
        As in `PredictionTable`.
    """

    rows: tuple[str, ...]
    targets: tuple[PhenotypeSpec, ...]
    scores: tuple[tuple[Score, ...], ...]

    def predict(self, vectors: Mapping[str, ArrayLike]) -> PredictionTable:
        """Predict from one latent vector ``(latent_dim,)`` per modality."""
        empty = np.full((len(self.rows), len(self.targets)), np.nan)
        return PredictionTable(self.rows, self.targets, empty, empty, empty, self.scores)


def fit_predictors(
    latents_by_modality: Mapping[str, LatentSpace],
    cohort: Cohort,
    targets: Sequence[str] | None = None,
    seed: int = 0,
) -> Generator[Progress, None, PredictorTable]:
    """Fit one predictor per row and target."""
    specs = tuple(cohort.specs[name] for name in (targets or cohort.specs))
    yield Progress(0, 1, "Fitting predictors")
    score = Score("r2", np.nan, np.nan, np.nan, 0)
    return PredictorTable(ROWS, specs, tuple((score,) * len(specs) for _ in ROWS))
