"""All docks at once, laid out so that the hearts keep at least 40 % of the window.

Left the cohort, right the maps over tabs of groups, comparison, predictions, probe and path, below the ECG. In a
small window (the laptop's 1280 x 800) the right column is one set of tabs, maps included, and the cohort shares its
place with the layer controls.
"""

from pathlib import Path
from typing import TYPE_CHECKING

from qtpy.QtCore import Qt
from qtpy.QtWidgets import QDockWidget, QMainWindow

from napari_latent_explorer._napari.explorers import session_of
from napari_latent_explorer._napari.places import (
    BUILD,
    COHORT,
    COMPARE,
    ECG,
    GROUPS,
    HEART_BOX,
    MAPS,
    PATH,
    PLUGIN,
    PREDICTIONS,
    PROBE,
    TRAIN,
)
from napari_latent_explorer.session.explorer import Explorer

if TYPE_CHECKING:
    import napari

LAYER_CONTROLS, LAYER_LIST = "layer controls", "layer list"
"""Names of napari's docks with which the cohort shares the left column."""
SMALL_HEIGHT_PX, SMALL_WIDTH_PX = 900, 1500
LEFT_SHARE, RIGHT_SHARE, RIGHT_SHARE_SMALL = 0.19, 0.36, 0.32
LAYER_LIST_SHARE, COHORT_SHARE, ECG_SHARE = 0.27, 0.5, 0.27


def open_workspace(viewer: "napari.viewer.Viewer") -> Explorer:
    """Open every dock of the plugin in its place and return the viewer's explorer.

    Parameters
    ----------
    viewer
        A napari viewer with a window, or the proxy of one.
    """
    docks = {name: viewer.window.add_plugin_dock_widget(PLUGIN, name)[0] for name in _NAMES}
    window = docks[COHORT].parent()
    if isinstance(window, QMainWindow):
        session_of(viewer).end_with(window)
        arrange(window, docks)
    return session_of(viewer).explorer


def open_study_folder(viewer: "napari.viewer.Viewer", folder: Path) -> None:
    """Open the workspace with the study in a folder, and with the model beside it, if there is one."""
    bundle = folder.parent / "bundle"
    open_workspace(viewer).open_folder(folder, bundle if bundle.is_dir() else None)


_NAMES = (COHORT, MAPS, GROUPS, COMPARE, PREDICTIONS, PROBE, PATH, ECG)


def arrange(window: QMainWindow, docks: dict[str, QDockWidget]) -> None:
    """Lay the docks out for the window's present size."""
    width, height = window.width(), window.height()
    is_small = width < SMALL_WIDTH_PX or height < SMALL_HEIGHT_PX
    left, right, bottom = (
        Qt.DockWidgetArea.LeftDockWidgetArea,
        Qt.DockWidgetArea.RightDockWidgetArea,
        Qt.DockWidgetArea.BottomDockWidgetArea,
    )
    # The columns reach from top to bottom, so that the ECG lies under the hearts only.
    window.setCorner(Qt.Corner.BottomLeftCorner, left)
    window.setCorner(Qt.Corner.BottomRightCorner, right)
    for name, area in ((COHORT, left), (MAPS, right), (GROUPS, right), (ECG, bottom)):
        window.addDockWidget(area, docks[name])
    if is_small:
        window.tabifyDockWidget(docks[MAPS], docks[GROUPS])
        for controls in window.findChildren(QDockWidget, LAYER_CONTROLS):
            window.tabifyDockWidget(controls, docks[COHORT])
    else:
        window.splitDockWidget(docks[MAPS], docks[GROUPS], Qt.Orientation.Vertical)
    for name in (COMPARE, PREDICTIONS, PROBE, PATH):
        window.tabifyDockWidget(docks[GROUPS], docks[name])
    for guest in _guests(window, docks):
        window.tabifyDockWidget(docks[MAPS if is_small else GROUPS], guest)
    for name, dock in docks.items():
        dock.setWindowTitle(name)  # what the tab says
        dock.show()
    docks[COHORT].raise_()
    docks[MAPS if is_small else GROUPS].raise_()
    right_share = RIGHT_SHARE_SMALL if is_small else RIGHT_SHARE
    horizontal = [docks[COHORT], docks[MAPS]]
    window.resizeDocks(horizontal, [int(width * LEFT_SHARE), int(width * right_share)], Qt.Orientation.Horizontal)
    above = window.findChildren(QDockWidget, LAYER_LIST)
    heights = [*(int(height * LAYER_LIST_SHARE) for _ in above), int(height * COHORT_SHARE)]
    window.resizeDocks([*above, docks[COHORT]], heights, Qt.Orientation.Vertical)
    window.resizeDocks([docks[ECG]], [int(height * ECG_SHARE)], Qt.Orientation.Vertical)
    if not is_small:
        half = int(height * 0.48)
        window.resizeDocks([docks[MAPS], docks[GROUPS]], [half, height - half], Qt.Orientation.Vertical)


def _guests(window: QMainWindow, docks: dict[str, QDockWidget]) -> list[QDockWidget]:
    """Docks of the plugin at the right that are open but not part of the workspace."""
    names = {f"{name} ({PLUGIN})" for name in (BUILD, HEART_BOX, TRAIN)}
    return [
        dock
        for dock in window.findChildren(QDockWidget)
        if dock not in docks.values() and dock.objectName() in names and not dock.isFloating()
    ]
