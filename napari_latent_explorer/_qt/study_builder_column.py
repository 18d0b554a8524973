"""Everything about one column: what it was taken for and why, its categories, and what means missing."""

from qtpy.QtCore import Qt, Signal
from qtpy.QtGui import QDropEvent
from qtpy.QtWidgets import (
    QAbstractItemView,
    QComboBox,
    QLabel,
    QLineEdit,
    QListWidget,
    QListWidgetItem,
    QVBoxLayout,
    QWidget,
)

from napari_latent_explorer._qt.arrangement import question_rows
from napari_latent_explorer._qt.listening import listen
from napari_latent_explorer._qt.theme import DARK, Theme, small_font
from napari_latent_explorer.io.column_proposal import PHENOTYPE_KINDS, ColumnProposal
from napari_latent_explorer.io.column_values import code_text
from napari_latent_explorer.session.study_building import StudyBuilding

SEPARATOR = " | "
N_SOURCES_SHOWN = 4


class QtStudyBuilderColumn(QWidget):
    """Why, kind, label, unit, categories, missing codes.

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
        self._row: int | None = None
        self._theme = DARK
        self.why = QLabel(self)
        self.problem = QLabel(self)
        self.label = QLineEdit(self)
        self.kind = QComboBox(self)
        self.unit = QLineEdit(self)
        self.categories = _CategoryList(self)
        self.missing_codes = QLineEdit(self)
        self._set_up()
        self._build_layout()
        self.kind.activated.connect(self._on_kind_activated)
        self.label.editingFinished.connect(lambda: self._correct(label=self.label.text().strip()))
        self.unit.editingFinished.connect(lambda: self._correct(unit=self.unit.text().strip()))
        self.missing_codes.editingFinished.connect(self._on_missing_edited)
        self.categories.itemChanged.connect(self._on_category_renamed)
        self.categories.reordered.connect(self._on_categories_reordered)
        listen(self, building.column_changed, self._on_column_changed)
        self.show_column(None)

    def _set_up(self) -> None:
        for words in (self.why, self.problem):
            words.setWordWrap(True)
            words.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.why.setFont(small_font(self, 0.92))
        self.kind.addItems(PHENOTYPE_KINDS)
        for widget, name, tool_tip in (
            (
                self.kind,
                "Kind",
                "continuous: numbers; binary: two categories, the second positive; categorical: several",
            ),
            (self.label, "Shown as", "What the phenotype is called on charts"),
            (self.unit, "Unit", "Unit of a continuous phenotype, e.g. mm or years"),
            (self.categories, "Categories", "In their order; drag to move one, double-click or F2 to rename"),
            (self.missing_codes, "Missing codes", "Values of the table that mean missing, with | between them"),
        ):
            widget.setAccessibleName(name)
            widget.setToolTip(tool_tip)

    def _build_layout(self) -> None:
        fields: tuple[tuple[str, QWidget], ...] = (
            ("Shown as", self.label),
            ("Kind", self.kind),
            ("Unit", self.unit),
            ("Categories", self.categories),
            ("Missing", self.missing_codes),
        )
        self._rows = question_rows([(words, field, field) for words, field in fields], self)
        self._rows.setLabelAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignTop)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(4)
        layout.addWidget(self.why)
        layout.addWidget(self.problem)
        layout.addLayout(self._rows)

    def set_theme(self, theme: Theme) -> None:
        """Take other colours."""
        self._theme = theme
        self.why.setStyleSheet(f"color: {theme.muted};")
        self.problem.setStyleSheet(f"color: {theme.error};")

    def show_column(self, row: int | None) -> None:
        """Show the column in a row of the session's table, or nothing."""
        self._row = row
        column = self._column()
        self.setVisible(column is not None)
        if column is None:
            return
        sources = ", ".join(column.sources[:N_SOURCES_SHOWN])
        more = f" and {len(column.sources) - N_SOURCES_SHOWN} more" if len(column.sources) > N_SOURCES_SHOWN else ""
        examples = f"  E.g. {', '.join(column.examples)}." if column.examples else ""
        self.why.setText(f"From {sources}{more}: {column.note}.{examples}")
        problem = self._building.table.problems.get(row or 0, "") if self._building.table is not None else ""
        self.problem.setText(problem)
        self.problem.setVisible(bool(problem))
        self.label.setText(column.label or column.name)
        self.kind.setCurrentIndex(self.kind.findText(column.kind))
        self.kind.setPlaceholderText(f"{column.kind}, not kept")
        self.unit.setText(column.unit)
        self._rows.setRowVisible(self.unit, column.kind == "continuous")
        self._rows.setRowVisible(self.categories, bool(column.categories))
        self._rows.setRowVisible(self.missing_codes, column.kind in PHENOTYPE_KINDS)
        self.categories.show_labels(column.categories)
        self.missing_codes.setText(SEPARATOR.join(column.missing_codes))
        doubtful = SEPARATOR.join(column.doubtful_codes)
        self.missing_codes.setPlaceholderText(f"none; perhaps {doubtful}?" if doubtful else "none")

    def _column(self) -> ColumnProposal | None:
        reading = self._building.table
        if reading is None or self._row is None or self._row >= len(reading.columns):
            return None
        return reading.columns[self._row]

    def _correct(self, **changes: object) -> None:
        if self._row is not None:
            self._building.correct_column(self._row, **changes)

    def _on_column_changed(self, row: int) -> None:
        if row == self._row:
            self.show_column(row)

    def _on_kind_activated(self) -> None:
        if self._row is not None:
            self._building.take_for(self._row, self.kind.currentText())  # type: ignore[arg-type]

    def _on_missing_edited(self) -> None:
        """Take values for missing; categories that nothing is left of go with them."""
        column = self._column()
        if column is None:
            return
        codes = tuple(dict.fromkeys(text for part in self.missing_codes.text().split("|") if (text := part.strip())))
        if codes == column.missing_codes:
            return
        label_of = {code_text(code): label for code, label in column.codes}
        gone = {label_of.get(code_text(code), code) for code in codes}
        kept = tuple((code, label) for code, label in column.codes if label not in gone)
        categories = tuple(label for label in column.categories if label not in gone)
        self._correct(missing_codes=codes, codes=kept, categories=categories)

    def _on_category_renamed(self, item: QListWidgetItem) -> None:
        column, place = self._column(), self.categories.row(item)
        if column is None or place >= len(column.categories):
            return
        old, new = column.categories[place], item.text().strip()
        if not new or new == old or new in column.categories:
            self.categories.show_labels(column.categories)
            return
        categories = tuple(new if label == old else label for label in column.categories)
        codes = tuple((code, new if label == old else label) for code, label in column.codes)
        is_own_label = old not in [label for _, label in column.codes]
        self._correct(categories=categories, codes=(*codes, (old, new)) if is_own_label else codes)

    def _on_categories_reordered(self) -> None:
        self._correct(categories=self.categories.labels())


class _CategoryList(QListWidget):
    """Labels that can be dragged to another place and renamed."""

    reordered = Signal()

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.setDragDropMode(QAbstractItemView.DragDropMode.InternalMove)
        self.setEditTriggers(QAbstractItemView.EditTrigger.DoubleClicked | QAbstractItemView.EditTrigger.EditKeyPressed)
        self.setMaximumHeight(110)

    def labels(self) -> tuple[str, ...]:
        """Labels in their present order."""
        return tuple(self.item(row).text() for row in range(self.count()))

    def show_labels(self, labels: tuple[str, ...]) -> None:
        """Show these labels; says nothing to anybody."""
        was_blocked = self.blockSignals(True)
        self.clear()
        for label in labels:
            item = QListWidgetItem(label, self)
            item.setFlags(item.flags() | Qt.ItemFlag.ItemIsEditable)
        self.blockSignals(was_blocked)

    def dropEvent(self, event: QDropEvent) -> None:
        """Move a label."""
        super().dropEvent(event)
        self.reordered.emit()
