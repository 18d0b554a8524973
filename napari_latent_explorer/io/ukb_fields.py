"""What the fields of UK Biobank mean that a study of hearts is likely to hold.

One `UkbPhenotype` for each phenotype that is made of one field, or of several that ask the same (medication is field
6153 for women and 6177 for men). A field of which several answers may be given becomes one yes/no phenotype for each.

Numbers, titles and units are those of UK Biobank's data dictionary, codes and labels those of its data codings, as of
2022; both are public (References). Names of phenotypes are those of simulated studies where they mean the same.

Warnings
--------
Diagnoses from linked records (fields 130706 to 131366) are missing for "never reported", so somebody without linked
records counts as healthy. The volumes of fields 22420 to 22425 come from the scanner's own software without quality
control and are biased; those of fields 24100 to 24181 are to be preferred.

References
----------
UK Biobank Showcase: Data_Dictionary_Showcase, Codings_Showcase (codings 9, 90, 819, 1001, 100349, 100402, 100605,
100625, 100626), https://biobank.ndph.ox.ac.uk/showcase.

Bai W et al. A population-based phenome-wide association study of cardiac and aortic structure and function. Nature
Medicine 26 (2020), for fields 24100 to 24181.
"""

from dataclasses import dataclass, replace
from typing import Final

from napari_latent_explorer.data.phenotype import PhenotypeKind
from napari_latent_explorer.io.column_proposal import ColumnRule

IMAGING_VISIT: Final = 2
VISIT_DATE_FIELD: Final = 53
VISITS: Final = {0: "baseline", 1: "first repeat", 2: "imaging", 3: "repeat imaging"}

Codes = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class UkbPhenotype:
    """One phenotype, and the fields that it is made of.

    Attributes
    ----------
    fields
        Numbers of the fields, the first preferred.
    name, label, kind, unit, categories, description
        As in `PhenotypeSpec`.
    codes
        ``(code or its text, category)``; exports hold either.
    missing_codes
        Codes and texts that mean "missing".
    rule
        How arrays (several readings, several answers) become one value.
    is_once
        Whether it was asked or holds once for all, so that any visit's value is good.
    """

    fields: tuple[int, ...]
    name: str
    label: str
    kind: PhenotypeKind = "continuous"
    unit: str = ""
    categories: tuple[str, ...] = ()
    codes: Codes = ()
    missing_codes: tuple[str, ...] = ()
    rule: ColumnRule = "first"
    is_once: bool = False
    description: str = ""


REFUSALS: Final = ("-3", "-818", "Prefer not to answer")
"""What "prefer not to answer" is in every coding of UK Biobank that has it."""

_REFUSED: Final = ("-3", "Prefer not to answer")
_UNKNOWN: Final = ("-1", "Do not know")
_NONE: Final = ("-7", "None of the above")
_UNDATED: Final = ("1900-01-01", "1901-01-01", "1909-09-09", "2037-07-07")
"""Dates of coding 819 that stand for "reported, but nobody knows when"."""


def _number(field: int, name: str, label: str, unit: str, rule: ColumnRule = "first") -> UkbPhenotype:
    return UkbPhenotype((field,), name, label, "continuous", unit, rule=rule)


def _answer(fields: tuple[int, ...], name: str, label: str, answers: Codes, answer: str) -> UkbPhenotype:
    """Whether `answer` is among the answers that somebody gave."""
    codes = tuple((text, "yes" if code == answer else "no") for code, title in answers for text in (code, title))
    none = tuple((text, "no") for text in _NONE)
    missing = (*_REFUSED, *_UNKNOWN)
    title = dict(answers)[answer]
    said = f"Whether {title!r} was among the answers at the visit."
    return UkbPhenotype(
        fields, name, label, "binary", "", ("no", "yes"), (*codes, *none), missing, "any", description=said
    )


def _first_report(field: int, name: str, label: str, icd10: str) -> UkbPhenotype:
    said = f"ICD-10 {icd10} in linked records or self-report; without such a report it counts as no."
    return UkbPhenotype(
        (field,), name, label, "binary", "", ("no", "yes"), missing_codes=_UNDATED, rule="before", is_once=True,
        description=said,
    )  # fmt: skip


_HEART_PROBLEMS: Final[Codes] = (("1", "Heart attack"), ("2", "Angina"), ("3", "Stroke"), ("4", "High blood pressure"))
_MEDICATION: Final[Codes] = (
    ("1", "Cholesterol lowering medication"),
    ("2", "Blood pressure medication"),
    ("3", "Insulin"),
    ("4", "Hormone replacement therapy"),
    ("5", "Oral contraceptive pill or minipill"),
)
_HABIT: Final[Codes] = (("0", "never"), ("1", "previous"), ("2", "current"))
_DRINKING: Final = (
    "Never", "Special occasions only", "One to three times a month", "Once or twice a week",
    "Three or four times a week", "Daily or almost daily",
)  # fmt: skip
_BACKGROUNDS: Final = {
    "White": ("1", "1001", "British", "1002", "Irish", "1003", "Any other white background"),
    "Mixed": (
        "2", "2001", "White and Black Caribbean", "2002", "White and Black African", "2003", "White and Asian", "2004",
        "Any other mixed background",
    ),
    "Asian or Asian British": (
        "3", "3001", "Indian", "3002", "Pakistani", "3003", "Bangladeshi", "3004", "Any other Asian background",
    ),
    "Black or Black British": ("4", "4001", "Caribbean", "4002", "African", "4003", "Any other Black background"),
    "Chinese": ("5",),
    "Other ethnic group": ("6",),
}  # fmt: skip
"""Top level of coding 1001, and all codes and texts below it."""

_PEOPLE: Final = (
    UkbPhenotype(
        (31,), "sex", "Sex", "binary", categories=("female", "male"), codes=(("0", "female"), ("1", "male")),
        is_once=True, description="Sex in the register, or as corrected by the participant.",
    ),
    _number(21003, "age", "Age", "years"),
    replace(_number(21022, "age_at_recruitment", "Age at recruitment", "years"), is_once=True),
    UkbPhenotype(
        (21000,), "ethnic_background", "Ethnic background", "categorical", categories=tuple(_BACKGROUNDS),
        codes=tuple((code, group) for group, codes in _BACKGROUNDS.items() for code in codes),
        missing_codes=(*_REFUSED, *_UNKNOWN), is_once=True, description="Self-reported; top level of the coding.",
    ),
    _number(21001, "bmi", "Body mass index", "kg/m²"),
    _number(21002, "weight", "Weight", "kg"),
    _number(50, "height", "Standing height", "cm"),
    _number(48, "waist", "Waist circumference", "cm"),
    _number(49, "hip", "Hip circumference", "cm"),
    _number(4080, "systolic_pressure", "Systolic blood pressure", "mmHg", "mean"),
    _number(4079, "diastolic_pressure", "Diastolic blood pressure", "mmHg", "mean"),
    _number(93, "systolic_pressure_manual", "Systolic blood pressure, manual reading", "mmHg", "mean"),
    _number(94, "diastolic_pressure_manual", "Diastolic blood pressure, manual reading", "mmHg", "mean"),
    _number(102, "pulse_rate", "Pulse rate, automated reading", "bpm", "mean"),
)  # fmt: skip

_LIFE: Final = (
    UkbPhenotype(
        (20116,), "smoking", "Smoking", "categorical", categories=("never", "previous", "current"), codes=_HABIT,
        missing_codes=_REFUSED,
    ),
    UkbPhenotype(
        (20117,), "drinking", "Alcohol drinker", "categorical", categories=("never", "previous", "current"),
        codes=_HABIT, missing_codes=_REFUSED,
    ),
    UkbPhenotype(
        (1558,), "alcohol_frequency", "Alcohol intake frequency", "categorical", categories=_DRINKING,
        codes=tuple((str(6 - place), label) for place, label in enumerate(_DRINKING)), missing_codes=_REFUSED,
    ),
    UkbPhenotype(
        (2443,), "diabetes", "Diabetes diagnosed by doctor", "binary", categories=("no", "yes"),
        codes=(("0", "no"), ("1", "yes")), missing_codes=(*_REFUSED, *_UNKNOWN),
    ),
    _answer((6150,), "heart_attack_diagnosed", "Heart attack diagnosed by doctor", _HEART_PROBLEMS, "1"),
    _answer((6150,), "angina_diagnosed", "Angina diagnosed by doctor", _HEART_PROBLEMS, "2"),
    _answer((6150,), "stroke_diagnosed", "Stroke diagnosed by doctor", _HEART_PROBLEMS, "3"),
    _answer((6150,), "hypertension_diagnosed", "High blood pressure diagnosed by doctor", _HEART_PROBLEMS, "4"),
    _answer((6153, 6177), "cholesterol_medication", "Cholesterol lowering medication", _MEDICATION, "1"),
    _answer((6153, 6177), "pressure_medication", "Blood pressure medication", _MEDICATION, "2"),
    _answer((6153, 6177), "insulin", "Insulin", _MEDICATION, "3"),
)  # fmt: skip

_REPORTS: Final = (
    _first_report(131286, "hypertension", "Hypertension", "I10"),
    _first_report(131296, "angina", "Angina pectoris", "I20"),
    _first_report(131298, "myocardial_infarction", "Acute myocardial infarction", "I21"),
    _first_report(131306, "chronic_ischaemic_heart_disease", "Chronic ischaemic heart disease", "I25"),
    _first_report(131338, "cardiomyopathy", "Cardiomyopathy", "I42"),
    _first_report(131350, "atrial_fibrillation", "Atrial fibrillation and flutter", "I48"),
    _first_report(131354, "heart_failure", "Heart failure", "I50"),
    _first_report(131366, "cerebral_infarction", "Cerebral infarction", "I63"),
    _first_report(130706, "diabetes_type_1", "Insulin-dependent diabetes mellitus", "E10"),
    _first_report(130708, "diabetes_type_2", "Non-insulin-dependent diabetes mellitus", "E11"),
    _first_report(130814, "hypercholesterolemia", "Disorders of lipoprotein metabolism", "E78"),
)

_BLOOD: Final = (
    _number(30690, "cholesterol", "Cholesterol", "mmol/l"),
    _number(30780, "ldl", "LDL direct", "mmol/l"),
    _number(30760, "hdl", "HDL cholesterol", "mmol/l"),
    _number(30870, "triglycerides", "Triglycerides", "mmol/l"),
    _number(30740, "glucose", "Glucose", "mmol/l"),
    _number(30750, "hba1c", "Glycated haemoglobin (HbA1c)", "mmol/mol"),
)

_HEART_MRI: Final = (
    _number(24100, "lvedv", "LV end-diastolic volume", "ml"),
    _number(24101, "lvesv", "LV end-systolic volume", "ml"),
    _number(24102, "lvsv", "LV stroke volume", "ml"),
    _number(24103, "lvef", "LV ejection fraction", "%"),
    _number(24104, "cardiac_output", "LV cardiac output", "l/min"),
    _number(24105, "lvm", "LV mass", "g"),
    _number(24106, "rvedv", "RV end-diastolic volume", "ml"),
    _number(24107, "rvesv", "RV end-systolic volume", "ml"),
    _number(24108, "rvsv", "RV stroke volume", "ml"),
    _number(24109, "rvef", "RV ejection fraction", "%"),
    _number(24110, "la_volume_max", "LA maximum volume", "ml"),
    _number(24111, "la_volume_min", "LA minimum volume", "ml"),
    _number(24112, "la_stroke_volume", "LA stroke volume", "ml"),
    _number(24113, "laef", "LA ejection fraction", "%"),
    _number(24114, "ra_volume_max", "RA maximum volume", "ml"),
    _number(24115, "ra_volume_min", "RA minimum volume", "ml"),
    _number(24116, "ra_stroke_volume", "RA stroke volume", "ml"),
    _number(24117, "raef", "RA ejection fraction", "%"),
    _number(24118, "ascending_aorta_area_max", "Ascending aorta maximum area", "mm²"),
    _number(24119, "ascending_aorta_area_min", "Ascending aorta minimum area", "mm²"),
    _number(24121, "descending_aorta_area_max", "Descending aorta maximum area", "mm²"),
    _number(24122, "descending_aorta_area_min", "Descending aorta minimum area", "mm²"),
    _number(24140, "wall_thickness", "LV mean myocardial wall thickness", "mm"),
    _number(24157, "circumferential_strain", "LV circumferential strain", "%"),
    _number(24174, "radial_strain", "LV radial strain", "%"),
    _number(24181, "longitudinal_strain", "LV longitudinal strain", "%"),
    _number(22420, "lvef_scanner", "LV ejection fraction, scanner's software", "%"),
    _number(22421, "lvedv_scanner", "LV end-diastolic volume, scanner's software", "ml"),
    _number(22422, "lvesv_scanner", "LV end-systolic volume, scanner's software", "ml"),
    _number(22423, "lvsv_scanner", "LV stroke volume, scanner's software", "ml"),
    _number(22424, "cardiac_output_scanner", "Cardiac output, scanner's software", "l/min"),
    _number(22425, "cardiac_index_scanner", "Cardiac index, scanner's software", "l/min/m²"),
    _number(22426, "heart_rate_mri", "Average heart rate during MRI", "bpm"),
    _number(22427, "body_surface_area", "Body surface area", "m²"),
)

_ECG: Final = (
    _number(12336, "heart_rate", "Ventricular rate", "bpm"),
    _number(12338, "p_duration", "P duration", "ms"),
    _number(12340, "qrs_duration", "QRS duration", "ms"),
    _number(22330, "pr_interval", "PQ interval", "ms"),
    _number(22331, "qt_interval", "QT interval", "ms"),
    _number(22332, "qtc_interval", "QTc interval", "ms"),
    _number(22333, "rr_interval", "RR interval", "ms"),
    _number(22334, "pp_interval", "PP interval", "ms"),
    _number(22335, "p_axis", "P axis", "degrees"),
    _number(22336, "r_axis", "R axis", "degrees"),
    _number(22337, "t_axis", "T axis", "degrees"),
    _number(22338, "n_qrs", "Number of QRS complexes", ""),
)

UKB_PHENOTYPES: Final = (*_PEOPLE, *_LIFE, *_REPORTS, *_BLOOD, *_HEART_MRI, *_ECG)
"""Every phenotype that is known, in the order in which they are shown."""

NOT_PHENOTYPES: Final = {
    33: "the date of birth names a person; the age is field 21003",
    34: "the year of birth; the age is field 21003",
    52: "the month of birth; the age is field 21003",
    53: "the date of the visit; it tells which diagnoses came before",
    54: "the centre; it says where somebody was examined, not what they have",
    12653: "the device's diagnoses, in free text",
}
"""Fields that are known and not kept, and why."""
