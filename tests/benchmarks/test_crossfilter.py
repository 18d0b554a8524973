"""One brush step on eight charts: all counts and the mask of who passes, beside DuckDB, Polars and plain NumPy.

All see the same table in one run and must count the same at every step. The others get what helps them: bars of numbers
are binned beforehand, as narrow integers, and they are not asked for the mask that the maps need. How many rows, with
commas between: ``LATENT_EXPLORER_BENCH_ROWS`` (10,000,000 take three gigabytes and some minutes).
"""

import os
import time
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pandas as pd
import pytest
from numpy.typing import NDArray

from napari_latent_explorer.data.cohort import Cohort
from napari_latent_explorer.data.phenotype import PhenotypeSpec
from napari_latent_explorer.session.crossfilter import Crossfilter
from napari_latent_explorer.session.filters import CategoryFilter, RangeFilter
from napari_latent_explorer.session.state import ExplorerState, with_filter
from napari_latent_explorer.session.view_state import resolve

pytestmark = pytest.mark.benchmark

ROWS = [int(rows) for rows in os.environ.get("LATENT_EXPLORER_BENCH_ROWS", "40000,1000000").split(",")]
BUDGET_MS = {40_000: 1.0, 1_000_000: 8.0, 10_000_000: 80.0}
NUMBERS, CATEGORIES = [f"number_{i}" for i in range(5)], {"sex": 2, "diabetes": 2, "grade": 6}
BRUSHED, ALSO_FILTERED = "number_0", "number_1"
Counts = dict[str, list[int]]
"""For each chart the participants per bar, then those without a value."""
Step = Callable[[float, float], Counts]


def make_cohort(n: int) -> Cohort:
    """Five numbers and three categories, each missing in one of twenty."""
    rng = np.random.default_rng(0)
    columns: dict[str, Any] = {}
    for name in NUMBERS:
        columns[name] = rng.normal(size=n)
        columns[name][rng.random(n) < 0.05] = np.nan
    for name, n_categories in CATEGORIES.items():
        codes = rng.integers(n_categories, size=n, dtype=np.int8)
        codes[rng.random(n) < 0.05] = -1
        columns[name] = pd.Categorical.from_codes(codes, [f"{name} {code}" for code in range(n_categories)])
    specs = {name: PhenotypeSpec(name, "continuous") for name in NUMBERS}
    for name in CATEGORIES:
        specs[name] = PhenotypeSpec(name, "categorical", categories=tuple(columns[name].categories))
    return Cohort(np.arange(n).astype(np.str_), pd.DataFrame(columns), specs)


def bin_numbers(cohort: Cohort, edges: dict[str, NDArray[np.float64]]) -> dict[str, NDArray[np.uint8]]:
    """Bar of each participant in each chart; the number of bars where the value is missing."""
    bars = {}
    for name, n_categories in CATEGORIES.items():
        codes = cohort.narrow_codes(name)
        bars[name] = np.where(codes < 0, n_categories, codes).astype(np.uint8)
    for name in NUMBERS:
        values, n_bars = cohort.values(name), len(edges[name]) - 1
        places = np.minimum(np.searchsorted(edges[name], values, side="right") - 1, n_bars - 1)
        bars[name] = np.where(np.isnan(values), n_bars, places).astype(np.uint8)
    return bars


class Explored:
    """From a moved range to the view state, as the explorer does it."""

    def __init__(self, cohort: Cohort) -> None:
        self.state = ExplorerState(cohort=cohort, crossfilter=Crossfilter(cohort))
        self.state = with_filter(self.state, CategoryFilter("sex", frozenset({"sex 0"})))
        self.state = with_filter(self.state, RangeFilter(ALSO_FILTERED, -1.0, 1.0))
        self.view = resolve(self.state)
        self.edges = {name: self.view.bars[name].edges for name in NUMBERS}

    def step(self, low: float, high: float) -> Counts:
        state = with_filter(self.state, RangeFilter(BRUSHED, low, high))
        self.view = resolve(state, (self.state, self.view))
        self.state = state
        return {name: [*bars.filtered.tolist(), bars.missing_filtered] for name, bars in self.view.bars.items()}


def numpy_step(cohort: Cohort, bars: dict[str, NDArray[np.uint8]], n_bars: dict[str, int]) -> Step:
    also = cohort.values(ALSO_FILTERED)
    masks = {"sex": bars["sex"] == 0, ALSO_FILTERED: (also >= -1.0) & (also <= 1.0)}
    values = cohort.values(BRUSHED)

    def step(low: float, high: float) -> Counts:
        masks[BRUSHED] = (values >= low) & (values <= high)
        counts = {}
        for name, n in n_bars.items():
            passing = np.logical_and.reduce([mask for other, mask in masks.items() if other != name])
            counts[name] = np.bincount(bars[name][passing], minlength=n + 1).tolist()
        return counts

    return step


def polars_step(cohort: Cohort, bars: dict[str, NDArray[np.uint8]], n_bars: dict[str, int]) -> Step:
    pl = pytest.importorskip("polars")
    values = {name: cohort.values(name) for name in (BRUSHED, ALSO_FILTERED)}
    table = pl.DataFrame({**{f"bar_{name}": bar for name, bar in bars.items()}, **values}).lazy()

    def step(low: float, high: float) -> Counts:
        filters = {
            "sex": pl.col("bar_sex") == 0,
            ALSO_FILTERED: pl.col(ALSO_FILTERED).is_between(-1.0, 1.0),
            BRUSHED: pl.col(BRUSHED).is_between(low, high),
        }
        charts = [
            table.filter(*(one for other, one in filters.items() if other != name)).group_by(f"bar_{name}").len()
            for name in n_bars
        ]
        counts = {}
        for (name, n), found in zip(n_bars.items(), pl.collect_all(charts), strict=True):
            known = dict(found.iter_rows())
            counts[name] = [known.get(bar, 0) for bar in range(n + 1)]
        return counts

    return step


def duckdb_step(cohort: Cohort, bars: dict[str, NDArray[np.uint8]], n_bars: dict[str, int]) -> Step:
    duckdb = pytest.importorskip("duckdb")
    values = {name: cohort.values(name) for name in (BRUSHED, ALSO_FILTERED)}
    frame = pd.DataFrame({**{f"bar_{name}": bar for name, bar in bars.items()}, **values})
    connection = duckdb.connect()
    connection.execute("SET threads TO 2")
    connection.register("frame", frame)
    connection.execute("CREATE TABLE people AS SELECT * FROM frame")
    connection.unregister("frame")

    def step(low: float, high: float) -> Counts:
        filters = {
            "sex": "bar_sex = 0",
            ALSO_FILTERED: f"{ALSO_FILTERED} BETWEEN -1.0 AND 1.0",
            BRUSHED: f"{BRUSHED} BETWEEN {low!r} AND {high!r}",
        }
        parts = []
        for number, name in enumerate(n_bars):
            others = " AND ".join(one for other, one in filters.items() if other != name)
            parts.append(f"SELECT {number}, bar_{name}, count(*) FROM people WHERE {others} GROUP BY bar_{name}")
        counts = {name: [0] * (n + 1) for name, n in n_bars.items()}
        names = list(n_bars)
        for number, bar, n_people in connection.execute(" UNION ALL ".join(parts)).fetchall():
            counts[names[number]][bar] = n_people
        return counts

    return step


def brush(n_steps: int) -> Iterator[tuple[float, float]]:
    """Move a range of one unit to the right, a fiftieth at a time."""
    for number in range(n_steps):
        low = -1.0 + 0.02 * number
        yield float(low), float(low + 1.0)


@pytest.mark.parametrize("n", ROWS)
def test_a_brush_step_beside_other_engines(n: int, capsys: pytest.CaptureFixture[str]) -> None:
    cohort = make_cohort(n)
    explored = Explored(cohort)
    bars = bin_numbers(cohort, {name: edges for name, edges in explored.edges.items() if edges is not None})
    n_bars = {name: len(counts.labels) for name, counts in explored.view.bars.items()}
    engines: dict[str, Step] = {
        "this package": explored.step,
        "NumPy": numpy_step(cohort, bars, n_bars),
        "Polars": polars_step(cohort, bars, n_bars),
        "DuckDB": duckdb_step(cohort, bars, n_bars),
    }
    steps = list(brush(60 if n <= 1_000_000 else 6))
    seconds: dict[str, list[float]] = {name: [] for name in engines}
    processor_seconds = dict.fromkeys(engines, 0.0)
    for step in [steps[-1], *steps]:  # the first is the warm-up
        counted = {}
        for name, engine in engines.items():
            start, processor_start = time.perf_counter(), time.process_time()
            counted[name] = engine(*step)
            seconds[name].append(time.perf_counter() - start)
            processor_seconds[name] += time.process_time() - processor_start
        assert all(counts == counted["this package"] for counts in counted.values())
    with capsys.disabled():
        print(f"\n| {n:,} rows | median | p95 | processor |\n| --- | ---: | ---: | ---: |")
        for name, times in seconds.items():
            median, p95 = np.percentile(np.array(times[1:]) * 1e3, [50, 95])
            print(f"| {name} | {median:.2f} ms | {p95:.2f} ms | {processor_seconds[name] / len(times) * 1e3:.2f} ms |")
    if n in BUDGET_MS:
        assert processor_seconds["this package"] / len(steps) * 1e3 < BUDGET_MS[n]
