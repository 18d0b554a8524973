"""New groups out of those that are ticked."""

from collections.abc import Mapping, Sequence

from qtpy.QtCore import Signal
from qtpy.QtWidgets import QHBoxLayout, QLabel, QSizePolicy, QToolButton, QWidget

from napari_latent_explorer._qt.plain_tip import plain_tip
from napari_latent_explorer._qt.theme import Theme, tool_button_style
from napari_latent_explorer.session.recipes import SetOperationKind, least_groups

OPERATIONS: Mapping[SetOperationKind, tuple[str, str]] = {
    "union": ("Union", "everybody in {or_}"),
    "intersection": ("Intersection", "who is in {and_}"),
    "difference": ("Difference", "who is in {first} but not in {others}"),
    "complement": ("Rest", "who is visible and not in {or_}"),
}
"""What a button says, and whom it takes."""


class QtGroupOperations(QWidget):
    """A button for each operation.

    Parameters
    ----------
    parent
        Qt parent.
    """

    requested = Signal(str)
    """Kind of the operation."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self._ticked = QLabel(self)
        self._ticked.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        self.buttons: dict[str, QToolButton] = {}
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(4)
        layout.addWidget(self._ticked, 1)
        for kind, (name, _) in OPERATIONS.items():
            button = QToolButton(self)
            button.setText(name)
            button.clicked.connect(lambda _=False, kind=kind: self.requested.emit(kind))
            layout.addWidget(button)
            self.buttons[kind] = button
        self.set_ticked(())

    def set_theme(self, theme: Theme) -> None:
        """Take other colours."""
        self.setStyleSheet(tool_button_style(theme) + f"QToolButton:disabled {{ color: {theme.line}; }}")

    def set_ticked(self, names: Sequence[str]) -> None:
        """Offer what can be made of these groups."""
        self._ticked.setText(f"{len(names)} ticked" if names else "Tick groups:")
        for kind, (_, whom) in OPERATIONS.items():
            least = least_groups(kind)
            self.buttons[kind].setEnabled(len(names) >= least)
            words = f"New group: {_whom(whom, names)}"
            if len(names) < least:
                words = f"Tick {'two groups or more' if least > 1 else 'a group'} for a new group of them"
            self.buttons[kind].setToolTip(plain_tip(words))


def _whom(words: str, names: Sequence[str]) -> str:
    first, others = (names[0], names[1:]) if names else ("", ())
    return words.format(or_=" or ".join(names), and_=" and ".join(names), first=first, others=" or ".join(others))
