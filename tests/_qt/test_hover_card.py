"""The card beside the pointer: when it comes, where it lies, what beats on it."""

import numpy as np
import pytest
from qtpy.QtCore import QPoint, QRect, QSize, Qt
from qtpy.QtGui import QColor, QCursor
from qtpy.QtTest import QTest
from qtpy.QtWidgets import QApplication

from napari_latent_explorer._qt.hover_card import REST_MS, QtHoverCard, place_beside
from napari_latent_explorer._qt.map_dock import QtMapDock
from napari_latent_explorer._qt.thumbnail_view import QtBeatingHeart, QtBeatLine

SCREEN = QRect(0, 0, 1280, 800)


@pytest.mark.parametrize("size", [QSize(300, 150), QSize(420, 300)])
@pytest.mark.parametrize("x", [0, 400, 1000, 1279])
@pytest.mark.parametrize("y", [0, 300, 700, 799])
def test_it_lies_beside_the_pointer_and_on_the_screen(size, x, y):
    card = QRect(place_beside(QPoint(x, y), size, SCREEN), size)
    assert SCREEN.contains(card)
    assert not card.adjusted(-10, -10, 10, 10).contains(QPoint(x, y))


@pytest.fixture
def dock(qtbot, explorer):
    dock = QtMapDock(explorer)
    qtbot.addWidget(dock)
    dock.resize(700, 480)
    dock.move(20, 20)
    dock.show()
    QTest.qWait(100)
    yield dock
    for panel in dock.panels.values():
        panel.close_canvas()


def rest_on(dock, name, row):
    """Move the pointer to a point of a map."""
    native = dock.panels[name].scatter.native
    place = dock.panels[name].scatter.picture.coordinates[[row]]
    here = QPoint(*np.round(dock.panels[name].scatter.to_canvas_px(place)[0]).astype(int).tolist())
    QTest.mouseMove(native, here + QPoint(40, 40))
    QTest.qWait(20)
    QTest.mouseMove(native, here)
    QTest.qWait(20)


def colors_of(widget):
    image = widget.grab().toImage()
    return {image.pixel(x, y) for x in range(0, image.width(), 2) for y in range(0, image.height(), 2)}


def test_it_comes_when_the_pointer_rests_with_a_beating_heart(qtbot, dock, explorer):
    card = dock.findChild(QtHoverCard)
    rest_on(dock, "mri", 7)
    assert not card.isVisible()
    qtbot.waitUntil(card.isVisible, timeout=REST_MS + 1000)
    assert not card.geometry().contains(QCursor.pos())
    heart = card.findChild(QtBeatingHeart)
    qtbot.waitUntil(lambda: QColor("white").rgb() in colors_of(heart))
    first = heart.grab().toImage()
    qtbot.waitUntil(lambda: heart.grab().toImage() != first)
    assert not card.findChild(QtBeatLine).isVisible()


def test_on_the_ecg_map_it_shows_a_beat(qtbot, dock):
    card = dock.findChild(QtHoverCard)
    rest_on(dock, "ecg", 11)
    qtbot.waitUntil(card.isVisible, timeout=REST_MS + 1000)
    line = card.findChild(QtBeatLine)
    waiting = line.grab().toImage()
    qtbot.waitUntil(lambda: line.grab().toImage() != waiting or len(colors_of(line)) > 3)
    assert not card.findChild(QtBeatingHeart).isVisible()


def test_it_goes_with_the_pointer_and_with_a_press(qtbot, dock, explorer):
    card = dock.findChild(QtHoverCard)
    scatter = dock.panels["mri"].scatter
    rest_on(dock, "mri", 7)
    qtbot.waitUntil(card.isVisible, timeout=REST_MS + 1000)
    QTest.mousePress(scatter.native, Qt.MouseButton.LeftButton, pos=QPoint(3, 3))
    assert not card.isVisible()
    QTest.mouseRelease(scatter.native, Qt.MouseButton.LeftButton, pos=QPoint(3, 3))
    rest_on(dock, "mri", 7)
    qtbot.waitUntil(card.isVisible, timeout=REST_MS + 1000)
    QTest.mouseMove(dock, QPoint(3, 3))
    qtbot.waitUntil(lambda: not card.isVisible())


def test_it_goes_with_the_maps(qtbot, dock):
    card = dock.findChild(QtHoverCard)
    rest_on(dock, "mri", 7)
    qtbot.waitUntil(card.isVisible, timeout=REST_MS + 1000)
    dock.hide()
    assert not card.isVisible()


def test_nothing_beats_where_nobody_looks(qtbot, dock):
    card = dock.findChild(QtHoverCard)
    rest_on(dock, "mri", 7)
    qtbot.waitUntil(card.isVisible, timeout=REST_MS + 1000)
    heart = card.findChild(QtBeatingHeart)
    qtbot.waitUntil(lambda: heart.is_beating)
    card.leave()
    QApplication.processEvents()
    assert not heart.is_beating
