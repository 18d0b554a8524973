"""The docks by name, and one dock opened in its place.

napari remembers where a plugin's dock was last, and puts it to the right the first time, whatever the manifest says.
"""

from typing import Any

from qtpy.QtCore import Qt
from qtpy.QtWidgets import QDockWidget, QMainWindow

PLUGIN = "napari-latent-explorer"
COHORT, MAPS, GROUPS, PREDICTIONS, PROBE, ECG = "Cohort", "Maps", "Groups", "Predictions", "Probe", "ECG"
BUILD, HEART_BOX = "Build a study", "Heart box"
_AREAS = {
    COHORT: Qt.DockWidgetArea.LeftDockWidgetArea,
    ECG: Qt.DockWidgetArea.BottomDockWidgetArea,
}
_SHARES = {ECG: 0.36}
"""Of the window's height, or width at its sides."""


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
    dock, _ = window.add_plugin_dock_widget(PLUGIN, name)
    around = dock.parent()
    if not is_open and isinstance(around, QMainWindow):
        area = _AREAS.get(name, Qt.DockWidgetArea.RightDockWidgetArea)
        around.addDockWidget(area, dock)
        dock.setWindowTitle(name)
        if name in _SHARES:
            around.resizeDocks([dock], [int(around.height() * _SHARES[name])], Qt.Orientation.Vertical)
    dock.show()
    dock.raise_()
    return dock
