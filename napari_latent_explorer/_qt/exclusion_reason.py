"""Why participants are left out: nobody is, without a reason that can be read later."""

from collections.abc import Sequence

from qtpy.QtCore import Qt
from qtpy.QtWidgets import QComboBox, QDialog, QDialogButtonBox, QLabel, QVBoxLayout, QWidget

from napari_latent_explorer._qt.numbers import format_count
from napari_latent_explorer.session.explorer import Explorer

SUGGESTED = ("MRI cannot be read", "motion in the MRI", "wrong imaging plane", "spikes in the ECG", "consent withdrawn")


class QtExclusionReason(QDialog):
    """Asks for the reason, and excludes; whom is settled when it opens.

    Parameters
    ----------
    explorer
        The session.
    participant_ids
        Whom.
    parent
        Over which it opens.
    """

    def __init__(self, explorer: Explorer, participant_ids: Sequence[str], parent: QWidget) -> None:
        super().__init__(parent)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setWindowTitle("Exclude participants")
        self._explorer = explorer
        self._participant_ids = tuple(participant_ids)
        n = len(self._participant_ids)
        words = QLabel(
            f"{format_count(n)} participant{'s' * (n != 1)} will be left out of maps, charts, groups and comparisons."
            " Nothing is deleted: the list of the excluded brings them back.",
            self,
        )
        words.setWordWrap(True)
        self.reason = QComboBox(self)
        self.reason.setEditable(True)
        self.reason.setAccessibleName("Reason")
        self.reason.setMinimumWidth(320)
        self.reason.addItems(tuple(dict.fromkeys((*explorer.excluded.values(), *SUGGESTED))))
        self.reason.setCurrentIndex(-1)
        edit = self.reason.lineEdit()
        if edit is not None:
            edit.setPlaceholderText("Reason, for whoever reads this later")
        self.buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Cancel, self)
        self.confirm = self.buttons.addButton("Exclude", QDialogButtonBox.ButtonRole.AcceptRole)
        self.buttons.accepted.connect(self.accept)
        self.buttons.rejected.connect(self.reject)
        self.reason.editTextChanged.connect(self._on_text_changed)
        self._on_text_changed("")
        layout = QVBoxLayout(self)
        for widget in (words, self.reason, self.buttons):
            layout.addWidget(widget)
        self.reason.setFocus()

    def accept(self) -> None:
        """Exclude them; without a reason nothing happens."""
        if reason := self.reason.currentText().strip():
            self._explorer.exclude(self._participant_ids, reason)
            super().accept()

    def _on_text_changed(self, text: str) -> None:
        self.confirm.setEnabled(bool(text.strip()))
