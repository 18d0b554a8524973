"""ECGs as tables in text files: one column per lead, one row per sample.

| what | how |
|---|---|
| cells | separated by comma, semicolon or tab; decimal points, or decimal commas where the comma does not separate |
| leads | the names of the columns, in any spelling; at least two of the twelve |
| unit | in the column's name (``I (mV)``, ``V1 [uV]``), else stated once for all |
| rate | a column ``time_ms`` or ``time_s`` at even steps, else stated |
| stated facts | comments on top (``# sampling_rate_hz: 500``), else ``<file>.json`` beside it; see `ecg_facts.py` |
| empty cells | missing samples |

A table of phenotypes is no ECG: every column must be a lead, a time or a row number, and every cell a number.
"""

import codecs
import io
import re
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from napari_latent_explorer.data.ecg import LEAD_NAMES
from napari_latent_explorer.errors import RecordingError, reason_of
from napari_latent_explorer.io.ecg_facts import (
    EcgFacts,
    facts_from,
    is_unit,
    make_reading,
    mv_per_unit,
    read_sidecar,
    required,
    sidecar_of,
    states_rate,
)
from napari_latent_explorer.io.ecg_signal import explained
from napari_latent_explorer.io.lead_names import standard_lead_name
from napari_latent_explorer.io.reading import ANY, MAX_ECG_FILE_BYTES, Reading, ReadOptions

_HEAD_BYTES = 16_384
_SEPARATORS = ("\t", ";", ",")
_KNOWN_LEADS = {*LEAD_NAMES, "X", "Y", "Z", "-aVR"}
_MS_PER_TIME = {"time_ms": 1.0, "ms": 1.0, "t_ms": 1.0, "time_s": 1000.0, "s": 1000.0, "t_s": 1000.0, "seconds": 1000.0}
_ROW_NUMBERS = {"", "sample", "samples", "index", "row", "n", "unnamed: 0"}
_UNEVEN_STEP = 0.5
_WHOLE_RATE = 1e-3
_LEAST_ROWS = 2
_RATE_TOLERANCE = 0.01


@dataclass(frozen=True, slots=True)
class _Layout:
    """How a table is written: its separator, columns, comments, and how many lines stand above the numbers."""

    separator: str
    columns: tuple[str, ...]
    stated: Mapping[str, str]
    n_lines_above: int
    decimal: str
    encoding: str


def is_ecg_text(path: Path) -> bool:
    """Whether it is a table of leads with numbers; looks at its beginning and never raises."""
    try:
        if not path.is_file():
            return False
        with path.open("rb") as stream:
            head = stream.read(_HEAD_BYTES)
        layout = _layout(head, is_cut=len(head) == _HEAD_BYTES)
        named = [name for name in map(_lead_of, layout.columns) if name in LEAD_NAMES]
        others = [name for name in layout.columns if not _is_understood(name)]
        has_rate = states_rate(layout.stated) or any(_is_time(name) for name in layout.columns)
        return not others and len(named) >= 2 and (has_rate or len(named) >= 8 or sidecar_of(path).is_file())
    except (OSError, ValueError, RecordingError):
        return False


def read_ecg_text(path: str | Path, options: ReadOptions = ANY) -> Reading:
    """Read one ECG.

    Parameters
    ----------
    path
        Text file (``.csv``, ``.tsv``, ``.txt``).
    options
        Wanted kind; a file holds one.

    Raises
    ------
    RecordingError
        When it is no table of leads, damaged, or a fact is stated nowhere.
    """
    file = Path(path)
    with explained(file):
        if not file.is_file():
            raise RecordingError(f"There is no file {file}.")
        if file.stat().st_size > MAX_ECG_FILE_BYTES:
            raise RecordingError(f"{file} is larger than {MAX_ECG_FILE_BYTES} bytes. Cut out a strip.")
        content = file.read_bytes()
        layout = _layout(content[:_HEAD_BYTES], is_cut=len(content) > _HEAD_BYTES)
        return _read(file, content, layout, options)


def _read(file: Path, content: bytes, layout: _Layout, options: ReadOptions) -> Reading:
    leads = {index: name for index, name in enumerate(layout.columns) if _lead_of(name) in _KNOWN_LEADS}
    unknown = [name for name in layout.columns if not _is_understood(name)]
    if len(leads) < 2 or unknown:
        raise RecordingError(
            f"{file} is no table of leads: {len(leads)} of its {len(layout.columns)} columns are leads"
            f"{f', and {unknown[:5]} are none' if unknown else ''}. Expected are columns like 'I (mV)', V1, "
            "and perhaps time_ms or time_s."
        )
    numbers = _numbers(file, content, layout)  # (sample, column)
    facts = _agreed(file, facts_from(layout.stated, file).or_else(read_sidecar(file)), _timing(file, layout, numbers))
    units = [_unit_of(name) for name in leads.values()]
    _, per_unit = required(facts, file, has_units=all(units))
    scales = [mv_per_unit(unit, file) if unit else per_unit for unit in units]
    signal_mv = numbers[:, list(leads)].T * np.array(scales)[:, None]
    return make_reading(signal_mv, [_lead_of(name) for name in leads.values()], facts, file, options)


def _layout(head: bytes, is_cut: bool) -> _Layout:
    """Find out from the beginning of a file how it is written; ValueError when it is no such text."""
    encoding = _encoding(head, is_cut)
    text = head.decode(encoding, errors="ignore")
    if "\0" in text:
        raise ValueError("no text")
    lines = text.splitlines()
    if is_cut:
        lines = lines[:-1]
    n_comments = next((index for index, line in enumerate(lines) if not line.lstrip().startswith("#")), len(lines))
    if len(lines) < n_comments + 2:
        raise ValueError("no rows")
    names, rows = lines[n_comments], lines[n_comments + 1 :]
    separator = max(_SEPARATORS, key=names.count)
    stated = (re.split(r"[:=]", line.lstrip("# \t"), maxsplit=1) for line in lines[:n_comments])
    facts = {pair[0]: pair[1].strip() for pair in stated if len(pair) == 2}
    decimal = "," if separator != "," and any("," in row for row in rows) else "."
    columns = tuple(cell.strip().strip("\"'").strip() for cell in names.split(separator))
    _refuse_words(rows[:_LEAST_ROWS], separator, decimal)
    return _Layout(separator, columns, facts, n_comments + 1, decimal, encoding)


def _encoding(head: bytes, is_cut: bool) -> str:
    if head[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return "utf-16"
    try:
        codecs.getincrementaldecoder("utf-8")().decode(head, final=not is_cut)
    except UnicodeDecodeError:
        return "latin-1"  # spreadsheets write their µ so
    return "utf-8-sig"


def _refuse_words(rows: list[str], separator: str, decimal: str) -> None:
    for cell in (cell.strip().strip('"') for row in rows for cell in row.split(separator)):
        if cell and cell.lower() != "nan":
            float(cell.replace(decimal, "."))


def _numbers(file: Path, content: bytes, layout: _Layout) -> NDArray[np.float64]:
    import pandas as pd

    try:
        text = content.decode(layout.encoding)
        with warnings.catch_warnings():
            warnings.simplefilter("error")  # pandas only warns of rows that are too long
            table = pd.read_csv(
                io.StringIO(text), sep=layout.separator, decimal=layout.decimal, skiprows=layout.n_lines_above,
                header=None, names=list(range(len(layout.columns))), index_col=False, dtype=np.float64,
            )  # fmt: skip
    except (ValueError, Warning) as damage:  # of pandas, and of the decoder
        raise RecordingError(f"{file} is not a table of numbers: {reason_of(damage)}. Save it again.") from damage
    return np.asarray(table, dtype=np.float64)


def _agreed(file: Path, stated: EcgFacts, timing: EcgFacts) -> EcgFacts:
    """Stated facts with the rate of the column of times, which must agree with a stated one."""
    rates_hz = (stated.sampling_rate_hz, timing.sampling_rate_hz)
    if rates_hz[0] and rates_hz[1] and abs(rates_hz[0] / rates_hz[1] - 1.0) > _RATE_TOLERANCE:
        raise RecordingError(
            f"{file} states {rates_hz[0]:g} Hz, its times give {rates_hz[1]:g} Hz. Correct one of them."
        )
    return stated.or_else(timing)


def _timing(file: Path, layout: _Layout, numbers: NDArray[np.float64]) -> EcgFacts:
    """Tell the sampling rate from the column of times, if there is one."""
    column = next((index for index, name in enumerate(layout.columns) if _is_time(name)), None)
    if column is None:
        return EcgFacts()
    times_ms = numbers[:, column] * _MS_PER_TIME[_plain(layout.columns[column])]
    n_steps = len(times_ms) - 1
    step_ms = (times_ms[-1] - times_ms[0]) / n_steps if n_steps > 0 else float("nan")
    expected_ms = times_ms[0] + np.arange(n_steps + 1) * step_ms
    if not (step_ms > 0 and np.abs(times_ms - expected_ms).max() <= _UNEVEN_STEP * step_ms):
        raise RecordingError(f"The times of {file} do not go on in even steps. Resample the recording.")
    rate_hz = 1000.0 / step_ms
    is_whole = abs(rate_hz - round(rate_hz)) <= _WHOLE_RATE * rate_hz and round(rate_hz) > 0
    return EcgFacts(sampling_rate_hz=float(round(rate_hz)) if is_whole else rate_hz)


def _is_understood(name: str) -> bool:
    return _lead_of(name) in _KNOWN_LEADS or _is_time(name) or _plain(name) in _ROW_NUMBERS


def _is_time(name: str) -> bool:
    return _plain(name) in _MS_PER_TIME


def _plain(name: str) -> str:
    """Name in small letters, with its unit behind an underscore: ``Time [s]`` is ``time_s``."""
    return re.sub(r"[\s_]*[(\[]\s*(\w+)\s*[)\]]", r"_\1", name.strip().lower())


def _split(name: str) -> tuple[str, str]:
    """Lead and unit of a column; the unit is empty when there is none."""
    match = re.fullmatch(r"(.*?)[\s_]*[(\[]([^)\]]*)[)\]]", name) or re.fullmatch(r"(.*?)[\s_]+([µμA-Za-z]+)", name)
    return (match[1], match[2]) if match and is_unit(match[2]) else (name, "")


def _lead_of(name: str) -> str:
    return standard_lead_name(_split(name)[0])


def _unit_of(name: str) -> str:
    return _split(name)[1]
