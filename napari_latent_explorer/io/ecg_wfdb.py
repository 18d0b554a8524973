"""ECGs in the WFDB format of PhysioNet: a ``.hea`` header over ``.dat`` or ``.mat`` samples.

| what | how |
|---|---|
| samples | formats 8, 16, 24, 32, 61, 80, 160, 212, 310, 311, FLAC (508, 516, 524), by the ``wfdb`` package |
| leads | any spelling (``avr``, ``AVR``, ``LEAD II``) becomes the standard one; missing limb leads are computed |
| units | mV, uV, µV, nV or V in any spelling, mV where none is written; other channels (pressure) are left out |
| gain | missing or 0: 200 per mV, as WFDB prescribes, and said so |
| rate | of the ECG leads; leads stored at a lower rate than the others are left out |
| gaps | samples marked invalid, and segments that a record lacks, are bridged up to 5 % of a lead |
| checksums | one that does not fit is noted, not refused: many published headers were edited by hand |
| kind | rhythm strip, unless a comment says ``kind: median``, perhaps with ``qrs_onset_ms: 435`` |
| annotations | not read |

Refused with a reason: files that are missing, empty or too short for what the header claims, names that leave the
folder, records without a voltage.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_latent_explorer.errors import RecordingError, reason_of
from napari_latent_explorer.io.ecg_signal import choose_kind, distinct_lead_names, explained, finish_ecg
from napari_latent_explorer.io.reading import ANY, MAX_RECORDING_BYTES, EcgKind, FileOutcome, Reading, ReadOptions
from napari_latent_explorer.io.wfdb_header import WfdbHeader, header_of, read_header

_MV_PER_UNIT = {"": 1.0, "mv": 1.0, "uv": 1e-3, "nv": 1e-6, "v": 1e3}
_INVALID = {
    "80": -(2**7), "508": -(2**7), "310": -(2**9), "311": -(2**9), "212": -(2**11), "16": -(2**15), "61": -(2**15),
    "160": -(2**15), "516": -(2**15), "24": -(2**23), "524": -(2**23), "32": -(2**31),
}  # fmt: skip
"""The number that stands for a missing sample in each format, by the WFDB signal format specification."""
_MAX_SEGMENTS = 10_000


@dataclass(frozen=True, slots=True, eq=False)
class _Piece:
    """Voltages of one header: leads ``{name: (n_samples,)}`` in mV, NaN where missing."""

    leads_mv: dict[str, NDArray[np.float64]]
    sampling_rate_hz: float
    notes: tuple[str, ...]
    files: tuple[Path, ...]

    @property
    def n_samples(self) -> int:
        """Length."""
        return len(next(iter(self.leads_mv.values())))


def read_ecg_wfdb(path: str | Path, options: ReadOptions = ANY) -> Reading:
    """Read one ECG.

    Parameters
    ----------
    path
        The header, one of its sample files, their common name without suffix, or a folder that holds one header.
    options
        Wanted kind; a record holds one.

    Raises
    ------
    RecordingError
        When a file is missing or damaged, no channel is a voltage, or a lead has too many invalid samples.
    """
    with explained(path):
        return _read(header_of(Path(path)), options)


def _read(header_path: Path, options: ReadOptions) -> Reading:
    header = read_header(header_path)
    stated, onset_ms = _stated_kind(header.record.comments)
    kind = choose_kind(options, (stated,), header_path)
    piece = _joined(header) if header.has_segments else _read_piece(header)
    signal_mv = np.stack(list(piece.leads_mv.values()))
    ecg, notes = finish_ecg(signal_mv, list(piece.leads_mv), piece.sampling_rate_hz, kind, header_path, onset_ms)
    outcomes = [FileOutcome(str(header_path), True, "header of the ECG")]
    outcomes += [FileOutcome(str(file), True, "samples of the ECG") for file in dict.fromkeys(piece.files)]
    return Reading(ecg, notes=(*dict.fromkeys(piece.notes), *notes), outcomes=tuple(outcomes))


def _stated_kind(comments: Sequence[str] | None) -> tuple[EcgKind, float | None]:
    """Kind, and QRS onset in ms of a median beat, as comments of the header say; WFDB itself has no word for them."""
    pairs = (line.partition(":") for line in comments or ())
    stated = {name.strip().lower(): value.strip() for name, colon, value in pairs if colon}
    if stated.get("kind") != "median":
        return "rhythm", None
    onset = stated.get("qrs_onset_ms", "")
    return "median", float(onset) if re.fullmatch(r"\d{1,5}(\.\d*)?", onset) else None


def _read_piece(header: WfdbHeader) -> _Piece:
    record = _read_samples(header)
    frames = [per_frame or 1 for per_frame in record.samps_per_frame]
    scales = [_MV_PER_UNIT.get(_plain_unit(unit)) for unit in header.units[: record.n_sig]]
    voltages = [index for index, scale in enumerate(scales) if scale is not None]
    if not voltages:
        units = ", ".join(unit or "none" for unit in header.units)
        raise RecordingError(
            f"No channel of {header.path} is a voltage; its units are {units}, expected mV, uV or V. Choose another."
        )
    per_frame = max(frames[index] for index in voltages)
    chosen = [index for index in voltages if frames[index] == per_frame]
    names = distinct_lead_names([str(name or "") for name in record.sig_name[: record.n_sig]], header.path)
    leads_mv = {}
    for index in chosen:
        stored = np.asarray(record.e_d_signal[index])
        is_missing = stored == _INVALID.get(record.fmt[index], np.iinfo(np.int64).min)
        lead_mv = (stored - float(record.baseline[index])) / float(record.adc_gain[index]) * float(scales[index] or 1)
        leads_mv[names[index]] = np.where(is_missing, np.nan, lead_mv)
    uncalibrated = {index for index in chosen if not header.is_calibrated[index]}
    notes = [
        _note("is not a voltage and is left out", names, set(range(len(names))) - set(voltages)),
        _note("is stored at a lower rate and is left out", names, set(voltages) - set(chosen)),
        _note("states no gain; 200 per mV is assumed, so its voltage may be wrong", names, uncalibrated),
        _note("does not fit its checksum; the file may be damaged", names, _misfits(record, chosen)),
    ]
    if header.longer_files:
        notes.append(f"{', '.join(header.longer_files)} holds more samples than announced; only those are read.")
    rate_hz = float(record.fs) * per_frame
    return _Piece(leads_mv, rate_hz, tuple(text for text in notes if text), header.sample_files)


def _read_samples(header: WfdbHeader) -> Any:
    import wfdb

    name = str(header.path.with_suffix("").absolute())
    try:
        if "61" not in header.record.fmt:
            return wfdb.rdrecord(name, physical=False, smooth_frames=False, return_res=32)
        record = wfdb.rdrecord(name, smooth_frames=False)  # stored numbers that are big-endian cannot be asked for
        record.adc(expanded=True, inplace=True)
        return record
    except Exception as damage:  # wfdb raises many kinds for files that do not fit their header
        raise RecordingError(
            f"The samples of {header.path} do not fit their header: {reason_of(damage)}. Copy the record again."
        ) from damage


def _misfits(record: Any, chosen: Iterable[int]) -> set[int]:
    return {
        index
        for index in chosen
        if record.checksum[index] is not None
        and int(record.e_d_signal[index].sum(dtype=np.int64)) & 0xFFFF != record.checksum[index] & 0xFFFF
    }


def _note(what: str, names: Sequence[str], which: set[int]) -> str:
    return f"{', '.join(names[index] for index in sorted(which))} {what}." if which else ""


def _plain_unit(unit: str) -> str:
    return unit.strip().lower().replace("µ", "u").replace("μ", "u")


def _joined(header: WfdbHeader) -> _Piece:
    """Segments of a record one after the other; what a segment lacks is missing."""
    record, path = header.record, header.path
    lengths = [int(length) for length in record.seg_len]
    starts = np.cumsum([0, *lengths[:-1]])
    _refuse_too_large(path, len(lengths), sum(lengths))
    leads_mv: dict[str, NDArray[np.float64]] = {}
    pieces = []
    for name, start, length in zip(record.seg_name, starts, lengths, strict=True):
        if name == "~" or length == 0:  # a gap, or the list of all signals of a record whose segments differ
            continue
        piece = _segment(path, name)
        pieces.append(piece)
        if piece.sampling_rate_hz != pieces[0].sampling_rate_hz:
            raise RecordingError(f"The segments of {path} have different sampling rates. Read one of them by itself.")
        per_frame = round(piece.sampling_rate_hz / float(record.fs))
        if piece.n_samples != length * per_frame:
            raise RecordingError(
                f"{path} announces {length * per_frame} samples in its segment {name}, which holds {piece.n_samples}. "
                "Copy the record again."
            )
        _refuse_too_large(path, len(lengths), sum(lengths) * per_frame * len(leads_mv.keys() | piece.leads_mv))
        for lead, values in piece.leads_mv.items():
            whole = leads_mv.setdefault(lead, np.full(sum(lengths) * per_frame, np.nan))
            whole[start * per_frame :][: len(values)] = values
    if not pieces:
        raise RecordingError(f"{path} names no segment with samples. Copy the record again.")
    notes = tuple(note for piece in pieces for note in piece.notes)
    return _Piece(leads_mv, pieces[0].sampling_rate_hz, notes, tuple(file for piece in pieces for file in piece.files))


def _segment(path: Path, name: str) -> _Piece:
    header = read_header(path.with_name(f"{name}.hea"))
    if header.has_segments:
        raise RecordingError(f"The segment {name} of {path} is itself in segments, which WFDB does not allow.")
    piece = _read_piece(header)
    return replace(piece, files=(header.path, *piece.files))


def _refuse_too_large(path: Path, n_pieces: int, n_samples: int) -> None:
    if n_pieces > _MAX_SEGMENTS or 8 * n_samples > MAX_RECORDING_BYTES:
        raise RecordingError(
            f"{path} announces {n_pieces} segments with {n_samples} samples; at most {MAX_RECORDING_BYTES // 8} are "
            "read. Cut out a strip."
        )
