"""What each column of somebody's table probably means, proposed for correction.

Nothing is decided silently: every column appears in the proposals that use it, kept or not, with the reason in words.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import chain, count

import pandas as pd

from napari_latent_explorer.errors import TableError, shown_text
from napari_latent_explorer.io.column_conversion import TableValues, with_counts
from napari_latent_explorer.io.column_inference import propose_column
from napari_latent_explorer.io.column_proposal import PHENOTYPE_KINDS, ColumnKind, ColumnProposal, ColumnRule
from napari_latent_explorer.io.study_table import ID_COLUMN
from napari_latent_explorer.io.table_facts import ColumnFacts, facts_of
from napari_latent_explorer.io.ukb_columns import (
    VisitChoice,
    is_ukb_table,
    known_proposals,
    ukb_column,
    unknown_choices,
    wanted_visit,
)
from napari_latent_explorer.io.ukb_fields import REFUSALS

_MAX_NAME_CHARS = 60
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
    "participantid", "eid", "feid", "participanteid", "neid", "participantidparticipanteid",
    "subjectid", "patientid", "sampleid", "personid", "recordid", "id", "iid", "subject", "patient", "participant",
    "pid", "sample",
)  # fmt: skip
"""Names of columns of ids, letters only, the surest first; of the first six the first found is taken."""


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
    values, facts = TableValues(table), facts_of(table).columns
    drafts = _ukb_drafts(names, instance) if is_ukb_table(table.columns) else map(_plain_draft, names)
    proposals = (_proposed(draft, values, facts) for draft in drafts)
    return tuple(_with_distinct_names(proposals))


_Draft = ColumnProposal | VisitChoice | str
"""What is known before the values are looked at: all, the field of UK Biobank, or the name of the column."""


def _plain_draft(name: str) -> _Draft:
    return name


def _ukb_drafts(names: Sequence[str], instance: int | None) -> Iterator[_Draft]:
    recognised = {name: ukb_column(name) for name in names}
    columns = [column for column in recognised.values() if column is not None]
    visit = wanted_visit(columns, instance)
    yield from known_proposals(columns, visit)
    yield from unknown_choices(columns, visit)
    yield from (name for name in names if recognised[name] is None)


def _proposed(draft: _Draft, table: TableValues, facts: Mapping[str, ColumnFacts]) -> ColumnProposal:
    if isinstance(draft, ColumnProposal):
        return _known(draft, table, facts)
    if isinstance(draft, VisitChoice):
        return with_counts(table, _unknown_field(draft, table))
    return with_counts(table, propose_column(draft, table.values(draft), facts.get(draft, ColumnFacts())))


def _unknown_field(choice: VisitChoice, table: TableValues) -> ColumnProposal:
    """Propose what a field of UK Biobank is of which nothing is known but its values."""
    sources = tuple(column.name for column in choice.columns)
    column = choice.columns[0]
    draft = propose_column(sources[0], table.values(sources[0]), ColumnFacts(missing_codes=REFUSALS))
    several = f"{len(sources)} values a visit; to keep it, choose a rule" if len(sources) > 1 else ""
    notes = (f"field {column.field}, which is not known here", several, choice.note, draft.note)
    is_kept = draft.is_kept and choice.is_taken and not several
    label = column.title or f"Field {column.field}"
    name, note = f"field_{column.field}{choice.suffix}", "; ".join(note for note in notes if note)
    if several:
        draft = replace(draft, kind="text", categories=(), codes=())
    return replace(draft, sources=sources, name=name, label=label, is_kept=is_kept, note=note)


def _known(draft: ColumnProposal, table: TableValues, facts: Mapping[str, ColumnFacts]) -> ColumnProposal:
    """Fill in what a draft gives; where its field holds other values than it should, it is taken as any column."""
    try:
        return with_counts(table, draft)
    except TableError as misfit:
        source = draft.sources[0]
        plain = propose_column(source, table.values(source), facts.get(source, ColumnFacts()))
        note = f"{draft.note}; does not hold what it should ({misfit}); taken as any column: {plain.note}"
        return with_counts(table, replace(plain, name=draft.name, is_kept=draft.is_kept and plain.is_kept, note=note))


def _with_distinct_names(drafts: Iterable[ColumnProposal]) -> Iterator[ColumnProposal]:
    """Give each phenotype a name of its own: names that occur again are numbered."""
    taken: set[str] = {ID_COLUMN}
    for draft in drafts:
        candidates = chain([draft.name], (f"{draft.name} ({number})" for number in count(2)))
        name = next(candidate for candidate in candidates if candidate not in taken)
        taken.add(name)
        yield draft if name == draft.name else replace(draft, name=name)


def find_id_column(table: pd.DataFrame) -> str:
    """Name of the column of participant ids, where the table leaves no doubt.

    Raises
    ------
    TableError
        When no column, or more than one, is called like one.
    """
    names = [str(name) for name in reversed(table.columns)]
    spelt = {re.sub(r"[^a-z]", "", name.lower()): name for name in names}
    found = [spelt[name] for name in ID_COLUMN_NAMES if name in spelt]
    if len(found) == 1 or (found and re.sub(r"[^a-z]", "", found[0].lower()) in ID_COLUMN_NAMES[:6]):
        return found[0]
    what = f"several columns could hold them ({some_names(found)})" if found else "no column is called like one"
    raise TableError(f"which column holds the participant ids? {what}; name it. Columns: {some_names(table.columns)}.")


def some_names(names: Iterable[str], n_shown: int = 12) -> str:
    """Names for a message, the first few of many, and of each as much as a name has."""
    listed = [repr(shown_text(str(name), _MAX_NAME_CHARS)) for name in names]
    more = f" and {len(listed) - n_shown} more" if len(listed) > n_shown else ""
    return ", ".join(listed[:n_shown]) + more
