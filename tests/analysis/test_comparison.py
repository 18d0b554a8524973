"""Groups compared: against scipy and statsmodels, with known truths, and where little can be said."""

from math import comb, prod

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from statsmodels.stats.multitest import multipletests
from statsmodels.stats.weightstats import ttest_ind as welch_of_statsmodels

from napari_latent_explorer.analysis.comparison import compare
from napari_latent_explorer.data.cohort import Cohort
from napari_latent_explorer.data.phenotype import PhenotypeSpec
from napari_latent_explorer.errors import LatentExplorerError


def make_cohort(columns) -> Cohort:
    """Make a cohort of number columns, and of ``(codes, categories)`` pairs."""
    table, specs = {}, {}
    for name, column in columns.items():
        if isinstance(column, tuple):
            codes, categories = column
            table[name] = pd.Categorical.from_codes(codes, list(categories))
            kind = "binary" if len(categories) == 2 else "categorical"
            specs[name] = PhenotypeSpec(name, kind, categories=tuple(categories))
        else:
            table[name] = np.asarray(column, dtype=float)
            specs[name] = PhenotypeSpec(name, "continuous", unit="g")
    n = len(next(iter(table.values())))
    return Cohort(np.array([f"P{row:05}" for row in range(n)]), pd.DataFrame(table), specs)


def halves(cohort, n_a):
    return cohort.participant_ids[:n_a], cohort.participant_ids[n_a:]


def only_row(columns, n_a, **options):
    cohort = make_cohort(columns)
    return compare(cohort, *halves(cohort, n_a), **options).rows[0]


@pytest.fixture(scope="module")
def mixed() -> Cohort:
    rng = np.random.default_rng(0)
    n, in_a = 300, np.arange(300) < 120
    numbers = rng.normal(50, 8, n) + 3.0 * in_a
    numbers[[3, 7, 200]] = np.nan
    codes = rng.choice(4, n, p=[0.4, 0.3, 0.2, 0.1])
    codes[5] = -1
    return make_cohort(
        {
            "mass": numbers,
            "skewed": rng.lognormal(1.0 + 0.3 * in_a, 0.8),
            "disease": (np.where(rng.random(n) < 0.2 + 0.2 * in_a, 1, 0), ("no", "yes")),
            "rare": (np.isin(np.arange(n), (1, 2, 150)).astype(int), ("no", "yes")),
            "smoking": (codes, ("never", "former", "current", "unknown")),
        }
    )


@pytest.fixture(scope="module")
def table(mixed):
    return compare(mixed, *halves(mixed, 120), "Young", "Old")


def test_counts_and_descriptions_are_those_of_pandas(mixed, table):
    rows = {row.spec.name: row for row in table.rows}
    a = mixed.phenotypes["mass"][:120]
    side = rows["mass"].a
    assert (side.n, side.n_missing) == (118, 2)
    assert (side.mean, side.sd, side.median) == pytest.approx((a.mean(), a.std(), a.median()))
    assert (side.q1, side.q3) == pytest.approx((a.quantile(0.25), a.quantile(0.75)))
    smokers = mixed.phenotypes["smoking"][:120].value_counts()
    assert rows["smoking"].a.counts == tuple(smokers[name] for name in ("never", "former", "current", "unknown"))
    assert rows["smoking"].a.n_missing == 1
    assert rows["disease"].a.share(1) == pytest.approx((mixed.phenotypes["disease"][:120] == "yes").mean())


def test_means_are_tested_by_welch_as_scipy_and_statsmodels_do(mixed, table):
    values = mixed.values("mass")
    known = np.isfinite(values)
    a, b = values[:120][known[:120]], values[120:][known[120:]]
    assert table.rows[0].p == pytest.approx(stats.ttest_ind(a, b, equal_var=False).pvalue)
    assert table.rows[0].p == pytest.approx(welch_of_statsmodels(a, b, usevar="unequal")[1])
    assert table.rows[0].test == "Welch's t-test"


def test_mann_whitney_is_taken_if_chosen_and_for_numbers_only(mixed, table):
    by_ranks = compare(mixed, *halves(mixed, 120), number_test="mann-whitney")
    values = mixed.values("skewed")
    assert by_ranks.rows[1].p == pytest.approx(stats.mannwhitneyu(values[:120], values[120:]).pvalue)
    assert by_ranks.rows[2].p == table.rows[2].p
    with pytest.raises(LatentExplorerError, match="welch or mann-whitney"):
        compare(mixed, *halves(mixed, 120), number_test="student")


def test_ranks_are_tested_exactly_in_small_groups_and_without_a_wait_in_large_ones():
    few = only_row({"mass": [1.0, 2.0, 4.0, 3.0, 5.0, 6.0, 7.0]}, 3, number_test="mann-whitney")
    assert few.p == pytest.approx(2 * 2 / comb(7, 3))  # rank sums 6 and 7 of 3 among 7, in both tails
    values = np.random.default_rng(9).normal(size=30_000)
    many = only_row({"mass": values}, 4, number_test="mann-whitney")
    assert many.p == pytest.approx(stats.mannwhitneyu(values[:4], values[4:], method="asymptotic").pvalue)


def test_counts_are_tested_by_chi_square_or_fisher_as_the_expected_counts_say(mixed, table):
    for row in table.rows[2:]:
        counts = pd.crosstab(np.arange(300) >= 120, mixed.phenotypes[row.spec.name]).to_numpy()
        if row.spec.name == "rare":
            assert row.test == "Fisher's exact test"
            assert row.p == pytest.approx(stats.fisher_exact(counts).pvalue)
        else:
            assert row.test == "Chi-square test"
            assert row.p == pytest.approx(stats.chi2_contingency(counts, correction=False).pvalue)


def test_the_lady_tasting_tea():
    row = only_row({"guess": ([1, 1, 1, 0, 1, 0, 0, 0], ("tea", "milk"))}, 4)
    assert row.p == pytest.approx(34 / 70)  # Fisher (1935): (1 + 16) / 70 in each tail


def test_few_expected_in_many_categories_are_tested_by_random_tables_near_the_exact_p():
    counts = np.array([[3, 0, 2], [0, 4, 1]])
    codes = [code for row in counts for code, n in enumerate(row) for _ in range(n)]
    row = only_row({"kind": (codes, ("x", "y", "z"))}, 5)
    assert "random tables" in row.test
    # every table with these totals, by hand: probability of those at least as far from the expected one
    tables = [(i, j, 5 - i - j) for i in range(4) for j in range(5) if 0 <= 5 - i - j <= 3]
    totals = counts.sum(axis=0)

    def far(first):
        expected = np.tile(totals / 2, (2, 1))
        return (np.square(np.array([first, totals - first]) - expected) / expected).sum()

    weight = {one: prod(comb(int(n), k) for n, k in zip(totals, one, strict=True)) for one in tables}
    exact = sum(w for one, w in weight.items() if far(np.array(one)) >= far(counts[0]) - 1e-9) / sum(weight.values())
    assert row.p == pytest.approx(exact, abs=0.01)


def test_q_values_are_those_of_statsmodels_over_what_was_tested():
    rng = np.random.default_rng(5)
    columns = {f"x{number}": rng.normal(size=60) + 0.15 * number * (np.arange(60) < 30) for number in range(12)}
    cohort = make_cohort({**columns, "constant": np.ones(60)})
    table = compare(cohort, *halves(cohort, 30))
    p, q = (np.array([getattr(row, name) for row in table.rows]) for name in "pq")
    np.testing.assert_allclose(q[:12], multipletests(p[:12], method="fdr_bh")[1])
    assert np.isnan(q[12])
    assert table.n_tested == 12


def test_what_chose_a_group_has_no_q_and_makes_no_room_for_others():
    rng = np.random.default_rng(8)
    cohort = make_cohort({name: rng.normal(size=80) for name in ("age", "mass", "volume")})
    by_age = np.argsort(cohort.values("age"))
    older, younger = cohort.participant_ids[by_age[40:]], cohort.participant_ids[by_age[:40]]
    table = compare(cohort, older, younger, chosen_by=["age"])
    assert table.rows[0].p < 1e-9
    assert np.isnan(table.rows[0].q)
    without = compare(make_cohort({name: cohort.values(name) for name in ("mass", "volume")}), older, younger)
    assert [row.q for row in table.rows[1:]] == pytest.approx([row.q for row in without.rows])
    assert table.n_tested == 2
    assert table.to_frame()["chose_a_group"].tolist() == [True, False, False]


def test_a_known_shift_is_inside_the_interval_19_times_in_20_and_found_by_the_test():
    rng = np.random.default_rng(6)
    in_a = np.arange(150) < 60
    cohort = make_cohort({f"x{draw:03}": rng.normal(100, 12, 150) + 6.0 * in_a for draw in range(400)})
    rows = compare(cohort, *halves(cohort, 60)).rows
    assert 0.925 < np.mean([row.effect.low <= 0.5 <= row.effect.high for row in rows]) < 0.975
    in_grams = [next(one for one in row.others if one.measure == "mean_difference") for row in rows]
    assert 0.925 < np.mean([one.low <= 6.0 <= one.high for one in in_grams]) < 0.975
    assert np.mean([row.p < 0.05 for row in rows]) == pytest.approx(0.85, abs=0.06)  # power of t at 0.5, 60 and 90


@pytest.mark.parametrize("number_test", ["welch", "mann-whitney"])
def test_where_nothing_differs_p_is_uniform_and_no_more_than_a_few_are_discovered(number_test):
    rng = np.random.default_rng(7)
    cohort = make_cohort({f"x{draw:03}": rng.normal(size=100) for draw in range(400)})
    rows = compare(cohort, *halves(cohort, 40), number_test=number_test).rows
    assert stats.kstest([row.p for row in rows], "uniform").pvalue > 0.001
    assert sum(row.q < 0.05 for row in rows) <= 2


def test_swapping_the_groups_turns_each_effect_round(mixed, table):
    back = compare(mixed, *reversed(halves(mixed, 120)))
    for one, other in zip(table.rows, back.rows, strict=True):
        assert one.p == pytest.approx(other.p)
        if one.standardised is not None:
            assert one.standardised.value == pytest.approx(-other.standardised.value)
            assert one.standardised.low == pytest.approx(-other.standardised.high)


def test_who_is_in_both_groups_is_left_out_and_counted():
    cohort = make_cohort({"mass": [1.0, 2.0, 3.0, 100.0, 4.0, 6.0, 8.0]})
    ids = cohort.participant_ids
    table = compare(cohort, ids[:4], ids[3:])
    assert (table.n_a, table.n_b, table.n_shared) == (3, 3, 1)
    assert (table.rows[0].a.mean, table.rows[0].b.mean) == (2.0, 6.0)


def test_groups_that_do_not_differ_are_refused_in_words():
    cohort = make_cohort({"mass": np.arange(6.0)})
    ids = cohort.participant_ids
    with pytest.raises(LatentExplorerError, match="All 3 of Young are in Everybody too"):
        compare(cohort, ids[:3], ids, "Young", "Everybody")
    with pytest.raises(LatentExplorerError, match="Only different people"):
        compare(cohort, ids, ids)
    with pytest.raises(LatentExplorerError, match="B has nobody"):
        compare(cohort, ids, [])


@pytest.mark.parametrize(
    ("values", "n_a", "note"),
    [
        ([1.0, 2.0, 3.0, 4.0], 1, "but A has 1"),
        ([np.nan, np.nan, 3.0, 4.0], 2, "but A has 0"),
        ([np.nan] * 4, 2, "but A has 0 and B has 0"),
        ([0.1] * 6, 3, "All values are the same"),
        ([0.1] * 3 + [0.3] * 3, 3, "there is no spread"),
    ],
    ids=["one member", "all missing in one", "all missing", "constant", "two constants"],
)
def test_what_cannot_be_said_of_numbers_is_not_said(values, n_a, note):
    for number_test in ("welch", "mann-whitney"):
        row = only_row({"mass": values}, n_a, number_test=number_test)
        assert note in row.note
        assert (row.effect, row.test, row.standardised) == (None, "", None)
        assert np.isnan([row.p, row.q]).all()


def test_a_constant_in_one_group_only_can_be_compared():
    row = only_row({"mass": [5.0, 5.0, 5.0, 1.0, 2.0, 3.0]}, 3)
    assert row.p == pytest.approx(stats.ttest_1samp([1.0, 2.0, 3.0], 5.0).pvalue)
    in_grams = row.others[1]
    assert (in_grams.measure, in_grams.value) == ("mean_difference", 3.0)
    assert 0 < in_grams.low < 3.0 < in_grams.high < 6.0


@pytest.mark.parametrize(
    ("codes", "categories", "note"),
    [
        ([-1, -1, 0, 1], "nm", "Nobody in A has a value"),
        ([0, 0, 0, 0], "nm", "Everybody is in the category n"),
        ([1, 1, 1, -1], "nm", "Everybody is in the category m"),
        ([2, 2, 2, -1], "nmo", "Everybody is in the same category"),
    ],
    ids=["all missing in one", "nobody has it", "everybody has it", "one category of three"],
)
def test_what_cannot_be_said_of_categories_is_not_said(codes, categories, note):
    row = only_row({"kind": (codes, categories)}, 2)
    assert note in row.note
    assert (row.effect, row.test) == (None, "")


def test_an_empty_cell_is_said_and_a_pair_of_people_is_no_matter():
    row = only_row({"kind": ([1, 1, 1, 0, 1, 0], "nm")}, 3)
    assert "half a case" in row.note
    assert np.isfinite([row.effect.value, row.effect.low, row.effect.high]).all()
    row = only_row({"kind": ([0, 1], "nmo")}, 1)
    assert row.effect is None
    assert row.p == 1.0


def test_the_table_goes_out_with_all_its_numbers_and_nobodys_id(mixed, table):
    frame = table.to_frame()
    assert list(frame["phenotype"]) == list(mixed.specs)
    mass = frame.iloc[0]
    assert mass["hedges_g"] == table.rows[0].effect.value
    assert mass["mean_difference_low"] < mass["mean_a"] - mass["mean_b"] < mass["mean_difference_high"]
    assert {"odds_ratio", "risk_difference_high", "cramers_v_low", "cohens_d", "p", "q", "test"} <= set(frame.columns)
    assert frame.iloc[2]["proportion_a"] == table.rows[2].a.share(1)
    assert not frame.astype(str).map(lambda text: "P00" in text).to_numpy().any()
