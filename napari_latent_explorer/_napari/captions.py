"""Words over the hearts: what is original, what is reconstructed, and from what.

They are one Points layer whose points cannot be seen. When the sample study is opened, napari wants a layer at once,
long before anything is decoded: that is this one, made by `announcement` and taken over when napari has put it in.
"""

from collections.abc import Iterable
from typing import Any
from weakref import ref

import numpy as np
from napari.components import ViewerModel
from napari.layers import Layer, Points

from napari_latent_explorer._napari.themes import theme_of
from napari_latent_explorer._qt.theme import luminance

NAME = "captions"
MARK = "napari-latent-explorer captions"
UNITS, AXIS_LABELS = ("mm", "mm"), ("row", "column")
GAP_MM = 3.0
MAX_CHARACTERS = 34
ON_BRIGHT, ON_DARK = 0.65, 0.45
Corner = tuple[float, float]
Color = tuple[float, ...]
Caption = tuple[tuple[str, ...], Color | None, Corner]
"""Lines, colour (None is that of text), and the corner ``(row, column)`` in mm above which they stand."""


class Captions:
    """The captions in a viewer; once the user has removed them they stay away until `wanted_again`.

    Parameters
    ----------
    viewer
        Where; held weakly.
    """

    def __init__(self, viewer: ViewerModel) -> None:
        self._viewer = ref(viewer)
        self._texts: dict[str, Caption] = {}
        self._instead: dict[str, Caption] = {}
        self._max_characters = MAX_CHARACTERS
        self._layer: Layer | None = None
        self._is_wanted = True
        viewer.layers.events.inserted.connect(self._on_layer_inserted)
        viewer.layers.events.removed.connect(self._on_layer_removed)
        viewer.events.theme.connect(self._draw)

    def announcement(self, words: str) -> tuple[Any, dict[str, Any], str]:
        """Make the captions' layer data with one text, for napari to put in; a layer that is there goes."""
        viewer, layer = self._viewer(), self._layer
        if viewer is not None and layer is not None:
            viewer.layers.remove(layer)
        self._is_wanted = True
        self._texts = {NAME: ((words,), None, (0.0, 0.0))}
        places, text = self._places_and_text()
        return places, {**_ATTRIBUTES, "text": text, "metadata": {MARK: True}}, "points"

    def wanted_again(self) -> None:
        """Show captions even if the user had removed them."""
        self._is_wanted = True

    def show_instead(self, captions: Iterable[Caption]) -> None:
        """Show these in the place of all others; none brings the others back."""
        before = self._instead
        self._instead = {str(number): caption for number, caption in enumerate(captions)}
        if self._instead != before:
            self._draw()

    def set(self, name: str, lines: tuple[str, ...], color: Color | None, corner_mm: Corner) -> None:
        """Write lines above a corner ``(row, column)`` in mm; None is the colour of text. No lines take them away."""
        before = dict(self._texts)
        self._texts.pop(NAME, None)
        if lines:
            self._texts[name] = (lines, color, corner_mm)
        else:
            self._texts.pop(name, None)
        if self._texts != before:
            self._draw()

    def limit(self, max_characters: int = MAX_CHARACTERS) -> None:
        """Cut the lines of `set` to so many characters, where hearts stand close; anew, where they no longer do."""
        if max_characters != self._max_characters:
            self._max_characters = max_characters
            self._draw()

    def bring_to_front(self) -> None:
        """Put the words above all pictures."""
        viewer = self._viewer()
        if viewer is not None and self._layer is not None:
            viewer.layers.move(viewer.layers.index(self._layer), len(viewer.layers))

    def _on_layer_inserted(self, event: Any) -> None:
        if self._layer is None and MARK in event.value.metadata:
            self._layer = event.value

    def _on_layer_removed(self, event: Any) -> None:
        if event.value is self._layer:
            self._layer = None
            self._is_wanted = False

    def _draw(self) -> None:
        viewer = self._viewer()
        if viewer is None or not self._is_wanted:
            return
        places, text = self._places_and_text()
        if self._layer is None and len(places):
            self._layer = Points(places, text=text, **_ATTRIBUTES)
            viewer.layers.append(self._layer)
        elif self._layer is not None:
            self._layer.text = None  # words and points are counted against each other
            self._layer.data = places
            self._layer.text = text

    def _places_and_text(self) -> tuple[Any, dict[str, Any]]:
        viewer = self._viewer()
        is_dark = viewer is None or theme_of(viewer.theme).is_dark
        ink: Color = (1.0, 1.0, 1.0, 1.0) if is_dark else (0.0, 0.0, 0.0, 1.0)
        shown = list((self._instead or self._texts).values())
        most = None if self._instead or NAME in self._texts else self._max_characters
        colors = [_legible(color, is_dark) if color else ink for _, color, _ in shown]
        corners = [corner for _, _, corner in shown]
        places = np.array(corners).reshape(-1, 2) - (GAP_MM, 0.0)
        words = ["\n".join(_cut(line, most) for line in lines if line) for lines, _, _ in shown]
        return places, {"string": words, "size": 7, "color": colors or ink, "anchor": "upper_left"}


_ATTRIBUTES: dict[str, Any] = {
    "name": NAME,
    "size": 0.1,
    "face_color": "transparent",
    "border_color": "transparent",
    "units": UNITS,
    "axis_labels": AXIS_LABELS,
}


def _legible(color: Color, is_dark: bool) -> Color:
    """Darken a group's colour for words on a bright canvas, or brighten a dark one on a dark canvas; its hue stays."""
    if not is_dark:
        return (*(ON_BRIGHT * part for part in color[:3]), 1.0)
    bright = luminance(color)
    lack = max(0.0, ON_DARK - bright) / (1.0 - bright)
    return (*(part + lack * (1.0 - part) for part in color[:3]), 1.0)


def _cut(words: str, most: int | None) -> str:
    """Shorten a line so that it does not run into its neighbour."""
    return words if most is None or len(words) <= most else f"{words[: max(1, most - 2)]} …"
