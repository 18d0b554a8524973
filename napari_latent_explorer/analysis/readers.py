"""What latent vectors say of phenotypes, for walks: what a direction moves, how sure that is, and what can stand still.

The hard idea: whoever reads the walk must not be who laid it. A direction and a reader that were fit to the same people
agree on those people's noise. So the effect of a direction is taken crosswise: people are divided into halves, the
direction of each is read by the readers of the other. Its interval comes from doing that again without each tenth of
the people (delete-a-group jackknife), which counts the doubt in the direction and in the readers together.

References
----------
Chernozhukov V et al (2018), Double/debiased machine learning: cross-fitting.
Shao J, Tu D (1995), The Jackknife and Bootstrap, section 2.3: delete-d jackknife.
"""

from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from napari_latent_explorer.analysis.blas import one_blas_thread
from napari_latent_explorer.analysis.directions import MIN_PARTICIPANTS, Direction
from napari_latent_explorer.analysis.linear_model import fit_linear
from napari_latent_explorer.analysis.prediction import blocks_of_same_people
from napari_latent_explorer.data.cohort import Cohort
from napari_latent_explorer.data.latents import LatentSpace
from napari_latent_explorer.data.phenotype import PhenotypeSpec
from napari_latent_explorer.data.progress import Progress
from napari_latent_explorer.errors import StudyError, TableError

N_GROUPS = 10
T_95 = 2.262157
"""Half width of a 95 % interval in standard errors, of Student's t with `N_GROUPS` - 1 degrees of freedom."""
MIN_LEFT = 0.02
"""Least share of a direction's own effect that must be left when other phenotypes stand still."""


@dataclass(frozen=True, slots=True, eq=False)
class Readers:
    """Linear predictors of phenotypes from the latents of one modality.

    Attributes
    ----------
    targets
        Continuous and binary phenotypes; those of too few people are left out.
    weights
        ``(latent_dim, n_targets)``: change of each phenotype, in its unit (a binary one: of its probability, linear),
        per latent dimension.
    spreads
        ``(n_targets,)`` the cohort's standard deviations.
    covariance
        ``(latent_dim, latent_dim)`` of the latents.
    """

    targets: tuple[PhenotypeSpec, ...]
    weights: NDArray[np.float64]
    spreads: NDArray[np.float64]
    covariance: NDArray[np.float64]

    def changes(self, direction: Direction) -> NDArray[np.float64]:
        """Change ``(n_targets,)`` of each phenotype per unit of a direction."""
        return np.asarray(direction.vector.astype(np.float64) @ self.weights)

    def without(self, direction: Direction, names: Sequence[str]) -> Direction:
        """Take out of a direction what moves other phenotypes, and keep its change of its own.

        Of all steps along which the readers of `names` stand still the nearest is taken, near in the sense of
        Mahalanobis: what is given up is given up where people vary most, so the walk stays among people.

        Raises
        ------
        TableError
            When a name is unknown, or the direction's own.
        StudyError
            When less than 2 % of the direction's own effect is left.
        """
        if direction.phenotype in names:
            raise TableError(f"{direction.name} cannot stand still on a walk along it; leave it out.")
        if not names:
            return direction
        held = self.weights[:, [self._column(name) for name in names]]
        spread = self.covariance @ held
        step = direction.vector.astype(np.float64)
        kept = step - spread @ np.linalg.lstsq(held.T @ spread, held.T @ step, rcond=None)[0]
        if direction.phenotype is not None:
            own = self.weights[:, self._column(direction.phenotype)]
            before, after = own @ step, own @ kept
            if abs(after) < MIN_LEFT * abs(before):
                raise StudyError(
                    f"Nothing is left of {direction.name} when {', '.join(names)} stand still: "
                    "this model does not tell them apart. Hold fewer."
                )
            kept *= before / after
        return replace(direction, vector=kept.astype(np.float32))

    def _column(self, name: str) -> int:
        for column, spec in enumerate(self.targets):
            if spec.name == name:
                return column
        raise TableError(f"No predictor of {name!r}; there are {', '.join(spec.name for spec in self.targets)}.")


def fit_readers(latents: LatentSpace, cohort: Cohort) -> Readers:
    """Ridge regression of each continuous or binary phenotype on the latents of one modality."""
    rows, values = cohort.rows_of(latents.participant_ids), latents.values.astype(np.float64)
    specs = [spec for spec in cohort.specs.values() if spec.kind != "categorical"]
    known = np.stack([cohort.values(spec.name)[rows] for spec in specs], axis=1) if specs else np.zeros((len(rows), 0))
    targets, weights, spreads = [], [np.zeros((latents.latent_dim, 0))], [np.zeros(0)]
    for columns in blocks_of_same_people(known, specs):
        present = np.isfinite(known[:, columns[0]])
        outcomes = known[present][:, columns]
        with one_blas_thread():
            model = fit_linear(values[present], outcomes, columns, np.zeros(len(columns), np.bool_))
        targets += [specs[column] for column in columns]
        weights.append(model.axes @ model.coefficients)
        spreads.append(outcomes.std(axis=0))
    covariance = np.atleast_2d(np.cov(values, rowvar=False))
    return Readers(tuple(targets), np.concatenate(weights, axis=1), np.concatenate(spreads), covariance)


@dataclass(frozen=True, slots=True)
class DirectionEffect:
    """What one unit of a direction changes of one phenotype, as read by predictors of other people.

    Attributes
    ----------
    phenotype
        Which one.
    per_unit, low, high
        In the phenotype's unit (a binary one's probability) per unit of the direction, with a 95 % interval.
    per_spread
        In standard deviations of the phenotype, for a walk of one standard deviation of the direction.
    """

    phenotype: PhenotypeSpec
    per_unit: float
    low: float
    high: float
    per_spread: float

    @property
    def is_sure(self) -> bool:
        """Whether the interval leaves out zero."""
        return self.low > 0.0 or self.high < 0.0


def measure_effects(
    latents: LatentSpace, cohort: Cohort, fit_direction: Callable[[LatentSpace], Direction], seed: int = 0
) -> Generator[Progress, None, tuple[DirectionEffect, ...]]:
    """Measure what a direction changes, its own phenotype and all others.

    Parameters
    ----------
    latents, cohort
        Of everybody.
    fit_direction
        Makes the direction from the latents of some people, e.g. `phenotype_direction` with the rest given.
    seed
        Settles the halves and tenths.

    Yields
    ------
    Progress
        After each of eleven rounds.

    Raises
    ------
    StudyError
        When there are too few people for halves.
    """
    n = len(latents.values)
    if n < 4 * MIN_PARTICIPANTS:
        raise StudyError(f"Effects of a direction need {4 * MIN_PARTICIPANTS} participants with latents, not {n}.")
    tenth = np.random.default_rng(seed).permutation(n) % N_GROUPS
    half = np.random.default_rng(seed + 1).permutation(n) % 2
    direction = fit_direction(latents)
    rounds = []
    for left_out in (-1, *range(N_GROUPS)):
        yield Progress(left_out + 1, N_GROUPS + 1, f"What else moves with {direction.name}")
        parts = [_rows(latents, (half == side) & (tenth != left_out)) for side in (0, 1)]
        rounds.append(_crosswise(parts, cohort, fit_direction))
    whole, *others = rounds
    effects = []
    for name, (spec, change, spread) in whole.items():
        again = np.array([one[name][1] for one in others if name in one])
        error = np.sqrt((N_GROUPS - 1) / N_GROUPS * ((again - again.mean()) ** 2).sum())
        margin = T_95 * float(error) if len(again) == N_GROUPS else np.inf
        per_spread = change * direction.spread / spread
        effects.append(DirectionEffect(spec, change, change - margin, change + margin, per_spread))
    return tuple(effects)


def _rows(latents: LatentSpace, mask: NDArray[np.bool_]) -> LatentSpace:
    return LatentSpace(
        latents.values[mask], latents.participant_ids[mask], latents.modality, latents.bundle_fingerprint
    )


def _crosswise(
    parts: Sequence[LatentSpace], cohort: Cohort, fit_direction: Callable[[LatentSpace], Direction]
) -> dict[str, tuple[PhenotypeSpec, float, float]]:
    """Change per unit and spread of each phenotype that both halves' readers know."""
    readings: dict[str, list[tuple[PhenotypeSpec, float, float]]] = {}
    for fitting, reading in (parts, parts[::-1]):
        readers = fit_readers(reading, cohort)
        changes = readers.changes(fit_direction(fitting))
        for spec, change, spread in zip(readers.targets, changes, readers.spreads, strict=True):
            readings.setdefault(spec.name, []).append((spec, float(change), float(spread)))
    return {
        name: (both[0][0], (both[0][1] + both[1][1]) / 2, (both[0][2] + both[1][2]) / 2)
        for name, both in readings.items()
        if len(both) == len(parts)
    }
