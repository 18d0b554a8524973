"""The moving electrical dipole of one simulated heart: a vectorcardiogram as a sum of Gaussian waves in space.

Axes are Frank's: x to the patient's left, y to the feet, z to the back; time is in ms after QRS onset, moments in mV.
Each wave is confined to its interval (P, QRS, ST-T) by a smooth window, so that PR, QRS duration and QT are those of
the factors. What the factors do not settle, the person's morphology, comes from a generator of their seed.

References
----------
Clifford et al. 2010, "An artificial vector model for generating abnormal electrocardiographic rhythms", Physiol. Meas.
31:595, for the sum of Gaussians. Dower et al. 1980, J. Electrocardiol. 13:361, for the leads. Surawicz et al. 2009,
"AHA/ACCF/HRS recommendations III", Circulation 119:e235, for the shapes of bundle branch block.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from napari_latent_explorer.simulation.factors import ParticipantFactors

Array = NDArray[np.float64]

LEAD_FIELD: Final = np.array(
    [
        [0.632, -0.235, 0.059],  # I
        [0.235, 1.066, -0.132],  # II
        [-0.515, 0.157, -0.917],  # V1
        [0.044, 0.164, -1.387],  # V2
        [0.882, 0.098, -1.277],  # V3
        [1.213, 0.127, -0.601],  # V4
        [1.125, 0.127, -0.086],  # V5
        [0.831, 0.076, 0.230],  # V6
    ]
)
"""Dower's matrix ``(8, 3)``: the independent leads that a dipole (x, y, z) makes."""


_QrsShape = tuple[tuple[float, float, tuple[float, float, float]], ...]

NORMAL_QRS: Final[_QrsShape] = (
    (0.18, 0.072, (-0.15, 0.02, -0.22)),  # septum: r in V1, q in V6
    (0.39, 0.095, (0.70, 0.36, -0.18)),  # apex: R in V3 to V5
    (0.53, 0.100, (0.58, 0.28, 0.72)),  # free wall: S in V1 and V2, R in V6
    (0.76, 0.075, (-0.20, -0.14, 0.28)),  # base: s in V5 and V6
)
LBBB_QRS: Final[_QrsShape] = (
    (0.16, 0.070, (0.22, 0.10, 0.02)),
    (0.34, 0.105, (0.84, 0.28, 0.60)),
    (0.59, 0.125, (0.94, 0.06, 0.86)),  # late free wall: the second summit of V6
    (0.83, 0.065, (0.22, -0.08, 0.26)),
)
RBBB_QRS: Final[_QrsShape] = (
    (0.12, 0.047, (-0.15, 0.02, -0.22)),
    (0.26, 0.062, (0.68, 0.36, -0.15)),
    (0.35, 0.066, (0.57, 0.26, 0.55)),
    (0.68, 0.105, (-0.46, 0.05, -0.42)),  # late right ventricle: R' in V1, broad S in I and V6
)
"""Waves of ventricular activation: time of the peak and standard deviation as fractions of the QRS, moment in mV."""

_QRS_SHAPES: Final = {"normal": NORMAL_QRS, "lbbb": LBBB_QRS, "rbbb": RBBB_QRS}
_PERSONAL_STREAM: Final = 11


@dataclass(frozen=True, slots=True, eq=False)
class WaveInterval:
    """Waves that begin and end together; outside `start_ms` to `end_ms` there is nothing.

    Attributes
    ----------
    start_ms, end_ms
        The interval.
    fade_in_ms, fade_out_ms
        How long it takes to appear and to vanish, inside the interval.
    moment_mv
        ``(n_waves, 3)`` dipole moment at each wave's peak.
    peak_ms, rise_ms, fall_ms
        ``(n_waves,)`` time of the peak, and standard deviations before and after it.
    """

    start_ms: float
    end_ms: float
    fade_in_ms: float
    fade_out_ms: float
    moment_mv: Array
    peak_ms: Array
    rise_ms: Array
    fall_ms: Array

    def at(self, time_ms: Array) -> Array:
        """Dipole ``(3, n_times)`` in mV."""
        away = time_ms[None, :] - self.peak_ms[:, None]
        bells = np.exp(-0.5 * (away / np.where(away < 0.0, self.rise_ms[:, None], self.fall_ms[:, None])) ** 2)
        fade = _smooth_step((time_ms - self.start_ms) / self.fade_in_ms)
        fade *= _smooth_step((self.end_ms - time_ms) / self.fade_out_ms)
        return (self.moment_mv.T @ bells) * fade


def _smooth_step(fraction: Array) -> Array:
    inside = np.clip(fraction, 0.0, 1.0)
    return inside * inside * (3.0 - 2.0 * inside)


@dataclass(frozen=True, slots=True)
class Beat:
    """One heartbeat's intervals: P (absent in atrial fibrillation), QRS, ST and T."""

    intervals: tuple[WaveInterval, ...]

    def at(self, time_ms: Array) -> Array:
        """Dipole ``(3, n_times)`` in mV at times after QRS onset."""
        return np.asarray(np.sum([interval.at(time_ms) for interval in self.intervals], axis=0))


def make_beat(factors: ParticipantFactors) -> Beat:
    """Derive the dipole of one beat from a person's factors."""
    rng = np.random.default_rng([factors.seed, _PERSONAL_STREAM])
    p_wave = _p_wave(factors, rng)
    qrs = _qrs(factors, rng)
    repolarisation = _repolarisation(factors, rng)
    return Beat((qrs, repolarisation) if factors.has_atrial_fibrillation else (p_wave, qrs, repolarisation))


def _p_wave(factors: ParticipantFactors, rng: np.random.Generator) -> WaveInterval:
    """Right atrium, then left; a large left atrium prolongs P and deepens its terminal part in V1."""
    chance = rng.standard_normal(4)
    left = factors.la_max_volume_ml / 65.0
    duration = float(
        np.clip(
            98.0 * left**0.25 + 0.3 * (factors.age_years - 64.0) + 7.0 * chance[0],
            70.0,
            min(140.0, factors.pr_interval_ms - 18.0),
        )
    )
    moments = np.array([[0.030, 0.075, -0.040], [0.065, 0.040, 0.050]])
    moments[1] *= left**0.6
    moments *= np.exp(0.18 * chance[1:3, None])
    moments = moments @ _frontal_turn(factors.heart_rotation_deg + 5.0 * chance[3]).T
    width = np.full(2, 0.18 * duration)
    peaks = -factors.pr_interval_ms + duration * np.array([0.36, 0.64])
    start = -factors.pr_interval_ms
    return WaveInterval(start, start + duration, 0.1 * duration, 0.1 * duration, moments, peaks, width, width)


def _qrs(factors: ParticipantFactors, rng: np.random.Generator) -> WaveInterval:
    shape = _QRS_SHAPES[factors.conduction]
    chance = rng.standard_normal((len(shape), 5))
    turn = rng.standard_normal()
    duration = factors.qrs_duration_ms
    peaks = duration * (np.array([wave[0] for wave in shape]) + 0.012 * chance[:, 0])
    widths = duration * np.array([wave[1] for wave in shape]) * np.exp(0.06 * chance[:, 1])
    moments = np.array([wave[2] for wave in shape])
    moments = moments + 0.10 * np.linalg.norm(moments, axis=1, keepdims=True) * chance[:, 2:]
    moments *= _voltage(factors)
    if factors.conduction != "lbbb":
        _scar_and_septum(moments, factors)
    moments = (
        moments @ _horizontal_turn(9.0 * turn - 0.35 * factors.heart_rotation_deg - 0.25 * (factors.age_years - 64.0)).T
    )
    by_left = (
        3 if factors.conduction == "rbbb" else len(moments)
    )  # the axis in RBBB is that of the left ventricle alone
    moments[:by_left] @= _turn_to_axis(widths[:by_left] @ moments[:by_left], factors.frontal_axis_deg).T
    return WaveInterval(0.0, duration, 0.07 * duration, 0.10 * duration, moments, peaks, widths, widths)


def _voltage(factors: ParticipantFactors) -> float:
    """QRS amplitude relative to the mean: more muscle makes more, a thick chest wall, fat and diabetes leave less."""
    voltage = factors.voltage_scale * (factors.lvm_g / 87.0) ** 0.6
    voltage *= np.exp(-0.012 * (factors.chest_wall_mm - 24.0) - 0.015 * (factors.pericardial_fat_mm - 5.0))
    return float(voltage * (0.95 if factors.has_diabetes else 1.0) * (1.0 - 0.004 * (factors.age_years - 64.0)))


def _scar_and_septum(moments: Array, factors: ParticipantFactors) -> None:
    """Change `moments` ``(4, 3)`` in place: a thick septum deepens q, a weak ventricle loses R, an infarct makes Q."""
    moments[0] *= 1.0 + 1.6 * min(max(factors.septal_asymmetry - 0.3, 0.0), 0.6)
    ejection = 1.0 - factors.lvesv_ml / factors.lvedv_ml
    weakness = float(np.clip((0.52 - ejection) / 0.2, 0.0, 1.0))
    moments[:2, 2] += 0.25 * weakness
    if factors.has_coronary_artery_disease:
        is_inferior = factors.seed % 2 == 0
        moments[0] += weakness * (np.array([0.0, -0.40, 0.05]) if is_inferior else np.array([-0.10, 0.0, 0.35]))


def _repolarisation(factors: ParticipantFactors, rng: np.random.Generator) -> WaveInterval:
    """ST segment and T; T ends, by the tangent at its steepest fall, when the QT interval does."""
    chance = rng.standard_normal(12)
    st, t = _st_and_t(factors, ischemia=float(np.clip(0.5 + 0.5 * chance[10], 0.0, 1.5)))
    t = t * np.exp(0.25 * chance[0]) + 0.050 * chance[1:4]
    st = st + np.array([0.010, 0.008, 0.016]) * chance[4:7]
    turn = 0.35 * (factors.frontal_axis_deg - 28.0) if factors.conduction == "normal" else 0.0
    turning = _frontal_turn(turn) @ _horizontal_turn(7.0 * chance[7])
    qt, j = factors.qt_interval_ms, factors.qrs_duration_ms
    fall = 0.084 * qt * np.exp(0.08 * chance[8])
    rise = 1.65 * fall * np.exp(0.08 * chance[9])
    peak = qt - 1.9 * fall  # where the tangent at the steepest fall meets the baseline, in the faded wave
    st_peak = j + 0.35 * (peak - j)
    return WaveInterval(
        start_ms=0.9 * j,
        end_ms=qt + 1.2 * fall,
        fade_in_ms=0.3 * (peak - j),
        fade_out_ms=1.7 * fall,
        moment_mv=np.array([st, t]) @ turning.T,
        peak_ms=np.array([st_peak, peak]),
        rise_ms=np.array([0.5 * (st_peak - 0.9 * j), rise]),
        fall_ms=np.array([0.5 * (peak - st_peak), fall]),
    )


def _st_and_t(factors: ParticipantFactors, ischemia: float) -> tuple[Array, Array]:
    """ST and T moments in mV: concordant with QRS in the healthy, opposed in block, strain and HCM.

    `ischemia`, 0 to 1.5, is how much coronary artery disease shows at rest; in many it hardly does.
    """
    if factors.conduction == "lbbb":
        return np.array([-0.07, 0.0, -0.11]), np.array([-0.24, -0.02, -0.34])
    male = 1.0 if factors.is_male else 0.0
    t = (0.86 + 0.22 * male) * np.array([0.250, 0.100, -0.165]) * (1.0 - 0.011 * (factors.age_years - 64.0))
    st = (0.45 + 0.5 * male) * np.array([0.020, 0.010, -0.040])
    if factors.conduction == "rbbb":
        t = t + np.array([0.04, 0.0, 0.22])
    if factors.has_diabetes:
        t = 0.86 * t
    if factors.has_coronary_artery_disease:
        t, st = (1.0 - 0.35 * ischemia) * t, st + ischemia * np.array([-0.025, -0.010, 0.012])
    if factors.has_hypertrophic_cardiomyopathy:
        return st + np.array([-0.08, -0.02, 0.03]), np.array([-0.46, -0.16, 0.14])
    strain = _strain(factors)
    return st + strain * np.array([-0.05, -0.01, 0.02]), t + strain * np.array([-0.28, -0.06, 0.05])


def _strain(factors: ParticipantFactors) -> float:
    """0 to 1: how far a heavy ventricle under pressure opposes its T; indexed mass as in the rules for hypertrophy."""
    area = np.sqrt(factors.height_cm * factors.weight_kg / 3600.0)
    excess = factors.lvm_g / area - (60.0 if factors.is_male else 47.0)
    return float(np.clip(excess / 22.0, 0.0, 1.0)) * (1.0 if factors.has_hypertension else 0.3)


def _frontal_turn(degrees: float) -> Array:
    """Rotation ``(3, 3)`` about the back axis; positive turns left to feet, as the frontal axis counts."""
    sine, cosine = np.sin(np.radians(degrees)), np.cos(np.radians(degrees))
    return np.array([[cosine, -sine, 0.0], [sine, cosine, 0.0], [0.0, 0.0, 1.0]])


def _horizontal_turn(degrees: float) -> Array:
    """Rotation ``(3, 3)`` about the foot axis; positive turns left to back and so moves the transition to V5."""
    sine, cosine = np.sin(np.radians(degrees)), np.cos(np.radians(degrees))
    return np.array([[cosine, 0.0, -sine], [0.0, 1.0, 0.0], [sine, 0.0, cosine]])


def _turn_to_axis(net: Array, axis_deg: float) -> Array:
    """Frontal rotation ``(3, 3)`` after which the net moment ``(3,)`` has the given axis in leads I and aVF.

    With the rotation by an angle a, lead I and scaled aVF are both of the form p cos a + q sin a + r; the wanted axis
    makes one combination of them vanish and the orthogonal one positive.
    """
    lead_i, lead_ii = LEAD_FIELD[0], LEAD_FIELD[1]
    frontal = np.stack([lead_i, (2.0 * lead_ii - lead_i) / np.sqrt(3.0)])  # (I, 2 aVF / sqrt 3) of a dipole
    sine, cosine = np.sin(np.radians(axis_deg)), np.cos(np.radians(axis_deg))
    across = np.array([-sine, cosine]) @ frontal
    p, q, r = across[:2] @ net[:2], across[1] * net[0] - across[0] * net[1], across[2] * net[2]
    middle, spread = np.arctan2(q, p), np.arccos(np.clip(-r / np.hypot(p, q), -1.0, 1.0))
    turns = [_frontal_turn(np.degrees(middle + sign * spread)) for sign in (-1.0, 1.0)]
    along = np.array([cosine, sine]) @ frontal
    return max(turns, key=lambda turn: float(along @ turn @ net))
