"""Pan, recolour and select on the map at 40,000 and a million points, beside the same points as vispy's own markers.

A frame is whatever passes until the window has painted; a density image counts as painted when it is complete.
"""

import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import qtpy
from qtpy.QtWidgets import QApplication
from vispy import scene

from napari_latent_explorer._vispy.picture import ScatterPicture
from napari_latent_explorer._vispy.scatter import VispyScatter

pytestmark = [pytest.mark.benchmark, pytest.mark.gui]

PAN_BUDGET_MS = {40_000: 60.0, 1_000_000: 20.0}
SIZE_PX = 600
N_FRAMES = 9
Milliseconds = tuple[float, float]


def picture_of(n: int) -> ScatterPicture:
    """Make a dozen clusters in two colours."""
    rng = np.random.default_rng(0)
    cluster = rng.integers(0, 12, n)
    places = (rng.normal(size=(12, 2)) * 30)[cluster] + rng.normal(size=(n, 2)) * rng.uniform(3, 12, 12)[cluster, None]
    return ScatterPicture(places.astype(np.float32), colors_of(n, 1), np.ones(n, np.bool_), np.zeros(n, np.bool_))


def colors_of(n: int, seed: int) -> Any:
    """Give each point one of two colours."""
    palette = np.array([(0.90, 0.62, 0.0, 1.0), (0.34, 0.71, 0.91, 1.0)], np.float32)
    return palette[np.random.default_rng(seed).integers(0, 2, n)]


@pytest.fixture
def scatter(qapp: QApplication) -> Iterator[VispyScatter]:
    """Show an empty map."""
    scatter = VispyScatter(qtpy.API_NAME.lower())
    scatter.native.resize(SIZE_PX, SIZE_PX)
    scatter.native.show()
    yield scatter
    scatter.close()
    scatter.native.deleteLater()


def measure(change: Callable[[int], None], canvas: Any, is_done: Callable[[], bool] = lambda: True) -> Milliseconds:
    """Median on the clock, and mean processor time, from a change to its picture."""
    times, processor_start = [], 0.0
    for number in range(N_FRAMES + 1):
        start = time.perf_counter()
        change(number)
        while not is_done():
            QApplication.processEvents()
        canvas.repaint()
        QApplication.processEvents()
        times.append(time.perf_counter() - start)
        if number == 0:  # the first is the warm-up
            processor_start = time.process_time()
    return float(np.median(times[1:])) * 1e3, (time.process_time() - processor_start) / N_FRAMES * 1e3


def measure_markers(picture: ScatterPicture) -> tuple[Milliseconds, Milliseconds]:
    """Pan and recolour the same points as vispy's markers on a canvas that does nothing else."""
    canvas = scene.SceneCanvas(keys=None, show=False, app=qtpy.API_NAME.lower())
    canvas.native.resize(SIZE_PX, SIZE_PX)
    canvas.native.show()
    view = canvas.central_widget.add_view()
    view.camera = scene.PanZoomCamera(aspect=1, interactive=False)
    markers = scene.visuals.Markers(parent=view.scene)

    def fill(number: int) -> None:
        rgba = colors_of(len(picture.rgba), 1 + number % 2)
        markers.set_data(picture.coordinates, size=5.0, face_color=rgba, edge_width=0.0)

    fill(0)
    view.camera.set_range()
    try:
        return measure(lambda _: view.camera.pan((0.3, 0.0)), canvas.native), measure(fill, canvas.native)
    finally:
        canvas.close()
        canvas.native.deleteLater()


@pytest.mark.parametrize("n", sorted(PAN_BUDGET_MS))
def test_the_map_beside_vispys_markers(n: int, scatter: VispyScatter, capsys: pytest.CaptureFixture[str]) -> None:
    picture = picture_of(n)
    rgba = [colors_of(n, 1), colors_of(n, 2)]
    selected = [np.zeros(n, np.bool_), picture.coordinates[:, 0] > 0]
    scatter.draw(picture)
    scatter.show_all()

    def pan(number: int) -> None:
        left, bottom, width, height = scatter.view_rect
        scatter.view_rect = (left + (-1) ** number * 0.05 * width, bottom, width, height)

    def is_done() -> bool:
        return scatter.is_at_rest

    milliseconds = {
        "pan": measure(pan, scatter.native),
        "recolour": measure(
            lambda number: scatter.draw(replace(picture, rgba=rgba[number % 2])), scatter.native, is_done
        ),
        "recolour, first frame": measure(
            lambda number: scatter.draw(replace(picture, rgba=rgba[number % 2])), scatter.native
        ),
        "select": measure(
            lambda number: scatter.draw(replace(picture, selected=selected[number % 2])), scatter.native, is_done
        ),
    }
    milliseconds["pan, vispy's markers"], milliseconds["recolour, vispy's markers"] = measure_markers(picture)
    with capsys.disabled():
        kind = "density image" if scatter.has_density_image else "discs"
        print(f"\n| {n:,} points, {kind} | median | processor |\n| --- | ---: | ---: |")
        for name, (median, processor) in milliseconds.items():
            print(f"| {name} | {median:.0f} ms | {processor:.0f} ms |")
    assert scatter.has_density_image == (n == 1_000_000)
    assert milliseconds["pan"] < milliseconds["pan, vispy's markers"]
    assert milliseconds["pan"][1] < PAN_BUDGET_MS[n]
