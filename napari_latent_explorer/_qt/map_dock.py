"""The two maps of the cohort, MRI and ECG, linked by the session's selection.

Whatever is drawn on one map (lasso, rectangle, click) becomes a call to the session; both maps then redraw from its
`ViewState`. Only visible participants can be picked.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from qtpy.QtCore import Qt
from qtpy.QtGui import QCursor, QResizeEvent
from qtpy.QtWidgets import QHBoxLayout, QLabel, QSplitter, QToolTip, QVBoxLayout, QWidget
from superqt.utils import qthrottled

from napari_latent_explorer._qt.legend import QtLegend
from napari_latent_explorer._qt.listening import listen
from napari_latent_explorer._qt.map_tools import QtMapTools
from napari_latent_explorer._qt.participant_text import describe_participant
from napari_latent_explorer._qt.scatter_panel import QtScatterPanel
from napari_latent_explorer._qt.selection_bar import QtSelectionBar
from napari_latent_explorer._qt.theme import Theme
from napari_latent_explorer._vispy.picture import ScatterPicture
from napari_latent_explorer._vispy.scatter import PickMode, Tool
from napari_latent_explorer.analysis.projection import Projection
from napari_latent_explorer.session.explorer import Explorer
from napari_latent_explorer.session.filters import MapFilter

MODALITIES = {"mri": "MRI map", "ecg": "ECG map"}
NO_MAP = "No maps yet. Open a study whose recordings were encoded by a model; its maps appear here."
TSNE_SAYS = (
    "Neighbours on a t-SNE map have similar latent vectors. Distances between clusters, the sizes of clusters and the "
    "empty space between them mean nothing."
)
PCA_SAYS = "The two directions in which the latent vectors vary most. All other directions are left out."


@dataclass(frozen=True, slots=True, eq=False)
class _Map:
    """A projection and the row of the cohort for each of its points ``(n_points,)``."""

    projection: Projection
    rows: NDArray[np.intp]


class QtMapDock(QWidget):
    """Tools, legend, two maps side by side (or one above the other), and what to do with the selection.

    Parameters
    ----------
    explorer
        The session.
    parent
        Qt parent.
    """

    def __init__(self, explorer: Explorer, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._explorer = explorer
        self._maps: dict[str, _Map] = {}
        self.panels = {modality: QtScatterPanel(title, self) for modality, title in MODALITIES.items()}
        self._tools = QtMapTools(explorer, self)
        self._legend = QtLegend(self)
        self._empty = QLabel(NO_MAP, self)
        self._empty.setWordWrap(True)
        self._build_layout()
        for modality, panel in self.panels.items():
            panel.polygon_drawn.connect(self._drawer_on(modality))
            panel.hovered.connect(self._hoverer_on(modality))
            panel.clicked.connect(self._clicker_on(modality))
        self._tools.tool_chosen.connect(self._on_tool_chosen)
        self._tools.show_all_requested.connect(self.show_all)
        self._place_probe_soon = qthrottled(self._place_probe, timeout=30, leading=True)
        listen(self, explorer.projections_changed, self._on_projections_changed)
        listen(self, explorer.view_state_changed, self.synchronize)
        listen(self, explorer.probe.vector_changed, self._on_probe_changed)
        listen(self, explorer.probe.origin_changed, self._on_probe_changed)
        self._on_projections_changed()

    def _build_layout(self) -> None:
        self._splitter = QSplitter(Qt.Orientation.Horizontal, self)
        self._splitter.setChildrenCollapsible(False)
        for panel in self.panels.values():
            self._splitter.addWidget(panel)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(8, 6, 8, 6)
        layout.setSpacing(6)
        layout.addWidget(self._tools)
        inset = QHBoxLayout()
        inset.setContentsMargins(5, 0, 5, 0)
        inset.addWidget(self._legend)
        layout.addLayout(inset)
        layout.addWidget(self._empty)
        layout.addWidget(self._splitter, 1)
        self._selection_bar = QtSelectionBar(self._explorer, self)
        layout.addWidget(self._selection_bar)

    def set_theme(self, theme: Theme) -> None:
        """Redraw in other colours."""
        self._tools.set_theme(theme)
        self._legend.set_theme(theme)
        for panel in self.panels.values():
            panel.set_theme(theme)

    def show_all(self) -> None:
        """Bring all points of both maps into view."""
        for panel in self.panels.values():
            panel.show_all()

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Put the maps above each other where the dock is much higher than wide."""
        super().resizeEvent(event)
        is_tall = self.height() > 1.25 * self.width()
        wanted = Qt.Orientation.Vertical if is_tall else Qt.Orientation.Horizontal
        if self._splitter.orientation() != wanted:
            self._splitter.setOrientation(wanted)
            self._splitter.setSizes([1000] * len(self.panels))

    def _on_projections_changed(self) -> None:
        cohort = self._explorer.cohort
        self._maps = {}
        for modality, projection in self._explorer.projections.items():
            if cohort is not None and modality in self.panels:
                self._maps[modality] = _Map(projection, cohort.rows_of(projection.participant_ids))
                self._describe(modality, projection)
        for modality, panel in self.panels.items():
            panel.setVisible(modality in self._maps or not self._maps)
        self._empty.setVisible(not self._maps)
        self.synchronize()
        self.show_all()

    def _describe(self, modality: str, projection: Projection) -> None:
        says = TSNE_SAYS if projection.method == "tsne" else PCA_SAYS
        if projection.trust is not None:
            share = float(np.nanmean(projection.trust))
            says += f" Of each participant's nearest latent neighbours, {share:.0%} are nearest here too."
        method = {"tsne": "t-SNE", "pca": "PCA"}.get(projection.method, projection.method)
        self.panels[modality].set_title(f"{MODALITIES[modality]}, {method}", says)
        self._tools.set_explanation(says)

    def synchronize(self) -> None:
        """Redraw both maps and the legend from the session's view state."""
        state = self._explorer.view_state
        self._legend.set_legend(state.legend)
        for modality, drawn in self._maps.items():
            if len(state.rgba) > drawn.rows.max(initial=-1):
                masks = state.visible_mask[drawn.rows], state.selected_mask[drawn.rows]
                place = self._probe_place(modality)
                picture = ScatterPicture(drawn.projection.coordinates, state.rgba[drawn.rows], *masks, place)
                self.panels[modality].draw(picture)

    def _on_probe_changed(self, *_: object) -> None:
        self._place_probe_soon()

    def _place_probe(self) -> None:
        for modality in self._maps:
            self.panels[modality].move_probe(self._probe_place(modality))

    def _probe_place(self, modality: str) -> NDArray[np.float32] | None:
        probe, latents = self._explorer.probe, self._explorer.latents.get(modality)
        if not probe.is_set or latents is None or probe.vector.size != latents.latent_dim:
            return None
        vector = self._explorer.probe_counterparts[modality]
        place: NDArray[np.float32] = self._maps[modality].projection.place(vector[None], latents)[0]
        return place

    def _on_tool_chosen(self, tool: Tool) -> None:
        for panel in self.panels.values():
            panel.set_tool(tool)

    def _drawer_on(self, modality: str) -> Callable[[NDArray[np.float64], PickMode], None]:
        def on_polygon_drawn(polygon: NDArray[np.float64], mode: PickMode) -> None:
            vertices = tuple((float(x), float(y)) for x, y in polygon)
            area = MapFilter(modality, vertices, self._maps[modality].projection.fingerprint)
            self._explorer.select_inside(area, mode)

        return on_polygon_drawn

    def _clicker_on(self, modality: str) -> Callable[[int | None, PickMode], None]:
        def on_clicked(row: int | None, mode: PickMode) -> None:
            if row is None:
                return
            participant_id = self._explorer.participant_at(modality, row)
            with self._explorer.batch():
                self._explorer.select([participant_id], mode)
                if mode == "replace":
                    self._explorer.probe_participant(participant_id, modality)
                    self._explorer.show_participant(participant_id)

        return on_clicked

    def _hoverer_on(self, modality: str) -> Callable[[int | None], None]:
        def on_hovered(row: int | None) -> None:
            cohort = self._explorer.cohort
            if row is None or cohort is None:
                QToolTip.hideText()
                return
            participant_id = self._explorer.participant_at(modality, row)
            text = describe_participant(cohort, participant_id, self._explorer.color_by)
            QToolTip.showText(QCursor.pos(), text, self.panels[modality])

        return on_hovered
