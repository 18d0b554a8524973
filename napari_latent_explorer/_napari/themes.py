"""napari's theme, translated for the panels that paint themselves."""

from dataclasses import replace
from typing import Protocol
from weakref import ref

from napari.components import ViewerModel
from napari.utils.theme import get_system_theme, get_theme
from qtpy.QtCore import QObject

from napari_latent_explorer._qt.theme import DARK, LIGHT, Theme


class Themed(Protocol):
    """A panel that can be recoloured."""

    def set_theme(self, theme: Theme) -> None:
        """Take other colours."""


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
        A Qt widget; it owns the follower.
    viewer
        Whose theme it is.
    """

    def __init__(self, panel: Themed, viewer: ViewerModel) -> None:
        super().__init__(panel)
        self._panel = ref(panel)
        self._viewer = ref(viewer)
        viewer.events.theme.connect(self._on_viewer_theme)
        self._on_viewer_theme()

    def _on_viewer_theme(self) -> None:
        panel, viewer = self._panel(), self._viewer()
        if panel is not None and viewer is not None:
            panel.set_theme(theme_of(viewer.theme))
