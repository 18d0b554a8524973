"""Tables of phenotypes in the files that people keep them in.

| format | recognised by | what comes |
|---|---|---|
| text (CSV, TSV, ...; also gzipped) | none of the others | every cell as its text; see `io.delimited_text` |
| Parquet | ``PAR1`` | the file's own types, whole numbers never through fractions |
| Excel (.xlsx, .xlsm) | a zip with ``xl/workbook.xml`` | values (formulas are not evaluated); see `io.excel_sheet` |
| SPSS (.sav, .zsav) | ``$FL2``, ``$FL3`` | codes, with value labels and missing codes as facts |
| Stata (.dta) | its header | codes, with value labels as facts |

What the file says about its columns rides along as `io.table_facts`. Sizes are checked before anything is allocated,
and nothing in a file is executed.
"""

import gzip
import zlib
from pathlib import Path
from typing import IO

import pandas as pd

from napari_latent_explorer.errors import TableError
from napari_latent_explorer.io.delimited_text import read_delimited_text

MAX_TABLE_BYTES = 2 << 30
"""A table that is larger than this, unpacked, is refused."""

_CHUNK_BYTES = 1 << 22


def read_table_file(path: str | Path, sheet: str | None = None) -> pd.DataFrame:
    """Read a table as it stands in its file; nothing is interpreted.

    Parameters
    ----------
    path
        File.
    sheet
        Wanted sheet of a workbook; the first that holds a table if None.

    Raises
    ------
    TableError
        When the file is missing, too large, damaged, or no table. It names the file, and line or column where it can.
    """
    file = Path(path)
    try:
        if not file.is_file():
            raise TableError(f"There is no file {file}." if not file.exists() else f"{file} is a folder, not a table.")
        with file.open("rb") as stream:
            return _read(stream, file, sheet)
    except OSError as refusal:
        raise TableError(f"Cannot read {file}: {refusal.strerror or refusal}.") from refusal


def _read(stream: IO[bytes], file: Path, sheet: str | None) -> pd.DataFrame:
    mark = stream.read(8)
    stream.seek(0)
    if mark.startswith(b"\x1f\x8b"):
        return read_delimited_text(_unpacked(stream, file), str(file))
    return read_delimited_text(_limited(stream, file), str(file))


def _unpacked(stream: IO[bytes], file: Path) -> bytes:
    try:
        with gzip.open(stream) as unpacked:
            return _limited(unpacked, file)
    except (gzip.BadGzipFile, EOFError, zlib.error) as damage:
        raise TableError(f"{file} is a damaged gzip file: {damage}. Copy it again.") from damage


def _limited(stream: IO[bytes], file: Path) -> bytes:
    content = bytearray()
    while chunk := stream.read(_CHUNK_BYTES):
        content += chunk
        if len(content) > MAX_TABLE_BYTES:
            raise TableError(
                f"{file} is larger than {MAX_TABLE_BYTES / 2**30:.0f} GiB unpacked. Export only the columns needed."
            )
    return bytes(content)
