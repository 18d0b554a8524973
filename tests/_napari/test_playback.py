"""The hearts beat by the clock, and the ECG's cursor goes with them."""

import pytest
from qtpy.QtTest import QTest

from napari_latent_explorer._napari.explorers import session_of
from napari_latent_explorer._napari.workspace import open_workspace


def test_a_time_in_the_cycle_has_its_frame(viewer, explorer):
    playback = session_of(viewer).playback
    cycle_ms = session_of(viewer).layers.rr_interval_ms
    for share, frame in ((0.0, 0), (0.51, 25), (0.999, 49), (1.01, 0)):
        playback.go_to(share * cycle_ms)
        assert viewer.dims.current_step[0] == frame


def test_playing_steps_and_stopping_stops(viewer, explorer, qtbot):
    playback = session_of(viewer).playback
    steps = []
    viewer.dims.events.current_step.connect(lambda event: steps.append(event.value[0]))
    playback.set_playing(True)
    qtbot.waitUntil(lambda: len(steps) > 5, timeout=10_000)
    playback.set_playing(False)
    n_steps = len(steps)
    QTest.qWait(100)
    assert len(steps) == n_steps


def test_the_cursor_goes_with_the_slider_and_the_slider_with_the_cursor(viewer, explorer, settle):
    open_workspace(viewer)
    settle(explorer)
    dock = viewer.window.dock_widgets["ECG (napari-latent-explorer)"]
    cycle_ms = session_of(viewer).layers.rr_interval_ms
    viewer.dims.set_current_step(0, 10)
    # the drawn ECG has its R peak at 475 ms
    assert dock.plot.time_ms == pytest.approx(475.0 + 10 * cycle_ms / 50, abs=2.0)
    dock.cine_time_requested.emit(0.6 * cycle_ms + 1)
    assert viewer.dims.current_step[0] == 30


def test_nothing_plays_where_there_is_no_heart(viewer):
    playback = session_of(viewer).playback
    playback.go_to(100.0)
    playback.set_playing(True)
    QTest.qWait(60)
    playback.set_playing(False)


def test_contours_beat_on_when_the_user_has_removed_the_picture(viewer, explorer):
    viewer.layers.remove("reconstruction")
    playback = session_of(viewer).playback
    playback.go_to(0.51 * session_of(viewer).layers.rr_interval_ms)
    assert viewer.dims.current_step[0] == 25
