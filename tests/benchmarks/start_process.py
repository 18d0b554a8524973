"""From nothing to the first picture of both maps, in a process of its own.

As a script, ``python start_process.py FOLDER napari|docks``, it opens the study in FOLDER, in a napari window with all
docks or in the docks of cohort and maps alone, and prints as JSON when what was there, in seconds after the process
began, and its peak memory. A map counts as painted when the canvas has drawn a picture with points.
"""

import json
import sys
import time
from pathlib import Path

from memory_peaks import peak_mb

PATIENCE_S = 60.0


def since_start_s() -> float:
    """Seconds since this process began, the start of Python itself among them."""
    ticks = int(Path("/proc/self/stat").read_text().rsplit(")", 1)[1].split()[19])
    return float(Path("/proc/uptime").read_text().split()[0]) - ticks / 100


def main(folder: Path, kind: str) -> dict[str, float]:
    """Open the study, wait for both maps and say when what was there."""
    from qtpy.QtWidgets import QApplication

    from napari_latent_explorer._qt.map_dock import QtMapDock

    application = QApplication.instance() or QApplication([])
    moments: dict[str, float] = {}
    if kind == "napari":
        import napari

        from napari_latent_explorer._napari.workspace import open_workspace

        moments["napari imported"] = since_start_s()
        viewer = napari.Viewer()
        moments["napari's window"] = since_start_s()
        explorer = open_workspace(viewer)
        dock = viewer.window._qt_window.findChild(QtMapDock)
    else:
        from napari_latent_explorer._qt.cohort_dock import QtCohortDock
        from napari_latent_explorer._qt.main_thread import QtMainThreadDispatch
        from napari_latent_explorer.session.explorer import Explorer

        dispatch = QtMainThreadDispatch()
        explorer = Explorer(dispatch)
        cohort, dock = QtCohortDock(explorer), QtMapDock(explorer)
        for widget in (cohort, dock):
            widget.resize(500, 700)
            widget.show()
    application.processEvents()
    moments["docks"] = since_start_s()
    moments["docks, processor"] = time.process_time()
    painted: set[str] = set()
    for name in ("mri", "ecg"):
        dock.panels[name].scatter._canvas.events.draw.connect(_noter(dock, name, painted), position="last")
    explorer.open_folder(folder)
    longest_s = 0.0
    while len(painted) < 2 and since_start_s() < PATIENCE_S:
        before = time.perf_counter()
        application.processEvents()
        longest_s = max(longest_s, time.perf_counter() - before)
        time.sleep(0.001)
    moments["both maps"] = since_start_s()
    moments["both maps, processor"] = time.process_time()
    methods = {name: one.method for name, one in explorer.projections.items()}
    explorer.jobs.cancel_all()
    return moments | {"longest wait of the GUI": longest_s, "peak MB": peak_mb(), "methods": methods}  # type: ignore[dict-item]


def _noter(dock, name, painted):  # type: ignore[no-untyped-def]
    def on_draw(_):  # type: ignore[no-untyped-def]
        if len(dock.panels[name].scatter.picture.coordinates):
            painted.add(name)

    return on_draw


if __name__ == "__main__":
    print(json.dumps(main(Path(sys.argv[1]), sys.argv[2])), flush=True)
    sys.stdout.flush()
    import os

    os._exit(0)
