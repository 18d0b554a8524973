"""What a vendor's file holds, piece by piece: rhythm strips and the beats that the device averaged from them.

Each reader of such a format takes its file apart into `EcgPart`s; which one is read is decided here once, so that the
same wish means the same in every format.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from napari_latent_explorer.data.ecg import LEAD_NAMES
from napari_latent_explorer.errors import RecordingError
from napari_latent_explorer.io.ecg_signal import choose_kind, finish_ecg
from napari_latent_explorer.io.lead_names import INVERTED_AVR, standard_lead_name
from napari_latent_explorer.io.reading import EcgKind, FileOutcome, Reading, ReadOptions

_WORDS: dict[EcgKind, str] = {"median": "median beat", "rhythm": "rhythm strip"}
_LOWEST_RATE_HZ, _HIGHEST_RATE_HZ = 10.0, 100_000.0
_MAX_PARTS = 200
_MAX_LEADS = 256
"""More than any body surface map has."""


@dataclass(frozen=True, slots=True, eq=False)
class EcgPart:
    """One piece of a file.

    Attributes
    ----------
    kind
        Rhythm strip, or a device's median or average beat.
    lead_names
        As the file spells them.
    signal_mv
        ``(n_leads, n_samples)`` in mV, NaN where the file says that there is no sample.
    sampling_rate_hz
        Samples per second.
    qrs_onset_ms
        QRS onset in ms after the first sample of a beat; None when the file does not tell.
    notes
        What its user should know.
    """

    kind: EcgKind
    lead_names: tuple[str, ...]
    signal_mv: NDArray[np.float64]
    sampling_rate_hz: float
    qrs_onset_ms: float | None = None
    notes: tuple[str, ...] = ()


def stack_leads(leads: Sequence[NDArray[np.float64]], names: Sequence[str], path: Path) -> NDArray[np.float64]:
    """Leads of one length as ``(n_leads, n_samples)``.

    Raises
    ------
    RecordingError
        When their lengths differ.
    """
    lengths = {len(lead) for lead in leads}
    if len(lengths) > 1:
        found = ", ".join(f"{name} {len(lead)}" for name, lead in zip(names, leads, strict=True))
        raise RecordingError(f"The leads of {path} differ in length (samples: {found}). Export the ECG again.")
    return np.stack(leads)


def refuse_many_leads(n_leads: int, path: Path) -> None:
    """Refuse a number of leads that no body has room for.

    Raises
    ------
    RecordingError
        When there are too many.
    """
    if n_leads > _MAX_LEADS:
        raise RecordingError(f"{path} holds {n_leads} leads in one part; at most {_MAX_LEADS} are read.")


def read_part(parts: Iterable[EcgPart], path: Path, options: ReadOptions) -> Reading:
    """Read the part that the options mean: without a wish the median beat, if it has twelve leads, else the rhythm.

    Of several parts of one kind the one with most of the twelve leads is read, then the longest.

    Raises
    ------
    RecordingError
        When there is none of the wanted kind, or no usable signal in it.
    """
    found = list(islice(parts, _MAX_PARTS + 1))
    if not 0 < len(found) <= _MAX_PARTS:
        amount = f"more than {_MAX_PARTS} waveforms" if found else "no waveform"
        raise RecordingError(f"{path} holds {amount}. Export one ECG with its waveforms.")
    kinds = {part.kind for part in found}
    best = {kind: max((part for part in found if part.kind == kind), key=_worth) for kind in kinds}
    order: tuple[EcgKind, EcgKind] = ("median", "rhythm")
    if "median" in best and not _has_twelve_leads(best["median"]):
        order = ("rhythm", "median")
    chosen = best[choose_kind(options, [kind for kind in order if kind in best], path)]
    _refuse_impossible_rate(chosen, path)
    ecg, notes = finish_ecg(
        chosen.signal_mv, chosen.lead_names, chosen.sampling_rate_hz, chosen.kind, path, chosen.qrs_onset_ms
    )
    n_alike = sum(part.kind == chosen.kind for part in found)
    alike = (f"The file holds {n_alike} {_WORDS[ecg.kind]}s; one of them is read.",) if n_alike > 1 else ()
    lacking = [name for name in LEAD_NAMES if name not in ecg.lead_names]
    lack = (f"The file lacks lead {', '.join(lacking)}.",) if lacking else ()
    outcome = FileOutcome(str(path), True, f"{_WORDS[ecg.kind]} of the ECG")
    return Reading(ecg, notes=(*chosen.notes, *notes, *lack, *alike), outcomes=(outcome,))


def onset_within(onset_ms: float | None, n_samples: int, sampling_rate_hz: float) -> float | None:
    """QRS onset, if it lies in the beat that it is said to be of."""
    if onset_ms is None or sampling_rate_hz <= 0 or not 0 < onset_ms < 1000.0 * n_samples / sampling_rate_hz:
        return None
    return onset_ms


def _worth(part: EcgPart) -> tuple[int, float]:
    return len(_standard_leads(part)), part.signal_mv.shape[1] / max(part.sampling_rate_hz, _LOWEST_RATE_HZ)


def _has_twelve_leads(part: EcgPart) -> bool:
    return len(_standard_leads(part)) == len(LEAD_NAMES)


def _standard_leads(part: EcgPart) -> set[str]:
    """Those of the twelve leads that it has, or can be made to have."""
    names = {standard_lead_name(name) for name in part.lead_names}
    limb_leads = set(LEAD_NAMES[:6])
    if len(names & (limb_leads | {INVERTED_AVR})) > 1:
        names |= limb_leads
    return names & set(LEAD_NAMES)


def _refuse_impossible_rate(part: EcgPart, path: Path) -> None:
    if not _LOWEST_RATE_HZ <= part.sampling_rate_hz <= _HIGHEST_RATE_HZ:
        raise RecordingError(
            f"{path} states {part.sampling_rate_hz:g} samples per second; an ECG has {_LOWEST_RATE_HZ:g} to "
            f"{_HIGHEST_RATE_HZ:g}. Correct it there, or export the ECG again."
        )
