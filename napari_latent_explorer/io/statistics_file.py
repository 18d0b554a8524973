"""Tables of SPSS (.sav, .zsav) and Stata (.dta): codes as they stand, their labels and missing codes as facts.

Values that the file declares missing are kept in the cells and named in the facts, so that whoever corrects the
proposals sees them; Stata's ``.a`` to ``.z`` come as ``a`` to ``z``.
"""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pandas as pd

from napari_latent_explorer.errors import TableError, reason_of
from napari_latent_explorer.io.column_values import cell_text
from napari_latent_explorer.io.delimited_text import column_names
from napari_latent_explorer.io.table_facts import MAX_CELLS, ColumnFacts, TableFacts, with_facts


def read_statistics_file(path: Path, program: Literal["SPSS", "Stata"]) -> pd.DataFrame:
    """Read a file of SPSS or Stata.

    Parameters
    ----------
    path
        The file.
    program
        Whose file it is.

    Raises
    ------
    TableError
        When it is damaged, or would take more cells than are read.
    """
    import pyreadstat

    read = pyreadstat.read_sav if program == "SPSS" else pyreadstat.read_dta
    try:
        _, meta = read(str(path), metadataonly=True)
        _refuse_size(meta, path)
        row_limit = MAX_CELLS // max(meta.number_columns or 0, 1)
        table, meta = read(str(path), user_missing=True, apply_value_formats=False, row_limit=row_limit)
    except TableError:
        raise
    except Exception as damage:  # pyreadstat raises many kinds for bytes that are no such file
        raise TableError(
            f"{path} is a damaged {program} file: {reason_of(damage)}. Copy or export it again."
        ) from damage
    column_names([str(name) for name in table.columns], str(path))
    return with_facts(table, TableFacts(program, columns=dict(_facts(table, meta))))


def _refuse_size(meta: Any, path: Path) -> None:
    n_rows, n_columns = meta.number_rows or 0, meta.number_columns or 0
    if n_rows * n_columns > MAX_CELLS:
        raise TableError(
            f"{path} announces {n_rows} rows of {n_columns} columns; at most {MAX_CELLS} cells are read. Export only "
            "the columns that are needed."
        )


def _facts(table: pd.DataFrame, meta: Any) -> Iterable[tuple[str, ColumnFacts]]:
    for name in table.columns:
        labels = meta.variable_value_labels.get(name, {})
        pairs = tuple((cell_text(value), str(label)) for value, label in labels.items())
        missing = [*_in_ranges(table[name], meta.missing_ranges.get(name, ()))]
        missing += [cell_text(value) for value in meta.missing_user_values.get(name) or ()]
        label = (meta.column_names_to_labels.get(name) or "").strip()
        if label or pairs or missing:
            known = tuple(pair for pair in pairs if pair[0] not in missing)
            yield name, ColumnFacts(label, known, tuple(dict.fromkeys(missing)))


def _in_ranges(column: "pd.Series[Any]", ranges: Iterable[Mapping[str, Any]]) -> Iterable[str]:
    """Values of the column that lie in what the file declares missing (a value is a range of its own)."""
    for interval in ranges:
        low, high = interval["lo"], interval["hi"]
        if isinstance(low, str):
            yield low.strip()
            continue
        numbers = pd.to_numeric(column, errors="coerce").to_numpy(np.float64)
        found = numbers[(numbers >= low) & (numbers <= high)]
        yield from (cell_text(float(value)) for value in np.unique(found))
