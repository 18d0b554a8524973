"""The heart box in the viewer: a real mouse drags it, and the session hears of whole pixels."""

from pathlib import Path

import numpy as np
import pytest
from qtpy.QtCore import QPoint, Qt
from qtpy.QtTest import QTest
from qtpy.QtWidgets import QMainWindow, QWidget

from napari_latent_explorer._napari.explorers import session_of
from napari_latent_explorer._napari.heart_box import BOX, VIEW, box_of, corners
from napari_latent_explorer._napari.places import HEART_BOX, PLUGIN, open_dock
from napari_latent_explorer.data.cine import CineMRI
from napari_latent_explorer.data.heart_box import HeartBox
from napari_latent_explorer.session.outside_recordings import OutsideRecording

LEFT = Qt.MouseButton.LeftButton


def make_cine():
    rows, columns = np.mgrid[:120, :160]
    distance = np.hypot(rows - 60, columns - 90)
    frames = np.array([(distance < radius) * 200 for radius in (30, 20)], np.uint8)[:, None]
    affine = np.diag([8.0, 1.5, 1.5, 1.0])
    affine[:3, 3] = (5.0, -40.0, 70.0)
    return CineMRI(frames, (8.0, 1.5, 1.5), np.arange(2) * 400.0, affine, "la_2ch", 800.0)


@pytest.fixture
def shown(make_napari_viewer, qtbot):
    """Show a window with a dropped cine and the dock; return viewer, session and dock."""
    viewer = make_napari_viewer(show=True)
    viewer.window.resize(1100, 800)
    session = session_of(viewer)
    session.outside.opened.emit(OutsideRecording(Path("dropped"), make_cine(), contrast_limits=(0.0, 200.0)))
    open_dock(viewer, HEART_BOX)
    QTest.qWait(200)
    return viewer, session, viewer.window.dock_widgets[f"{HEART_BOX} ({PLUGIN})"]


def place(session, dock, qtbot):
    QTest.mouseClick(dock.place, LEFT)
    qtbot.waitUntil(lambda: session.boxing.box is not None, timeout=20_000)
    QTest.qWait(100)
    return session.boxing.box


def canvas_of(dock):
    window = dock.window()
    assert isinstance(window, QMainWindow)
    return next(one for one in window.findChildren(QWidget) if type(one).__name__ == "CanvasBackendDesktop")


def to_canvas(viewer, canvas, layer, place_px):
    world = np.asarray(layer.data_to_world(place_px))
    camera = viewer.scene.camera
    offset = (world - np.asarray(camera.center)[-2:]) * camera.zoom
    return QPoint(round(canvas.width() / 2 + offset[1]), round(canvas.height() / 2 + offset[0]))


def drag(canvas, start, end):
    QTest.mouseMove(canvas, start)
    QTest.qWait(50)
    QTest.mousePress(canvas, LEFT, pos=start)
    for step in range(1, 9):
        QTest.mouseMove(canvas, start + (end - start) * step / 8)
        QTest.qWait(20)
    QTest.mouseRelease(canvas, LEFT, pos=end)
    QTest.qWait(100)


def test_the_rectangle_lies_around_what_was_found(shown, qtbot):
    viewer, session, dock = shown
    box = place(session, dock, qtbot)
    assert np.allclose(box.middle, (60, 90), atol=4)
    layer, image = viewer.layers[BOX], viewer.layers["dropped, la_2ch"]
    first, last = np.asarray(layer.data[0]).min(axis=0) + 0.5, np.asarray(layer.data[0]).max(axis=0) - 0.5
    assert tuple(first) == (box.row_start, box.column_start)
    assert tuple(last) == (box.row_start + box.n_rows - 1, box.column_start + box.n_columns - 1)
    np.testing.assert_allclose(layer.data_to_world(first), np.asarray(image.data_to_world((0, *first)))[-2:])
    sizes = np.ptp(np.asarray(viewer.layers[VIEW].data[0]), axis=0)
    np.testing.assert_allclose(sizes * 1.5, 96 * 1.8)


def test_a_drag_of_the_mouse_moves_the_box(shown, qtbot):
    viewer, session, dock = shown
    before = place(session, dock, qtbot)
    canvas, layer = canvas_of(dock), viewer.layers[BOX]
    start = to_canvas(viewer, canvas, layer, before.middle)
    moved_px = np.array([12.0, -15.0])
    end = to_canvas(viewer, canvas, layer, np.asarray(before.middle) + moved_px)
    drag(canvas, start, end)
    after = session.boxing.box
    assert (after.n_rows, after.n_columns, after.source) == (before.n_rows, before.n_columns, "by hand")
    moved = np.array([after.row_start - before.row_start, after.column_start - before.column_start])
    np.testing.assert_allclose(moved, moved_px, atol=1.5)
    assert [spin.value() for spin in dock.numbers.values()][:2] == [after.row_start, after.column_start]
    assert np.asarray(layer.data[0])[0, 0] == after.row_start - 0.5  # on the grid of pixels


def test_a_drag_of_a_corner_resizes_it(shown, qtbot):
    viewer, session, dock = shown
    before = place(session, dock, qtbot)
    canvas, layer = canvas_of(dock), viewer.layers[BOX]
    corner = np.asarray(layer.data[0]).max(axis=0)
    drag(
        canvas,
        to_canvas(viewer, canvas, layer, corner),
        to_canvas(viewer, canvas, layer, corner + np.array([10.0, 14.0])),
    )
    after = session.boxing.box
    assert (after.row_start, after.column_start) == (before.row_start, before.column_start)
    assert after.n_rows - before.n_rows == pytest.approx(10, abs=2)
    assert after.n_columns - before.n_columns == pytest.approx(14, abs=2)


def test_typed_numbers_move_the_rectangle(shown, qtbot):
    viewer, session, dock = shown
    place(session, dock, qtbot)
    spin = dock.numbers["column_start"]
    spin.setFocus()
    spin.selectAll()
    QTest.keyClicks(spin.lineEdit(), "7")
    QTest.keyClick(spin, Qt.Key.Key_Return)
    assert session.boxing.box.column_start == 7
    assert viewer.layers[BOX].mode == "select"  # it can be dragged on
    assert not viewer.layers[VIEW].editable
    assert np.asarray(viewer.layers[BOX].data[0])[:, 1].min() == 6.5
    dock.rule.setCurrentIndex(1)
    dock.rule.activated.emit(1)
    np.testing.assert_allclose(np.ptp(np.asarray(viewer.layers[VIEW].data[0]), axis=0), 96)
    QTest.mouseClick(dock.reset, LEFT)
    assert session.boxing.box == session.boxing.found


def test_a_removed_rectangle_is_a_box_given_up(shown, qtbot):
    viewer, session, dock = shown
    place(session, dock, qtbot)
    viewer.layers.selection = {viewer.layers[BOX]}
    viewer.layers.remove_selected()  # as the bin does: the layer is locked
    assert BOX in viewer.layers
    viewer.layers.remove(BOX)
    assert session.boxing.box is None
    assert not viewer.layers[VIEW].visible
    assert not dock.use.isEnabled()


def test_another_heart_hides_the_rectangle_and_placing_shows_it_there(shown, qtbot):
    viewer, session, dock = shown
    place(session, dock, qtbot)
    layer = viewer.layers[BOX]
    other = OutsideRecording(Path("other"), make_cine(), contrast_limits=(0.0, 200.0))
    session.outside.opened.emit(other)
    assert not layer.visible
    place(session, dock, qtbot)
    assert layer.visible
    assert viewer.layers.selection.active is layer
    assert viewer.layers[BOX] is layer  # hidden and shown, never removed


def test_without_a_model_using_it_says_so(shown, qtbot):
    _, session, dock = shown
    place(session, dock, qtbot)
    failures = []
    dock.failed.connect(failures.append)
    QTest.mouseClick(dock.use, LEFT)
    assert "none is in use" in str(failures[0])


def test_a_participant_of_a_study_has_the_box_on_their_original(viewer, explorer, settle):
    explorer.show_participant(str(explorer.cohort.participant_ids[0]))
    settle(explorer)
    boxing = session_of(viewer).boxing
    boxing.place()
    settle(explorer)
    original, layer = viewer.layers["original"], viewer.layers[BOX]
    np.testing.assert_allclose(layer.translate, original.translate[-2:])
    np.testing.assert_allclose(layer.scale, original.scale[-2:])
    assert str(viewer.dims.units[0]) == "millisecond"


def test_a_turned_rectangle_becomes_the_upright_one_around_it():
    former = HeartBox(0, 0, 5, 5, "published")
    np.testing.assert_array_equal(corners(2, 3, 4, 5).min(axis=0), (1.5, 2.5))
    assert box_of(corners(2, 3, 4, 5), former) == HeartBox(2, 3, 4, 5, "published", "by hand")
    turned = np.array([[0.0, 10.0], [10.0, 20.0], [20.0, 10.0], [10.0, 0.0]])
    around = box_of(turned, former)
    assert (around.row_start, around.column_start) == (0, 0)
    assert around.n_rows == around.n_columns
    assert box_of(corners(-8, -8, 2, 2), former) == HeartBox(0, 0, 1, 1, "published", "by hand")
