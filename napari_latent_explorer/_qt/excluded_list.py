"""Who is excluded and why, and the way back."""

from collections import Counter
from typing import Any

from qtpy.QtCore import QAbstractTableModel, QModelIndex, QObject, QPersistentModelIndex, Qt
from qtpy.QtWidgets import (
    QAbstractItemView,
    QDialog,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QTableView,
    QVBoxLayout,
    QWidget,
)

from napari_latent_explorer._qt.listening import listen
from napari_latent_explorer._qt.numbers import format_count
from napari_latent_explorer.session.explorer import Explorer

TITLES = ("Participant", "Reason")
Index = QModelIndex | QPersistentModelIndex
_NO_INDEX = QModelIndex()


class QtExcludedModel(QAbstractTableModel):
    """A row per excluded participant, ``(participant_id, reason)``.

    Parameters
    ----------
    parent
        Qt parent.
    """

    def __init__(self, parent: QObject) -> None:
        super().__init__(parent)
        self.rows: list[tuple[str, str]] = []
        self._column, self._order = 1, Qt.SortOrder.AscendingOrder

    def set_rows(self, rows: list[tuple[str, str]]) -> None:
        """Show these, sorted as before."""
        self.beginResetModel()
        self.rows = rows
        self._sort()
        self.endResetModel()

    def sort(self, column: int, order: Qt.SortOrder = Qt.SortOrder.AscendingOrder) -> None:
        """Sort by participant or by reason."""
        self._column, self._order = column, order
        self.beginResetModel()
        self._sort()
        self.endResetModel()

    def _sort(self) -> None:
        is_down = self._order == Qt.SortOrder.DescendingOrder
        self.rows.sort(key=lambda row: (row[self._column], row[0]), reverse=is_down)

    def rowCount(self, parent: Index = _NO_INDEX) -> int:
        """How many are excluded."""
        return 0 if parent.isValid() else len(self.rows)

    def columnCount(self, parent: Index = _NO_INDEX) -> int:
        """Participant and reason."""
        return 0 if parent.isValid() else len(TITLES)

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        """Words of a cell."""
        if role in (Qt.ItemDataRole.DisplayRole, Qt.ItemDataRole.AccessibleTextRole):
            return self.rows[index.row()][index.column()]
        return None

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        """Titles of the columns."""
        is_title = orientation == Qt.Orientation.Horizontal and role == Qt.ItemDataRole.DisplayRole
        return TITLES[section] if is_title else None


class QtExcludedList(QDialog):
    """The excluded, of whom some or all can be brought back.

    Parameters
    ----------
    explorer
        The session.
    parent
        Over which it opens.
    """

    def __init__(self, explorer: Explorer, parent: QWidget) -> None:
        super().__init__(parent)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setWindowTitle("Excluded participants")
        self._explorer = explorer
        self._count = QLabel(self)
        self._count.setWordWrap(True)
        self._count.setTextFormat(Qt.TextFormat.PlainText)
        self._build_table()
        self._build_buttons()
        self.resize(460, 420)
        listen(self, explorer.filters_changed, self.synchronize)
        listen(self, explorer.study_changed, self.synchronize)
        self.synchronize()

    def _build_table(self) -> None:
        self.model = QtExcludedModel(self)
        self.table = QTableView(self)
        self.table.setModel(self.model)
        self.table.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.table.setAccessibleName("Excluded participants")
        rows, columns = self.table.verticalHeader(), self.table.horizontalHeader()
        if rows is not None and columns is not None:
            rows.hide()
            columns.setStretchLastSection(True)
            columns.setSortIndicator(1, Qt.SortOrder.AscendingOrder)
        self.table.setSortingEnabled(True)
        model = self.table.selectionModel()
        if model is not None:
            model.selectionChanged.connect(self._on_chosen)

    def _build_buttons(self) -> None:
        self.show_one = self._button("Show", "Show the recordings of the chosen participant")
        self.restore = self._button("Restore chosen", "Bring the chosen participants back")
        self.restore_all = self._button("Restore all", "Bring all of them back")
        close = self._button("Close", "Close this list")
        self.show_one.clicked.connect(self._on_show_clicked)
        self.restore.clicked.connect(lambda: self._explorer.restore_excluded(self.chosen))
        self.restore_all.clicked.connect(lambda: self._explorer.restore_excluded())
        close.clicked.connect(self.close)
        buttons = QHBoxLayout()
        for button in (self.show_one, self.restore, self.restore_all):
            buttons.addWidget(button)
        buttons.addStretch(1)
        buttons.addWidget(close)
        layout = QVBoxLayout(self)
        layout.addWidget(self._count)
        layout.addWidget(self.table, 1)
        layout.addLayout(buttons)

    def _button(self, name: str, tool_tip: str) -> QPushButton:
        button = QPushButton(name, self)
        button.setToolTip(tool_tip)
        button.setAutoDefault(False)
        return button

    @property
    def chosen(self) -> list[str]:
        """Ids of the rows that are selected."""
        model = self.table.selectionModel()
        return [] if model is None else [self.model.rows[index.row()][0] for index in model.selectedRows()]

    def synchronize(self) -> None:
        """Show who is excluded now."""
        excluded = self._explorer.excluded
        if self.model.rowCount() != len(excluded) or dict(self.model.rows) != excluded:
            self.model.set_rows(list(excluded.items()))
        counts = ", ".join(f"{reason}: {format_count(n)}" for reason, n in Counter(excluded.values()).most_common())
        self._count.setText(counts if excluded else "Nobody is excluded.")
        self.restore_all.setEnabled(bool(excluded))
        self._on_chosen()

    def _on_chosen(self, *_: object) -> None:
        n = len(self.chosen)
        self.restore.setEnabled(n > 0)
        self.restore.setText(f"Restore {format_count(n)} chosen" if n else "Restore chosen")
        self.show_one.setEnabled(n == 1)

    def _on_show_clicked(self) -> None:
        participant_id = self.chosen[0]
        if any(participant_id in space for space in self._explorer.latents.values()):
            modality = next(name for name, space in self._explorer.latents.items() if participant_id in space)
            self._explorer.probe_participant(participant_id, modality)
        self._explorer.show_participant(participant_id)
