"""Which heart rate goes with an ECG of one beat: a beat alone does not tell how soon the next one comes.

The hard idea: a corrected QT is only as good as the rate that it was corrected by, so each rate says where it is from,
and where there is none, none is made up.
"""

from dataclasses import dataclass

import numpy as np

from napari_latent_explorer.session.decode_service import DecodeOutcome
from napari_latent_explorer.session.originals import Original
from napari_latent_explorer.session.side_by_side import last_prediction
from napari_latent_explorer.session.state import ExplorerState

HEART_RATE = "heart_rate"


@dataclass(frozen=True, slots=True)
class HeartRate:
    """Length of the heart cycle in ms, None when unknown, and where it is from, in words."""

    rr_interval_ms: float | None
    source: str


UNKNOWN_RATE = HeartRate(None, "unknown, so QT is not corrected")


def recorded_rate(state: ExplorerState, original: Original) -> HeartRate:
    """Find the heart rate of a recorded beat: in the study's table, or else as in the cine of the same person."""
    cohort = state.cohort
    if cohort is not None and HEART_RATE in cohort.specs and original.label in cohort:
        rate_bpm = float(cohort.values(HEART_RATE)[cohort.rows_of([original.label])[0]])
        if np.isfinite(rate_bpm) and rate_bpm > 0:
            return HeartRate(60_000.0 / rate_bpm, "of the study's table")
    if original.cine is not None:
        return HeartRate(original.cine.rr_interval_ms, "of the cine")
    return UNKNOWN_RATE


def predicted_rate(outcome: DecodeOutcome) -> HeartRate:
    """Find the heart rate that is predicted for the vector that a beat was reconstructed from."""
    rate_bpm = None if outcome.predictions is None else last_prediction(outcome.predictions, HEART_RATE)
    if rate_bpm is None or not rate_bpm > 0:
        return UNKNOWN_RATE
    return HeartRate(60_000.0 / rate_bpm, "as predicted")
