"""Which way the probe walks: the lines of choices above the slider."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from qtpy.QtCore import Qt, Signal
from qtpy.QtWidgets import QComboBox, QHBoxLayout, QLabel, QSizePolicy, QVBoxLayout, QWidget

from napari_latent_explorer._qt.theme import Theme
from napari_latent_explorer._qt.tick_menu import QtTickMenu
from napari_latent_explorer._qt.vector_picker import QtVectorPicker
from napari_latent_explorer.data.phenotype import PhenotypeSpec
from napari_latent_explorer.session.direction_choice import DIRECTION_KINDS, DIRECTION_METHODS, DirectionChoice

MOST_COMPONENTS = 20
METHOD_WORDS = {
    "regression": "Regression of the latents on the phenotype: the step per unit",
    "means": "Difference of the means of the upper and the lower half, as in the paper's code; scaled to one unit",
}
MODALITY_WORDS = "Whose latents the direction is laid in"
COVARIATE_WORDS = "People are compared who are alike in what is ticked"


class QtDirectionBar(QWidget):
    """Kind, phenotype or component or groups, method, covariates, and in whose latents.

    Parameters
    ----------
    parent
        Qt parent.
    """

    chosen = Signal(object)
    """Another `DirectionChoice`."""
    vector_requested = Signal(str, str)
    """``start`` or ``end`` of the direction, and the `VectorSource` that it is to be taken from."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._choice = DirectionChoice()
        self._titles: dict[str, str] = {}
        names = ("Kind", "Phenotype", "Principal component", "From group", "To group", "Method", "Latents")
        self.kind, self.phenotype, self.component, self.name_a, self.name_b, self.method, self.modality = map(
            self._combo, names
        )
        self.covariates = QtTickMenu("Adjusted for", "nothing", self)
        self.covariates.setToolTip(COVARIATE_WORDS)
        self.start, self.end = QtVectorPicker("A", self), QtVectorPicker("B", self)
        self._to = QLabel("to", self)
        for key, words in DIRECTION_KINDS.items():
            self.kind.addItem(words, key)
        for method, words in DIRECTION_METHODS.items():
            self.method.addItem(words, method)
            self.method.setItemData(self.method.count() - 1, METHOD_WORDS[method], Qt.ItemDataRole.ToolTipRole)
        self.modality.setToolTip(MODALITY_WORDS)
        self._build_layout()
        self._connect()
        self.set_choice(self._choice)

    def set_theme(self, theme: Theme) -> None:
        """Take other colours."""
        for button in (self.covariates, self.start, self.end):
            button.set_theme(theme)

    def _combo(self, name: str) -> QComboBox:
        combo = QComboBox(self)
        combo.setAccessibleName(name)
        combo.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        combo.setMinimumContentsLength(6)
        combo.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        return combo

    def _build_layout(self) -> None:
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(6)
        for line in (
            (self.kind, self.modality),
            (self.phenotype, self.component, self.name_a, self.start, self._to, self.name_b, self.end),
            (self.method, self.covariates),
        ):
            row = QHBoxLayout()
            row.setSpacing(4)
            for widget in line:
                row.addWidget(widget, 0 if widget is self._to else 1)
            layout.addLayout(row)

    def _connect(self) -> None:
        for combo, name in (
            (self.kind, "kind"),
            (self.phenotype, "phenotype"),
            (self.component, "component"),
            (self.name_a, "name_a"),
            (self.name_b, "name_b"),
            (self.method, "method"),
            (self.modality, "modality"),
        ):
            combo.activated.connect(lambda _=0, combo=combo, name=name: self._choose(name, combo.currentData()))
        for picker, end in ((self.start, "start"), (self.end, "end")):
            picker.source_chosen.connect(lambda source, end=end: self.vector_requested.emit(end, source))
        self.covariates.ticked.connect(lambda names: self._choose("covariates", names))

    def _choose(self, name: str, value: Any) -> None:
        choice = replace(self._choice, **{name: value})
        if name == "phenotype":
            own = {value}
            covariates, held = (tuple(n for n in some if n not in own) for some in (choice.covariates, choice.held))
            choice = replace(choice, covariates=covariates, held=held)
        if choice.kind == "groups" and choice.name_a is None and self.name_a.count() > 1:
            choice = replace(choice, name_a=self.name_a.itemData(0), name_b=self.name_b.itemData(1))
        if choice != self._choice:
            self.chosen.emit(choice)
        self.set_choice(self._choice)

    def set_study(self, specs: Sequence[PhenotypeSpec], modalities: Sequence[str], latent_dim: int) -> None:
        """Offer the phenotypes and latents of another study."""
        self.phenotype.clear()
        for spec in specs:
            if spec.kind != "categorical":
                self.phenotype.addItem(spec.label or spec.name, spec.name)
        self.component.clear()
        for number in range(min(MOST_COMPONENTS, latent_dim)):
            self.component.addItem(f"Principal component {number + 1}", number)
        self.modality.clear()
        for number, modality in enumerate(modalities):
            self.modality.addItem(f"in {modality.upper()} latents", modality if number else None)
        self._titles = {spec.name: spec.label or spec.name for spec in specs}

    def set_groups(self, names: Sequence[str]) -> None:
        """Offer these groups."""
        for combo in (self.name_a, self.name_b):
            combo.clear()
            for name in names:
                combo.addItem(name, name)
        self.set_choice(self._choice)

    def set_choice(self, choice: DirectionChoice) -> None:
        """Show what is chosen."""
        self._choice = choice
        for combo, value in (
            (self.kind, choice.kind),
            (self.phenotype, choice.phenotype),
            (self.component, choice.component),
            (self.name_a, choice.name_a),
            (self.name_b, choice.name_b),
            (self.method, choice.method),
            (self.modality, choice.modality),
        ):
            combo.setCurrentIndex(combo.findData(value) if value is not None or combo is self.modality else -1)
        self.phenotype.setPlaceholderText("Choose a phenotype")
        names = {name: words for name, words in self._titles.items() if name != choice.phenotype}
        self.covariates.set_names(names)
        self.covariates.set_ticked(choice.covariates)
        self.start.set_vector(choice.start)
        self.end.set_vector(choice.end)
        is_phenotype, is_groups, is_vectors = (choice.kind == kind for kind in ("phenotype", "groups", "vectors"))
        for widget, is_there in (
            (self.phenotype, is_phenotype),
            (self.method, is_phenotype),
            (self.covariates, is_phenotype),
            (self.component, choice.kind == "component"),
            (self.name_a, is_groups),
            (self.start, is_vectors),
            (self._to, is_groups or is_vectors),
            (self.name_b, is_groups),
            (self.end, is_vectors),
            (self.modality, self.modality.count() > 1),
        ):
            widget.setVisible(is_there)
