"""The dots: dragged, stepped, typed and taken back."""

import numpy as np
import pytest
from qtpy.QtCore import QPoint, Qt
from qtpy.QtGui import QGuiApplication
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
    drag_dot(dock.dimensions.dots, 3, 1.0)
    assert explorer.probe.moved_dims.tolist() == [3]
    assert float(explorer.probe.vector[3]) == pytest.approx(1.0, abs=0.03)  # a pixel


def test_a_click_without_a_drag_moves_nothing(dock, explorer):
    QTest.mouseClick(dock.dimensions.dots.viewport(), LEFT, pos=QPoint(100, round(dock.dimensions.dots.y_of(5))))
    assert explorer.probe.moved_dims.size == 0
    assert dock.dimensions.dots.current == 5


def test_a_dot_that_is_held_while_the_dock_closes_is_let_go(dock, explorer):
    dots = dock.dimensions.dots
    y = round(dots.y_of(3))
    QTest.mousePress(dots.viewport(), LEFT, pos=QPoint(dots.viewport().width() // 2, y))
    QTest.mouseMove(dots.viewport(), QPoint(round(dots.x_of(1.0)), y))
    dock.close()
    assert not explorer.history.is_in_gesture
    assert explorer.undo_text == "Move latent dimension 3"


def test_a_typed_dimension_that_is_filtered_away_comes_back_and_is_the_one_that_moves(dock, explorer):
    panel = dock.dimensions
    panel.shown.setCurrentIndex(panel.shown.findData("first 10"))
    panel.shown.activated.emit(panel.shown.currentIndex())
    assert 15 not in panel.dots.shown_dims
    panel.dimension.setValue(15)
    panel.value.setValue(1.25)
    assert explorer.probe.moved_dims.tolist() == [15]
    assert 15 in panel.dots.shown_dims


def test_moved_dimensions_are_listed_as_they_come_and_go(dock, explorer, qtbot):
    panel = dock.dimensions
    explorer.probe.move(3, 1.0)
    panel.shown.setCurrentIndex(panel.shown.findData("moved"))
    panel.shown.activated.emit(panel.shown.currentIndex())
    assert panel.dots.shown_dims == (3,)
    explorer.probe.move(7, 1.0)
    qtbot.waitUntil(lambda: panel.dots.shown_dims == (3, 7))
    explorer.probe.reset()
    qtbot.waitUntil(lambda: panel.dots.shown_dims == ())


def test_a_double_click_takes_a_dimension_back(dock, explorer):
    explorer.probe.move(2, 1.5)
    QTest.mouseDClick(dock.dimensions.dots.viewport(), LEFT, pos=QPoint(100, round(dock.dimensions.dots.y_of(2))))
    assert explorer.probe.moved_dims.size == 0


def test_arrows_choose_and_move_by_standard_deviations(dock, explorer):
    dots = dock.dimensions.dots
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
    dock.dimensions.dimension.setValue(4)
    dock.dimensions.value.setFocus()
    dock.dimensions.value.selectAll()
    QTest.keyClicks(dock.dimensions.value.lineEdit(), "0.75")
    QTest.keyClick(dock.dimensions.value, Qt.Key.Key_Return)
    assert float(explorer.probe.vector[4]) == pytest.approx(0.75)


def test_reset_takes_one_back_or_all(dock, explorer, qtbot):
    for dim in (1, 2):
        explorer.probe.move(dim, 1.0)
    dock.dimensions.dots.set_current(2)
    qtbot.waitUntil(dock.reset_all.isEnabled)
    QTest.mouseClick(dock.dimensions.reset_one, LEFT)
    assert explorer.probe.moved_dims.tolist() == [1]
    QTest.mouseClick(dock.reset_all, LEFT)
    assert explorer.probe.moved_dims.size == 0
    qtbot.waitUntil(lambda: not dock.reset_all.isEnabled())


def test_sorted_by_variance_the_widest_dimension_is_on_top(dock, explorer):
    dock.dimensions.order.setCurrentIndex(dock.dimensions.order.findData("variance"))
    dock.dimensions.order.activated.emit(dock.dimensions.order.currentIndex())
    values = np.concatenate([space.values for space in explorer.latents.values()])
    assert dock.dimensions.dots.first_dimension == int(np.argmax(values.std(axis=0)))


def test_every_dimension_can_be_reached(dock):
    dock.resize(420, 240)
    QTest.qWait(20)
    dock.dimensions.dots.set_current(15)
    assert 0 < dock.dimensions.dots.y_of(15) < dock.dimensions.dots.viewport().height()


def test_without_a_vector_it_says_what_to_do(qtbot, empty_explorer):
    dock = QtProbeDock(empty_explorer, DirectionWalk(empty_explorer))
    qtbot.addWidget(dock)
    dock.show()
    dock.dimensions.dots.viewport().grab()
    assert not dock.dimensions.value.isEnabled()


def test_a_locked_dimension_stays_whatever_is_moved_but_a_walk(dock, explorer, qtbot):
    probe, dots = explorer.probe, dock.dimensions.dots
    probe.move(3, 0.5)
    dots.set_current(3)
    QTest.keyClick(dots, Qt.Key.Key_L)
    assert dock.dimensions.lock.isChecked()
    drag_dot(dots, 3, 2.0)
    QTest.keyClick(dots, Qt.Key.Key_R)
    probe.move(2, 1.0)
    qtbot.waitUntil(dock.reset_all.isEnabled)
    QTest.mouseClick(dock.reset_all, LEFT)
    assert probe.moved_dims.tolist() == [3]
    assert float(probe.vector[3]) == 0.5
    choose(dock.dimensions.shown, "locked")
    assert dots.shown_dims == (3,)
    QTest.mouseClick(dock.dimensions.lock, LEFT)
    assert dots.shown_dims == ()
    QTest.mouseClick(dock.reset_all, LEFT)
    assert probe.moved_dims.size == 0


def choose(combo, value):
    combo.setCurrentIndex(combo.findData(value))
    combo.activated.emit(combo.currentIndex())


def test_a_vector_is_copied_and_pasted_as_text_and_as_a_table(dock, explorer):
    probe = explorer.probe
    for is_table in (False, True):
        probe.move(4, 1.25)
        wanted = probe.vector
        dock.dimensions.copy(is_table)
        probe.reset()
        dock.dimensions.paste()
        np.testing.assert_array_equal(probe.vector, wanted)
    failures = []
    explorer.failed.connect(failures.append)
    QGuiApplication.clipboard().setText("not a vector")
    dock.dimensions.paste()
    np.testing.assert_array_equal(probe.vector, wanted)
    assert "where a finite number of a latent vector was expected" in str(failures[0])


def test_by_effect_on_a_phenotype_its_own_latent_is_on_top(qtbot, dock, explorer):
    panel = dock.dimensions
    panel.phenotype.setCurrentIndex(panel.phenotype.findData("age"))
    choose(panel.order, "phenotype")
    qtbot.waitUntil(lambda: panel.dots.first_dimension == 2, timeout=20_000)  # the third latent is the age
    choose(panel.shown, "first 10")
    assert len(panel.dots.shown_dims) == 10
    choose(panel.shown, "moved")
    assert panel.dots.shown_dims == ()


def test_the_spread_of_the_active_group_lies_on_that_of_all(dock, explorer):
    before = dock.dimensions.dots.viewport().grab().toImage()
    ids = explorer.cohort.participant_ids
    explorer.create_group("Some", ids[:40])
    explorer.set_group_color("Some", (1.0, 0.0, 0.0, 1.0))
    explorer.probe_mean("mri")
    QTest.qWait(20)
    dots = dock.dimensions.dots
    image = dots.viewport().grab().toImage()
    ratio = image.devicePixelRatio()
    low, high = np.percentile(explorer.latents["mri"].values[:40, 5], [5, 95])
    y = (dots.y_of(5) - 6) * ratio
    for value, is_red in ((low + 0.02, True), (high - 0.02, True), (low - 0.1, False), (high + 0.1, False)):
        color = image.pixelColor(round(dots.x_of(value) * ratio), round(y))
        assert (color.red() > 180 and color.green() < 90) == is_red
    assert image != before
