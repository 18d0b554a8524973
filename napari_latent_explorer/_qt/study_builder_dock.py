"""Building a study from one's own files: what is given, what was found, and the build."""

from collections.abc import Sequence

from qtpy.QtCore import QUrl, Signal
from qtpy.QtGui import QDesktopServices
from qtpy.QtWidgets import QHBoxLayout, QLabel, QPushButton, QTabWidget, QVBoxLayout, QWidget

from napari_latent_explorer._qt.arrangement import scrolled
from napari_latent_explorer._qt.job_strip import QtJobStrip
from napari_latent_explorer._qt.listening import listen
from napari_latent_explorer._qt.numbers import format_count
from napari_latent_explorer._qt.study_builder_columns import QtStudyBuilderColumns
from napari_latent_explorer._qt.study_builder_form import QtStudyBuilderForm
from napari_latent_explorer._qt.study_builder_preview import QtStudyBuilderAside, QtStudyBuilderPeople
from napari_latent_explorer._qt.theme import DARK, Theme, small_font
from napari_latent_explorer.building.build import BuildResult
from napari_latent_explorer.session.study_building import StudyBuilding

N_WARNINGS = 3
FILES, COLUMNS, PEOPLE, ASIDE = range(4)


class QtStudyBuilderDock(QWidget):
    """Four pages (files, columns, people, left aside), a summary, and the button that builds.

    Parameters
    ----------
    building
        The study that is being put together.
    parent
        Qt parent.
    """

    open_requested = Signal(object)
    """Folder of a study that the user wants to see."""

    def __init__(self, building: StudyBuilding, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._building = building
        self._theme = DARK
        self.form = QtStudyBuilderForm(building, self)
        self.columns = QtStudyBuilderColumns(building, self)
        self.people = QtStudyBuilderPeople(building, self)
        self.aside = QtStudyBuilderAside(building, self)
        self.tabs = QTabWidget(self)
        self.summary = QLabel(self)
        self.todo = QLabel(self)
        self.warnings = QLabel(self)
        self.build = QPushButton("Build study", self)
        self.open_study = QPushButton("Open study", self)
        self.show_report = QPushButton("Show report", self)
        self._set_up()
        self._build_layout()
        self._connect()
        self.synchronize()

    def _set_up(self) -> None:
        self.summary.setFont(small_font(self, 1.0, is_bold=True))
        for words in (self.summary, self.todo, self.warnings):
            words.setWordWrap(True)
        self.build.setObjectName("buildStudy")
        self.build.setAccessibleName("Build study")
        self.open_study.setToolTip("Open the new study in its docks")
        self.show_report.setToolTip("Every file that was looked at, used or not, with the reason, in a browser")
        self.build.clicked.connect(self._on_build_clicked)
        self.open_study.clicked.connect(self._on_open_clicked)
        self.show_report.clicked.connect(self._on_report_clicked)

    def _build_layout(self) -> None:
        for page, name, tool_tip in (
            (scrolled(self.form, self), "Files", "Where the table and the recordings are"),
            (self.columns, "Columns", "What each column of the table becomes"),
            (self.people, "People", "Whose recordings were found"),
            (self.aside, "Left aside", "Files that are not used, and why"),
        ):
            self.tabs.setTabToolTip(self.tabs.addTab(page, name), tool_tip)
        self.tabs.setDocumentMode(True)
        self.tabs.setAccessibleName("Steps of building a study")
        buttons = QHBoxLayout()
        buttons.addWidget(self.build, 1)
        buttons.addWidget(self.open_study, 1)
        buttons.addWidget(self.show_report, 1)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(6, 4, 6, 6)
        layout.setSpacing(5)
        layout.addWidget(self.tabs, 1)
        for widget in (self.summary, self.warnings, self.todo, QtJobStrip(self._building.jobs, self)):
            layout.addWidget(widget)
        layout.addLayout(buttons)
        self.setMinimumWidth(330)

    def _connect(self) -> None:
        building = self._building
        for signal in (building.form_changed, building.table_changed, building.plan_changed):
            listen(self, signal, self.synchronize)
        listen(self, building.column_changed, self._on_column_changed)
        listen(self, building.jobs.started, self._on_jobs_changed)
        listen(self, building.jobs.ended, self._on_jobs_changed)
        listen(self, building.built, self._on_built)

    def set_theme(self, theme: Theme) -> None:
        """Take other colours."""
        self._theme = theme
        self.columns.set_theme(theme)
        self.warnings.setStyleSheet(f"color: {theme.muted};")
        self.todo.setStyleSheet(f"color: {theme.warning};")

    def synchronize(self) -> None:
        """Show the session's state."""
        building = self._building
        plan, reading, result = building.plan, building.table, building.result
        n_columns = len(reading.columns) if reading is not None else 0
        n_kept = sum(column.is_kept for column in reading.columns) if reading is not None else 0
        self.tabs.setTabText(COLUMNS, f"Columns {n_kept}/{n_columns}" if n_columns else "Columns")
        self.tabs.setTabText(PEOPLE, f"People {format_count(len(plan.participants))}" if plan else "People")
        self.tabs.setTabText(ASIDE, f"Left aside {format_count(len(plan.unused))}" if plan else "Left aside")
        problems = building.problems()
        self.summary.setText(summary_of(result) if result is not None else self._found())
        self.summary.setVisible(bool(self.summary.text()))
        is_over = result is not None or building.is_building
        _show_lines(self.todo, () if is_over else problems)
        _show_lines(self.warnings, plan.warnings if plan is not None and not is_over else ())
        self.build.setEnabled(not problems and not building.is_building and not building.is_looking)
        self.build.setToolTip(
            " ".join(problems)
            or "Read every recording and write the study; a build that was stopped goes on where it was"
        )
        self.build.setVisible(result is None)
        self.open_study.setVisible(result is not None)
        self.show_report.setVisible(result is not None)

    def _found(self) -> str:
        """Say who was found, in a sentence."""
        summary, form = self._building.summary, self._building.form
        if summary is None:
            return ""
        counts = [
            f"{format_count(summary.n_cine)} with a cine" if form.cine is not None else "",
            f"{format_count(summary.n_ecg)} with an ECG" if form.ecg is not None else "",
            f"{format_count(summary.n_both)} with both" if form.cine and form.ecg else "",
            f"{format_count(summary.n_labels)} with labels" if form.labels is not None else "",
        ]
        return f"{format_count(summary.n_people)} participants: {', '.join(filter(None, counts))}"

    def _on_column_changed(self, row: int) -> None:
        self.synchronize()

    def _on_jobs_changed(self, job: object) -> None:
        self.synchronize()

    def _on_built(self, result: BuildResult) -> None:
        self.synchronize()

    def _on_build_clicked(self) -> None:
        self._building.build()

    def _on_open_clicked(self) -> None:
        if self._building.result is not None:
            self.open_requested.emit(self._building.result.study.path)

    def _on_report_clicked(self) -> None:
        if self._building.result is not None:
            QDesktopServices.openUrl(QUrl.fromLocalFile(str(self._building.result.report)))


def _show_lines(words: QLabel, sentences: Sequence[str]) -> None:
    """Show the first sentences, and all of them in the tool tip."""
    words.setText("\n".join(sentences[:N_WARNINGS]))
    words.setToolTip("\n".join(sentences))
    words.setVisible(bool(sentences))


def summary_of(result: BuildResult) -> str:
    """Say what became of the files, in a sentence."""
    parts = [f"{format_count(n)} {outcome}" for outcome, n in result.counts.items()]
    return f"{result.study.name} is built. Files: {', '.join(parts)}."
