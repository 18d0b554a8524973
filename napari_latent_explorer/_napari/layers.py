"""The beating hearts as layers: what is decoded now, and beside it the recording that it came from.

Layers are made once and then only given new data: adding and removing one takes ten times as long as replacing its
data. A layer that the user removed stays away until another study is opened. Both hearts lie in one space, millimetres
by milliseconds: the original to the left, one field of view and a gap away, and both take one heart cycle, so that the
time slider steps them together.
"""

from collections.abc import Mapping
from contextlib import ExitStack
from typing import Any
from weakref import WeakKeyDictionary, ref

import numpy as np
from napari.components import ViewerModel
from napari.layers import Image, Labels, Layer
from numpy.typing import NDArray
from psygnal import Signal

from napari_latent_explorer._napari.captions import Captions
from napari_latent_explorer._napari.class_colors import label_colormap, label_table
from napari_latent_explorer._napari.group_places import place_groups
from napari_latent_explorer.data.cine import LA_4CH_CLASSES, CineMRI
from napari_latent_explorer.modeling.preprocessing_spec import STANDARD, CineSpec, PreprocessingSpec
from napari_latent_explorer.session.decode_service import MODEL_SPACING_MM, DecodeOutcome
from napari_latent_explorer.session.explorer import Explorer
from napari_latent_explorer.session.originals import Original, Originals

RECONSTRUCTION, RECONSTRUCTION_LABELS = "reconstruction", "reconstruction labels"
ORIGINAL, ORIGINAL_LABELS = "original", "original labels"
AXIS_LABELS, UNITS = ("time", "row", "column"), ("ms", "mm", "mm")
GAP_MM = 10.0
GROUP = "group"
"""Key in the metadata of layers of groups side by side."""
MARGIN = 0.12
"""Of the canvas around the hearts when they first appear; the captions need some of it."""
CAPTION_LINES = 4
LABELS_OPACITY = 0.4
CONTRAST_PERCENTILES = (0.5, 99.7)
DEFAULT_RR_MS = 1000.0


class HeartLayers:
    """Shows decoded outcomes and originals of an explorer in a viewer.

    Parameters
    ----------
    viewer
        Where; held weakly.
    explorer
        The session.
    """

    rr_interval_changed = Signal(float, description="Length of the heart cycle that is shown, in ms.")

    def __init__(self, viewer: ViewerModel, explorer: Explorer) -> None:
        self._viewer = ref(viewer)
        self._explorer = explorer
        self.originals = Originals(explorer)
        self.captions = Captions(viewer)
        self._layers: dict[str, Layer] = {}
        self._unwanted: set[str] = set()
        self._untold: WeakKeyDictionary[Layer, tuple[str, ...]] = WeakKeyDictionary()
        self._has_shown: set[str] = set()
        self._rr_interval_ms = DEFAULT_RR_MS
        self._keeps_contrast = False
        self._made_room: dict[str, bool] | None = None
        self._stale: set[str] = set()
        explorer.decode.decoded.connect(self._on_decoded)
        explorer.pace.rested.connect(self._tell_late)
        explorer.study_changed.connect(self._on_study_changed)
        explorer.bundle_changed.connect(self._hide_stale)
        explorer.probe.origin_changed.connect(self._on_origin_changed)
        self.originals.changed.connect(self._on_originals_changed)
        viewer.layers.events.removed.connect(self._on_layer_removed)

    @property
    def rr_interval_ms(self) -> float:
        """Length of the heart cycle that is shown."""
        return self._rr_interval_ms

    def layer(self, name: str) -> Layer | None:
        """One of our layers, while it is in the viewer."""
        return self._layers.get(name)

    def __contains__(self, layer: object) -> bool:
        return any(layer is own for own in self._layers.values())

    def make_room(self, rr_interval_ms: float) -> None:
        """Hide these hearts, now and as they come, for others that beat in `rr_interval_ms`, until `come_back`."""
        if self._made_room is None:
            self._made_room = {name: layer.visible for name, layer in self._layers.items()}
            for layer in self._layers.values():
                layer.visible = False
        self._set_rr_interval(rr_interval_ms)

    def come_back(self) -> None:
        """Show these hearts again as they were."""
        if self._made_room is not None:
            was_visible, self._made_room = self._made_room, None
            for name, layer in self._layers.items():
                layer.visible = was_visible.get(name, True)
            self._follow_heart_rate()

    # ---- what comes from the session

    def _on_study_changed(self) -> None:
        self._unwanted.clear()
        self.captions.wanted_again()
        self._keeps_contrast = False
        self._hide_stale()

    def _hide_stale(self) -> None:
        """Hide the heart of another study or model until one of these is there, which without a model never comes."""
        seen = self._made_room or {name: layer.visible for name, layer in self._layers.items()}
        for name in (RECONSTRUCTION, RECONSTRUCTION_LABELS):
            if seen.get(name, False):
                self._stale.add(name)
                self._set_visible(name, False)
        self.captions.set(RECONSTRUCTION, (), None, (0.0, 0.0))

    def _on_layer_removed(self, event: Any) -> None:
        for name, layer in list(self._layers.items()):
            if layer is event.value:
                del self._layers[name]
                self._unwanted.add(name)

    def _on_origin_changed(self) -> None:
        if self.originals.current is None:
            self._follow_heart_rate()

    def _follow_heart_rate(self) -> None:
        """Take the heart rate of whoever the probe began at, so that their heart beats as fast as they do."""
        if self._made_room is None:
            original = self.originals.current
            cine = original.cine if original is not None else None
            self._set_rr_interval(self._rr_of_origin() if cine is None else cine.rr_interval_ms)

    def _rr_of_origin(self) -> float:
        explorer, cohort = self._explorer, self._explorer.cohort
        if cohort is None or "heart_rate" not in cohort.specs:
            return DEFAULT_RR_MS
        rates = cohort.values("heart_rate")
        group = explorer.active_group
        if group is not None and explorer.probe.label.startswith(group.name):
            rates = rates[cohort.rows_of(group.participant_ids.tolist())]
        mean = float(np.nanmean(rates)) if np.isfinite(rates).any() else 60.0
        return 60_000.0 / mean

    def _set_rr_interval(self, rr_interval_ms: float) -> None:
        if rr_interval_ms == self._rr_interval_ms:
            return
        self._rr_interval_ms = rr_interval_ms
        for layer in self._layers.values():
            if layer.ndim == len(AXIS_LABELS):
                layer.scale = (rr_interval_ms / layer.data.shape[0], *layer.scale[1:])
        self.rr_interval_changed.emit(rr_interval_ms)

    @property
    def _input_spec(self) -> PreprocessingSpec:
        """What the model in use takes and gives."""
        return STANDARD if self._explorer.bundle is None else self._explorer.bundle.input_spec

    def _on_decoded(self, outcome: DecodeOutcome) -> None:
        result = outcome.result
        if result.cine is None:  # from a bundle without MRI
            return
        side_mm = self._input_spec.mri.spacing_mm or MODEL_SPACING_MM
        spacing_mm = (side_mm, side_mm)
        self._show_cine(RECONSTRUCTION, np.asarray(result.cine), spacing_mm, (0.0, 0.0), self._keeps_contrast)
        self._keeps_contrast = True
        if result.labels is not None:
            names = getattr(self._explorer.bundle, "label_names", LA_4CH_CLASSES)
            self._show_labels(RECONSTRUCTION_LABELS, np.asarray(result.labels), names, spacing_mm, (0.0, 0.0))
        while self._stale:
            self._set_visible(self._stale.pop(), True)
        probe = self._explorer.probe
        # new words take napari 50 ms: a drag along a path has no time for them
        moves = probe.moves_text if self._explorer.path_share is None else ""
        title = "Change in SD" if self._explorer.change.has_difference else "Reconstruction"
        lines = (title, *probe.label.split(", "), moves)
        self.captions.set(RECONSTRUCTION, lines, self._group_color(), (0.0, 0.0))
        self._look_at(RECONSTRUCTION)

    def _on_originals_changed(self, original: Original | None) -> None:
        cine = original.cine if original is not None else None
        for name in (ORIGINAL, ORIGINAL_LABELS):
            self._set_visible(name, cine is not None)
        self._follow_heart_rate()
        if original is None or cine is None:
            self.captions.set(ORIGINAL, (), None, (0.0, 0.0))
            return
        shown, n_slices = cine.frames.shape[1] // 2, cine.frames.shape[1]
        spacing_mm = cine.spacing_mm[1:]
        corner_mm = _left_of_reconstruction(cine, self._input_spec.mri)
        self._show_cine(ORIGINAL, cine.frames[:, shown], spacing_mm, corner_mm, keeps_contrast=False)
        if original.labels is not None:
            self._show_labels(
                ORIGINAL_LABELS, original.labels.frames[:, shown], original.labels.names, spacing_mm, corner_mm
            )
        else:
            self._set_visible(ORIGINAL_LABELS, False)
        of_stack = f"slice {shown + 1} of {n_slices}" if n_slices > 1 else ""
        self.captions.set(ORIGINAL, ("Original", original.label, of_stack), None, corner_mm)
        self._look_at(ORIGINAL)

    # ---- layers

    def _show_cine(
        self,
        name: str,
        frames: NDArray[Any],
        spacing_mm: tuple[float, float],
        corner_mm: tuple[float, float],
        keeps_contrast: bool,
    ) -> None:
        """Give the Image layer `name` these frames ``(n_frames, n_rows, n_columns)``."""
        geometry = self._geometry(frames, spacing_mm, corner_mm)
        layer = self._layers.get(name)
        if layer is not None and keeps_contrast:
            self._replace_decoded(layer, frames, geometry)
            return
        limits = tuple(np.percentile(frames, CONTRAST_PERCENTILES).tolist())
        if layer is None:
            self._add(name, Image(frames, name=name, colormap="gray", contrast_limits=limits, **geometry))
            return
        replace_data(layer, frames, geometry)
        if limits[0] < limits[1]:
            layer.contrast_limits_range = (float(frames.min()), float(frames.max()))
            layer.contrast_limits = limits

    def _show_labels(
        self,
        name: str,
        frames: NDArray[Any],
        names: Mapping[int, str],
        spacing_mm: tuple[float, float],
        corner_mm: tuple[float, float],
    ) -> None:
        """Give the Labels layer `name` these frames ``(n_frames, n_rows, n_columns)``."""
        geometry = self._geometry(frames, spacing_mm, corner_mm)
        layer = self._layers.get(name)
        if layer is None:
            colormap, features = label_colormap(names), label_table(names)
            made = Labels(frames, name=name, colormap=colormap, features=features, opacity=LABELS_OPACITY, **geometry)
            self._add(name, made)
        elif name == ORIGINAL_LABELS:
            replace_data(layer, frames, geometry)
            self._set_visible(name, True)
        else:
            self._replace_decoded(layer, frames, geometry)

    def _replace_decoded(self, layer: Layer, frames: NDArray[Any], geometry: Mapping[str, Any]) -> None:
        """Give a layer other frames; what takes napari long, and can wait, is told when the probe rests.

        That is the thumbnail, for which the list of layers paints the window anew, and of labels that there are others,
        for which napari makes a new shader.
        """
        late = ("thumbnail", "data", "features") if isinstance(layer, Labels) else ("thumbnail",)
        with ExitStack() as quiet:
            for name in late:
                quiet.enter_context(layer.events[name].blocker())
            replace_data(layer, frames, geometry)
        self._untold[layer] = late
        if self._explorer.pace.is_resting:
            self._tell_late()

    def _tell_late(self) -> None:
        while self._untold:
            layer, late = self._untold.popitem()
            for name in late:
                layer.events[name](value=getattr(layer, name))

    def _geometry(
        self, frames: NDArray[Any], spacing_mm: tuple[float, float], corner_mm: tuple[float, float]
    ) -> dict[str, Any]:
        return {
            "scale": (self._rr_interval_ms / len(frames), *spacing_mm),
            "translate": (0.0, *corner_mm),
            "units": UNITS,
            "axis_labels": AXIS_LABELS,
        }

    def _add(self, name: str, layer: Layer) -> None:
        viewer = self._viewer()
        if viewer is not None and name not in self._unwanted:
            layer.visible = self._made_room is None
            self._layers[name] = layer
            viewer.layers.append(layer)
            self.captions.bring_to_front()
            viewer.layers.selection.active = self._layers.get(RECONSTRUCTION)

    def _set_visible(self, name: str, is_visible: bool) -> None:
        """Show or hide a layer, at once or when these hearts come back."""
        if self._made_room is not None:
            self._made_room[name] = is_visible
        elif name in self._layers:
            self._layers[name].visible = is_visible

    def _look_at(self, name: str) -> None:
        """Fit the hearts into view when one is there for the first time; never again, the view is the user's."""
        viewer = self._viewer()
        if viewer is not None and name in self._layers and name not in self._has_shown and self._made_room is None:
            self._has_shown.add(name)
            self._fit_into_view(viewer)
            if name == RECONSTRUCTION or RECONSTRUCTION not in self._layers:
                viewer.dims.set_current_step(viewer.dims.ndim - len(AXIS_LABELS), 0)

    def _fit_into_view(self, viewer: ViewerModel) -> None:
        """Show what is seen of the hearts, and the words above them, as large as the canvas lets them be."""
        extents = [layer.extent.world[:, -2:] for layer in self._layers.values() if layer.visible]
        low_mm, high_mm = np.min(extents, axis=(0, 1)), np.max(extents, axis=(0, 1))
        size_mm = high_mm - low_mm
        places = place_groups(1, (float(size_mm[0]), float(size_mm[1])), viewer.canvas.size, CAPTION_LINES)
        viewer.reset_view(margin=MARGIN)
        if viewer.dims.ndisplay == 2:
            viewer.scene.camera.center = (0.0, *(low_mm + places.center_mm))
            viewer.scene.camera.zoom = places.px_per_mm

    def _group_color(self) -> tuple[float, ...] | None:
        """Colour of the group whose representative the probe began at; None if it began elsewhere."""
        group, probe = self._explorer.active_group, self._explorer.probe
        if group is None or group.representative is None:
            return None
        return group.color if np.array_equal(group.representative.vector, probe.origin) else None


def replace_data(layer: Layer, frames: NDArray[Any], geometry: Mapping[str, Any]) -> None:
    """Give a layer other data, and another place and size only if they differ."""
    if layer.data is not frames:
        layer.data = frames
    if not np.allclose(layer.scale, geometry["scale"]):
        layer.scale = geometry["scale"]
    if not np.allclose(layer.translate, geometry["translate"]):
        layer.translate = geometry["translate"]


def _left_of_reconstruction(cine: CineMRI, spec: CineSpec) -> tuple[float, float]:
    """Row and column in mm of the original's first pixel: beside the reconstruction, the centres level."""
    _, row_mm, column_mm = cine.spacing_mm
    n_rows, n_columns = cine.frames.shape[2:]
    model_height_mm = spec.n_rows * (spec.spacing_mm or MODEL_SPACING_MM)
    return (model_height_mm - n_rows * row_mm) / 2, -(n_columns * column_mm + GAP_MM)
