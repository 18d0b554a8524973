import numpy as np

from napari_latent_explorer.data.cohort import Cohort
from napari_latent_explorer.session.bars import bar_counts, bin_phenotype
from napari_latent_explorer.session.filters import CategoryFilter, RangeFilter


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
