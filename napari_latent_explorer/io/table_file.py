"""Tables of phenotypes in the files that people keep them in.

| format | recognised by | what comes |
|---|---|---|
| text (CSV, TSV, ...; also gzipped) | none of the others | every cell as its text; see `io.delimited_text` |
| Parquet | ``PAR1`` | the file's own types, whole numbers never through fractions |
| Excel (.xlsx, .xlsm) | a zip with ``xl/workbook.xml`` | values (formulas are not evaluated); see `io.excel_sheet` |
| SPSS (.sav, .zsav), Stata (.dta) | its header | codes; labels and missing codes as facts; see `io.statistics_file` |

What the file says about its columns rides along as `io.table_facts`. Sizes are checked before anything is allocated,
and nothing in a file is executed.
"""

import gzip
import os
import zlib
from pathlib import Path
from typing import IO

import pandas as pd

from napari_latent_explorer.errors import TableError, reason_of
from napari_latent_explorer.io.delimited_text import read_delimited_text
from napari_latent_explorer.io.excel_sheet import read_excel_sheet
from napari_latent_explorer.io.parquet_table import read_parquet_table
from napari_latent_explorer.io.statistics_file import read_statistics_file

MAX_TABLE_BYTES = 2 << 30
"""A table that is larger than this, unpacked, is refused."""

_CHUNK_BYTES = 1 << 22
_OLE = b"\xd0\xcf\x11\xe0"
_STATA_RELEASES = (b"\x69", b"\x6c", b"\x6e", b"\x6f", b"\x71", b"\x72", b"\x73")
_STATA_HEADERS = (b"\x01\x01\x00", b"\x02\x01\x00")


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
    mark = stream.read(16)
    stream.seek(0, os.SEEK_END)
    if stream.tell() > MAX_TABLE_BYTES:
        raise _too_large(file)
    stream.seek(0)
    if mark.startswith(_OLE):
        raise TableError(
            f"{file} is of a kind that is not read (old Excel .xls, or encrypted). Save it as .xlsx or CSV."
        )
    if mark.startswith(b"PAR1"):
        return read_parquet_table(stream, str(file))
    if mark.startswith(b"PK\x03\x04"):
        return read_excel_sheet(stream, str(file), sheet)
    if mark.startswith((b"$FL2", b"$FL3")):
        return read_statistics_file(file, "SPSS")
    if mark.startswith(b"<stata_dta>") or (mark[:1] in _STATA_RELEASES and mark[1:4] in _STATA_HEADERS):
        return read_statistics_file(file, "Stata")
    is_packed = mark.startswith(b"\x1f\x8b")
    return read_delimited_text(_unpacked(stream, file) if is_packed else _limited(stream, file), str(file))


def _unpacked(stream: IO[bytes], file: Path) -> bytes:
    try:
        with gzip.GzipFile(fileobj=stream) as unpacked:
            return _limited(unpacked, file)
    except (gzip.BadGzipFile, EOFError, zlib.error) as damage:
        raise TableError(f"{file} is a damaged gzip file: {reason_of(damage)}. Copy it again.") from damage


def _limited(stream: IO[bytes] | gzip.GzipFile, file: Path) -> bytes:
    content = bytearray()
    while chunk := stream.read(_CHUNK_BYTES):
        content += chunk
        if len(content) > MAX_TABLE_BYTES:
            raise _too_large(file)
    return bytes(content)


def _too_large(file: Path) -> TableError:
    limit = MAX_TABLE_BYTES / 2**30
    return TableError(f"{file} is larger than {limit:.0f} GiB (unpacked). Export only the columns that are needed.")
