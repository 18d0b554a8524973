"""The strip: there while something runs, with how far it is, and a button that stops it."""

import threading

from qtpy.QtCore import Qt
from qtpy.QtTest import QTest
from qtpy.QtWidgets import QLabel, QProgressBar, QToolButton

from napari_latent_explorer._qt.job_strip import QtJobStrip
from napari_latent_explorer.data.progress import Progress


def test_it_shows_progress_and_cancels(qtbot, empty_explorer):
    strip = QtJobStrip(empty_explorer.jobs)
    qtbot.addWidget(strip)
    assert strip.isHidden()
    step = threading.Event()

    def work():
        for done in range(1000):
            yield Progress(done, 1000, "Counting")
            step.wait(0.01)

    job = empty_explorer.jobs.start("Count", work, lambda _: None)
    cancelled = []
    job.cancelled.connect(lambda: cancelled.append(True))
    qtbot.waitUntil(lambda: strip.findChild(QProgressBar).maximum() == 1000)
    assert not strip.isHidden()
    assert strip.findChild(QLabel).text() == "Counting"
    QTest.mouseClick(strip.findChild(QToolButton), Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: bool(cancelled), timeout=1000)
    qtbot.waitUntil(strip.isHidden, timeout=1000)
