"""Sentences about a simulated study, each with exactly the filters that it means."""

import math

import pytest

from napari_latent_explorer.session.filters import AllOf, AnyOf, CategoryFilter, RangeFilter
from napari_latent_explorer.session.query import understand

INF = math.inf


def is_(phenotype, *categories, missing=False):
    return CategoryFilter(phenotype, frozenset(categories), missing)


def has(*phenotypes):
    return [is_(phenotype, "yes") for phenotype in phenotypes]


def at_least(phenotype, low):
    return RangeFilter(phenotype, low, INF)


def at_most(phenotype, high):
    return RangeFilter(phenotype, -INF, high)


def over(phenotype, low):
    return RangeFilter(phenotype, math.nextafter(low, INF), INF)


def under(phenotype, high):
    return RangeFilter(phenotype, -INF, math.nextafter(high, -INF))


def within(phenotype, low, high):
    """From `low` up to, but not, `high`."""
    return RangeFilter(phenotype, low, math.nextafter(high, -INF))


WOMEN, MEN = is_("sex", "female"), is_("sex", "male")
AF, HTN, DM = has("atrial_fibrillation", "hypertension", "diabetes")
NO_AF, NO_HTN, NO_DM = (is_(name, "no") for name in ("atrial_fibrillation", "hypertension", "diabetes"))
BY_NAME = {
    "women over 60 with hypertension and without diabetes, LVM above 100 g": [
        WOMEN, over("age", 60), HTN, NO_DM, over("lvm", 100),
    ],
    "60-year old, male, previously diagnosed with atrial fibrillation": [within("age", 60, 61), MEN, AF],
    # people
    "women": [WOMEN],
    "Men": [MEN],
    "female patients": [WOMEN],
    "all participants who are male": [MEN],
    "sex = female": [WOMEN],
    "sex is not male": [WOMEN],
    "not women": [MEN],
    "female sex": [WOMEN],
    "everyone": [],
    "patients": [],
    # ages
    "under 55": [under("age", 55)],
    "women over 60": [WOMEN, over("age", 60)],
    "60+": [at_least("age", 60)],
    "60 or older": [at_least("age", 60)],
    "aged 60 and over": [at_least("age", 60)],
    "older than 60": [over("age", 60)],
    "younger than forty": [under("age", 40)],
    "at least 60 years": [at_least("age", 60)],
    "up to 55 years of age": [at_most("age", 55)],
    "between 50 and 60": [RangeFilter("age", 50, 60)],
    "aged 50 to 60": [RangeFilter("age", 50, 60)],
    "age: 50-60": [RangeFilter("age", 50, 60)],
    "50 to 60 years old": [within("age", 50, 61)],
    "men aged 40s": [MEN, within("age", 40, 50)],
    "the over-60s": [over("age", 60)],
    "under-50s": [under("age", 50)],
    "50 to 59-year-old women": [WOMEN, within("age", 50, 60)],
    "60-year-old": [within("age", 60, 61)],
    "60-year olds": [within("age", 60, 61)],
    "age 60": [within("age", 60, 61)],
    "in their sixties": [within("age", 60, 70)],
    "men in their 60s": [MEN, within("age", 60, 70)],
    "not over 60": [at_most("age", 60)],
    "over 50 and under 60": [RangeFilter("age", math.nextafter(50, INF), math.nextafter(60, -INF))],
    "over 720 months": [over("age", 60)],
    # diseases
    "AF": [AF],
    "with a history of high blood pressure": [HTN],
    "patients with known HTN": [HTN],
    "diabetics": [DM],
    "diabetic men": [DM, MEN],
    "hypertension: no": [NO_HTN],
    "hypertension is yes": [HTN],
    "no diabetes": [NO_DM],
    "free of AF": [NO_AF],
    "HTN but not diabetes": [HTN, NO_DM],
    "neither AF nor diabetes": [NO_AF, NO_DM],
    "without a history of AF": [NO_AF],
    "no diabetes or hypertension": [NO_DM, NO_HTN],
    "CAD and HCM": has("coronary_artery_disease", "hypertrophic_cardiomyopathy"),
    "hypercholesterolaemia": has("hypercholesterolemia"),
    "high cholesterol": has("hypercholesterolemia"),
    "raised cholesterol": has("hypercholesterolemia"),
    "females w/ HTN & DM, w/o AF": [WOMEN, HTN, DM, NO_AF],
    "no prior hypertension": [NO_HTN],
    "people without hypertension, diabetes or AF": [NO_HTN, NO_DM, NO_AF],
    "no hypertension, diabetes, or AF": [NO_HTN, NO_DM, NO_AF],
    # categories
    "smokers": [is_("smoking", "current")],
    "women who smoke": [WOMEN, is_("smoking", "current")],
    "never smokers": [is_("smoking", "never")],
    "ex-smokers": [is_("smoking", "previous")],
    "smoking previous or current": [is_("smoking", "previous", "current")],
    "previous smokers or never smokers": [is_("smoking", "previous", "never")],
    "smoking is not current": [is_("smoking", "never", "previous")],
    "not current smokers": [is_("smoking", "never", "previous")],
    # measurements and units
    "LVM above 100 g": [over("lvm", 100)],
    "LV mass >= 100g": [at_least("lvm", 100)],
    "left ventricular mass of at most 0.1 kg": [at_most("lvm", 100)],
    "LVM between 100 and 150 g": [RangeFilter("lvm", 100, 150)],
    "LVM 100 g to 150 g": [RangeFilter("lvm", 100, 150)],
    "LVM above 100 g and below 150 g": [
        RangeFilter("lvm", math.nextafter(100, INF), math.nextafter(150, -INF)),
    ],
    "LVM above 1,000 g": [over("lvm", 1000)],
    "over 100 g": [over("lvm", 100)],
    "100 g or more": [at_least("lvm", 100)],
    "EF below 40 %": [under("lvef", 40)],
    "ejection fraction ≤ 40 percent": [at_most("lvef", 40)],
    "lvef < 40": [under("lvef", 40)],
    "EF of 55": [within("lvef", 54.5, 55.5)],
    "LVEDV above 0.2 l": [over("lvedv", 200)],
    "QRS longer than 0.12 s": [over("qrs_duration", 120)],
    "HR > 80 beats per minute": [over("heart_rate", 80)],
    "heart rate 60-70 bpm": [RangeFilter("heart_rate", 60, 70)],
    "heart rate above 1.5 Hz": [over("heart_rate", 90)],
    "BMI 25 to 30 kg/m2": [RangeFilter("bmi", 25, 30)],
    "obese women": [at_least("bmi", 30), WOMEN],
    "LVM not above 100": [at_most("lvm", 100)],
    "EF 40 or less": [at_most("lvef", 40)],
    # missing
    "women with unknown BMI": [WOMEN, is_("bmi", missing=True)],
    "BMI missing": [is_("bmi", missing=True)],
    "known BMI": [RangeFilter("bmi", -INF, INF)],
    "smoking status not recorded": [is_("smoking", missing=True)],
    "BMI above 30 or missing BMI": [RangeFilter("bmi", math.nextafter(30, INF), INF, include_missing=True)],
    # and, or, not
    "men and AF": [MEN, AF],
    "women AF HTN": [WOMEN, AF, HTN],
    "men with AF or HTN": [MEN, AnyOf((AF, HTN))],
    "AF and HTN or diabetes": [AnyOf((DM, AllOf((AF, HTN))))],
    "diabetes or AF and HTN": [AnyOf((DM, AllOf((AF, HTN))))],
    "AF and (HTN or diabetes)": [AF, AnyOf((HTN, DM))],
    "not (AF or HTN)": [NO_AF, NO_HTN],
    "not (AF and HTN)": [AnyOf((NO_AF, NO_HTN))],
    "not AF or HTN": [AnyOf((NO_AF, HTN))],
    "women over 60 or with hypertension": [WOMEN, AnyOf((over("age", 60), HTN))],
    "women, AF or HTN": [WOMEN, AnyOf((AF, HTN))],
    "women with AF or men with diabetes": [AnyOf((AllOf((WOMEN, AF)), AllOf((MEN, DM))))],
    "women over 60, or men over 70": [AnyOf((AllOf((WOMEN, over("age", 60))), AllOf((MEN, over("age", 70)))))],
    "men and women with AF": [is_("sex", "female", "male"), AF],
    "hypertensive or diabetic women over 60": [WOMEN, over("age", 60), AnyOf((HTN, DM))],
    "under 40 or over 70": [AnyOf((under("age", 40), over("age", 70)))],
    "not between 50 and 60": [AnyOf((under("age", 50), over("age", 60)))],
    "LVM above 100 or below 50": [AnyOf((under("lvm", 50), over("lvm", 100)))],
    "(AF or HTN) and (diabetes or HCM)": [
        AllOf((AnyOf((AF, HTN)), AnyOf((DM, is_("hypertrophic_cardiomyopathy", "yes")))))
    ],
    "women without diabetes and with AF": [WOMEN, NO_DM, AF],
    # spelling
    "wmoen with hypertenson": [WOMEN, HTN],
    "femle smoekrs": [WOMEN, is_("smoking", "current")],
    "atrial fibrilation wihtout diabtes": [AF, NO_DM],
}  # fmt: skip


@pytest.mark.parametrize("sentence", BY_NAME)
def test_a_sentence_means_exactly_these_filters(shapes_study, sentence):
    understanding = understand(sentence, shapes_study.cohort())
    assert understanding.problems == ()
    assert {found.filter for found in understanding.filters} == set(BY_NAME[sentence])
    assert not understanding.wants_representative


def test_each_filter_has_a_key_of_its_own_and_knows_its_words(shapes_study):
    sentence = "women over 60 with AF or HTN"
    understanding = understand(sentence, shapes_study.cohort())
    words = {found.filter.key: [sentence[start:end] for start, end in found.spans] for found in understanding.filters}
    assert words == {"sex": ["women"], "age": ["over 60"], "sentence": ["AF", "HTN"]}


def test_a_quantile_is_one_of_all_participants(shapes_study):
    cohort = shapes_study.cohort()
    n = len(cohort)
    for sentence, n_expected in (
        ("top 10 % of LV mass", n // 10),
        ("LVM in the lowest quarter", n // 4),
        ("LVM above the median", n // 2),
        ("LVM below the 20th percentile", n // 5),
    ):
        (found,) = understand(sentence, cohort).filters
        assert abs(int(found.filter.mask(cohort).sum()) - n_expected) <= 1
    (note,) = understand("top 10 % of LV mass", cohort).notes
    assert "of all participants" in note.text


@pytest.mark.parametrize("word", ["representative", "typical", "Representative", "reconstruct a", "find the average"])
def test_a_representative_can_be_asked_for(shapes_study, word):
    understanding = understand(f"{word} 60-year-old male with atrial fibrillation", shapes_study.cohort())
    assert understanding.wants_representative
    assert {found.filter for found in understanding.filters} == {within("age", 60, 61), MEN, AF}
    assert understanding.is_complete


def test_a_corrected_word_is_told_and_can_be_taken_back(shapes_study):
    sentence = "women with hypertenson"
    understanding = understand(sentence, shapes_study.cohort())
    (note,) = understanding.notes
    assert (note.kind, sentence[note.start : note.end], note.replacement) == ("spelling", "hypertenson", "hypertension")
    assert note.text == "took “hypertenson” for “hypertension”"
    undone = understand(sentence, shapes_study.cohort(), as_typed={"hypertenson"})
    assert [found.filter for found in undone.filters] == [WOMEN]
    assert [sentence[problem.start : problem.end] for problem in undone.problems] == ["hypertenson"]
    assert undone.notes == ()


@pytest.mark.parametrize(
    ("sentence", "read_otherwise"),
    [
        ("no diabetes or hypertension", "no diabetes or hypertension"),
        ("men and women with AF", "men and women"),
        ("obese women", "obese"),
        ("EF of 55", "EF of 55"),
        ("over 100 g", "over 100 g"),
        ("women with AF or xyz", "AF or xyz"),
    ],
)
def test_what_could_be_read_otherwise_is_told(shapes_study, sentence, read_otherwise):
    notes = understand(sentence, shapes_study.cohort()).notes
    assert [sentence[note.start : note.end] for note in notes] == [read_otherwise]
