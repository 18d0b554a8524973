"""One heart cycle told twice: a cine begins at the R peak, a median ECG some 400 ms before it.

What comes late in the cine's cycle (atrial filling) is drawn before the R peak on the ECG, where the P wave is.
"""

import numpy as np
from numpy.typing import NDArray


def r_peak_ms(signal_mv: NDArray[np.float32], sampling_rate_hz: float) -> float:
    """Time of the largest deflection over all leads of a median beat ``(n_leads, n_samples)``."""
    power = np.square(signal_mv - np.median(signal_mv, axis=1, keepdims=True)).sum(axis=0)
    return float(np.argmax(power)) * 1000.0 / sampling_rate_hz


def to_ecg_time_ms(cine_time_ms: float, rr_interval_ms: float, peak_ms: float, duration_ms: float) -> float:
    """Time after the ECG's first sample for a time after the R peak; one cycle back where the ECG has ended."""
    time_ms = peak_ms + cine_time_ms
    return time_ms if time_ms <= duration_ms else max(0.0, time_ms - rr_interval_ms)


def to_cine_time_ms(ecg_time_ms: float, rr_interval_ms: float, peak_ms: float) -> float:
    """Time after the R peak, within one cycle, for a time after the ECG's first sample."""
    return (ecg_time_ms - peak_ms) % rr_interval_ms
