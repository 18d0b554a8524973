"""Millimetre paper for ECGs: 25 mm/s, 10 mm/mV or other scales, a line each millimetre and a strong one each five."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from qtpy.QtCore import QPointF
from qtpy.QtGui import QPainter, QPen
from qtpy.QtWidgets import QWidget

from napari_latent_explorer._qt.theme import Theme
from napari_latent_explorer.data.ecg import ECG, LEAD_NAMES

SPEEDS_MM_PER_S = (25.0, 50.0)
GAINS_MM_PER_MV = (5.0, 10.0, 20.0)
_EXTENT_STEP_MV = 0.25
_LEAST_LINE_GAP_PX = 3.0


@dataclass(frozen=True, slots=True)
class PaperScale:
    """How many millimetres of paper a second and a millivolt take."""

    mm_per_s: float = 25.0
    mm_per_mv: float = 10.0

    @property
    def mm_per_ms(self) -> float:
        """Millimetres of a millisecond."""
        return self.mm_per_s / 1000.0

    def __str__(self) -> str:
        """As printed on paper."""
        return f"{self.mm_per_s:g} mm/s   {self.mm_per_mv:g} mm/mV"


CLINICAL_SCALE = PaperScale()


def paint_grid(painter: QPainter, widget: QWidget, theme: Theme, px_per_mm: float, left: float, zero: float) -> None:
    """Fill a widget with paper whose lines go through `left` and `zero`; lines too close to tell apart are left out."""
    painter.fillRect(widget.rect(), theme.color("paper"))
    for step_mm, name in ((1.0, "grid"), (5.0, "grid_strong")):
        step = step_mm * px_per_mm
        if step < _LEAST_LINE_GAP_PX:
            continue
        painter.setPen(QPen(theme.color(name), 1))
        for x in np.arange(left % step, widget.width(), step):
            painter.drawLine(QPointF(x, 0), QPointF(x, widget.height()))
        for y in np.arange(zero % step, widget.height(), step):
            painter.drawLine(QPointF(0, y), QPointF(widget.width(), y))


def twelve_leads(ecg: ECG) -> NDArray[np.float32]:
    """Signal ``(12, n_samples)`` in mV in the clinical order; a lead that the ECG lacks is NaN throughout."""
    signal_mv = np.full((len(LEAD_NAMES), ecg.signal_mv.shape[1]), np.nan, np.float32)
    for row, name in enumerate(LEAD_NAMES):
        if name in ecg.lead_names:
            signal_mv[row] = ecg.signal_mv[ecg.lead_names.index(name)]
    return signal_mv


def extent_mv(signal_mv: NDArray[np.float32]) -> tuple[float, float]:
    """Room for a signal above and below zero, in mV, both at least 0 and in steps of a quarter; NaN does not count."""
    finite = signal_mv[np.isfinite(signal_mv)]
    if not finite.size:
        return 0.0, 0.0
    return max(0.0, _rounded_up(float(finite.max()))), max(0.0, _rounded_up(-float(finite.min())))


def _rounded_up(voltage_mv: float) -> float:
    return float(np.ceil(voltage_mv / _EXTENT_STEP_MV) * _EXTENT_STEP_MV)
