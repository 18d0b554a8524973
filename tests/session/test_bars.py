import numpy as np
import pandas as pd
import pytest

from napari_latent_explorer.data.cohort import Cohort
from napari_latent_explorer.data.phenotype import PhenotypeSpec
from napari_latent_explorer.session.bars import bin_phenotype, limits_of
from napari_latent_explorer.session.bitmaps import pack
from napari_latent_explorer.session.crossfilter import Crossfilter
from napari_latent_explorer.session.filters import CategoryFilter, RangeFilter


def test_bins_agree_with_numpy_histogram(cohort: Cohort) -> None:
    binning = bin_phenotype(cohort, "lvef")
    counts, n_missing = binning.count(pack(np.ones(len(cohort), dtype=bool)), len(cohort))
    values = cohort.values("lvef")
    assert binning.edges is not None
    expected, _ = np.histogram(values[np.isfinite(values)], bins=binning.edges)
    assert counts.tolist() == expected.tolist()
    assert n_missing == 6


@pytest.mark.parametrize("scale", [1.0, 0.5, 1e-9], ids=["whole", "halves", "tiny"])
def test_the_limits_of_bars_hold_those_who_are_counted_in_them(scale) -> None:
    values = np.round(np.random.default_rng(0).normal(50, 9, 400)) * scale
    table = pd.DataFrame({"x": np.where(values > 65 * scale, np.nan, values)})
    cohort = Cohort(np.array([f"P{i}" for i in range(400)]), table, {"x": PhenotypeSpec("x", "continuous")})
    binning = bin_phenotype(cohort, "x")
    counts, _ = binning.count(pack(np.ones(400, dtype=bool)), 400)
    assert binning.edges is not None
    for first, last in ((0, 0), (3, 3), (2, 7), (len(counts) - 1, len(counts) - 1)):
        chosen = RangeFilter("x", *limits_of(binning.edges, first, last))
        assert chosen.mask(cohort).sum() == counts[first : last + 1].sum()


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
