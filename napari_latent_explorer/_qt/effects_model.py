"""The table of what a direction moves, as Qt's views read it.

A tick before a phenotype holds it still. While the effects of a new choice are being measured the former stay, muted,
so that the table does not jump under the hand that ticks.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from qtpy.QtCore import QAbstractTableModel, QModelIndex, QObject, QPersistentModelIndex, Qt, Signal
from qtpy.QtGui import QColor

from napari_latent_explorer._qt.numbers import format_value
from napari_latent_explorer._qt.plain_text import as_plain
from napari_latent_explorer.analysis.readers import DirectionEffect
from napari_latent_explorer.data.phenotype import PhenotypeSpec
from napari_latent_explorer.session.direction_finding import WalkEffects

NAME, BAR, CHANGE, CORRELATION = range(4)
MINUS = "\N{MINUS SIGN}"
SURE, UNSURE = "●", "○"
Index = QModelIndex | QPersistentModelIndex
_NO_INDEX = QModelIndex()
_SENTENCES = {
    NAME: "Tick what shall stand still on the walk",
    BAR: "Change in standard deviations of the phenotype, for a walk of one standard deviation, with its 95 % "
    f"interval. {SURE} the interval leaves out zero, {UNSURE} it does not",
    CHANGE: "The same in the phenotype's unit (of a binary one: percentage points), read by predictors of people from "
    "whom the direction was not laid",
    CORRELATION: "Pearson's correlation among people with what is walked along",
}


def signed(value: float) -> str:
    """Write a change with its sign."""
    return f"{MINUS if value < 0 else '+'}{format_value(abs(value), 2)}"


def change_text(effect: DirectionEffect, spread: float, has_interval: bool = True) -> str:
    """Say what a walk of one standard deviation changes, with its interval, e.g. ``+24 ml (22 to 26)``."""
    is_binary = effect.phenotype.kind == "binary"
    factor = spread * (100.0 if is_binary else 1.0)
    unit = "pp" if is_binary else effect.phenotype.unit
    low, high = (signed(factor * end).removeprefix("+") for end in (effect.low, effect.high))
    change = f"{signed(factor * effect.per_unit)} {unit}".rstrip()
    return f"{change} ({low} to {high})" if has_interval else change


class QtEffectsModel(QAbstractTableModel):
    """One row per phenotype.

    Parameters
    ----------
    parent
        Qt parent.
    """

    held_changed = Signal(tuple)
    """Names of all phenotypes that are to stand still now."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._specs: dict[str, PhenotypeSpec] = {}
        self._effects: dict[str, DirectionEffect] = {}
        self._correlations: Mapping[str, float] = {}
        self._rows: list[str] = []
        self._held: tuple[str, ...] = ()
        self._own: str | None = None
        self._spread = 1.0
        self._is_current = False
        self._column, self._order = BAR, Qt.SortOrder.DescendingOrder
        self.has_intervals = True
        """Whether there is room for them beside the changes."""
        self.stale_color = QColor("gray")
        """Of words that are of the former choice."""

    @property
    def rows(self) -> tuple[str, ...]:
        """Names of the phenotypes, as they are sorted now."""
        return tuple(self._rows)

    @property
    def is_current(self) -> bool:
        """Whether the effects are those of the present choice."""
        return self._is_current

    def effect(self, row: int) -> DirectionEffect | None:
        """Effect in a row; None while it is not known."""
        return self._effects.get(self._rows[row])

    def set_phenotypes(self, specs: Sequence[PhenotypeSpec]) -> None:
        """Show these phenotypes, of which nothing is known yet."""
        self.beginResetModel()
        self._specs = {spec.name: spec for spec in specs}
        self._effects, self._correlations, self._is_current = {}, {}, False
        self._rows = self._sorted()
        self.endResetModel()

    def set_choice(self, own: str | None, held: Sequence[str]) -> None:
        """Show what is walked along, which cannot stand still, and what does."""
        if (own, tuple(held)) != (self._own, self._held):
            self._own, self._held = own, tuple(held)
            self._tell_all()

    def set_effects(self, found: WalkEffects | None) -> None:
        """Show what a direction moves; None while that is not known: the former stay, muted."""
        if found is None:
            if self._is_current:
                self._is_current = False
                self._tell_all()
            return
        self.layoutAboutToBeChanged.emit()
        self._effects = {effect.phenotype.name: effect for effect in found.effects}
        self._correlations, self._spread, self._is_current = found.correlations, found.direction.spread, True
        self._rows = self._sorted()
        self.layoutChanged.emit()

    def _tell_all(self) -> None:
        if self._rows:
            self.dataChanged.emit(self.index(0, 0), self.index(len(self._rows) - 1, CORRELATION))

    def sort(self, column: int, order: Qt.SortOrder = Qt.SortOrder.AscendingOrder) -> None:
        """Sort by a column; changes and correlations by their size, whichever their direction."""
        self._column, self._order = column, order
        self.layoutAboutToBeChanged.emit()
        self._rows = self._sorted()
        self.layoutChanged.emit()

    def _sorted(self) -> list[str]:
        names, is_down = list(self._specs), self._order == Qt.SortOrder.DescendingOrder
        if self._column == NAME:
            return sorted(names, key=lambda name: self._title(name).casefold(), reverse=is_down)
        sizes = (
            {name: abs(value) for name, value in self._correlations.items()}
            if self._column == CORRELATION
            else {name: abs(effect.per_spread) for name, effect in self._effects.items()}
        )
        known = sorted((name for name in names if name in sizes), key=sizes.__getitem__, reverse=is_down)
        return known + [name for name in names if name not in sizes]

    def _title(self, name: str) -> str:
        spec = self._specs[name]
        return spec.label or spec.name

    def rowCount(self, parent: Index = _NO_INDEX) -> int:
        """One per phenotype."""
        return 0 if parent.isValid() else len(self._rows)

    def columnCount(self, parent: Index = _NO_INDEX) -> int:
        """Name, bar, change, correlation."""
        return 0 if parent.isValid() else len(_SENTENCES)

    def flags(self, index: Index) -> Qt.ItemFlag:
        """Only what is not walked along can be ticked."""
        flags = Qt.ItemFlag.ItemIsEnabled | Qt.ItemFlag.ItemIsSelectable
        can_hold = index.column() == NAME and self._rows[index.row()] != self._own
        return flags | Qt.ItemFlag.ItemIsUserCheckable if can_hold else flags

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        """Text, tick, alignment or explanation of a cell."""
        if not index.isValid():
            return None
        name, column = self._rows[index.row()], index.column()
        if role == Qt.ItemDataRole.DisplayRole:
            return self._text(name, column)
        if role == Qt.ItemDataRole.CheckStateRole and column == NAME and name != self._own:
            return Qt.CheckState.Checked if name in self._held else Qt.CheckState.Unchecked
        if role == Qt.ItemDataRole.ToolTipRole:
            return as_plain(self._explained(name))
        if role == Qt.ItemDataRole.ForegroundRole and not self._is_current and column != NAME:
            return self.stale_color
        if role == Qt.ItemDataRole.TextAlignmentRole and column == CORRELATION:
            return Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
        return None

    def setData(self, index: Index, value: Any, role: int = Qt.ItemDataRole.EditRole) -> bool:
        """Tick or untick; the session answers with another choice."""
        if role != Qt.ItemDataRole.CheckStateRole or index.column() != NAME:
            return False
        name, is_held = self._rows[index.row()], Qt.CheckState(value) == Qt.CheckState.Checked
        others = tuple(other for other in self._held if other != name)
        self.held_changed.emit((*others, name) if is_held else others)
        return True

    def _text(self, name: str, column: int) -> str:
        if column == NAME:
            return self._title(name)
        effect = self._effects.get(name)
        if column == CHANGE:
            return "" if effect is None else change_text(effect, self._spread, self.has_intervals)
        if column == CORRELATION and name in self._correlations:
            return f"{self._correlations[name]:+.2f}".replace("-", MINUS)
        return ""

    def _explained(self, name: str) -> str:
        effect = self._effects.get(name)
        if effect is None:
            return f"{self._title(name)}: not measured yet"
        sure = "sure: the interval leaves out zero" if effect.is_sure else "unsure: the interval holds zero"
        return f"{self._title(name)}: {change_text(effect, self._spread)} for a walk of one standard deviation, {sure}"

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        """Names of the columns."""
        if orientation == Qt.Orientation.Vertical:
            return None
        if role == Qt.ItemDataRole.DisplayRole:
            return {
                NAME: "\N{CHECK MARK} stands still",
                BAR: "SD per SD",
                CHANGE: "Change",
                CORRELATION: "r",
            }[section]
        if role == Qt.ItemDataRole.ToolTipRole:
            return as_plain(_SENTENCES[section])
        return None
