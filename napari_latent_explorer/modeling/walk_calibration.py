"""What a walk along a direction changes of decoded hearts, by the ruler instead of by prediction.

The hard idea: a slider in grams says what is read from the vector by a linear model of people. A decoder need not draw
that many: directions that are means over people point a little away from each person's own, and what lies off the
people's paths is drawn as if it lay on them. So hearts of some people are decoded on both sides of where they are, and
their ventricles are measured. What one unit of the slider changes differs from heart to heart, and in one heart between
there and back, therefore there are two intervals: of the mean of all hearts, and of one heart more, taken to one side,
which nobody has measured.

References
----------
Hahn G J, Meeker W Q (1991), Statistical Intervals, section 4.7: interval that holds one future observation.

Warnings
--------
Volume and mass are taken from one plane (see `analysis.measurement`), so a measured gram is not one of a short-axis
stack. Beyond two standard deviations to either side nothing was measured. The mean of many people is not one of them;
its heart can change by more, or less, than the interval for one heart says.
"""

import hashlib
import math
from collections.abc import Callable, Generator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
from numpy.typing import NDArray

from napari_latent_explorer.analysis.directions import Direction
from napari_latent_explorer.analysis.measurement import (
    MODEL_SPACING_MM,
    RULE,
    VentricleMeasures,
    measure_left_ventricle,
)
from napari_latent_explorer.data.latents import LatentSpace
from napari_latent_explorer.data.progress import Progress
from napari_latent_explorer.errors import BundleError, StudyError

if TYPE_CHECKING:
    from napari_latent_explorer.modeling.trained_model import TrainedModel

N_PARTICIPANTS, MIN_HEARTS = 50, 10
STOPS = np.array([-2.0, 0.0, 2.0])
"""Where hearts are decoded, in standard deviations of the cohort along the direction."""

MeasureHearts = Callable[[NDArray[np.float32]], Sequence[VentricleMeasures | None]]
"""From vectors ``(n, latent_dim)`` to the left ventricle of each decoded heart; None where there is none."""

MEASURES: Final[Mapping[str, tuple[str, str, str]]] = {
    "lvm": ("LV mass", "g", "mass_g"),
    "lvedv": ("LV end-diastolic volume", "ml", "edv_ml"),
    "lvesv": ("LV end-systolic volume", "ml", "esv_ml"),
    "lvef": ("LV ejection fraction", "%", "ef_percent"),
}
"""What is measured: name of the phenotype, its words and unit, and the field of `VentricleMeasures`."""

NO_LABELS: Final = "This model draws no labels, so nothing can be measured on its hearts."


@dataclass(frozen=True, slots=True)
class MeasuredChange:
    """What one unit of a direction changes of one measure of decoded hearts.

    Attributes
    ----------
    phenotype, title, unit
        Which measure.
    per_unit, low, high
        Mean over the hearts, in the measure's unit per unit of the direction, with its 95 % interval.
    person_low, person_high
        Interval that holds the change of one heart more in 95 % of cases.
    n_hearts
        How many were measured.
    """

    phenotype: str
    title: str
    unit: str
    per_unit: float
    low: float
    high: float
    person_low: float
    person_high: float
    n_hearts: int

    @property
    def is_scale(self) -> bool:
        """Whether a slider can speak of it: further along there is surely more of it."""
        return self.low > 0.0


@dataclass(frozen=True, slots=True)
class WalkCalibration:
    """What was measured.

    Attributes
    ----------
    key
        Of which walk and model, see `calibration_key`.
    phenotype
        Which one the walk is along, if one.
    spread
        The cohort's standard deviation along the direction, in its unit.
    reach
        It was measured up to so many units to both sides.
    changes
        One per measure.
    """

    key: str
    phenotype: str | None
    spread: float
    reach: float
    changes: tuple[MeasuredChange, ...]

    def of(self, phenotype: str | None) -> MeasuredChange | None:
        """Return what was measured of a phenotype; None of one that cannot be measured."""
        return next((change for change in self.changes if change.phenotype == phenotype), None)

    @property
    def own(self) -> MeasuredChange | None:
        """What was measured of the phenotype that is walked along."""
        return self.of(self.phenotype)


def calibration_key(latents: LatentSpace, direction: Direction) -> str:
    """Name what is measured: another walk, model, cohort or way of measuring has another key."""
    facts = (latents.bundle_fingerprint, latents.modality, latents.values.shape, direction.phenotype)
    measured = (direction.spread, N_PARTICIPANTS, STOPS.tolist(), RULE)
    return hashlib.sha256(repr((facts, measured)).encode() + direction.vector.tobytes()).hexdigest()[:16]


def measure_with(model: "TrainedModel") -> MeasureHearts:
    """Let a model decode the hearts that are measured, all together; BundleError when it draws no labels."""
    side_mm = model.input_spec.mri.spacing_mm or MODEL_SPACING_MM

    def measure(vectors: NDArray[np.float32]) -> list[VentricleMeasures | None]:
        labels = model.decode(vectors, with_labels=True, with_ecg=False).labels
        if labels is None:
            raise BundleError(NO_LABELS)
        return [measure_left_ventricle(one, model.label_names, (side_mm, side_mm)) for one in labels]

    return measure


def calibrate_walk(
    measure: MeasureHearts,
    latents: LatentSpace,
    direction: Direction,
    n_participants: int = N_PARTICIPANTS,
    seed: int = 0,
) -> Generator[Progress, None, WalkCalibration]:
    """Measure what a walk changes of decoded hearts.

    Parameters
    ----------
    measure
        Decodes and measures the hearts of one person's places at a time, see `measure_with`.
    latents
        Whose hearts; some are drawn at random.
    direction
        The walk.
    n_participants
        How many of them.
    seed
        Settles who.

    Yields
    ------
    Progress
        In participants.

    Raises
    ------
    StudyError
        When fewer than ten hearts have a left ventricle in all three pictures.
    """
    drawn = np.random.default_rng(seed).permutation(len(latents.values))[:n_participants]
    found: list[NDArray[np.float64]] = []
    for number, row in enumerate(drawn):
        yield Progress(number, len(drawn), f"Measuring decoded hearts along {direction.name}")
        found.append(_changes(measure, latents.values[row], direction))
    measured = np.stack(found, axis=-1) if found else np.zeros((2, len(MEASURES), 0))
    changes = [
        change
        for name, hearts in zip(MEASURES, measured.transpose(1, 2, 0), strict=True)
        if (change := _change(name, hearts[np.isfinite(hearts).all(axis=1)])) is not None
    ]
    if not changes:
        raise StudyError(
            f"Along {direction.name} fewer than {MIN_HEARTS} of {len(drawn)} decoded hearts have a left ventricle that "
            "can be measured. The model draws no clear labels there, or the study has too few people with latents."
        )
    reach = float(STOPS.max()) * direction.spread
    key = calibration_key(latents, direction)
    return WalkCalibration(key, direction.phenotype, direction.spread, reach, tuple(changes))


def _changes(measure: MeasureHearts, vector: NDArray[np.float32], direction: Direction) -> NDArray[np.float64]:
    """Change of one heart ``(n_sides, n_measures)`` per unit of the direction, from where it is to each other stop."""
    amounts = STOPS * direction.spread
    found = measure(np.stack([direction.moved(vector, float(amount)) for amount in amounts]))
    values = np.array(
        [[np.nan if one is None else getattr(one, field) for _, _, field in MEASURES.values()] for one in found]
    )
    is_away = STOPS != 0
    return np.asarray((values[is_away] - values[~is_away]) / amounts[is_away, None])


def _change(name: str, sides: NDArray[np.float64]) -> MeasuredChange | None:
    """Sum the changes ``(n_hearts, n_sides)`` of one measure up; a heart's two sides need not change alike."""
    n = len(sides)
    if n < MIN_HEARTS:
        return None
    from scipy.stats import t

    hearts, width = sides.mean(axis=1), float(t.ppf(0.975, n - 1))
    mean, spread = float(hearts.mean()), float(hearts.std(ddof=1))
    person_spread = math.sqrt(np.square(sides - mean).mean() * n / (n - 1))
    title, unit, _ = MEASURES[name]
    margin, person = width * spread / math.sqrt(n), width * person_spread * math.sqrt(1.0 + 1.0 / n)
    return MeasuredChange(name, title, unit, mean, mean - margin, mean + margin, mean - person, mean + person, n)
