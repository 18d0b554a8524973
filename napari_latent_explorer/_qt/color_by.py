"""The choice of what colours the maps.

A combo box of many entries is read from the top: groups and what was derived from latents come first, then the
phenotypes, then what is predicted of them, of each from whatever predicts it best.
"""

from collections.abc import Iterator

import numpy as np
from qtpy.QtCore import Qt
from qtpy.QtWidgets import QComboBox, QWidget

from napari_latent_explorer._qt.listening import listen
from napari_latent_explorer.analysis.prediction import PredictorTable
from napari_latent_explorer.session.color_sources import ColorBy, Predicted, Trust, Unusual, color_title
from napari_latent_explorer.session.explorer import Explorer

GROUPS_ITEM = "Groups"
UNUSUAL_TIP = "Distance from the cohort's mean along each direction in which people differ, as a percentile."
TRUST_TIP = "Share of a participant's nearest in latent space who are nearest on the map that is shown."
METRICS = {"r2": "R²", "auroc": "AUROC"}
MAX_SHOWN = 24


class QtColorByCombo(QComboBox):
    """Groups, how unusual, trust, one phenotype, or what is predicted of one.

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
        self.setToolTip("What colours the points of the maps, and the bars of its own chart.")
        self.setAccessibleName("Colour by")
        self.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        self.setMinimumContentsLength(8)
        self.setMaxVisibleItems(MAX_SHOWN)
        self.activated.connect(self._on_activated)
        listen(self, explorer.study_changed, self._fill)
        listen(self, explorer.predictors_changed, self._fill)
        listen(self, explorer.projections_changed, self._fill)
        listen(self, explorer.color_by_changed, self._show_choice)
        self._fill()

    def _fill(self) -> None:
        self.clear()
        self.addItem(GROUPS_ITEM, None)
        cohort = self._explorer.cohort
        for tip, sources in _sources(self._explorer) if cohort is not None else ():
            self.insertSeparator(self.count())
            for source, words in sources:
                self.addItem(words, source)
                self.setItemData(self.count() - 1, tip or words, Qt.ItemDataRole.ToolTipRole)
        self._show_choice()

    def _show_choice(self) -> None:
        source = self._explorer.color_by
        index = next((index for index in range(self.count()) if self.itemData(index) == source), None)
        cohort = self._explorer.cohort
        if index is None and source is not None and cohort is not None:  # one of those that are not offered
            index = self.count()
            self.addItem(color_title(source, cohort.specs), source)
        self.setCurrentIndex(index or 0)

    def _on_activated(self, index: int) -> None:
        self._explorer.set_color_by(self.itemData(index))


def _sources(explorer: Explorer) -> Iterator[tuple[str, list[tuple[ColorBy, str]]]]:
    """Sections: a tooltip (if empty, the words are it), and what can be chosen, with its words."""
    specs = explorer.cohort.specs if explorer.cohort is not None else {}
    unusual, trust = map(Unusual, explorer.latents), map(Trust, explorer.projections)
    yield UNUSUAL_TIP, [(source, color_title(source, specs)) for source in unusual]
    yield TRUST_TIP, [(source, color_title(source, specs)) for source in trust]
    yield "", [(name, spec.label or name) for name, spec in specs.items()]
    if explorer.predictors is not None:
        yield "", list(_predicted(explorer.predictors))


def _predicted(predictors: PredictorTable) -> Iterator[tuple[ColorBy, str]]:
    """Take for each phenotype the row that predicts it best, with its score on held-out participants."""
    specs = {spec.name: spec for spec in predictors.targets}
    for column, spec in enumerate(predictors.targets):
        scored = zip((scores[column] for scores in predictors.scores), predictors.rows, strict=True)
        known = [(score, row) for score, row in scored if np.isfinite(score.value)]
        if known:
            score, row = max(known, key=lambda one: one[0].value)
            source = Predicted(spec.name, row)
            yield source, f"{color_title(source, specs)} ({METRICS[score.metric]} {score.value:.2f})"
