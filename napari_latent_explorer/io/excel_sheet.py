"""Tables in Excel workbooks (.xlsx, .xlsm): one sheet, its values.

Formulas are never evaluated; the value that Excel stored with one is read, if it ever calculated it. A workbook is a
zip archive of XML, so its unpacked sizes are looked at first, and entities in the XML are not followed (by defusedxml,
or by lxml when told so). The extent that a sheet announces is not believed; empty rows and columns are left out.
"""

from collections.abc import Iterator, Sequence
from typing import IO, Any
from zipfile import BadZipFile, ZipFile

import pandas as pd

from napari_latent_explorer.errors import TableError, reason_of
from napari_latent_explorer.io.column_values import cell_text
from napari_latent_explorer.io.delimited_text import column_names
from napari_latent_explorer.io.table_facts import TableFacts, with_facts

WORKBOOK_MEMBER = "xl/workbook.xml"
MAX_UNPACKED_BYTES = 1 << 30
MAX_SHEET_CELLS = 20_000_000

_MAX_MEMBERS = 10_000
_MAX_EMPTY_ROWS = 10_000


def read_excel_sheet(stream: IO[bytes], name: str, sheet: str | None = None) -> pd.DataFrame:
    """Read one sheet of a workbook.

    Parameters
    ----------
    stream
        The file, open for reading.
    name
        Its name, for messages.
    sheet
        Name of the sheet; the first that holds anything if None, which is said where there are several.

    Raises
    ------
    TableError
        When it is damaged, unpacks to too much, has no such sheet, or no table in it.
    """
    _refuse_bombs(stream, name)
    try:
        return _read(stream, name, sheet)
    except TableError:
        raise
    except Exception as damage:  # openpyxl raises many kinds for XML that is no workbook
        raise TableError(
            f"{name} is a damaged Excel workbook: {reason_of(damage)}. Save it again, or export it as CSV."
        ) from damage


def _refuse_bombs(stream: IO[bytes], name: str) -> None:
    try:
        with ZipFile(stream) as archive:
            members = archive.infolist()
    except (BadZipFile, ValueError, OSError, NotImplementedError) as damage:
        raise TableError(f"{name} is a damaged archive: {reason_of(damage)}. Save the workbook again.") from damage
    if WORKBOOK_MEMBER not in {member.filename for member in members}:
        raise TableError(f"{name} is a zip archive but no Excel workbook (.xlsx). Unpack it, or give the table in it.")
    n_bytes = sum(member.file_size for member in members)
    if n_bytes > MAX_UNPACKED_BYTES or len(members) > _MAX_MEMBERS:
        raise TableError(
            f"{name} unpacks to {n_bytes} bytes in {len(members)} files; at most {MAX_UNPACKED_BYTES} bytes in "
            f"{_MAX_MEMBERS} files are read. Export the sheet as CSV."
        )


def _read(stream: IO[bytes], name: str, sheet: str | None) -> pd.DataFrame:
    import openpyxl

    if not openpyxl.DEFUSEDXML:
        raise TableError(f"{name} cannot be read safely: OPENPYXL_DEFUSEDXML switches defusedxml off. Unset it.")
    stream.seek(0)
    workbook = openpyxl.load_workbook(stream, read_only=True, data_only=True, keep_links=False)
    try:
        sheets = {str(found.title): found for found in workbook.worksheets}
        if sheet is not None and sheet not in sheets:
            raise TableError(f"{name} has no sheet {sheet!r}; it has {', '.join(map(repr, sheets))}.")
        for title in [sheet] if sheet is not None else list(sheets):
            rows = list(_rows(sheets[title], name))
            if rows:
                return _table(rows, name, title, list(sheets))
    finally:
        workbook.close()
    raise TableError(f"{name} has no table in {f'the sheet {sheet!r}' if sheet else 'any sheet'}.")


def _rows(sheet: Any, name: str) -> Iterator[Sequence[Any]]:
    """Rows of a sheet that hold anything, with their cells up to the last that does."""
    sheet.reset_dimensions()
    n_cells = n_empty = 0
    for row in sheet.iter_rows(values_only=True):
        n_cells += len(row) + 1
        if n_cells > MAX_SHEET_CELLS:
            raise TableError(
                f"The sheet {sheet.title!r} of {name} has more than {MAX_SHEET_CELLS} cells. Export the sheet as CSV."
            )
        last = max((place for place, value in enumerate(row, 1) if value is not None and value != ""), default=0)
        n_empty = 0 if last else n_empty + 1
        if n_empty > _MAX_EMPTY_ROWS:
            return
        if last:
            yield row[:last]


def _table(rows: Sequence[Sequence[Any]], name: str, title: str, sheets: Sequence[str]) -> pd.DataFrame:
    width = max(map(len, rows))
    header = [cell_text(value) for value in rows[0]]
    names = column_names([*header, *[""] * (width - len(header))], f"The sheet {title!r} of {name}")
    cells = [[*row, *[None] * (width - len(row))] for row in rows[1:]]
    columns = {column: pd.Series([row[place] for row in cells], dtype=object) for place, column in enumerate(names)}
    others = [other for other in sheets if other != title]
    notes = (
        (f"The sheet {title!r} of {name} was read; there are also {', '.join(map(repr, others))}.",) if others else ()
    )
    return with_facts(pd.DataFrame(columns), TableFacts(f"Excel, sheet {title!r}", notes=notes))
