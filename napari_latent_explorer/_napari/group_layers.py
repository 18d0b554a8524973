"""The hearts of several groups beside each other, each an Image and a Labels layer, and recordings below them.

The hard idea is time. Giving a layer other data costs napari tens of milliseconds, making one hundreds, and a dozen
groups have two dozen layers. So a change is cut into steps of one layer each, and between two of them the window
lives; a newer change drops the steps that are still to come. Layers are made once and then only given other data. One
that the user removed stays away for as long as its group is shown.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any
from weakref import ref

import numpy as np
from napari.components import ViewerModel
from napari.layers import Image, Labels, Layer
from numpy.typing import NDArray
from qtpy.QtCore import QObject, QTimer

from napari_latent_explorer._napari.class_colors import label_colormap, label_table
from napari_latent_explorer._napari.group_places import CHARACTER_PX, GAP_MM, GroupPlaces, moved, place_groups
from napari_latent_explorer._napari.group_words import few_words, full_words, packed
from napari_latent_explorer._napari.guest_layers import AFFINE
from napari_latent_explorer._napari.layers import (
    AXIS_LABELS,
    CONTRAST_PERCENTILES,
    DEFAULT_RR_MS,
    GROUP,
    LABELS_OPACITY,
    UNITS,
    HeartLayers,
    replace_data,
)
from napari_latent_explorer.data.cine import LA_4CH_CLASSES
from napari_latent_explorer.modeling.preprocessing_spec import STANDARD
from napari_latent_explorer.session.decode_service import MODEL_SPACING_MM
from napari_latent_explorer.session.explorer import Explorer
from napari_latent_explorer.session.groups import Group
from napari_latent_explorer.session.side_by_side import GroupHeart, SideBySide

if TYPE_CHECKING:
    from napari_latent_explorer._napari.captions import Caption

IMAGE, LABELS, ORIGINAL, ORIGINAL_LABELS = "image", "labels", "original", "original labels"
_NAMES = {IMAGE: "{}", LABELS: "{} labels", ORIGINAL: "{} original", ORIGINAL_LABELS: "{} original labels"}
_EVERY = (slice(None, None, 5), slice(None, None, 2), slice(None, None, 2))
"""Pixels that contrast limits are taken from."""

FEW_CHARACTERS = 18
"""In less room than this not all words are written."""

Key = tuple[int, str]
"""Slot, and which of its layers. A slot holds the layers of one group until another takes it over."""
Size = tuple[float, float]


class GroupLayers(QObject):
    """Shows in a viewer the groups that are side by side.

    Parameters
    ----------
    viewer
        Where; held weakly.
    explorer
        The session.
    side_by_side
        Has the hearts.
    hearts
        The probe's, which make room.
    """

    def __init__(self, viewer: ViewerModel, explorer: Explorer, side_by_side: SideBySide, hearts: HeartLayers) -> None:
        super().__init__()
        self._viewer = ref(viewer)
        self._explorer = explorer
        self._hearts = hearts
        self._layers: dict[Key, Layer] = {}
        self._parked: set[Key] = set()
        self._slots: dict[int, Group] = {}
        self._shown: tuple[GroupHeart, ...] = ()
        self._places: GroupPlaces | None = None
        self._has_few_words = False
        self._unwanted: list[tuple[Group, str]] = []
        self._camera: tuple[Any, float] | None = None
        self._steps: list[Callable[[], None]] = []
        self._timer = QTimer(self)
        self._timer.timeout.connect(self._take_step)
        side_by_side.changed.connect(self._on_changed)
        hearts.rr_interval_changed.connect(self._on_rr_interval_changed)
        viewer.layers.events.removed.connect(self._on_layer_removed)

    @property
    def is_busy(self) -> bool:
        """Whether layers have yet to be given what they are to show."""
        return bool(self._steps)

    def layer(self, name: str, kind: str = IMAGE) -> Layer | None:
        """One of our layers of a group, while it is shown."""
        slots = {group.name: slot for slot, group in self._slots.items()}
        return self._layers.get((slots.get(name, -1), kind))

    def heart(self) -> Layer | None:
        """Any heart that is shown."""
        shown = (layer for key, layer in self._layers.items() if key not in self._parked and key[1] == IMAGE)
        return next(shown, None)

    def close(self) -> None:
        """Stop for good."""
        self._timer.stop()
        self._steps = []

    # ---- what comes from the session

    def _on_changed(self, hearts: tuple[GroupHeart, ...]) -> None:
        hearts = tuple(heart for heart in hearts if heart.outcome.result.cine is not None)
        before, self._shown = self._shown, hearts
        self._steps = []
        if not hearts:
            self._leave()
            return
        self._unwanted = [
            entry for entry in self._unwanted if any(_are_same(entry[0], heart.group) for heart in hearts)
        ]
        self._hearts.make_room(self._rr_interval_ms())
        self._lay_out(is_new=_outline(before) != _outline(hearts))
        limits = _contrast_limits(hearts)
        self._slots = _assigned(self._slots, [heart.group for heart in hearts])
        for slot, heart, corner_mm in zip(self._slots, hearts, self._corners_mm, strict=False):
            is_new = not any(_are_same(one.group, heart.group) for one in before)
            self._plan(slot, heart, corner_mm, limits if is_new else None)
        self._steps.append(self._finish)
        self._plan_parking(key for key in self._layers if key[0] not in list(self._slots)[: len(hearts)])
        self._timer.start(0)

    def _leave(self) -> None:
        self._plan_parking(self._layers)
        self._timer.start(0)
        self._unwanted = []
        self._hearts.captions.show_instead(())
        self._hearts.come_back()
        viewer = self._viewer()
        if viewer is not None and self._camera is not None:
            viewer.scene.camera.center, viewer.scene.camera.zoom = self._camera
        self._camera = None

    def _on_layer_removed(self, event: Any) -> None:
        for key, layer in list(self._layers.items()):
            if layer is event.value:
                del self._layers[key]
                if key not in self._parked:
                    self._unwanted.append((self._slots[key[0]], key[1]))
                self._parked.discard(key)
                self._write_captions()

    def _on_rr_interval_changed(self, rr_interval_ms: float) -> None:
        for layer in self._layers.values():
            layer.scale = (rr_interval_ms / layer.data.shape[0], *layer.scale[1:])

    def _rr_interval_ms(self) -> float:
        """Length of the mean heart cycle of all who are shown."""
        cohort = self._explorer.cohort
        if cohort is None or "heart_rate" not in cohort.specs:
            return DEFAULT_RR_MS
        rows = np.concatenate([cohort.rows_of(heart.group.participant_ids) for heart in self._shown])
        rates = cohort.values("heart_rate")[rows]
        return 60_000.0 / float(np.nanmean(rates)) if np.isfinite(rates).any() else DEFAULT_RR_MS

    # ---- places and words

    def _lay_out(self, is_new: bool) -> None:
        """Find places, write captions, and, when there are others than before, fit all into view."""
        viewer = self._viewer()
        if viewer is None:
            return
        if is_new or self._places is None:
            self._has_few_words = False
            self._places = self._find_places(viewer.canvas.size)
            if _room(self._places, self._side_mm()) < FEW_CHARACTERS:
                self._has_few_words = True
                self._places = self._find_places(viewer.canvas.size)
            self._places = moved(self._places, _right_of_guests(viewer))
            if viewer.dims.ndisplay == 2:
                if self._camera is None:
                    self._camera = (viewer.scene.camera.center, viewer.scene.camera.zoom)
                viewer.scene.camera.center = (0.0, *self._places.center_mm)
                viewer.scene.camera.zoom = self._places.px_per_mm
        self._write_captions()

    def _find_places(self, canvas_px: tuple[int, int]) -> GroupPlaces:
        """Lay out hearts and as many lines of words as there are when these are as wide as a heart."""
        has_originals, n_lines = any(heart.original is not None for heart in self._shown), 1
        while True:
            places = place_groups(len(self._shown), self._side_mm(), canvas_px, n_lines, has_originals)
            room = _room(places, self._side_mm())
            needed = max(len(self._words(heart, room)) for heart in self._shown)
            if needed <= n_lines:  # more lines leave less room, so this ends
                return places
            n_lines = needed

    def _words(self, heart: GroupHeart, room: int) -> tuple[str, ...]:
        return (few_words if self._has_few_words else full_words)(heart, room)

    @property
    def _corners_mm(self) -> tuple[Size, ...]:
        return () if self._places is None else self._places.corners_mm

    def _write_captions(self) -> None:
        captions: list[Caption] = []
        places = self._places
        if places is None or not self._shown:
            return
        room = _room(places, self._side_mm())
        for heart, corner in zip(self._shown, places.corners_mm, strict=True):
            if not all(self._is_unwanted(heart.group, kind) for kind in (IMAGE, LABELS)):
                captions.append((self._words(heart, room), heart.group.color, corner))
            if heart.original is not None and not self._is_unwanted(heart.group, ORIGINAL):
                below = (corner[0] + places.second_row_mm, corner[1])
                words = f"original, {heart.original.participant_id}"
                if len(words) > room:
                    words = heart.original.participant_id
                captions.append((packed([words], room), None, below))
        self._hearts.captions.show_instead(captions)

    def _side_mm(self) -> Size:
        """Height and width of the largest picture, in mm."""
        sizes = [_size_mm(np.asarray(heart.outcome.result.cine), self._spacing_mm()) for heart in self._shown]
        for heart in self._shown:
            if heart.original is not None and heart.original.cine is not None:
                cine = heart.original.cine
                sizes.append(_size_mm(cine.frames[:, 0], cine.spacing_mm[1:]))
        return max(height for height, _ in sizes), max(width for _, width in sizes)

    def _spacing_mm(self) -> Size:
        bundle = self._explorer.bundle
        side_mm = (STANDARD if bundle is None else bundle.input_spec).mri.spacing_mm or MODEL_SPACING_MM
        return side_mm, side_mm

    # ---- layers, one step each

    def _plan(self, slot: int, heart: GroupHeart, corner_mm: Size, limits: tuple[float, float] | None) -> None:
        result, names = heart.outcome.result, getattr(self._explorer.bundle, "label_names", LA_4CH_CLASSES)
        shown: dict[str, tuple[NDArray[Any], Size, Mapping[int, str]]] = {}
        shown[IMAGE] = (np.asarray(result.cine), self._spacing_mm(), {})
        if result.labels is not None:
            shown[LABELS] = (result.labels, self._spacing_mm(), names)
        original = heart.original
        if original is not None and original.cine is not None:
            middle, spacing_mm = original.cine.frames.shape[1] // 2, original.cine.spacing_mm[1:]
            shown[ORIGINAL] = (original.cine.frames[:, middle], spacing_mm, {})
            if original.labels is not None:
                shown[ORIGINAL_LABELS] = (original.labels.frames[:, middle], spacing_mm, original.labels.names)
        for kind, (frames, spacing_mm, label_names) in shown.items():
            own_limits = limits if kind == IMAGE or limits is None else _limits_of([frames])
            key, place_mm = (slot, kind), self._place_mm(kind, corner_mm, _size_mm(frames, spacing_mm))
            geometry = {
                "scale": (self._hearts.rr_interval_ms / len(frames), *spacing_mm),
                "translate": (0.0, *place_mm),
            }
            self._steps.append(partial(self._show, key, heart.group, frames, geometry, label_names, own_limits))
        self._plan_parking((slot, kind) for kind in _NAMES if kind not in shown)

    def _place_mm(self, kind: str, corner_mm: Size, size_mm: Size) -> Size:
        """Row and column of a picture, in the middle of its column."""
        below = self._places.second_row_mm if self._places and kind in (ORIGINAL, ORIGINAL_LABELS) else 0.0
        return corner_mm[0] + below, corner_mm[1] + (self._side_mm()[1] - size_mm[1]) / 2

    def _take_step(self) -> None:
        if self._steps:
            self._steps.pop(0)()
        else:
            self._timer.stop()

    def _show(
        self,
        key: Key,
        group: Group,
        frames: NDArray[Any],
        geometry: Mapping[str, Any],
        names: Mapping[int, str],
        limits: tuple[float, float] | None,
    ) -> None:
        """Give one layer these frames ``(n_frames, n_rows, n_columns)``; it is made if need be."""
        viewer, kind = self._viewer(), key[1]
        if viewer is None or self._is_unwanted(group, kind):
            self._park(key)
            return
        name = _NAMES[kind].format(group.name)
        layer = self._layers.get(key)
        if layer is None:
            self._layers[key] = _make(kind, frames, name, names, limits, geometry)
            viewer.layers.append(self._layers[key])
            return
        replace_data(layer, frames, geometry)
        if layer.metadata[GROUP] != name:  # else it may have a name of the user's
            layer.name, layer.metadata[GROUP] = name, name
        if limits is not None and kind in (IMAGE, ORIGINAL):
            layer.contrast_limits_range = (min(float(frames.min()), limits[0]), max(float(frames.max()), limits[1]))
            layer.contrast_limits = limits
        if key in self._parked:
            self._parked.discard(key)
            layer.visible = True

    def _finish(self) -> None:
        viewer, first = self._viewer(), self.layer(self._shown[0].group.name)
        self._hearts.captions.bring_to_front()
        if viewer is not None and first is not None:
            viewer.layers.selection.active = first

    def _plan_parking(self, keys: Iterable[Key]) -> None:
        self._steps += [partial(self._park, key) for key in keys]

    def _park(self, key: Key) -> None:
        if key in self._layers and key not in self._parked:
            self._parked.add(key)
            self._layers[key].visible = False

    def _is_unwanted(self, group: Group, kind: str) -> bool:
        return any(kind == gone and _are_same(group, other) for other, gone in self._unwanted)


def _make(
    kind: str,
    frames: NDArray[Any],
    name: str,
    names: Mapping[int, str],
    limits: tuple[float, float] | None,
    geometry: Mapping[str, Any],
) -> Layer:
    about = {"name": name, "metadata": {GROUP: name}, "units": UNITS, "axis_labels": AXIS_LABELS, **geometry}
    if kind in (IMAGE, ORIGINAL):
        return Image(frames, colormap="gray", contrast_limits=limits or _limits_of([frames]), **about)
    colormap, features = label_colormap(names), label_table(names)
    return Labels(frames, colormap=colormap, features=features, opacity=LABELS_OPACITY, **about)


def _assigned(slots: Mapping[int, Group], groups: Sequence[Group]) -> dict[int, Group]:
    """Find a slot for each group, in order, then those that keep the layers of others.

    A group stays where it was; else it takes the slot of a former group of its name, so that no two layers have one
    name, else any that is not needed.
    """
    free, taken = dict(slots), {}
    for is_fit in (_are_same, _have_same_name, lambda one, other: True):
        for group in groups:
            if group.name not in taken:
                slot = next((slot for slot, former in free.items() if is_fit(former, group)), None)
                if slot is not None:
                    taken[group.name] = slot
                    del free[slot]
    new = iter(range(len(slots), len(slots) + len(groups)))
    return {taken[group.name] if group.name in taken else next(new): group for group in groups} | free


def _have_same_name(one: Group, other: Group) -> bool:
    return one.name == other.name


def _right_of_guests(viewer: ViewerModel) -> float:
    """Column in mm from which on no recording from outside the study is seen."""
    guests = [layer for layer in viewer.layers if layer.visible and AFFINE in layer.metadata]
    edges_mm = [float(layer.extent.world[1, -1]) for layer in guests]
    return max(edges_mm) + GAP_MM if edges_mm else 0.0


def _outline(hearts: tuple[GroupHeart, ...]) -> tuple[int, bool]:
    return len(hearts), any(heart.original is not None for heart in hearts)


def _are_same(one: Group, other: Group) -> bool:
    return one is other or np.array_equal(one.participant_ids, other.participant_ids)


def _room(places: GroupPlaces, side_mm: Size) -> int:
    """How many characters are as wide as a heart."""
    return max(8, int(side_mm[1] * places.px_per_mm / CHARACTER_PX))


def _size_mm(frames: NDArray[Any], spacing_mm: Size) -> Size:
    return frames.shape[-2] * spacing_mm[0], frames.shape[-1] * spacing_mm[1]


def _contrast_limits(hearts: tuple[GroupHeart, ...]) -> tuple[float, float] | None:
    """Limits for all of them, so that a darker heart looks darker; None where none is drawn."""
    cines = [heart.outcome.result.cine for heart in hearts if heart.outcome.result.cine is not None]
    return _limits_of(cines) if cines else None


def _limits_of(cines: list[NDArray[Any]]) -> tuple[float, float]:
    pixels = np.concatenate([cine[_EVERY].ravel() for cine in cines])
    low, high = np.percentile(pixels, CONTRAST_PERCENTILES).tolist()
    return (low, high) if low < high else (low, low + 1.0)
