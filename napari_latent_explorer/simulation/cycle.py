"""The clock of one heart cycle: how far the ventricles have emptied and the atria have filled at each moment.

Systole keeps its length in milliseconds, so its share of the cycle grows with heart rate, and diastole pays for it.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from napari_latent_explorer.simulation.factors import ParticipantFactors

_CONTRACTION_MS = 35.0
_RELAXATION_MS = 55.0


@dataclass(frozen=True, slots=True)
class HeartCycle:
    """Times of one beat in ms after the R peak, and the share of filling that the atrial kick carries.

    Attributes
    ----------
    rr_ms
        Length of the cycle.
    end_systole_ms
        When the ventricles are smallest.
    early_filling_ms
        Length of the rapid filling that follows relaxation.
    atrial_kick_ms
        Length of the atrial contraction, which ends with the cycle.
    kick_share
        Part of the stroke volume that the atrial kick adds; 0 in atrial fibrillation.
    """

    rr_ms: float
    end_systole_ms: float
    early_filling_ms: float
    atrial_kick_ms: float
    kick_share: float

    @classmethod
    def of(cls, factors: ParticipantFactors) -> "HeartCycle":
        """Cycle of a participant.

        References
        ----------
        Weissler, Harris, Schoenfeld, Circulation 1968;37:149: electromechanical systole shortens by about 2 ms per bpm.
        """
        rr_ms = 60_000.0 / factors.heart_rate_bpm
        end_systole_ms = min(445.0 - 1.5 * factors.heart_rate_bpm, 0.55 * rr_ms)
        filling_ms = rr_ms - end_systole_ms - min(_RELAXATION_MS, 0.1 * rr_ms)
        kick_share = 0.0 if factors.has_atrial_fibrillation else 0.22 + 0.005 * (factors.age_years - 50.0)
        return cls(
            rr_ms=rr_ms,
            end_systole_ms=end_systole_ms,
            early_filling_ms=min(240.0, 0.65 * filling_ms),
            atrial_kick_ms=min(130.0, 0.45 * filling_ms),
            kick_share=float(np.clip(kick_share, 0.0, 0.5)),
        )

    @property
    def filling_begins_ms(self) -> float:
        """When the mitral and tricuspid valves open."""
        return self.end_systole_ms + min(_RELAXATION_MS, 0.1 * self.rr_ms)

    def emptying(self, phase: ArrayLike) -> NDArray[np.float64]:
        """How far the ventricles have emptied: 0 at end diastole, 1 at end systole.

        Parameters
        ----------
        phase
            Part of the cycle after the R peak; whole numbers are R peaks.
        """
        time_ms = np.mod(np.asarray(phase, dtype=np.float64), 1.0) * self.rr_ms
        ejected = smooth_step((time_ms - _CONTRACTION_MS) / (self.end_systole_ms - _CONTRACTION_MS))
        return ejected - self._filling(time_ms, self.kick_share)

    def atrial_filling(self, phase: ArrayLike) -> NDArray[np.float64]:
        """How full the atria are: 0 after the kick (at the R peak), 1 as the valves open."""
        time_ms = np.mod(np.asarray(phase, dtype=np.float64), 1.0) * self.rr_ms
        reservoir = smooth_step(time_ms / self.filling_begins_ms)
        return reservoir - self._filling(time_ms, 1.6 * self.kick_share)

    def valve_opening(self, phase: ArrayLike) -> NDArray[np.float64]:
        """How far mitral and tricuspid leaflets are open: 1 at the E and A waves, about 0.4 between, 0 in systole."""
        time_ms = np.mod(np.asarray(phase, dtype=np.float64), 1.0) * self.rr_ms
        opens = smooth_step((time_ms - self.filling_begins_ms) / 40.0)
        closes = 1.0 - smooth_step((time_ms - self.rr_ms + 35.0) / 35.0)
        early = np.exp(-(((time_ms - self.filling_begins_ms - 0.45 * self.early_filling_ms) / 90.0) ** 2))
        kick_at_ms = self.rr_ms - 0.6 * self.atrial_kick_ms
        kick = np.exp(-(((time_ms - kick_at_ms) / 60.0) ** 2)) * (self.kick_share > 0.0)
        opening: NDArray[np.float64] = opens * closes * np.clip(0.4 + 0.6 * (early + kick), 0.0, 1.0)
        return opening

    def _filling(self, time_ms: NDArray[np.float64], kick_share: float) -> NDArray[np.float64]:
        early = smooth_step((time_ms - self.filling_begins_ms) / self.early_filling_ms)
        kick = smooth_step((time_ms - self.rr_ms + self.atrial_kick_ms) / self.atrial_kick_ms)
        return (1.0 - kick_share) * early + kick_share * kick


def smooth_step(x: NDArray[np.float64]) -> NDArray[np.float64]:
    """Rise from 0 at ``x = 0`` to 1 at ``x = 1``, level at both ends."""
    x = np.clip(x, 0.0, 1.0)
    return x * x * (3.0 - 2.0 * x)
