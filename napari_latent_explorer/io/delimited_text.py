"""Tables written as text: with commas, tabs, semicolons or pipes, in whatever encoding.

| what | how |
|---|---|
| encoding | UTF-8, UTF-16 (with BOM, or told by its NUL bytes), else Windows-1252 or Latin-1, which is said |
| separator | the one of tab, semicolon, pipe and comma that divides the first lines alike |
| quotes | ``"a, b"``; line ends inside quotes belong to the cell; a quote that is never closed is refused |
| line ends | Unix, Windows, old Macintosh; empty lines are skipped |

Every cell stays the text that stands in the file, so that ``001`` and 19-digit ids survive. A line with too many or too
few cells is refused by its number, never padded or cut.
"""

import codecs
import csv
import io
from collections import Counter
from collections.abc import Iterator, Sequence

import pandas as pd

from napari_latent_explorer.errors import TableError, reason_of
from napari_latent_explorer.io.table_facts import TableFacts, with_facts

SEPARATORS = {"\t": "tab", ";": "semicolon", "|": "pipe", ",": "comma"}
MAX_COLUMNS = 100_000

_SNIFFED_CHARACTERS = 1 << 18
_SNIFFED_LINES = 20
_BLOCK_BYTES = 1 << 26
_CHUNK_BYTES = 1 << 24
_MAX_CELL = 1 << 20


def read_delimited_text(content: bytes, name: str) -> pd.DataFrame:
    """Read a table of texts.

    Parameters
    ----------
    content
        The file.
    name
        Its name, for messages.

    Raises
    ------
    TableError
        When it is no text, empty, or its lines do not have as many cells as its header.
    """
    utf8, encoding = _as_utf8(content, name)
    separator = _separator(utf8)
    header, start = _header(utf8, separator, name)
    _refuse_open_quote(utf8, separator, name)
    table = _cells(utf8, start, separator, header, name)
    notes = () if encoding.startswith("UTF") else (f"{name} is not UTF-8; it was read as {encoding}.",)
    return with_facts(table, TableFacts(f"text, {SEPARATORS[separator]}", separator == ";", notes=notes))


def column_names(header: Sequence[str], name: str) -> list[str]:
    """Names of the columns; those without one are called by their place.

    Raises
    ------
    TableError
        When two columns are called alike, or there are too many.
    """
    if len(header) > MAX_COLUMNS:
        raise TableError(f"{name} has {len(header)} columns; at most {MAX_COLUMNS} are read. Export fewer.")
    names = [text.strip() or f"column {place}" for place, text in enumerate(header, 1)]
    repeated = [text for text, count in Counter(names).items() if count > 1]
    if repeated:
        places = [str(place) for place, text in enumerate(names, 1) if text == repeated[0]]
        raise TableError(
            f"{name}: {len(repeated)} column names occur more than once, e.g. {repeated[0]!r} in columns "
            f"{', '.join(places[:6])}. Rename or remove them."
        )
    return names


def _as_utf8(content: bytes, name: str) -> tuple[bytes, str]:
    if content.startswith(codecs.BOM_UTF8):
        content = content[len(codecs.BOM_UTF8) :]
    encoding = _encoding(content)
    try:
        text = content if encoding == "UTF-8" else content.decode(encoding).encode().removeprefix(codecs.BOM_UTF8)
    except (UnicodeError, LookupError) as damage:
        raise TableError(f"{name} is no {encoding} text: {reason_of(damage)}. Save it as UTF-8.") from damage
    place = text.find(b"\0")
    if place >= 0:
        line = text.count(b"\n", 0, place) + 1
        raise TableError(f"{name} holds a NUL byte in line {line}: it is no text table, or damaged. Export it again.")
    if not text.strip():
        raise TableError(f"{name} is empty. A table with a header line is expected.")
    return text, encoding


def _encoding(content: bytes) -> str:
    if content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "UTF-16"
    sample = content[:4096]
    if sample[1::2].count(0) > len(sample) // 4:
        return "UTF-16-LE"
    if sample[::2].count(0) > len(sample) // 4:
        return "UTF-16-BE"
    decoder = codecs.getincrementaldecoder("utf-8")()
    try:
        for start in range(0, len(content), _CHUNK_BYTES):
            decoder.decode(content[start : start + _CHUNK_BYTES])
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        try:
            content.decode("cp1252")
        except UnicodeDecodeError:
            return "latin-1"
        return "cp1252"
    return "UTF-8"


def _separator(utf8: bytes) -> str:
    sample = utf8[:_SNIFFED_CHARACTERS].decode("utf-8", "ignore")
    lines = [line for line in sample.splitlines() if line.strip()][:_SNIFFED_LINES]

    def fit(separator: str) -> tuple[float, int]:
        widths = [_n_cells(line, separator) for line in lines]
        alike = [width == widths[0] for width in widths if width]
        return (sum(alike) / len(alike) if widths[0] > 1 else 0.0, widths[0])

    return max((*SEPARATORS,), key=fit) if lines else ","


def _n_cells(line: str, separator: str) -> int:
    """Count the cells of a line; 0 where one is longer than Python's csv takes."""
    try:
        return len(next(csv.reader([line], delimiter=separator), []))
    except csv.Error:
        return 0


def _header(utf8: bytes, separator: str, name: str) -> tuple[list[str], int]:
    """Names of the columns, and where the lines below begin."""
    n_read = 0

    def lines() -> Iterator[str]:
        nonlocal n_read
        for line in io.TextIOWrapper(io.BytesIO(utf8), "utf-8", newline=""):
            n_read += len(line.encode())
            if len(line) > _MAX_CELL * 64:
                raise TableError(f"The first line of {name} is {len(line)} characters long; it is no table.")
            yield line

    try:
        header = next(record for record in csv.reader(lines(), delimiter=separator) if any(record))
    except (csv.Error, StopIteration) as damage:
        raise TableError(f"The first line of {name} is no header of a table: {reason_of(damage)}.") from damage
    return column_names(header, name), n_read


def _refuse_open_quote(utf8: bytes, separator: str, name: str) -> None:
    if utf8.count(b'"') % 2 == 0:
        return
    last = 0
    reader = csv.reader(io.TextIOWrapper(io.BytesIO(utf8), "utf-8", newline=""), delimiter=separator, strict=True)
    try:
        for _ in reader:
            last = reader.line_num
    except csv.Error as damage:
        raise TableError(
            f'A quote (") in line {last + 1} of {name} is never closed, or too early ({reason_of(damage)}). Correct '
            "that line."
        ) from damage


def _cells(utf8: bytes, start: int, separator: str, header: list[str], name: str) -> pd.DataFrame:
    import pyarrow as pa
    from pyarrow import csv as arrow_csv

    if not utf8[start:].strip():
        return pd.DataFrame({column: pd.Series([], dtype="string[pyarrow]") for column in header})
    keys = [str(place) for place in range(len(header))]
    try:
        table = arrow_csv.read_csv(
            pa.BufferReader(memoryview(utf8)[start:]),
            arrow_csv.ReadOptions(block_size=_BLOCK_BYTES, column_names=keys),
            arrow_csv.ParseOptions(delimiter=separator, newlines_in_values=True),
            arrow_csv.ConvertOptions(column_types=dict.fromkeys(keys, pa.string()), strings_can_be_null=False),
        )
    except (pa.ArrowException, ValueError) as damage:
        raise _misfit(utf8, separator, header, name, damage) from damage
    return table.rename_columns(header).to_pandas(types_mapper=pd.ArrowDtype)


def _misfit(utf8: bytes, separator: str, header: list[str], name: str, damage: Exception) -> TableError:
    """Find the line that pyarrow stumbled over."""
    reader = csv.reader(io.TextIOWrapper(io.BytesIO(utf8), "utf-8", newline=""), delimiter=separator)
    try:
        last = 0
        for record in reader:
            if record and len(record) != len(header):
                return TableError(
                    f"Line {last + 1} of {name} has {len(record)} cells, its header {len(header)} (separator: "
                    f"{SEPARATORS[separator]}). Correct that line."
                )
            last = reader.line_num
    except csv.Error as other:
        return TableError(f"Cannot read {name} near line {reader.line_num}: {other}.")
    return TableError(f"Cannot read {name}: {reason_of(damage)}.")
