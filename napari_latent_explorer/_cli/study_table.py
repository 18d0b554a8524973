"""`study table`: what a table of phenotypes would become, before a study is made of it."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.table import Table

from napari_latent_explorer._cli.foreign_text import plain

if TYPE_CHECKING:
    from collections.abc import Sequence

    from napari_latent_explorer.io.column_proposal import ColumnProposal

_MAX_SHOWN_NOT_KEPT = 40

TableFile = Annotated[
    Path, typer.Argument(metavar="TABLE", help="CSV, TSV (also gzipped), Parquet, Excel, SPSS or Stata file.")
]
IdColumn = Annotated[str | None, typer.Option(help="Column of the participant ids; found by its name if not given.")]
Instance = Annotated[
    int | None, typer.Option(min=0, help="UK Biobank: visit whose values are wanted, 2 for imaging (the default).")
]
ColumnsFile = Annotated[Path | None, typer.Option(help="Corrected columns, as `--columns-out` writes them.")]


def table(
    table_file: TableFile,
    id_column: IdColumn = None,
    instance: Instance = None,
    columns: ColumnsFile = None,
    columns_out: Annotated[Path | None, typer.Option(help="Write the columns to this TOML file, to correct.")] = None,
    sheet: Annotated[str | None, typer.Option(help="Sheet of a workbook; the first that holds a table.")] = None,
) -> None:
    """Say what each column of a table would become, why, and what is the matter with its ids.

    Nothing is written but the file of columns. Types, units, labels and missing codes are proposals: write them with
    `--columns-out`, correct them, and give the file back with `--columns`.
    """
    from napari_latent_explorer.io.columns_file import read_columns_file, write_columns_file
    from napari_latent_explorer.io.phenotype_table import import_phenotypes

    corrected = None if columns is None else read_columns_file(columns)
    found = import_phenotypes(table_file, id_column, instance, corrected, sheet)
    stdout = Console()
    for text in (*found.notes, str(found.id_report)):
        stdout.print(plain(text), highlight=False)
    _print(stdout, found.proposals)
    if columns_out is not None:
        write_columns_file(columns_out, found.proposals)
        stdout.print(plain(f"Wrote {columns_out}. Correct it and give it with --columns."), highlight=False)


def _print(stdout: Console, proposals: "Sequence[ColumnProposal]") -> None:
    kept = [proposal for proposal in proposals if proposal.is_kept]
    others = [proposal for proposal in proposals if not proposal.is_kept]
    shown = Table("phenotype", "kind", "missing", "values", "why", title=f"{len(kept)} phenotypes")
    for proposal in kept:
        values = ", ".join(proposal.categories or proposal.examples)
        kind = f"{proposal.kind}, {proposal.unit}" if proposal.unit else proposal.kind
        shown.add_row(*map(plain, (proposal.name, kind, str(proposal.n_missing or ""), values, proposal.note)))
    stdout.print(shown)
    if not others:
        return
    left_out = Table("column", "taken for", "why", title=f"{len(others)} not kept")
    for proposal in others[:_MAX_SHOWN_NOT_KEPT]:
        left_out.add_row(*map(plain, (", ".join(proposal.sources[:3]), proposal.kind, proposal.note)))
    stdout.print(left_out)
    if len(others) > _MAX_SHOWN_NOT_KEPT:
        stdout.print(f"... and {len(others) - _MAX_SHOWN_NOT_KEPT} more; --columns-out writes all.", highlight=False)
