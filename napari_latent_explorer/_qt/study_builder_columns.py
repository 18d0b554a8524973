"""The columns of somebody's table, thousands of them if need be, with what each becomes.

The model holds nothing: a row is read from the session when it is painted, so that only what is seen costs anything.
"""

from typing import Any, get_args

from qtpy.QtCore import QAbstractTableModel, QModelIndex, QPersistentModelIndex, Qt
from qtpy.QtGui import QColor
from qtpy.QtWidgets import (
    QAbstractItemView,
    QComboBox,
    QHeaderView,
    QLineEdit,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QTableView,
    QVBoxLayout,
    QWidget,
)

from napari_latent_explorer._qt.arrangement import scrolled, set_up_rows
from napari_latent_explorer._qt.listening import listen
from napari_latent_explorer._qt.numbers import format_count
from napari_latent_explorer._qt.study_builder_column import QtStudyBuilderColumn
from napari_latent_explorer._qt.theme import DARK, Theme
from napari_latent_explorer.data.phenotype import PhenotypeKind
from napari_latent_explorer.io.column_proposal import PHENOTYPE_KINDS, ColumnProposal
from napari_latent_explorer.session.study_building import StudyBuilding

Index = QModelIndex | QPersistentModelIndex
KEEP, NAME, KIND, UNIT, MISSING = range(5)
HEADERS = ("Keep", "Phenotype", "Kind", "Unit", "Missing")
HEADER_TOOL_TIPS = (
    "Whether the column becomes a phenotype of the study",
    "What it is called in the study",
    "continuous: numbers; binary: two categories; categorical: several",
    "Unit of a continuous phenotype",
    "Participants without a value",
)
WIDTHS_PX = (40, 150, 84, 60, 56)
NOTHING = QModelIndex()


class ColumnsModel(QAbstractTableModel):
    """Columns of the table, in rows.

    Parameters
    ----------
    building
        The study that is being put together.
    parent
        Qt parent.
    """

    def __init__(self, building: StudyBuilding, parent: QWidget) -> None:
        super().__init__(parent)
        self._building = building
        self._words = ""
        self._rows: list[int] = []
        self._theme = DARK
        listen(self, building.table_changed, self.reset)
        listen(self, building.column_changed, self._on_column_changed)
        self.reset()

    def set_theme(self, theme: Theme) -> None:
        """Take other colours."""
        self._theme = theme

    def search(self, words: str) -> None:
        """Show only the columns whose name, label or source holds these words."""
        self._words = words.strip().lower()
        self.reset()

    def reset(self) -> None:
        """Read the session's table anew."""
        self.beginResetModel()
        columns = self._building.table.columns if self._building.table is not None else ()
        self._rows = [row for row, column in enumerate(columns) if self._words in _searched(column)]
        self.endResetModel()

    def column_at(self, index: Index) -> tuple[int, ColumnProposal] | None:
        """Row in the session's table, and column, that an index shows."""
        reading = self._building.table
        if reading is None or not index.isValid() or index.row() >= len(self._rows):
            return None
        row = self._rows[index.row()]
        return (row, reading.columns[row]) if row < len(reading.columns) else None

    def rowCount(self, parent: Index = NOTHING) -> int:
        """Columns that are shown."""
        return 0 if parent.isValid() else len(self._rows)

    def columnCount(self, parent: Index = NOTHING) -> int:
        """Facts that are shown of each."""
        return 0 if parent.isValid() else len(HEADERS)

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        """Words above the columns."""
        if orientation == Qt.Orientation.Vertical:
            return None
        return {Qt.ItemDataRole.DisplayRole: HEADERS, Qt.ItemDataRole.ToolTipRole: HEADER_TOOL_TIPS}.get(
            Qt.ItemDataRole(role), (None,) * len(HEADERS)
        )[section]

    def flags(self, index: Index) -> Qt.ItemFlag:
        """Say what can be done with a cell."""
        flags = Qt.ItemFlag.ItemIsEnabled | Qt.ItemFlag.ItemIsSelectable
        found = self.column_at(index)
        if found is None:
            return flags
        if index.column() == KEEP and found[1].kind in PHENOTYPE_KINDS:
            return flags | Qt.ItemFlag.ItemIsUserCheckable
        if index.column() in (NAME, KIND) or (index.column() == UNIT and found[1].kind == "continuous"):
            return flags | Qt.ItemFlag.ItemIsEditable
        return flags

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        """Return what is painted of a cell."""
        found = self.column_at(index)
        if found is None:
            return None
        row, column = found
        problem = self._building.table.problems.get(row, "") if self._building.table is not None else ""
        if role in (Qt.ItemDataRole.DisplayRole, Qt.ItemDataRole.EditRole):
            return _text(column, index.column())
        if role == Qt.ItemDataRole.CheckStateRole and index.column() == KEEP:
            return Qt.CheckState.Checked if column.is_kept else Qt.CheckState.Unchecked
        if role == Qt.ItemDataRole.ToolTipRole:
            return problem or f"{', '.join(column.sources[:5])}: {column.note or column.kind}"
        if role == Qt.ItemDataRole.ForegroundRole and (problem or not column.is_kept):
            return QColor(self._theme.error if problem else self._theme.muted)
        if role == Qt.ItemDataRole.AccessibleTextRole and index.column() == KEEP:
            return "kept" if column.is_kept else "not kept"
        return None

    def setData(self, index: Index, value: Any, role: int = Qt.ItemDataRole.EditRole) -> bool:
        """Hand a correction to the session."""
        found = self.column_at(index)
        if found is None:
            return False
        row = found[0]
        if role == Qt.ItemDataRole.CheckStateRole and index.column() == KEEP:
            self._building.correct_column(row, is_kept=Qt.CheckState(value) == Qt.CheckState.Checked)
        elif role == Qt.ItemDataRole.EditRole and index.column() == NAME and str(value).strip():
            self._building.correct_column(row, label=str(value).strip())
        elif role == Qt.ItemDataRole.EditRole and index.column() == UNIT:
            self._building.correct_column(row, unit=str(value).strip())
        elif role == Qt.ItemDataRole.EditRole and index.column() == KIND and value in PHENOTYPE_KINDS:
            self._building.take_for(row, value)
        else:
            return False
        return True

    def _on_column_changed(self, row: int) -> None:
        if row in self._rows:
            place = self._rows.index(row)
            self.dataChanged.emit(self.index(place, 0), self.index(place, len(HEADERS) - 1))


class KindDelegate(QStyledItemDelegate):
    """Edits a kind with a list of the kinds that there are."""

    def createEditor(self, parent: QWidget, option: QStyleOptionViewItem, index: Index) -> QWidget:
        """Make the list."""
        combo = QComboBox(parent)
        combo.addItems(get_args(PhenotypeKind))
        combo.setAccessibleName("Kind of phenotype")
        combo.activated.connect(lambda: self.commitData.emit(combo))
        return combo

    def setEditorData(self, editor: QWidget, index: Index) -> None:
        """Show the present kind."""
        if isinstance(editor, QComboBox):
            editor.setCurrentText(str(index.data(Qt.ItemDataRole.EditRole)))

    def setModelData(self, editor: QWidget, model: Any, index: Index) -> None:
        """Hand the chosen kind on."""
        if isinstance(editor, QComboBox):
            model.setData(index, editor.currentText(), Qt.ItemDataRole.EditRole)


class QtStudyBuilderColumns(QWidget):
    """Search, the columns, and everything about the one that is chosen.

    Parameters
    ----------
    building
        The study that is being put together.
    parent
        Qt parent.
    """

    def __init__(self, building: StudyBuilding, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._building = building
        self.model = ColumnsModel(building, self)
        self.search = QLineEdit(self)
        self.search.setPlaceholderText("Search columns …")
        self.search.setClearButtonEnabled(True)
        self.search.setAccessibleName("Search columns")
        self.search.setToolTip("Show only columns whose name holds these words")
        self.search.textChanged.connect(self.model.search)
        self.view = QTableView(self)
        self.detail = QtStudyBuilderColumn(building, self)
        self._set_up_view()
        layout = QVBoxLayout(self)
        layout.setContentsMargins(4, 6, 4, 4)
        layout.setSpacing(5)
        layout.addWidget(self.search)
        layout.addWidget(self.view, 1)
        layout.addWidget(scrolled(self.detail, self), 1)
        self.model.modelReset.connect(self._on_model_reset)
        self._on_model_reset()

    def _set_up_view(self) -> None:
        self.view.setModel(self.model)
        self.view.setItemDelegateForColumn(KIND, KindDelegate(self.view))
        set_up_rows(self.view, "Columns of the table", 24)
        self.view.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        header = self.view.horizontalHeader()
        for section, width in enumerate(WIDTHS_PX):
            header.resizeSection(section, width)
        header.setSectionResizeMode(NAME, QHeaderView.ResizeMode.Stretch)
        self.view.selectionModel().currentRowChanged.connect(self._on_row_changed)

    def set_theme(self, theme: Theme) -> None:
        """Take other colours."""
        self.model.set_theme(theme)
        self.detail.set_theme(theme)
        self.view.viewport().update()

    def _on_row_changed(self, current: QModelIndex, previous: QModelIndex) -> None:
        found = self.model.column_at(current)
        self.detail.show_column(found[0] if found is not None else None)
        self.view.scrollTo(current)

    def _on_model_reset(self) -> None:
        self.detail.show_column(None)
        if self.model.rowCount():
            self.view.setCurrentIndex(self.model.index(0, NAME))


def _text(column: ColumnProposal, fact: int) -> str:
    if fact == NAME:
        return column.label or column.name
    if fact == KIND:
        return column.kind
    if fact == UNIT:
        return column.unit
    return format_count(column.n_missing) if fact == MISSING else ""


def _searched(column: ColumnProposal) -> str:
    return " ".join((column.name, column.label, *column.sources)).lower()
