"""Participant ids: always text, each once, and every one that cannot be used is named.

An id is a name, not a number: ``001`` stays ``001``, and ``1000001.0`` (a whole number that some program kept as a
fraction) becomes ``1000001``. Rows that repeat an id with the same values become one; where the values differ nobody
can say which are right, so that id is left out and reported.
"""

import re
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

MAX_EXAMPLES = 5

_MISSING_IDS = frozenset({"", "na", "n/a", "nan", "none", "null", "<na>", "#n/a", "nat"})
_WHOLE_NUMBER = re.compile(r"[+-]?\d+\.0*")


@dataclass(frozen=True, slots=True)
class IdFinding:
    """Ids of one table that are not simply one row each.

    Attributes
    ----------
    what
        What is the matter with them, e.g. ``rows without an id``.
    n
        How many.
    examples
        A few of them, for people.
    action
        What was done with them.
    """

    what: str
    n: int
    examples: tuple[str, ...]
    action: str

    def __str__(self) -> str:
        shown = ", ".join(self.examples)
        return f"{self.n} {self.what}" + (f" (e.g. {shown})" if shown else "") + f": {self.action}"


@dataclass(frozen=True, slots=True)
class IdReport:
    """What the rows of a table became.

    Attributes
    ----------
    column
        Column that held the ids.
    n_rows
        Rows of the table.
    n_participants
        Participants that came of them.
    findings
        Everything that was not one row for one id.
    """

    column: str
    n_rows: int
    n_participants: int
    findings: tuple[IdFinding, ...] = ()

    def __str__(self) -> str:
        head = f"{self.n_rows} rows, {self.n_participants} participants (ids from the column {self.column!r})"
        return "\n  ".join([head, *(str(finding) for finding in self.findings)])


@dataclass(frozen=True, slots=True)
class IdMatch:
    """Which ids of a table and of files belong together.

    Attributes
    ----------
    matched
        ``(table id, file id)`` of each participant that both have, in the table's order.
    only_in_table, only_in_files
        Ids without a partner, in their order.
    notes
        What was matched although it is not spelt alike, and what was not because it could mean several.
    """

    matched: tuple[tuple[str, str], ...]
    only_in_table: tuple[str, ...]
    only_in_files: tuple[str, ...]
    notes: tuple[str, ...] = ()

    def findings(self) -> tuple[IdFinding, ...]:
        """Say what has no partner, by count and example."""
        sides = (
            ("ids of the table without a recording", self.only_in_table, "kept, without recordings"),
            ("ids of recordings that the table lacks", self.only_in_files, "left out; add them to the table"),
        )
        return tuple(IdFinding(what, len(ids), ids[:MAX_EXAMPLES], action) for what, ids, action in sides if ids)


def id_texts(column: "pd.Series[Any]") -> NDArray[np.object_]:
    """Ids ``(n_rows,)`` of a column as text without surrounding blanks; None where there is none."""
    return np.array([_id_text(value) for value in column.tolist()], dtype=object)


def usable_rows(table: pd.DataFrame, id_column: str) -> tuple[NDArray[np.intp], NDArray[np.str_], IdReport]:
    """Choose one row for each participant.

    Parameters
    ----------
    table
        Table of a file.
    id_column
        Its column of ids.

    Returns
    -------
    rows
        ``(n_participants,)`` row numbers, ascending.
    participant_ids
        ``(n_participants,)`` their ids.
    report
        What became of all other rows.
    """
    ids = id_texts(table[id_column])
    present = np.array([participant_id is not None for participant_id in ids], dtype=bool)
    series = pd.Series(ids)
    repeated = series.duplicated(keep=False).to_numpy() & present
    conflicting, merged = _judge_repeats(table.drop(columns=id_column), ids, np.flatnonzero(repeated))
    first = present & ~series.duplicated(keep="first").to_numpy()
    is_used = first & ~np.isin(series.astype(str).to_numpy(dtype=str), np.array(sorted(conflicting), dtype=str))
    rows = np.flatnonzero(is_used)
    found = (
        _finding("rows without an id", [f"row {row + 1}" for row in np.flatnonzero(~present)], "left out"),
        _finding("ids with several equal rows", merged, "one row of each was kept"),
        _finding(
            "ids with several different rows",
            conflicting,
            "left out, as nobody can say which row is right; keep one row of each in the table",
        ),
    )
    findings = tuple(finding for finding in found if finding is not None)
    return rows, ids[rows].astype(np.str_), IdReport(id_column, len(table), len(rows), findings)


def match_ids(table_ids: Iterable[str], found_ids: Iterable[str]) -> IdMatch:
    """Bring ids of a table and of files together.

    Equal ids match. What is left matches by its spelling without letter case and leading zeros (``001`` and ``1``), but
    only where exactly one id on either side is spelt so.

    Parameters
    ----------
    table_ids, found_ids
        Ids, each once per side; repeats are ignored.
    """
    table, found = (tuple(dict.fromkeys(ids)) for ids in (table_ids, found_ids))
    equal = set(table) & set(found)
    loose_table = _by_loose_spelling(table, equal)
    loose_found = _by_loose_spelling(found, equal)
    pairs = {participant_id: participant_id for participant_id in equal}
    alike, doubtful = [], []
    for spelling in loose_table.keys() & loose_found.keys():
        mine, theirs = loose_table[spelling], loose_found[spelling]
        if len(mine) == len(theirs) == 1:
            pairs[mine[0]] = theirs[0]
            alike.append(f"{mine[0]} and {theirs[0]}")
        else:
            doubtful.append(f"{' or '.join(mine)} and {' or '.join(theirs)}")
    matched = tuple((participant_id, pairs[participant_id]) for participant_id in table if participant_id in pairs)
    taken = {file_id for _, file_id in matched}
    return IdMatch(
        matched,
        tuple(participant_id for participant_id in table if participant_id not in pairs),
        tuple(file_id for file_id in found if file_id not in taken),
        _match_notes(sorted(alike), sorted(doubtful)),
    )


def _id_text(value: Any) -> str | None:
    if value is None or value is pd.NA or value is pd.NaT:
        return None
    if isinstance(value, float | np.floating):
        if not np.isfinite(value):
            return None
        return str(int(value)) if value == int(value) else repr(float(value))
    text = str(value).strip()
    if text.lower() in _MISSING_IDS:
        return None
    return text.partition(".")[0] if _WHOLE_NUMBER.fullmatch(text) else text


def _judge_repeats(
    values: pd.DataFrame, ids: NDArray[np.object_], rows: NDArray[np.intp]
) -> tuple[list[str], list[str]]:
    """Ids whose rows differ, and ids whose rows are all the same, of the repeated `rows`."""
    rows_of: dict[str, list[int]] = defaultdict(list)
    for row in rows.tolist():
        rows_of[ids[row]].append(row)
    repeated = values.iloc[rows].astype(object).where(values.iloc[rows].notna(), None)
    content = dict(zip(rows.tolist(), map(repr, repeated.itertuples(index=False, name=None)), strict=True))
    conflicting: list[str] = []
    merged: list[str] = []
    for participant_id, places in rows_of.items():
        is_same = len({content[place] for place in places}) == 1
        (merged if is_same else conflicting).append(participant_id)
    return conflicting, merged


def _finding(what: str, of: Sequence[str], action: str) -> IdFinding | None:
    return IdFinding(what, len(of), tuple(of[:MAX_EXAMPLES]), action) if of else None


def _by_loose_spelling(ids: Sequence[str], but: set[str]) -> dict[str, list[str]]:
    spelt: dict[str, list[str]] = defaultdict(list)
    for participant_id in ids:
        spelt[participant_id.strip().casefold().lstrip("0")].append(participant_id)
    return {spelling: alike for spelling, alike in spelt.items() if not but.intersection(alike)}


def _match_notes(alike: Sequence[str], doubtful: Sequence[str]) -> tuple[str, ...]:
    notes = []
    if alike:
        shown = ", ".join(alike[:MAX_EXAMPLES])
        notes.append(f"{len(alike)} ids were matched although they are not spelt alike (e.g. {shown}).")
    if doubtful:
        shown = ", ".join(doubtful[:MAX_EXAMPLES])
        notes.append(f"{len(doubtful)} ids could mean several and were not matched ({shown}).")
    return tuple(notes)
