"""ECGs as bare arrays: NumPy's ``.npy`` and ``.npz``.

| what | how |
|---|---|
| array | two dimensions, whole or floating numbers; the one that has as many entries as there are leads is the leads |
| ``.npz`` | the array is ``signal`` or ``ecg``, or the only one of two dimensions; the other keys are facts |
| facts | ``sampling_rate_hz``, ``unit``, ``lead_names``, perhaps ``kind``, ``qrs_onset_ms``; else in ``<file>.json`` |
| no lead names | twelve leads are taken in the clinical order if Einthoven's and Goldberger's laws hold in it |

Nothing is unpickled: the header is read by NumPy, the numbers are taken from the bytes, once it is known that there are
as many as the header claims.
"""

import io
import math
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from napari_latent_explorer.data.arrays import has_real_characters
from napari_latent_explorer.data.ecg import LEAD_NAMES
from napari_latent_explorer.errors import RecordingError, reason_of
from napari_latent_explorer.io.archive import is_archive, members_of, read_member
from napari_latent_explorer.io.ecg_facts import (
    EcgFacts,
    facts_from,
    make_reading,
    read_sidecar,
    required,
    sidecar_of,
    states_rate,
)
from napari_latent_explorer.io.ecg_signal import explained
from napari_latent_explorer.io.reading import ANY, MAX_ECG_FILE_BYTES, Reading, ReadOptions

_SIGNAL_KEYS = ("signal", "ecg", "signal_mv", "ecg_mv", "data")
_USUAL_N_LEADS = (8, 12, 15)
_LEAST_SAMPLES = 100
_MAX_MEMBERS = 100
_LAW_TOLERANCE = 0.05
"""Mean error, as a share of lead II's spread: rounding stays under it, another lead in its place does not."""


def is_ecg_array(path: Path) -> bool:
    """Whether it is an array of the shape of an ECG, or one with facts beside or in it; never raises."""
    try:
        if not path.is_file():
            return False
        if is_archive(path):
            names = {member.name.removesuffix(".npy") for member in members_of(path) if member.name.endswith(".npy")}
            return bool(names & set(_SIGNAL_KEYS)) and (states_rate(names) or sidecar_of(path).is_file())
        with path.open("rb") as stream:
            shape, _, dtype = _header(stream)
        is_ecg_shape = min(shape, default=0) in _USUAL_N_LEADS and max(shape) >= _LEAST_SAMPLES
        return dtype.kind in "iuf" and len(shape) == 2 and (is_ecg_shape or sidecar_of(path).is_file())
    except (OSError, ValueError, RecordingError):
        return False


def read_ecg_array(path: str | Path, options: ReadOptions = ANY) -> Reading:
    """Read one ECG.

    Parameters
    ----------
    path
        ``.npy`` or ``.npz`` file.
    options
        Wanted kind; a file holds one.

    Raises
    ------
    RecordingError
        When it is damaged, no ECG, or a fact is stated nowhere.
    """
    file = Path(path)
    with explained(file):
        stored, facts = _from_archive(file) if is_archive(file) else (_decode(file, _content(file)), EcgFacts())
        facts = facts.or_else(read_sidecar(file))
        leads, names, notes = _oriented(file, stored, facts)
        _, mv_per_unit = required(facts, file)
        reading = make_reading(leads.astype(np.float64) * mv_per_unit, names, facts, file, options)
        return replace(reading, notes=(*notes, *reading.notes))


def _content(file: Path) -> bytes:
    if not file.is_file():
        raise RecordingError(f"There is no file {file}.")
    if file.stat().st_size > MAX_ECG_FILE_BYTES:
        raise RecordingError(f"{file} is larger than {MAX_ECG_FILE_BYTES} bytes. Cut out a strip.")
    return file.read_bytes()


def _header(stream: BinaryIO) -> tuple[tuple[int, ...], bool, np.dtype[Any]]:
    """Shape, whether columns come first, and type of an array; ValueError when there is none."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # it was written by Python 2
            version = np.lib.format.read_magic(stream)
            if version == (1, 0):
                return np.lib.format.read_array_header_1_0(stream)
            if version == (2, 0):
                return np.lib.format.read_array_header_2_0(stream)
    except Exception as damage:  # NumPy hands the header to Python's tokenizer and parser, which raise many kinds
        raise ValueError(str(damage)) from damage
    raise ValueError(f"version {version} of the format is not for plain numbers")


def _decode(file: Path, content: bytes, name: str = "array") -> NDArray[Any]:
    stream = io.BytesIO(content)
    try:
        shape, is_fortran, dtype = _header(stream)
    except ValueError as damage:
        raise RecordingError(f"The {name} in {file} is no NumPy array: {reason_of(damage)}. Save it again.") from damage
    if dtype.kind not in "iufUSb":
        raise RecordingError(f"The {name} in {file} is of type {dtype}; numbers are expected. Save it as float32.")
    n_held = len(content) - stream.tell()
    n_claimed = math.prod(shape) * dtype.itemsize
    if min(shape, default=1) < 0 or n_claimed > n_held:
        raise RecordingError(
            f"The {name} in {file} claims {shape} of {dtype}, and holds {n_held} bytes. Save it again."
        )
    numbers = np.frombuffer(content, dtype, math.prod(shape), stream.tell()) if n_claimed else np.zeros(0, dtype)
    if not has_real_characters(numbers):
        raise RecordingError(f"The {name} in {file} holds texts of characters that do not exist. Save it again.")
    return numbers.reshape(shape, order="F" if is_fortran else "C")


def _from_archive(file: Path) -> tuple[NDArray[Any], EcgFacts]:
    members = members_of(file)
    n_bytes = sum(member.n_bytes for member in members)
    if len(members) > _MAX_MEMBERS or n_bytes > MAX_ECG_FILE_BYTES:
        raise RecordingError(
            f"{file} unpacks to {len(members)} arrays with {n_bytes} bytes; at most {MAX_ECG_FILE_BYTES} are read."
        )
    packed = {member.name.removesuffix(".npy"): read_member(file, member, MAX_ECG_FILE_BYTES) for member in members}
    arrays = {name: _decode(file, content, name) for name, content in packed.items()}
    key = _signal_key(file, arrays)
    stated = {name: array.tolist() for name, array in arrays.items() if name != key and array.size <= _MAX_MEMBERS}
    if key.endswith("_mv"):
        stated.setdefault("unit", "mV")
    return arrays[key], facts_from(stated, file)


def _signal_key(file: Path, arrays: Mapping[str, NDArray[Any]]) -> str:
    planes = [name for name, array in arrays.items() if array.ndim == 2 and array.dtype.kind in "iuf"]
    named = [name for name in _SIGNAL_KEYS if name in planes]
    if named or len(planes) == 1:
        return (named or planes)[0]
    raise RecordingError(
        f"{file} holds {len(planes)} arrays of two dimensions among {sorted(arrays)}. Name the ECG 'signal'."
    )


def _oriented(file: Path, stored: NDArray[Any], facts: EcgFacts) -> tuple[NDArray[Any], Sequence[str], tuple[str, ...]]:
    """Leads ``(n_leads, n_samples)``, their names, and what was concluded."""
    if stored.ndim != 2 or stored.size == 0 or stored.dtype.kind not in "iuf":
        raise RecordingError(
            f"{file} holds an array of shape {stored.shape} and type {stored.dtype}; numbers of shape "
            "(leads, samples) or (samples, leads) are expected."
        )
    n_leads = 12 if facts.lead_names is None else len(facts.lead_names)
    if (stored.shape[0] == n_leads) == (stored.shape[1] == n_leads):
        raise RecordingError(
            f"{file} holds an array of shape {stored.shape}, in which {n_leads} leads cannot be told from samples. "
            f'State the leads in {sidecar_of(file)}: "lead_names": ["I", "II", ...].'
        )
    leads = stored if stored.shape[0] == n_leads else stored.T
    if facts.lead_names is not None:
        return leads, facts.lead_names, ()
    if not _obeys_laws(leads[:6].astype(np.float64)):
        raise RecordingError(
            f"{file} does not state its leads, and they are not in the order {', '.join(LEAD_NAMES)}: Einthoven's and "
            f'Goldberger\'s laws do not hold. State them in {sidecar_of(file)}: "lead_names": ["I", "II", ...].'
        )
    return (
        leads,
        LEAD_NAMES,
        ("The twelve leads are unnamed and taken in the clinical order, which the limb leads fit.",),
    )


def _obeys_laws(limbs: NDArray[np.float64]) -> bool:
    one, two, three, avr, avl, avf = limbs[:, np.isfinite(limbs).all(axis=0)]
    errors = np.stack([two - one - three, avr + (one + two) / 2, avl - (one - two / 2), avf - (two - one / 2)])
    return bool(np.ptp(one) > 0 and np.abs(errors).mean() < _LAW_TOLERANCE * np.std(two)) if len(one) else False
