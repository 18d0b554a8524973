"""Directions through latent space: which step of a vector means one gram, one year, one standard deviation.

The hard idea: two questions have two linear models, and neither answers the other's. How do the latents of people
differ who differ in a phenotype and in nothing else that was measured? That is the regression of the *latents* on the
phenotype and its covariates; its coefficient is a step per unit, and it lies among people, where decoders are at home.
What does a vector say of a phenotype? That is the regression of the *phenotype* on the latents: see `readers`.

References
----------
Haufe S et al (2014), On the interpretation of weight vectors of linear models, NeuroImage 87: the two models' relation.
Radhakrishnan A et al (2023), Cross-modal autoencoder framework, Supplementary Figure S4: differences of group means.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from napari_latent_explorer.data.arrays import read_only
from napari_latent_explorer.data.cohort import Cohort
from napari_latent_explorer.data.latents import LatentSpace
from napari_latent_explorer.data.phenotype import PhenotypeSpec
from napari_latent_explorer.errors import StudyError, TableError

DirectionMethod = Literal["regression", "means"]

MIN_PARTICIPANTS = 20
SD = "SD"


@dataclass(frozen=True, slots=True, eq=False)
class Direction:
    """A step through latent space.

    Attributes
    ----------
    name
        For people, e.g. ``LV mass``.
    vector
        ``(latent_dim,)`` float32: how a latent vector changes per `unit`.
    unit
        Of the slider: that of the phenotype, ``SD`` of a principal component, or empty for a share of the way between
        two vectors and from the first to the second category.
    spread
        The cohort's standard deviation along it, in `unit`.
    phenotype
        Which one it walks along, if one.
    """

    name: str
    vector: NDArray[np.float32]
    unit: str
    spread: float
    phenotype: str | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "vector", read_only(self.vector, np.float32))

    def moved(self, start: ArrayLike, amount: float) -> NDArray[np.float32]:
        """Vector ``(latent_dim,)`` that lies `amount` units from `start`."""
        return np.asarray(np.asarray(start, np.float32) + np.float32(amount) * self.vector)


def phenotype_direction(
    latents: LatentSpace,
    cohort: Cohort,
    phenotype: str,
    covariates: Sequence[str] = (),
    method: DirectionMethod = "regression",
) -> Direction:
    """Step per unit of a phenotype, for people who are alike in the covariates.

    Parameters
    ----------
    latents, cohort
        Who has no latents, or lacks the phenotype or a covariate, is left out.
    phenotype
        Continuous or binary.
    covariates
        Names; categorical ones become one column per category but the first.
    method
        ``regression``: coefficient of the phenotype in the regression of the latents on it and the covariates.
        ``means``: mean latents of the people above the median (of the second category) less those of the others, as in
        the paper's code, adjusted for the covariates by regression on which of the two a person belongs to; then
        divided by the difference of both groups' mean phenotype, so that a step is one unit here too.

    Raises
    ------
    TableError
        When a name is unknown, the phenotype is categorical, or is among its own covariates.
    StudyError
        When fewer than 20 people have everything, or the phenotype does not vary beside the covariates.
    """
    spec = _spec(cohort, phenotype)
    if phenotype in covariates:
        raise TableError(f"{spec.label or phenotype} cannot be adjusted for itself; leave it out of the covariates.")
    rows, values = known_rows(latents, cohort)
    outcome = cohort.values(phenotype)[rows]
    adjusting = _design(cohort, covariates)[rows]
    complete = np.isfinite(outcome) & np.isfinite(adjusting).all(axis=1)
    if complete.sum() < MIN_PARTICIPANTS + adjusting.shape[1]:
        raise StudyError(
            f"A direction needs {MIN_PARTICIPANTS + adjusting.shape[1]} participants with {latents.modality} latents, "
            f"{spec.label or phenotype} and all covariates; {complete.sum()} have them."
        )
    outcome, adjusting, values = outcome[complete], adjusting[complete], values[complete]
    side = outcome if method == "regression" else (outcome > _threshold(outcome, spec)).astype(np.float64)
    coefficient = _partial_coefficients(side, adjusting, values, spec)
    if method == "means":
        coefficient /= outcome[side == 1.0].mean() - outcome[side == 0.0].mean()
    unit = spec.unit if spec.kind == "continuous" else ""
    return Direction(spec.label or phenotype, coefficient.astype(np.float32), unit, float(outcome.std()), phenotype)


def _threshold(outcome: NDArray[np.float64], spec: PhenotypeSpec) -> float:
    return 0.5 if spec.kind == "binary" else float(np.median(outcome))


def _partial_coefficients(
    side: NDArray[np.float64], adjusting: NDArray[np.float64], values: NDArray[np.float64], spec: PhenotypeSpec
) -> NDArray[np.float64]:
    """Coefficients ``(latent_dim,)`` of `side`: what the covariates explain of it is taken out first."""
    design = np.column_stack([np.ones(len(side)), adjusting])
    residual = side - design @ np.linalg.lstsq(design, side, rcond=None)[0]
    if residual.std() < 1e-9 * max(float(np.abs(side).max()), 1e-300):
        raise StudyError(f"{spec.label or spec.name} does not vary among people who are alike in the covariates.")
    return np.asarray(residual @ values / (residual @ residual))


def principal_direction(latents: LatentSpace, number: int) -> Direction:
    """Axis of the `number`-th largest variance (from 0), one SD of the cohort long; its largest entry is positive."""
    if not 0 <= number < min(latents.latent_dim, len(latents.values) - 1):
        raise StudyError(f"There is no principal component {number + 1} of {latents.values.shape} latents.")
    centred = latents.values - latents.values.mean(axis=0, dtype=np.float64)
    variances, axes = np.linalg.eigh(centred.T @ centred / len(centred))
    axis, variance = axes[:, -1 - number], variances[-1 - number]
    axis = axis * np.sign(axis[np.abs(axis).argmax()]) * np.sqrt(max(variance, 0.0))
    return Direction(f"Principal component {number + 1}", axis.astype(np.float32), SD, 1.0)


def direction_between(latents: LatentSpace, start: ArrayLike, end: ArrayLike, name: str) -> Direction:
    """From one vector ``(latent_dim,)`` to another; a step is the whole way."""
    ends = [np.asarray(vector, np.float64) for vector in (start, end)]
    if any(vector.shape != (latents.latent_dim,) for vector in ends) or np.array_equal(ends[0], ends[1]):
        raise StudyError(f"{name}: a direction needs two different vectors of {latents.latent_dim} dimensions.")
    step = ends[1] - ends[0]
    along = (latents.values - latents.mean) @ (step / (step @ step))
    return Direction(name, step.astype(np.float32), "", float(along.std()))


def _spec(cohort: Cohort, name: str) -> PhenotypeSpec:
    spec = cohort.specs.get(name)
    if spec is None or spec.kind == "categorical":
        raise TableError(f"A direction follows a continuous or binary phenotype of the study, not {name!r}.")
    return spec


def known_rows(latents: LatentSpace, cohort: Cohort) -> tuple[NDArray[np.intp], NDArray[np.float64]]:
    """Rows in the cohort ``(n,)`` and vectors ``(n, latent_dim)`` of all who have latents."""
    return cohort.rows_of(latents.participant_ids), latents.values.astype(np.float64)


def _design(cohort: Cohort, covariates: Sequence[str]) -> NDArray[np.float64]:
    """Columns ``(n_participants, n_columns)`` of the covariates; NaN where one is missing."""
    columns = []
    for name in covariates:
        if name not in cohort.specs:
            raise TableError(f"The study has no phenotype {name!r} to adjust for.")
        if cohort.specs[name].kind != "categorical":
            columns.append(cohort.values(name))
            continue
        codes = cohort.codes(name)
        columns += [np.where(codes < 0, np.nan, codes == code) for code in range(1, len(cohort.specs[name].categories))]
    return np.stack(columns, axis=1) if columns else np.zeros((len(cohort), 0))
