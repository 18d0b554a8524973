"""The docks by name, and one dock opened in its place.

napari remembers where a plugin's dock was last, and puts it to the right the first time, whatever the manifest says.
"""

from typing import Any

from qtpy.QtCore import Qt
from qtpy.QtWidgets import QDockWidget, QMainWindow

PLUGIN = "napari-latent-explorer"
COHORT, MAPS, GROUPS, PREDICTIONS, PROBE, ECG = "Cohort", "Maps", "Groups", "Predictions", "Probe", "ECG"
BUILD, HEART_BOX, TRAIN = "Build a study", "Heart box", "Train a model"
COMPARE, PATH = "Compare", "Path"
_AREAS = {
    COHORT: Qt.DockWidgetArea.LeftDockWidgetArea,
    ECG: Qt.DockWidgetArea.BottomDockWidgetArea,
}
_HEIGHTS, _WIDTHS = {ECG: 0.36}, {BUILD: 0.36, HEART_BOX: 0.24, TRAIN: 0.3}
"""Of the window, when a dock is first opened by itself."""


def open_dock(viewer: Any, name: str) -> QDockWidget | None:
    """Open a dock of the plugin where it belongs and bring it to the front; one that is open stays where it is.

    Parameters
    ----------
    viewer
        A napari viewer or the proxy of one; nothing happens, and None is returned, if it has no window.
    name
        As in the manifest.
    """
    window = getattr(viewer, "window", None)
    if window is None:
        return None
    is_open = f"{name} ({PLUGIN})" in window.dock_widgets
    dock: QDockWidget = window.add_plugin_dock_widget(PLUGIN, name)[0]
    around = dock.parent()
    if not is_open and isinstance(around, QMainWindow):
        area = _AREAS.get(name, Qt.DockWidgetArea.RightDockWidgetArea)
        neighbours = _docks_in(around, area, dock)
        around.addDockWidget(area, dock)
        dock.setWindowTitle(name)
        if neighbours:  # share their place: a column of docks would outgrow the window
            around.tabifyDockWidget(neighbours[0], dock)
        if name in _HEIGHTS:
            around.resizeDocks([dock], [int(around.height() * _HEIGHTS[name])], Qt.Orientation.Vertical)
        if name in _WIDTHS:
            around.resizeDocks([dock], [int(around.width() * _WIDTHS[name])], Qt.Orientation.Horizontal)
    dock.show()
    dock.raise_()
    return dock


def _docks_in(window: QMainWindow, area: Qt.DockWidgetArea, but: QDockWidget) -> list[QDockWidget]:
    """Docks that are seen in an area, the topmost first."""
    seen = [
        dock
        for dock in window.findChildren(QDockWidget)
        if dock is not but and dock.isVisible() and not dock.isFloating() and window.dockWidgetArea(dock) == area
    ]
    return sorted(seen, key=lambda dock: dock.y())
