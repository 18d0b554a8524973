"""The choice of what kind of map is shown."""

from typing import Final

from qtpy.QtCore import Qt
from qtpy.QtWidgets import QComboBox, QWidget

from napari_latent_explorer._qt.listening import listen
from napari_latent_explorer.analysis.map_space import MAP_KINDS, MapKind
from napari_latent_explorer.session.explorer import Explorer

KIND_TIPS: Final[dict[MapKind, str]] = {
    "tsne": "Similar latent vectors are neighbours.",
    "whitened_tsne": "Each latent direction counts the same: unusual recordings stand apart in islands.",
    "pca": "The two directions in which latent vectors vary most.",
}


class QtMapKindCombo(QComboBox):
    """t-SNE, t-SNE on equal scales, or PCA.

    Parameters
    ----------
    explorer
        Whose `map_kind` it shows and sets.
    parent
        Qt parent.
    """

    def __init__(self, explorer: Explorer, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._explorer = explorer
        self.setToolTip("How people are laid out on the maps. One that is not there yet is laid out when chosen.")
        self.setAccessibleName("Kind of map")
        self.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        self.setMinimumContentsLength(13)  # more would take from the hearts in a small window
        for kind, title in MAP_KINDS.items():
            self.addItem(title, kind)
            self.setItemData(self.count() - 1, KIND_TIPS[kind], Qt.ItemDataRole.ToolTipRole)
        self.activated.connect(self._on_activated)
        listen(self, explorer.projections_changed, self._show_choice)
        self._show_choice()

    def _show_choice(self) -> None:
        self.setCurrentIndex(self.findData(self._explorer.map_kind))

    def _on_activated(self, index: int) -> None:
        self._explorer.set_map_kind(self.itemData(index))
