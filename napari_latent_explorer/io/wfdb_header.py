"""Headers of WFDB records, read with suspicion: a header is text that anyone may have written.

What it claims is held against the files beside it before a sample is read: names that leave its folder, formats that do
not exist, lengths that the files cannot hold. The numbers are those of the ``wfdb`` package; only the unit is read here
again, because that package drops every letter that is not ASCII and so takes ``µV`` for ``V``.
"""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from napari_latent_explorer.errors import RecordingError, reason_of
from napari_latent_explorer.io.reading import MAX_RECORDING_BYTES

BYTES_PER_SAMPLE = {
    "8": 1.0, "16": 2.0, "24": 3.0, "32": 4.0, "61": 2.0, "80": 1.0, "160": 2.0, "212": 1.5, "310": 4 / 3, "311": 4 / 3,
    "508": 0.0, "516": 0.0, "524": 0.0,
}  # fmt: skip
"""Storage formats; the last three are compressed (FLAC)."""
_RECORD_LINE = re.compile(r"[-\w]+(/\d+)?[ \t]+\d+([ \t]|$)")
_RECORD_FIELDS = (r"[-\w]+(/\d+)?", r"\d+", r"(\d+\.?\d*|\.\d+)(/.*)?", r"\d+")
_STORAGE = r"\d+(x\d+)?(:\d+)?(\+\d+)?"
"""How the first fields of a record, and the storage of a signal, are written; the library passes over the rest."""
_MAX_HEADER_BYTES = 1 << 20
_MAX_FRAME = 10_000
_HEAD_BYTES = 4096


@dataclass(frozen=True, slots=True)
class WfdbHeader:
    """A header whose claims its files can keep.

    Attributes
    ----------
    path
        The ``.hea`` file.
    record
        What the ``wfdb`` package reads in it.
    units
        Unit of each signal as it is written; empty where there is none.
    is_calibrated
        Whether the gain of each signal is stated.
    """

    path: Path
    record: Any
    units: tuple[str, ...]
    is_calibrated: tuple[bool, ...]

    @property
    def longer_files(self) -> tuple[str, ...]:
        """Names of uncompressed files that hold more than is announced."""
        if self.record.sig_len is None:
            return ()
        needed = needed_bytes(self.record)
        sizes = {name: self.path.with_name(name).stat().st_size for name in needed}
        n_slack = max(4.0, 0.001 * self.record.sig_len)
        return tuple(name for name, n_bytes in needed.items() if n_bytes and sizes[name] > n_bytes + n_slack)

    @property
    def has_segments(self) -> bool:
        """Whether the record is in several segments, each with a header of its own."""
        return hasattr(self.record, "seg_name")

    @property
    def sample_files(self) -> tuple[Path, ...]:
        """Files with samples, each once."""
        return tuple(self.path.parent / name for name in dict.fromkeys(self.record.file_name or ()))


def header_of(path: Path) -> Path:
    """Header that belongs to `path`: itself, the only one in a folder, or the file of the same name with ``.hea``."""
    if path.is_dir():
        headers = sorted(path.glob("*.hea"))
        return headers[0] if len(headers) == 1 else path / "*.hea"
    if path.suffix == ".hea":
        return path
    return path.parent / f"{path.stem if path.is_file() else path.name}.hea"


def is_wfdb(path: Path) -> bool:
    """Whether `path` is a WFDB header, belongs to one that names it, or is a folder with one; never raises."""
    try:
        header_path = header_of(path)
        if not header_path.is_file():
            return False
        with header_path.open("rb") as stream:
            text = stream.read(_HEAD_BYTES).decode("latin-1")
        if path.is_file() and path != header_path and path.name not in text:
            return False
        return any(_RECORD_LINE.match(line) for line in _lines(text)[:1])
    except (OSError, ValueError):
        return False


def read_header(path: Path) -> WfdbHeader:
    """Read a header and hold it against its files.

    Raises
    ------
    RecordingError
        When it is missing, no header, unsafe, or claims what its files cannot hold.
    """
    text = _text(path)
    record = _parse(path)
    if not _lines(text):
        raise RecordingError(f"{path} is empty, expected the header of a WFDB record. Copy it again.")
    _refuse_misspelt(path, _lines(text)[0].split())
    lines = [line.split() for line in _lines(text)[1:]]
    gains = [words[2] if len(words) > 2 else "" for words in lines]
    header = WfdbHeader(
        path=path,
        record=record,
        units=tuple(gain.partition("/")[2] for gain in gains),
        is_calibrated=tuple(re.match(r"-?0*\.?0*[1-9]", gain) is not None for gain in gains),
    )
    if header.has_segments:
        _refuse_outside(path, [name for name in record.seg_name if name != "~"])
    else:
        _refuse_bad_signals(header)
    return header


def _lines(text: str) -> list[str]:
    return [line.strip() for line in text.splitlines() if line.strip() and not line.strip().startswith("#")]


def _text(path: Path) -> str:
    if "::" in str(path.absolute()):  # the library would take it for a chain of addresses
        raise RecordingError(f"Cannot read {path}: its path contains '::'. Rename the folder.")
    if not path.is_file():
        raise RecordingError(f"There is no WFDB header {path}. Copy it beside the sample files.")
    if path.stat().st_size > _MAX_HEADER_BYTES:
        raise RecordingError(f"{path} is larger than a WFDB header can be ({_MAX_HEADER_BYTES} bytes).")
    content = path.read_bytes()
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError:
        return content.decode("latin-1")


def _parse(path: Path) -> Any:
    import wfdb

    try:
        record = wfdb.rdheader(str(path.with_suffix("").absolute()))
        n_signals, length = int(record.n_sig), record.sig_len
        rate_hz = float(record.fs)
    except Exception as damage:  # wfdb raises many kinds for a text that is no header
        raise RecordingError(f"{path} is not a WFDB header: {reason_of(damage)}. Choose another file.") from damage
    if n_signals < 1 or length == 0:
        raise RecordingError(f"{path} describes {n_signals} signals of {length} samples; there is nothing to read.")
    if not 0 < rate_hz < 1e6:
        raise RecordingError(f"{path} states a sampling rate of {rate_hz} Hz. Correct it in the header.")
    return record


def _refuse_misspelt(path: Path, words: list[str]) -> None:
    for word, pattern in zip(words, _RECORD_FIELDS, strict=False):
        if not re.fullmatch(pattern, word, re.IGNORECASE):
            raise RecordingError(f"{path} is not a WFDB header: {word!r} in its first line makes no sense. Correct it.")


def _refuse_outside(header_path: Path, names: list[str]) -> None:
    outside = sorted({name for name in names if Path(name).name != name or "\\" in name or ":" in name})
    if outside:
        raise RecordingError(f"{header_path} names files outside its folder: {outside}. It is not safe to read.")


def _refuse_bad_signals(header: WfdbHeader) -> None:
    record, path = header.record, header.path
    written = [line.split() for line in _lines(_text(path))[1:]]
    _refuse_outside(path, [*(words[0] for words in written), *(record.file_name or ())])
    misspelt = [words[1] for words in written if len(words) > 1 and not re.fullmatch(_STORAGE, words[1])]
    if misspelt:
        raise RecordingError(f"{path} states the storage {', '.join(misspelt)}, which makes no sense. Correct it.")
    if not record.file_name or len(record.file_name) < record.n_sig:
        raise RecordingError(
            f"{path} announces {record.n_sig} signals and describes {len(record.file_name or ())}. Copy it again."
        )
    unknown = sorted({str(fmt) for fmt in record.fmt if fmt not in BYTES_PER_SAMPLE})
    if unknown:
        raise RecordingError(f"{path} names the sample format {', '.join(unknown)}, which does not exist in WFDB.")
    _refuse_bad_files(header)
    frames = [per_frame or 1 for per_frame in record.samps_per_frame]
    skews = [skew or 0 for skew in record.skew]
    n_frames = (record.sig_len or 0) + max(skews)
    if max(frames) > _MAX_FRAME or 8 * sum(frames) * n_frames > MAX_RECORDING_BYTES:
        raise RecordingError(
            f"{path} announces {sum(frames)} x {n_frames} samples; at most {MAX_RECORDING_BYTES // 8} are read. "
            "Cut out a strip."
        )
    if record.sig_len is not None:
        _refuse_short_files(header)


def _refuse_bad_files(header: WfdbHeader) -> None:
    files = header.sample_files
    missing = [file.name for file in files if not file.is_file()]
    if missing:
        packed = [name for name in missing if header.path.with_name(f"{name}.gz").is_file()]
        advice = f"Unpack {', '.join(f'{name}.gz' for name in packed)}" if packed else "Copy all files of the record"
        raise RecordingError(f"{', '.join(missing)} is missing beside {header.path}. {advice}.")
    empty = [file.name for file in files if file.stat().st_size == 0]
    if empty:
        raise RecordingError(f"{', '.join(empty)} beside {header.path} is empty. Copy the record again.")


def needed_bytes(record: Any) -> dict[str, float]:
    """Bytes that each file must have for the announced length; 0 where it is compressed."""
    needed: dict[str, float] = {}
    fields = zip(record.file_name, record.fmt, record.samps_per_frame, record.byte_offset, strict=True)
    for name, fmt, per_frame, offset in fields:
        n_bytes = (per_frame or 1) * record.sig_len * BYTES_PER_SAMPLE[fmt]
        begin = (offset or 0) if n_bytes else 0
        needed[name] = needed.get(name, begin) + n_bytes
    return needed


def _refuse_short_files(header: WfdbHeader) -> None:
    """Hold the announced length against the size of every uncompressed file."""
    for name, n_needed in needed_bytes(header.record).items():
        n_held = header.path.with_name(name).stat().st_size
        if n_held < int(n_needed):
            raise RecordingError(
                f"{header.path} announces {header.record.sig_len} samples per signal, for which {name} needs "
                f"{int(n_needed)} bytes; it holds {n_held}. Copy the record again."
            )
