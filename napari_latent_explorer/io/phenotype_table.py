"""Somebody's table as the phenotypes of a cohort: read, understood, and with an account of what became of each row."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from napari_latent_explorer.data.cohort import Cohort
from napari_latent_explorer.data.phenotype import PhenotypeSpec
from napari_latent_explorer.errors import TableError
from napari_latent_explorer.io.column_conversion import TableValues, phenotype_column
from napari_latent_explorer.io.participant_ids import IdReport, usable_rows
from napari_latent_explorer.io.phenotype_columns import ColumnProposal, find_id_column, propose_columns
from napari_latent_explorer.io.table_facts import facts_of
from napari_latent_explorer.io.table_file import read_table_file
from napari_latent_explorer.io.ukb_columns import visit_note


@dataclass(frozen=True, eq=False)
class PhenotypeTable:
    """Phenotypes of participants, ready to become a cohort.

    Attributes
    ----------
    participant_ids
        ``(n_participants,)`` unique ids, in the order of the file.
    phenotypes
        ``(n_participants, n_phenotypes)`` table, as `Cohort` wants it.
    specs
        What each phenotype means.
    proposals
        What was made of each column of the file, kept or not.
    id_report
        What became of each row.
    notes
        What else its user should know, in sentences.
    """

    participant_ids: NDArray[np.str_]
    phenotypes: pd.DataFrame
    specs: Mapping[str, PhenotypeSpec]
    proposals: tuple[ColumnProposal, ...]
    id_report: IdReport
    notes: tuple[str, ...] = field(default=())

    def cohort(self, availability: Mapping[str, NDArray[np.bool_]] | None = None) -> Cohort:
        """Give the participants as a cohort, with who has which recording."""
        return Cohort(self.participant_ids, self.phenotypes, self.specs, availability or {})


def import_phenotypes(
    path: str | Path,
    id_column: str | None = None,
    instance: int | None = None,
    columns: Sequence[ColumnProposal] | None = None,
    sheet: str | None = None,
) -> PhenotypeTable:
    """Read a table and make phenotypes of it.

    Parameters
    ----------
    path
        File; see `io.table_file` for what is read.
    id_column
        Column of the participant ids; found by `find_id_column` if None.
    instance
        Wanted visit in a table of UK Biobank; see `propose_columns`.
    columns
        Corrected proposals; made by `propose_columns` if None.
    sheet
        Wanted sheet of a workbook.

    Raises
    ------
    TableError
        When the file cannot be read, has no usable ids, or does not fit the given columns.
    """
    table = read_table_file(path, sheet)
    try:
        return phenotypes_of(table, id_column, instance, columns)
    except TableError as misfit:
        raise TableError(f"Cannot use {path}: {misfit}") from misfit


def phenotypes_of(
    table: pd.DataFrame,
    id_column: str | None = None,
    instance: int | None = None,
    columns: Sequence[ColumnProposal] | None = None,
) -> PhenotypeTable:
    """Make phenotypes of a table that has been read; see `import_phenotypes`."""
    id_name = id_column or find_id_column(table)
    proposals = propose_columns(table, id_name, instance) if columns is None else tuple(columns)
    kept = [proposal for proposal in proposals if proposal.is_kept]
    specs = {proposal.name: proposal.spec for proposal in kept}
    rows, participant_ids, report = usable_rows(table, id_name)
    if not len(rows):
        raise TableError(f"no row can be used.\n  {report}")
    values = TableValues(table)
    series = [phenotype_column(values, proposal).iloc[rows].reset_index(drop=True) for proposal in kept]
    phenotypes = pd.concat(series, axis=1) if series else pd.DataFrame(index=range(len(rows)))
    visit = visit_note(table.columns, instance) if columns is None else ""
    notes = (*facts_of(table).notes, *([visit] if visit else []))
    return PhenotypeTable(participant_ids, phenotypes, specs, proposals, report, notes)
