"""What must be known of an ECG beyond its numbers, for files that have no place for it: rate, unit, leads, kind.

It stands in the file itself (a comment, a column's name, a key of an archive) or beside it in ``<file>.json``. Nothing
is guessed: what is stated nowhere is asked for in the error, with the words to write.
"""

import json
import math
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_latent_explorer.errors import RecordingError, reason_of
from napari_latent_explorer.io.ecg_signal import choose_kind, finish_ecg
from napari_latent_explorer.io.reading import EcgKind, FileOutcome, Reading, ReadOptions

_MV_PER_UNIT = {"mv": 1.0, "millivolt": 1.0, "uv": 1e-3, "microvolt": 1e-3, "v": 1e3, "volt": 1e3, "nv": 1e-6}
_RATE_NAMES = ("sampling_rate_hz", "sampling_rate", "sample_rate", "sampling_frequency", "samplingfrequency", "fs")
_KEYS = dict.fromkeys(_RATE_NAMES, "sampling_rate_hz") | {
    "unit": "unit", "units": "unit", "lead_names": "lead_names", "leads": "lead_names", "kind": "kind",
    "qrs_onset_ms": "qrs_onset_ms",
}  # fmt: skip
_EXAMPLES = {"sampling_rate_hz": "500", "unit": '"mV"'}
_MAX_SIDECAR_BYTES = 1 << 20
_MAX_RATE_HZ = 1e6
_SHORTEST_STRIP_MS = 2000.0


@dataclass(frozen=True, slots=True)
class EcgFacts:
    """What is stated; None for what is not.

    Attributes
    ----------
    sampling_rate_hz
        Samples per second.
    mv_per_unit
        Millivolt that a stored 1 stands for.
    lead_names
        One name per lead.
    kind
        Strip or median beat.
    qrs_onset_ms
        QRS onset of a median beat.
    """

    sampling_rate_hz: float | None = None
    mv_per_unit: float | None = None
    lead_names: tuple[str, ...] | None = None
    kind: EcgKind | None = None
    qrs_onset_ms: float | None = None

    def or_else(self, other: "EcgFacts") -> "EcgFacts":
        """Complete these facts by those of another source."""
        missing = {name: getattr(other, name) for name in self.__slots__ if getattr(self, name) is None}
        return replace(self, **missing)


def sidecar_of(path: Path) -> Path:
    """File that tells the facts of `path`: ``ecg.npy.json`` if it exists, else ``ecg.json``."""
    long = path.with_name(f"{path.name}.json")
    return long if long.is_file() else path.with_suffix(".json")


def read_sidecar(path: Path) -> EcgFacts:
    """Facts that stand beside a file; none when there is no such file.

    Raises
    ------
    RecordingError
        When it is damaged, or states something impossible.
    """
    sidecar = sidecar_of(path)
    if not sidecar.is_file() or sidecar == path:
        return EcgFacts()
    if sidecar.stat().st_size > _MAX_SIDECAR_BYTES:
        raise RecordingError(f"{sidecar} is larger than {_MAX_SIDECAR_BYTES} bytes; it holds a few facts about an ECG.")
    try:
        stated = json.loads(sidecar.read_bytes())
    except (ValueError, RecursionError) as damage:
        raise RecordingError(f"{sidecar} is not JSON: {reason_of(damage)}. Correct it.") from damage
    return facts_from(stated, sidecar) if isinstance(stated, dict) else EcgFacts()


def facts_from(stated: Mapping[str, Any], place: Path) -> EcgFacts:
    """Facts among the named values of some source; other names are passed over.

    Raises
    ------
    RecordingError
        When one of them is impossible.
    """
    known = {_KEYS[plain]: value for name, value in stated.items() if (plain := _plain(str(name))) in _KEYS}
    names = known.get("lead_names")
    if isinstance(names, str):
        names = re.split(r"[,;\s]+", names.strip())
    if names is not None and not (isinstance(names, Iterable) and all(isinstance(name, str) for name in names)):
        raise RecordingError(f'{place} states lead_names = {names!r}; expected names, like ["I", "II", "V1"].')
    kind = known.get("kind")
    if kind not in (None, "rhythm", "median"):
        raise RecordingError(f"{place} states kind = {kind!r}; expected 'rhythm' or 'median'.")
    return EcgFacts(
        sampling_rate_hz=_number(known.get("sampling_rate_hz"), "sampling_rate_hz", place, _MAX_RATE_HZ, "Hz"),
        mv_per_unit=None if known.get("unit") is None else mv_per_unit(known["unit"], place),
        lead_names=None if names is None else tuple(names),
        kind=kind,
        qrs_onset_ms=_number(known.get("qrs_onset_ms"), "qrs_onset_ms", place, 1e5, "ms"),
    )


def states_rate(names: Iterable[str]) -> bool:
    """Whether one of the names is that of a sampling rate."""
    return any(_KEYS.get(_plain(name)) == "sampling_rate_hz" for name in names)


def required(facts: EcgFacts, place: Path, *, has_units: bool = False) -> tuple[float, float]:
    """Return sampling rate in Hz and millivolt per stored 1; the latter may be absent where columns have their units.

    Raises
    ------
    RecordingError
        When one of them is stated nowhere; it says where to write it.
    """
    known = {"sampling_rate_hz": facts.sampling_rate_hz, "unit": 1.0 if has_units else facts.mv_per_unit}
    words = [f'"{name}": {_EXAMPLES[name]}' for name, value in known.items() if value is None]
    if words:
        raise RecordingError(
            f"Cannot know what the numbers in {place} mean. Write what is missing into {sidecar_of(place)}, with the "
            f"true values: {{{', '.join(words)}}}."
        )
    return known["sampling_rate_hz"] or 0.0, known["unit"] or 0.0


def make_reading(
    signal_mv: NDArray[np.float64], lead_names: Sequence[str], facts: EcgFacts, place: Path, options: ReadOptions
) -> Reading:
    """Make a recording of voltages ``(n_leads, n_samples)`` in mV and the facts, among them the sampling rate.

    Raises
    ------
    RecordingError
        When it is neither stated nor clear whether it is a strip or one beat, or the signal is not usable.
    """
    rate_hz = facts.sampling_rate_hz or 0.0
    duration_ms = 1000.0 * signal_mv.shape[1] / rate_hz
    if facts.kind is None and duration_ms < _SHORTEST_STRIP_MS:
        raise RecordingError(
            f"{place} lasts {duration_ms:.0f} ms; it may be a strip or a median beat. State which in "
            f'{sidecar_of(place)}: "kind": "rhythm" or "kind": "median", with "qrs_onset_ms" if it is known.'
        )
    kind = choose_kind(options, (facts.kind or "rhythm",), place)
    ecg, notes = finish_ecg(signal_mv, lead_names, rate_hz, kind, place, facts.qrs_onset_ms)
    outcomes = [FileOutcome(str(place), True, "samples of the ECG")]
    if sidecar_of(place).is_file():
        outcomes.append(FileOutcome(str(sidecar_of(place)), True, "facts about the ECG"))
    return Reading(ecg, notes=notes, outcomes=tuple(outcomes))


def is_unit(text: str) -> bool:
    """Whether it is a voltage, like ``mV``, ``µV`` or ``4.88 uV``."""
    return _parsed_unit(text) is not None


def mv_per_unit(text: Any, place: Path) -> float:
    """Millivolt that a stored 1 stands for, from ``mV``, ``uV``, ``V`` or a multiple like ``4.88 uV``.

    Raises
    ------
    RecordingError
        When it is no voltage.
    """
    parsed = _parsed_unit(text) if isinstance(text, str) else None
    if parsed is None:
        raise RecordingError(f"{place} states the unit {text!r}; expected mV, uV, V, or a multiple like '4.88 uV'.")
    return parsed


def _parsed_unit(text: str) -> float | None:
    plain = text.strip().lower().replace("µ", "u").replace("μ", "u")
    match = re.fullmatch(r"(\d+(?:\.\d*)?(?:e-?\d+)?)?\s*([a-z]+)", plain)
    if match is None or match[2] not in _MV_PER_UNIT:
        return None
    multiple = float(match[1] or 1.0)
    return multiple * _MV_PER_UNIT[match[2]] if 0 < multiple < math.inf else None


def _number(value: Any, name: str, place: Path, limit: float, unit: str) -> float | None:
    if value is None:
        return None
    try:
        number = float(re.sub(rf"\s*{unit}$", "", value, flags=re.IGNORECASE) if isinstance(value, str) else value)
    except (TypeError, ValueError, OverflowError):
        number = math.nan
    if not 0 < number <= limit:
        raise RecordingError(f"{place} states {name} = {value!r}; expected a number up to {limit:g} {unit}.")
    return number


def _plain(name: str) -> str:
    return re.sub(r"[\s-]+", "_", re.sub(r"[(\[].*", "", name.strip().lower()).strip())
