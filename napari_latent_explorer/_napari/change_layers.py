"""What changed since the probe began, as layers: the signed difference over the heart, and the heart before beside it.

The difference is in standard deviations of the signal as models take it: the cine of each heart has mean 0 and SD 1
over all frames and pixels. So a colour means the same in all hearts, and its limits are fixed. No change is
transparent, more signal orange, less signal blue, which the colour-blind tell apart. Chambers have these hues too, so
while the difference is shown the labels are drawn as outlines.

Layers are made once; each goes and comes with its switch, and whoever removes one turns its switch off. New data waits
until Qt is back in its loop, so that the window lives between the heart's and the difference's.
"""

from typing import Any
from weakref import ref

import numpy as np
from napari.components import ViewerModel
from napari.layers import Image, Labels, Layer
from napari.utils.colormaps import Colormap
from numpy.typing import NDArray
from qtpy.QtCore import QObject, QTimer

from napari_latent_explorer._napari.borrowed_view import BorrowedView
from napari_latent_explorer._napari.class_colors import label_colormap, label_table
from napari_latent_explorer._napari.group_places import CHARACTER_PX
from napari_latent_explorer._napari.layers import (
    AXIS_LABELS,
    GAP_MM,
    LABELS_OPACITY,
    ORIGINAL,
    RECONSTRUCTION,
    RECONSTRUCTION_LABELS,
    UNITS,
    HeartLayers,
    replace_data,
)
from napari_latent_explorer.data.cine import LA_4CH_CLASSES
from napari_latent_explorer.modeling.preprocessing_spec import STANDARD
from napari_latent_explorer.session.change_choice import NO_CHANGE_SHOWN, ChangeChoice
from napari_latent_explorer.session.decode_service import MODEL_SPACING_MM, DecodeOutcome
from napari_latent_explorer.session.explorer import Explorer

DIFFERENCE = "change (SD)"
BEFORE, BEFORE_LABELS = "before", "before labels"
LIMITS_SD = (-1.5, 1.5)
LESS, MORE = (0.25, 0.62, 1.0), (1.0, 0.58, 0.12)
OUTLINE_PX = 1
DRAG_MS = 80
"""Between two differences while the probe is dragged: each takes napari 5 ms or more."""
LEAST_SHOWN = 0.03
"""Of the limit; less is rounding."""
N_COLORS = 129
BAR_PX, BAR_FONT = (14, 90), 8


def difference_colormap() -> Colormap:
    """From blue over transparent to orange; the opacity grows as the root, so that small changes are seen too."""
    share = np.linspace(-1.0, 1.0, N_COLORS)
    colors = np.where(share[:, None] < 0, LESS, MORE)
    opacity = np.sqrt(np.clip((np.abs(share) - LEAST_SHOWN) / (1.0 - LEAST_SHOWN), 0.0, 1.0))
    return Colormap(np.column_stack([colors, opacity]), name="change", display_name="less to more")


class ChangeLayers(QObject):
    """Shows what changed at an explorer's probe in a viewer, as far as it is wanted.

    Parameters
    ----------
    viewer
        Where; held weakly.
    explorer
        The session.
    hearts
        The probe's, over and beside which these are.
    """

    def __init__(self, viewer: ViewerModel, explorer: Explorer, hearts: HeartLayers) -> None:
        super().__init__()
        self._viewer = ref(viewer)
        self._explorer, self._hearts = explorer, hearts
        self._layers: dict[str, Layer] = {}
        self._unwanted: set[str] = set()
        self._shown: set[str] = set()
        self._now: DecodeOutcome | None = None
        self._before: tuple[DecodeOutcome, str] | None = None
        self._view = BorrowedView()
        self._followed: Layer | None = None
        self._outlined: Layer | None = None
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.timeout.connect(self._on_timer)
        explorer.decode.decoded.connect(self._on_decoded)
        explorer.change_choice_changed.connect(self._on_choice_changed)
        for signal in (
            explorer.study_changed,
            explorer.side_by_side_changed,
            explorer.path_changed,
            explorer.decoded_origin.changed,
        ):
            signal.connect(self.synchronize)
        hearts.originals.changed.connect(self._on_originals_changed)
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
        self._timer.start(0)

    def close(self) -> None:
        """Stop for good."""
        self._timer.stop()

    # ---- what happens

    def _on_choice_changed(self) -> None:
        self._unwanted.clear()
        self._explorer.decode_probe()  # nobody listened before, and the words over the heart change
        self.synchronize()

    def _on_decoded(self, outcome: DecodeOutcome) -> None:
        if self._explorer.change == NO_CHANGE_SHOWN:
            return
        self._now = outcome
        is_at_rest = np.array_equal(outcome.vector, self._explorer.probe.vector)
        if is_at_rest or not self._timer.isActive():
            self._timer.start(0 if is_at_rest else DRAG_MS)

    def _on_originals_changed(self, _: object) -> None:
        if BEFORE in self._shown:
            self._fit()

    def _on_layer_removed(self, event: Any) -> None:
        for name, layer in list(self._layers.items()):
            if layer is event.value:
                del self._layers[name]
                self._unwanted.add(name)
                self.synchronize()

    def _on_rr_interval_changed(self, rr_interval_ms: float) -> None:
        for layer in self._layers.values():
            layer.scale = (rr_interval_ms / layer.data.shape[0], *layer.scale[1:])

    def _on_timer(self) -> None:
        chosen = self._explorer.change
        kept = ChangeChoice(
            chosen.has_difference and DIFFERENCE not in self._unwanted,
            chosen.has_start and BEFORE not in self._unwanted,
        )
        if kept != chosen:
            self._explorer.show_change(kept)  # and comes back here
            return
        if chosen != NO_CHANGE_SHOWN:
            self._explorer.decoded_origin.find()
        self._show_difference(chosen.has_difference and self._has_room)
        self._show_before(chosen.has_start and self._has_room and self._explorer.path_share is None)

    # ---- the difference

    def _show_difference(self, is_wanted: bool) -> None:
        change = self._difference() if is_wanted else None
        self._outline(change is not None)
        if change is None:
            self._hide(DIFFERENCE)
        else:
            look = {"colormap": difference_colormap(), "contrast_limits": LIMITS_SD, "blending": "translucent"}
            self._show(DIFFERENCE, Image, change, (0.0, 0.0), look)

    def _difference(self) -> NDArray[np.float32] | None:
        """Signal of now less that of the origin, ``(n_frames, n_rows, n_columns)``; None while either is not known."""
        began, now = self._explorer.decoded_origin.outcome, self._now
        if began is None or now is None or began.result.cine is None or now.result.cine is None:
            return None
        return np.subtract(now.result.cine, began.result.cine, dtype=np.float32)

    def _outline(self, is_wanted: bool) -> None:
        """Draw the labels over the heart as outlines, or again as they were; not if the user has changed that."""
        labels = self._hearts.layer(RECONSTRUCTION_LABELS)
        if is_wanted and labels is not self._outlined and labels is not None and labels.contour == 0:
            self._outlined, labels.contour = labels, OUTLINE_PX
        elif not is_wanted and self._outlined is not None:
            if self._outlined.contour == OUTLINE_PX:
                self._outlined.contour = 0
            self._outlined = None

    @property
    def _has_room(self) -> bool:
        """Whether the probe's heart is seen, not those of groups."""
        return not self._explorer.side_by_side.names

    # ---- the heart before

    def _show_before(self, is_wanted: bool) -> None:
        """Show it; on a path it is not wanted, whose ends are beside the heart."""
        began = self._explorer.decoded_origin.outcome if is_wanted else None
        if began is None or began.result.cine is None:
            self._hide_before()
            return
        label = self._explorer.probe.label
        if (began, label) == self._before and BEFORE in self._layers:
            return
        is_new, self._before = BEFORE not in self._shown, (began, label)
        cine, corner_mm = np.asarray(began.result.cine), self._corner_mm(began.result.cine.shape[-1])
        self._show(BEFORE, Image, cine, corner_mm, {"colormap": "gray"})
        if began.result.labels is not None:
            names = getattr(self._explorer.bundle, "label_names", LA_4CH_CLASSES)
            look = {"colormap": label_colormap(names), "features": label_table(names), "opacity": LABELS_OPACITY}
            self._show(BEFORE_LABELS, Labels, np.asarray(began.result.labels), corner_mm, look)
        self._follow_contrast()
        if is_new:
            self._fit()
        self._hearts.captions.set(BEFORE, ("Before", *label.split(", ")), None, corner_mm)

    def _hide_before(self) -> None:
        self._before = None
        viewer = self._viewer()
        if BEFORE in self._shown and viewer is not None:
            self._hearts.captions.set(BEFORE, (), None, (0.0, 0.0))
            self._hearts.captions.limit()
            self._view.give_back(viewer)
        for name in (BEFORE, BEFORE_LABELS):
            self._hide(name)

    def _corner_mm(self, n_columns: int) -> tuple[float, float]:
        """Right of the heart; left of it is the recording."""
        return 0.0, n_columns * self._side_mm + GAP_MM

    @property
    def _side_mm(self) -> float:
        bundle = self._explorer.bundle
        return (STANDARD if bundle is None else bundle.input_spec).mri.spacing_mm or MODEL_SPACING_MM

    def _follow_contrast(self, *_: object) -> None:
        """Show both hearts in the same shades, whoever changes them."""
        heart, before = self._hearts.layer(RECONSTRUCTION), self._layers.get(BEFORE)
        if heart is None or before is None:
            return
        if before.contrast_limits != heart.contrast_limits:
            before.contrast_limits = heart.contrast_limits
        if heart is not self._followed:
            self._followed = heart
            heart.events.contrast_limits.connect(self._follow_contrast)

    def _fit(self) -> None:
        """Fit the hearts that are seen into view."""
        viewer, before, original = self._viewer(), self._layers.get(BEFORE), self._hearts.layer(ORIGINAL)
        if viewer is None or before is None or viewer.dims.ndisplay != 2:
            return
        height_mm, width_mm = (n * self._side_mm for n in before.data.shape[1:])
        is_seen = original is not None and original.visible
        left_mm = float(original.extent.world[0, -1]) if original is not None and is_seen else 0.0
        right_mm = before.translate[-1] + width_mm
        px_per_mm = self._view.fit(viewer, (height_mm, right_mm - left_mm), left_mm)
        self._hearts.captions.limit(max(8, int((width_mm + GAP_MM) * px_per_mm / CHARACTER_PX)))

    # ---- layers

    def _show(
        self, name: str, kind: type[Layer], frames: Any, corner_mm: tuple[float, float], look: dict[str, Any]
    ) -> None:
        """Give a layer these frames ``(n_frames, n_rows, n_columns)``; it is made if need be."""
        viewer, layer = self._viewer(), self._layers.get(name)
        if viewer is None or name in self._unwanted:
            return
        geometry: dict[str, Any] = {
            "scale": (self._hearts.rr_interval_ms / len(frames), self._side_mm, self._side_mm),
            "translate": (0.0, *corner_mm),
            "units": UNITS,
            "axis_labels": AXIS_LABELS,
        }
        if layer is None:
            active = viewer.layers.selection.active
            self._layers[name] = layer = kind(frames, name=name, **geometry, **look)
            viewer.layers.append(layer)
            if name == DIFFERENCE:
                layer.colorbar.size, layer.colorbar.font_size, layer.colorbar.visible = BAR_PX, BAR_FONT, True
            viewer.layers.selection.active = active
            self._hearts.captions.bring_to_front()
        else:
            replace_data(layer, frames, geometry)
        if name not in self._shown:
            self._shown.add(name)
            layer.visible = True

    def _hide(self, name: str) -> None:
        if name in self._shown:
            self._shown.remove(name)
            if name in self._layers:
                self._layers[name].visible = False
