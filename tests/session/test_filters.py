import math

import numpy as np
import pytest

from napari_latent_explorer.data.cohort import Cohort
from napari_latent_explorer.errors import TableError
from napari_latent_explorer.session.filters import CategoryFilter, RangeFilter, bar_counts, bin_phenotype


def test_a_category_filter_passes_its_categories_and_missing_only_if_asked(cohort: Cohort) -> None:
    diabetic = CategoryFilter("diabetes", frozenset({"yes"})).mask(cohort)
    assert cohort.participant_ids[diabetic].tolist() == [f"P{i:02}" for i in range(0, 40, 4)]
    unknown = CategoryFilter("diabetes", include_missing=True).mask(cohort)
    assert cohort.participant_ids[unknown].tolist() == ["P03"]


def test_missing_values_of_a_number_can_be_picked_alone(cohort: Cohort) -> None:
    unknown = CategoryFilter("lvef", include_missing=True).mask(cohort)
    assert cohort.participant_ids[unknown].tolist() == [f"P{i:02}" for i in range(6)]


def test_a_range_holds_both_ends_and_no_missing_value(cohort: Cohort) -> None:
    mask = RangeFilter("lvef", 56.0, 58.0).mask(cohort)
    assert cohort.participant_ids[mask].tolist() == ["P06", "P07", "P08"]
    with_missing = RangeFilter("lvef", 56.0, 58.0, include_missing=True).mask(cohort)
    assert with_missing.sum() == 3 + 6


@pytest.mark.parametrize(
    ("chosen", "words"),
    [
        (CategoryFilter("weight"), "no phenotype 'weight'; it has sex, diabetes, age, lvef"),
        (CategoryFilter("sex", frozenset({"x"})), "no category x; it has female, male"),
        (CategoryFilter("age", frozenset({"old"})), "it is continuous"),
        (RangeFilter("sex", 0, 1), "is binary"),
        (RangeFilter("age", 5, 1), "low must not exceed high"),
        (RangeFilter("age", math.nan, 1), "low must not exceed high"),
    ],
)
def test_a_filter_that_does_not_fit_says_why(cohort: Cohort, chosen: CategoryFilter | RangeFilter, words: str) -> None:
    with pytest.raises(TableError, match=words):
        chosen.mask(cohort)


def test_filters_say_what_they_are_in_words(cohort: Cohort) -> None:
    specs = cohort.specs
    assert RangeFilter("age", 55, 65).describe(specs["age"]) == "Age 55 to 65 years"
    both = CategoryFilter("diabetes", frozenset({"yes", "no"}), include_missing=True)
    assert both.describe(specs["diabetes"]) == "Diabetes: no or yes or missing"


def test_bins_agree_with_numpy_histogram(cohort: Cohort) -> None:
    binning = bin_phenotype(cohort, "lvef")
    counts, n_missing = binning.count(np.ones(len(cohort), dtype=bool))
    values = cohort.values("lvef")
    expected, edges = np.histogram(values[np.isfinite(values)], bins=len(binning.labels))
    assert binning.edges is not None
    np.testing.assert_allclose(binning.edges, edges)
    assert counts.tolist() == expected.tolist()
    assert n_missing == 6


def test_each_chart_counts_all_filters_but_its_own(cohort: Cohort) -> None:
    sex = CategoryFilter("sex", frozenset({"female"}))
    age = RangeFilter("age", 0, 9)
    masks = {one.phenotype: one.mask(cohort) for one in (sex, age)}
    of_sex = bar_counts(cohort, masks, "sex")
    assert of_sex.filtered.tolist() == [5, 5]  # ages 0..9, women and men alike
    assert of_sex.total.tolist() == [20, 20]
    of_age = bar_counts(cohort, masks, "age")
    assert of_age.filtered.sum() == 20  # all women, of any age
    of_diabetes = bar_counts(cohort, masks, "diabetes")
    assert of_diabetes.filtered.tolist() == [2, 3]  # women of 0..9: 0, 4, 8 are diabetic
    assert (of_diabetes.missing_total, of_diabetes.missing_filtered) == (1, 0)


def test_counts_of_random_filters_agree_with_counting_one_by_one(cohort: Cohort) -> None:
    rng = np.random.default_rng(1)
    for _ in range(20):
        masks = {name: rng.random(len(cohort)) < 0.6 for name in rng.permutation(list(cohort.specs))[:3].tolist()}
        included = rng.random(len(cohort)) < 0.9
        for name in cohort.specs:
            counts = bar_counts(cohort, masks, name, included)
            bins = bin_phenotype(cohort, name).bins
            passing = [
                row
                for row in range(len(cohort))
                if included[row] and all(mask[row] for other, mask in masks.items() if other != name)
            ]
            expected = [sum(bins[row] == bar for row in passing) for bar in range(len(counts.labels))]
            assert counts.filtered.tolist() == expected
            assert counts.missing_filtered == sum(bins[row] == -1 for row in passing)


def test_equal_counts_are_equal(cohort: Cohort) -> None:
    everyone = bar_counts(cohort, {}, "age")
    assert everyone == bar_counts(cohort, {}, "age")
    assert everyone != bar_counts(cohort, {"sex": cohort.codes("sex") == 0}, "age")
