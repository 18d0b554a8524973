"""The beats of a rhythm strip: where they are, laid over each other, and which of them are alike.

R waves are found on the length of the vector of all independent leads, so that no lead has to be chosen and a beat that
is negative in one lead is found in another.
"""

import warnings
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from napari_latent_explorer.errors import RecordingError
from napari_latent_explorer.modeling.qrs_onset import INDEPENDENT_LEADS

Floats = NDArray[np.float64]

_HALF_QRS_MS = 80.0
_LARGEST_SHIFT_MS = 40.0
_LEAST_CORRELATION = 0.9
_PREMATURE = 0.8
_ROUNDS = 3


@dataclass(frozen=True, slots=True, eq=False)
class AlignedBeats:
    """Beats of a strip.

    Attributes
    ----------
    samples
        ``(n_beats,)`` sample of each beat at which it lies over the others, near its R wave.
    is_good
        ``(n_beats,)`` whether the beat is neither premature nor of another shape.
    rr_interval_ms
        Median time between neighbouring beats.
    """

    samples: NDArray[np.intp]
    is_good: NDArray[np.bool_]
    rr_interval_ms: float


def find_beats(leads_mv: Floats, sampling_rate_hz: float) -> AlignedBeats:
    """Find and align the beats of a strip ``(12, n_samples)`` without baseline wander.

    A beat is aligned where the correlation of its QRS complex, over the independent leads at once, with that of the
    typical beat is highest. It is left out when that correlation is under 0.9, or when it comes earlier than 80 % of
    the median RR interval after the one before; the latter is not asked where more than half would go, as in atrial
    fibrillation.

    Raises
    ------
    RecordingError
        When no heart beats are found.
    """
    leads_mv = leads_mv[INDEPENDENT_LEADS]
    peaks = _r_peaks(leads_mv, sampling_rate_hz)
    half = round(_HALF_QRS_MS / 1000.0 * sampling_rate_hz)
    reach = round(_LARGEST_SHIFT_MS / 1000.0 * sampling_rate_hz)
    peaks = peaks[(peaks >= half + reach) & (peaks + half + reach < leads_mv.shape[1])]
    if len(peaks) < 2:
        raise RecordingError(f"Only {len(peaks)} heart beats were found; a rhythm strip of at least 3 beats is needed.")
    samples, correlation = _aligned(leads_mv, peaks, half, reach)
    steps_ms = np.diff(samples) * 1000.0 / sampling_rate_hz
    rr_interval_ms = float(np.median(steps_ms))
    is_premature = np.concatenate([[False], steps_ms < _PREMATURE * rr_interval_ms])
    is_alike = correlation >= _LEAST_CORRELATION
    is_good = is_alike & ~is_premature
    if 2 * is_good.sum() < is_alike.sum():
        is_good = is_alike
    return AlignedBeats(samples, is_good, rr_interval_ms)


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


def _aligned(leads_mv: Floats, peaks: NDArray[np.intp], half: int, reach: int) -> tuple[NDArray[np.intp], Floats]:
    """Aligned samples ``(n_beats,)`` and each beat's correlation with the typical one."""
    samples = peaks
    template = _most_typical(_windows(leads_mv, samples, half))
    correlation = np.zeros(len(peaks))
    shifts = np.arange(-reach, reach + 1)
    for _ in range(_ROUNDS):
        wide = _windows(leads_mv, peaks, half + reach)  # (beat, lead, sample)
        scores = np.stack(
            [_correlation(wide[:, :, reach + s : reach + s + 2 * half + 1], template) for s in shifts], axis=1
        )
        best = scores.argmax(axis=1)
        samples, correlation = peaks + shifts[best], scores.max(axis=1)
        is_alike = correlation >= min(_LEAST_CORRELATION, float(np.median(correlation)))
        template = np.median(_windows(leads_mv, samples[is_alike], half), axis=0)
    return samples, correlation


def _windows(leads_mv: Floats, samples: NDArray[np.intp], half: int) -> Floats:
    """``(n_beats, n_leads, 2 half + 1)`` signal around each sample."""
    return np.stack([leads_mv[:, sample - half : sample + half + 1] for sample in samples])


def _most_typical(beats: Floats) -> Floats:
    """Pick the beat whose median correlation with the others is highest: it has the commonest shape."""
    flat = beats.reshape(len(beats), -1)
    flat = flat - flat.mean(axis=1, keepdims=True)
    flat /= np.maximum(np.linalg.norm(flat, axis=1, keepdims=True), 1e-12)
    return np.asarray(beats[int(np.median(flat @ flat.T, axis=1).argmax())])


def _correlation(beats: Floats, template: Floats) -> Floats:
    flat, reference = beats.reshape(len(beats), -1), template.ravel()
    flat, reference = flat - flat.mean(axis=1, keepdims=True), reference - reference.mean()
    norms = np.linalg.norm(flat, axis=1) * np.linalg.norm(reference)
    return np.asarray(flat @ reference / np.maximum(norms, 1e-12))
