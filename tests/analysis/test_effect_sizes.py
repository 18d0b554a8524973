"""Effect sizes against published examples, closed forms, statsmodels, and populations whose effect is known."""

from math import exp, pi, sqrt

import numpy as np
import pytest
from scipy.stats import ttest_ind
from scipy.stats.contingency import association
from statsmodels.stats.contingency_tables import Table2x2
from statsmodels.stats.meta_analysis import effectsize_smd
from statsmodels.stats.proportion import confint_proportions_2indep, proportion_confint

from napari_latent_explorer.analysis.effect_sizes import (
    Effect,
    Moments,
    as_standardised,
    cohens_d,
    cramers_v,
    hedges_g,
    mean_difference,
    odds_ratio,
    risk_difference,
    wilson_interval,
)

COVERED = (0.925, 0.975)
"""Share of 1,000 intervals that hold the truth, with room for chance."""


def moments(values) -> Moments:
    return Moments(len(values), float(values.mean()), float(values.std(ddof=1)))


def test_the_worked_example_of_borenstein_and_others():
    # Introduction to Meta-Analysis (2009), ch. 4: d 0.5970, g 0.5924, standard error of g 0.2028
    a, b = Moments(50, 103.0, 5.5), Moments(50, 100.0, 4.5)
    assert cohens_d(a, b).value == pytest.approx(0.5970, abs=5e-5)
    g = hedges_g(a, b)
    assert g.value == pytest.approx(0.5924, abs=5e-5)
    assert (g.low, g.high) == pytest.approx((0.5924 - 1.985 * 0.2028, 0.5924 + 1.985 * 0.2028), abs=2e-3)


def test_with_equal_spreads_and_large_groups_the_interval_is_that_of_hedges_and_olkin():
    a, b = Moments(900, 1.3, 2.0), Moments(700, 0.2, 2.0)
    g, variance = effectsize_smd(a.mean, a.sd, a.n, b.mean, b.sd, b.n)
    ours = hedges_g(a, b)
    assert ours.value == pytest.approx(g, rel=1e-6)
    assert (ours.low, ours.high) == pytest.approx((g - 1.96 * sqrt(variance), g + 1.96 * sqrt(variance)), rel=3e-3)


def test_a_mean_difference_has_welchs_interval():
    rng = np.random.default_rng(0)
    a, b = rng.normal(1.0, 3.0, 13), rng.normal(0.0, 1.0, 40)
    peer = ttest_ind(a, b, equal_var=False).confidence_interval()
    ours = mean_difference(moments(a), moments(b))
    assert (ours.low, ours.value, ours.high) == pytest.approx((peer.low, a.mean() - b.mean(), peer.high))


@pytest.mark.parametrize(
    ("n_a", "n_b", "sd_a", "sd_b"), [(10, 10, 1.0, 1.0), (12, 300, 1.0, 1.0), (12, 300, 2.0, 1.0), (300, 12, 2.0, 1.0)]
)
def test_intervals_of_standardised_differences_hold_the_truth_whatever_sizes_and_spreads(n_a, n_b, sd_a, sd_b):
    rng = np.random.default_rng(1)
    truth = 0.8 / sqrt(((n_a - 1) * sd_a**2 + (n_b - 1) * sd_b**2) / (n_a + n_b - 2))
    draws = [hedges_g(moments(rng.normal(0.8, sd_a, n_a)), moments(rng.normal(0.0, sd_b, n_b))) for _ in range(1000)]
    assert COVERED[0] < np.mean([one.low <= truth <= one.high for one in draws]) < COVERED[1]


def test_hedges_g_has_no_bias_where_cohens_d_has():
    rng = np.random.default_rng(2)
    pairs = [(moments(rng.normal(1.0, 1.0, 5)), moments(rng.normal(0.0, 1.0, 5))) for _ in range(4000)]
    error = 4 * sqrt((0.4 + 1 / 16) / 4000)
    assert abs(np.mean([hedges_g(*pair).value for pair in pairs]) - 1.0) < error
    assert np.mean([cohens_d(*pair).value for pair in pairs]) - 1.0 > error


@pytest.mark.parametrize(
    ("cells", "low", "high"),
    [
        # Newcombe (1998), table II, method 10
        ((56, 70, 48, 80), 0.0524, 0.3339),
        ((9, 10, 3, 10), 0.1705, 0.8090),
        ((6, 7, 2, 7), 0.0582, 0.8062),
        ((5, 56, 0, 29), -0.0381, 0.1926),
        ((0, 10, 0, 20), -0.1611, 0.2775),
        ((0, 10, 0, 10), -0.2775, 0.2775),
        ((10, 10, 0, 20), 0.6791, 1.0),
        ((10, 10, 0, 10), 0.6075, 1.0),
    ],
)
def test_risk_differences_have_newcombes_published_intervals(cells, low, high):
    ours = risk_difference(*cells)
    assert (ours.low, ours.high) == pytest.approx((low, high), abs=5e-5)
    assert ours.value == cells[0] / cells[1] - cells[2] / cells[3]
    assert ours.low == pytest.approx(confint_proportions_2indep(*cells, method="newcomb", compare="diff")[0])


def test_a_proportion_has_the_score_interval():
    for positive, n in ((0, 9), (3, 9), (9, 9), (130, 4000)):
        peer = proportion_confint(positive, n, method="wilson")
        assert wilson_interval(positive, n) == pytest.approx(tuple(map(float, peer)), abs=1e-12)


def test_the_odds_ratio_of_the_physicians_health_study():
    # 189 of 11,034 on placebo and 104 of 11,037 on aspirin: 1.83 (1.44 to 2.33); Agresti, Categorical Data Analysis
    ours = odds_ratio(189, 11_034, 104, 11_037)
    assert (ours.value, ours.low, ours.high) == pytest.approx((1.83, 1.44, 2.33), abs=5e-3)


@pytest.mark.parametrize("cells", [(12, 40, 30, 55), (0, 10, 4, 12), (10, 10, 0, 7), (5, 5, 9, 30)])
def test_odds_ratios_agree_with_statsmodels_with_and_without_empty_cells(cells):
    yes_a, n_a, yes_b, n_b = cells
    counts = np.array([[yes_a, n_a - yes_a], [yes_b, n_b - yes_b]], dtype=float)
    peer = Table2x2(counts + 0.5 * (counts == 0).any(), shift_zeros=False)  # by itself it adds to the empty cell only
    ours = odds_ratio(*cells)
    assert ours.value == pytest.approx(peer.oddsratio)
    assert (ours.low, ours.high) == pytest.approx(peer.oddsratio_confint())


def test_the_log_odds_of_a_cut_normal_shift_come_back_as_that_shift():
    rng = np.random.default_rng(3)
    n, shift = 200_000, 0.5
    logistic = rng.logistic(size=(2, n)) * sqrt(3) / pi  # of unit spread, for which the conversion is exact
    positive = (logistic + np.array([[shift], [0.0]]) > 0.7).sum(axis=1)
    found = as_standardised(odds_ratio(int(positive[0]), n, int(positive[1]), n))
    assert found.value == pytest.approx(shift, abs=0.02)
    assert found.low < shift < found.high
    assert as_standardised(Effect("odds_ratio", 1.0, exp(-1), exp(1))).high == pytest.approx(1 / (pi / sqrt(3)))
    assert as_standardised(Effect("cramers_v", 0.2, 0.1, 0.3)) is None


def test_cramers_v_is_scipys_without_its_bias():
    counts = np.array([[60, 25, 15], [40, 45, 25]])
    biased = association(counts, method="cramer")
    n = counts.sum()
    ours = cramers_v(counts)
    assert ours.value == pytest.approx(sqrt((biased**2 - 2 / (n - 1)) / (1 - 1 / (n - 1))))
    assert ours.low < ours.value < ours.high


def test_cramers_v_of_groups_of_the_same_population_is_small_and_its_interval_holds_the_truth():
    rng = np.random.default_rng(4)
    p_a, p_b = np.array([0.5, 0.3, 0.2]), np.array([0.3, 0.3, 0.4])
    middle = (p_a + p_b) / 2
    truth = sqrt(sum(0.5 * np.sum((p - middle) ** 2 / middle) for p in (p_a, p_b)))
    apart = [cramers_v(np.array([rng.multinomial(150, p_a), rng.multinomial(150, p_b)])) for _ in range(300)]
    assert 0.91 < np.mean([one.low <= truth <= one.high for one in apart]) < 0.99
    assert np.mean([one.value for one in apart]) == pytest.approx(truth, abs=0.02)
    same = [cramers_v(rng.multinomial(150, p_a, size=2)) for _ in range(300)]
    assert np.mean([one.low == 0.0 for one in same]) > 0.93
    assert cramers_v(np.array([[30, 0, 0], [0, 20, 10]])).value == pytest.approx(1.0, abs=0.02)
