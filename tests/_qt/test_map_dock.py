"""The maps: what is drawn on one selects on both, and only who is visible."""

import gc
import threading

import numpy as np
import pytest
from qtpy.QtCore import QCoreApplication, QEvent, QPoint, Qt
from qtpy.QtTest import QTest
from qtpy.QtWidgets import QApplication, QDockWidget, QMainWindow

from napari_latent_explorer._qt.color_by import QtColorByCombo
from napari_latent_explorer._qt.legend import QtLegend
from napari_latent_explorer._qt.map_dock import QtMapDock
from napari_latent_explorer._qt.map_kind import QtMapKindCombo
from napari_latent_explorer._qt.map_tools import QtMapTools
from napari_latent_explorer._qt.map_words import explain, trust_line
from napari_latent_explorer.session.color_sources import Predicted, Unusual
from napari_latent_explorer.session.filters import CategoryFilter

LEFT = Qt.MouseButton.LeftButton
DEFERRED_DELETE = getattr(QEvent.Type.DeferredDelete, "value", QEvent.Type.DeferredDelete)
MOVE_MS = 15  # vispy leaves out a move that comes less than 10 ms after another


@pytest.fixture
def dock(qtbot, explorer):
    dock = QtMapDock(explorer)
    qtbot.addWidget(dock)
    dock.resize(700, 480)
    dock.show()
    QTest.qWait(100)
    yield dock
    for panel in dock.panels.values():
        panel.close_canvas()


def lasso(panel, polygon, modifier=Qt.KeyboardModifier.NoModifier):
    points = [QPoint(*point) for point in np.round(panel.scatter.to_canvas_px(polygon)).astype(int).tolist()]
    QTest.mousePress(panel.scatter.native, LEFT, modifier, points[0])
    for point in points[1:]:
        QTest.mouseMove(panel.scatter.native, point)
        QTest.qWait(MOVE_MS)
    QTest.mouseRelease(panel.scatter.native, LEFT, modifier, points[-1])


def right_half(coordinates):
    """Corners around all points to the right of the middle."""
    (left, bottom), (right, top) = coordinates.min(axis=0) - 0.1, coordinates.max(axis=0) + 0.1
    middle = (left + right) / 2
    return [(middle, bottom), (right, bottom), (right, top), (middle, top)]


def test_a_lasso_on_one_map_selects_on_both(dock, explorer):
    projection = explorer.projections["mri"]
    polygon = right_half(projection.coordinates)
    lasso(dock.panels["mri"], polygon)
    expected = set(projection.participant_ids[projection.coordinates[:, 0] > polygon[0][0]])
    clear = np.abs(projection.coordinates[:, 0] - polygon[0][0]) > 0.05  # a pixel of the screen
    assert set(explorer.selection) ^ expected <= set(projection.participant_ids[~clear])
    for panel in dock.panels.values():
        assert int(panel.scatter.picture.selected.sum()) == len(explorer.selection)


def test_a_lasso_takes_only_who_passes_the_filters(dock, explorer):
    explorer.set_filter(CategoryFilter("sex", frozenset({"female"})))
    lasso(dock.panels["ecg"], right_half(explorer.projections["ecg"].coordinates))
    rows = explorer.cohort.rows_of(explorer.selection.tolist())
    assert len(rows) > 0
    assert set(explorer.cohort.codes("sex")[rows]) == {0}


def test_alt_takes_away_and_shift_adds(dock, explorer):
    coordinates = explorer.projections["mri"].coordinates
    everybody = explorer.cohort.participant_ids.tolist()
    explorer.select(everybody)
    lasso(dock.panels["mri"], right_half(coordinates), Qt.KeyboardModifier.AltModifier)
    n_left = len(explorer.selection)
    assert 0 < n_left < len(everybody)
    lasso(dock.panels["mri"], right_half(coordinates), Qt.KeyboardModifier.ShiftModifier)
    assert len(explorer.selection) == len(everybody)


def test_a_click_selects_the_participant_and_shows_their_recordings(dock, explorer, qtbot):
    projection = explorer.projections["mri"]
    row = int(np.argmax(projection.coordinates[:, 0]))
    shown = []
    explorer.participant_shown.connect(shown.append)
    x, y = np.round(dock.panels["mri"].scatter.to_canvas_px(projection.coordinates[[row]])[0]).astype(int).tolist()
    QTest.mouseClick(dock.panels["mri"].scatter.native, LEFT, pos=QPoint(x, y))
    participant_id = projection.participant_ids[row]
    assert explorer.selection.tolist() == [participant_id]
    qtbot.waitUntil(lambda: bool(shown))
    assert shown[0].participant_id == participant_id
    np.testing.assert_array_equal(explorer.probe.origin, explorer.latents["mri"].of([participant_id])[0])


def test_the_probe_is_marked_on_both_maps_and_follows(dock, explorer):
    explorer.probe_participant(explorer.cohort.participant_ids[3], "mri")
    QTest.qWait(60)
    before = {name: panel.scatter.picture.probe.copy() for name, panel in dock.panels.items()}
    own = explorer.projections["mri"].coordinates[3]
    np.testing.assert_allclose(before["mri"], own, atol=0.5)
    explorer.probe.move(0, float(explorer.probe.vector[0]) + 3.0)
    QTest.qWait(60)
    for name, panel in dock.panels.items():
        assert not np.allclose(panel.scatter.picture.probe, before[name])


def test_colours_and_legend_are_those_of_the_session(dock, explorer):
    explorer.set_color_by("sex")
    for panel in dock.panels.values():
        np.testing.assert_array_equal(panel.scatter.picture.rgba, explorer.view_state.rgba)


def test_buttons_make_a_group_and_clear(dock, explorer):
    bar = dock.findChild(type(dock._selection_bar))
    assert not bar.new_group.isEnabled()
    explorer.select(explorer.cohort.participant_ids[:7].tolist())
    QTest.mouseClick(bar.new_group, LEFT)
    assert len(explorer.groups[0]) == 7
    QTest.mouseClick(bar.clear, LEFT)
    assert len(explorer.selection) == 0


def test_keys_choose_the_tool(dock):
    QTest.keyClick(dock, Qt.Key.Key_R)
    assert {panel.scatter.tool for panel in dock.panels.values()} <= {"rectangle", "lasso"}
    dock._tools.buttons["pan"].click()
    assert {panel.scatter.tool for panel in dock.panels.values()} == {"pan"}


def wait_for_pictures(dock):
    """Wait until the maps are painted again and see that none is blank, which is one colour."""
    QTest.qWait(
        200
    )  # without looking at the canvas: `grab` paints one that Qt has not shown yet in a context of its own
    for panel in dock.panels.values():
        image = panel.scatter.native.grab().toImage()
        pixels = {image.pixel(x, y) for x in range(0, image.width(), 2) for y in range(0, image.height(), 2)}
        assert len(pixels) > 5


def census():
    """Count what a dock could leave behind: threads, widgets, windows."""
    QCoreApplication.sendPostedEvents(None, DEFERRED_DELETE)
    QTest.qWait(20)
    gc.collect()
    return threading.active_count(), len(QApplication.allWidgets()), len(QApplication.topLevelWidgets())


def test_a_dock_floats_closes_and_opens_again_with_its_picture_and_leaves_nothing(qtbot, explorer, caplog):
    window = QMainWindow()
    qtbot.addWidget(window)
    window.resize(900, 500)
    window.show()
    qtbot.waitExposed(window)
    before = census()
    around, dock = QDockWidget(window), QtMapDock(explorer)
    around.setWidget(dock)
    window.addDockWidget(Qt.DockWidgetArea.RightDockWidgetArea, around)
    wait_for_pictures(dock)
    docked, rect = census(), dock.panels["mri"].scatter.view_rect
    canvas, coordinates = dock.panels["mri"].scatter, dock.panels["mri"].scatter.picture.coordinates
    for is_floating in (True, False, True, False):
        around.setFloating(is_floating)
        wait_for_pictures(dock)
        assert dock.panels["mri"].scatter is not canvas  # the context of the old one stayed in the other window
        canvas = dock.panels["mri"].scatter
        assert canvas.view_rect == pytest.approx(rect)
        assert canvas.picture.coordinates is coordinates
    around.close()
    QTest.qWait(30)
    around.show()
    wait_for_pictures(dock)
    assert census() == docked
    around.deleteLater()
    del around, dock, canvas
    assert census() == before
    assert not [record for record in caplog.records if record.name.startswith("vispy")]  # as where GL goes wrong


def choose(combo, data):
    index = next(index for index in range(combo.count()) if combo.itemData(index) == data)
    combo.setCurrentIndex(index)
    combo.activated.emit(index)


def at_rest(qtbot, explorer):
    qtbot.waitUntil(lambda: not explorer.jobs.running, timeout=60_000)


def test_a_kind_that_is_missing_is_laid_out_and_the_map_says_so_meanwhile(qtbot, dock, explorer):
    kinds = dock.findChild(QtMapKindCombo)
    assert dock.panels["mri"].title == "MRI map, PCA; no t-SNE yet"
    choose(kinds, "whitened_tsne")
    assert dock.panels["mri"].title == "MRI map, PCA until t-SNE, equal scales is ready"
    at_rest(qtbot, explorer)
    for panel in dock.panels.values():
        assert panel.title.endswith("map, t-SNE, equal scales")
    np.testing.assert_array_equal(
        dock.panels["ecg"].scatter.picture.coordinates, explorer.maps["ecg_whitened_tsne"].coordinates
    )
    explorer.undo()
    assert kinds.currentData() == "tsne"
    assert dock.panels["mri"].title == "MRI map, PCA; no t-SNE yet"


def test_a_cancelled_layout_leaves_the_map_as_it_was(qtbot, dock, explorer):
    choose(dock.findChild(QtMapKindCombo), "tsne")
    explorer.jobs.cancel_all()
    at_rest(qtbot, explorer)
    assert dock.panels["ecg"].title == "ECG map, PCA; no t-SNE yet"


def test_the_joint_map_is_shown_by_choice_and_is_as_the_others(qtbot, dock, explorer):
    assert set(dock.panels) == {"mri", "ecg"}
    explorer.set_map_kind("pca")
    joint = dock.findChild(QtMapTools).joint
    QTest.mouseClick(joint, LEFT)
    at_rest(qtbot, explorer)
    assert dock.panels["joint"].title == "Joint map, PCA"
    QTest.qWait(200)
    projection = explorer.projections["joint"]
    lasso(dock.panels["joint"], right_half(projection.coordinates))
    assert 0 < len(explorer.selection) < len(projection.participant_ids)
    for panel in dock.panels.values():
        assert int(panel.scatter.picture.selected.sum()) == len(explorer.selection)
    qtbot.waitUntil(lambda: dock.panels["joint"].scatter.picture.probe is not None, timeout=20_000)
    QTest.mouseClick(joint, LEFT)
    assert not dock.panels["joint"].isVisible()
    assert dock.panels["mri"].isVisible()


def test_the_maps_say_how_far_they_can_be_trusted(qtbot, dock, explorer):
    explorer.fit_projection("mri", "tsne")
    at_rest(qtbot, explorer)
    projection = explorer.maps["mri"]
    words = trust_line(explorer.projections)
    assert words == (
        f"Neighbours kept, trustworthiness: MRI {projection.trust.mean():.0%}, {projection.trustworthiness:.2f}"
    )
    assert dock._trust.text() == words
    assert "the sizes of clusters" in explain(projection)
    assert f"(by chance {15 / 119:.1%})" in explain(projection)


def test_colours_that_were_derived_can_be_chosen(qtbot, dock, explorer):
    combo = dock.findChild(QtColorByCombo)
    choose(combo, Unusual("ecg"))
    at_rest(qtbot, explorer)
    legend = dock.findChild(QtLegend)
    assert legend.accessibleDescription() == "How unusual the ECG is (percentile)"
    explorer.fit_predictors()
    at_rest(qtbot, explorer)
    assert combo.currentData() == Unusual("ecg")
    best = next(combo.itemData(i) for i in range(combo.count()) if combo.itemText(i).startswith("Predicted LV mass"))
    choose(combo, best)
    assert explorer.color_by == best
    explorer.set_color_by(Predicted("lvm", "ECG" if best.row != "ECG" else "MRI"))  # one that is not offered
    assert combo.currentData() == explorer.color_by
