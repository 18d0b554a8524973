"""The whole loop in napari's window: the probe moves, the layers get other data, the canvas is painted.

Decoders of the published size with random weights, which cost what trained ones cost; the sample study's latents and
predictors; software drawing where there is no card.
"""

import time
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from memory_peaks import now_mb
from test_probe_loop import make_bundle

from napari_latent_explorer.modeling.sample import sample_bundle_path, sample_study_path

if TYPE_CHECKING:
    from napari_latent_explorer.session.decode_service import DecodeOutcome
    from napari_latent_explorer.session.explorer import Explorer

pytestmark = pytest.mark.benchmark

N_MOVES = 500
DRAG_S, EVENTS_PER_S = 20.0, 120.0
BLOCKED_MS = 50.0
TICK_MS = 4
REST_S = 0.1
MAX_GROWTH_MB = 60.0
PATIENCE_S = 90.0


class Watched:
    """A napari window with the workspace, and what happens in it."""

    def __init__(self, viewer: Any) -> None:
        from qtpy.QtCore import QEvent, QObject
        from qtpy.QtWidgets import QApplication, QDockWidget, QOpenGLWidget

        from napari_latent_explorer._napari.workspace import open_workspace

        self.application = QApplication.instance()
        viewer.window.resize(1900, 1100)
        self.explorer: Explorer = open_workspace(viewer)
        self.explorer.open_folder(sample_study_path(), sample_bundle_path())
        for dock in self.application.allWidgets():
            if isinstance(dock, QDockWidget) and dock.windowTitle().startswith("Probe"):
                dock.raise_()
        self.run_until(lambda: self.explorer.bundle is not None and self.explorer.predictors is not None)
        self.bundle = make_bundle("published")
        self.explorer.decode.set_bundle(self.bundle)
        self.explorer.decode.set_predictors(self.explorer.predictors)
        self.in_layers: list[tuple[float, Any, str]] = []  # when, which vector, decoded how
        self.painted_s: list[float] = []
        self.explorer.decode.decoded.connect(self._on_decoded)
        watched = self

        class PaintListener(QObject):
            def eventFilter(self, _: QObject, event: QEvent) -> bool:  # noqa: N802
                if event.type() == QEvent.Type.Paint:
                    watched.painted_s.append(time.perf_counter())
                return False

        self._listener = PaintListener()
        widgets = [one for one in self.application.allWidgets() if isinstance(one, QOpenGLWidget) and one.isVisible()]
        self.canvas = max(widgets, key=lambda one: one.width() * one.height())
        self.canvas.installEventFilter(self._listener)

    def _on_decoded(self, outcome: "DecodeOutcome") -> None:
        self.in_layers.append((time.perf_counter(), outcome.vector, outcome.result.path))

    def run_until(self, is_done: Callable[[], bool]) -> None:
        """Let the window live until something is so."""
        end_s = time.perf_counter() + PATIENCE_S
        while not is_done():
            assert time.perf_counter() < end_s, "the window does not come to rest"
            self.application.processEvents()
            time.sleep(0.0005)

    def run_for(self, duration_s: float) -> None:
        end_s = time.perf_counter() + duration_s
        self.run_until(lambda: time.perf_counter() > end_s)

    def rest(self) -> None:
        """Wait until nothing is decoded and the window has nothing left to do."""
        self.run_until(lambda: self.explorer.decode.is_idle and not self.explorer.jobs.running)
        self.run_for(0.5)


@pytest.fixture
def watched(make_napari_viewer: Any) -> Iterator[Watched]:
    watched = Watched(make_napari_viewer(show=True))
    watched.explorer.probe_mean("mri")
    watched.rest()
    yield watched
    watched.canvas.removeEventFilter(watched._listener)
    watched.explorer.close()


def tell(capsys: pytest.CaptureFixture[str], title: str, values_ms: list[float]) -> None:
    median, p95, p99 = np.percentile(values_ms, [50, 95, 99])
    with capsys.disabled():
        print(f"\n{title}: median {median:.1f} ms, p95 {p95:.1f} ms, p99 {p99:.1f} ms, of {len(values_ms)}")


def test_random_moves(watched: Watched, capsys: pytest.CaptureFixture[str]) -> None:
    spread = watched.explorer.latents["mri"].std
    rng = np.random.default_rng(0)
    to_layers_ms, to_painted_ms = [], []
    for _ in range(N_MOVES):
        vector = (watched.explorer.probe.origin + 0.5 * rng.normal(size=spread.size) * spread).astype(np.float32)
        watched.run_for(REST_S)  # all that follows the heart before is painted then, too
        watched.in_layers.clear()
        watched.painted_s.clear()
        moved_s = time.perf_counter()
        watched.explorer.probe.move_to(vector)
        watched.run_until(lambda: bool(watched.in_layers))
        in_layers_s, found, path = watched.in_layers[0]
        np.testing.assert_array_equal(found, vector)
        watched.run_until(lambda since_s=in_layers_s: any(one > since_s for one in watched.painted_s))
        to_layers_ms.append(1000.0 * (in_layers_s - moved_s))
        to_painted_ms.append(1000.0 * (time.perf_counter() - moved_s))
    with capsys.disabled():
        print(f"\ndecoded in {path}")
    tell(capsys, "probe moved to layers' data", to_layers_ms)
    tell(capsys, "probe moved to painted", to_painted_ms)


class Watchdog:
    """Ticks on the GUI thread; what holds the thread holds the next tick."""

    def __init__(self) -> None:
        from qtpy.QtCore import Qt, QTimer

        self.gaps_ms: list[float] = []
        self._before_s = time.perf_counter()
        self._timer = QTimer()
        self._timer.setTimerType(Qt.TimerType.PreciseTimer)
        self._timer.timeout.connect(self._tick)
        self._timer.start(TICK_MS)

    def _tick(self) -> None:
        now_s = time.perf_counter()
        self.gaps_ms.append(1000.0 * (now_s - self._before_s))
        self._before_s = now_s

    def stop(self) -> None:
        self._timer.stop()


def test_a_long_drag(watched: Watched, capsys: pytest.CaptureFixture[str]) -> None:
    from qtpy.QtCore import QEventLoop, Qt, QTimer

    first, second = watched.explorer.latents["mri"].values[:2]
    watched.in_layers.clear()
    watched.painted_s.clear()
    before_mb = now_mb()
    moved_s: list[float] = []
    loop, mouse = QEventLoop(), QTimer()

    def move() -> None:
        moved_s.append(time.perf_counter())
        share = 0.5 - 0.5 * np.cos(2.0 * np.pi * (moved_s[-1] - moved_s[0]) / 4.0)
        watched.explorer.probe.move_to((1.0 - share) * first + share * second)

    mouse.setTimerType(Qt.TimerType.PreciseTimer)
    mouse.timeout.connect(move)
    mouse.start(round(1000.0 / EVENTS_PER_S))
    watchdog = Watchdog()
    QTimer.singleShot(round(1000.0 * DRAG_S), loop.quit)
    loop.exec()
    mouse.stop()
    watchdog.stop()
    shown, painted = len(watched.in_layers), len(watched.painted_s)
    watched.rest()
    growth_mb = now_mb() - before_mb
    n_blocked = sum(one > BLOCKED_MS for one in watchdog.gaps_ms)
    with capsys.disabled():
        print(
            f"\n{len(moved_s) / DRAG_S:.0f} events/s for {DRAG_S:.0f} s: {shown / DRAG_S:.1f} hearts and "
            f"{painted / DRAG_S:.1f} paintings a second; memory {growth_mb:+.0f} MB; GUI thread blocked over "
            f"{BLOCKED_MS:.0f} ms {n_blocked} times, longest {max(watchdog.gaps_ms):.0f} ms"
        )
    tell(capsys, "from one tick of the watchdog to the next", watchdog.gaps_ms)
    np.testing.assert_array_equal(watched.in_layers[-1][1], watched.explorer.probe.vector)
    assert growth_mb < MAX_GROWTH_MB
