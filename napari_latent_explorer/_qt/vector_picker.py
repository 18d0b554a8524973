"""A button that says which vector is one end of a direction, and opens the choices of another."""

from typing import Final, Literal

from qtpy.QtCore import Qt, Signal
from qtpy.QtGui import QGuiApplication, QResizeEvent
from qtpy.QtWidgets import QMenu, QSizePolicy, QToolButton, QWidget

from napari_latent_explorer._qt.plain_text import as_plain
from napari_latent_explorer._qt.theme import DARK, Theme, tool_button_style
from napari_latent_explorer.errors import LatentExplorerError
from napari_latent_explorer.session.direction_choice import NamedVector
from napari_latent_explorer.session.explorer import Explorer
from napari_latent_explorer.session.vector_text import vector_from_text

VectorSource = Literal["here", "origin", "clipboard"]

SOURCES: Final[dict[VectorSource, str]] = {
    "here": "Where the probe is",
    "origin": "Where the probe began",
    "clipboard": "Paste text or CSV",
}
PADDING_PX = 30


def named_vector(explorer: Explorer, source: VectorSource, latent_dim: int) -> NamedVector:
    """Take a vector ``(latent_dim,)`` from the probe or the clipboard.

    Raises
    ------
    LatentExplorerError
        When the probe is nowhere, or the clipboard holds no such vector.
    """
    if source == "clipboard":
        clipboard = QGuiApplication.clipboard()
        vector = vector_from_text("" if clipboard is None else clipboard.text(), latent_dim)
        return NamedVector("pasted", tuple(vector.tolist()))
    probe = explorer.probe
    if not probe.is_set:
        raise LatentExplorerError("The probe is nowhere yet; click a participant on a map or make a group first.")
    if source == "origin" or not explorer.probe_text:
        return NamedVector(probe.label, tuple(probe.origin.tolist()))
    return NamedVector(f"{probe.label}, {explorer.probe_text}", tuple(probe.vector.tolist()))


class QtVectorPicker(QToolButton):
    """The button.

    Parameters
    ----------
    title
        Of the end, e.g. ``A``.
    parent
        Qt parent.
    """

    source_chosen = Signal(str)
    """A `VectorSource` that the vector is to be taken from."""

    def __init__(self, title: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._title = title
        self._vector: NamedVector | None = None
        menu = QMenu(self)
        for source, words in SOURCES.items():
            action = menu.addAction(words)
            if action is not None:
                action.triggered.connect(lambda _=False, source=source: self.source_chosen.emit(source))
        self.setMenu(menu)
        self.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        self.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextOnly)
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        self.set_theme(DARK)
        self._write()

    def set_theme(self, theme: Theme) -> None:
        """Take other colours."""
        self.setStyleSheet(f"{tool_button_style(theme)} QToolButton::menu-indicator {{ image: none; }}")

    def set_vector(self, vector: NamedVector | None) -> None:
        """Say which vector it is."""
        if vector != self._vector:
            self._vector = vector
            self._write()

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Shorten the words to the room."""
        super().resizeEvent(event)
        self._write()

    def _write(self) -> None:
        words = "choose a vector" if self._vector is None else self._vector.name
        text = f"{self._title}: {words}"
        self.setAccessibleName(text)
        self.setToolTip(as_plain(f"{text}\nWhere the direction {'begins' if self._title == 'A' else 'ends'}"))
        room = max(20, self.width() - PADDING_PX)
        shown = self.fontMetrics().elidedText(text, Qt.TextElideMode.ElideMiddle, room)
        self.setText(f"{shown.replace('&', '&&')} ▾")
