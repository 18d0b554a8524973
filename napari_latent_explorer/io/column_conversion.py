"""One phenotype made of its source columns, exactly as its proposal says.

A value that the proposal does not name is an error, never a guess: it would otherwise be lost silently.
"""

from collections.abc import Sequence
from dataclasses import replace
from functools import lru_cache
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from napari_latent_explorer.errors import TableError
from napari_latent_explorer.io.column_proposal import PHENOTYPE_KINDS, ColumnProposal
from napari_latent_explorer.io.column_values import ColumnValues, code_text, coded
from napari_latent_explorer.io.table_facts import facts_of

_MISSING = -1
_N_KEPT_COLUMNS = 16
_MAX_EXAMPLES = 4
_MAX_EXAMPLE_LENGTH = 40


class TableValues:
    """The columns of a table as `ColumnValues`; those that were asked for last are kept.

    Parameters
    ----------
    table
        Table that was read from a file.
    """

    def __init__(self, table: pd.DataFrame) -> None:
        self._table = table
        self._has_decimal_comma = facts_of(table).has_decimal_comma
        self.values = lru_cache(maxsize=_N_KEPT_COLUMNS)(self._values)

    def __contains__(self, name: str) -> bool:
        return name in self._table.columns

    def _values(self, name: str) -> ColumnValues:
        return ColumnValues.of(self._table[name], self._has_decimal_comma)


def column_values(table: pd.DataFrame | TableValues, name: str) -> ColumnValues:
    """Values of one column of a table that was read from a file."""
    return (table if isinstance(table, TableValues) else TableValues(table)).values(name)


def phenotype_column(table: pd.DataFrame | TableValues, proposal: ColumnProposal) -> "pd.Series[Any]":
    """Values of the phenotype, one for each row of `table`: float64 with NaN, or a pandas categorical.

    Raises
    ------
    TableError
        When a source column is not there, or holds a value that the proposal does not know; all such values are named.
    """
    lacking = [name for name in proposal.sources if name not in table]  # of a table: in its columns
    if lacking:
        raise TableError(f"{proposal.name!r} is made of columns that the table lacks: {', '.join(lacking)}.")
    columns = [column_values(table, name) for name in proposal.sources]
    if proposal.rule in ("ever", "before"):
        return _categorical(_date_codes(columns, proposal), proposal)
    if proposal.kind == "continuous":
        return pd.Series(_number_of(columns, proposal), name=proposal.name)
    return _categorical(_code_of(columns, proposal), proposal)


def with_counts(table: pd.DataFrame | TableValues, proposal: ColumnProposal) -> ColumnProposal:
    """Fill in what a proposal gives on this table: missing and different values, examples."""
    first = column_values(table, proposal.sources[0])
    examples = tuple(text[:_MAX_EXAMPLE_LENGTH] for text in first.texts[:_MAX_EXAMPLES])
    if proposal.kind not in PHENOTYPE_KINDS:
        n_missing = int((first.rows == _MISSING).sum())
        return replace(proposal, n_missing=n_missing, n_distinct=len(first.texts), examples=examples)
    column = phenotype_column(table, proposal)
    return replace(proposal, n_missing=int(column.isna().sum()), n_distinct=int(column.nunique()), examples=examples)


def _number_of(columns: Sequence[ColumnValues], proposal: ColumnProposal) -> NDArray[np.float64]:
    numbers = np.stack([_numbers(values, proposal) for values in columns])
    if proposal.rule == "mean":
        known = np.isfinite(numbers)
        total, count = np.where(known, numbers, 0.0).sum(axis=0), known.sum(axis=0)
        return np.where(count > 0, total / np.maximum(count, 1), np.nan)
    return _first(numbers, np.isfinite(numbers), np.nan)


def _numbers(values: ColumnValues, proposal: ColumnProposal) -> NDArray[np.float64]:
    is_missing = coded(values.texts, proposal.missing_codes)
    numbers = np.where(is_missing, np.nan, values.numbers)
    _refuse_unknown(values, ~is_missing & np.isnan(numbers), proposal, "is not a number")
    return values.spread(numbers, np.nan)


def _code_of(columns: Sequence[ColumnValues], proposal: ColumnProposal) -> NDArray[np.int64]:
    codes = np.stack([_codes(values, proposal) for values in columns])
    if proposal.rule == "any":
        last = len(proposal.categories) - 1
        known = (codes != _MISSING).any(axis=0)
        return np.where((codes == last).any(axis=0), last, np.where(known, 0, _MISSING))
    return _first(codes, codes != _MISSING, _MISSING)


def _codes(values: ColumnValues, proposal: ColumnProposal) -> NDArray[np.int64]:
    place_of = {label: place for place, label in enumerate(proposal.categories)}
    known = {code_text(label).casefold(): place for label, place in place_of.items()}
    known |= {code_text(code).casefold(): place_of.get(label, _MISSING) for code, label in proposal.codes}
    known |= dict.fromkeys((code_text(code).casefold() for code in proposal.missing_codes), _MISSING)
    answers = [_answers(text) if proposal.rule == "any" else (text,) for text in values.texts]
    spelt = [[code_text(answer).casefold() for answer in some] for some in answers]
    is_unknown = np.array([any(text not in known for text in some) for some in spelt], dtype=bool)
    _refuse_unknown(values, is_unknown, proposal, "is neither among its codes and categories nor a missing code")
    # Of several answers in one cell the largest code stands for all: the last category if it is among them.
    return values.spread(np.array([max(known[text] for text in some) for some in spelt], dtype=np.int64), _MISSING)


def _answers(text: str) -> tuple[str, ...]:
    """Several answers in one cell, as ``1|4``, ``[1,4]`` or ``["High blood pressure"]``."""
    bare = text.removeprefix("[").removesuffix("]")
    parts = bare.split("," if bare != text else "|")
    return tuple(part.strip().strip("\"'") for part in parts)


def _date_codes(columns: Sequence[ColumnValues], proposal: ColumnProposal) -> NDArray[np.int64]:
    """Codes of the rules `ever` and `before`; a missing code is an event of which nobody knows when it was."""
    dates, is_undated = [], np.zeros(len(columns[0].rows), dtype=bool)
    for values in columns:
        is_code = coded(values.texts, proposal.missing_codes)
        _refuse_unknown(values, ~is_code & np.isnat(values.dates), proposal, "is not a date")
        dates.append(values.spread(values.dates, np.datetime64("NaT", "D")))
        is_undated |= values.spread(is_code, False)
    last = len(proposal.categories) - 1
    if proposal.rule == "ever":
        happened = ~np.isnat(np.stack(dates)).all(axis=0)
    else:
        happened, is_undated = dates[0] <= dates[-1], is_undated | np.isnat(dates[-1])
    return np.where(is_undated, _MISSING, np.where(happened, last, 0))


def _first(values: NDArray[Any], known: NDArray[np.bool_], missing: Any) -> NDArray[Any]:
    place = known.argmax(axis=0)
    first: NDArray[Any] = np.where(known.any(axis=0), values[place, np.arange(values.shape[1])], missing)
    return first


def _categorical(codes: NDArray[np.int64], proposal: ColumnProposal) -> "pd.Series[Any]":
    labels = pd.Categorical.from_codes(codes.tolist(), categories=list(proposal.categories))
    return pd.Series(labels, name=proposal.name)


def _refuse_unknown(values: ColumnValues, is_unknown: NDArray[np.bool_], proposal: ColumnProposal, why: str) -> None:
    if not is_unknown.any():
        return
    places = np.flatnonzero(is_unknown)
    shown = ", ".join(repr(values.texts[place]) for place in places[:_MAX_EXAMPLES])
    row = int(np.flatnonzero(values.rows == places[0])[0]) + 1
    raise TableError(
        f"{proposal.name!r} ({', '.join(proposal.sources)}): {len(places)} values do not fit its kind "
        f"{proposal.kind}, e.g. {shown} (first in row {row}), which {why}. Name them in its codes or missing codes, or "
        "correct its kind."
    )
