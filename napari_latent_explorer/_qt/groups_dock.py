"""Groups of participants: what is made of them, and which of their hearts are reconstructed."""

from collections.abc import Callable
from contextlib import suppress

from qtpy.QtCore import QTimer
from qtpy.QtGui import QGuiApplication
from qtpy.QtWidgets import (
    QCheckBox,
    QComboBox,
    QFrame,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QScrollArea,
    QSizePolicy,
    QVBoxLayout,
    QWidget,
)

from napari_latent_explorer._qt.excluded_list import QtExcludedList
from napari_latent_explorer._qt.group_card import QtGroupCard
from napari_latent_explorer._qt.group_operations import QtGroupOperations
from napari_latent_explorer._qt.listening import listen
from napari_latent_explorer._qt.numbers import format_count
from napari_latent_explorer._qt.theme import DARK, Theme
from napari_latent_explorer.errors import LatentExplorerError
from napari_latent_explorer.session.explorer import Explorer
from napari_latent_explorer.session.groups import Group, find_group, free_name, overlaps
from napari_latent_explorer.session.recipe_exchange import recipe_from_text, recipe_to_text
from napari_latent_explorer.session.recipes import SetOperationKind
from napari_latent_explorer.session.view_state import ViewState

METHODS = {
    "nearest": ("Nearest participant", "The participant nearest to the group's mean: a real heart"),
    "mean": ("Mean", "The mean of the group's latent vectors: smooth, but nobody's heart"),
    "median": ("Median", "The median in each latent dimension: nobody's heart, and outliers do not move it"),
    "medoid": ("Medoid", "The participant with the least distance to all others of the group: a real heart"),
}
NO_GROUPS = "No groups yet. Select participants on a map, or filter the cohort, then make a group of them here."


class QtGroupsDock(QWidget):
    """Cards of the groups; above them what can be made of those that are ticked, below them how they are reconstructed.

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
        self._cards: list[QtGroupCard] = []
        self._ticked: set[str] = set()
        self._members: tuple[object, ...] = ()
        self._overlaps: dict[str, dict[str, int]] = {}
        self.new_group = QPushButton(self)
        self.new_group.clicked.connect(lambda: self._try(lambda: explorer.create_group()))
        self.operations = QtGroupOperations(self)
        self.operations.requested.connect(self._on_operation_requested)
        self._empty = QLabel(NO_GROUPS, self)
        self._empty.setWordWrap(True)
        self._build_bottom()
        self._build_layout()
        listen(self, explorer.groups_changed, self._rebuild_soon)
        listen(self, explorer.active_group_changed, self._rebuild_soon)
        listen(self, explorer.side_by_side_changed, self._on_side_by_side_changed)
        listen(self, explorer.view_state_changed, self._on_view_state_changed)
        self.set_theme(DARK)
        self._on_side_by_side_changed()
        self._on_view_state_changed(explorer.view_state)

    def _build_bottom(self) -> None:
        explorer = self._explorer
        self.method = QComboBox(self)
        for name, (label, words) in METHODS.items():
            self.method.addItem(label, name)
            self.method.setItemData(self.method.count() - 1, words, 3)  # Qt.ToolTipRole
        self.method.setAccessibleName("Representative")
        self.method.setToolTip("Which vector stands for a group")
        self.method.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        self.method.activated.connect(lambda index: explorer.set_representative_method(self.method.itemData(index)))
        self.originals = QCheckBox("Originals", self)
        self.originals.setToolTip("Show the recordings of those who stand for groups below their reconstructions")
        self.originals.toggled.connect(self._on_originals_toggled)
        self.reconstruct = QPushButton("Reconstruct", self)
        self.reconstruct.clicked.connect(self._on_reconstruct_clicked)
        self.paste = QPushButton("Paste recipe", self)
        self.paste.setToolTip("Make the group of a recipe that was copied here or in another study")
        self.paste.clicked.connect(self._on_paste_clicked)
        self.excluded = QPushButton(self)
        self.excluded.setToolTip("Who is excluded and why, and the way back")
        self.excluded.clicked.connect(lambda: QtExcludedList(explorer, self).show())

    def _build_layout(self) -> None:
        cards = QWidget(self)
        self._cards_layout = QVBoxLayout(cards)
        self._cards_layout.setContentsMargins(0, 0, 6, 0)
        self._cards_layout.setSpacing(5)
        self._cards_layout.addStretch(1)
        scroll = QScrollArea(self)
        scroll.setWidget(cards)
        scroll.setWidgetResizable(True)
        scroll.setFrameShape(QFrame.Shape.NoFrame)
        bottom = QHBoxLayout()
        bottom.addWidget(self.method, 1)
        bottom.addWidget(self.originals)
        bottom.addWidget(self.reconstruct)
        foot = QHBoxLayout()
        foot.addWidget(self.paste)
        foot.addStretch(1)
        foot.addWidget(self.excluded)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(8, 6, 8, 6)
        layout.setSpacing(6)
        layout.addWidget(self.new_group)
        layout.addWidget(self.operations)
        layout.addWidget(self._empty)
        layout.addWidget(scroll, 1)
        layout.addLayout(bottom)
        layout.addLayout(foot)

    @property
    def cards(self) -> dict[str, QtGroupCard]:
        """Card of each group."""
        return {card.group.name: card for card in self._cards}

    @property
    def ticked(self) -> tuple[str, ...]:
        """Names of the groups that are ticked, in the order of the cards."""
        return tuple(group.name for group in self._explorer.groups if group.name in self._ticked)

    def set_theme(self, theme: Theme) -> None:
        """Take other colours."""
        self._theme = theme
        self.operations.set_theme(theme)
        for card in self._cards:
            card.set_theme(theme)
        self.synchronize()

    def _rebuild_soon(self) -> None:
        # A card may be the sender of what led here; it must not be deleted while it still emits.
        QTimer.singleShot(0, self.synchronize)

    def synchronize(self) -> None:
        """Show the session's groups."""
        with suppress(RuntimeError):  # Qt has taken the widget while this waited
            groups, active = self._explorer.groups, self._explorer.active_group
            self._ticked &= {group.name for group in groups}
            self._count_overlaps()
            while len(self._cards) > len(groups):
                self._drop(self._cards.pop())
            while len(self._cards) < len(groups):
                self._add(groups[len(self._cards)])
            for card, group in zip(self._cards, groups, strict=True):
                is_active = active is not None and group.name == active.name
                card.set_group(group, self._overlaps[group.name], is_active, group.name in self._ticked)
            self._empty.setVisible(not groups)
            self.operations.setVisible(bool(groups))
            self.method.setCurrentIndex(self.method.findData(self._explorer.representative_method))
            self._show_ticked()

    def _add(self, group: Group) -> None:
        card = QtGroupCard(group, self)
        card.set_theme(self._theme)
        card.activated.connect(self._explorer.set_active_group)
        card.ticked.connect(self._on_card_ticked)
        card.renamed.connect(self._on_card_renamed)
        card.recolored.connect(self._explorer.set_group_color)
        card.selection_requested.connect(self._on_selection_requested)
        card.rerun_requested.connect(self._on_rerun_requested)
        card.copy_requested.connect(self._on_copy_requested)
        card.removal_requested.connect(self._explorer.remove_group)
        self._cards_layout.insertWidget(self._cards_layout.count() - 1, card)
        self._cards.append(card)

    def _drop(self, card: QtGroupCard) -> None:
        card.blockSignals(True)  # a name that is being edited would be "finished" by its removal
        self._cards_layout.removeWidget(card)
        card.hide()
        card.deleteLater()

    def _count_overlaps(self) -> None:
        """Count anew how many each two groups share, unless their members are the same as before."""
        groups, cohort = self._explorer.groups, self._explorer.cohort
        members = tuple(id(group.participant_ids) for group in groups), tuple(group.name for group in groups)
        if members != self._members and cohort is not None:
            table = overlaps(groups, cohort)
            self._overlaps = {
                name: {other: int(n) for other, n in row.items() if n and other != name}
                for name, row in zip(table.index, table.to_dict("records"), strict=True)
            }
        self._members = members

    # ---- what the session says

    def _on_side_by_side_changed(self) -> None:
        """Tick what is shown, which may have come by undo or from a file; once the probe is shown, ticks stay."""
        chosen = self._explorer.side_by_side
        if chosen.names:
            self._ticked = set(chosen.names)
            was_blocked = self.originals.blockSignals(True)
            self.originals.setChecked(chosen.has_originals)
            self.originals.blockSignals(was_blocked)
        self._rebuild_soon()

    def _show_ticked(self) -> None:
        names = self.ticked
        self.operations.set_ticked(names)
        active = self._explorer.active_group
        one = find_group(self._explorer.groups, names[0]) if len(names) == 1 else active
        can_show_one = len(names) < 2 and one is not None and one.representative is not None
        self.reconstruct.setText(f"Reconstruct {len(names)}" if len(names) > 1 else "Reconstruct")
        self.reconstruct.setEnabled(can_show_one or len(names) > 1)
        whose = "the ticked groups' representatives side by side" if len(names) > 1 else "the group's representative"
        self.reconstruct.setToolTip(f"Decode {whose}: cine, segmentation, ECG and predictions")
        self.originals.setEnabled(len(names) > 1 or bool(self._explorer.side_by_side.names))

    def _on_view_state_changed(self, state: ViewState) -> None:
        if state.n_selected:
            self.new_group.setText(f"New group from selection ({format_count(state.n_selected)})")
        else:
            self.new_group.setText(f"New group from all visible ({format_count(state.n_visible)})")
        self.new_group.setEnabled(state.n_visible > 0)
        n_excluded = len(self._explorer.excluded)
        self.excluded.setText(f"{format_count(n_excluded)} excluded")
        self.excluded.setVisible(n_excluded > 0)

    # ---- what the user wants

    def _try(self, act: Callable[[], object]) -> None:
        """Do it, or say why it cannot be done."""
        try:
            act()
        except LatentExplorerError as error:
            self._explorer.failed.emit(error)
            self._rebuild_soon()

    def _on_card_ticked(self, name: str, is_ticked: bool) -> None:
        (self._ticked.add if is_ticked else self._ticked.discard)(name)
        self._show_ticked()

    def _on_card_renamed(self, name: str, new_name: str) -> None:
        if name in self._ticked:
            self._ticked.add(new_name)
        self._try(lambda: self._explorer.rename_group(name, new_name))

    def _on_operation_requested(self, kind: SetOperationKind) -> None:
        self._try(lambda: self._explorer.combine_groups(kind, self.ticked))

    def _on_selection_requested(self, name: str) -> None:
        self._explorer.select(find_group(self._explorer.groups, name).participant_ids)

    def _on_rerun_requested(self, name: str) -> None:
        self._try(lambda: self._explorer.rerun_recipe(find_group(self._explorer.groups, name).recipe))

    def _on_copy_requested(self, name: str) -> None:
        clipboard = QGuiApplication.clipboard()
        if clipboard is not None:
            clipboard.setText(recipe_to_text(name, find_group(self._explorer.groups, name).recipe))

    def _on_paste_clicked(self) -> None:
        clipboard = QGuiApplication.clipboard()
        if clipboard is not None:
            self._try(lambda: self._paste(clipboard.text()))

    def _paste(self, text: str) -> None:
        name, recipe = recipe_from_text(text)
        taken = [group.name for group in self._explorer.groups]
        self._explorer.rerun_recipe(recipe, free_name(taken) if name in taken else name)

    def _on_originals_toggled(self, has_originals: bool) -> None:
        if names := self._explorer.side_by_side.names:
            self._try(lambda: self._explorer.show_side_by_side(names, has_originals))

    def _on_reconstruct_clicked(self) -> None:
        names, active = self.ticked, self._explorer.active_group
        if len(names) > 1:
            self._try(lambda: self._explorer.show_side_by_side(names, self.originals.isChecked()))
        elif names or active is not None:
            self._reconstruct_one(names[0] if names else active.name if active is not None else "")

    def _reconstruct_one(self, name: str) -> None:
        self._explorer.set_active_group(name)
        stands = find_group(self._explorer.groups, name).representative
        if stands is not None and stands.participant_id is not None:
            self._explorer.show_participant(stands.participant_id)
