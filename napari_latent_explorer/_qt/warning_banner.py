"""A sentence that the user must have seen."""

from qtpy.QtWidgets import QHBoxLayout, QLabel, QSizePolicy, QWidget

from napari_latent_explorer._qt.listening import listen
from napari_latent_explorer._qt.theme import DARK, Theme
from napari_latent_explorer.session.explorer import Explorer
from napari_latent_explorer.session.originals import Original, Originals
from napari_latent_explorer.session.recordings import LoadedRecording

NOT_CLINICAL = "Not for clinical use."


class QtWarningBanner(QWidget):
    """The model's warning, while a recording from outside the study is reconstructed.

    Parameters
    ----------
    explorer
        The session.
    originals
        Says when that recording is no longer shown.
    parent
        Qt parent.
    """

    def __init__(self, explorer: Explorer, originals: Originals, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._path_name = ""
        self._label = QLabel(self)
        self._label.setWordWrap(True)
        self._label.setObjectName("banner")
        self._label.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Minimum)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self._label)
        self.set_theme(DARK)
        self.hide()
        listen(self, explorer.recording_loaded, self._on_recording_loaded)
        listen(self, originals.changed, self._on_originals_changed)

    @property
    def text(self) -> str:
        """What it says; empty while it is hidden."""
        return "" if self.isHidden() else str(self._label.text())

    def set_theme(self, theme: Theme) -> None:
        """Take other colours."""
        color = theme.color("warning")
        tint = f"rgba({color.red()}, {color.green()}, {color.blue()}, 40)"
        self.setStyleSheet(
            f"#banner {{ color: {theme.text}; background: {tint}; border-left: 4px solid {theme.warning};"
            " padding: 4px 8px; font-weight: bold; }"
        )

    def _on_recording_loaded(self, recording: LoadedRecording) -> None:
        self._path_name = recording.path.name
        reminder = "" if NOT_CLINICAL.lower() in recording.warning.lower() else f" {NOT_CLINICAL}"
        self._label.setText(f"⚠  {recording.warning}{reminder}")
        self._label.setToolTip(f"{recording.path.name} comes from outside the study. {recording.rule}")
        self.setVisible(bool(recording.warning))

    def _on_originals_changed(self, original: Original | None) -> None:
        if original is None or original.label != self._path_name:
            self.hide()
