"""The hearts at both ends of a path, left and right of the one that the probe is at.

The hard idea: they are there while the probe is on the path, and a drag, an undo or another tool may take it off and on
again within one event. So what is to be seen is looked up only when Qt is back in its loop, and compared with what is
seen; then one layer is made or given other data at a time, and between two of them the window lives. Layers are made
once. One that the user removed stays away until another path is chosen.
"""

from collections.abc import Callable
from functools import partial
from typing import Any
from weakref import ref

import numpy as np
from napari.components import ViewerModel
from napari.layers import Image, Labels, Layer
from qtpy.QtCore import QObject, QTimer

from napari_latent_explorer._napari.borrowed_view import BorrowedView
from napari_latent_explorer._napari.class_colors import label_colormap, label_table
from napari_latent_explorer._napari.group_places import CHARACTER_PX
from napari_latent_explorer._napari.layers import (
    AXIS_LABELS,
    GAP_MM,
    LABELS_OPACITY,
    RECONSTRUCTION,
    UNITS,
    HeartLayers,
)
from napari_latent_explorer.data.cine import LA_4CH_CLASSES
from napari_latent_explorer.modeling.preprocessing_spec import STANDARD
from napari_latent_explorer.session.decode_service import MODEL_SPACING_MM, DecodeOutcome
from napari_latent_explorer.session.explorer import Explorer
from napari_latent_explorer.session.path import EndPlace, ProbePath
from napari_latent_explorer.session.path_survey import PathFilm, PathSurvey

START, END = "path start", "path end"
LABELS = " labels"
"""After the name of the heart that they lie over."""


class PathLayers(QObject):
    """Shows the ends of an explorer's path in a viewer.

    Parameters
    ----------
    viewer
        Where; held weakly.
    explorer
        The session.
    survey
        Has the hearts.
    hearts
        The probe's, between which and the window's edges these are.
    """

    def __init__(self, viewer: ViewerModel, explorer: Explorer, survey: PathSurvey, hearts: HeartLayers) -> None:
        super().__init__()
        self._viewer = ref(viewer)
        self._explorer, self._survey, self._hearts = explorer, survey, hearts
        self._layers: dict[str, Layer] = {}
        self._unwanted: set[str] = set()
        self._ends: object = None
        self._shown: tuple[PathFilm, float, float] | None = None
        self._view = BorrowedView()
        self._steps: list[Callable[[], None]] = []
        self._is_stale = False
        self._timer = QTimer(self)
        self._timer.timeout.connect(self._on_timer)
        for signal in (
            survey.changed,
            explorer.path_changed,
            explorer.side_by_side_changed,
            explorer.study_changed,
            explorer.probe.vector_changed,
            explorer.probe.origin_changed,
            hearts.originals.changed,
        ):
            signal.connect(self.synchronize)
        hearts.rr_interval_changed.connect(self._on_rr_interval_changed)
        viewer.layers.events.removed.connect(self._on_layer_removed)

    @property
    def is_busy(self) -> bool:
        """Whether layers have yet to be given what they are to show."""
        return bool(self._timer.isActive())

    def layer(self, name: str) -> Layer | None:
        """One of our layers, while it is in the viewer."""
        return self._layers.get(name)

    def synchronize(self, *_: object) -> None:
        """Look, as soon as Qt is back in its loop, whether something else is to be seen."""
        self._is_stale = True
        self._timer.start(0)

    def close(self) -> None:
        """Stop for good."""
        self._timer.stop()

    def _on_timer(self) -> None:
        if self._is_stale:
            self._is_stale = False
            self._plan()
        elif self._steps:
            self._steps.pop(0)()
        else:
            self._timer.stop()

    def _on_layer_removed(self, event: Any) -> None:
        for name, layer in list(self._layers.items()):
            if layer is event.value:
                del self._layers[name]
                self._unwanted.add(name)

    def _on_rr_interval_changed(self, rr_interval_ms: float) -> None:
        for layer in self._layers.values():
            layer.scale = (rr_interval_ms / layer.data.shape[0], *layer.scale[1:])

    # ---- what is to be seen

    def _plan(self) -> None:
        explorer, film, path = self._explorer, self._survey.film, self._explorer.probe_path
        if explorer.path.ends != self._ends:
            self._ends = explorer.path.ends
            self._unwanted.clear()
        is_on_path = explorer.path_share is not None and not explorer.side_by_side.names
        if film is None or path is None or not is_on_path or film.outcomes[0].result.cine is None:
            if self._shown is not None:
                self._shown = None
                self._steps = [self._leave]
            return
        shown = (film, *self._edges_mm())
        has_other_places = self._shown is None or shown[1:] != self._shown[1:]
        if has_other_places or self._shown is None or film is not self._shown[0]:
            self._steps = self._steps_to(film, path, shown[1], shown[2], has_other_places)
            self._shown = shown

    def _edges_mm(self) -> tuple[float, float]:
        """Leftmost and rightmost column of the heart between and of what else is seen, in mm."""
        viewer, between = self._viewer(), self._hearts.layer(RECONSTRUCTION)
        ours = list(self._layers.values())
        layers = [
            one
            for one in (viewer.layers if viewer is not None else ())
            if one is between or (one.visible and one.ndim >= len(AXIS_LABELS) and not any(one is own for own in ours))
        ]
        columns = [one.extent.world[:, -1] for one in layers]
        if not columns:
            return 0.0, 0.0
        return float(min(ends[0] for ends in columns)), float(max(ends[1] for ends in columns))

    def _steps_to(
        self, film: PathFilm, path: ProbePath, left_mm: float, right_mm: float, is_to_fit: bool
    ) -> list[Callable[[], None]]:
        side_mm = self._spacing_mm()
        width_mm = film.outcomes[0].result.cine.shape[-1] * side_mm if film.outcomes[0].result.cine is not None else 0.0
        columns_mm = {START: left_mm - GAP_MM - width_mm, END: right_mm + GAP_MM}
        steps: list[Callable[[], None]] = []
        for name, end, outcome in ((START, path.start, film.outcomes[0]), (END, path.end, film.outcomes[-1])):
            corner_mm = (0.0, columns_mm[name])
            steps.append(partial(self._show_heart, name, outcome, corner_mm))
            if outcome.result.labels is not None:
                steps.append(partial(self._show_labels, f"{name}{LABELS}", outcome, corner_mm))
            steps.append(partial(self._write, name, end, outcome, corner_mm))
        if is_to_fit:
            steps.append(partial(self._fit, columns_mm[START], columns_mm[END] + width_mm))
        return steps

    def _spacing_mm(self) -> float:
        bundle = self._explorer.bundle
        return (STANDARD if bundle is None else bundle.input_spec).mri.spacing_mm or MODEL_SPACING_MM

    # ---- layers, one step each

    def _show_heart(self, name: str, outcome: DecodeOutcome, corner_mm: tuple[float, float]) -> None:
        reconstruction = self._hearts.layer(RECONSTRUCTION)
        attributes: dict[str, Any] = {"colormap": "gray"}
        if reconstruction is not None:  # one grey scale for all
            attributes |= {"contrast_limits": reconstruction.contrast_limits}
        self._show(name, Image, np.asarray(outcome.result.cine), corner_mm, attributes)

    def _show_labels(self, name: str, outcome: DecodeOutcome, corner_mm: tuple[float, float]) -> None:
        names = getattr(self._explorer.bundle, "label_names", LA_4CH_CLASSES)
        look = {"colormap": label_colormap(names), "features": label_table(names), "opacity": LABELS_OPACITY}
        self._show(name, Labels, np.asarray(outcome.result.labels), corner_mm, look)

    def _show(
        self, name: str, kind: type[Layer], frames: Any, corner_mm: tuple[float, float], look: dict[str, Any]
    ) -> None:
        """Give a layer these frames ``(n_frames, n_rows, n_columns)``; it is made if need be."""
        viewer, layer, side_mm = self._viewer(), self._layers.get(name), self._spacing_mm()
        if viewer is None or name in self._unwanted:
            return
        scale = (self._hearts.rr_interval_ms / len(frames), side_mm, side_mm)
        if layer is None:
            place = {"scale": scale, "translate": (0.0, *corner_mm), "units": UNITS, "axis_labels": AXIS_LABELS}
            active = viewer.layers.selection.active
            self._layers[name] = kind(frames, name=name, **place, **look)
            viewer.layers.append(self._layers[name])
            viewer.layers.selection.active = active
            self._hearts.captions.bring_to_front()
            return
        layer.data = frames
        layer.scale, layer.translate = scale, (0.0, *corner_mm)
        layer.visible = True
        if "contrast_limits" in look:
            layer.contrast_limits = look["contrast_limits"]

    def _write(self, name: str, end: EndPlace, outcome: DecodeOutcome, corner_mm: tuple[float, float]) -> None:
        if name in self._unwanted:
            return
        measures = outcome.measures
        mass = f"LV mass {measures.mass_g:.0f} g" if measures is not None and measures.mass_g > 0 else ""
        self._hearts.captions.set(name, (end.title, mass), end.color, corner_mm)

    def _fit(self, left_mm: float, right_mm: float) -> None:
        """Fit all hearts into view; while they stay in their places the view is the user's."""
        viewer, layer = self._viewer(), self._layers.get(START)
        if viewer is None or layer is None or viewer.dims.ndisplay != 2:
            return
        height_mm, width_mm = (n * self._spacing_mm() for n in layer.data.shape[1:])
        px_per_mm = self._view.fit(viewer, (height_mm, right_mm - left_mm), left_mm)
        self._hearts.captions.limit(max(8, int((width_mm + GAP_MM) * px_per_mm / CHARACTER_PX)))

    def _leave(self) -> None:
        viewer = self._viewer()
        for layer in self._layers.values():
            layer.visible = False
        for name in (START, END):
            self._hearts.captions.set(name, (), None, (0.0, 0.0))
        self._hearts.captions.limit()
        if viewer is not None:
            self._view.give_back(viewer)
