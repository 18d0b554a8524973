"""Where P, QRS and T of a median beat begin and end.

P and QRS are taken over all leads at once, from the speed of the heart's electrical vector (see `qrs_onset`): the
earliest onset and the latest end are those of the heart, while a single lead may miss a part that points away from it.
T ends so slowly that noise decides where its speed is nought; its end is by custom where the tangent at its steepest
fall meets the baseline, in lead II, or in V5, or where T is largest if it is flat in both.

References
----------
Lepeschkin, Surawicz, "The measurement of the Q-T interval of the electrocardiogram", Circulation 6 (1952) 378-388, for
the tangent. Rautaharju et al., "AHA/ACCF/HRS recommendations IV: the ST segment, T and U waves, and the QT interval",
Circulation 119 (2009) e241-e250, for the leads.
"""

import numpy as np
from numpy.typing import NDArray

from napari_latent_explorer.analysis.ecg_intervals import WaveBoundaries
from napari_latent_explorer.data.ecg import LEAD_NAMES
from napari_latent_explorer.errors import RecordingError
from napari_latent_explorer.modeling.qrs_onset import INDEPENDENT_LEADS, find_qrs_onset, spatial_velocity

Floats = NDArray[np.float64]

_SMOOTH_MS = 14.0
_PQ_MS = 14.0
_P_WINDOW_MS = (300.0, 30.0)
_LEAST_P_MV = 0.06
_P_THRESHOLD = 0.2
_QRS_THRESHOLD = 0.05
_QRS_QUIET_MS = 12.0
_LONGEST_QRS_MS = 220.0
_T_AFTER_MS = 70.0
_LONGEST_QT_MS = 650.0
_LEAST_T_MV = 0.08
_T_LEADS = ("II", "V5")


def find_waves(
    leads_mv: NDArray[np.floating], sampling_rate_hz: float, qrs_onset_ms: float | None = None
) -> WaveBoundaries | None:
    """Find the boundaries of one beat; None where there is no QRS complex.

    Parameters
    ----------
    leads_mv
        ``(12, n_samples)`` in mV in the clinical order; a lead with NaN is left out.
    sampling_rate_hz
        Samples per second.
    qrs_onset_ms
        Where the recording says that QRS begins; found if None.
    """
    known_mv = np.where(np.isfinite(leads_mv).all(axis=1, keepdims=True), leads_mv, 0.0).astype(np.float64)
    try:
        found_ms = find_qrs_onset(known_mv, sampling_rate_hz)
    except RecordingError:
        return None
    onset_ms = found_ms if qrs_onset_ms is None else qrs_onset_ms
    onset = min(round(onset_ms / 1000.0 * sampling_rate_hz), known_mv.shape[1] - 1)
    beat = _Beat(known_mv, sampling_rate_hz, onset)
    p = beat.find_p()
    qrs_end = beat.find_qrs_end()
    t = beat.find_t_end(qrs_end)
    to_ms = 1000.0 / sampling_rate_hz
    return WaveBoundaries(
        p_onset_ms=None if p is None else p[0] * to_ms,
        p_end_ms=None if p is None else p[1] * to_ms,
        qrs_onset_ms=onset_ms,
        qrs_end_ms=qrs_end * to_ms,
        t_end_ms=None if t is None else t[0] * to_ms,
        t_lead=None if t is None else t[1],
    )


class _Beat:
    """Leads ``(12, n_samples)`` about their level before QRS; all positions are in samples."""

    def __init__(self, leads_mv: Floats, sampling_rate_hz: float, onset: int) -> None:
        self._rate_hz, self._onset = sampling_rate_hz, onset
        quiet = leads_mv[:, max(0, onset - self._n(_PQ_MS)) : max(1, onset)]
        self._leads_mv = leads_mv - quiet.mean(axis=1, keepdims=True)
        self._velocity = spatial_velocity(leads_mv, sampling_rate_hz)

    def find_p(self) -> tuple[int, int] | None:
        """First and last sample of P; None where nothing rises above the baseline as a P wave does."""
        from scipy.ndimage import uniform_filter1d

        first, last = (max(0, self._onset - self._n(span)) for span in _P_WINDOW_MS)
        if last - first < self._n(_SMOOTH_MS):
            return None
        smooth_mv = uniform_filter1d(self._leads_mv[:, : self._onset], self._n(_SMOOTH_MS), axis=1)
        size = np.linalg.norm(smooth_mv[INDEPENDENT_LEADS], axis=0)
        peak = first + int(size[first:last].argmax())
        if size[peak] < _LEAST_P_MV or peak in (first, last - 1):
            return None
        speed = spatial_velocity(smooth_mv, self._rate_hz)
        noise = float(np.quantile(speed[first:], 0.1))
        limit = noise + _P_THRESHOLD * (float(speed[first:last].max()) - noise)
        onset = self._last_quiet(speed, peak, limit, 0)
        end = self._first_quiet(speed, peak, limit, self._onset)
        return onset, end

    def find_qrs_end(self) -> int:
        """Where the vector has come to rest after its fastest moment, as far as ST lets it."""
        velocity, longest = self._velocity, self._n(_LONGEST_QRS_MS)
        span = velocity[self._onset : self._onset + longest]
        peak = self._onset + int(span.argmax())
        limit = _QRS_THRESHOLD * float(velocity[peak])
        is_slow = velocity[peak : self._onset + longest] <= limit
        quiet = self._n(_QRS_QUIET_MS)
        rests = (start for start in range(len(is_slow)) if is_slow[start : start + quiet].all())
        slowest = int(velocity[peak : self._onset + longest].argmin())
        return peak + next(rests, slowest)

    def find_t_end(self, qrs_end: int) -> tuple[float, str] | None:
        """Sample at which T ends, and the lead in which that was taken; None where T is flat."""
        from scipy.ndimage import uniform_filter1d

        first = qrs_end + self._n(_T_AFTER_MS)
        last = min(self._leads_mv.shape[1], self._onset + self._n(_LONGEST_QT_MS))
        if last - first < self._n(2 * _T_AFTER_MS):
            return None
        t_mv = uniform_filter1d(self._leads_mv[:, first:last], self._n(_SMOOTH_MS), axis=1)
        sizes = np.abs(t_mv).max(axis=1)
        largest = LEAD_NAMES[INDEPENDENT_LEADS[int(sizes[INDEPENDENT_LEADS].argmax())]]
        for name in (*_T_LEADS, largest):
            row = LEAD_NAMES.index(name)
            end = _tangent_end(t_mv[row]) if sizes[row] >= _LEAST_T_MV else None
            if end is not None:
                return first + end, name
        return None

    def _last_quiet(self, speed: Floats, before: int, limit: float, least: int) -> int:
        """Last sample before one at which the vector did not move, above it going back."""
        steepest = before - int(np.argmax(speed[before : max(least, before - self._n(80.0)) : -1]))
        quiet = np.flatnonzero(speed[least:steepest] < limit)
        return least + int(quiet[-1]) if quiet.size else least

    def _first_quiet(self, speed: Floats, after: int, limit: float, most: int) -> int:
        steepest = after + int(np.argmax(speed[after : min(most, after + self._n(80.0))]))
        quiet = np.flatnonzero(speed[steepest:most] < limit)
        return steepest + int(quiet[0]) if quiet.size else most

    def _n(self, span_ms: float) -> int:
        return max(1, round(span_ms / 1000.0 * self._rate_hz))


def _tangent_end(t_mv: Floats) -> float | None:
    """Where the tangent at the steepest fall of a wave ``(n_samples,)`` meets nought; None beyond the end."""
    peak = int(np.abs(t_mv).argmax())
    upright = t_mv * np.sign(t_mv[peak])
    slope = np.gradient(upright)[peak:]
    if slope.size < 3:
        return None
    steepest = int(slope.argmin())
    if not slope[steepest] < 0:
        return None
    end = peak + steepest - upright[peak + steepest] / slope[steepest]
    return float(end) if end < len(t_mv) + peak else None
