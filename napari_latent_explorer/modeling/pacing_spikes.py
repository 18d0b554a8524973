"""Pulses of a pacemaker taken out of a strip, because they are steeper than any QRS complex and would be taken for one.

A pulse lasts under 4 ms, and so a running median over 8 ms does not see it, while it leaves a QRS complex nearly as it
is: in recordings of people without a pacemaker the two differ by at most a tenth of the largest swing. Strips under
400 Hz have smeared pulses that cannot be told from QRS complexes; they are left alone.
"""

import numpy as np
from numpy.typing import NDArray

from napari_latent_explorer.modeling.qrs_onset import INDEPENDENT_LEADS

Floats = NDArray[np.float64]

_MEDIAN_MS = 8.0
_LOWEST_RATE_HZ = 400.0
_LEAST_MV = 0.4
_SHARE_OF_SWING = 0.15
_APART_MS = 40.0
_MOST_TIME = 0.05
"""Pulses take up less of a strip than this; more of them is noise."""


def without_pacing_spikes(leads_mv: Floats, sampling_rate_hz: float) -> tuple[Floats, int]:
    """Leads ``(12, n_samples)`` in mV with pulses bridged by straight lines, and how many there were."""
    from scipy.ndimage import binary_dilation, median_filter

    if sampling_rate_hz < _LOWEST_RATE_HZ:
        return leads_mv, 0
    reach = max(1, round(_MEDIAN_MS / 2000.0 * sampling_rate_hz))
    seen_mv = leads_mv[INDEPENDENT_LEADS]
    narrow_mv = np.linalg.norm(seen_mv - median_filter(seen_mv, size=(1, 2 * reach + 1), mode="nearest"), axis=0)
    swing_mv = np.median(np.quantile(seen_mv, 0.999, axis=1) - np.quantile(seen_mv, 0.001, axis=1))
    is_pulse = narrow_mv > max(_LEAST_MV, _SHARE_OF_SWING * float(swing_mv))
    is_pulse = binary_dilation(is_pulse, iterations=reach)
    if not is_pulse.any() or is_pulse.mean() > _MOST_TIME:
        return leads_mv, 0
    samples = np.arange(leads_mv.shape[1])
    bridged = [np.interp(samples, samples[~is_pulse], lead[~is_pulse]) for lead in leads_mv]
    apart = np.diff(np.flatnonzero(is_pulse)) > _APART_MS / 1000.0 * sampling_rate_hz
    return np.stack(bridged), 1 + int(apart.sum())
