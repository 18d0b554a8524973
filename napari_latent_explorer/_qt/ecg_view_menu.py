"""How the ECG is drawn, by choice: layout of the leads, speed and gain of the paper, and what is marked."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import TypeVar

from qtpy.QtCore import Signal
from qtpy.QtGui import QAction, QActionGroup
from qtpy.QtWidgets import QMenu, QWidget

from napari_latent_explorer._qt.ecg_layout import AUTOMATIC, LAYOUTS
from napari_latent_explorer._qt.ecg_paper import CLINICAL_SCALE, GAINS_MM_PER_MV, SPEEDS_MM_PER_S, PaperScale

Choice = TypeVar("Choice")


@dataclass(frozen=True, slots=True)
class EcgView:
    """What the user chose.

    Attributes
    ----------
    layout
        A name of `LAYOUTS`, or `AUTOMATIC`.
    scale
        Of the paper.
    has_waves, has_difference
        Whether wave boundaries and intervals are told, and whether what changed since the origin is shaded.
    """

    layout: str = AUTOMATIC
    scale: PaperScale = CLINICAL_SCALE
    has_waves: bool = True
    has_difference: bool = True


class QtEcgViewMenu(QMenu):
    """Layouts, speeds, gains and marks.

    Parameters
    ----------
    parent
        The dock.
    """

    view_changed = Signal(object)
    """The `EcgView` of now."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__("View", parent)
        self._view = EcgView()
        self.setToolTipsVisible(True)
        speeds = [(f"{one:g} mm/s", one) for one in SPEEDS_MM_PER_S]
        gains = [(f"{one:g} mm/mV", one) for one in GAINS_MM_PER_MV]
        scale = self._view.scale
        self._add_choice([(name, name) for name in (AUTOMATIC, *LAYOUTS)], AUTOMATIC, self._choose_layout)
        self._add_choice(
            speeds, scale.mm_per_s, lambda one: self._choose_scale(replace(self._view.scale, mm_per_s=one))
        )
        self._add_choice(
            gains, scale.mm_per_mv, lambda one: self._choose_scale(replace(self._view.scale, mm_per_mv=one))
        )
        self._add_mark(
            "Waves and intervals",
            "Where P, QRS and T begin and end, and PR, QRS, QT and QTc of each ECG",
            lambda has: self._set(replace(self._view, has_waves=has)),
        )
        self._add_mark(
            "What changed",
            "Shade when the reconstruction left that of the origin: above the line where it rose, below where it fell",
            lambda has: self._set(replace(self._view, has_difference=has)),
        )

    @property
    def view(self) -> EcgView:
        """What is chosen."""
        return self._view

    def _add_choice(
        self, choices: Iterable[tuple[str, Choice]], chosen: Choice, choose: Callable[[Choice], None]
    ) -> None:
        group = QActionGroup(self)
        for text, choice in choices:
            action = QAction(text, self)
            action.setCheckable(True)
            action.setChecked(choice == chosen)
            action.triggered.connect(lambda _, one=choice: choose(one))
            group.addAction(action)
            self.addAction(action)
        self.addSeparator()

    def _add_mark(self, text: str, sentence: str, choose: Callable[[bool], None]) -> None:
        action = QAction(text, self)
        action.setCheckable(True)
        action.setChecked(True)
        action.setToolTip(sentence)
        action.toggled.connect(choose)
        self.addAction(action)

    def _choose_layout(self, layout: str) -> None:
        self._set(replace(self._view, layout=layout))

    def _choose_scale(self, scale: PaperScale) -> None:
        self._set(replace(self._view, scale=scale))

    def _set(self, view: EcgView) -> None:
        self._view = view
        self.view_changed.emit(view)
