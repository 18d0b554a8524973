"""The beats of a rhythm strip: where they are, laid over each other, and which of them are alike.

R waves are found by NeuroKit on the length of the vector of all independent leads, so that no lead has to be chosen and
a beat that is negative in one lead is found in another; leads that are flat, nothing but noise or far larger than the
others are left out of it. The hard idea is which shape is the heart's own when extrasystoles are as many as its beats:
the one that comes after the longer pause, because extrasystoles come early.

References
----------
Detection: Makowski et al., "NeuroKit2: a Python toolbox for neurophysiological signal processing", Behav Res Methods 53
(2021) 1689-1696 (method ``neurokit``, by the steepness of the smoothed gradient).
Alignment by correlation with a template, and its threshold: Laguna, Sornmo, "Sampling rate and the estimation of
ensemble variability for repetitive signals", Med Biol Eng Comput 38 (2000) 540-546; correlation of 0.9 as in the
grouping of beats by the Minnesota and MEANS programs (Van Bemmel 1990, see `qrs_onset.py`).
"""

import warnings
from collections import Counter
from dataclasses import dataclass

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from napari_latent_explorer.errors import RecordingError
from napari_latent_explorer.modeling.qrs_onset import INDEPENDENT_LEADS

Floats = NDArray[np.float64]

PASSBAND_HZ = (1.0, 40.0)
_HALF_QRS_MS = 80.0
_LARGEST_SHIFT_MS = 40.0
_LEAST_CORRELATION = 0.9
_PREMATURE = 0.8
_ROUNDS = 3
_LEAST_STEEPNESS = 0.35
_LEAST_PEAKEDNESS = 5.0
_FAR_LARGER = 6.0
_RIVAL = 0.6
_NOISY = 4.0
_NOISE_FLOOR_MV = 0.05
"""Beats that stray from the median by less are never called noisy."""
_LEAST_BEATS = 3
_SHORTEST_MS = 1000.0


@dataclass(frozen=True, slots=True, eq=False)
class AlignedBeats:
    """Beats of a strip.

    Attributes
    ----------
    samples
        ``(n_beats,)`` sample of each beat at which it lies over the others, near its R wave.
    flaws
        Why each beat is not used: ``premature``, ``of another shape``, ``noisy``; empty for a good one.
    rr_interval_ms
        Median time between neighbouring beats.
    left_out_leads
        Indices, among the twelve, of independent leads that were not looked at.
    """

    samples: NDArray[np.intp]
    flaws: tuple[str, ...]
    rr_interval_ms: float
    left_out_leads: tuple[int, ...]

    @property
    def is_good(self) -> NDArray[np.bool_]:
        """``(n_beats,)`` whether the beat has no flaw."""
        return np.array([not flaw for flaw in self.flaws])

    @property
    def summary(self) -> str:
        """How many beats are left out and why, in words; empty when none is."""
        counts = Counter(flaw for flaw in self.flaws if flaw)
        return ", ".join(f"{count} {flaw}" for flaw, count in sorted(counts.items()))


def find_beats(leads_mv: Floats, sampling_rate_hz: float) -> AlignedBeats:
    """Find and align the beats of a strip ``(12, n_samples)``, and tell which may be combined.

    A beat is aligned where the correlation of its QRS complex, over the clear leads at once, with that of the typical
    beat is highest. It is left out when that correlation is under 0.9, when it comes earlier than 80 % of the median RR
    interval after the one before, or when it strays from the median beat four times as far as others do. The second is
    not asked where more than half would go, as in atrial fibrillation.

    Raises
    ------
    RecordingError
        When no heart beats are found.
    """
    if leads_mv.shape[1] * 1000.0 / sampling_rate_hz < _SHORTEST_MS:
        raise RecordingError(
            f"It lasts under {_SHORTEST_MS / 1000.0:g} s; a rhythm strip of at least 3 beats is needed."
        )
    leads_mv = _within_passband(leads_mv[INDEPENDENT_LEADS], sampling_rate_hz)
    is_clear = _is_clear(leads_mv)
    clear_mv = leads_mv[is_clear]
    half, reach = (round(span / 1000.0 * sampling_rate_hz) for span in (_HALF_QRS_MS, _LARGEST_SHIFT_MS))
    peaks = _steep_ones(clear_mv, _r_peaks(clear_mv, sampling_rate_hz), half)
    peaks = peaks[(peaks >= half + reach) & (peaks + half + reach < leads_mv.shape[1])]
    if len(peaks) < 2:
        raise RecordingError(f"Only {len(peaks)} heart beats were found; a rhythm strip of at least 3 beats is needed.")
    samples, correlation = _aligned(clear_mv, peaks, half, reach)
    steps_ms = np.diff(samples) * 1000.0 / sampling_rate_hz
    rr_interval_ms = float(np.median(steps_ms))
    is_alike = correlation >= _LEAST_CORRELATION
    is_premature = np.concatenate([[False], steps_ms < _PREMATURE * rr_interval_ms])
    if 2 * (is_alike & ~is_premature).sum() < is_alike.sum():
        is_premature[:] = False
    is_noisy = _is_noisy(clear_mv, samples, is_alike & ~is_premature, 2 * half)
    flaws = np.select([~is_alike, is_premature, is_noisy], ["of another shape", "premature", "noisy"], default="")
    left_out = tuple(int(lead) for lead, keep in zip(INDEPENDENT_LEADS, is_clear, strict=True) if not keep)
    return AlignedBeats(samples, tuple(str(flaw) for flaw in flaws), rr_interval_ms, left_out)


def _within_passband(leads_mv: Floats, sampling_rate_hz: float) -> Floats:
    """Leads between 1 and 40 Hz, for finding beats; never for measuring them, because that bends the ST segment."""
    from scipy.signal import butter, sosfiltfilt

    padding = min(leads_mv.shape[1] - 1, round(sampling_rate_hz))
    sections = butter(2, PASSBAND_HZ, "bandpass", fs=sampling_rate_hz, output="sos")
    return np.asarray(sosfiltfilt(sections, leads_mv, axis=1, padlen=padding))


def _is_clear(leads_mv: Floats) -> NDArray[np.bool_]:
    """Leads that are neither flat, nor noise, nor far larger than the others.

    In an ECG the steepest moments are far steeper than most; in noise they are not.
    """
    slope = np.abs(np.diff(leads_mv, axis=1))
    usual, steepest = np.quantile(slope, [0.5, 0.995], axis=1)
    is_peaked = steepest > _LEAST_PEAKEDNESS * usual
    is_clear = is_peaked & (steepest < _FAR_LARGER * np.median(steepest[is_peaked])) if is_peaked.any() else is_peaked
    return np.asarray(is_clear if is_clear.any() else steepest > 0)


def _r_peaks(leads_mv: Floats, sampling_rate_hz: float) -> NDArray[np.intp]:
    import neurokit2

    magnitude = np.linalg.norm(leads_mv, axis=0)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", RuntimeWarning)  # means of empty slices in strips without beats
            _, found = neurokit2.ecg_peaks(magnitude, sampling_rate=round(sampling_rate_hz), method="neurokit")
    except (ValueError, TypeError, IndexError, KeyError) as nothing:  # what NeuroKit meets in strips without beats
        raise RecordingError(f"No heart beats were found in this strip ({nothing}). Choose another one.") from nothing
    return np.asarray(found["ECG_R_Peaks"], dtype=np.intp)


def _steep_ones(leads_mv: Floats, peaks: NDArray[np.intp], half: int) -> NDArray[np.intp]:
    """Peaks without those of T waves, which are far less steep than QRS complexes."""
    if len(peaks) == 0:
        return peaks
    slope = np.linalg.norm(np.diff(leads_mv, axis=1), axis=0)
    steepness = np.array([slope[max(peak - half, 0) : peak + half].max(initial=0.0) for peak in peaks])
    return np.asarray(peaks[steepness >= _LEAST_STEEPNESS * np.quantile(steepness, 0.75)])


def _aligned(leads_mv: Floats, peaks: NDArray[np.intp], half: int, reach: int) -> tuple[NDArray[np.intp], Floats]:
    """Aligned samples ``(n_beats,)`` and each beat's correlation with the typical one."""
    wide = _windows(leads_mv, peaks, half + reach)  # (beat, lead, sample)
    template = _own_shape(wide, peaks, half, reach)
    samples, correlation = peaks, np.zeros(len(peaks))
    for _ in range(_ROUNDS):
        shifts, correlation = _best_shifts(wide, template, half, reach)
        samples = peaks + shifts
        is_alike = correlation >= min(_LEAST_CORRELATION, float(np.median(correlation)))
        template = np.median(_windows(leads_mv, samples[is_alike], half), axis=0)
    return samples, correlation


def _own_shape(wide: Floats, peaks: NDArray[np.intp], half: int, reach: int) -> Floats:
    """QRS complex ``(n_leads, n_samples)`` of the heart's own beats, not of its extrasystoles."""
    beats = wide[:, :, reach : reach + 2 * half + 1]
    first = _most_typical(beats)
    is_first = _best_shifts(wide, first, half, reach)[1] >= _LEAST_CORRELATION
    if is_first.sum() < 2 or (~is_first).sum() < _LEAST_BEATS:
        return first
    other = _most_typical(beats[~is_first])
    is_other = ~is_first & (_best_shifts(wide, other, half, reach)[1] >= _LEAST_CORRELATION)
    if is_other.sum() < max(_LEAST_BEATS, _RIVAL * is_first.sum()):
        return first
    pause = np.concatenate([[np.nan], np.diff(peaks)])
    return other if np.nanmedian(pause[is_other]) > np.nanmedian(pause[is_first]) else first


def _best_shifts(wide: Floats, template: Floats, half: int, reach: int) -> tuple[NDArray[np.intp], Floats]:
    """Shift ``(n_beats,)`` at which each beat is most like the template, and its correlation there."""
    width = 2 * half + 1
    pattern = _normed(template[None]).reshape(template.shape)  # each lead around 0, so that means need no care below
    windows = sliding_window_view(wide, width, axis=2)  # (beat, lead, shift, sample)
    products = np.einsum("blsw,lw->bs", windows, pattern, optimize=True)
    sums, squares = (sliding_window_view(one, width, axis=2).sum(axis=3) for one in (wide, wide**2))
    lengths = np.sqrt(np.maximum((squares - sums**2 / width).sum(axis=1), 1e-24))
    correlation = products / lengths  # (beat, shift)
    return np.arange(-reach, reach + 1)[correlation.argmax(axis=1)], correlation.max(axis=1)


def _windows(leads_mv: Floats, samples: NDArray[np.intp], half: int) -> Floats:
    """``(n_beats, n_leads, 2 half + 1)`` signal around each sample."""
    return np.stack([leads_mv[:, sample - half : sample + half + 1] for sample in samples])


def _most_typical(beats: Floats) -> Floats:
    """Pick the beat whose median correlation with the others is highest: it has the commonest shape."""
    flat = _normed(beats)
    return np.asarray(beats[int(np.median(flat @ flat.T, axis=1).argmax())])


def _normed(beats: Floats) -> Floats:
    """Each beat as a vector of length 1 over all leads, each lead around its own mean."""
    flat = (beats - beats.mean(axis=2, keepdims=True)).reshape(len(beats), -1)
    return np.asarray(flat / np.maximum(np.linalg.norm(flat, axis=1, keepdims=True), 1e-12))


def _is_noisy(leads_mv: Floats, samples: NDArray[np.intp], is_good: NDArray[np.bool_], half: int) -> NDArray[np.bool_]:
    """Beats ``(n_beats,)`` that stray much farther from the median of the good ones; the outer ones are not asked."""
    is_inside = (samples >= half) & (samples + half < leads_mv.shape[1])
    is_noisy = np.zeros(len(samples), dtype=np.bool_)
    if (is_good & is_inside).sum() < _LEAST_BEATS:
        return is_noisy
    beats = _windows(leads_mv, samples[is_inside], half)
    is_usual = is_good[is_inside]
    strays_mv = np.sqrt(np.mean((beats - np.median(beats[is_usual], axis=0)) ** 2, axis=(1, 2)))
    is_noisy[is_inside] = strays_mv > _NOISY * np.median(strays_mv[is_usual]) + _NOISE_FLOOR_MV
    return is_noisy
