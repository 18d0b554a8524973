"""What each column of somebody's table probably means, proposed for correction.

Nothing is decided silently: every column appears in the proposals that use it, kept or not, with the reason in words.
"""

import re
from collections.abc import Iterable

import pandas as pd

from napari_latent_explorer.errors import TableError
from napari_latent_explorer.io.column_conversion import column_values, with_counts
from napari_latent_explorer.io.column_inference import propose_column
from napari_latent_explorer.io.column_proposal import PHENOTYPE_KINDS, ColumnKind, ColumnProposal, ColumnRule

__all__ = [
    "PHENOTYPE_KINDS",
    "ColumnKind",
    "ColumnProposal",
    "ColumnRule",
    "find_id_column",
    "propose_columns",
    "some_names",
]

ID_COLUMN_NAMES = (
    "participantid", "eid", "feid", "participanteid", "subjectid", "patientid", "sampleid", "personid", "recordid",
    "id", "iid", "subject", "patient", "participant", "pid", "sample",
)  # fmt: skip
"""Names of columns of ids, letters only, the surest first; of the first four the first found is taken."""


def propose_columns(table: pd.DataFrame, id_column: str, instance: int | None = None) -> tuple[ColumnProposal, ...]:
    """Say what every column of `table` but `id_column` probably means.

    Parameters
    ----------
    table
        Table as `io.table_file.read_table_file` gives it.
    id_column
        Column of the participant ids.
    instance
        Visit whose columns are wanted in a table of UK Biobank (0 baseline, 2 imaging); None for imaging where the
        table has such columns.

    Raises
    ------
    TableError
        When the table has no column `id_column`.
    """
    if id_column not in table.columns:
        raise TableError(f"The table has no column {id_column!r} of ids; it has {some_names(table.columns)}.")
    names = [name for name in table.columns if name != id_column]
    proposals = (propose_column(name, column_values(table, name)) for name in names)
    return tuple(with_counts(table, proposal) for proposal in proposals)


def find_id_column(table: pd.DataFrame) -> str:
    """Name of the column of participant ids, where the table leaves no doubt.

    Raises
    ------
    TableError
        When no column, or more than one, is called like one.
    """
    spelt = {re.sub(r"[^a-z]", "", name.lower()): name for name in reversed(table.columns)}
    found = [spelt[name] for name in ID_COLUMN_NAMES if name in spelt]
    if len(found) == 1 or (found and re.sub(r"[^a-z]", "", found[0].lower()) in ID_COLUMN_NAMES[:4]):
        return found[0]
    what = f"several columns could hold them ({some_names(found)})" if found else "no column is called like one"
    raise TableError(f"which column holds the participant ids? {what}; name it. Columns: {some_names(table.columns)}.")


def some_names(names: Iterable[str], n_shown: int = 12) -> str:
    """Names for a message, the first few of many."""
    listed = [repr(str(name)) for name in names]
    more = f" and {len(listed) - n_shown} more" if len(listed) > n_shown else ""
    return ", ".join(listed[:n_shown]) + more
