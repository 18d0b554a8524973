"""The probe compared with where it began: what is shown of it on the hearts, and each structure's numbers."""

from pathlib import Path

from qtpy.QtCore import Qt
from qtpy.QtGui import QAction, QGuiApplication, QHideEvent, QKeySequence, QShowEvent
from qtpy.QtWidgets import (
    QAbstractItemView,
    QCheckBox,
    QFileDialog,
    QFrame,
    QHBoxLayout,
    QHeaderView,
    QLabel,
    QMenu,
    QSizePolicy,
    QTableView,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from napari_latent_explorer._qt.arrangement import set_up_rows
from napari_latent_explorer._qt.change_model import BEFORE, CHANGE, NAME, NOW, QtChangeModel
from napari_latent_explorer._qt.listening import listen
from napari_latent_explorer._qt.theme import Theme, small_font, tool_button_style
from napari_latent_explorer.session.change_choice import ChangeChoice
from napari_latent_explorer.session.change_export import change_facts, change_table, write_change_table
from napari_latent_explorer.session.change_survey import ChangeReading
from napari_latent_explorer.session.explorer import Explorer

ROW_PX = 21
NUMBER_PX, CHANGE_PX = 50, 100
NOTHING = "Nothing to compare yet. Structures are measured once a model that draws a segmentation has drawn the heart."
COLORS = "On the heart: orange has more signal than before, blue less; in SD of the signal."
READING = "Measured on decoded hearts, not on recordings."
HOW = (
    "Numbers of decoded labels, where the probe began and where it is.\nLeft ventricle: area-length rule in one plane. "
    "Thickness: mean, to about 0.4 mm. Signal: in SD of all frames and pixels of a cine."
)


class QtChangePanel(QWidget):
    """Switches and table; measures while it is seen.

    Parameters
    ----------
    explorer
        The session.
    parent
        Qt parent.
    """

    def __init__(self, explorer: Explorer, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._explorer = explorer
        self.difference = QCheckBox("Difference on the heart", self)
        self.difference.setToolTip(f"Colour the decoded heart where it differs from where the probe began\n{COLORS}")
        self.before = QCheckBox("Heart before beside it", self)
        self.before.setToolTip("Show the heart decoded where the probe began, at the same time and in the same shades")
        self._colors, self._empty, self._reading = (QLabel(text, self) for text in (COLORS, NOTHING, READING))
        self._reading.setToolTip(HOW)
        for label in (self._colors, self._empty, self._reading):
            label.setWordWrap(True)
            label.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Minimum)
        for label in (self._colors, self._reading):
            label.setFont(small_font(self))
        self.changes = QtChangeModel(self)
        self.table = QTableView(self)
        self._set_up_table()
        self.more = QToolButton(self)
        self._set_up_menu()
        self._build_layout()
        for box in (self.difference, self.before):
            box.toggled.connect(self._on_toggled)
        listen(self, explorer.change_choice_changed, self._on_choice_changed)
        listen(self, explorer.change_survey.changed, self._on_survey_changed)
        self._on_choice_changed()
        self._on_survey_changed(explorer.change_survey.reading)

    def _set_up_table(self) -> None:
        self.table.setModel(self.changes)
        set_up_rows(self.table, "What changed in each structure", ROW_PX)
        self.table.setFrameShape(QFrame.Shape.NoFrame)
        self.table.setTabKeyNavigation(False)
        self.table.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.table.setHorizontalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.table.verticalHeader().setMinimumSectionSize(ROW_PX)
        header = self.table.horizontalHeader()
        header.setMinimumSectionSize(36)
        header.setSectionResizeMode(NAME, QHeaderView.ResizeMode.Stretch)
        for column, width_px in ((BEFORE, NUMBER_PX), (NOW, NUMBER_PX), (CHANGE, CHANGE_PX)):
            self.table.setColumnWidth(column, width_px)
        self.table.setMinimumHeight(4 * ROW_PX)

    def _set_up_menu(self) -> None:
        self.more.setText("Table ▾")
        self.more.setToolTip("Copy the table (Ctrl+C in it), or save it with where it comes from")
        self.more.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        menu = QMenu(self.more)
        for text, slot in (("Copy table", self.copy), ("Save as CSV …", self._save)):
            action = QAction(text, self)
            action.triggered.connect(slot)
            menu.addAction(action)
        copying = menu.actions()[0]
        copying.setShortcut(QKeySequence.StandardKey.Copy)
        copying.setShortcutContext(Qt.ShortcutContext.WidgetShortcut)
        self.table.addAction(copying)
        self.more.setMenu(menu)

    def _build_layout(self) -> None:
        switches, foot = QVBoxLayout(), QHBoxLayout()
        switches.setSpacing(2)
        for widget in (self.difference, self._colors, self.before):
            switches.addWidget(widget)
        foot.addWidget(self._reading, 1)
        foot.addWidget(self.more)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 2, 0, 0)
        layout.setSpacing(5)
        layout.addLayout(switches)
        layout.addWidget(self._empty)
        layout.addWidget(self.table, 1)
        layout.addLayout(foot)
        layout.addStretch(0)

    def set_theme(self, theme: Theme) -> None:
        """Take other colours."""
        self.changes.set_theme(theme)
        for label in (self._colors, self._reading):
            label.setStyleSheet(f"color: {theme.muted};")
        self.more.setStyleSheet(f"{tool_button_style(theme)} QToolButton::menu-indicator {{ image: none; }}")
        self.table.viewport().update()

    def showEvent(self, event: QShowEvent) -> None:
        """Measure from now on."""
        super().showEvent(event)
        self._explorer.change_survey.watch(True)

    def hideEvent(self, event: QHideEvent) -> None:
        """Measure no longer."""
        super().hideEvent(event)
        self._explorer.change_survey.watch(False)

    def copy(self) -> None:
        """Put the table on the clipboard, as spreadsheets take it."""
        reading, clipboard = self._explorer.change_survey.reading, QGuiApplication.clipboard()
        if reading is not None and clipboard is not None:
            clipboard.setText(change_table(reading.changes).to_csv(sep="\t", index=False, lineterminator="\n"))

    def _save(self) -> None:
        explorer, reading = self._explorer, self._explorer.change_survey.reading
        if reading is None:
            return
        facts = change_facts(explorer.state, explorer.probe)  # as they are now, not after the dialog
        chosen, _ = QFileDialog.getSaveFileName(self, "Save what changed", "changes.csv", "Table (*.csv)")
        if chosen:
            path = Path(chosen) if Path(chosen).suffix else Path(chosen).with_suffix(".csv")
            explorer.jobs.start(
                f"Save {path.name}", lambda: write_change_table(path, reading.changes, facts), lambda _: None
            )

    def _on_toggled(self) -> None:
        self._explorer.show_change(ChangeChoice(self.difference.isChecked(), self.before.isChecked()))

    def _on_choice_changed(self) -> None:
        chosen = self._explorer.change
        for box, is_on in ((self.difference, chosen.has_difference), (self.before, chosen.has_start)):
            was_blocked = box.blockSignals(True)
            box.setChecked(is_on)
            box.blockSignals(was_blocked)
        self._colors.setVisible(chosen.has_difference)

    def _on_survey_changed(self, reading: ChangeReading | None) -> None:
        changes = reading.changes if reading is not None else ()
        if self.changes.set_changes(changes):
            self.table.clearSpans()
            for row, content in enumerate(self.changes.rows):
                if isinstance(content, str):
                    self.table.setSpan(row, NAME, 1, CHANGE + 1)
        for widget in (self.table, self._reading, self.more):
            widget.setVisible(bool(changes))
        self._empty.setVisible(not changes)
