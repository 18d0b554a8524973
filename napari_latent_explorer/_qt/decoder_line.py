"""How hearts are decoded on this machine, in one quiet line."""

from qtpy.QtCore import Qt
from qtpy.QtWidgets import QLabel, QSizePolicy, QWidget

from napari_latent_explorer._qt.listening import listen
from napari_latent_explorer._qt.plain_text import as_plain
from napari_latent_explorer._qt.theme import DARK, Theme, small_font
from napari_latent_explorer.session.explorer import Explorer

MEANS = (
    "When a model was first decoded with, each number format was tried on each device of this machine. The fastest was "
    "taken that draws what float32 draws (to 1 %); the time is for one heart with labels and ECG, alone on the machine."
)
SLOWER = "⚠ Decodes slower than before"


class QtDecoderLine(QLabel):
    """Number format, device and time of the decoder, or that it has become slower; hidden while nothing is known.

    Parameters
    ----------
    explorer
        The session.
    parent
        Qt parent.
    """

    def __init__(self, explorer: Explorer, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._explorer = explorer
        self._theme = DARK
        self._known = ("", "")
        self.setTextFormat(Qt.TextFormat.PlainText)
        self.setFont(small_font(self))
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        self.hide()
        listen(self, explorer.decode.decoded, self._on_decoded)
        listen(self, explorer.bundle_changed, self._show)

    def set_theme(self, theme: Theme) -> None:
        """Take other colours."""
        self._theme = theme
        self._show()

    def _on_decoded(self, *_: object) -> None:
        decoder = self._explorer.decode
        if (decoder.description, decoder.failure) != self._known:
            self._known = (decoder.description, decoder.failure)
            self._show()

    def _show(self) -> None:
        description, failure = self._known
        self.setText(SLOWER if failure else f"Decodes in {description}")
        self.setToolTip(as_plain(failure or MEANS))
        self.setStyleSheet(f"color: {self._theme.warning if failure else self._theme.muted};")
        self.setVisible(bool(description or failure) and self._explorer.bundle is not None)
