"""Mains hum taken out of a strip by subtraction, because a notch filter rings at every QRS complex.

A QRS complex has power at 50 Hz too, as the teeth of a comb at multiples of the heart rate; hum is one line that stands
far above these teeth. Where there is none, nothing is done.

References
----------
Levkov et al., "Removal of power-line interference from the ECG: a review of the subtraction procedure", Biomed Eng
Online 4 (2005) 50; here the hum is a sine fitted by least squares over blocks of up to ten seconds.
"""

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

_MAINS_HZ = (50.0, 60.0)
_DRIFT_HZ = 1.0
_COMB_HZ = (2.0, 8.0)
_ABOVE_COMB = 2.5
_BLOCK_MS = 10_000.0
_SHORTEST_MS = 2_000.0
_GRID = 21


def without_mains_hum(leads_mv: Floats, sampling_rate_hz: float) -> Floats:
    """Leads ``(n_leads, n_samples)`` in mV without hum of 50 or 60 Hz, if there is any."""
    n_blocks = max(1, round(leads_mv.shape[1] * 1000.0 / sampling_rate_hz / _BLOCK_MS))
    blocks = np.array_split(leads_mv, n_blocks, axis=1)
    return np.concatenate([_clean_block(block, sampling_rate_hz) for block in blocks], axis=1)


def _clean_block(block_mv: Floats, sampling_rate_hz: float) -> Floats:
    n_samples = block_mv.shape[1]
    if n_samples * 1000.0 / sampling_rate_hz < _SHORTEST_MS:
        return block_mv
    window = np.hanning(n_samples)
    around_mean = block_mv - block_mv.mean(axis=1, keepdims=True)
    amplitude_mv = np.abs(np.fft.rfft(around_mean * window, axis=1)).sum(axis=0) / window.sum()
    frequency_hz = np.fft.rfftfreq(n_samples, 1.0 / sampling_rate_hz)
    for mains_hz in _MAINS_HZ:
        distance_hz = np.abs(frequency_hz - mains_hz)
        line, comb = distance_hz <= _DRIFT_HZ, (distance_hz > _COMB_HZ[0]) & (distance_hz <= _COMB_HZ[1])
        if mains_hz + _DRIFT_HZ < sampling_rate_hz / 2 and line.any() and comb.any():
            peak = int(np.argmax(np.where(line, amplitude_mv, -1.0)))
            if amplitude_mv[peak] > _ABOVE_COMB * amplitude_mv[comb].max():
                block_mv = block_mv - _fitted_sine(around_mean, frequency_hz[peak], sampling_rate_hz)
    return block_mv


def _fitted_sine(leads_mv: Floats, near_hz: float, sampling_rate_hz: float) -> Floats:
    """Sine of one frequency within a bin of `near_hz`, with an amplitude and phase for each lead, that fits best."""
    n_samples = leads_mv.shape[1]
    time_s = np.arange(n_samples) / sampling_rate_hz
    candidates_hz = near_hz + np.linspace(-1.0, 1.0, _GRID) * sampling_rate_hz / n_samples
    waves = np.exp(-2j * np.pi * candidates_hz[:, None] * time_s)
    phasors = 2.0 / n_samples * waves @ leads_mv.T  # (candidate, lead)
    best = int((np.abs(phasors) ** 2).sum(axis=1).argmax())
    return np.asarray((phasors[best][:, None] * waves[best].conj()).real)
