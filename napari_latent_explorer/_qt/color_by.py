"""The choice of what colours the maps."""

from qtpy.QtWidgets import QComboBox, QWidget

from napari_latent_explorer._qt.listening import listen
from napari_latent_explorer.session.explorer import Explorer

GROUPS_ITEM = "Groups"


class QtColorByCombo(QComboBox):
    """Groups, or one phenotype.

    Parameters
    ----------
    explorer
        Whose `color_by` it shows and sets.
    parent
        Qt parent.
    """

    def __init__(self, explorer: Explorer, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._explorer = explorer
        self.setToolTip("What colours the points of both maps, and the bars of its own chart.")
        self.setAccessibleName("Colour by")
        self.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        self.setMinimumContentsLength(8)
        self.activated.connect(self._on_activated)
        listen(self, explorer.study_changed, self._fill)
        listen(self, explorer.color_by_changed, self._show_choice)
        self._fill()

    def _fill(self) -> None:
        self.clear()
        self.addItem(GROUPS_ITEM, None)
        cohort = self._explorer.cohort
        for spec in cohort.specs.values() if cohort is not None else ():
            self.addItem(spec.label or spec.name, spec.name)
        self._show_choice()

    def _show_choice(self) -> None:
        self.setCurrentIndex(max(0, self.findData(self._explorer.color_by)) if self._explorer.color_by else 0)

    def _on_activated(self, index: int) -> None:
        self._explorer.set_color_by(self.itemData(index))
