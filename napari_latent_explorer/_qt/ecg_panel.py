"""One lead as it lies on the screen, with its curves: what calipers need to know of whatever page they are laid on."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from qtpy.QtCore import QPointF, QRectF
from qtpy.QtGui import QColor


@dataclass(frozen=True, slots=True, eq=False)
class LeadCurve:
    """One ECG in one lead.

    Attributes
    ----------
    label, color
        As in the legend.
    signal_mv
        ``(n_samples,)`` in mV.
    sampling_rate_hz
        Samples per second.
    """

    label: str
    color: QColor
    signal_mv: NDArray[np.floating]
    sampling_rate_hz: float

    def at(self, time_ms: float) -> float:
        """Voltage in mV of the sample nearest to a time; of the last one beyond the end."""
        sample = round(time_ms * self.sampling_rate_hz / 1000.0)
        return float(self.signal_mv[min(max(sample, 0), len(self.signal_mv) - 1)])


@dataclass(frozen=True, slots=True, eq=False)
class LeadPanel:
    """Where a lead lies.

    Attributes
    ----------
    name
        The lead's.
    area
        What belongs to it, in pixels.
    left, zero
        Pixels of `begin_ms` and of 0 mV.
    px_per_ms, px_per_mv
        Pixels of a millisecond and a millivolt.
    begin_ms
        Time of the curves at the left edge.
    curves
        At least one; the one on top comes first.
    """

    name: str
    area: QRectF
    left: float
    zero: float
    px_per_ms: float
    px_per_mv: float
    begin_ms: float
    curves: tuple[LeadCurve, ...]

    @property
    def step_ms(self) -> float:
        """Time from sample to sample of the curve on top."""
        return 1000.0 / self.curves[0].sampling_rate_hz

    @property
    def end_ms(self) -> float:
        """Time of the last sample that is on the screen."""
        last_ms = (len(self.curves[0].signal_mv) - 1) * self.step_ms
        return min(last_ms, self.begin_ms + self.area.width() / self.px_per_ms)

    def snapped(self, time_ms: float) -> float:
        """Time of the nearest sample on the screen."""
        first, last = np.ceil(self.begin_ms / self.step_ms), np.floor(self.end_ms / self.step_ms + 1e-9)
        return float(np.clip(round(time_ms / self.step_ms), first, last)) * self.step_ms

    def time_at(self, x: float) -> float:
        """Time at a place, on a sample."""
        return self.snapped(self.begin_ms + (x - self.left) / self.px_per_ms)

    def place(self, time_ms: float, curve: int = 0) -> QPointF:
        """Find a curve on the screen."""
        x = self.left + (time_ms - self.begin_ms) * self.px_per_ms
        return QPointF(x, self.zero - self.curves[curve].at(time_ms) * self.px_per_mv)
