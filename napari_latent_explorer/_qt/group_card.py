"""One group: its colour, name, size, how it was made, who stands for it, and whom it shares with others."""

from qtpy.QtCore import Qt, Signal
from qtpy.QtGui import QMouseEvent
from qtpy.QtWidgets import (
    QCheckBox,
    QFrame,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QMenu,
    QSizePolicy,
    QToolButton,
    QVBoxLayout,
    QWidget,
)
from superqt import QElidingLabel

from napari_latent_explorer._qt.color_choice import QtColorMenu
from napari_latent_explorer._qt.numbers import format_count
from napari_latent_explorer._qt.plain_tip import plain_tip
from napari_latent_explorer._qt.theme import DARK, Theme, to_qcolor
from napari_latent_explorer.session.groups import RGBA, Group
from napari_latent_explorer.session.recipe_exchange import has_participants

MOST_OVERLAPS = 2
"""That a card names; its tool tip names all."""


class QtGroupCard(QFrame):
    """A card that is clicked to make its group the active one.

    Parameters
    ----------
    group
        What it shows.
    parent
        Qt parent.
    """

    activated = Signal(str)
    ticked = Signal(str, bool)
    renamed = Signal(str, str)
    """Name and new name."""
    recolored = Signal(str, tuple)
    selection_requested = Signal(str)
    rerun_requested = Signal(str)
    copy_requested = Signal(str)
    removal_requested = Signal(str)

    def __init__(self, group: Group, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._group = group
        self._overlaps: dict[str, int] = {}
        self._is_active = False
        self._theme = DARK
        self.setObjectName("groupCard")
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.tick = QCheckBox(self)
        self.tick.toggled.connect(lambda is_ticked: self.ticked.emit(self._group.name, is_ticked))
        self.swatch = self._button("", lambda: self._open_colors())
        self.swatch.setObjectName("swatch")
        self.swatch.setFixedSize(16, 16)
        self.name = QLineEdit(self)
        self.name.setAccessibleName("Name of the group")
        self.name.editingFinished.connect(self._on_name_edited)
        self._count = QLabel(self)
        self._active = QLabel("active", self)
        self._active.setObjectName("active")
        self.more = self._button("⋯", lambda: self._open_menu())
        self.remove = self._button("✕", lambda: self.removal_requested.emit(self._group.name))
        self.recipe, self.stands = self._line(), self._line()
        self._build_layout()
        self.set_group(group, {}, False, False)

    def _button(self, sign: str, act: object) -> QToolButton:
        button = QToolButton(self)
        button.setText(sign)
        button.clicked.connect(act)
        return button

    def _line(self) -> QElidingLabel:
        line = QElidingLabel(self)
        line.setObjectName("about")
        line.setTextFormat(Qt.TextFormat.PlainText)
        line.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        return line

    def _build_layout(self) -> None:
        top = QHBoxLayout()
        top.setSpacing(6)
        top.addWidget(self.tick)
        top.addWidget(self.swatch)
        top.addWidget(self.name, 1)
        top.addWidget(self._count)
        second = QHBoxLayout()
        second.setSpacing(4)
        second.addWidget(self.recipe, 1)
        for widget in (self._active, self.more, self.remove):
            second.addWidget(widget)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(8, 4, 6, 4)
        layout.setSpacing(1)
        layout.addLayout(top)
        layout.addLayout(second)
        layout.addWidget(self.stands)

    @property
    def group(self) -> Group:
        """What it shows."""
        return self._group

    def set_group(self, group: Group, overlaps: dict[str, int], is_active: bool, is_ticked: bool) -> None:
        """Show a group, how many of it are in others, whether the probe began from it, and whether it is ticked."""
        has_news = (group is not self._group, is_active != self._is_active)
        self._group, self._overlaps, self._is_active = group, overlaps, is_active
        was_blocked = self.tick.blockSignals(True)
        self.tick.setChecked(is_ticked)
        self.tick.blockSignals(was_blocked)
        if self.name.text() != group.name:
            self.name.setText(group.name)
            self.name.setCursorPosition(0)
        self._count.setText(format_count(len(group)))
        self._active.setVisible(is_active)
        self.recipe.setText(group.recipe.describe())
        stands = group.representative.short_label if group.representative is not None else "no member has latents"
        self.stands.setText("  ·  ".join(filter(None, [stands, self._shared(MOST_OVERLAPS)])))
        self._tell()
        if any(has_news) or not self.styleSheet():
            self.set_theme(self._theme)

    def _shared(self, most: int) -> str:
        """Say how many are in other groups too, those with most first."""
        others = sorted(self._overlaps.items(), key=lambda entry: -entry[1])
        named = [f"{format_count(n)} also in {name}" for name, n in others[:most]]
        return ", ".join([*named, *([f"{len(others) - most} more"] if len(others) > most else [])])

    def _tell(self) -> None:
        """Put what does not fit into tool tips and descriptions."""
        group = self._group
        stands = group.representative.label if group.representative is not None else "no member has latents"
        lines = [
            "Click to start from this group.",
            f"Made from: {group.recipe.describe()}",
            f"Represented by {stands}",
            self._shared(len(self._overlaps)),
        ]
        self.setToolTip(plain_tip("\n".join(line for line in lines if line)))
        self.setAccessibleName(group.name)
        self.setAccessibleDescription(f"{'active, ' if self._is_active else ''}{len(group)} participants")
        self.name.setToolTip(plain_tip(f"{group.name}\nClick to rename"))
        self._count.setToolTip(f"{format_count(len(group))} participants")
        for widget, words in (
            (self.tick, f"Tick {group.name}, to reconstruct it beside others or to combine it with them"),
            (self.swatch, f"Colour of {group.name}"),
            (self.more, f"More that can be done with {group.name}"),
            (self.remove, f"Remove {group.name}; the participants stay"),
        ):
            widget.setToolTip(plain_tip(words))
            widget.setAccessibleName(words)

    def set_theme(self, theme: Theme) -> None:
        """Take other colours."""
        self._theme = theme
        border = f"2px solid {theme.accent}" if self._is_active else f"1px solid {theme.line}"
        color = to_qcolor(self._group.color).name()
        self.setStyleSheet(
            f"#groupCard {{ border: {border}; border-radius: 6px; background: {theme.panel}; }}"
            f"#about {{ color: {theme.muted}; background: transparent; }}"
            f"#active {{ color: {theme.accent}; background: transparent; }}"
            "QLineEdit { background: transparent; font-weight: bold; border: none; padding: 2px; }"
            f"QLineEdit:focus {{ border-bottom: 1px solid {theme.accent}; }}"
            "QCheckBox { background: transparent; padding: 0px; }"
            "QToolButton { padding: 1px 5px; background: transparent; border: none; }"
            f"QToolButton:hover {{ background: {theme.line}; border-radius: 4px; }}"
            f"#swatch {{ background: {color}; border: 1px solid {theme.line}; border-radius: 8px; padding: 0px; }}"
            f"#swatch:hover {{ border: 2px solid {theme.text}; }}"
        )

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Make the group active."""
        self.activated.emit(self._group.name)
        event.accept()

    def menu(self) -> QMenu:
        """Make the menu of what else can be done; it deletes itself when it is closed."""
        menu, name = QMenu(self), self._group.name
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        ids = ", with participant ids" if has_participants(self._group.recipe) else ""
        for words, signal in (
            ("Select its participants", self.selection_requested),
            ("Make it again, as things are now", self.rerun_requested),
            (f"Copy recipe{ids}", self.copy_requested),
        ):
            action = menu.addAction(words)
            if action is not None:
                action.triggered.connect(lambda _=False, signal=signal: signal.emit(name))
        return menu

    def color_menu(self) -> QtColorMenu:
        """Make the palette; it deletes itself when it is closed."""
        colors = QtColorMenu(self)
        colors.color_chosen.connect(self._on_color_chosen)
        return colors

    def _open_menu(self) -> None:
        self.menu().popup(self.more.mapToGlobal(self.more.rect().bottomLeft()))

    def _open_colors(self) -> None:
        self.color_menu().popup(self.swatch.mapToGlobal(self.swatch.rect().bottomLeft()))

    def _on_color_chosen(self, color: RGBA) -> None:
        self.recolored.emit(self._group.name, color)

    def _on_name_edited(self) -> None:
        new_name = self.name.text().strip()
        if new_name and new_name != self._group.name:
            self.renamed.emit(self._group.name, new_name)
        else:
            self.name.setText(self._group.name)
