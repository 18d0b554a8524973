"""The heart box as a rectangle in the viewer, to be dragged and resized, with what the model would see of it.

The rectangle lives in the pixels of the cine that it lies on: its layer has that layer's scale and place. What a drag
leaves is rounded to whole pixels and handed to the session, and what the session makes of it is drawn; a rectangle
that was turned or bent comes out as the upright one around it.

The layers are hidden, not removed, when there is no box, and are locked: once a Shapes layer has been removed, the next
one that is added takes napari's canvas down with some drivers (https://github.com/napari/napari/issues/8471).
"""

from typing import Any
from weakref import ref

import numpy as np
from napari.components import ViewerModel
from napari.layers import Layer, Shapes
from numpy.typing import NDArray

from napari_latent_explorer._napari.guest_layers import GuestLayers
from napari_latent_explorer._napari.layers import ORIGINAL, UNITS, HeartLayers
from napari_latent_explorer.data.heart_box import HeartBox
from napari_latent_explorer.session.heart_boxing import HeartBoxing, model_view

BOX, VIEW = "heart box", "model's view"
BOX_COLOR, VIEW_COLOR = "#f2c14e", "#b4f0a7"
EDGE_SHARE = 1.0 / 220.0
"""Width of a line, as a part of the picture's larger side."""
_SETTLED = ("changed", "added", "removed")


class HeartBoxLayers:
    """Draws the session's heart box, and tells it of the user's hand.

    Parameters
    ----------
    viewer
        Where; held weakly.
    boxing
        The box.
    hearts, guests
        Know the layers of participants and of recordings from outside.
    """

    def __init__(self, viewer: ViewerModel, boxing: HeartBoxing, hearts: HeartLayers, guests: GuestLayers) -> None:
        self._viewer = ref(viewer)
        self._boxing = boxing
        self._hearts = hearts
        self._guests = guests
        self._layers: dict[str, Shapes] = {}
        self._is_drawing = False
        boxing.box_changed.connect(self._draw)
        viewer.layers.events.removed.connect(self._on_layer_removed)

    def _on_layer_removed(self, event: Any) -> None:
        if event.value is self._layers.get(BOX) and not self._is_drawing:
            self._layers.pop(BOX)
            self._boxing.forget()
        elif event.value is self._layers.get(VIEW):
            self._layers.pop(VIEW)

    def _draw(self) -> None:
        box, subject, viewer = self._boxing.box, self._boxing.subject, self._viewer()
        if viewer is None or self._is_drawing:
            return
        self._is_drawing = True
        try:
            if box is None or subject is None:
                self._hide()
                return
            base = self._base_layer()
            if base is not None:
                rows_mm, columns_mm = subject.cine.spacing_mm[1:]
                view = model_view(box, (rows_mm, columns_mm), self._boxing.input_spec)
                self._show(viewer, VIEW, corners(*view), base)
                self._show(viewer, BOX, corners(box.row_start, box.column_start, box.n_rows, box.n_columns), base)
        finally:
            self._is_drawing = False

    def _hide(self) -> None:
        for layer in self._layers.values():
            layer.visible = False

    def _base_layer(self) -> Layer | None:
        """Layer of the cine that the box is of; a recording that is not shown as recorded is added so."""
        subject = self._boxing.subject
        if subject is None:
            return None
        if subject.recording is None:
            return self._hearts.layer(ORIGINAL)
        return self._guests.layer_of(subject.recording)

    def _show(self, viewer: ViewerModel, name: str, rectangle: NDArray[np.float64], base: Layer) -> None:
        layer = self._layers.get(name)
        was_shown = layer is not None and layer.visible
        geometry: dict[str, Any] = {
            "scale": base.scale[-2:],
            "translate": base.translate[-2:] + base.affine.translate[-2:],
            "units": UNITS[-2:],
        }
        edge_width = EDGE_SHARE * max(base.data.shape[-2:])
        if layer is None:
            layer = _make_layer(name, rectangle, edge_width, geometry)
            layer.locked = True
            self._layers[name] = layer
            viewer.layers.append(layer)
            if name == BOX:
                layer.events.data.connect(self._on_data)
        layer.scale, layer.translate = geometry["scale"], geometry["translate"]
        if len(layer.data) != 1 or not np.allclose(layer.data[0], rectangle):
            layer.data = [(rectangle, "rectangle")]
            layer.edge_width = edge_width
        if not was_shown:
            layer.visible = True
        if name == VIEW:
            layer.editable = False  # napari forgets it with each new data
            return
        if not was_shown:
            viewer.layers.selection.active = layer
            layer.mode = "select"
        layer.selected_data = {0}

    def _on_data(self, event: Any) -> None:
        """Hear what a finished drag has left."""
        layer = self._layers.get(BOX)
        action = str(getattr(event.action, "value", event.action))
        if layer is None or self._is_drawing or action not in _SETTLED:
            return
        box = self._boxing.box
        if not len(layer.data) or box is None:
            self._boxing.forget()
            return
        drawn = box_of(np.asarray(layer.data[-1]), box)
        self._boxing.move(drawn)
        self._draw()  # the same box again, where the hand has bent it


def corners(row: float, column: float, n_rows: float, n_columns: float) -> NDArray[np.float64]:
    """Corners ``(4, 2)`` of a rectangle around whole pixels, whose centres have whole numbers."""
    top, left, bottom, right = row - 0.5, column - 0.5, row + n_rows - 0.5, column + n_columns - 0.5
    return np.array([[top, left], [top, right], [bottom, right], [bottom, left]])


def box_of(vertices: NDArray[np.float64], former: HeartBox) -> HeartBox:
    """Upright box of whole pixels around what was drawn; at least one pixel, and nothing before the first."""
    low, high = vertices[:, -2:].min(axis=0), vertices[:, -2:].max(axis=0)
    starts = np.maximum(np.round(low + 0.5), 0).astype(int)
    ends = np.maximum(np.round(high - 0.5).astype(int), starts)
    (row, column), (n_rows, n_columns) = starts.tolist(), (ends - starts + 1).tolist()
    return HeartBox(row, column, n_rows, n_columns, former.rule, "by hand")


def _make_layer(name: str, rectangle: NDArray[np.float64], edge_width: float, geometry: dict[str, Any]) -> Shapes:
    return Shapes(
        [rectangle],
        shape_type="rectangle",
        name=name,
        face_color="transparent",
        edge_color=BOX_COLOR if name == BOX else VIEW_COLOR,
        edge_width=edge_width,
        opacity=0.9,
        axis_labels=("row", "column"),
        **geometry,
    )
