"""What a reader with calipers takes from one beat: PR, QRS, QT, and QT corrected for the heart rate.

The hard idea: an interval is only worth something with how it was taken. So the boundaries carry the lead in which T
ends, and what is not there (the P wave in atrial fibrillation, the rate of a beat that stands alone) stays unknown.
"""

from dataclasses import dataclass
from typing import Literal

import numpy as np

Formula = Literal["Bazett", "Fridericia"]
_EXPONENTS: dict[Formula, float] = {"Bazett": 1.0 / 2.0, "Fridericia": 1.0 / 3.0}


@dataclass(frozen=True, slots=True)
class WaveBoundaries:
    """Where the waves of one beat begin and end, in ms after its first sample; None for what was not found.

    Attributes
    ----------
    p_onset_ms, p_end_ms
        The P wave, earliest and latest over all leads.
    qrs_onset_ms, qrs_end_ms
        The QRS complex, earliest and latest over all leads.
    t_end_ms
        Where the tangent at the steepest fall of T meets the baseline.
    t_lead
        Lead in which that was.
    """

    p_onset_ms: float | None
    p_end_ms: float | None
    qrs_onset_ms: float
    qrs_end_ms: float
    t_end_ms: float | None
    t_lead: str | None


@dataclass(frozen=True, slots=True)
class EcgIntervals:
    """Intervals of one beat in ms; None for what cannot be said.

    Attributes
    ----------
    pr_ms
        From the onset of P to that of QRS.
    qrs_ms
        Of the QRS complex.
    qt_ms
        From the onset of QRS to the end of T.
    qtc_bazett_ms, qtc_fridericia_ms
        QT at 60 beats a minute.
    rr_interval_ms
        The heart cycle by which QT is corrected.
    t_lead
        Lead in which T ends; all else is taken over all leads.
    """

    pr_ms: float | None
    qrs_ms: float
    qt_ms: float | None
    qtc_bazett_ms: float | None
    qtc_fridericia_ms: float | None
    rr_interval_ms: float | None
    t_lead: str | None

    @classmethod
    def of(cls, found: WaveBoundaries, rr_interval_ms: float | None) -> "EcgIntervals":
        """Take the intervals between boundaries; without the heart cycle QT stays uncorrected."""
        onset = found.qrs_onset_ms
        pr_ms = None if found.p_onset_ms is None else onset - found.p_onset_ms
        qt_ms = None if found.t_end_ms is None else found.t_end_ms - onset
        bazett, fridericia = (
            None if qt_ms is None or rr_interval_ms is None else corrected_qt_ms(qt_ms, rr_interval_ms, formula)
            for formula in _EXPONENTS
        )
        return cls(pr_ms, found.qrs_end_ms - onset, qt_ms, bazett, fridericia, rr_interval_ms, found.t_lead)


def corrected_qt_ms(qt_ms: float, rr_interval_ms: float, formula: Formula) -> float:
    """QT divided by the square root (Bazett) or the cube root (Fridericia) of the heart cycle in seconds.

    Warnings
    --------
    Bazett's is too long at fast rates and too short at slow ones.

    References
    ----------
    Bazett, "An analysis of the time-relations of electrocardiograms", Heart 7 (1920) 353-370. Fridericia, "Die
    Systolendauer im Elektrokardiogramm bei normalen Menschen und bei Herzkranken", Acta Med Scand 53 (1920) 469-486.
    """
    return float(qt_ms / np.power(rr_interval_ms / 1000.0, _EXPONENTS[formula]))
