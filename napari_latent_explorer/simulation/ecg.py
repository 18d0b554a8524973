"""Twelve leads on the skin from the moving dipole of a simulated heart: a median beat, or a rhythm strip."""

from dataclasses import replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from napari_latent_explorer.data.ecg import ECG, LEAD_NAMES
from napari_latent_explorer.simulation import artefacts
from napari_latent_explorer.simulation.dipole import LEAD_FIELD, make_beat
from napari_latent_explorer.simulation.factors import ParticipantFactors

Array = NDArray[np.float64]

SAMPLING_RATE_HZ: Final = 500.0
N_MEDIAN_SAMPLES: Final = 600
QRS_ONSET_MS: Final = 435.0
"""Where a median beat's QRS begins, as in the UK Biobank's recordings."""

_ELECTRODE_STREAM, _MEDIAN_STREAM, _RHYTHM_STREAM = 12, 13, 14
_FIBRILLATION_MV: Final = np.array([-0.03, 0.03, -0.05])


def simulate_ecg(factors: ParticipantFactors) -> ECG:
    """Simulate the median beat, ``(12, 600)`` at 500 Hz, of one person.

    It shows one beat alone: neither the end of the beat before nor the beginning of the next, however fast the heart.
    """
    rng = np.random.default_rng([factors.seed, _MEDIAN_STREAM])
    time_ms = np.arange(N_MEDIAN_SAMPLES, dtype=np.float64) * 1000.0 / SAMPLING_RATE_HZ - QRS_ONSET_MS
    dipole_mv = make_beat(factors).at(time_ms)
    if factors.has_atrial_fibrillation:
        dipole_mv += 0.12 * _fibrillation(time_ms, rng)
    leads_mv = _lead_field(factors) @ dipole_mv
    leads_mv += _band_noise(leads_mv.shape, 3, rng, 0.002) + _band_noise(leads_mv.shape, 101, rng, 0.003)
    return _finish(leads_mv, factors, "median", rng)


def simulate_rhythm_ecg(factors: ParticipantFactors, duration_s: float = 10.0) -> ECG:
    """Simulate a strip of `duration_s` at 500 Hz: breathing, muscle and mains are in it, fibrillation is irregular."""
    rng = np.random.default_rng([factors.seed, _RHYTHM_STREAM])
    time_ms = np.arange(round(duration_s * SAMPLING_RATE_HZ), dtype=np.float64) * 1000.0 / SAMPLING_RATE_HZ
    dipole_mv = _beats(factors, time_ms, rng)
    if factors.has_atrial_fibrillation:
        dipole_mv += _fibrillation(time_ms, rng)
    leads_mv = _lead_field(factors) @ dipole_mv + _recording_noise(time_ms, rng)
    return _finish(leads_mv, factors, "rhythm", rng)


def twelve_leads(independent_mv: Array) -> Array:
    """Twelve leads ``(12, n_samples)`` in clinical order from I, II, V1 to V6 ``(8, n_samples)``.

    III follows from Einthoven's law, aVR, aVL and aVF from Goldberger's.
    """
    lead_i, lead_ii = independent_mv[0], independent_mv[1]
    limbs = [lead_i, lead_ii, lead_ii - lead_i, -(lead_i + lead_ii) / 2, lead_i - lead_ii / 2, lead_ii - lead_i / 2]
    return np.concatenate([limbs, independent_mv[2:]])


def _finish(leads_mv: Array, factors: ParticipantFactors, kind: str, rng: np.random.Generator) -> ECG:
    signal_mv = twelve_leads(leads_mv).astype(np.float32)
    if factors.ecg_quality == "spikes":
        signal_mv = artefacts.spikes(signal_mv, rng)
    source = f"simulated participant {factors.participant_id}"
    if kind == "median":
        return ECG(signal_mv, LEAD_NAMES, SAMPLING_RATE_HZ, "median", QRS_ONSET_MS, source)
    return ECG(signal_mv, LEAD_NAMES, SAMPLING_RATE_HZ, "rhythm", None, source)


def _lead_field(factors: ParticipantFactors) -> Array:
    """Dower's matrix ``(8, 3)`` with this person's placement of the six chest electrodes."""
    rng = np.random.default_rng([factors.seed, _ELECTRODE_STREAM])
    field = LEAD_FIELD.copy()
    field[2:] += 0.05 * rng.standard_normal((6, 3))
    return field


def _beats(factors: ParticipantFactors, time_ms: Array, rng: np.random.Generator) -> Array:
    """Dipole ``(3, n_times)`` of all beats; in fibrillation each QT follows the cycle before it."""
    cycle_ms = 60000.0 / factors.heart_rate_bpm
    onset_ms = -rng.uniform(1.0, 2.0) * cycle_ms  # one beat before the strip, whose T may reach into it
    dipole_mv = np.zeros((3, len(time_ms)))
    beat = make_beat(factors)
    while onset_ms < time_ms[-1] + 500.0:
        rr_ms = _next_cycle(factors, cycle_ms, onset_ms, rng)
        if factors.has_atrial_fibrillation:
            qt_ms = factors.qt_interval_ms * (rr_ms / cycle_ms) ** 0.33
            beat = make_beat(replace(factors, qt_interval_ms=qt_ms))
        onset_ms += rr_ms
        here = slice(*np.searchsorted(time_ms, [onset_ms - 400.0, onset_ms + 800.0]))
        breath = 1.0 + 0.04 * np.sin(2.0 * np.pi * onset_ms / 4200.0)
        dipole_mv[:, here] += breath * beat.at(time_ms[here] - onset_ms)
    return dipole_mv


def _next_cycle(factors: ParticipantFactors, cycle_ms: float, now_ms: float, rng: np.random.Generator) -> float:
    if factors.has_atrial_fibrillation:
        return float(np.clip(cycle_ms * np.exp(0.20 * rng.standard_normal() - 0.02), 380.0, 1900.0))
    return float(cycle_ms * (1.0 + 0.025 * np.sin(2.0 * np.pi * now_ms / 4200.0) + 0.012 * rng.standard_normal()))


def _fibrillation(time_ms: Array, rng: np.random.Generator) -> Array:
    """Dipole ``(3, n_times)`` of fibrillating atria: waves of 5 to 8 per second that come and go, strongest in V1."""
    waves = np.zeros(len(time_ms))
    for rate_hz, phase in zip(rng.uniform(5.0, 8.0, 3), rng.uniform(0.0, 2.0 * np.pi, 3), strict=True):
        waves += np.sin(2.0 * np.pi * rate_hz * time_ms / 1000.0 + phase)
    return np.asarray(_FIBRILLATION_MV[:, None] * waves / np.sqrt(1.5))


def _recording_noise(time_ms: Array, rng: np.random.Generator) -> Array:
    """Noise ``(8, n_times)`` in mV of a strip: wander with the breath, muscle, mains."""
    shape = (8, len(time_ms))
    breath = np.sin(2.0 * np.pi * time_ms / 4200.0 + rng.uniform(0.0, 2.0 * np.pi))
    mains = np.sin(2.0 * np.pi * 0.05 * time_ms + rng.uniform(0.0, 2.0 * np.pi))
    noise = 0.03 * rng.standard_normal((8, 1)) * breath + 0.003 * rng.standard_normal((8, 1)) * mains
    return np.asarray(noise + _band_noise(shape, 5, rng, 0.008) + _band_noise(shape, 751, rng, 0.02))


def _band_noise(shape: tuple[int, ...], width: int, rng: np.random.Generator, sd_mv: float) -> Array:
    """Noise of the given standard deviation, white up to about the sampling rate over `width` (a moving mean)."""
    sums = np.cumsum(rng.standard_normal((shape[0], shape[1] + width)), axis=1)
    return np.asarray((sums[:, width:] - sums[:, :-width]) * sd_mv / np.sqrt(width))
