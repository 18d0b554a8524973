"""The table of a comparison as Qt's views read it; it sorts itself, and says in which order.

What cannot be said (no effect, no q) stays last, whichever way the rest is sorted.
"""

import math
from collections.abc import Callable
from typing import Any

from qtpy.QtCore import QAbstractTableModel, QModelIndex, QObject, QPersistentModelIndex, Qt, Signal

from napari_latent_explorer._qt.comparison_text import CHOSEN_MARK, effect_text, explain, p_text, side_text
from napari_latent_explorer._qt.numbers import format_count
from napari_latent_explorer._qt.plain_text import as_plain
from napari_latent_explorer.analysis.comparison import ComparisonTable
from napari_latent_explorer.analysis.phenotype_comparison import PhenotypeComparison

NAME, SIDE_A, SIDE_B, EFFECT, P, Q, MISSING = range(7)
MOST_NAME_CHARS = 13
Index = QModelIndex | QPersistentModelIndex
_NO_INDEX = QModelIndex()
_SENTENCES = {
    NAME: f"Phenotype and its unit; {CHOSEN_MARK}: a group was chosen by it",
    EFFECT: "Effect with its 95 % interval. g: Hedges' g. OR: odds ratio. V: Cramer's V, which has no direction",
    P: "Two-sided p of this phenotype alone",
    Q: "p after Benjamini and Hochberg: the share of false discoveries among all that are as small or smaller",
    MISSING: "Participants without a value in either group",
}


def title_of(row: PhenotypeComparison, table: ComparisonTable) -> str:
    """Phenotype with unit; for a binary one its positive category; with a mark if a group was chosen by it."""
    spec = row.spec
    is_yes = spec.kind == "binary" and spec.categories[1].lower() not in ("yes", "1", "true", "present")
    words = f"{spec.title}: {spec.categories[1]}" if is_yes else spec.title
    return f"{words} {CHOSEN_MARK}" if spec.name in table.chosen_by else words


class QtComparisonModel(QAbstractTableModel):
    """Rows of a comparison.

    Parameters
    ----------
    parent
        Qt parent.
    """

    sorted_anew = Signal()
    """The rows are others, or in another order."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._table: ComparisonTable | None = None
        self._rows: list[PhenotypeComparison] = []
        self._column, self._order = EFFECT, Qt.SortOrder.DescendingOrder

    @property
    def table(self) -> ComparisonTable | None:
        """What is shown."""
        return self._table

    @property
    def rows(self) -> tuple[PhenotypeComparison, ...]:
        """As they are sorted now."""
        return tuple(self._rows)

    def set_table(self, table: ComparisonTable | None) -> None:
        """Show another comparison."""
        self.beginResetModel()
        self._table = table
        self._rows = self._sorted()
        self.endResetModel()
        self.sorted_anew.emit()

    def sort(self, column: int, order: Qt.SortOrder = Qt.SortOrder.AscendingOrder) -> None:
        """Sort by a column; the effect by its size, whichever its direction."""
        self._column, self._order = column, order
        self.layoutAboutToBeChanged.emit()
        self._rows = self._sorted()
        self.layoutChanged.emit()
        self.sorted_anew.emit()

    def _sorted(self) -> list[PhenotypeComparison]:
        rows, key = list(self._table.rows if self._table is not None else ()), _KEYS.get(self._column)
        if key is None:
            rows.sort(key=lambda row: (row.spec.label or row.spec.name).casefold())
            return rows[::-1] if self._order == Qt.SortOrder.DescendingOrder else rows
        said = [row for row in rows if math.isfinite(key(row))]
        unsaid = [row for row in rows if not math.isfinite(key(row))]
        return sorted(said, key=key, reverse=self._order == Qt.SortOrder.DescendingOrder) + unsaid

    def rowCount(self, parent: Index = _NO_INDEX) -> int:
        """One per phenotype."""
        return 0 if parent.isValid() else len(self._rows)

    def columnCount(self, parent: Index = _NO_INDEX) -> int:
        """Name, both groups, effect, p, q, missing."""
        return 0 if parent.isValid() else len(_SENTENCES) + 2

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        """Text of a cell, what it means in full, or how it is aligned."""
        if self._table is None or not index.isValid():
            return None
        row, column = self._rows[index.row()], index.column()
        if role == Qt.ItemDataRole.DisplayRole:
            return self._text(row, column, self._table)
        if role == Qt.ItemDataRole.ToolTipRole:
            return as_plain(explain(row, self._table))
        if role == Qt.ItemDataRole.TextAlignmentRole and column in (P, Q, MISSING):
            return Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
        return None

    def _text(self, row: PhenotypeComparison, column: int, table: ComparisonTable) -> str:
        if column == NAME:
            return title_of(row, table)
        if column in (SIDE_A, SIDE_B):
            return side_text(row.spec, row.a if column == SIDE_A else row.b)
        if column == EFFECT:
            return effect_text(row.effect)
        if column == MISSING:
            return f"{format_count(row.a.n_missing)} / {format_count(row.b.n_missing)}"
        return p_text(row.p if column == P else row.q)

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        """Names of the columns; those of the groups with their numbers."""
        if orientation == Qt.Orientation.Vertical or self._table is None:
            return None
        table = self._table
        sides = {SIDE_A: (table.name_a, table.n_a), SIDE_B: (table.name_b, table.n_b)}
        if role == Qt.ItemDataRole.DisplayRole:
            if section in sides:
                name, n = sides[section]
                return f"{_shortened(name)}\nn {format_count(n)}"
            return {NAME: "Phenotype", EFFECT: "Effect\n(95 % interval)", P: "p", Q: "q", MISSING: "Missing"}[section]
        if role == Qt.ItemDataRole.ToolTipRole:
            if section in sides:
                return as_plain(f"{sides[section][0]}: mean ± SD, or percent (number)")
            return as_plain(_SENTENCES[section])
        return None


def _shortened(name: str) -> str:
    """Cut the middle out of a long name: a header of two lines does not do so by itself."""
    if len(name) <= MOST_NAME_CHARS:
        return name
    return f"{name[: MOST_NAME_CHARS // 2].rstrip()}…{name[-(MOST_NAME_CHARS // 2) + 1 :].lstrip()}"


def _effect_size(row: PhenotypeComparison) -> float:
    return abs(row.standardised.value) if row.standardised is not None else math.nan


def _level(side: str) -> Callable[[PhenotypeComparison], float]:
    def level(row: PhenotypeComparison) -> float:
        one = row.a if side == "a" else row.b
        return one.share(1) if row.spec.kind == "binary" else one.mean

    return level


_KEYS: dict[int, Callable[[PhenotypeComparison], float]] = {
    SIDE_A: _level("a"),
    SIDE_B: _level("b"),
    EFFECT: _effect_size,
    P: lambda row: row.p,
    Q: lambda row: row.q,
    MISSING: lambda row: float(row.a.n_missing + row.b.n_missing),
}
