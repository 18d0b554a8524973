"""Comparing 4,000 with 36,000 participants in 60 phenotypes, beside a plain loop over scipy's test alone."""

from time import perf_counter

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from napari_latent_explorer.analysis.comparison import compare
from napari_latent_explorer.data.cohort import Cohort
from napari_latent_explorer.data.phenotype import PhenotypeSpec

pytestmark = pytest.mark.benchmark

N_PARTICIPANTS, N_IN_A = 40_000, 4_000
N_NUMBERS, N_BINARY, N_CATEGORICAL = 40, 15, 5
BUDGET_S = 0.3
"""Beyond it a job would have to show its progress."""
MAX_RATIO = 5.0
"""On a busy machine: there are twenty phenotypes more, and quartiles, effects and intervals of all."""


def make_cohort() -> Cohort:
    rng = np.random.default_rng(0)
    columns, specs = {}, []
    for number in range(N_NUMBERS + N_BINARY + N_CATEGORICAL):
        name = f"x{number:02}"
        if number < N_NUMBERS:
            columns[name] = rng.normal(size=N_PARTICIPANTS)
            specs.append(PhenotypeSpec(name, "continuous"))
        else:
            is_binary = number < N_NUMBERS + N_BINARY
            categories = ("no", "yes") if is_binary else tuple("abcde")
            codes = rng.integers(0, len(categories), N_PARTICIPANTS)
            columns[name] = pd.Categorical.from_codes(codes, list(categories))
            specs.append(PhenotypeSpec(name, "binary" if is_binary else "categorical", categories=categories))
    ids = np.array([f"P{row:06}" for row in range(N_PARTICIPANTS)])
    return Cohort(ids, pd.DataFrame(columns), {spec.name: spec for spec in specs})


def best_of(call, n_runs=3) -> float:
    times = []
    for _ in range(n_runs):
        start = perf_counter()
        call()
        times.append(perf_counter() - start)
    return min(times)


def test_a_cohort_is_compared_before_anybody_waits(record_property):
    cohort = make_cohort()
    ids_a, ids_b = cohort.participant_ids[:N_IN_A], cohort.participant_ids[N_IN_A:]
    numbers = [cohort.values(name) for name, spec in cohort.specs.items() if spec.kind == "continuous"]
    for number_test, bare in (
        ("welch", lambda one: stats.ttest_ind(one[:N_IN_A], one[N_IN_A:], equal_var=False)),
        ("mann-whitney", lambda one: stats.mannwhitneyu(one[:N_IN_A], one[N_IN_A:])),
    ):
        ours = best_of(lambda number_test=number_test: compare(cohort, ids_a, ids_b, number_test=number_test))
        scipys = best_of(lambda bare=bare: [bare(one) for one in numbers])
        figure = f"40,000 compared in 60 phenotypes, {number_test}: {ours:.3f} s; 40 bare tests: {scipys:.3f} s"
        record_property("figure", figure)
        assert ours < max(BUDGET_S, MAX_RATIO * scipys)
