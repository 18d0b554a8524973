"""Lead names as files spell them, and the limb leads that need not be stored.

Einthoven and Goldberger: any two of the six limb leads give the other four, because all six are differences between the
same three electrodes. So files often hold I and II only, and what they lack is computed, never guessed.

| in the file | read as |
|---|---|
| ``avr``, ``AVR``, ``Lead aVR``, ``MDC_ECG_LEAD_AVR``, ``aVR, augmented voltage, right`` | ``aVR`` |
| ``DI DII DIII``, ``D1 D2 D3`` | ``I II III``; ``dI`` is a lead derived from others, and stays |
| ``5.6.3-9-62`` (SCP-ECG), ``2:62`` (ISO 11073-10102), as DICOM codes leads | ``aVR`` |
| ``-aVR``, ``aVR-``, ``MDC_ECG_LEAD_AVRNEG`` (Cabrera's order) | ``-aVR``; turned over when limb leads are completed |
| ``vx vy vz`` | Frank's ``X Y Z`` |
| anything else (``MLII``, ``V3R``, ``CM5``) | as it is: a lead at another place is not the standard one |
"""

import re
from collections import Counter
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_latent_explorer.data.ecg import LEAD_NAMES
from napari_latent_explorer.errors import RecordingError

INVERTED_AVR = "-aVR"
_LIMB_WEIGHTS = {
    "I": (1.0, 0.0),
    "II": (0.0, 1.0),
    "III": (-1.0, 1.0),
    "aVR": (-0.5, -0.5),
    "aVL": (1.0, -0.5),
    "aVF": (-0.5, 1.0),
}
"""How much of I and of II there is in each limb lead."""
_NUMBERED = {1: "I", 2: "II", 3: "V1", 4: "V2", 5: "V3", 6: "V4", 7: "V5", 8: "V6"} | {
    61: "III",
    62: "aVR",
    63: "aVL",
    64: "aVF",
    65: INVERTED_AVR,
}
_SPELLINGS = (
    {name.lower(): name for name in LEAD_NAMES}
    | {"vx": "X", "vy": "Y", "vz": "Z", "x": "X", "y": "Y", "z": "Z"}
    | {"d1": "I", "d2": "II", "d3": "III"}
    | {"-avr": INVERTED_AVR, "avr-": INVERTED_AVR, "avrneg": INVERTED_AVR}
    | {f"5.6.3-9-{number}": name for number, name in _NUMBERED.items()}
    | {f"2:{number}": name for number, name in _NUMBERED.items()}
)
_FRENCH = {"DI": "I", "DII": "II", "DIII": "III"}
"""Only in capitals: ISO 11073 writes ``dI`` for a lead I that was derived from other leads."""


def standard_lead_name(text: str) -> str:
    """Name of a lead in its standard spelling; one that is no standard lead stays as it is, without MDC's prefix."""
    name = re.sub("^mdc_ecg_lead_", "", text.strip(), flags=re.IGNORECASE)
    if name in _FRENCH:
        return _FRENCH[name]
    plain = re.sub(r"^(ecg[\s_-]+)?lead[\s_-]*", "", name.lower())
    plain = re.split(r"[,(]", plain)[0].strip()
    return _SPELLINGS.get(plain, name)


def with_derived_limb_leads(
    signal_mv: NDArray[Any], lead_names: Sequence[str]
) -> tuple[NDArray[np.float64], tuple[str, ...], str]:
    """Complete the limb leads, and put the standard leads in clinical order before all others.

    Parameters
    ----------
    signal_mv
        ``(n_leads, n_samples)``.
    lead_names
        One name per lead in any spelling.

    Returns
    -------
    signal_mv
        ``(n_leads, n_samples)`` float64, with what could be derived; recorded leads are untouched.
    lead_names
        Their standard names.
    note
        What was derived, in one sentence; empty when nothing was.

    Raises
    ------
    RecordingError
        When two leads have the same name.
    """
    names = [standard_lead_name(name) for name in lead_names]
    _refuse_repeated(names)
    leads = dict(zip(names, np.asarray(signal_mv, dtype=np.float64), strict=True))
    said = []
    if INVERTED_AVR in leads and "aVR" not in leads:
        leads["aVR"] = -leads.pop(INVERTED_AVR)
        said.append("Lead aVR is the recorded -aVR turned over.")
    recorded = [name for name in _LIMB_WEIGHTS if name in leads][:2]
    derived = [name for name in _LIMB_WEIGHTS if name not in leads]
    if len(recorded) == 2 and derived:
        leads |= _derive(leads, recorded, derived)
        said.append(f"Leads {', '.join(derived)} are computed from {' and '.join(recorded)}.")
    ordered = [name for name in LEAD_NAMES if name in leads] + [name for name in leads if name not in LEAD_NAMES]
    return np.stack([leads[name] for name in ordered]), tuple(ordered), " ".join(said)


def _derive(
    leads: dict[str, NDArray[np.float64]], recorded: Sequence[str], derived: Sequence[str]
) -> dict[str, NDArray[np.float64]]:
    to_recorded = np.array([_LIMB_WEIGHTS[name] for name in recorded])  # (recorded, I and II)
    weights = np.array([_LIMB_WEIGHTS[name] for name in derived]) @ np.linalg.inv(to_recorded)
    first, second = (leads[name] for name in recorded)
    return {name: row[0] * first + row[1] * second for name, row in zip(derived, weights, strict=True)}


def _refuse_repeated(names: Sequence[str]) -> None:
    repeated = sorted(name for name, count in Counter(names).items() if count > 1)
    if repeated or not names:
        found = f"lead {', '.join(repeated)} occurs more than once" if repeated else "there are no leads"
        raise RecordingError(f"The leads cannot be told apart: {found}. Export the recording again.")
