"""Who is inside a lasso of 200 vertices, beside matplotlib and shapely, and from the lasso to the selection.

All three see the same points in one run and must agree on every one of them.
"""

import time
from collections.abc import Callable
from types import MappingProxyType

import numpy as np
import pandas as pd
import pytest
from numpy.typing import NDArray

from napari_latent_explorer.analysis.polygon import points_in_polygon
from napari_latent_explorer.analysis.projection import Projection
from napari_latent_explorer.data.cohort import Cohort
from napari_latent_explorer.session.crossfilter import Crossfilter
from napari_latent_explorer.session.filters import MapFilter
from napari_latent_explorer.session.state import ExplorerState, with_selected_inside
from napari_latent_explorer.session.view_state import resolve

pytestmark = pytest.mark.benchmark

BUDGET_MS = {40_000: 4.0, 1_000_000: 50.0}
N_VERTICES, N_LASSOS = 200, 9
Lasso = Callable[[NDArray[np.float64]], NDArray[np.bool_]]


def draw_lasso(seed: int) -> NDArray[np.float64]:
    """Draw a trembling star around a third of the points."""
    rng = np.random.default_rng(seed)
    angles = np.linspace(0, 2 * np.pi, N_VERTICES, endpoint=False)
    radius = 1.0 + 0.25 * np.sin(5 * angles + seed) + 0.05 * rng.normal(size=N_VERTICES)
    return rng.normal(size=2) * 0.2 + radius[:, None] * np.stack([np.cos(angles), np.sin(angles)], axis=1)


@pytest.mark.parametrize("n", sorted(BUDGET_MS))
def test_a_lasso_beside_other_libraries(n: int, capsys: pytest.CaptureFixture[str]) -> None:
    path = pytest.importorskip("matplotlib.path")
    shapely = pytest.importorskip("shapely")
    points = np.random.default_rng(0).normal(size=(n, 2)).astype(np.float32)
    ids = np.array([f"{number:07d}" for number in range(n)])  # seven digits, as a biobank gives them
    cohort = Cohort(ids, pd.DataFrame(index=range(n)), {})
    projection = Projection(points, cohort.participant_ids, "mri", "tsne", {}, "bundle")
    state = ExplorerState(cohort=cohort, crossfilter=Crossfilter(cohort), maps=MappingProxyType({"mri": projection}))
    view = resolve(state)

    def select(polygon: NDArray[np.float64]) -> NDArray[np.bool_]:
        vertices = tuple((float(x), float(y)) for x, y in polygon)
        area = MapFilter("mri", vertices, projection.fingerprint)
        selected = resolve(with_selected_inside(state, area, "replace"), (state, view))
        return selected.selected_mask

    def with_shapely(polygon: NDArray[np.float64]) -> NDArray[np.bool_]:
        area = shapely.Polygon(polygon)
        shapely.prepare(area)
        inside: NDArray[np.bool_] = shapely.contains_xy(area, points[:, 0], points[:, 1])
        return inside

    engines: dict[str, Lasso] = {
        "this package": lambda polygon: points_in_polygon(points, polygon),
        "this package, to the selection": select,
        "shapely, prepared": with_shapely,
        "matplotlib": lambda polygon: path.Path(polygon).contains_points(points),
    }
    seconds: dict[str, list[float]] = {name: [] for name in engines}
    processor_seconds = dict.fromkeys(engines, 0.0)
    for seed in range(N_LASSOS + 1):
        polygon = draw_lasso(seed)
        found = {}
        for name, engine in engines.items():
            start, processor_start = time.perf_counter(), time.process_time()
            found[name] = engine(polygon)
            if seed:  # the first is the warm-up
                seconds[name].append(time.perf_counter() - start)
                processor_seconds[name] += time.process_time() - processor_start
        assert all(np.array_equal(inside, found["this package"]) for inside in found.values())
        assert 0.1 < found["this package"].mean() < 0.9
    with capsys.disabled():
        print(f"\n| {n:,} points | median | p95 | processor |\n| --- | ---: | ---: | ---: |")
        for name, times in seconds.items():
            median, p95 = np.percentile(np.array(times) * 1e3, [50, 95])
            print(f"| {name} | {median:.2f} ms | {p95:.2f} ms | {processor_seconds[name] / N_LASSOS * 1e3:.2f} ms |")
    for name in ("this package", "this package, to the selection"):
        assert processor_seconds[name] / N_LASSOS * 1e3 < BUDGET_MS[n], name
