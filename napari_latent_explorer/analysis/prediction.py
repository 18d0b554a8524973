"""Phenotypes predicted from latents, and how far to trust the predictions.

One linear model per row (MRI, ECG, both) and target: ridge regression for numbers, logistic regression for yes or no
(see `linear_model`). Targets that are known of the same participants are fit together.

All scores are of held-out participants: five folds, each predicted by a model that has not seen it (neither for its
standardisation nor for its shrinkage). Intervals of scores are bootstrapped over participants.

Warnings
--------
Each row must be given a vector of its own modality: encoders that share a space can still put one person in two places
of it. The prediction interval assumes residuals of equal spread everywhere.
"""

from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from napari_latent_explorer.analysis.blas import one_blas_thread
from napari_latent_explorer.analysis.linear_model import LinearModel, can_fit, fit_linear, sigmoid
from napari_latent_explorer.analysis.scores import Score, bootstrap_weights, metric_of, no_score, score_predictions
from napari_latent_explorer.data.arrays import read_only
from napari_latent_explorer.data.cohort import Cohort
from napari_latent_explorer.data.latents import LatentSpace
from napari_latent_explorer.data.phenotype import PhenotypeSpec
from napari_latent_explorer.data.progress import Progress
from napari_latent_explorer.errors import StudyError, TableError

ROW_MODALITIES: Mapping[str, tuple[str, ...]] = {"MRI": ("mri",), "ECG": ("ecg",), "MRI + ECG": ("mri", "ecg")}
N_FOLDS = 5


@dataclass(frozen=True, slots=True, eq=False)
class PredictionTable:
    """What one vector predicts.

    Attributes
    ----------
    rows
        Names of the inputs: ``MRI``, ``ECG``, ``MRI + ECG``, as far as there are latents.
    targets
        The predicted phenotypes.
    values, low, high
        ``(n_rows, n_targets)``. Of a continuous phenotype the value in its unit with a 95 % prediction interval for one
        person; of a binary one the probability of its positive category with a 95 % interval for that probability. NaN
        where no model could be fit.
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
class HeldOut:
    """What was predicted of people by models that have not seen them.

    Attributes
    ----------
    participant_ids
        ``(n,)`` who has the latents.
    values
        ``(n,)`` of one target, or ``(n, n_targets)`` of all: value in the unit of a continuous phenotype, probability
        of a binary one. Of who has the phenotype by the model of the other four folds, of all others by the model of
        all who have it; NaN where no model could be fit.
    """

    participant_ids: NDArray[np.str_]
    values: NDArray[np.float32]


@dataclass(frozen=True, slots=True, eq=False)
class PredictorTable:
    """One model per row and target, with its held-out score.

    Attributes
    ----------
    rows, targets, scores
        As in `PredictionTable`.
    models
        ``models[row]``: the models of that row, each for the targets in its columns (those that are known of the same
        participants are fit together).
    held_out
        ``held_out[row]``: predictions of all participants who have the row's latents.
    """

    rows: tuple[str, ...]
    targets: tuple[PhenotypeSpec, ...]
    scores: tuple[tuple[Score, ...], ...]
    models: tuple[tuple[LinearModel, ...], ...]
    held_out: tuple[HeldOut, ...]

    def held_out_of(self, phenotype: str, row: str) -> HeldOut | None:
        """Look up what was predicted of a phenotype from a row's latents; None where no model could be fit."""
        column = next((number for number, spec in enumerate(self.targets) if spec.name == phenotype), None)
        if column is None or row not in self.rows:
            return None
        every = self.held_out[self.rows.index(row)]
        values = every.values[:, column]
        return HeldOut(every.participant_ids, values) if np.isfinite(values).any() else None

    def predict(self, vectors: Mapping[str, ArrayLike]) -> PredictionTable:
        """Predict from one latent vector ``(latent_dim,)`` per modality; a row that lacks one is NaN."""
        values, low, high = np.full((3, len(self.rows), len(self.targets)), np.nan)
        for row, name in enumerate(self.rows):
            if all(modality in vectors for modality in ROW_MODALITIES[name]):
                inputs = np.concatenate([np.asarray(vectors[one], np.float64) for one in ROW_MODALITIES[name]])
                for model in self.models[row]:
                    columns = model.columns
                    values[row, columns], low[row, columns], high[row, columns] = model.predict_interval(inputs)
        return PredictionTable(self.rows, self.targets, values, low, high, self.scores)


def fit_predictors(
    latents_by_modality: Mapping[str, LatentSpace],
    cohort: Cohort,
    targets: Sequence[str] | None = None,
    seed: int = 0,
) -> Generator[Progress, None, PredictorTable]:
    """Fit one predictor per row and target, and score each on held-out participants.

    Parameters
    ----------
    latents_by_modality
        ``{"mri": ..., "ecg": ...}``; one may be missing, then only the other's row is made.
    cohort
        Has the phenotypes.
    targets
        Names of continuous or binary phenotypes; by default all of these.
    seed
        Settles folds and bootstraps.

    Yields
    ------
    Progress
        After each fold.

    Raises
    ------
    TableError
        When a target is unknown or categorical.
    StudyError
        When there are no latents.
    """
    specs = _target_specs(cohort, targets)
    rows = {name: keys for name, keys in ROW_MODALITIES.items() if all(key in latents_by_modality for key in keys)}
    if not rows:
        raise StudyError("Predictors are fit from latents, but this study has none of this model; encode it first.")
    outcomes = _outcomes(cohort, specs)
    all_scores, all_models, all_held_out = [], [], []
    for number, (name, modalities) in enumerate(rows.items()):
        ids, inputs = _inputs([latents_by_modality[modality] for modality in modalities], cohort)
        known = outcomes[cohort.rows_of(ids)]
        scores, models = [no_score(spec) for spec in specs], []
        predicted = np.full(known.shape, np.nan, dtype=np.float32)
        for columns in blocks_of_same_people(known, specs):
            progress = Progress(number, len(rows), f"Predicting {len(columns)} phenotypes from {name}")
            model, block_scores, values = yield from _fit_block(inputs, known, columns, specs, seed, progress)
            models.append(model)
            predicted[:, columns] = values
            for column, score in zip(columns.tolist(), block_scores, strict=True):
                scores[column] = score
        all_scores.append(tuple(scores))
        all_models.append(tuple(models))
        all_held_out.append(HeldOut(np.array(ids, np.str_), read_only(predicted)))
    return PredictorTable(tuple(rows), specs, tuple(all_scores), tuple(all_models), tuple(all_held_out))


def _target_specs(cohort: Cohort, targets: Sequence[str] | None) -> tuple[PhenotypeSpec, ...]:
    if targets is None:
        return tuple(spec for spec in cohort.specs.values() if spec.kind != "categorical")
    unfit = [name for name in targets if name not in cohort.specs or cohort.specs[name].kind == "categorical"]
    if unfit:
        raise TableError(f"Only the study's continuous and binary phenotypes can be predicted, not {', '.join(unfit)}.")
    return tuple(cohort.specs[name] for name in targets)


def _outcomes(cohort: Cohort, specs: Sequence[PhenotypeSpec]) -> NDArray[np.float64]:
    """Values ``(n_participants, n_targets)``, NaN where missing."""
    columns = [cohort.values(spec.name) for spec in specs]
    return np.stack(columns, axis=1) if columns else np.empty((len(cohort), 0))


def _inputs(spaces: Sequence[LatentSpace], cohort: Cohort) -> tuple[list[str], NDArray[np.float64]]:
    """Who has all the latents, and their vectors side by side ``(n, sum of latent_dims)``."""
    have = [set(space.participant_ids.tolist()) for space in spaces]
    ids = [one for one in cohort.participant_ids.tolist() if all(one in known for known in have)]
    return ids, np.concatenate([space.of(ids) for space in spaces], axis=1).astype(np.float64)


def blocks_of_same_people(outcomes: NDArray[np.float64], specs: Sequence[PhenotypeSpec]) -> list[NDArray[np.intp]]:
    """Columns of ``(n, n_columns)`` that are fit together: those known of the same people share the costly part.

    Those of too few people are left out.
    """
    blocks: dict[bytes, list[int]] = {}
    for column, spec in enumerate(specs):
        present = np.isfinite(outcomes[:, column])
        if can_fit(outcomes[present, column], spec.kind == "binary"):
            blocks.setdefault(present.tobytes(), []).append(column)
    return [np.array(columns) for columns in blocks.values()]


def _fit_block(
    inputs: NDArray[np.float64],
    outcomes: NDArray[np.float64],
    columns: NDArray[np.intp],
    specs: Sequence[PhenotypeSpec],
    seed: int,
    progress: Progress,
) -> Generator[Progress, None, tuple[LinearModel, list[Score], NDArray[np.float64]]]:
    """Fit the targets of one block on all who have them, and score them on held-out folds; reports after each.

    Also gives what is predicted ``(n, n_targets)`` of each by a model that has not seen them.
    """
    is_binary = np.array([specs[column].kind == "binary" for column in columns])
    present = np.isfinite(outcomes[:, columns[0]])
    x, y = inputs[present], outcomes[present][:, columns]
    folds = np.random.default_rng(seed).permutation(len(y)) % N_FOLDS
    held_out = np.empty_like(y)
    for fold in range(N_FOLDS):
        test = folds == fold
        with one_blas_thread():
            held_out[test] = fit_linear(x[~test], y[~test], columns, is_binary).linear(x[test])
        yield progress
    with one_blas_thread():
        model = fit_linear(x, y, columns, is_binary).with_residual_sd(np.std(y - held_out, axis=0))
        weights = bootstrap_weights(len(y), seed)
        scores = [
            score_predictions(metric_of(specs[column]), y[:, number], held_out[:, number], weights)
            for number, column in enumerate(columns)
        ]
    predicted = model.linear(inputs)
    predicted[present] = held_out
    predicted[:, is_binary] = sigmoid(predicted[:, is_binary])
    return model, scores, predicted
