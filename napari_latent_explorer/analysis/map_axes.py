"""Does a map fall into two halves? How well one straight axis across it tells the two categories of a phenotype apart.

The hard idea: the axis is chosen by the very people whom it is asked about, and the best of all axes tells even random
categories apart a little. So everybody is placed on an axis that was chosen without them: the area under the ROC curve
is of held-out places, and of a phenotype that has nothing to do with the map it is 0.5.

Warnings
--------
A t-SNE map may bend what is one direction among the latents: that no straight axis separates two categories does not
say that the latents do not.

References
----------
Fisher RA (1936), Ann Eugen 7:179 (linear discriminant). Arlot S, Celisse A (2010), Stat Surv 4:40 (cross-validation).
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from napari_latent_explorer.analysis.projection import Projection
from napari_latent_explorer.analysis.scores import Score, bootstrap_weights, score_predictions
from napari_latent_explorer.data.arrays import read_only
from napari_latent_explorer.data.cohort import Cohort
from napari_latent_explorer.errors import StudyError, TableError

N_FOLDS = 5
MIN_PER_CATEGORY = 2 * N_FOLDS


@dataclass(frozen=True, slots=True, eq=False)
class MapAxis:
    """The straight axis of a map along which a binary phenotype changes most.

    Attributes
    ----------
    direction
        ``(2,)`` of length 1 in map coordinates, towards the positive category.
    threshold
        Where the two categories meet: midway between their means on the axis.
    score
        Area under the ROC curve of held-out participants, 0.5 for a map that knows nothing of the phenotype.
    """

    direction: NDArray[np.float64]
    threshold: float
    score: Score

    def positions(self, coordinates: NDArray[np.floating]) -> NDArray[np.float64]:
        """Places ``(n,)`` along the axis of places ``(n, 2)`` on the map, 0 where the categories meet."""
        along: NDArray[np.float64] = np.asarray(coordinates, np.float64) @ self.direction - self.threshold
        return along


def best_axis(projection: Projection, cohort: Cohort, phenotype: str, seed: int = 0) -> MapAxis:
    """Find the axis of a map along which a binary phenotype changes most, and how well it separates the categories.

    Parameters
    ----------
    projection
        The map; who has no place on it, or no value, is left out.
    cohort
        Has the phenotype.
    phenotype
        Name of a binary phenotype.
    seed
        Settles folds and bootstrap samples.

    Raises
    ------
    TableError
        When the phenotype is unknown or not binary.
    StudyError
        When a category has too few people on the map to hold some of them out.
    """
    spec = cohort.specs.get(phenotype)
    if spec is None or spec.kind != "binary":
        known = ", ".join(name for name, one in cohort.specs.items() if one.kind == "binary")
        raise TableError(
            f"An axis separates two categories, but {phenotype!r} is no binary phenotype; these are: {known}."
        )
    outcomes = cohort.values(phenotype)[cohort.rows_of(projection.participant_ids)]
    places = projection.coordinates.astype(np.float64)
    usable = np.isfinite(outcomes) & np.isfinite(places).all(axis=1)
    outcomes, places = outcomes[usable], places[usable]
    for category, name in enumerate(spec.categories):
        if (n := int((outcomes == category).sum())) < MIN_PER_CATEGORY:
            raise StudyError(
                f"Only {n} on the {projection.name} map have {spec.label or spec.name} {name!r}; an axis needs at "
                f"least {MIN_PER_CATEGORY} of each category."
            )
    direction, threshold = _discriminant(places, outcomes)
    held_out = _held_out_positions(places, outcomes, seed)
    weights = bootstrap_weights(len(outcomes), seed)
    return MapAxis(read_only(direction), threshold, score_predictions("auroc", outcomes, held_out, weights))


def _discriminant(places: NDArray[np.float64], outcomes: NDArray[np.float64]) -> tuple[NDArray[np.float64], float]:
    """Fisher's direction ``(2,)`` of length 1, and the point on it midway between the means."""
    negative, positive = places[outcomes == 0], places[outcomes == 1]
    means = negative.mean(axis=0), positive.mean(axis=0)
    within = np.cov(negative.T, bias=True) * len(negative) + np.cov(positive.T, bias=True) * len(positive)
    within += np.eye(2) * max(1e-9 * np.trace(within), np.finfo(float).tiny)  # a map may be a line
    direction = np.linalg.solve(within, means[1] - means[0])
    length = np.linalg.norm(direction)
    direction = direction / length if length > 0 else np.array([1.0, 0.0])
    return direction, float(direction @ (means[0] + means[1]) / 2.0)


def _held_out_positions(places: NDArray[np.float64], outcomes: NDArray[np.float64], seed: int) -> NDArray[np.float64]:
    """Places ``(n,)`` on axes that were found without the people placed; each fold has its share of both categories."""
    folds = np.empty(len(outcomes), np.intp)
    rng = np.random.default_rng(seed)
    for category in (0, 1):
        rows = np.flatnonzero(outcomes == category)
        folds[rng.permutation(rows)] = np.arange(len(rows)) % N_FOLDS
    positions = np.empty(len(outcomes))
    for fold in range(N_FOLDS):
        test = folds == fold
        direction, threshold = _discriminant(places[~test], outcomes[~test])
        positions[test] = places[test] @ direction - threshold
    return positions
