"""One group: its colour, name, size, and how it was made."""

from qtpy.QtCore import Qt, Signal
from qtpy.QtGui import QMouseEvent
from qtpy.QtWidgets import QFrame, QHBoxLayout, QLabel, QLineEdit, QSizePolicy, QToolButton, QVBoxLayout, QWidget

from napari_latent_explorer._qt.numbers import format_count
from napari_latent_explorer._qt.theme import Theme, to_qcolor
from napari_latent_explorer.session.groups import Group


class QtGroupCard(QFrame):
    """A card that is clicked to make its group the active one.

    Parameters
    ----------
    group
        What it shows.
    is_active
        Whether the probe began from this group.
    theme
        Colours.
    parent
        Qt parent.
    """

    activated = Signal(str)
    renamed = Signal(str, str)
    """Name and new name."""
    removal_requested = Signal(str)

    def __init__(self, group: Group, is_active: bool, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._group = group
        self.setObjectName("groupCard")
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.setToolTip(f"Click to start from this group.\nMade from: {group.recipe.describe()}")
        self.name = QLineEdit(group.name, self)
        self.name.setToolTip(f"{group.name}\nClick to rename")
        self.name.setAccessibleName("Name of the group")
        self.name.setCursorPosition(0)
        self.name.editingFinished.connect(self._on_name_edited)
        self.remove = QToolButton(self)
        self.remove.setText("✕")
        self.remove.setToolTip("Remove this group; the participants stay")
        self.remove.setAccessibleName(f"Remove {group.name}")
        self.remove.clicked.connect(lambda: self.removal_requested.emit(group.name))
        self._build_layout(is_active)
        self._apply_style(is_active, theme)

    def _build_layout(self, is_active: bool) -> None:
        group = self._group
        swatch = QLabel(self)
        swatch.setFixedSize(14, 14)
        swatch.setStyleSheet(f"background: {to_qcolor(group.color).name()}; border-radius: 7px; padding: 0px;")
        count = QLabel(f"{format_count(len(group))} participants", self)
        recipe = QLabel(self)
        recipe.setObjectName("recipe")
        recipe.setTextFormat(Qt.TextFormat.PlainText)
        recipe.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        stands = group.representative.label if group.representative is not None else "no member has latents"
        recipe.setText(f"{group.recipe.describe()}\n{stands}")
        top = QHBoxLayout()
        top.setSpacing(6)
        for widget, stretch in ((swatch, 0), (self.name, 1), (count, 0), (self.remove, 0)):
            top.addWidget(widget, stretch)
        if is_active:
            active = QLabel("active", self)
            active.setObjectName("active")
            top.insertWidget(2, active)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(8, 5, 6, 5)
        layout.setSpacing(1)
        layout.addLayout(top)
        layout.addWidget(recipe)

    def _apply_style(self, is_active: bool, theme: Theme) -> None:
        border = f"2px solid {theme.accent}" if is_active else f"1px solid {theme.line}"
        self.setStyleSheet(
            f"#groupCard {{ border: {border}; border-radius: 6px; background: {theme.panel}; }}"
            f"#recipe {{ color: {theme.muted}; background: transparent; }}"
            f"#active {{ color: {theme.accent}; }}"
            "QLineEdit { background: transparent; font-weight: bold; border: none; padding: 2px; }"
            f"QLineEdit:focus {{ border-bottom: 1px solid {theme.accent}; }}"
            "QToolButton { padding: 1px 5px; background: transparent; }"
        )

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Make the group active."""
        self.activated.emit(self._group.name)
        event.accept()

    def _on_name_edited(self) -> None:
        new_name = self.name.text().strip()
        if new_name and new_name != self._group.name:
            self.renamed.emit(self._group.name, new_name)
        else:
            self.name.setText(self._group.name)
