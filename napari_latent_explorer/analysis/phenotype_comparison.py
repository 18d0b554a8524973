"""One phenotype of two groups: how it is distributed in each, how much it differs, and whether that may be chance.

| phenotype | effect | test |
|---|---|---|
| continuous | Hedges' g; Cohen's d and the mean difference besides | Welch's t-test, or Mann-Whitney if so chosen |
| binary | odds ratio; risk difference besides | Pearson's chi-square; Fisher's exact if a count below 5 is expected |
| categorical | Cramer's V | chi-square; the same by 9,999 random tables if expected counts are low (Cochran's rule) |

The hard idea: what cannot be said is not said. A group of one has no spread, a constant no effect; such a line has a
note instead of a number.

References
----------
Welch (1947), Biometrika 34:28. Cochran (1954), Biometrics 10:417: which expected counts are too low for chi-square.
"""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

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
)
from napari_latent_explorer.data.cohort import Cohort
from napari_latent_explorer.data.phenotype import PhenotypeSpec

NumberTest = Literal["welch", "mann-whitney"]
NUMBER_TESTS: dict[NumberTest, str] = {"welch": "Welch's t-test", "mann-whitney": "Mann-Whitney U test"}
LEAST_EXPECTED = 5.0
LEAST_EXPECTED_OF_ANY, SHARE_EXPECTED = 1.0, 0.8
N_RANDOM_TABLES = 9_999
MOST_FOR_EXACT_RANKS = 500
"""Values in both groups up to which ranks may be tested exactly; eight against 40,000 would take half a minute."""
SEED = 0


@dataclass(frozen=True, slots=True)
class Side:
    """One phenotype in one group.

    Attributes
    ----------
    n, n_missing
        Members with and without a value.
    mean, sd, median, q1, q3
        Of a continuous phenotype, in its unit; NaN where there are too few values, or of another kind.
    counts
        Members per category of a binary or categorical phenotype.
    """

    n: int
    n_missing: int
    mean: float = np.nan
    sd: float = np.nan
    median: float = np.nan
    q1: float = np.nan
    q3: float = np.nan
    counts: tuple[int, ...] = ()

    def share(self, category: int) -> float:
        """Proportion of those with a value who are in a category; NaN if nobody has a value."""
        return self.counts[category] / self.n if self.n else np.nan


@dataclass(frozen=True, slots=True)
class PhenotypeComparison:
    """One line of the table.

    Attributes
    ----------
    spec
        The phenotype.
    a, b
        Its distribution in either group.
    effect, others
        The main effect, None if there is none, and further ones.
    test
        What was tested by; empty if nothing could be.
    p, q
        Two-sided, and after Benjamini and Hochberg; NaN if nothing could be tested.
    note
        Why there is no effect or test, or what to know about them.
    """

    spec: PhenotypeSpec
    a: Side
    b: Side
    effect: Effect | None = None
    others: tuple[Effect, ...] = ()
    test: str = ""
    p: float = np.nan
    q: float = np.nan
    note: str = ""

    @property
    def standardised(self) -> Effect | None:
        """The main effect on the scale of Hedges' g; None if it has no direction."""
        return as_standardised(self.effect) if self.effect is not None else None


def compare_phenotype(
    cohort: Cohort,
    spec: PhenotypeSpec,
    rows_a: NDArray[np.intp],
    rows_b: NDArray[np.intp],
    names: tuple[str, str],
    number_test: NumberTest,
) -> PhenotypeComparison:
    """Compare one phenotype between the participants in `rows_a` and those in `rows_b` ``(n_members,)``; q is open."""
    if spec.kind == "continuous":
        values = cohort.values(spec.name)
        return _compare_numbers(spec, values[rows_a], values[rows_b], names, number_test)
    codes, n_categories = cohort.codes(spec.name), len(spec.categories)
    a, b = (_categorical_side(codes[rows], n_categories) for rows in (rows_a, rows_b))
    empty = [name for name, side in zip(names, (a, b), strict=True) if not side.n]
    if empty:
        return PhenotypeComparison(spec, a, b, note=f"Nobody in {' and '.join(empty)} has a value.")
    return _compare_binary(spec, a, b) if spec.kind == "binary" else _compare_categories(spec, a, b)


# ---- numbers ----


def _compare_numbers(
    spec: PhenotypeSpec,
    values_a: NDArray[np.float64],
    values_b: NDArray[np.float64],
    names: tuple[str, str],
    number_test: NumberTest,
) -> PhenotypeComparison:
    known_a, known_b = values_a[np.isfinite(values_a)], values_b[np.isfinite(values_b)]
    a, b = _number_side(known_a, len(values_a)), _number_side(known_b, len(values_b))
    few = [f"{name} has {side.n}" for name, side in zip(names, (a, b), strict=True) if side.n < 2]
    if few:
        note = f"At least two values are needed in each group, but {' and '.join(few)}."
        return PhenotypeComparison(spec, a, b, note=note)
    if not a.sd and not b.sd:
        if a.mean == b.mean:
            return PhenotypeComparison(spec, a, b, note="All values are the same.")
        return PhenotypeComparison(spec, a, b, note="Within each group all values are the same: there is no spread.")
    moments_a, moments_b = Moments(a.n, a.mean, a.sd), Moments(b.n, b.mean, b.sd)
    others = (cohens_d(moments_a, moments_b), mean_difference(moments_a, moments_b))
    p = _number_p(known_a, known_b, a, b, number_test)
    return PhenotypeComparison(spec, a, b, hedges_g(moments_a, moments_b), others, NUMBER_TESTS[number_test], p)


def _number_side(known: NDArray[np.float64], n_members: int) -> Side:
    n_missing = n_members - len(known)
    if not len(known):
        return Side(0, n_missing)
    q1, median, q3 = np.percentile(known, (25, 50, 75))
    is_constant = known.min() == known.max()  # whose computed spread may be off zero by rounding
    sd = 0.0 if is_constant else known.std(ddof=1)
    mean = known[0] if is_constant else known.mean()
    return Side(len(known), n_missing, float(mean), float(sd if len(known) > 1 else np.nan), median, q1, q3)


def _number_p(
    known_a: NDArray[np.float64], known_b: NDArray[np.float64], a: Side, b: Side, number_test: NumberTest
) -> float:
    from scipy.stats import mannwhitneyu, ttest_ind_from_stats

    if number_test == "welch":
        return float(ttest_ind_from_stats(a.mean, a.sd, a.n, b.mean, b.sd, b.n, equal_var=False).pvalue)
    is_small = len(known_a) + len(known_b) <= MOST_FOR_EXACT_RANKS
    return float(mannwhitneyu(known_a, known_b, method="auto" if is_small else "asymptotic").pvalue)


# ---- categories ----


def _categorical_side(codes: NDArray[np.int64], n_categories: int) -> Side:
    counts = np.bincount(codes[codes >= 0], minlength=n_categories)
    return Side(int(counts.sum()), int((codes < 0).sum()), counts=tuple(counts.tolist()))


def _compare_binary(spec: PhenotypeSpec, a: Side, b: Side) -> PhenotypeComparison:
    cells = (a.counts[1], a.n, b.counts[1], b.n)
    risk = risk_difference(*cells)
    if a.counts[1] + b.counts[1] in (0, a.n + b.n):
        category = spec.categories[int(a.counts[1] > 0)]
        return PhenotypeComparison(spec, a, b, others=(risk,), note=f"Everybody is in the category {category}.")
    test, p, _ = _test_counts(np.array([a.counts, b.counts]))
    note = "A cell is empty: half a case was added to each for the odds ratio." if 0 in (*a.counts, *b.counts) else ""
    return PhenotypeComparison(spec, a, b, odds_ratio(*cells), (risk,), test, p, note=note)


def _compare_categories(spec: PhenotypeSpec, a: Side, b: Side) -> PhenotypeComparison:
    counts = np.array([a.counts, b.counts])
    counts = counts[:, counts.sum(axis=0) > 0]
    if counts.shape[1] < 2:
        return PhenotypeComparison(spec, a, b, note="Everybody is in the same category.")
    test, p, note = _test_counts(counts)
    effect = cramers_v(counts) if counts.sum() > 2 else None
    return PhenotypeComparison(spec, a, b, effect, (), test, p, note=note)


def _test_counts(counts: NDArray[np.int64]) -> tuple[str, float, str]:
    """Test counts ``(2, n_categories)`` without empty rows or columns: name of the test, p, and what to know of it."""
    from scipy.stats import chi2_contingency, fisher_exact

    pearson = chi2_contingency(counts, correction=False)
    expected = pearson.expected_freq
    if counts.shape[1] == 2:
        if (expected < LEAST_EXPECTED).any():
            return "Fisher's exact test", float(fisher_exact(counts).pvalue), ""
        return "Chi-square test", float(pearson.pvalue), ""
    is_enough = (expected >= LEAST_EXPECTED).mean() >= SHARE_EXPECTED and (expected >= LEAST_EXPECTED_OF_ANY).all()
    if is_enough:
        return "Chi-square test", float(pearson.pvalue), ""
    note = f"Few are expected in some categories: p is from {N_RANDOM_TABLES:,} random tables, so never below 0.0001."
    return "Chi-square test, random tables", _random_table_p(counts, expected, float(pearson.statistic)), note


def _random_table_p(counts: NDArray[np.int64], expected: NDArray[np.float64], statistic: float) -> float:
    """How often a table with the same totals, drawn at random, differs from the expected one at least as much."""
    from scipy.stats import random_table

    tables = random_table(counts.sum(axis=1), counts.sum(axis=0)).rvs(N_RANDOM_TABLES, random_state=SEED)
    drawn = (np.square(tables - expected) / expected).sum(axis=(1, 2))
    return float((1 + (drawn >= statistic * (1 - 1e-12)).sum()) / (1 + N_RANDOM_TABLES))
