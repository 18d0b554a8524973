"""What the model predicts for the probed vector, and how far each prediction can be trusted."""

import numpy as np
from qtpy.QtCore import QSize, Qt
from qtpy.QtGui import QResizeEvent, QShowEvent
from qtpy.QtWidgets import QFrame, QLabel, QScrollArea, QSizePolicy, QVBoxLayout, QWidget

from napari_latent_explorer._qt.listening import listen, listen_while_seen
from napari_latent_explorer._qt.prediction_heat_map import QtPredictionHeatMap
from napari_latent_explorer._qt.steady_label import QtSteadyLabel
from napari_latent_explorer._qt.theme import Theme, small_font
from napari_latent_explorer.session.decode_service import DecodeOutcome
from napari_latent_explorer.session.explorer import Explorer

NOTHING = "No predictions yet. They are fit once a study with latents is open, and come with each reconstruction."
READING = "Bold: prediction. Below: 95 % interval and held-out score. Hatched: no better than a guess."


class QtPredictionsDock(QWidget):
    """The heat map, live.

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
        self._outcome: DecodeOutcome | None = None
        self._title = QtSteadyLabel(self)
        self._title.setFont(small_font(self, 1.0, is_bold=True))
        self._note = QLabel(READING, self)
        self._note.setWordWrap(True)
        self._note.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Minimum)
        self._note.setToolTip(READING)
        self._empty = QLabel(NOTHING, self)
        self._empty.setWordWrap(True)
        self._empty.setAlignment(Qt.AlignmentFlag.AlignTop)
        self.heat_map = QtPredictionHeatMap()
        self._scroll = QScrollArea(self)
        self._scroll.setWidget(self.heat_map)
        self._scroll.setWidgetResizable(True)
        self._scroll.setFrameShape(QFrame.Shape.NoFrame)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(8, 6, 8, 6)
        layout.setSpacing(4)
        for widget, stretch in ((self._title, 0), (self._note, 0), (self._empty, 1), (self._scroll, 1)):
            layout.addWidget(widget, stretch)
        listen(self, explorer.decode.decoded, self._on_decoded)
        listen_while_seen(self, explorer.pace.due, self._show)
        listen(self, explorer.study_changed, self._on_study_changed)
        self._on_study_changed()
        explorer.decode_probe()  # what was predicted before it opened

    def set_theme(self, theme: Theme) -> None:
        """Redraw in other colours."""
        self.heat_map.set_theme(theme)
        self._note.setStyleSheet(f"color: {theme.muted};")

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Lay the cells out anew."""
        super().resizeEvent(event)
        self._fit()

    def showEvent(self, event: QShowEvent) -> None:
        """Lay the cells out for the room there is now."""
        super().showEvent(event)
        self._fit()

    def _fit(self) -> None:
        bar = self._scroll.verticalScrollBar().sizeHint().width()
        self.heat_map.fit_to(QSize(self.width() - 16 - bar - 2, self._scroll.viewport().height()))

    def _on_study_changed(self) -> None:
        cohort = self._explorer.cohort
        values = {}
        for name, spec in cohort.specs.items() if cohort is not None else ():
            if spec.kind == "continuous" and cohort is not None:
                column = cohort.values(name)
                values[name] = np.sort(column[np.isfinite(column)])
        self.heat_map.set_cohort_values(values)
        self._outcome = None
        self._show()

    def _on_decoded(self, outcome: DecodeOutcome) -> None:
        self._outcome = outcome

    def _show(self) -> None:
        table = self._outcome.predictions if self._outcome is not None else None
        has_table = table is not None
        self.heat_map.set_table(table)
        parts = [self._explorer.probe.label, self._explorer.probe_text] if has_table else []
        self._title.setText(", ".join(filter(None, parts)))
        self._title.setToolTip(self._title.text())
        for widget in (self._title, self._note, self._scroll):
            widget.setVisible(has_table)
        self._empty.setVisible(not has_table)
