"""Which beats the ECG dock draws, each with its colour, its heart rate and its waves: from session to traces."""

from functools import lru_cache

import numpy as np

from napari_latent_explorer._qt.ecg_interval_table import IntervalRow
from napari_latent_explorer._qt.ecg_paper import twelve_leads
from napari_latent_explorer._qt.ecg_plot import EcgTrace
from napari_latent_explorer._qt.theme import Theme, line_color, to_rgba
from napari_latent_explorer.analysis.ecg_difference import EcgDifference
from napari_latent_explorer.analysis.ecg_intervals import EcgIntervals, WaveBoundaries
from napari_latent_explorer.modeling.ecg_waves import find_waves
from napari_latent_explorer.modeling.preprocessing_spec import STANDARD
from napari_latent_explorer.session.decode_service import DecodeOutcome
from napari_latent_explorer.session.ecg_rates import predicted_rate, recorded_rate
from napari_latent_explorer.session.explorer import Explorer
from napari_latent_explorer.session.originals import Original
from napari_latent_explorer.session.side_by_side import GroupHeart

MOST_REMEMBERED = 16


def decoded_rate_hz(explorer: Explorer) -> float:
    """Return the sampling rate of what the open model draws."""
    spec = STANDARD if explorer.bundle is None else explorer.bundle.input_spec
    return spec.ecg.sampling_rate_hz


def decoded_traces(explorer: Explorer, outcome: DecodeOutcome | None, theme: Theme) -> tuple[EcgTrace, ...]:
    """Return the reconstruction at the probe, in the colour of the group that it began from; none if not drawn."""
    if outcome is None or outcome.result.ecg_mv is None:
        return ()
    signal_mv, rate_hz = np.asarray(outcome.result.ecg_mv, np.float32), decoded_rate_hz(explorer)
    label = f"Reconstruction: {explorer.probe.label}"
    rate = predicted_rate(outcome)
    return (EcgTrace(label, _probe_color(explorer, theme), signal_mv, rate_hz, width_px=2.2, rate=rate),)


def group_traces(explorer: Explorer, hearts: tuple[GroupHeart, ...]) -> tuple[EcgTrace, ...]:
    """Return the reconstructions of groups that are side by side, the first on top."""
    rate_hz = decoded_rate_hz(explorer)
    return tuple(
        EcgTrace(
            heart.group.name,
            heart.group.color,
            np.asarray(heart.outcome.result.ecg_mv, np.float32),
            rate_hz,
            width_px=1.8,
            rate=predicted_rate(heart.outcome),
        )
        for heart in reversed(hearts)
        if heart.outcome.result.ecg_mv is not None
    )


def original_traces(explorer: Explorer, original: Original | None) -> tuple[EcgTrace, ...]:
    """Return the recorded beat."""
    if original is None or original.ecg is None:
        return ()
    ecg, rate = original.ecg, recorded_rate(explorer.state, original)
    label = f"Original: {original.label}"
    return (EcgTrace(label, None, twelve_leads(ecg), ecg.sampling_rate_hz, ecg.qrs_onset_ms, rate=rate),)


def difference_between(
    began: DecodeOutcome | None, now: DecodeOutcome | None, sampling_rate_hz: float
) -> EcgDifference | None:
    """Tell how the ECG changed from where the probe began; None while it is there, or either is not known."""
    if began is None or now is None or began is now or np.array_equal(began.vector, now.vector):
        return None
    before, after = began.result.ecg_mv, now.result.ecg_mv
    if before is None or after is None:
        return None
    return EcgDifference.between(np.asarray(before, np.float32), np.asarray(after, np.float32), sampling_rate_hz)


@lru_cache(MOST_REMEMBERED)
def waves_of(trace: EcgTrace) -> WaveBoundaries | None:
    """Where the waves of a trace begin and end; the same trace is looked at once."""
    return find_waves(trace.signal_mv, trace.sampling_rate_hz, trace.qrs_onset_ms)


def interval_rows(traces: tuple[EcgTrace, ...], theme: Theme) -> tuple[IntervalRow, ...]:
    """Return the intervals of each trace that has waves, the one on top first."""
    return tuple(
        IntervalRow(
            trace.label,
            theme.color("text") if trace.color is None else line_color(trace.color, theme),
            EcgIntervals.of(waves, trace.rate.rr_interval_ms),
            trace.rate.source,
        )
        for trace in reversed(traces)
        if (waves := waves_of(trace)) is not None
    )


def _probe_color(explorer: Explorer, theme: Theme) -> tuple[float, ...]:
    """Colour of the group that the probe began from, or the accent."""
    group, origin = explorer.active_group, explorer.probe.origin
    stands = group.representative if group is not None else None
    if group is not None and stands is not None and np.array_equal(stands.vector, origin):
        return group.color
    return to_rgba(theme.color("accent"))
