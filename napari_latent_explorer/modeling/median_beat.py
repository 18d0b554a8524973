"""One representative beat from a rhythm strip, laid out as the model expects it.

1. Of a strip longer than a minute, the minute in its middle is taken; pacing spikes are bridged (`pacing_spikes.py`),
   the strip is resampled to 500 Hz and mains hum subtracted (`mains_hum.py`).
2. Its beats are found by NeuroKit, aligned by correlation and sifted: premature ones, ones of another shape and noisy
   ones are left out (`beat_alignment.py`).
3. The baseline is drawn through the quiet moment before each QRS complex and taken away.
4. The median over the beats, sample by sample and lead by lead, is the beat. Its QRS onset is found (`qrs_onset.py`)
   and put at 435 ms, where the model expects it.
5. Ends that already belong to a neighbouring beat are faded to the baseline, so that the beat stands alone however
   fast the heart.

No filter bends the beat itself: ST segment and T wave are as recorded, but for the baseline.

References
----------
Baseline by natural cubic splines through the PQ segments: Meyer, Keiser, "Electrocardiogram baseline noise estimation
and removal using cubic splines and state-space computation techniques", Comput Biomed Res 10 (1977) 459-470.
The median, rather than the mean, of aligned beats: as in the 12SL program whose medians UK Biobank holds (GE
Healthcare, "Marquette 12SL ECG Analysis Program: Physician's Guide", 2056246-002).
"""

from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from napari_latent_explorer.data.ecg import ECG, LEAD_NAMES
from napari_latent_explorer.errors import RecordingError
from napari_latent_explorer.modeling.beat_alignment import AlignedBeats, find_beats
from napari_latent_explorer.modeling.mains_hum import without_mains_hum
from napari_latent_explorer.modeling.pacing_spikes import without_pacing_spikes
from napari_latent_explorer.modeling.preprocessing_spec import QRS_ONSET_MS, SAMPLING_RATE_HZ, STANDARD, EcgSpec
from napari_latent_explorer.modeling.qrs_onset import find_qrs_onset
from napari_latent_explorer.nn.ecg import N_SAMPLES

Floats = NDArray[np.float64]

_LEAST_BEATS = 3
_LONGEST_STRIP_MS = 60_000.0
_LOWEST_RATE_HZ, _HIGHEST_RATE_HZ = 80.0, 100_000.0
_HIGHEST_RR_MS = 3000.0
_BEFORE_MS, _AFTER_MS = 700.0, 1000.0
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
        Strip of twelve leads at 80 Hz or more.

    Returns
    -------
    median
        Its `source` says how many beats were found and used, why others were not, and what was done to the strip.

    Raises
    ------
    RecordingError
        When a lead is missing, the strip has no beats, or fewer than three beats are alike.
    """
    source = rhythm.source or "this ECG"
    leads_mv = rhythm.leads().astype(np.float64)
    if not _LOWEST_RATE_HZ <= rhythm.sampling_rate_hz <= _HIGHEST_RATE_HZ:
        raise RecordingError(
            f"Cannot make a median beat of {source}: it has {rhythm.sampling_rate_hz:g} samples per second; expected "
            f"are {_LOWEST_RATE_HZ:g} to {_HIGHEST_RATE_HZ:g}. Use the original recording."
        )
    strip_mv, n_spikes = without_pacing_spikes(_middle(leads_mv, rhythm.sampling_rate_hz), rhythm.sampling_rate_hz)
    strip_mv = without_mains_hum(_at_rate(strip_mv, rhythm.sampling_rate_hz, SAMPLING_RATE_HZ), SAMPLING_RATE_HZ)
    try:
        beats = find_beats(strip_mv, SAMPLING_RATE_HZ)
        if beats.is_good.sum() < _LEAST_BEATS:
            raise RecordingError(
                f"only {beats.is_good.sum()} of its {len(beats.samples)} beats are alike, at least {_LEAST_BEATS} are "
                f"needed (left out: {beats.summary}). Choose a longer or cleaner strip."
            )
        beat_mv = _combined(strip_mv, beats)
    except RecordingError as error:
        raise RecordingError(f"Cannot make a median beat of {source}: {error}") from error
    onset_ms = _ONSET_SAMPLE * 1000.0 / SAMPLING_RATE_HZ
    said = _said(beats, n_spikes, rhythm.duration_ms > _LONGEST_STRIP_MS)
    made_of = f"{beats.is_good.sum()} of {len(beats.samples)} beats of {source}{said}"
    return ECG(beat_mv.astype(np.float32), LEAD_NAMES, SAMPLING_RATE_HZ, "median", onset_ms, made_of)


def beat_around(ecg: ECG, onset_ms: float, spec: EcgSpec = STANDARD.ecg) -> ECG:
    """Move and resample a median beat so that `onset_ms` comes to lie where `spec` has it; beyond its ends it is held.

    By the standard, that is at 435 ms of 600 samples at 500 Hz.
    """
    rate_hz = spec.sampling_rate_hz
    signal_mv = _at_rate(ecg.leads().astype(np.float64), ecg.sampling_rate_hz, rate_hz)
    wanted = np.arange(spec.n_samples) + (onset_ms - spec.qrs_onset_ms) / 1000.0 * rate_hz
    moved = np.stack([np.interp(wanted, np.arange(len(lead)), lead) for lead in signal_mv])
    return ECG(moved.astype(np.float32), LEAD_NAMES, rate_hz, "median", spec.qrs_onset_ms, ecg.source)


def _middle(leads_mv: Floats, sampling_rate_hz: float) -> Floats:
    n_samples = round(_LONGEST_STRIP_MS / 1000.0 * sampling_rate_hz)
    first = max(0, (leads_mv.shape[1] - n_samples) // 2)
    return leads_mv[:, first : first + n_samples]


def _at_rate(leads_mv: Floats, sampling_rate_hz: float, wanted_hz: float) -> Floats:
    """Leads at another rate: from above by a filter, from below by pieces that do not ring before a steep complex."""
    from scipy.interpolate import Akima1DInterpolator
    from scipy.signal import resample_poly

    if sampling_rate_hz == wanted_hz or leads_mv.shape[1] < 2:
        return leads_mv
    if sampling_rate_hz > wanted_hz:
        ratio = Fraction(wanted_hz / sampling_rate_hz).limit_denominator(1000)
        return np.asarray(resample_poly(leads_mv, ratio.numerator, ratio.denominator, axis=1, padtype="line"))
    times = np.arange(leads_mv.shape[1]) * wanted_hz / sampling_rate_hz
    return np.asarray(Akima1DInterpolator(times, leads_mv, axis=1, method="makima")(np.arange(int(times[-1]) + 1)))


def _combined(strip_mv: Floats, beats: AlignedBeats) -> Floats:
    """Median ``(12, 600)`` of the good beats, on its baseline and alone."""
    good = beats.samples[beats.is_good]
    onset = _onset_after(_median(strip_mv - _baseline(strip_mv, good), good), beats.left_out_leads)
    level_mv = strip_mv - _baseline(strip_mv, good + onset)
    median_mv = _median(level_mv, good)
    onset = _onset_after(median_mv, beats.left_out_leads)
    first = round(_BEFORE_MS / 1000.0 * SAMPLING_RATE_HZ) + onset - _ONSET_SAMPLE
    beat_mv = median_mv[:, first : first + N_SAMPLES]
    beat_mv = beat_mv - beat_mv[:, _quiet_samples()].mean(axis=1, keepdims=True)
    return np.asarray(beat_mv * _fade(beats))


def _median(strip_mv: Floats, samples: NDArray[np.intp]) -> Floats:
    """Median ``(n_leads, n_samples)`` from 700 ms before to 1000 ms after the beats' samples; strip ends are held."""
    before, after = (round(span / 1000.0 * SAMPLING_RATE_HZ) for span in (_BEFORE_MS, _AFTER_MS))
    padded = np.pad(strip_mv, ((0, 0), (before, after)), mode="edge")
    return np.asarray(np.median([padded[:, sample : sample + before + after] for sample in samples], axis=0))


def _onset_after(median_mv: Floats, left_out_leads: tuple[int, ...]) -> int:
    """QRS onset of a median from `_median`, in samples after the one at which beats are aligned (mostly negative)."""
    before = round(_BEFORE_MS / 1000.0 * SAMPLING_RATE_HZ)
    reach = round(0.2 * SAMPLING_RATE_HZ)
    around_mv = median_mv[:, before - reach : before + reach].copy()
    around_mv[list(left_out_leads)] = 0.0
    return round(find_qrs_onset(around_mv, SAMPLING_RATE_HZ) / 1000.0 * SAMPLING_RATE_HZ) - reach


def _baseline(strip_mv: Floats, onsets: NDArray[np.intp]) -> Floats:
    """Line ``(n_leads, n_samples)`` through the quiet moments before the QRS complexes, level beyond the outer ones."""
    from scipy.interpolate import CubicSpline

    first, last = (round(span / 1000.0 * SAMPLING_RATE_HZ) for span in _PQ_MS)
    onsets = onsets[onsets >= first]
    levels = np.stack([strip_mv[:, onset - first : onset - last].mean(axis=1) for onset in onsets], axis=1)
    middles = onsets - (first + last) / 2.0
    samples = np.clip(np.arange(strip_mv.shape[1]), middles[0], middles[-1])
    return np.asarray(CubicSpline(middles, levels, axis=1, bc_type="natural")(samples))


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


def _said(beats: AlignedBeats, n_spikes: int, is_cut: bool) -> str:
    """Say in brackets what became of the other beats and was done to the strip; empty when there is nothing to say."""
    leads = ", ".join(LEAD_NAMES[lead] for lead in beats.left_out_leads)
    parts = (
        f"left out: {beats.summary}" if beats.summary else "",
        f"{n_spikes} pacing spikes bridged" if n_spikes else "",
        f"beats found without lead {leads}, which is flat or noisy" if leads else "",
        "from the middle minute" if is_cut else "",
    )
    said = "; ".join(part for part in parts if part)
    return f" ({said})" if said else ""
