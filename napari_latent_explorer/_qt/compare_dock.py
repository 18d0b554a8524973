"""Two groups, or a group and the rest, compared in every phenotype.

Comparing begins a moment after the groups have come to rest, and only while the dock is seen; meanwhile the former
numbers stay in sight but grey, and cannot be exported.
"""

from collections.abc import Callable
from pathlib import Path

from qtpy.QtCore import Qt, QTimer
from qtpy.QtGui import QGuiApplication, QHideEvent, QShowEvent
from qtpy.QtWidgets import QFileDialog, QHBoxLayout, QLabel, QMenu, QPushButton, QToolButton, QVBoxLayout, QWidget

from napari_latent_explorer._qt.compare_bar import QtCompareBar
from napari_latent_explorer._qt.comparison_text import CHOSEN_MARK, participants_text
from napari_latent_explorer._qt.comparison_view import QtComparisonView
from napari_latent_explorer._qt.figure import Figure
from napari_latent_explorer._qt.figure_menu import QtFigureMenu, offer_figure
from napari_latent_explorer._qt.forest_plot import forest_figure
from napari_latent_explorer._qt.listening import listen
from napari_latent_explorer._qt.numbers import format_count
from napari_latent_explorer._qt.theme import DARK, Theme
from napari_latent_explorer.errors import LatentExplorerError
from napari_latent_explorer.io.atomic import write_file
from napari_latent_explorer.session.coloring import NEUTRAL_COLOR
from napari_latent_explorer.session.comparing import Comparing
from napari_latent_explorer.session.explorer import Explorer
from napari_latent_explorer.session.group_comparison import Comparison

REST_MS = 150
NO_GROUPS = (
    "Nothing to compare yet. Make a group of participants; it is compared with the rest, or with another group, "
    "in every phenotype."
)
OPTIMISTIC = (
    "⚠ A group chosen by looking at the data (on a map, by a filter) differs by choice: its p and q are optimistic."
)
READING = "● number  ■ odds ratio  ○ □ q ≥ 0.05  ─ 95 % interval"


class QtCompareDock(QWidget):
    """Choice, plot, table, and what they are worth.

    Parameters
    ----------
    explorer
        The session.
    comparing
        What is compared in it.
    parent
        Qt parent.
    """

    def __init__(self, explorer: Explorer, comparing: Comparing, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._explorer, self._comparing = explorer, comparing
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(REST_MS)
        self._timer.timeout.connect(comparing.start)
        self.bar = QtCompareBar(comparing, self)
        self.view = QtComparisonView(self)
        self._labels = {name: _label(self) for name in ("empty", "status", "warning", "reading")}
        self._labels["empty"].setText(NO_GROUPS)
        self._labels["reading"].setText(READING)
        self.new_group = QPushButton(self)
        self.new_group.clicked.connect(lambda: explorer.create_group())
        self.help = QPushButton("Clear the filters", self)
        self.help.clicked.connect(explorer.clear_filters)
        self._build_export()
        self._build_layout()
        self.set_theme(DARK)
        listen(self, comparing.changed, self.synchronize)
        listen(self, explorer.view_state_changed, self._name_button)
        self.synchronize()

    def _build_export(self) -> None:
        self.export = QToolButton(self)
        self.export.setText("Export ▾")
        self.export.setToolTip("Copy or save the table, save the plot as a figure. No participant is named in them.")
        self.export.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        menu = QMenu(self.export)
        menu.addAction("Copy table", self.copy)
        menu.addAction("Save table (CSV)…", lambda: self._save("comparison.csv", "Table (*.csv)", self.save_table))
        menu.addMenu(QtFigureMenu(self._explorer, lambda _: self.figure(), menu))
        offer_figure(self.view.plot, self._explorer, lambda _: self.figure())
        self.export.setMenu(menu)
        self.export.setStyleSheet("QToolButton::menu-indicator { image: none; } QToolButton { padding: 3px 8px; }")

    def _build_layout(self) -> None:
        how = QHBoxLayout()
        how.setSpacing(4)
        how.addWidget(self.bar.test, 1)
        how.addWidget(self.export)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(8, 6, 8, 6)
        layout.setSpacing(4)
        layout.addWidget(self.bar)
        layout.addLayout(how)
        for name in ("empty", "status"):
            layout.addWidget(self._labels[name])
        for button in (self.new_group, self.help):
            layout.addWidget(button, 0, Qt.AlignmentFlag.AlignLeft)
        layout.addWidget(self.view, 1)
        for name in ("reading", "warning"):
            layout.addWidget(self._labels[name])
        layout.addStretch(0)

    @property
    def status(self) -> str:
        """Who is compared, or why nobody is."""
        return self._labels["status"].text()

    @property
    def warning(self) -> str:
        """What the numbers are worth."""
        return self._labels["warning"].text()

    def set_theme(self, theme: Theme) -> None:
        """Take other colours."""
        self.view.set_theme(theme)
        for name in ("status", "reading"):
            self._labels[name].setStyleSheet(f"color: {theme.muted};")
        self._labels["warning"].setStyleSheet(f"color: {theme.warning};")

    def showEvent(self, event: QShowEvent) -> None:
        """Compare now that somebody looks."""
        super().showEvent(event)
        self._timer.start()

    def hideEvent(self, event: QHideEvent) -> None:
        """Compare no longer."""
        super().hideEvent(event)
        self._timer.stop()

    def synchronize(self) -> None:
        """Show the choice and what came of it."""
        comparing = self._comparing
        has_groups, result = comparing.group_a is not None, comparing.result
        self.bar.synchronize(self._explorer.groups)
        if result is not None or not has_groups:
            self.view.set_table(result.table if result is not None else None, self._colors())
        elif self.isVisible() and not comparing.is_running:
            self._timer.start()
        has_table = self.view.model.table is not None
        labels = self._labels
        parts: list[tuple[bool, tuple[QWidget, ...]]] = [
            (has_groups, (self.bar, self.bar.test, self.export, labels["status"])),
            (has_table, (self.view, labels["reading"], labels["warning"])),
            (not has_groups, (labels["empty"], self.new_group)),
        ]
        for is_there, widgets in parts:
            for widget in widgets:
                widget.setVisible(is_there)
        self.view.setEnabled(result is not None and result.table is not None)
        self.export.setEnabled(self.view.isEnabled())
        self.help.setVisible(result is not None and result.table is None and bool(result.request.filters))
        self._labels["status"].setText("Comparing…" if result is None else _status(result))
        self._labels["warning"].setText("" if result is None else _warning(result))
        self._name_button()

    def copy(self) -> None:
        """Put the table on the clipboard, as spreadsheets take it."""
        if (text := self._table_text("\t")) and (clipboard := QGuiApplication.clipboard()) is not None:
            clipboard.setText(text)

    def save_table(self, path: Path) -> None:
        """Write the table with all its numbers as CSV; StudyError when it cannot be written."""
        write_file(path, self._table_text(",").encode())

    def figure(self) -> Figure:
        """Make a figure of the plot; LatentExplorerError when nothing is compared."""
        forest, result = self.view.forest, self._comparing.result
        if forest is None or result is None:
            raise LatentExplorerError("There is no comparison that a figure could be made of. Choose two groups first.")
        return forest_figure(forest, (_status(result), READING, *_caption(result)))

    def _table_text(self, separator: str) -> str:
        result = self._comparing.result
        if result is None or result.table is None:
            return ""
        order = [row.spec.name for row in self.view.model.rows]
        frame = result.table.to_frame().set_index("phenotype").loc[order].reset_index()
        text: str = frame.to_csv(sep=separator, index=False, float_format="%.6g", lineterminator="\n")
        return text

    def _save(self, suggestion: str, kinds: str, write: Callable[[Path], None]) -> None:
        chosen, _ = QFileDialog.getSaveFileName(self, "Save", suggestion, kinds)
        if chosen:
            try:
                write(Path(chosen))
            except LatentExplorerError as error:
                self._explorer.failed.emit(error)

    def _colors(self) -> tuple[tuple[float, float, float, float], tuple[float, float, float, float]]:
        groups = self._comparing.group_a, self._comparing.group_b
        color_a, color_b = (NEUTRAL_COLOR if group is None else group.color for group in groups)
        return color_a, color_b

    def _name_button(self) -> None:
        seen = self._explorer.view_state
        whom = f"selection ({format_count(seen.n_selected)})" if seen.n_selected else "all visible"
        self.new_group.setText(f"New group from {whom}")
        self.new_group.setEnabled(seen.n_visible > 0)


def _label(parent: QWidget) -> QLabel:
    label = QLabel(parent)
    label.setTextFormat(Qt.TextFormat.PlainText)
    label.setWordWrap(True)
    return label


def _status(result: Comparison) -> str:
    table = result.table
    parts = [result.problem if table is None else participants_text(table)]
    left_out = [
        (table.n_shared if table is not None else 0, "in both groups"),
        (result.n_excluded, "excluded from the study"),
        (result.n_hidden, f"of {result.request.group_a.name} hidden by filters"),
    ]
    said = [f"{format_count(count)} {why}" for count, why in left_out if count]
    return parts[0] + (f"; left out: {', '.join(said)}" if said and table is not None else "")


def _warning(result: Comparison) -> str:
    return " ".join([OPTIMISTIC, *_caption(result)]) if result.table is not None else ""


def _caption(result: Comparison) -> tuple[str, ...]:
    specs = result.request.cohort.specs
    names = [specs[name].label or name for name in specs if name in result.request.chosen_by]
    by_phenotypes = [f"{CHOSEN_MARK} A group was chosen by: {', '.join(names)}."] if names else []
    drawn = result.request.drawn
    by_hand = [f"Picked by hand or on a map: {' and '.join(drawn)}."] if drawn else []
    return (*by_phenotypes, *by_hand)
