"""The main job from beginning to end, done with mouse and keyboard as a user does it, each step photographed.

It opens a study, filters by hypertension, colours by sex, draws a group on each map, reconstructs both, moves one
latent dimension, and reads recordings from outside the study. Nothing here reaches around the panels: what the tour can
do, a user can.
"""

from collections.abc import Callable
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from qtpy.QtCore import QPoint, Qt
from qtpy.QtTest import QTest
from qtpy.QtWidgets import QDockWidget, QWidget

from napari_latent_explorer._napari.explorers import real_viewer, session_of
from napari_latent_explorer._napari.exports import write_movie, write_predictions
from napari_latent_explorer._napari.layers import AXIS_LABELS
from napari_latent_explorer._napari.places import GROUPS, MAPS, PLUGIN, PREDICTIONS, PROBE
from napari_latent_explorer._napari.workspace import open_workspace
from napari_latent_explorer._qt.color_by import QtColorByCombo
from napari_latent_explorer._qt.figure_menu import save_figure
from napari_latent_explorer.errors import LatentExplorerError
from napari_latent_explorer.modeling.sample import sample_bundle_path, sample_study_path
from napari_latent_explorer.session.decode_service import DecodeOutcome

if TYPE_CHECKING:
    import napari

WINDOW_PX = (1920, 1200)
PATIENCE_S = 180.0
SETTLE_MS = 400
N_LASSOED = 60
N_VERTICES = 24
MAX_LOOKED_AT = 2000
LEFT = Qt.MouseButton.LeftButton


def run_tour(
    viewer: "napari.viewer.Viewer",
    folder: Path = Path("tour"),
    study: Path | None = None,
    bundle: Path | None = None,
    cine: Path | None = None,
    ecg: Path | None = None,
) -> list[Path]:
    """Do the main job and write what it shows.

    Parameters
    ----------
    viewer
        A viewer with a window.
    folder
        Where pictures, movie, figures and table go; made if need be.
    study, bundle
        What to explore; by default the sample study with its model.
    cine, ecg
        Recordings from outside the study to encode and reconstruct.

    Returns
    -------
    list of Path
        The files written, in the order of the tour.

    Raises
    ------
    LatentExplorerError
        When a step does not come to its end.
    """
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    tour = _Tour(viewer, folder)
    tour.open(study or sample_study_path(), bundle or sample_bundle_path())
    tour.choose_participants()
    tour.make_group("mri", prefers_men=True)
    tour.make_group("ecg", prefers_men=False)
    tour.move_one_dimension()
    tour.write_files()
    for path in (cine, ecg):
        if path is not None:
            tour.load(Path(path))
    return tour.written


class _Tour:
    """Hands and camera of the tour."""

    def __init__(self, viewer: Any, folder: Path) -> None:
        self._viewer = viewer
        self._folder = folder
        self._session = session_of(viewer)
        self._explorer = self._session.explorer
        self._outcome: DecodeOutcome | None = None
        self._failure: Exception | None = None
        self.written: list[Path] = []
        self._explorer.decode.decoded.connect(self._on_decoded)
        self._explorer.failed.connect(self._on_failed)

    # ---- the steps

    def open(self, study: Path, bundle: Path) -> None:
        """Open the workspace and a study."""
        self._viewer.window.resize(*WINDOW_PX)
        open_workspace(self._viewer).open_folder(study, bundle)
        self._wait_for("the first reconstruction", lambda: self._outcome is not None)
        self._wait_for("the predictors", lambda: self._outcome is not None and self._outcome.predictions is not None)
        self._wait_for("the maps", lambda: not self._explorer.jobs.running)  # one may be laid out under the lasso
        self._photograph("study")

    def choose_participants(self) -> None:
        """Click the bar of those with hypertension, and colour by sex."""
        card = self._panel("Cohort").cards["hypertension"]
        chart = card.chart
        QTest.mouseClick(chart, LEFT, pos=QPoint(*chart.row_center(list(chart.row_labels).index("yes"))))
        self._wait_for("the filter", lambda: len(self._explorer.filters) == 1)
        combo = self._panel("Maps").findChild(QtColorByCombo)
        combo.setCurrentIndex(combo.findData("sex"))
        combo.activated.emit(combo.currentIndex())
        self._photograph("hypertension_by_sex")

    def make_group(self, modality: str, prefers_men: bool) -> None:
        """Draw a lasso on a map, make a group of who is in it, and reconstruct its representative."""
        self._lasso(modality, prefers_men)
        self._photograph(f"lasso_{modality}")
        groups = self._panel(GROUPS)
        n_groups = len(self._explorer.groups)
        QTest.mouseClick(groups.new_group, LEFT)
        self._wait_for("the group", lambda: len(self._explorer.groups) == n_groups + 1)
        QTest.qWait(SETTLE_MS)
        name = f"{'Men' if prefers_men else 'Women'} with hypertension ({modality.upper()} map)"
        edit = groups.cards[self._explorer.groups[-1].name].name
        edit.selectAll()
        QTest.keyClicks(edit, name)
        QTest.keyClick(edit, Qt.Key.Key_Return)
        self._wait_for("the group's name", lambda: self._explorer.groups[-1].name == name)
        QTest.mouseClick(self._panel("Maps").findChild(QWidget, "clearSelection"), LEFT)
        self._raise(GROUPS)
        self._outcome = None
        QTest.mouseClick(groups.reconstruct, LEFT)
        self._wait_for("the original", lambda: self._session.layers.originals.current is not None)
        self._wait_for("the reconstruction", lambda: self._outcome is not None)
        self._photograph(f"group_{modality}")

    def move_one_dimension(self) -> None:
        """Drag the dot of the dimension that varies most, and look at what the model then predicts."""
        self._raise(PROBE)
        panel = self._panel(PROBE).dimensions
        panel.order.setCurrentIndex(panel.order.findData("variance"))
        panel.order.activated.emit(panel.order.currentIndex())
        QTest.qWait(SETTLE_MS)
        dots, probe = panel.dots, self._explorer.probe
        dim = dots.first_dimension
        y = round(dots.y_of(dim))
        start, end = (round(dots.x_of(float(probe.vector[dim]) + step)) for step in (0.0, 2.0 * panel.spread(dim)))
        QTest.mousePress(dots.viewport(), LEFT, pos=QPoint(start, y))
        for x in np.linspace(start, end, 8).astype(int).tolist():
            QTest.mouseMove(dots.viewport(), QPoint(x, y))
            QTest.qWait(60)
        QTest.mouseRelease(dots.viewport(), LEFT, pos=QPoint(end, y))
        self._wait_for("the moved vector", lambda: len(probe.moved_dims) == 1 and self._explorer.decode.is_idle)
        self._photograph("dimension_moved")
        self._raise(PREDICTIONS)
        self._photograph("predictions")

    def write_files(self) -> None:
        """Write movie, figures and table of what is shown."""
        viewer = real_viewer(self._viewer)
        time_axis = viewer.dims.ndim - len(AXIS_LABELS)
        self.written += write_movie(viewer, self._folder, time_axis, self._session.layers.rr_interval_ms)
        for figure in (self._panel("ECG").figure(), self._panel(MAPS).figure()):
            for ending in (".png", ".svg"):
                path = self._folder / f"{figure.name}{ending}"
                job = save_figure(self._explorer, figure, path)
                self._wait_for(f"the figure {path.name}", lambda job=job: not job.is_running)  # type: ignore[misc]
                self.written.append(path)
        if self._outcome is not None and self._outcome.predictions is not None:
            self.written.append(write_predictions(self._outcome.predictions, self._folder / "predictions.csv"))

    def load(self, path: Path) -> None:
        """Encode and reconstruct a recording from outside the study."""
        self._outcome = None
        self._explorer.load_recording(path)
        originals = self._session.layers.originals
        self._wait_for(
            f"the recording {path.name}", lambda: originals.current is not None and originals.current.label == path.name
        )
        self._wait_for("its reconstruction", lambda: self._outcome is not None)
        self._photograph(f"recording_{path.stem}")

    # ---- hands

    def _lasso(self, modality: str, prefers_men: bool) -> None:
        panel = self._panel("Maps").panels[modality]
        polygon = panel.scatter.to_canvas_px(self._circle_around(modality, prefers_men))
        canvas = panel.scatter.native
        places = [QPoint(*point) for point in np.round(polygon).astype(int).tolist()]
        QTest.mousePress(canvas, LEFT, pos=places[0])
        for place in places:
            QTest.mouseMove(canvas, place)
            QTest.qWait(15)
        QTest.mouseRelease(canvas, LEFT, pos=places[-1])
        self._wait_for("the lasso", lambda: len(self._explorer.selection) > 0)

    def _circle_around(self, modality: str, prefers_men: bool) -> NDArray[np.float64]:
        """Vertices ``(n, 2)`` around a place of the map where visible participants of one sex are many and near."""
        explorer = self._explorer
        projection, cohort = explorer.projections[modality], explorer.cohort
        assert cohort is not None
        rows = cohort.rows_of(projection.participant_ids.tolist())
        visible = np.flatnonzero(explorer.view_state.visible_mask[rows])[:MAX_LOOKED_AT]
        points = projection.coordinates[visible].astype(np.float64)
        is_wanted = (cohort.values("sex")[rows[visible]] == 1.0) == prefers_men
        squared = np.square(points[:, None] - points[None]).sum(axis=-1)
        n_near = min(N_LASSOED, len(points))
        near = np.argsort(squared, axis=1)[:, :n_near]
        radius = np.sqrt(np.take_along_axis(squared, near[:, -1:], axis=1)[:, 0])
        purity = is_wanted[near].mean(axis=1)
        best = int(np.lexsort((radius, -np.round(purity, 1)))[0])
        angles = np.linspace(0.0, 2.0 * np.pi, N_VERTICES, endpoint=False)
        vertices: NDArray[np.float64] = points[best] + radius[best] * np.stack([np.cos(angles), np.sin(angles)], axis=1)
        return vertices

    def _panel(self, name: str) -> Any:
        return self._viewer.window.dock_widgets[f"{name} ({PLUGIN})"]

    def _raise(self, name: str) -> None:
        around = self._panel(name)
        while around is not None and not isinstance(around, QDockWidget):
            around = around.parentWidget()
        if around is not None:
            around.raise_()
            QTest.qWait(SETTLE_MS)

    # ---- eyes

    def _on_decoded(self, outcome: DecodeOutcome) -> None:
        self._outcome = outcome

    def _on_failed(self, error: Exception) -> None:
        self._failure = error

    def _wait_for(self, what: str, is_there: Callable[[], bool]) -> None:
        end = monotonic() + PATIENCE_S
        while not is_there():
            if self._failure is not None:
                raise LatentExplorerError(f"The tour ended while it waited for {what}: {self._failure}")
            if monotonic() > end:
                raise LatentExplorerError(f"The tour waited {PATIENCE_S:.0f} s for {what} in vain.")
            QTest.qWait(20)
        QTest.qWait(50)

    def _photograph(self, name: str) -> None:
        QTest.qWait(SETTLE_MS)
        n_pictures = sum(path.suffix == ".png" and path.name[:2].isdigit() for path in self.written)
        path = self._folder / f"{n_pictures + 1:02d}_{name}.png"
        self._viewer.window.screenshot(path=str(path), flash=False)
        self.written.append(path)
