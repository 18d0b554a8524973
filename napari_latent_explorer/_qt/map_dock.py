"""The maps of the cohort, MRI, ECG and by choice of both together, linked by the session's selection.

Whatever is drawn on one map (lasso, rectangle, click) becomes a call to the session; all maps then redraw from its
`ViewState`. Only visible participants can be picked.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from qtpy.QtCore import Qt
from qtpy.QtGui import QResizeEvent
from qtpy.QtWidgets import QHBoxLayout, QLabel, QSplitter, QVBoxLayout, QWidget

from napari_latent_explorer._qt.figure import Figure
from napari_latent_explorer._qt.figure_menu import QtFigureMenu, offer_figure
from napari_latent_explorer._qt.hover_card import QtHoverCard
from napari_latent_explorer._qt.legend import QtLegend
from napari_latent_explorer._qt.listening import listen, listen_while_seen
from napari_latent_explorer._qt.map_figure import ShownMap, map_figure
from napari_latent_explorer._qt.map_tools import QtMapTools
from napari_latent_explorer._qt.map_words import explain, full_title, map_title, trust_line
from napari_latent_explorer._qt.scatter_panel import QtScatterPanel
from napari_latent_explorer._qt.selection_bar import QtSelectionBar
from napari_latent_explorer._qt.theme import DARK, Theme, small_font
from napari_latent_explorer._vispy.picture import ScatterPicture
from napari_latent_explorer._vispy.scatter import PickMode, Tool
from napari_latent_explorer.analysis.map_space import JOINT
from napari_latent_explorer.analysis.projection import Projection
from napari_latent_explorer.data.cohort import Cohort
from napari_latent_explorer.errors import LatentExplorerError
from napari_latent_explorer.session.explorer import Explorer
from napari_latent_explorer.session.filters import MapFilter
from napari_latent_explorer.session.map_jobs import fit_job_name
from napari_latent_explorer.session.probe_places import ProbePlaces

FIRST_MAPS = ("mri", "ecg")
"""Maps that are shown from the beginning."""
NO_MAP = "No maps yet. Open a study whose recordings were encoded by a model; its maps appear here."


@dataclass(frozen=True, slots=True, eq=False)
class _Map:
    """A projection, the cohort's row of each of its points ``(n_points,)``, and whether those are all in order."""

    projection: Projection
    rows: NDArray[np.intp]
    is_cohort: bool

    def of(self, values: NDArray[Any]) -> NDArray[Any]:
        """Values of its points; the very same array where it has everybody in the cohort's order."""
        return values if self.is_cohort else values.take(self.rows, axis=0)


class QtMapDock(QWidget):
    """Tools, legend, maps side by side (or one above the other), and what to do with the selection.

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
        self._theme: Theme = DARK
        self._tool: Tool = "lasso"
        self._is_joint_shown = False
        self.panels: dict[str, QtScatterPanel] = {}
        self._tools = QtMapTools(explorer, self)
        self._card = QtHoverCard(explorer, self)
        self._legend = QtLegend(self)
        self._empty = QLabel(NO_MAP, self)
        self._empty.setWordWrap(True)
        self._trust = QLabel(self)
        self._trust.setTextFormat(Qt.TextFormat.PlainText)
        self._trust.setWordWrap(True)
        self._trust.setFont(small_font(self))
        self._places = ProbePlaces(explorer)
        self._build_layout()
        for name in FIRST_MAPS:
            self._add_panel(name)
        self._tools.set_save_menu(QtFigureMenu(explorer, lambda _: self.figure(), self))
        offer_figure(self, explorer, lambda _: self.figure())
        self._tools.tool_chosen.connect(self._on_tool_chosen)
        self._tools.show_all_requested.connect(self.show_all)
        self._tools.joint_toggled.connect(self.show_joint)
        self._tools.kinds.activated.connect(self._fit_missing_maps)
        listen(self, explorer.projections_changed, self._on_projections_changed)
        listen(self, explorer.jobs.started, self._describe)
        listen(self, explorer.jobs.ended, self._describe)
        self._places.changed.connect(self._place_probe)
        listen(self, explorer.view_state_changed, self.synchronize)
        listen_while_seen(self, explorer.pace.due_in_turn, self._place_probe)
        listen(self, explorer.probe.origin_changed, self._place_probe)
        self._on_projections_changed()

    def _build_layout(self) -> None:
        self._splitter = QSplitter(Qt.Orientation.Horizontal, self)
        self._splitter.setChildrenCollapsible(False)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(8, 6, 8, 6)
        layout.setSpacing(6)
        layout.addWidget(self._tools)
        inset = QHBoxLayout()
        inset.setContentsMargins(5, 0, 5, 0)
        inset.addWidget(self._legend)
        layout.addLayout(inset)
        layout.addWidget(self._trust)
        layout.addWidget(self._empty)
        layout.addWidget(self._splitter, 1)
        self._selection_bar = QtSelectionBar(self._explorer, self)
        layout.addWidget(self._selection_bar)

    def _add_panel(self, name: str) -> QtScatterPanel:
        panel = self.panels[name] = QtScatterPanel(map_title(name), self)
        self._splitter.addWidget(panel)
        panel.polygon_drawn.connect(self._drawer_on(name))
        panel.hovered.connect(self._hoverer_on(name))
        panel.clicked.connect(self._clicker_on(name))
        panel.set_theme(self._theme)
        panel.set_tool(self._tool)
        return panel

    def set_theme(self, theme: Theme) -> None:
        """Redraw in other colours."""
        self._theme = theme
        self._tools.set_theme(theme)
        self._legend.set_theme(theme)
        self._trust.setStyleSheet(f"color: {theme.muted};")
        self._card.set_theme(theme)
        for panel in self.panels.values():
            panel.set_theme(theme)

    def show_joint(self, is_shown: bool) -> None:
        """Show a third map, of both modalities together, or take it away; it is laid out when there is none yet."""
        if is_shown and JOINT not in self.panels:
            self._add_panel(JOINT)
        self._is_joint_shown = is_shown
        self._fit_missing_maps()
        self._on_projections_changed()
        self._share_space()

    def show_all(self) -> None:
        """Bring all points of both maps into view."""
        for panel in self.panels.values():
            panel.show_all()

    def figure(self) -> Figure:
        """Make a figure of the maps as they are now; LatentExplorerError when there are none."""
        panels = {modality: self.panels[modality] for modality in self._maps if self.panels[modality].isVisibleTo(self)}
        if not panels:
            raise LatentExplorerError("There is no map that a figure could be made of. Open a study that was encoded.")
        shown = [
            ShownMap(
                panel.title, panel.scatter.picture, panel.scatter.view_rect, _made_how(self._maps[modality].projection)
            )
            for modality, panel in panels.items()
        ]
        return map_figure(shown, self._explorer.view_state)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Put the maps above each other where the dock is much higher than wide."""
        super().resizeEvent(event)
        is_tall = self.height() > 1.25 * self.width()
        wanted = Qt.Orientation.Vertical if is_tall else Qt.Orientation.Horizontal
        if self._splitter.orientation() != wanted:
            self._splitter.setOrientation(wanted)
            self._share_space()

    def _share_space(self) -> None:
        self._splitter.setSizes([1000] * self._splitter.count())

    def _fit_missing_maps(self, *_: object) -> None:
        names = list(self._explorer.latents)
        self._explorer.fit_missing_maps([*names, JOINT] if self._is_joint_shown and len(names) > 1 else names)

    def _on_projections_changed(self) -> None:
        cohort, before = self._explorer.cohort, self._maps
        self._maps = {}
        for name, projection in self._explorer.projections.items() if cohort is not None else ():
            known = before.get(name)
            if known is not None and known.projection is projection:
                self._maps[name] = known
            elif cohort is not None and name in self.panels and (name != JOINT or self._is_joint_shown):
                self._maps[name] = _map_of(projection, cohort)
        if not self._is_joint_shown:
            self._maps.pop(JOINT, None)
        for name, panel in self.panels.items():
            panel.setVisible(name in self._maps or (name in FIRST_MAPS and not self._maps))
        self._empty.setVisible(not self._maps)
        self._describe()
        self.synchronize()
        for name, drawn in self._maps.items():
            if drawn is not before.get(name):
                self.panels[name].show_all()

    def _describe(self, *_: object) -> None:
        """Say what the maps are and how to read them; which of them are being laid out can change at any time."""
        wanted = self._explorer.map_kind
        running = {job.name for job in self._explorer.jobs.running}
        for name, drawn in self._maps.items():
            title = full_title(drawn.projection, wanted, fit_job_name(name, wanted) in running)
            self.panels[name].set_title(title, explain(drawn.projection))
        shown = {name: drawn.projection for name, drawn in self._maps.items()}
        self._trust.setText(trust_line(shown))
        self._trust.setVisible(bool(self._trust.text()))
        words = "\n\n".join(f"{map_title(name)}: {explain(one)}" for name, one in shown.items())
        self._trust.setToolTip(words)
        self._tools.set_explanation(words)

    def synchronize(self) -> None:
        """Redraw both maps and the legend from the session's view state."""
        state = self._explorer.view_state
        self._legend.set_legend(state.legend)
        for modality, drawn in self._maps.items():
            if len(state.rgba) > drawn.rows.max(initial=-1):
                rgba, visible, selected = map(drawn.of, (state.rgba, state.visible_mask, state.selected_mask))
                place = self._places.on(modality)
                picture = ScatterPicture(drawn.projection.coordinates, rgba, visible, selected, place)
                self.panels[modality].draw(picture)

    def _place_probe(self) -> None:
        for modality in self._maps:
            self.panels[modality].move_probe(self._places.on(modality))

    def _on_tool_chosen(self, tool: Tool) -> None:
        self._tool = tool
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
                    self._explorer.probe_participant(participant_id, None if modality == JOINT else modality)
                    self._explorer.show_participant(participant_id)

        return on_clicked

    def _hoverer_on(self, modality: str) -> Callable[[int | None], None]:
        def on_hovered(row: int | None) -> None:
            if row is None:
                self._card.leave()
            else:
                self._card.point_at(self._explorer.participant_at(modality, row), modality)

        return on_hovered


def _map_of(projection: Projection, cohort: Cohort) -> _Map:
    rows = cohort.rows_of(projection.participant_ids)
    return _Map(projection, rows, np.array_equal(rows, np.arange(len(cohort))))


def _made_how(projection: Projection) -> str:
    """Say how a map was made, for who finds its picture."""
    parameters = ", ".join(f"{name} {value}" for name, value in projection.parameters.items())
    return f"{projection.name}, {projection.method}, fingerprint {projection.fingerprint}; {parameters}"
