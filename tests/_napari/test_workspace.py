"""The workspace: every dock in its place, and room for the hearts."""

import pytest
from napari.settings import get_settings
from qtpy.QtTest import QTest
from qtpy.QtWidgets import QMainWindow

from napari_latent_explorer._napari.themes import theme_of
from napari_latent_explorer._napari.workspace import open_workspace

NAMES = ("Cohort", "Maps", "Groups", "Compare", "Predictions", "Probe", "Path", "ECG")


@pytest.mark.parametrize("size", [(1900, 1150), (1280, 800)])
def test_the_hearts_keep_two_fifths_of_the_window(make_napari_viewer, size, shapes_study, shapes_bundle):
    viewer = make_napari_viewer(show=True)
    viewer.window.resize(*size)
    QTest.qWait(100)
    explorer = open_workspace(viewer)
    explorer.open(shapes_study, shapes_bundle)
    QTest.qWait(400)
    window = viewer.window.dock_widgets["Cohort (napari-latent-explorer)"].window()
    assert isinstance(window, QMainWindow)
    assert window.width() <= size[0] + 5
    assert window.centralWidget().width() >= 0.4 * window.width()
    maps = viewer.window.dock_widgets["Maps (napari-latent-explorer)"].layout()
    assert maps.itemAt(maps.count() - 1).spacerItem() is None  # the maps have all the room
    explorer.close()


def test_opening_twice_makes_no_second_docks(viewer):
    open_workspace(viewer)
    open_workspace(viewer)
    assert sorted(viewer.window.dock_widgets) == sorted(f"{name} (napari-latent-explorer)" for name in NAMES)


def test_the_panels_follow_the_theme_of_the_viewer(viewer):
    open_workspace(viewer)
    plot = viewer.window.dock_widgets["ECG (napari-latent-explorer)"].plot
    theme = get_settings().appearance.theme
    for name, is_light in (("light", True), ("dark", False)):
        get_settings().appearance.theme = name
        QTest.qWait(20)
        assert (plot.grab().toImage().pixelColor(2, 2).lightnessF() > 0.5) is is_light
        assert theme_of(name).is_dark is not is_light
    get_settings().appearance.theme = theme
