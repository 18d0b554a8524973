"""Groups of participants, and which vector stands for the active one."""

from qtpy.QtCore import QTimer
from qtpy.QtWidgets import QComboBox, QFrame, QHBoxLayout, QLabel, QPushButton, QScrollArea, QVBoxLayout, QWidget

from napari_latent_explorer._qt.group_card import QtGroupCard
from napari_latent_explorer._qt.listening import listen
from napari_latent_explorer._qt.numbers import format_count
from napari_latent_explorer._qt.theme import DARK, Theme
from napari_latent_explorer.errors import LatentExplorerError
from napari_latent_explorer.session.explorer import Explorer
from napari_latent_explorer.session.view_state import ViewState

METHODS = {
    "nearest": ("Nearest participant", "The participant nearest to the group's mean: a real heart"),
    "mean": ("Mean", "The mean of the group's latent vectors: smooth, but nobody's heart"),
    "median": ("Median", "The median in each latent dimension: nobody's heart, and outliers do not move it"),
    "medoid": ("Medoid", "The participant with the least distance to all others of the group: a real heart"),
}
NO_GROUPS = "No groups yet. Select participants on a map, or filter the cohort, then make a group of them here."


class QtGroupsDock(QWidget):
    """Cards of the groups, and below them how the active one is reconstructed.

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
        self._cards: dict[str, QtGroupCard] = {}
        self.new_group = QPushButton(self)
        self.new_group.clicked.connect(lambda: explorer.create_group())
        self._empty = QLabel(NO_GROUPS, self)
        self._empty.setWordWrap(True)
        self.method = QComboBox(self)
        for name, (label, words) in METHODS.items():
            self.method.addItem(label, name)
            self.method.setItemData(self.method.count() - 1, words, 3)  # Qt.ToolTipRole
        self.method.setAccessibleName("Representative")
        self.method.activated.connect(lambda index: explorer.set_representative_method(self.method.itemData(index)))
        self.reconstruct = QPushButton("Reconstruct", self)
        self.reconstruct.setToolTip("Decode the active group's representative: cine, segmentation, ECG and predictions")
        self.reconstruct.clicked.connect(self._on_reconstruct_clicked)
        self._build_layout()
        listen(self, explorer.groups_changed, self._rebuild_soon)
        listen(self, explorer.active_group_changed, self._rebuild_soon)
        listen(self, explorer.view_state_changed, self._on_view_state_changed)
        self.synchronize()
        self._on_view_state_changed(explorer.view_state)

    def _build_layout(self) -> None:
        cards = QWidget(self)
        self._cards_layout = QVBoxLayout(cards)
        self._cards_layout.setContentsMargins(0, 0, 6, 0)
        self._cards_layout.setSpacing(6)
        self._cards_layout.addStretch(1)
        scroll = QScrollArea(self)
        scroll.setWidget(cards)
        scroll.setWidgetResizable(True)
        scroll.setFrameShape(QFrame.Shape.NoFrame)
        bottom = QHBoxLayout()
        bottom.addWidget(QLabel("Representative", self))
        bottom.addWidget(self.method, 1)
        bottom.addWidget(self.reconstruct)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(8, 6, 8, 6)
        layout.setSpacing(6)
        layout.addWidget(self.new_group)
        layout.addWidget(self._empty)
        layout.addWidget(scroll, 1)
        layout.addLayout(bottom)

    @property
    def cards(self) -> dict[str, QtGroupCard]:
        """Card of each group."""
        return dict(self._cards)

    def set_theme(self, theme: Theme) -> None:
        """Take other colours."""
        self._theme = theme
        self.synchronize()

    def _rebuild_soon(self) -> None:
        # A card may be the sender of what led here; it must not be deleted while it still emits.
        QTimer.singleShot(0, self.synchronize)

    def synchronize(self) -> None:
        """Show the session's groups."""
        for card in self._cards.values():
            card.blockSignals(True)  # a name that is being edited would be "finished" by its removal
            self._cards_layout.removeWidget(card)
            card.hide()
            card.deleteLater()
        active = self._explorer.active_group
        self._cards = {}
        for group in self._explorer.groups:
            card = QtGroupCard(group, active is not None and group.name == active.name, self._theme, self)
            card.activated.connect(self._explorer.set_active_group)
            card.renamed.connect(self._on_card_renamed)
            card.removal_requested.connect(self._explorer.remove_group)
            self._cards_layout.insertWidget(self._cards_layout.count() - 1, card)
            self._cards[group.name] = card
        self._empty.setVisible(not self._cards)
        self.reconstruct.setEnabled(active is not None and active.representative is not None)
        self.method.setCurrentIndex(self.method.findData(self._explorer.representative_method))

    def _on_view_state_changed(self, state: ViewState) -> None:
        if state.n_selected:
            self.new_group.setText(f"New group from selection ({format_count(state.n_selected)})")
        else:
            self.new_group.setText(f"New group from all visible ({format_count(state.n_visible)})")
        self.new_group.setEnabled(state.n_visible > 0)

    def _on_card_renamed(self, name: str, new_name: str) -> None:
        try:
            self._explorer.rename_group(name, new_name)
        except LatentExplorerError as error:
            self._explorer.failed.emit(error)
            self._rebuild_soon()

    def _on_reconstruct_clicked(self) -> None:
        group = self._explorer.active_group
        if group is None or group.representative is None:
            return
        self._explorer.set_active_group(group.name)
        if group.representative.participant_id is not None:
            self._explorer.show_participant(group.representative.participant_id)
