"""How different two groups are, each number with its 95 % interval.

The hard idea: a group and the rest of a cohort differ in size and in spread, so nothing here assumes equal variances
where that can be helped. The interval of a standardised difference uses the variance that follows from the two spreads
as they are, and Student's t with Welch's degrees of freedom; with equal spreads and large groups it is that of Hedges
and Olkin. Odds ratios reach the same scale by `as_standardised`.

References
----------
Hedges and Olkin (1985), Statistical Methods for Meta-Analysis, ch. 5: g and its small-sample factor.
Bonett (2008), Psychological Methods 13:99: intervals of standardised differences under unequal variances.
Newcombe (1998), Statistics in Medicine 17:873: difference of proportions, method 10 (hybrid score).
Woolf (1955), Annals of Human Genetics 19:251: log odds ratio; Haldane (1956), ibid. 20:309: half a case per cell.
Hasselblad and Hedges (1995), Psychological Bulletin 117:167: a log odds ratio as a standardised difference.
Bergsma (2013), Journal of the Korean Statistical Society 42:323: Cramer's V without its bias.
Smithson (2003), Confidence Intervals, ch. 4: interval of V from the noncentral chi-square distribution.
"""

from dataclasses import dataclass
from math import exp, lgamma, log, pi, sqrt
from typing import Literal

import numpy as np
from numpy.typing import NDArray

Measure = Literal["hedges_g", "cohens_d", "mean_difference", "odds_ratio", "risk_difference", "cramers_v"]
MEASURE_NAMES: dict[Measure, str] = {
    "hedges_g": "Hedges' g",
    "cohens_d": "Cohen's d",
    "mean_difference": "Mean difference",
    "odds_ratio": "Odds ratio",
    "risk_difference": "Risk difference",
    "cramers_v": "Cramer's V",
}
INTERVAL_NAMES: dict[Measure, str] = {
    "hedges_g": "large-sample, unequal spreads allowed, Welch's degrees of freedom",
    "cohens_d": "large-sample, unequal spreads allowed, Welch's degrees of freedom",
    "mean_difference": "Welch",
    "odds_ratio": "Woolf; half a case added to each cell when one is empty (Haldane)",
    "risk_difference": "Newcombe, hybrid score",
    "cramers_v": "noncentral chi-square",
}
UPPER = 0.975
LOG_ODDS_PER_SD = pi / sqrt(3.0)
"""Standard deviation of the logistic distribution, by which a log odds ratio becomes a standardised difference."""


@dataclass(frozen=True, slots=True)
class Effect:
    """One effect of group A against group B with its 95 % interval; positive, or above 1, where A has more."""

    measure: Measure
    value: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Moments:
    """Number of values, their mean, and their standard deviation with n - 1."""

    n: int
    mean: float
    sd: float


def mean_difference(a: Moments, b: Moments) -> Effect:
    """Mean of A minus mean of B in the phenotype's unit, with Welch's interval."""
    variance, df = _welch(a, b)
    return _around("mean_difference", a.mean - b.mean, _t_quantile(df) * sqrt(variance))


def cohens_d(a: Moments, b: Moments) -> Effect:
    """Mean difference per pooled standard deviation; at least two values in each group, and some spread."""
    df_pooled = a.n + b.n - 2
    pooled = ((a.n - 1) * a.sd**2 + (b.n - 1) * b.sd**2) / df_pooled
    d = (a.mean - b.mean) / sqrt(pooled)
    variance, df = _welch(a, b)
    of_pooled = ((a.n - 1) * a.sd**4 + (b.n - 1) * b.sd**4) / (2 * df_pooled**2 * pooled**2)
    return _around("cohens_d", d, _t_quantile(df) * sqrt(variance / pooled + d**2 * of_pooled))


def hedges_g(a: Moments, b: Moments) -> Effect:
    """Cohen's d times the factor that takes its small-sample bias away."""
    df, d = a.n + b.n - 2, cohens_d(a, b)
    factor = exp(lgamma(df / 2) - lgamma((df - 1) / 2)) / sqrt(df / 2)
    return Effect("hedges_g", factor * d.value, factor * d.low, factor * d.high)


def risk_difference(positive_a: int, n_a: int, positive_b: int, n_b: int) -> Effect:
    """Proportion in A minus proportion in B, in -1..1."""
    p_a, p_b = positive_a / n_a, positive_b / n_b
    low_a, high_a = wilson_interval(positive_a, n_a)
    low_b, high_b = wilson_interval(positive_b, n_b)
    low = p_a - p_b - sqrt((p_a - low_a) ** 2 + (high_b - p_b) ** 2)
    high = p_a - p_b + sqrt((high_a - p_a) ** 2 + (p_b - low_b) ** 2)
    return Effect("risk_difference", p_a - p_b, low, high)


def wilson_interval(positive: int, n: int) -> tuple[float, float]:
    """95 % score interval of a proportion."""
    z = _z_quantile()
    p, shrink = positive / n, 1 + z**2 / n
    middle, half = (p + z**2 / (2 * n)) / shrink, z * sqrt(p * (1 - p) / n + z**2 / (4 * n**2)) / shrink
    return max(0.0, middle - half), min(1.0, middle + half)


def odds_ratio(positive_a: int, n_a: int, positive_b: int, n_b: int) -> Effect:
    """Odds in A per odds in B; if a cell of the table is empty, half a case is added to all four."""
    cells = np.array([positive_a, n_a - positive_a, positive_b, n_b - positive_b], dtype=np.float64)
    cells += 0.5 * bool((cells == 0).any())
    log_ratio = log(cells[0] * cells[3] / (cells[1] * cells[2]))
    half = _z_quantile() * sqrt(float((1 / cells).sum()))
    return Effect("odds_ratio", exp(log_ratio), exp(log_ratio - half), exp(log_ratio + half))


def as_standardised(effect: Effect) -> Effect | None:
    """Give the effect on the scale of Hedges' g; None where it has no direction or another unit."""
    if effect.measure == "hedges_g":
        return effect
    if effect.measure != "odds_ratio":
        return None
    value, low, high = (log(number) / LOG_ODDS_PER_SD for number in (effect.value, effect.low, effect.high))
    return Effect("hedges_g", value, low, high)


def cramers_v(counts: NDArray[np.int64]) -> Effect:
    """Strength 0..1, without direction, of how two groups differ in categories; corrected for its bias.

    Parameters
    ----------
    counts
        ``(2, n_categories)``, no row or column empty.
    """
    from scipy.stats import chi2_contingency

    n, df = int(counts.sum()), counts.shape[1] - 1
    statistic = float(chi2_contingency(counts, correction=False).statistic)
    corrected = max(0.0, statistic / n - df / (n - 1)) / (1 - 1 / (n - 1))
    limits = (_noncentrality(statistic, df, probability) / n for probability in (UPPER, 1 - UPPER))
    value, low, high = (sqrt(min(1.0, square)) for square in (corrected, *limits))
    return Effect("cramers_v", value, low, high)


def _noncentrality(statistic: float, df: int, probability: float) -> float:
    """For which noncentrality a chi-square at most this large has that probability; 0 if for none."""
    from scipy.optimize import brentq
    from scipy.stats import chi2, ncx2

    if chi2.cdf(statistic, df) <= probability:
        return 0.0
    beyond = statistic + 10 * sqrt(statistic) + 50
    return float(brentq(lambda noncentrality: ncx2.cdf(statistic, df, noncentrality) - probability, 0, beyond))


def _welch(a: Moments, b: Moments) -> tuple[float, float]:
    """Variance of the mean difference, and Welch's degrees of freedom."""
    of_a, of_b = a.sd**2 / a.n, b.sd**2 / b.n
    return of_a + of_b, (of_a + of_b) ** 2 / (of_a**2 / (a.n - 1) + of_b**2 / (b.n - 1))


def _around(measure: Measure, value: float, half: float) -> Effect:
    return Effect(measure, value, value - half, value + half)


def _t_quantile(df: float) -> float:
    from scipy.special import stdtrit

    return float(stdtrit(df, UPPER))


def _z_quantile() -> float:
    from scipy.special import ndtri

    return float(ndtri(UPPER))
