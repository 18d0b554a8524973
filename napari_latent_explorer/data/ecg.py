"""Electrocardiograms in millivolt; nothing about files or networks."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from napari_latent_explorer.data.arrays import read_only
from napari_latent_explorer.errors import RecordingError

LEAD_NAMES = ("I", "II", "III", "aVR", "aVL", "aVF", "V1", "V2", "V3", "V4", "V5", "V6")
"""The twelve leads in the clinical order."""


@dataclass(frozen=True, slots=True, eq=False)
class ECG:
    """One recording.

    Attributes
    ----------
    signal_mv
        ``(n_leads, n_samples)`` float32 in mV.
    lead_names
        One name per lead; standard leads are spelt as in `LEAD_NAMES`.
    sampling_rate_hz
        Samples per second.
    kind
        `rhythm` for a strip over many beats, `median` for one representative beat.
    qrs_onset_ms
        QRS onset of a median beat in ms after its first sample; None when unknown or for a rhythm strip.
    source
        Where it comes from, for people.
    """

    signal_mv: NDArray[np.float32]
    lead_names: tuple[str, ...]
    sampling_rate_hz: float
    kind: Literal["rhythm", "median"]
    qrs_onset_ms: float | None = None
    source: str = ""

    def __post_init__(self) -> None:
        object.__setattr__(self, "signal_mv", read_only(self.signal_mv, np.float32))
        problems = []
        if self.signal_mv.ndim != 2 or 0 in self.signal_mv.shape:
            problems.append(f"signal has shape {self.signal_mv.shape}, expected (lead, sample), none empty")
        elif len(self.lead_names) != len(self.signal_mv):
            problems.append(f"{len(self.lead_names)} lead names for {len(self.signal_mv)} leads")
        if not (np.isfinite(self.sampling_rate_hz) and self.sampling_rate_hz > 0):
            problems.append(f"sampling rate is {self.sampling_rate_hz} Hz")
        if problems:
            raise RecordingError(f"This ECG is not usable ({self.source or 'no source'}): " + "; ".join(problems) + ".")

    @property
    def duration_ms(self) -> float:
        """Length in ms."""
        return 1000.0 * int(self.signal_mv.shape[1]) / self.sampling_rate_hz

    def leads(self, names: tuple[str, ...] = LEAD_NAMES) -> NDArray[np.float32]:
        """Signal ``(len(names), n_samples)`` in mV of the named leads, in the order given.

        Raises
        ------
        RecordingError
            When a lead is absent; all absent ones are named.
        """
        absent = [name for name in names if name not in self.lead_names]
        if absent:
            raise RecordingError(
                f"The ECG {self.source or ''} lacks lead {', '.join(absent)}; it has {', '.join(self.lead_names)}."
            )
        return self.signal_mv[[self.lead_names.index(name) for name in names]]
