"""How the factors of simulated people follow from chance, body and disease.

Every person draws a fixed set of named standard normals and uniforms from their own generator, which depends on the
seed and on their number only; all columns are then deterministic formulas over these draws. So a larger population
keeps the people of a smaller one, and a disease made more frequent keeps those who already had it.

Diseases follow from a liability (a standard normal mixture of risk factors and chance) that exceeds the threshold which
the prevalence asks for. Sizes of the heart are log-normal: body size, sex, age and disease add up on the log scale.

References
----------
Latent Space Explorer (arXiv 2312.00527), table 1, for age, body mass index, sex and the prevalences. Normalisation
constants of ml4h (github.com/broadinstitute/ml4h) for means and standard deviations of MRI and ECG measurements.
Petersen et al. 2017, J Cardiovasc Magn Reson 19:18, for the differences between women and men.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from statistics import NormalDist
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

Column = NDArray[Any]
Columns = dict[str, Column]

PREVALENCE: Final[Mapping[str, float]] = {
    "hypertension": 0.3073,
    "diabetes": 0.0420,
    "hypercholesterolemia": 0.20,
    "coronary_artery_disease": 0.0352,
    "atrial_fibrillation": 0.0353,
    "hypertrophic_cardiomyopathy": 0.0009,
}
"""Fraction of the people who have each disease."""

MALE_FRACTION: Final = 0.4839
AGE_QUANTILES: Final = ((0.0, 0.05, 0.25, 0.5, 0.75, 0.95, 1.0), (45.0, 51.0, 58.0, 65.0, 70.0, 76.5, 82.0))

_NORMALS: Final = (
    *("height", "bmi", "metabolic", "hypertension", "diabetes", "hypercholesterolemia", "coronary_artery_disease"),
    *("atrial_fibrillation", "hypertrophic_cardiomyopathy", "heart_size", "lvm", "lvedv", "lvef", "infarct"),
    *("lv_rv_stroke", "rvef", "la", "la_emptying", "ra", "ra_emptying", "shortening", "septum"),
    *("rotation", "offset_row", "offset_column", "breathing", "fat", "chest"),
    *("heart_rate", "pr", "qrs", "qt", "axis", "voltage", "lbbb", "rbbb"),
)
_UNIFORMS: Final = ("sex", "age", "mri_quality", "ecg_quality", "smoking", "smoking_answered")


@dataclass(frozen=True, slots=True)
class Draws:
    """Chance: named standard normals and uniforms, each ``(n_participants,)``, and one seed per person."""

    normal: Columns
    uniform: Columns
    seed: Column

    @classmethod
    def of(cls, n_participants: int, seed: int) -> "Draws":
        """Draw for participants 0 to `n_participants` - 1."""
        normals = np.empty((n_participants, len(_NORMALS)))
        uniforms = np.empty((n_participants, len(_UNIFORMS)))
        seeds = np.empty(n_participants, dtype=np.int64)
        for number in range(n_participants):
            rng = np.random.default_rng([seed, number])
            seeds[number] = rng.integers(2**31)
            rng.random(out=uniforms[number])
            rng.standard_normal(out=normals[number])
        return cls(dict(zip(_NORMALS, normals.T, strict=True)), dict(zip(_UNIFORMS, uniforms.T, strict=True)), seeds)


def simulate_columns(n_participants: int, seed: int, prevalence: Mapping[str, float]) -> Columns:
    """One column ``(n_participants,)`` per factor, `heart_offset_mm` in two, without the participant's id."""
    draws = Draws.of(n_participants, seed)
    columns: Columns = {"seed": draws.seed}
    for step in (_body, _smoking, _size_and_sex):
        columns |= step(draws, columns)
    columns |= _diseases(draws, columns, prevalence)
    later = (_rhythm, _left_ventricle, _right_ventricle, _atria, _position, _conduction, _intervals, _axis, _quality)
    for step in later:
        columns |= step(draws, columns)
    return {name: column for name, column in columns.items() if not name.startswith("_")}


# Columns whose name begins with an underscore are standardised or signed intermediates that the later steps share.


def _body(draws: Draws, columns: Columns) -> Columns:
    z = draws.normal
    is_male = draws.uniform["sex"] < MALE_FRACTION
    age = np.interp(draws.uniform["age"], *AGE_QUANTILES)
    height = np.where(is_male, 176.5, 163.3) - 0.08 * (age - 64.0) + 6.3 * z["height"]
    bmi = np.clip(25.98 * np.exp(0.144 * z["bmi"] + np.where(is_male, 0.025, -0.025)), 16.5, 48.0)
    return {"is_male": is_male, "age_years": age, "height_cm": height, "weight_kg": bmi * (height / 100.0) ** 2}


def _size_and_sex(draws: Draws, columns: Columns) -> Columns:
    """Intermediates: sex as -1 or +1, age and body mass index standardised, log body surface area (Mosteller)."""
    z = draws.normal
    area = np.sqrt(columns["height_cm"] * columns["weight_kg"] / 3600.0)
    return {
        "_male": np.where(columns["is_male"], 1.0, -1.0),
        "_age": (columns["age_years"] - 64.0) / 8.2,
        "_bmi": z["bmi"],
        "_log_area": np.log(area / 1.88),
    }


def _smoking(draws: Draws, columns: Columns) -> Columns:
    edges = np.where(columns["is_male"][:, None], [0.57, 0.95], [0.65, 0.97])
    habit = (draws.uniform["smoking"][:, None] > edges).sum(axis=1)
    answers = np.array(["never", "previous", "current"], dtype=object)[habit]
    answers[draws.uniform["smoking_answered"] < 0.015] = None
    return {"smoking": answers, "_smoking": habit - 0.43}


_RISK: Final[Mapping[str, Mapping[str, float]]] = {
    "hypertension": {"_age": 0.34, "_bmi": 0.30, "_male": 0.12, "_metabolic": 0.28},
    "diabetes": {"_age": 0.15, "_bmi": 0.36, "_male": 0.17, "_metabolic": 0.50},
    "hypercholesterolemia": {"_age": 0.30, "_bmi": 0.12, "_male": 0.10, "_metabolic": 0.40},
    "coronary_artery_disease": {"_age": 0.30, "_male": 0.32, "_metabolic": 0.35, "_smoking": 0.20},
    "atrial_fibrillation": {"_age": 0.38, "_bmi": 0.16, "_male": 0.20, "_metabolic": 0.12},
    "hypertrophic_cardiomyopathy": {"_male": 0.10},
}
"""Weights of the standardised risk factors in each disease's liability."""


def _diseases(draws: Draws, columns: Columns, prevalence: Mapping[str, float]) -> Columns:
    factors = columns | {"_metabolic": draws.normal["metabolic"]}
    return {
        f"has_{name}": _is_affected(factors, draws.normal[name], weights, prevalence[name])
        for name, weights in _RISK.items()
    }


def _is_affected(factors: Columns, chance: Column, weights: Mapping[str, float], prevalence: float) -> Column:
    """Who has the disease: a liability of variance 1 above the threshold that leaves `prevalence` of the people."""
    if prevalence in (0.0, 1.0):
        return np.full(len(chance), prevalence == 1.0)
    risk = sum(weight * factors[name] for name, weight in weights.items())
    liability = risk + np.sqrt(1.0 - sum(weight**2 for weight in weights.values())) * chance
    return np.asarray(liability > NormalDist().inv_cdf(1.0 - prevalence))


def _rhythm(draws: Draws, columns: Columns) -> Columns:
    """Heart rate, and bundle branch block, which later widens the QRS and weakens the left ventricle."""
    z = draws.normal
    fibrillates = columns["has_atrial_fibrillation"]
    rate = 58.6 + 9.0 * z["heart_rate"] - 2.5 * z["heart_size"] - 0.8 * columns["_male"]
    rate += 1.5 * columns["_bmi"] + 3.0 * columns["has_diabetes"] + 6.0 * fibrillates
    rate += 0.4 * np.maximum(rate - 66.0, 0.0)
    lbbb = _is_affected(columns, z["lbbb"], {"_age": 0.30}, 0.007)
    rbbb = _is_affected(columns, z["rbbb"], {"_age": 0.30, "_male": 0.10}, 0.020)
    conduction = np.where(lbbb, "lbbb", np.where(rbbb, "rbbb", "normal")).astype(object)
    return {"heart_rate_bpm": np.clip(rate, 38.0, 125.0), "conduction": conduction}


def _left_ventricle(draws: Draws, columns: Columns) -> Columns:
    z = draws.normal
    male, hcm = columns["_male"], columns["has_hypertrophic_cardiomyopathy"]
    has_lbbb = columns["conduction"] == "lbbb"
    has_infarct = columns["has_coronary_artery_disease"] & (z["infarct"] > 0.67)  # a quarter of them
    size = z["heart_size"]
    ef = 59.7 - 1.2 * male - 1.3 * size + 5.6 * z["lvef"] - 0.5 * np.maximum(z["lvef"] ** 2 - 2.0, 0.0)
    ef += 8.0 * hcm - 12.0 * has_infarct - 2.0 * columns["has_coronary_artery_disease"] - 9.0 * has_lbbb
    ef += -4.0 * columns["has_atrial_fibrillation"]
    ef = np.clip(ef, 25.0, 75.0)
    edv = np.log(141.8) + 0.080 * male + 0.75 * columns["_log_area"] - 0.055 * columns["_age"] + 0.115 * size
    edv += 0.08 * z["lvedv"] + 0.010 * (58.0 - ef) - 0.12 * hcm
    lvm = np.log(84.8) + 0.115 * male + 0.85 * columns["_log_area"] + 0.09 * size + 0.145 * z["lvm"]
    lvm += 0.085 * columns["has_hypertension"] + 0.03 * columns["has_diabetes"] + 0.45 * hcm + 0.004 * (58.0 - ef)
    edv_ml, lvm_g = np.clip(np.exp(edv), 55.0, 320.0), np.clip(np.exp(lvm), 35.0, 300.0)
    septum = np.abs(0.04 + 0.05 * z["septum"] + 0.03 * columns["has_hypertension"])
    shortening = 0.15 + 0.0030 * (ef - 58.0) - 0.005 * male - 0.008 * columns["has_hypertension"] - 0.02 * hcm
    return {
        "lvm_g": lvm_g,
        "lvedv_ml": edv_ml,
        "lvesv_ml": edv_ml * (1.0 - ef / 100.0),
        "longitudinal_shortening": np.clip(shortening + 0.013 * z["shortening"], 0.05, 0.24),
        "septal_asymmetry": np.where(hcm, 0.55 + 0.3 * np.abs(z["septum"]), np.minimum(septum, 0.25)),
        "_lvef": ef,
    }


def _right_ventricle(draws: Draws, columns: Columns) -> Columns:
    """Both ventricles pump nearly the same volume; the right one's ejection fraction then settles its size."""
    z = draws.normal
    ef = 56.6 - 1.6 * columns["_male"] + 0.40 * (columns["_lvef"] - 58.5) + 5.4 * z["rvef"]
    ef = np.clip(ef - 2.5 * columns["has_diabetes"] - 2.0 * columns["has_atrial_fibrillation"], 27.0, 75.0)
    stroke = (columns["lvedv_ml"] - columns["lvesv_ml"]) * np.exp(0.01 + 0.03 * z["lv_rv_stroke"])
    edv = np.clip(stroke / (ef / 100.0), 55.0, 400.0)
    return {"rvedv_ml": edv, "rvesv_ml": edv - stroke}


def _atria(draws: Draws, columns: Columns) -> Columns:
    """Volumes; in atrial fibrillation larger and, without the atrial kick, hardly emptied."""
    z = draws.normal
    fibrillates = columns["has_atrial_fibrillation"]
    shared = 0.10 * z["heart_size"] + 0.6 * columns["_log_area"] + 0.02 * columns["_age"] + 0.40 * fibrillates
    la = np.log(62.6) + shared + 0.07 * columns["has_hypertension"] + 0.01 * columns["_male"] + 0.26 * z["la"]
    ra = np.log(74.3) + shared + 0.10 * columns["_male"] + 0.25 * z["ra"]
    la_emptying = 0.60 - 0.02 * columns["_age"] - 0.02 * columns["has_hypertension"] + 0.075 * z["la_emptying"]
    ra_emptying = 0.44 - 0.02 * columns["_male"] + 0.085 * z["ra_emptying"]
    la_max = np.exp(la + 0.25 * columns["has_hypertrophic_cardiomyopathy"])
    ra_max = np.exp(ra)
    return {
        "la_max_volume_ml": la_max,
        "la_min_volume_ml": la_max * (1.0 - np.clip(la_emptying - 0.35 * fibrillates, 0.10, 0.78)),
        "ra_max_volume_ml": ra_max,
        "ra_min_volume_ml": ra_max * (1.0 - np.clip(ra_emptying - 0.25 * fibrillates, 0.08, 0.70)),
    }


def _position(draws: Draws, columns: Columns) -> Columns:
    """How the heart lies (a large belly pushes it horizontal) and what lies around it."""
    z = draws.normal
    male, bmi = columns["_male"], columns["_bmi"]
    fat = 5.0 + 1.6 * bmi + 0.7 * male + 0.5 * columns["_age"] + 1.3 * z["fat"]
    return {
        "heart_rotation_deg": np.clip(9.0 * z["rotation"] - 4.0 * bmi - 1.5 * columns["_age"], -35.0, 35.0),
        "heart_offset_rows_mm": np.clip(4.0 * z["offset_row"], -12.0, 12.0),
        "heart_offset_columns_mm": np.clip(4.0 * z["offset_column"], -12.0, 12.0),
        "breathing_position_mm": np.clip(5.0 * z["breathing"], -15.0, 15.0),
        "pericardial_fat_mm": np.clip(fat, 1.0, 15.0),
        "chest_wall_mm": np.clip(24.0 + 6.0 * bmi - 2.0 * male + 3.0 * z["chest"], 10.0, 60.0),
    }


def _conduction(draws: Draws, columns: Columns) -> Columns:
    """QRS duration: longer in men, heavy and weak ventricles, and far longer in bundle branch block."""
    z = draws.normal
    chance = z["qrs"]
    heavy = np.log(columns["lvm_g"] / 86.0)
    normal = 87.7 + 2.8 * columns["_male"] + 12.0 * heavy - 0.20 * (columns["_lvef"] - 58.5) + 7.0 * chance
    wide = {"lbbb": 146.0 + 11.0 * chance, "rbbb": 137.0 + 10.0 * chance}
    kind = columns["conduction"]
    duration = np.select([kind == "lbbb", kind == "rbbb"], [wide["lbbb"], wide["rbbb"]], np.clip(normal, 64.0, 116.0))
    voltage = np.clip(np.exp(0.17 * z["voltage"]), 0.55, 1.8)
    return {"qrs_duration_ms": np.clip(duration, 64.0, 174.0), "voltage_scale": voltage}


def _intervals(draws: Draws, columns: Columns) -> Columns:
    z = draws.normal
    rr_ms = 60000.0 / columns["heart_rate_bpm"]
    wide = columns["conduction"] != "normal"
    pr = 163.0 * np.exp(0.14 * z["pr"] + 0.025 * columns["_age"] + 0.02 * columns["_male"])
    pr += 0.03 * (rr_ms - 1040.0) + 12.0 * wide
    qt = 424.0 + 0.145 * (rr_ms - 1040.0) - 5.0 * columns["_male"] + 3.0 * columns["_age"] + 15.0 * z["qt"]
    qt += 25.0 * wide + 3.0 * columns["has_hypertension"] + 15.0 * columns["has_hypertrophic_cardiomyopathy"]
    return {"pr_interval_ms": np.clip(pr, 110.0, 320.0), "qt_interval_ms": np.clip(qt, 320.0, 560.0)}


def _axis(draws: Draws, columns: Columns) -> Columns:
    """Frontal QRS axis: turns left with age, weight, mass and left bundle branch block, right with a vertical heart."""
    z = draws.normal
    axis = 29.0 + 30.0 * z["axis"] + 0.8 * columns["heart_rotation_deg"] - 5.0 * columns["_age"]
    axis += -5.0 * columns["_bmi"] - 25.0 * np.log(columns["lvm_g"] / 86.0) - 30.0 * (columns["conduction"] == "lbbb")
    return {"frontal_axis_deg": np.clip(axis, -80.0, 120.0)}


def _quality(draws: Draws, columns: Columns) -> Columns:
    kinds = np.array(["ghosting", "motion", "wrong_plane", "good"], dtype=object)
    mri = kinds[np.searchsorted([0.007, 0.014, 0.020], draws.uniform["mri_quality"], side="right")]
    ecg = np.where(draws.uniform["ecg_quality"] < 0.015, "spikes", "good").astype(object)
    return {"mri_quality": mri, "ecg_quality": ecg}
