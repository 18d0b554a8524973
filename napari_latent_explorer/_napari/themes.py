"""napari's theme, translated for the panels that paint themselves."""

from collections.abc import Callable
from dataclasses import replace
from weakref import WeakMethod, ref

from napari.components import ViewerModel
from napari.utils.theme import get_system_theme, get_theme
from qtpy.QtCore import QObject
from qtpy.QtWidgets import QWidget

from napari_latent_explorer._qt.theme import DARK, LIGHT, Theme


def theme_of(name: str) -> Theme:
    """Colours that go with one of napari's themes."""
    theme = get_theme(get_system_theme() if name == "system" else name)
    ours = DARK if theme.type == "dark" else LIGHT
    return replace(ours, background=theme.background.as_hex("long"), text=theme.text.as_hex("long"))


class ThemeFollower(QObject):
    """Keeps a panel in the colours of the viewer's theme, for as long as the panel lives.

    Parameters
    ----------
    panel
        Owns the follower.
    set_theme
        The panel's method that recolours it; held weakly.
    viewer
        Whose theme it is; held weakly.
    """

    def __init__(self, panel: QWidget, set_theme: Callable[[Theme], None], viewer: ViewerModel) -> None:
        super().__init__(panel)
        self._set_theme = WeakMethod(set_theme)
        self._viewer = ref(viewer)
        viewer.events.theme.connect(self._on_viewer_theme)
        self._on_viewer_theme()

    def _on_viewer_theme(self) -> None:
        set_theme, viewer = self._set_theme(), self._viewer()
        if set_theme is not None and viewer is not None:
            set_theme(theme_of(viewer.theme))
