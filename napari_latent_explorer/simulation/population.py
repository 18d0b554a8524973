"""A population of simulated people: known factors, and the table of phenotypes that a study would have of them."""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any, Final

import numpy as np
import pandas as pd

from napari_latent_explorer.data.cohort import Cohort
from napari_latent_explorer.data.phenotype import PhenotypeSpec
from napari_latent_explorer.errors import TableError
from napari_latent_explorer.simulation.factors import ParticipantFactors
from napari_latent_explorer.simulation.physiology import PREVALENCE, simulate_columns

__all__ = ["PREVALENCE", "Population", "simulate_population"]

_OFFSETS: Final = ("heart_offset_rows_mm", "heart_offset_columns_mm")
_COLUMNS: Final = tuple(
    column
    for field in fields(ParticipantFactors)
    for column in (_OFFSETS if field.name == "heart_offset_mm" else (field.name,))
)


def simulate_population(
    n_participants: int, seed: int, id_prefix: str = "SIM", prevalence: Mapping[str, float] | None = None
) -> "Population":
    """Simulate people like those of the UK Biobank's imaging visit.

    Parameters
    ----------
    n_participants
        How many. Participant i depends on `seed`, i and `prevalence` only: a larger population begins with the same.
    seed
        Settles everything that is random.
    id_prefix
        Participant ids are this and a number from 000001.
    prevalence
        Fractions in [0, 1] that replace those of `PREVALENCE`, to enrich a sample with rare diseases.

    Raises
    ------
    ValueError
        When `prevalence` names an unknown disease or is not a fraction.
    """
    wanted = {**PREVALENCE, **(prevalence or {})}
    wrong = [f"{name}={value}" for name, value in wanted.items() if name not in PREVALENCE or not 0.0 <= value <= 1.0]
    if wrong:
        raise ValueError(
            f"Cannot simulate the prevalence {', '.join(wrong)}: give fractions in [0, 1] of {', '.join(PREVALENCE)}."
        )
    ids = [f"{id_prefix}{number:06d}" for number in range(1, n_participants + 1)]
    columns = simulate_columns(n_participants, seed, wanted)
    return Population.from_table(pd.DataFrame({"participant_id": ids, **columns}))


@dataclass(frozen=True, slots=True)
class Population:
    """Simulated people, in order."""

    factors: tuple[ParticipantFactors, ...]

    def __len__(self) -> int:
        """Count the people."""
        return len(self.factors)

    def to_table(self) -> pd.DataFrame:
        """One row per participant with all factors; `heart_offset_mm` in two columns."""
        plain = [field.name for field in fields(ParticipantFactors) if field.name != "heart_offset_mm"]
        columns: dict[str, list[Any]] = {name: [getattr(person, name) for person in self.factors] for name in plain}
        for axis, name in enumerate(_OFFSETS):
            columns[name] = [person.heart_offset_mm[axis] for person in self.factors]
        return pd.DataFrame(columns)[list(_COLUMNS)]

    @classmethod
    def from_table(cls, table: pd.DataFrame) -> "Population":
        """Build the population that `to_table` wrote; more columns are ignored.

        Raises
        ------
        TableError
            When columns are missing; all of them are named.
        """
        missing = [name for name in _COLUMNS if name not in table.columns]
        if missing:
            raise TableError(f"A table of simulated participants lacks the columns {', '.join(missing)}.")
        columns: dict[str, list[Any]] = {name: table[name].tolist() for name in _COLUMNS}
        rows, offset_columns = (columns.pop(name) for name in _OFFSETS)
        columns["heart_offset_mm"] = list(zip(rows, offset_columns, strict=True))
        columns["smoking"] = [answer if isinstance(answer, str) else None for answer in columns["smoking"]]
        people = zip(*columns.values(), strict=True)
        return cls(tuple(ParticipantFactors(**dict(zip(columns, person, strict=True))) for person in people))

    def cohort(self) -> Cohort:
        """Tell what a study would know of these people; all of them have both recordings.

        The quality of a recording is not among the phenotypes: it is to be found on the map.
        """
        table = self.to_table()
        ids = table["participant_id"].to_numpy(np.str_)
        phenotypes = {spec.name: _typed(_measurement(table, spec.name), spec) for spec in PHENOTYPES}
        everyone = np.ones(len(self), dtype=np.bool_)
        specs = {spec.name: spec for spec in PHENOTYPES}
        return Cohort(ids, pd.DataFrame(phenotypes), specs, {"mri": everyone, "ecg": everyone})


def _measurement(table: pd.DataFrame, phenotype: str) -> Any:
    """Values ``(n_participants,)`` of one phenotype, numbers or category labels, from the table of factors."""
    if phenotype == "sex":
        return table["is_male"].map({True: "male", False: "female"})
    if f"has_{phenotype}" in table.columns:
        return table[f"has_{phenotype}"].map({True: "yes", False: "no"})
    if phenotype in ("lvef", "rvef"):
        end_diastolic, end_systolic = (table[f"{phenotype[:2]}{volume}_ml"] for volume in ("edv", "esv"))
        return 100.0 * (1.0 - end_systolic / end_diastolic)
    if phenotype == "bmi":
        return table["weight_kg"] / (table["height_cm"] / 100.0) ** 2
    if phenotype == "pr_interval":
        return table["pr_interval_ms"].where(~table["has_atrial_fibrillation"].astype(bool))
    return table[_FACTOR_OF[phenotype]]


_FACTOR_OF: Final[Mapping[str, str]] = {
    "age": "age_years",
    "lvm": "lvm_g",
    "lvedv": "lvedv_ml",
    "lvesv": "lvesv_ml",
    "rvedv": "rvedv_ml",
    "rvesv": "rvesv_ml",
    "heart_rate": "heart_rate_bpm",
    "qrs_duration": "qrs_duration_ms",
    "qt_interval": "qt_interval_ms",
    "smoking": "smoking",
}
"""Phenotypes that are a factor as it stands."""


def _typed(values: Any, spec: PhenotypeSpec) -> Any:
    if spec.kind == "continuous":
        return np.asarray(values, dtype=np.float64)
    return pd.Categorical(values, categories=list(spec.categories))


def _number(name: str, label: str, unit: str, description: str) -> PhenotypeSpec:
    return PhenotypeSpec(name, "continuous", label, unit, description=description)


def _disease(name: str, label: str, description: str) -> PhenotypeSpec:
    return PhenotypeSpec(name, "binary", label, categories=("no", "yes"), description=description)


PHENOTYPES: Final = (
    PhenotypeSpec("sex", "binary", "Sex", categories=("female", "male"), description="Genetic sex."),
    _number("age", "Age", "years", "Age at the visit when both recordings were made."),
    _number("bmi", "Body mass index", "kg/m²", "Weight over height squared."),
    PhenotypeSpec(
        "smoking",
        "categorical",
        "Smoking",
        categories=("never", "previous", "current"),
        description="Smoking as answered at the visit; some did not answer.",
    ),
    _disease("hypertension", "Hypertension", "High blood pressure before or at the visit."),
    _disease("diabetes", "Diabetes", "Diabetes mellitus type 2 before or at the visit."),
    _disease("hypercholesterolemia", "Hypercholesterolemia", "High cholesterol before or at the visit."),
    _disease("coronary_artery_disease", "Coronary artery disease", "Narrowed coronary arteries or an infarct."),
    _disease("atrial_fibrillation", "Atrial fibrillation", "Atria that quiver: irregular beats without P waves."),
    _disease("hypertrophic_cardiomyopathy", "Hypertrophic cardiomyopathy", "Inherited thickening, most of the septum."),
    _number("lvm", "LV mass", "g", "Mass of the left ventricle's muscle."),
    _number("lvedv", "LV end-diastolic volume", "ml", "Volume of the filled left ventricle."),
    _number("lvesv", "LV end-systolic volume", "ml", "Volume of the contracted left ventricle."),
    _number("lvef", "LV ejection fraction", "%", "Part of its filled volume that the left ventricle ejects."),
    _number("rvedv", "RV end-diastolic volume", "ml", "Volume of the filled right ventricle."),
    _number("rvesv", "RV end-systolic volume", "ml", "Volume of the contracted right ventricle."),
    _number("rvef", "RV ejection fraction", "%", "Part of its filled volume that the right ventricle ejects."),
    _number("heart_rate", "Heart rate", "bpm", "Beats per minute at rest."),
    _number("pr_interval", "PR interval", "ms", "From P onset to QRS onset; missing without P waves."),
    _number("qrs_duration", "QRS duration", "ms", "From QRS onset to QRS offset."),
    _number("qt_interval", "QT interval", "ms", "From QRS onset to T offset."),
)
"""The phenotypes of a simulated study, in the order in which they are shown."""
