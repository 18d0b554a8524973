import numpy as np

from napari_latent_explorer.data.cohort import Cohort
from napari_latent_explorer.session.bars import bin_phenotype
from napari_latent_explorer.session.bitmaps import pack
from napari_latent_explorer.session.crossfilter import Crossfilter
from napari_latent_explorer.session.filters import CategoryFilter, RangeFilter


def test_bins_agree_with_numpy_histogram(cohort: Cohort) -> None:
    binning = bin_phenotype(cohort, "lvef")
    counts, n_missing = binning.count(pack(np.ones(len(cohort), dtype=bool)), len(cohort))
    values = cohort.values("lvef")
    expected, edges = np.histogram(values[np.isfinite(values)], bins=len(binning.labels))
    assert binning.edges is not None
    np.testing.assert_allclose(binning.edges, edges)
    assert counts.tolist() == expected.tolist()
    assert n_missing == 6


def test_each_chart_counts_all_filters_but_its_own(cohort: Cohort) -> None:
    sex = CategoryFilter("sex", frozenset({"female"}))
    bars = Crossfilter(cohort).look((sex, RangeFilter("age", 0, 9)), {}).bars
    assert bars["sex"].filtered.tolist() == [5, 5]  # ages 0..9, women and men alike
    assert bars["sex"].total.tolist() == [20, 20]
    assert bars["age"].filtered.sum() == 20  # all women, of any age
    assert bars["diabetes"].filtered.tolist() == [2, 3]  # women of 0..9: 0, 4, 8 are diabetic
    assert (bars["diabetes"].missing_total, bars["diabetes"].missing_filtered) == (1, 0)


def test_equal_counts_are_equal(cohort: Cohort) -> None:
    everyone = Crossfilter(cohort).look((), {}).bars["age"]
    assert everyone == Crossfilter(cohort).look((), {}).bars["age"]
    assert everyone != Crossfilter(cohort).look((CategoryFilter("sex", frozenset({"female"})),), {}).bars["age"]
