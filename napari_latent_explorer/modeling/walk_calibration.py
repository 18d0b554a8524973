"""What a walk along a direction changes of decoded hearts, by the ruler instead of by prediction.

The hard idea: a slider in grams says what is read from the vector by a linear model of people. A decoder need not draw
that many: directions that are means over people point a little away from each person's own, and what lies off the
people's paths is drawn as if it lay on them. So hearts of some people are decoded on both sides of where they are, and
their ventricles are measured. What one unit of the slider changes differs from heart to heart, therefore there are two
intervals: of the mean of all hearts, and of one heart more, which nobody has measured.

References
----------
Hahn G J, Meeker W Q (1991), Statistical Intervals, section 4.7: interval that holds one future observation.

Warnings
--------
Volume and mass are taken from one plane (see `analysis.measurement`), so a measured gram is not one of a short-axis
stack. Beyond one standard deviation to either side nothing was measured.
"""

import math
from collections.abc import Generator, Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from napari_latent_explorer.analysis.directions import Direction
from napari_latent_explorer.analysis.measurement import MODEL_SPACING_MM, measure_left_ventricle
from napari_latent_explorer.data.latents import LatentSpace
from napari_latent_explorer.data.progress import Progress
from napari_latent_explorer.errors import BundleError, StudyError
from napari_latent_explorer.modeling.trained_model import TrainedModel

N_PARTICIPANTS, MIN_HEARTS = 50, 10
PEOPLE_PER_STEP = 2
STOPS = np.array([-1.0, 0.0, 1.0])
"""Where hearts are decoded, in standard deviations of the cohort along the direction."""

MEASURES: Final[Mapping[str, tuple[str, str, str]]] = {
    "lvm": ("LV mass", "g", "mass_g"),
    "lvedv": ("LV end-diastolic volume", "ml", "edv_ml"),
    "lvesv": ("LV end-systolic volume", "ml", "esv_ml"),
    "lvef": ("LV ejection fraction", "%", "ef_percent"),
}
"""What is measured: name of the phenotype, its words and unit, and the field of `VentricleMeasures`."""


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


@dataclass(frozen=True, slots=True, eq=False)
class WalkCalibration:
    """What was measured.

    Attributes
    ----------
    direction
        The walk.
    changes
        One per measure.
    reach
        It was measured up to so many units to both sides.
    bundle_fingerprint
        Which model drew the hearts.
    """

    direction: Direction
    changes: tuple[MeasuredChange, ...]
    reach: float
    bundle_fingerprint: str

    def of(self, phenotype: str | None) -> MeasuredChange | None:
        """Return what was measured of a phenotype; None of one that cannot be measured."""
        return next((change for change in self.changes if change.phenotype == phenotype), None)


def calibrate_walk(
    model: TrainedModel,
    latents: LatentSpace,
    direction: Direction,
    n_participants: int = N_PARTICIPANTS,
    seed: int = 0,
) -> Generator[Progress, None, WalkCalibration]:
    """Measure what a walk changes of decoded hearts.

    Parameters
    ----------
    model
        Decodes cine and labels.
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
    BundleError
        When the model draws no labels.
    StudyError
        When fewer than ten hearts have a left ventricle in all three pictures.
    """
    drawn = np.random.default_rng(seed).permutation(len(latents.values))[:n_participants]
    slopes: list[NDArray[np.float64]] = []
    for start in range(0, len(drawn), PEOPLE_PER_STEP):
        yield Progress(start, len(drawn), f"Measuring decoded hearts along {direction.name}")
        for row in drawn[start : start + PEOPLE_PER_STEP]:
            slopes.append(_slopes(model, latents.values[row], direction))
    measured = np.stack(slopes) if slopes else np.zeros((0, len(MEASURES)))
    changes = [
        change
        for name, column in zip(MEASURES, measured.T, strict=True)
        if (change := _change(name, column[np.isfinite(column)])) is not None
    ]
    if not changes:
        raise StudyError(
            f"Along {direction.name} fewer than {MIN_HEARTS} of {len(drawn)} decoded hearts have a left ventricle that "
            "can be measured. The model draws no clear labels there, or the study has too few people with latents."
        )
    return WalkCalibration(direction, tuple(changes), direction.spread, model.fingerprint)


def _slopes(model: TrainedModel, vector: NDArray[np.float32], direction: Direction) -> NDArray[np.float64]:
    """Change ``(n_measures,)`` per unit of the direction of one heart: the line through all stops."""
    amounts = STOPS * direction.spread
    vectors = np.stack([direction.moved(vector, float(amount)) for amount in amounts])
    labels = model.decode(vectors, with_labels=True, with_ecg=False).labels
    if labels is None:
        raise BundleError("This model draws no labels, so nothing can be measured on its hearts.")
    side_mm = model.input_spec.mri.spacing_mm or MODEL_SPACING_MM
    found = [measure_left_ventricle(one, model.label_names, (side_mm, side_mm)) for one in labels]
    values = np.array(
        [[np.nan if one is None else getattr(one, field) for _, _, field in MEASURES.values()] for one in found]
    )
    return np.asarray(amounts @ (values - values.mean(axis=0)) / (amounts @ amounts))


def _change(name: str, slopes: NDArray[np.float64]) -> MeasuredChange | None:
    n = len(slopes)
    if n < MIN_HEARTS:
        return None
    from scipy.stats import t

    mean, spread, width = float(slopes.mean()), float(slopes.std(ddof=1)), float(t.ppf(0.975, n - 1))
    title, unit, _ = MEASURES[name]
    margin, person = width * spread / math.sqrt(n), width * spread * math.sqrt(1.0 + 1.0 / n)
    return MeasuredChange(name, title, unit, mean, mean - margin, mean + margin, mean - person, mean + person, n)
