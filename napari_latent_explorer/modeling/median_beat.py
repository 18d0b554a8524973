"""One representative beat from a rhythm strip, laid out as the model expects it.

The strip is resampled to 500 Hz; its beats are found, aligned and sifted (`beat_alignment.py`); the baseline is drawn
through the quiet moment before each QRS complex and taken away; the median over the beats, sample by sample and lead by
lead, is the beat. Ends that already belong to a neighbouring beat are faded to the baseline, so that the beat stands
alone however fast the heart.

References
----------
Baseline through the PQ segments: Meyer, Keiser, "Electrocardiogram baseline noise estimation and removal using cubic
splines and state-space computation techniques", Comput Biomed Res 10 (1977) 459-470; here with pieces that do not
overshoot (Fritsch, Carlson 1980).
"""

from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from napari_latent_explorer.data.ecg import ECG, LEAD_NAMES
from napari_latent_explorer.errors import RecordingError
from napari_latent_explorer.modeling.beat_alignment import AlignedBeats, find_beats
from napari_latent_explorer.modeling.bundle_metadata import QRS_ONSET_MS, SAMPLING_RATE_HZ
from napari_latent_explorer.modeling.qrs_onset import find_qrs_onset
from napari_latent_explorer.nn.ecg import N_SAMPLES

Floats = NDArray[np.float64]

_LEAST_BEATS = 3
_HIGHEST_RR_MS = 3000.0
_WANDER_HZ = 0.5
_BEFORE_MS, _AFTER_MS = 600.0, 900.0
_PQ_MS = (20.0, 4.0)
"""The quiet moment, from and to so many ms before QRS onset."""
_LONGEST_PR_MS = 240.0
_QTC_MS = 430.0
_FADE_MS = 40.0
_ONSET_SAMPLE = round(QRS_ONSET_MS / 1000.0 * SAMPLING_RATE_HZ)


def make_median_beat(rhythm: ECG) -> ECG:
    """Make a median beat ``(12, 600)`` at 500 Hz with QRS onset at 435 ms.

    Parameters
    ----------
    rhythm
        Strip of twelve leads at any sampling rate.

    Raises
    ------
    RecordingError
        When a lead is missing, or fewer than three beats are alike.
    """
    source = rhythm.source or "this ECG"
    strip_mv = _at_model_rate(rhythm.leads().astype(np.float64), rhythm.sampling_rate_hz)
    try:
        beats = find_beats(_without_wander(strip_mv), SAMPLING_RATE_HZ)
    except RecordingError as error:
        raise RecordingError(f"Cannot make a median beat of {source}: {error}") from error
    n_good = int(beats.is_good.sum())
    if n_good < _LEAST_BEATS:
        raise RecordingError(
            f"Cannot make a median beat of {source}: only {n_good} of its {len(beats.samples)} beats are alike, at "
            f"least {_LEAST_BEATS} are needed. Choose a longer or cleaner strip."
        )
    good = beats.samples[beats.is_good]
    onset = _onset_after(_median(_without_wander(strip_mv), good))
    strip_mv -= _baseline(strip_mv, good + onset)
    median_mv = _median(strip_mv, good)
    onset = _onset_after(median_mv)
    first = round(_BEFORE_MS / 1000.0 * SAMPLING_RATE_HZ) + onset - _ONSET_SAMPLE
    beat_mv = median_mv[:, first : first + N_SAMPLES]
    beat_mv -= beat_mv[:, _quiet_samples()].mean(axis=1, keepdims=True)
    beat_mv *= _fade(beats)
    onset_ms = _ONSET_SAMPLE * 1000.0 / SAMPLING_RATE_HZ
    made_of = f"{n_good} of {len(beats.samples)} beats of {source}"
    return ECG(beat_mv.astype(np.float32), LEAD_NAMES, SAMPLING_RATE_HZ, "median", onset_ms, made_of)


def beat_around(ecg: ECG, onset_ms: float) -> ECG:
    """Move and resample a median beat so that `onset_ms` comes to lie at 435 ms; beyond its ends it is held."""
    signal_mv = _at_model_rate(ecg.leads().astype(np.float64), ecg.sampling_rate_hz)
    wanted = np.arange(N_SAMPLES) + (onset_ms - QRS_ONSET_MS) / 1000.0 * SAMPLING_RATE_HZ
    moved = np.stack([np.interp(wanted, np.arange(len(lead)), lead) for lead in signal_mv])
    return ECG(moved.astype(np.float32), LEAD_NAMES, SAMPLING_RATE_HZ, "median", QRS_ONSET_MS, ecg.source)


def _at_model_rate(leads_mv: Floats, sampling_rate_hz: float) -> Floats:
    from scipy.signal import resample_poly

    ratio = Fraction(SAMPLING_RATE_HZ / sampling_rate_hz).limit_denominator(1000)
    if ratio == 1:
        return leads_mv
    return np.asarray(resample_poly(leads_mv, ratio.numerator, ratio.denominator, axis=1, padtype="line"))


def _without_wander(strip_mv: Floats) -> Floats:
    """Strip above 0.5 Hz, for finding beats; never for measuring them, because it bends the ST segment."""
    from scipy.signal import butter, sosfiltfilt

    padding = min(strip_mv.shape[1] - 1, round(SAMPLING_RATE_HZ))
    sections = butter(2, _WANDER_HZ, "highpass", fs=SAMPLING_RATE_HZ, output="sos")
    return np.asarray(sosfiltfilt(sections, strip_mv, axis=1, padlen=padding))


def _median(strip_mv: Floats, samples: NDArray[np.intp]) -> Floats:
    """Median ``(n_leads, n_samples)`` from 600 ms before to 900 ms after the beats' samples; strip ends are held."""
    before, after = (round(span / 1000.0 * SAMPLING_RATE_HZ) for span in (_BEFORE_MS, _AFTER_MS))
    padded = np.pad(strip_mv, ((0, 0), (before, after)), mode="edge")
    return np.asarray(np.median([padded[:, sample : sample + before + after] for sample in samples], axis=0))


def _onset_after(median_mv: Floats) -> int:
    """QRS onset of a median from `_median`, in samples after the one at which beats are aligned (mostly negative)."""
    before = round(_BEFORE_MS / 1000.0 * SAMPLING_RATE_HZ)
    reach = round(0.2 * SAMPLING_RATE_HZ)
    onset_ms = find_qrs_onset(median_mv[:, before - reach : before + reach], SAMPLING_RATE_HZ)
    return round(onset_ms / 1000.0 * SAMPLING_RATE_HZ) - reach


def _baseline(strip_mv: Floats, onsets: NDArray[np.intp]) -> Floats:
    """Line ``(n_leads, n_samples)`` through the quiet moments before the QRS complexes, level beyond the outer ones."""
    from scipy.interpolate import PchipInterpolator

    first, last = (round(span / 1000.0 * SAMPLING_RATE_HZ) for span in _PQ_MS)
    onsets = onsets[onsets >= first]
    levels = np.stack([strip_mv[:, onset - first : onset - last].mean(axis=1) for onset in onsets], axis=1)
    middles = onsets - (first + last) / 2.0
    samples = np.clip(np.arange(strip_mv.shape[1]), middles[0], middles[-1])
    return np.asarray(PchipInterpolator(middles, levels, axis=1)(samples))


def _quiet_samples() -> slice:
    first, last = (round(span / 1000.0 * SAMPLING_RATE_HZ) for span in _PQ_MS)
    return slice(_ONSET_SAMPLE - first, _ONSET_SAMPLE - last)


def _fade(beats: AlignedBeats) -> Floats:
    """Weights ``(600,)``: 1 in the beat, falling to 0 where the T wave before it or the P wave after it may lie."""
    time_ms = (np.arange(N_SAMPLES) - _ONSET_SAMPLE) * 1000.0 / SAMPLING_RATE_HZ
    rr_interval_ms = min(beats.rr_interval_ms, _HIGHEST_RR_MS)
    qt_ms = _QTC_MS * np.sqrt(rr_interval_ms / 1000.0)  # Bazett: a QTc that few people exceed
    t_before_reaches_in = rr_interval_ms - 1.1 * qt_ms < QRS_ONSET_MS
    begin_ms = -_LONGEST_PR_MS if t_before_reaches_in else time_ms[0]
    end_ms = max(rr_interval_ms - _LONGEST_PR_MS, qt_ms)
    outside_ms = np.maximum(np.maximum(begin_ms - time_ms, time_ms - end_ms), 0.0)
    return np.asarray(0.5 + 0.5 * np.cos(np.pi * np.minimum(outside_ms / _FADE_MS, 1.0)))
