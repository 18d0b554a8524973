"""How one beat differs from another: where they are farthest apart in each lead, and by how many millivolt."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from napari_latent_explorer.data.arrays import read_only
from napari_latent_explorer.data.ecg import LEAD_NAMES


@dataclass(frozen=True, slots=True, eq=False)
class EcgDifference:
    """Two beats of the same length and rate.

    Attributes
    ----------
    before_mv, after_mv
        ``(12, n_samples)`` in mV, in the clinical order.
    sampling_rate_hz
        Samples per second.
    largest_mv
        ``(12,)`` difference, after less before, at the sample where it is largest in either direction.
    largest_at_ms
        ``(12,)`` where that is, after the first sample.
    """

    before_mv: NDArray[np.float32]
    after_mv: NDArray[np.float32]
    sampling_rate_hz: float
    largest_mv: NDArray[np.float32]
    largest_at_ms: NDArray[np.float64]

    @classmethod
    def between(
        cls, before_mv: NDArray[np.float32], after_mv: NDArray[np.float32], sampling_rate_hz: float
    ) -> "EcgDifference":
        """Compare two beats ``(12, n_samples)``; a lead that either lacks (NaN) does not differ."""
        change_mv = np.nan_to_num(after_mv - before_mv)
        samples = np.abs(change_mv).argmax(axis=1)
        largest_mv = np.take_along_axis(change_mv, samples[:, None], axis=1)[:, 0]
        at_ms = samples * 1000.0 / sampling_rate_hz
        return cls(before_mv, after_mv, sampling_rate_hz, read_only(largest_mv, np.float32), read_only(at_ms))

    @property
    def lead(self) -> str:
        """Name of the lead that differs most."""
        return LEAD_NAMES[int(np.abs(self.largest_mv).argmax())]

    def __str__(self) -> str:
        """Say what the largest difference is, for people."""
        row = LEAD_NAMES.index(self.lead)
        return f"{self.largest_mv[row]:+.2f} mV in {self.lead} at {self.largest_at_ms[row]:.0f} ms"
