"""The dots: dragged, stepped, typed and taken back."""

import numpy as np
import pytest
from qtpy.QtCore import QPoint, Qt
from qtpy.QtTest import QTest

from napari_latent_explorer._qt.probe_dock import QtProbeDock
from napari_latent_explorer.session.direction_walk import DirectionWalk

LEFT = Qt.MouseButton.LeftButton


@pytest.fixture
def dock(qtbot, explorer):
    explorer.probe_mean()
    dock = QtProbeDock(explorer, DirectionWalk(explorer))
    qtbot.addWidget(dock)
    dock.resize(420, 500)
    dock.show()
    QTest.qWait(20)
    return dock


def drag_dot(dots, dim, value):
    y = round(dots.y_of(dim))
    start, end = QPoint(dots.viewport().width() // 2, y), QPoint(round(dots.x_of(value)), y)
    QTest.mousePress(dots.viewport(), LEFT, pos=start)
    QTest.mouseMove(dots.viewport(), (start + end) / 2)
    QTest.mouseMove(dots.viewport(), end)
    QTest.qWait(10)
    QTest.mouseRelease(dots.viewport(), LEFT, pos=end)


def test_a_dragged_dot_moves_the_probe_to_that_value(dock, explorer):
    drag_dot(dock.dots, 3, 1.0)
    assert explorer.probe.moved_dims.tolist() == [3]
    assert float(explorer.probe.vector[3]) == pytest.approx(1.0, abs=0.03)  # a pixel


def test_a_click_without_a_drag_moves_nothing(dock, explorer):
    QTest.mouseClick(dock.dots.viewport(), LEFT, pos=QPoint(100, round(dock.dots.y_of(5))))
    assert explorer.probe.moved_dims.size == 0
    assert dock.dots.current == 5


def test_a_double_click_takes_a_dimension_back(dock, explorer):
    explorer.probe.move(2, 1.5)
    QTest.mouseDClick(dock.dots.viewport(), LEFT, pos=QPoint(100, round(dock.dots.y_of(2))))
    assert explorer.probe.moved_dims.size == 0


def test_arrows_choose_and_move_by_standard_deviations(dock, explorer):
    dots = dock.dots
    QTest.keyClick(dots, Qt.Key.Key_Down)
    QTest.keyClick(dots, Qt.Key.Key_Down)
    assert dots.current == 2
    QTest.keyClick(dots, Qt.Key.Key_Right, Qt.KeyboardModifier.ShiftModifier)
    values = np.concatenate([space.values for space in explorer.latents.values()])[:, 2]
    expected = (np.percentile(values, 95) - np.percentile(values, 5)) / 3.29
    assert float(explorer.probe.offsets[2]) == pytest.approx(expected, rel=1e-3)
    QTest.keyClick(dots, Qt.Key.Key_R)
    assert explorer.probe.moved_dims.size == 0


def test_a_value_can_be_typed(dock, explorer):
    dock.dimension.setValue(4)
    dock.value.setFocus()
    dock.value.selectAll()
    QTest.keyClicks(dock.value.lineEdit(), "0.75")
    QTest.keyClick(dock.value, Qt.Key.Key_Return)
    assert float(explorer.probe.vector[4]) == pytest.approx(0.75)


def test_reset_takes_one_back_or_all(dock, explorer):
    for dim in (1, 2):
        explorer.probe.move(dim, 1.0)
    dock.dots.set_current(2)
    QTest.mouseClick(dock.reset_one, LEFT)
    assert explorer.probe.moved_dims.tolist() == [1]
    QTest.mouseClick(dock.reset_all, LEFT)
    assert explorer.probe.moved_dims.size == 0
    assert not dock.reset_all.isEnabled()


def test_sorted_by_variance_the_widest_dimension_is_on_top(dock, explorer):
    dock.order.setCurrentIndex(dock.order.findData("variance"))
    dock.order.activated.emit(dock.order.currentIndex())
    values = np.concatenate([space.values for space in explorer.latents.values()])
    assert dock.dots.first_dimension == int(np.argmax(values.std(axis=0)))


def test_every_dimension_can_be_reached(dock):
    dock.resize(420, 240)
    QTest.qWait(20)
    dock.dots.set_current(15)
    assert 0 < dock.dots.y_of(15) < dock.dots.viewport().height()


def test_without_a_vector_it_says_what_to_do(qtbot, empty_explorer):
    dock = QtProbeDock(empty_explorer, DirectionWalk(empty_explorer))
    qtbot.addWidget(dock)
    dock.show()
    dock.dots.viewport().grab()
    assert not dock.value.isEnabled()
