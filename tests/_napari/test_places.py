"""Docks opened one by one: each in its place, and none that makes the window grow."""

import pytest
from qtpy.QtCore import Qt
from qtpy.QtTest import QTest
from qtpy.QtWidgets import QMainWindow

from napari_latent_explorer._napari.places import BUILD, COHORT, ECG, HEART_BOX, MAPS, PLUGIN, open_dock
from napari_latent_explorer._napari.workspace import open_workspace

AREAS = {
    COHORT: Qt.DockWidgetArea.LeftDockWidgetArea,
    ECG: Qt.DockWidgetArea.BottomDockWidgetArea,
    BUILD: Qt.DockWidgetArea.RightDockWidgetArea,
}


@pytest.fixture
def shown(make_napari_viewer):
    """Show a window of the size of a laptop's."""
    viewer = make_napari_viewer(show=True)
    viewer.window.resize(1280, 800)
    QTest.qWait(100)
    return viewer


@pytest.mark.parametrize("name", AREAS)
def test_a_dock_opens_in_its_place_and_only_once(shown, name):
    dock = open_dock(shown, name)
    window = dock.parent()
    assert isinstance(window, QMainWindow)
    assert window.dockWidgetArea(dock) == AREAS[name]
    assert dock.windowTitle() == name
    assert open_dock(shown, name) is dock


@pytest.mark.parametrize("opens_workspace_first", [True, False])
def test_with_the_workspace_docks_share_a_place_and_the_window_keeps_its_size(shown, opens_workspace_first):
    if opens_workspace_first:
        open_workspace(shown)
    docks = [open_dock(shown, name) for name in (BUILD, HEART_BOX)]
    if not opens_workspace_first:
        open_workspace(shown)
    QTest.qWait(200)
    window = docks[0].parent()
    assert window.height() <= 805
    assert window.width() <= 1285
    maps = next(dock for dock in window.tabifiedDockWidgets(docks[0]) if dock.windowTitle() == MAPS)
    assert maps in window.tabifiedDockWidgets(docks[1])


def test_the_empty_cohort_leads_to_building(shown):
    open_dock(shown, COHORT)
    shown.window.dock_widgets[f"{COHORT} ({PLUGIN})"].build.click()
    assert f"{BUILD} ({PLUGIN})" in shown.window.dock_widgets


def test_without_a_window_nothing_opens():
    assert open_dock(object(), ECG) is None
