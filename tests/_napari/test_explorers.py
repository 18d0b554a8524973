"""One session per viewer, shared by all docks, and nothing left of it when the window is gone."""

import gc
import threading
import weakref

import pytest
from qtpy.QtCore import QCoreApplication, QEvent
from qtpy.QtTest import QTest
from qtpy.QtWidgets import QApplication

from napari_latent_explorer._napari.explorers import explorer_of, real_viewer, session_of
from napari_latent_explorer._napari.workspace import open_workspace


def test_every_dock_and_every_proxy_of_a_viewer_has_the_same_explorer(viewer):
    first = explorer_of(viewer)
    assert explorer_of(real_viewer(viewer)) is first
    assert open_workspace(viewer) is first


def test_two_viewers_have_two_explorers(make_napari_viewer_proxy):
    assert explorer_of(make_napari_viewer_proxy()) is not explorer_of(make_napari_viewer_proxy())


def test_a_closed_dock_can_be_opened_again_and_nothing_is_lost(viewer, explorer):
    docks = open_workspace(viewer)
    assert docks is explorer
    explorer.create_group("Kept", explorer.cohort.participant_ids[:5].tolist())
    panel = viewer.window.dock_widgets["Groups (napari-latent-explorer)"]
    viewer.window.remove_dock_widget(panel)
    _, again = viewer.window.add_plugin_dock_widget("napari-latent-explorer", "Groups")
    assert list(again.cards) == ["Kept"]


def test_failures_and_warnings_become_notifications(viewer, monkeypatch):
    from napari_latent_explorer._napari import explorers

    said = []
    monkeypatch.setattr(explorers, "show_error", said.append)
    monkeypatch.setattr(explorers, "show_warning", said.append)
    explorer = session_of(viewer).explorer
    explorer.failed.emit(ValueError("it did not work"))
    explorer.warning_raised.emit("take care")
    assert said == ["it did not work", "take care"]


def test_closing_the_window_ends_threads_timers_and_widgets(make_napari_viewer, shapes_study, shapes_bundle, qtbot):
    before = set(threading.enumerate())
    n_widgets = len(QApplication.topLevelWidgets())
    viewer = make_napari_viewer()
    explorer = open_workspace(viewer)
    explorer.open(shapes_study, shapes_bundle)
    session = session_of(viewer)
    session.playback.set_playing(True)
    ended = []
    session.playback.destroyed.connect(lambda: ended.append("playback"))
    QTest.qWait(300)
    assert set(threading.enumerate()) - before
    ends = weakref.ref(viewer)
    viewer.close()
    QCoreApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete.value)
    qtbot.waitUntil(lambda: set(threading.enumerate()) <= before, timeout=10_000)
    qtbot.waitUntil(lambda: ended == ["playback"])
    del viewer, explorer, session
    QTest.qWait(50)
    gc.collect()
    assert ends() is None or len(QApplication.topLevelWidgets()) <= n_widgets + 1


def test_a_gesture_may_end_after_the_session(viewer, explorer):
    session = session_of(viewer)
    explorer.begin_gesture()  # e.g. a path that plays
    explorer.probe.move(0, 1.0)
    session.close()
    QCoreApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)
    explorer.end_gesture()  # as its dock goes; an error in there ends the program
    assert not explorer.history.is_in_gesture


def test_a_dock_opened_late_shows_what_is_there(viewer, explorer, settle):
    participant_id = str(explorer.cohort.participant_ids[2])
    explorer.probe_participant(participant_id)
    explorer.show_participant(participant_id)
    settle(explorer)
    _, panel = viewer.window.add_plugin_dock_widget("napari-latent-explorer", "ECG")
    settle(explorer)
    assert [trace.label.split(":")[0] for trace in panel.plot.traces] == ["Reconstruction", "Original"]


@pytest.mark.parametrize("name", ["Cohort", "Maps", "Groups", "Compare", "Predictions", "Probe", "Path", "ECG"])
def test_a_closed_dock_is_destroyed_by_qt_and_hears_nothing_more(viewer, explorer, settle, name, qtbot):
    _, panel = viewer.window.add_plugin_dock_widget("napari-latent-explorer", name)
    settle(explorer)
    ends = []
    panel.destroyed.connect(lambda: ends.append(name))
    viewer.window.remove_dock_widget(panel)
    qtbot.waitUntil(lambda: ends == [name], timeout=5000)
    explorer.set_color_by("age")
    explorer.create_group("After", explorer.cohort.participant_ids[:5].tolist())
    settle(explorer)
