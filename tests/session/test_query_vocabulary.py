"""Sentences about a study that calls everything otherwise."""

import math

import numpy as np
import pandas as pd
import pytest

from napari_latent_explorer.data.cohort import Cohort
from napari_latent_explorer.data.phenotype import PhenotypeSpec
from napari_latent_explorer.session.filters import AnyOf, CategoryFilter, RangeFilter
from napari_latent_explorer.session.query import understand

INF = math.inf
SPECS = (
    PhenotypeSpec("Gender", "binary", categories=("M", "F")),
    PhenotypeSpec("age_at_imaging", "continuous", "Age at imaging", "years"),
    PhenotypeSpec("systolic_pressure", "continuous", "Systolic blood pressure", "mmHg"),
    PhenotypeSpec("diastolic_pressure", "continuous", "Diastolic blood pressure", "mmHg"),
    PhenotypeSpec("HTN_diagnosed", "binary", "High blood pressure diagnosed by doctor", categories=("No", "Yes")),
    PhenotypeSpec("NYHA", "categorical", "NYHA class", categories=("I", "II", "III", "IV")),
    PhenotypeSpec("ethnicity", "categorical", "Ethnic background", categories=("White", "Asian or Asian British",
                                                                              "Black (other)")),
    PhenotypeSpec("drinking", "categorical", "Alcohol drinker", categories=("never", "previous", "current")),
    PhenotypeSpec("smoker", "binary", "Smoker", categories=("no", "yes")),
    PhenotypeSpec("LVM_g", "continuous", "LV mass (MRI)", "g"),
    PhenotypeSpec("weight", "continuous", "Weight", "kg"),
    PhenotypeSpec("height", "continuous", "Standing height", "cm"),
    PhenotypeSpec("gls", "continuous", "LV longitudinal strain", "%"),
    PhenotypeSpec("field_22420", "continuous", "LV ejection fraction, scanner's software", "%"),
    PhenotypeSpec("hba1c", "continuous", "Glycated haemoglobin (HbA1c)", "mmol/mol"),
    PhenotypeSpec("diabetes_status", "categorical", "Diabetes", categories=("no", "yes", "unsure")),
    PhenotypeSpec("stage", "categorical", "Stage", categories=("0", "1", "2")),
    PhenotypeSpec("group", "binary", "Group", categories=("control", "case")),
    PhenotypeSpec("t2d", "binary", "Non-insulin-dependent diabetes mellitus", categories=("no", "yes")),
)  # fmt: skip


@pytest.fixture(scope="module")
def cohort():
    n = 30
    table = {
        spec.name: np.linspace(-50, 200, n)
        if spec.kind == "continuous"
        else pd.Categorical.from_codes(np.arange(n) % (len(spec.categories) + 1) - 1, list(spec.categories))
        for spec in SPECS
    }
    ids = np.array([f"P{number}" for number in range(n)])
    return Cohort(ids, pd.DataFrame(table), {spec.name: spec for spec in SPECS})


def is_(phenotype, *categories, missing=False):
    return CategoryFilter(phenotype, frozenset(categories), missing)


def over(phenotype, low):
    return RangeFilter(phenotype, math.nextafter(low, INF), INF)


def under(phenotype, high):
    return RangeFilter(phenotype, -INF, math.nextafter(high, -INF))


UNDERSTOOD = {
    "women over 60 with high blood pressure": [
        is_("Gender", "F"), over("age_at_imaging", 60), is_("HTN_diagnosed", "Yes"),
    ],
    "gender is F": [is_("Gender", "F")],
    "hypertensive men": [is_("HTN_diagnosed", "Yes"), is_("Gender", "M")],
    "SBP > 140 and DBP < 90": [over("systolic_pressure", 140), under("diastolic_pressure", 90)],
    "systolic blood pressure over 140 mm Hg": [over("systolic_pressure", 140)],
    "systolic_pressure over 140": [over("systolic_pressure", 140)],
    "NYHA class III or IV": [is_("NYHA", "III", "IV")],
    "NYHA iii": [is_("NYHA", "III")],
    "missing NYHA class": [is_("NYHA", missing=True)],
    "Asian or Asian British women": [is_("ethnicity", "Asian or Asian British"), is_("Gender", "F")],
    "white men or NYHA II": [AnyOf((is_("NYHA", "II"), is_("ethnicity", "White")))],
    '"Black (other)"': [is_("ethnicity", "Black (other)")],
    "never drinkers": [is_("drinking", "never")],
    "drinkers": [is_("drinking", "current")],
    "smokers": [is_("smoker", "yes")],
    "non-smokers": [is_("smoker", "no")],
    "LVM_g above 100": [over("LVM_g", 100)],
    "LV mass above 0.1 kg": [over("LVM_g", 100)],
    "heavier than 90 kg": [over("weight", 90)],
    "height at least 1.5 m": [RangeFilter("height", 150, INF)],
    "GLS below -15 %": [under("gls", -15)],
    "GLS -20 to -15": [RangeFilter("gls", -20, -15)],
    "hba1c above 48 mmol/mol": [over("hba1c", 48)],
    "without diabetes": [is_("diabetes_status", "no")],
    "diabetes: unsure": [is_("diabetes_status", "unsure")],
    "stage 2": [is_("stage", "2")],
    "stage 1 or 2": [is_("stage", "1", "2")],
    "cases": [is_("group", "case")],
    "group is control": [is_("group", "control")],
    "T2DM": [is_("t2d", "yes")],
    "type 2 diabetes": [is_("t2d", "yes")],
    "field_22420 below 40": [under("field_22420", 40)],
    "\"LV ejection fraction, scanner's software\" below 40 %": [under("field_22420", 40)],
}  # fmt: skip


@pytest.mark.parametrize("sentence", UNDERSTOOD)
def test_any_names_labels_and_categories_are_understood(cohort, sentence):
    understanding = understand(sentence, cohort)
    assert understanding.problems == ()
    if sentence.startswith("white"):
        (found,) = understanding.filters
        men, white, class_2 = is_("Gender", "M"), is_("ethnicity", "White"), is_("NYHA", "II")
        expected = (men.mask(cohort) & white.mask(cohort)) | class_2.mask(cohort)
        assert (found.filter.mask(cohort) == expected).all()
    else:
        assert {found.filter for found in understanding.filters} == set(UNDERSTOOD[sentence])


UNCLEAR = {
    "pressure above 140": ("pressure", ("Systolic blood pressure", "Diastolic blood pressure")),
    "blood pressure above 140 mmHg": ("blood pressure", ("Systolic blood pressure", "Diastolic blood pressure")),
    "EF below 40": ("EF", ("\"LV ejection fraction, scanner's software\"",)),
    "systolic above 120": ("systolic", ("Systolic blood pressure",)),
    "lvedv above 100": ("lvedv", ()),
    "over 100 mmHg": (
        "over 100 mmHg", ("Systolic blood pressure over 100 mmHg", "Diastolic blood pressure over 100 mmHg"),
    ),
    "type 1 diabetes": ("type 1 diabetes", ("Diabetes",)),
    "LBBB": ("LBBB", ()),
}  # fmt: skip


@pytest.mark.parametrize("sentence", UNCLEAR)
def test_words_for_several_columns_and_for_none_are_asked(cohort, sentence):
    (problem,) = understand(sentence, cohort).problems
    assert (sentence[problem.start : problem.end], problem.suggestions) == UNCLEAR[sentence]
    for suggestion in problem.suggestions:
        repaired = sentence[: problem.start] + suggestion + sentence[problem.end :]
        assert understand(repaired, cohort).problems == ()
