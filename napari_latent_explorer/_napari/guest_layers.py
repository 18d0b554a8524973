"""Recordings from outside the study in the viewer: a cine as layers, an ECG in its dock.

The hard idea is the order of the axes. napari lines layers of different dimension up from the right, and the hearts
are ``(time, row, column)``: so time must be the third axis from the right everywhere, and a stack is ``(slice, time,
row, column)``. Then all layers agree in units, one slider steps every heart, and another goes through the slices.

Rows, columns and slices keep the orientation of the recording, which is oblique in the patient: napari cannot cut
obliquely through images that it shows in two dimensions. A layer is therefore scaled and moved along its own axes, to
its true place along them, so that parallel series lie in register; the full affine is in the layer's metadata. A cine
of another orientation, and any cine beside the hearts, is moved to the right of what is there by the layer's `affine`.
"""

from typing import Any
from weakref import ref

import numpy as np
from napari.components import ViewerModel
from napari.layers import Image, Labels, Layer
from napari.utils.notifications import show_info
from numpy.typing import NDArray

from napari_latent_explorer._napari.class_colors import label_colormap, label_table
from napari_latent_explorer._napari.layers import AXIS_LABELS, GAP_MM, GROUP, LABELS_OPACITY, MARGIN, UNITS, HeartLayers
from napari_latent_explorer._napari.places import ECG, open_dock
from napari_latent_explorer.data.cine import CineMRI
from napari_latent_explorer.session.outside_recordings import OutsideRecording, OutsideRecordings

LayerData = tuple[Any, dict[str, Any], str]
AFFINE = "affine_lps"
"""Key in a layer's metadata of the matrix ``(4, 4)`` from index (slice, row, column, 1) to patient mm."""
_SAME_DIRECTION = 0.01
_LEAST_ORTHOGONAL = 0.01


class GuestLayers:
    """Shows what was opened from outside the study.

    Parameters
    ----------
    viewer
        Where; held weakly.
    outside
        Tells what was opened.
    hearts
        Beside which cines are put.
    """

    def __init__(self, viewer: ViewerModel, outside: OutsideRecordings, hearts: HeartLayers) -> None:
        self._viewer = ref(viewer)
        self._hearts = hearts
        self._layers: dict[OutsideRecording, Layer] = {}
        outside.opened.connect(self._on_opened)
        viewer.layers.events.removed.connect(self._on_layer_removed)

    def layer_of(self, recording: OutsideRecording) -> Layer | None:
        """Image layer of a recording's cine as recorded; it is added where there is none."""
        viewer = self._viewer()
        if viewer is None or recording.cine is None:
            return None
        if recording not in self._layers:
            self._add(viewer, recording, recording.cine)
        return self._layers[recording]

    def _on_layer_removed(self, event: Any) -> None:
        self._layers = {recording: layer for recording, layer in self._layers.items() if layer is not event.value}

    def _on_opened(self, recording: OutsideRecording) -> None:
        viewer = self._viewer()
        if viewer is None:
            return
        if recording.cine is None:
            open_dock(viewer, ECG)
        elif recording.encoded is None:
            self._add(viewer, recording, recording.cine)
        if recording.notes:
            show_info(f"{recording.name}: {' '.join(recording.notes)}")

    def _add(self, viewer: ViewerModel, recording: OutsideRecording, cine: CineMRI) -> None:
        n_dims = viewer.dims.ndim if viewer.layers else 0
        made = [_make_layer(data) for data in layer_data(recording)]
        moved_mm = self._way_beside(viewer, made[0], cine)
        made[0].contrast_limits_range = recording.signal_range
        made[0].contrast_limits = recording.contrast_limits
        for layer in made:
            affine = np.eye(layer.ndim + 1)
            affine[-3:-1, -1] = moved_mm
            layer.affine = affine
            viewer.layers.append(layer)
        if not n_dims:
            viewer.dims.set_current_step(viewer.dims.ndim - len(AXIS_LABELS), 0)
        if viewer.dims.ndim > max(n_dims, len(AXIS_LABELS)):
            viewer.dims.set_current_step(0, viewer.dims.nsteps[0] // 2)
        viewer.reset_view(margin=MARGIN)
        viewer.layers.selection.active = made[0]
        self._layers[recording] = made[0]

    def _way_beside(self, viewer: ViewerModel, layer: Layer, cine: CineMRI) -> NDArray[np.float64]:
        """Rows and columns in mm by which a layer is moved so that it lies over nothing that it does not fit."""
        for other in viewer.layers:
            if AFFINE in other.metadata and _is_parallel(other.metadata[AFFINE], cine.affine):
                beside: NDArray[np.float64] = np.asarray(other.affine.translate[-2:], np.float64)
                return beside
        shown = [other for other in viewer.layers if other.visible and other.ndim >= len(AXIS_LABELS)]
        hearts = [other for other in shown if other in self._hearts or {AFFINE, GROUP} & other.metadata.keys()]
        if not hearts:
            return np.zeros(2)
        corners = np.array([np.asarray(other.extent.world)[:, -2:] for other in hearts])  # (layer, low or high, axis)
        own = np.asarray(layer.extent.world)[:, -2:]
        middle = (corners[:, 0, 0].min() + corners[:, 1, 0].max()) / 2
        return np.array([middle - own[:, 0].mean(), corners[:, 1, 1].max() + GAP_MM - own[0, 1]])


def layer_data(recording: OutsideRecording) -> list[LayerData]:
    """Image of a cine, and Labels where it has a label map, as napari's readers return them."""
    cine = recording.cine
    if cine is None:
        return []
    attributes = geometry(cine)
    about = {
        AFFINE: np.array(cine.affine),
        "imaging_plane": cine.imaging_plane,
        "frame_times_ms": np.array(cine.frame_times_ms),
        "rr_interval_ms": cine.rr_interval_ms,
        "source": cine.source,
        "notes": list(recording.notes),
    }
    name = recording.name if cine.imaging_plane == "unknown" else f"{recording.name}, {cine.imaging_plane}"
    image = {
        "name": name,
        "colormap": "gray",
        "contrast_limits": recording.contrast_limits,
        "rgb": False,
        "metadata": about,
        **attributes,
    }
    made: list[LayerData] = [(_as_shown(cine.frames), image, "image")]
    if recording.labels is not None:
        names = recording.labels.names
        labels = {
            "name": f"{name} labels",
            "colormap": label_colormap(names),
            "features": label_table(names),
            "opacity": LABELS_OPACITY,
            "metadata": dict(about),
            **attributes,
        }
        # a copy: the recording is read-only, labels are there to be painted
        made.append((_as_shown(recording.labels.frames).copy(), labels, "labels"))
    return made


def get_ready() -> None:
    """Make napari load what it needs for its first layer with units, which takes two seconds; on any thread."""
    Image(np.zeros((2, 4, 4), np.uint8), scale=(1.0, 1.0, 1.0), units=UNITS)


def geometry(cine: CineMRI) -> dict[str, Any]:
    """Scale, place, units and axis labels of a cine's layer; `_as_shown` is the data that they go with."""
    frame_ms = cine.rr_interval_ms / len(cine.frame_times_ms)
    slice_mm, *plane_mm = cine.spacing_mm
    slice_at, *plane_at = _place_along_own_axes(cine)
    attributes: dict[str, Any] = {
        "scale": (frame_ms, *plane_mm),
        "translate": (0.0, *plane_at),
        "units": UNITS,
        "axis_labels": AXIS_LABELS,
    }
    if cine.frames.shape[1] > 1:
        for key, first in (("scale", slice_mm), ("translate", slice_at), ("units", "mm"), ("axis_labels", "slice")):
            attributes[key] = (first, *attributes[key])
    return attributes


def _as_shown(frames: NDArray[Any]) -> NDArray[Any]:
    """Turn ``(frame, slice, row, column)`` to (slice, time, row, column), or (time, row, column) of one slice."""
    return frames[:, 0] if frames.shape[1] == 1 else np.swapaxes(frames, 0, 1)


def _place_along_own_axes(cine: CineMRI) -> NDArray[np.float64]:
    """First pixel's centre along slice, row and column directions ``(3,)`` in mm; zeros where those are not square."""
    steps = cine.affine[:3, :3]
    lengths = np.linalg.norm(steps, axis=0)
    if not np.all(np.isfinite(cine.affine)) or not np.all(lengths > 0):
        return np.zeros(3)
    directions = steps / lengths
    if np.abs(directions.T @ directions - np.eye(3)).max() > _LEAST_ORTHOGONAL:
        return np.zeros(3)
    place: NDArray[np.float64] = directions.T @ cine.affine[:3, 3]
    return place


def _is_parallel(one: NDArray[np.float64], other: NDArray[np.float64]) -> bool:
    first, second = (np.asarray(affine)[:3, :3] for affine in (one, other))
    apart = first / np.linalg.norm(first, axis=0) - second / np.linalg.norm(second, axis=0)
    return bool(np.abs(apart).max() < _SAME_DIRECTION)


def _make_layer(made: LayerData) -> Layer:
    data, attributes, kind = made
    return Image(data, **attributes) if kind == "image" else Labels(data, **attributes)
