"""What changed, as a table model: a title row per quantity with its unit, below it the structures, before and now."""

from collections.abc import Sequence
from itertools import groupby
from typing import Any

from qtpy.QtCore import QAbstractTableModel, QModelIndex, QObject, QPersistentModelIndex, Qt
from qtpy.QtGui import QColor, QFont

from napari_latent_explorer._qt.theme import DARK, Theme
from napari_latent_explorer.analysis.region_change import RegionChange
from napari_latent_explorer.session.change_export import TITLES, region_title

NAME, BEFORE, NOW, CHANGE = range(4)
HEADS = ("", "Before", "Now", "Change")
DECIMALS = {"g": 0, "mL": 0, "%": 0, "mm": 1, "cm²": 1, "SD": 2}
UNKNOWN = "?"
Index = QModelIndex | QPersistentModelIndex
_NO_INDEX = QModelIndex()


class QtChangeModel(QAbstractTableModel):
    """Rows are titles, as strings, and `RegionChange`.

    Parameters
    ----------
    parent
        Qt parent.
    """

    def __init__(self, parent: QObject) -> None:
        super().__init__(parent)
        self.rows: list[str | RegionChange] = []
        self._theme = DARK

    def set_changes(self, changes: Sequence[RegionChange]) -> bool:
        """Show these; tells whether rows came or went."""
        rows: list[str | RegionChange] = []
        for quantity, some in groupby(changes, key=lambda one: one.quantity):
            found = list(some)
            units = {one.unit for one in found}
            rows += [f"{TITLES[quantity]}, {found[0].unit}" if len(units) == 1 else TITLES[quantity], *found]
        if list(map(_key, rows)) == list(map(_key, self.rows)):
            self.rows = rows
            if rows:
                self.dataChanged.emit(self.index(0, 0), self.index(len(rows) - 1, CHANGE))
            return False
        self.beginResetModel()
        self.rows = rows
        self.endResetModel()
        return True

    def set_theme(self, theme: Theme) -> None:
        """Take other colours."""
        self._theme = theme

    def rowCount(self, parent: Index = _NO_INDEX) -> int:
        """Titles and structures."""
        return 0 if parent.isValid() else len(self.rows)

    def columnCount(self, parent: Index = _NO_INDEX) -> int:
        """Name, both values and the change."""
        return 0 if parent.isValid() else len(HEADS)

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        """Titles of the columns."""
        if orientation == Qt.Orientation.Horizontal and role == Qt.ItemDataRole.TextAlignmentRole:
            return _alignment(section)
        is_title = orientation == Qt.Orientation.Horizontal and role == Qt.ItemDataRole.DisplayRole
        return HEADS[section] if is_title else None

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        """Words, weight and colour of a cell."""
        row, column = self.rows[index.row()], index.column()
        if role == Qt.ItemDataRole.TextAlignmentRole:
            return _alignment(column)
        if isinstance(row, str):
            return self._title_data(row, column, role)
        if role in (Qt.ItemDataRole.DisplayRole, Qt.ItemDataRole.AccessibleTextRole):
            return cells(row)[column]
        if role == Qt.ItemDataRole.ForegroundRole and column == CHANGE and shown_change(row)[0] not in "+-":
            return self._theme.color("muted")
        return None

    def _title_data(self, title: str, column: int, role: int) -> Any:
        if role in (Qt.ItemDataRole.DisplayRole, Qt.ItemDataRole.AccessibleTextRole):
            return title if column == NAME else None
        if role == Qt.ItemDataRole.FontRole:
            font = QFont()
            font.setBold(True)
            return font
        return QColor(self._theme.color("muted")) if role == Qt.ItemDataRole.ForegroundRole else None


def cells(change: RegionChange) -> tuple[str, str, str, str]:
    """Words of a row; of the ventricle each number has its own unit."""
    unit = f", {change.unit}" if change.quantity == "ventricle" else ""
    return (
        f"{region_title(change)}{unit}",
        _shown(change.before, change.unit),
        _shown(change.after, change.unit),
        shown_change(change),
    )


def shown_change(change: RegionChange) -> str:
    """With its sign, and in per cent where that says something, e.g. ``+4.3 (+11 %)``; ``0.0`` if too small to show."""
    if change.change != change.change:
        return UNKNOWN
    text = f"{change.change:+.{DECIMALS[change.unit]}f}"
    if float(text) == 0.0:
        return text[1:]
    has_share = change.unit not in ("%", "SD") and change.before > 0
    return f"{text} ({100.0 * change.change / change.before:+.0f} %)" if has_share else text


def _shown(value: float, unit: str) -> str:
    return UNKNOWN if value != value else f"{value:.{DECIMALS[unit]}f}"


def _alignment(column: int) -> Qt.AlignmentFlag:
    side = Qt.AlignmentFlag.AlignLeft if column == NAME else Qt.AlignmentFlag.AlignRight
    return side | Qt.AlignmentFlag.AlignVCenter


def _key(row: str | RegionChange) -> object:
    return row if isinstance(row, str) else (row.quantity, row.region)
