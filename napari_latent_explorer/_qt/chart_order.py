"""In which order the charts stand, and whether they are drawn by the logarithm of their counts.

Charts never move by themselves: by change they are ordered when that is asked for, and again when it is asked again,
not while somebody brushes.
"""

from collections.abc import Callable, Mapping
from typing import Final

import numpy as np
from qtpy.QtCore import Signal
from qtpy.QtWidgets import QComboBox, QHBoxLayout, QSizePolicy, QToolButton, QWidget

from napari_latent_explorer._qt.theme import Theme, tool_button_style
from napari_latent_explorer.data.phenotype import PhenotypeSpec
from napari_latent_explorer.session.bars import BarCounts


def change_under_filters(counts: BarCounts) -> float:
    """Share of participants, 0 to 1, who would have to change bars for those who pass to look like everybody.

    This is the total variation distance of the two distributions; 0 when nobody with a value passes.
    """
    n_total, n_filtered = counts.total.sum(), counts.filtered.sum()
    if not n_total or not n_filtered:
        return 0.0
    return float(np.abs(counts.filtered / n_filtered - counts.total / n_total).sum() / 2)


_RANKS: Final[Mapping[str, Callable[[PhenotypeSpec, BarCounts], str | float]]] = {
    "Order of the study": lambda spec, counts: 0.0,
    "Name": lambda spec, counts: (spec.label or spec.name).casefold(),
    "Known values": lambda spec, counts: -float(counts.total.sum()),
    "Change under the filters": lambda spec, counts: -change_under_filters(counts),
}
ORDERS: Final = tuple(_RANKS)


def in_order(order: str, specs: Mapping[str, PhenotypeSpec], bars: Mapping[str, BarCounts]) -> list[str]:
    """Names of the phenotypes in one of `ORDERS`; equal ones stay as in the study."""
    return sorted(specs, key=lambda name: _RANKS[order](specs[name], bars[name]))


class QtChartOrder(QWidget):
    """Choice of the order, and a button for logarithmic counts."""

    order_chosen = Signal(str)
    log_toggled = Signal(bool)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._orders = QComboBox(self)
        self._orders.addItems(ORDERS)
        self._orders.setAccessibleName("Order of the charts")
        self._orders.setToolTip("Order of the charts. Choose again to order anew by the change under the filters.")
        self._orders.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        self._orders.textActivated.connect(self.order_chosen)
        self._log = QToolButton(self)
        self._log.setText("log")
        self._log.setCheckable(True)
        self._log.setAccessibleName("Logarithmic counts")
        self._log.setToolTip("Draw bars by the logarithm of their counts, so that rare ones can be seen")
        self._log.toggled.connect(self.log_toggled)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self._orders, 1)
        layout.addWidget(self._log)

    @property
    def order(self) -> str:
        """One of `ORDERS`."""
        return self._orders.currentText()

    @property
    def is_log(self) -> bool:
        """Whether counts are logarithmic."""
        return self._log.isChecked()

    def set_theme(self, theme: Theme) -> None:
        """Take other colours."""
        self._log.setStyleSheet(tool_button_style(theme))
