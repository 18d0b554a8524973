"""What somebody has filled in to build a study, and what was found in their table: frozen values.

A form may be incomplete; `problems` says what is missing, and `config` is what `building` is given once it is not.
"""

from collections.abc import Generator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

from napari_latent_explorer.building.plan import BuildConfig, CropRule, StudyPlan
from napari_latent_explorer.data.cine import ImagingPlane
from napari_latent_explorer.data.progress import Progress
from napari_latent_explorer.errors import TableError
from napari_latent_explorer.io.reading import EcgKind

if TYPE_CHECKING:
    from napari_latent_explorer.io.column_proposal import ColumnProposal

NOWHERE = Path()


@dataclass(frozen=True, slots=True)
class BuildForm:
    """Answers so far; the fields are those of `BuildConfig`, and may be missing."""

    table: Path | None = None
    id_column: str | None = None
    instance: int | None = None
    cine: Path | None = None
    ecg: Path | None = None
    labels: Path | None = None
    imaging_plane: ImagingPlane | None = "la_4ch"
    ecg_kind: EcgKind | None = None
    id_pattern: str | None = None
    crop_rule: CropRule = "centred"
    label_scheme: str | None = None
    output: Path | None = None
    name: str = ""

    @property
    def can_be_looked_at(self) -> bool:
        """Whether there is enough to find recordings by."""
        has_ids = self.table is None or self.id_column is not None
        return has_ids and (self.cine is not None or self.ecg is not None) and not self.absent()

    def absent(self) -> tuple[str, ...]:
        """Say which of the given files and folders are not there."""
        folders = [path for path in (self.cine, self.ecg, self.labels) if path is not None and not path.is_dir()]
        no_table = self.table is not None and not self.table.is_file()
        sentences = [f"There is no file {self.table}."] if no_table else []
        return (*sentences, *(f"There is no folder {path}." for path in dict.fromkeys(folders)))

    def problems(self) -> tuple[str, ...]:
        """Say what is missing before a study can be built."""
        missing = list(self.absent())
        if self.cine is None and self.ecg is None:
            missing.append("Choose a folder of cines, of ECGs, or both.")
        if self.table is not None and self.id_column is None and not missing:
            missing.append("Choose the column of the table that holds the participant ids.")
        if self.output is None:
            missing.append("Choose the folder that the study is to be made in.")
        return tuple(missing)

    def config(self, columns: "tuple[ColumnProposal, ...] | None" = None) -> BuildConfig:
        """Give it to `building`, with corrected columns if there are any."""
        return BuildConfig(
            output=self.output or NOWHERE,
            table=self.table,
            id_column=self.id_column,
            cine=self.cine,
            ecg=self.ecg,
            labels=self.labels,
            imaging_plane=self.imaging_plane,
            ecg_kind=self.ecg_kind,
            instance=self.instance,
            id_pattern=self.id_pattern,
            crop_rule=self.crop_rule,
            label_scheme=self.label_scheme,
            columns=columns,
            name=self.name,
        )


MAX_EXAMPLES = 20


@dataclass(frozen=True, slots=True)
class PlanSummary:
    """What a plan of a hundred thousand files comes to; counted where it was made, off the GUI's thread.

    Attributes
    ----------
    n_people, n_cine, n_ecg, n_both, n_labels
        Participants, and how many of them have which recording.
    aside
        For each reason why files are left aside: how many, and the first of them.
    """

    n_people: int
    n_cine: int
    n_ecg: int
    n_both: int
    n_labels: int
    aside: tuple[tuple[str, int, tuple[Path, ...]], ...]

    @classmethod
    def of(cls, plan: StudyPlan) -> "PlanSummary":
        """Count."""
        aside = tuple(
            (reason, len(files), tuple(file.path for file in files[:MAX_EXAMPLES]))
            for reason, files in plan.unused_by_reason().items()
        )
        counts = (plan.n_with("mri"), plan.n_with("ecg"), plan.n_with_both(), plan.n_with("labels"))
        return cls(len(plan.participants), *counts, aside)


PLAN_FIELDS = frozenset(
    {"table", "id_column", "instance", "cine", "ecg", "labels", "imaging_plane", "ecg_kind", "id_pattern"}
)
"""Fields of a form that decide which recordings are found."""


@dataclass(frozen=True, slots=True, eq=False)
class TableReading:
    """Somebody's table, and what its columns probably mean.

    Attributes
    ----------
    path
        Its file.
    table
        The table as it stands in the file.
    id_column
        Column of the participant ids; None where nobody can tell.
    instance
        Visit whose columns were proposed; None for the usual one.
    columns
        What each column becomes; empty without an id column.
    problems
        For some rows of `columns`, why they could not be corrected as was wished; they are as they were before.
    is_edited
        Whether a person has corrected the columns.
    has_visits
        Whether it is a table of UK Biobank, whose columns belong to visits.
    """

    path: Path
    table: pd.DataFrame
    id_column: str | None = None
    instance: int | None = None
    columns: "tuple[ColumnProposal, ...]" = ()
    problems: dict[int, str] = field(default_factory=dict)
    is_edited: bool = False
    has_visits: bool = False

    @property
    def column_names(self) -> tuple[str, ...]:
        """Names of the table's columns."""
        return tuple(str(name) for name in self.table.columns)

    def with_column(self, row: int, column: "ColumnProposal") -> "TableReading":
        """Put a corrected column in the place of row `row`."""
        columns = (*self.columns[:row], column, *self.columns[row + 1 :])
        problems = {place: problem for place, problem in self.problems.items() if place != row}
        return replace(self, columns=columns, problems=problems, is_edited=True)

    def with_problem(self, row: int, problem: str) -> "TableReading":
        """Note why row `row` could not be corrected."""
        return replace(self, problems={**self.problems, row: problem})

    def column_problems(self) -> tuple[str, ...]:
        """Say what is wrong with the columns that are kept, all of it at once."""
        kept = [column.name for column in self.columns if column.is_kept]
        repeated = sorted({name for name in kept if kept.count(name) > 1}) if len(set(kept)) < len(kept) else []
        names = ", ".join(map(repr, repeated))
        return (f"Several kept columns are called {names}; keep one of each.",) if repeated else ()


def read_table(path: Path, id_column: str | None, instance: int | None) -> Generator[Progress, None, TableReading]:
    """Read a table, find its ids, and propose what its columns mean.

    Yields
    ------
    Progress
        Before reading, and before proposing.
    """
    from napari_latent_explorer.io.phenotype_columns import find_id_column
    from napari_latent_explorer.io.table_file import read_table_file
    from napari_latent_explorer.io.ukb_columns import is_ukb_table

    yield Progress(0, 2, f"Reading {path.name}")
    table = read_table_file(path)
    try:
        id_column = id_column or find_id_column(table)
    except TableError:  # the user is asked
        id_column = None
    reading = TableReading(path, table, has_visits=is_ukb_table(str(name) for name in table.columns))
    if id_column is None:
        return reading
    return (yield from propose(reading, id_column, instance))


def propose(reading: TableReading, id_column: str, instance: int | None) -> Generator[Progress, None, TableReading]:
    """Propose the columns of a table anew, for another id column or visit.

    Yields
    ------
    Progress
        Once.
    """
    from napari_latent_explorer.io.phenotype_columns import propose_columns

    yield Progress(1, 2, f"Looking at {len(reading.table.columns)} columns")
    columns = propose_columns(reading.table, id_column, instance)
    return replace(reading, id_column=id_column, instance=instance, columns=columns, problems={}, is_edited=False)
