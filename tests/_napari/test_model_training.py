"""The dock that trains, as napari opens it: with the viewer's study, in its theme, and gone with its window."""

import threading
from collections.abc import Callable, Generator, Mapping
from typing import Any

from qtpy.QtCore import Qt
from qtpy.QtTest import QTest

from napari_latent_explorer._napari.explorers import session_of
from napari_latent_explorer._napari.places import MAPS, PLUGIN, TRAIN, open_dock
from napari_latent_explorer._qt.theme import LIGHT
from napari_latent_explorer.data.progress import Progress, finish
from napari_latent_explorer.modeling.recordings import create_simulated_study

LEFT = Qt.MouseButton.LeftButton


class EndlessTask:
    """Is at work until it is closed."""

    def __init__(self, task: Mapping[str, Any]) -> None:
        self.is_closed = threading.Event()

    def run(self, on_event: Callable[[Mapping[str, Any]], None]) -> Generator[Progress, None, dict[str, Any]]:
        step = {"stage": "mri", "n_passes": 0.5, "progress": 0.1, "n_samples": 4, "losses": {"mri": 1.0}}
        on_event({"event": "step", **step})
        try:
            while True:
                yield Progress(0, 1, "at work")
                self.is_closed.wait(0.01)
        finally:
            self.is_closed.set()

    def pause(self) -> None: ...

    def go_on(self) -> None: ...


def test_it_trains_on_the_viewers_study_and_ends_with_its_window(viewer, tmp_path, qtbot, settle):
    study = finish(create_simulated_study(tmp_path / "study", 12, 5, stored=False, n_workers=1))
    session, tasks = session_of(viewer), []

    def make_task(task):
        tasks.append(EndlessTask(task))
        return tasks[-1]

    session.training._make_task = make_task
    open_dock(viewer, TRAIN)
    dock = viewer.window.dock_widgets[f"{TRAIN} ({PLUGIN})"]
    before = dock.problem.styleSheet()
    viewer.theme = "light"
    assert LIGHT.error in dock.problem.styleSheet() != before
    session.explorer.open(study)
    qtbot.waitUntil(lambda: not session.training.jobs.running and dock.start.isEnabled(), timeout=20_000)
    QTest.mouseClick(dock.start, LEFT)
    qtbot.waitUntil(lambda: dock.chart.parts == ("mri",), timeout=20_000)
    session.training.encoded.emit()
    assert f"{MAPS} ({PLUGIN})" in viewer.window.dock_widgets
    settle(session.explorer)
    session.close()
    assert tasks[0].is_closed.is_set()
    assert not [thread for thread in threading.enumerate() if thread.name == "Train the model"]
