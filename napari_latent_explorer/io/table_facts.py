"""What a file says about its own table, kept beside the cells: labels, codes, missing codes, how numbers are written.

The facts ride in ``DataFrame.attrs``; a table that was made in memory simply has none.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import pandas as pd

MAX_CELLS = 300_000_000
"""A table that announces more cells than this is refused before they are read."""

_KEY = "file_facts"


@dataclass(frozen=True, slots=True)
class ColumnFacts:
    """What a file says about one column.

    Attributes
    ----------
    label
        Its title for people.
    value_labels
        ``(value, label)`` pairs.
    missing_codes
        Values that the file declares to mean "missing".
    """

    label: str = ""
    value_labels: tuple[tuple[str, str], ...] = ()
    missing_codes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class TableFacts:
    """What a file says about its table.

    Attributes
    ----------
    file_format
        Name of the format for people, with the separator or the sheet.
    has_decimal_comma
        Whether its numbers are probably written with a decimal comma.
    columns
        Facts of the columns of which there are any.
    notes
        What was noticed while reading, in sentences.
    """

    file_format: str = ""
    has_decimal_comma: bool = False
    columns: Mapping[str, ColumnFacts] = field(default_factory=dict)
    notes: tuple[str, ...] = ()

    def __deepcopy__(self, memo: Any) -> "TableFacts":
        """Be shared: pandas copies `attrs` deeply with every column that is taken out of a table."""
        return self


def with_facts(table: pd.DataFrame, facts: TableFacts) -> pd.DataFrame:
    """Attach the facts to a table and return it."""
    table.attrs[_KEY] = facts
    return table


def facts_of(table: pd.DataFrame) -> TableFacts:
    """Facts of a table; empty ones where it has none."""
    facts = table.attrs.get(_KEY)
    return facts if isinstance(facts, TableFacts) else TableFacts()
