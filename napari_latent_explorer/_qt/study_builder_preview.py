"""What was found for a study: the first participants with their files, and the files that are left aside."""

from typing import Any

from qtpy.QtCore import QAbstractTableModel, QModelIndex, QPersistentModelIndex, Qt
from qtpy.QtWidgets import (
    QHeaderView,
    QLabel,
    QTableView,
    QTreeWidget,
    QTreeWidgetItem,
    QVBoxLayout,
    QWidget,
)

from napari_latent_explorer._qt.arrangement import set_up_rows
from napari_latent_explorer._qt.listening import listen
from napari_latent_explorer._qt.numbers import format_count
from napari_latent_explorer.building.plan import ParticipantPlan, StudyPlan
from napari_latent_explorer.session.study_building import StudyBuilding

Index = QModelIndex | QPersistentModelIndex
MAX_PEOPLE = 200
ID_WIDTH_PX = 90
FACTS = ("Participant", "Cine", "ECG", "Labels")
NOTHING = QModelIndex()


class PeopleModel(QAbstractTableModel):
    """The first participants of a plan, in rows."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self._people: tuple[ParticipantPlan, ...] = ()

    def set_plan(self, plan: StudyPlan | None) -> None:
        """Show the participants of a plan."""
        self.beginResetModel()
        self._people = plan.participants[:MAX_PEOPLE] if plan is not None else ()
        self.endResetModel()

    def rowCount(self, parent: Index = NOTHING) -> int:
        """Participants that are shown."""
        return 0 if parent.isValid() else len(self._people)

    def columnCount(self, parent: Index = NOTHING) -> int:
        """Id and files."""
        return 0 if parent.isValid() else len(FACTS)

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        """Words above the columns."""
        is_shown = role == Qt.ItemDataRole.DisplayRole and orientation == Qt.Orientation.Horizontal
        return FACTS[section] if is_shown else None

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        """Name of a file, its whole path in the tool tip."""
        if not index.isValid() or role not in (Qt.ItemDataRole.DisplayRole, Qt.ItemDataRole.ToolTipRole):
            return None
        person = self._people[index.row()]
        if index.column() == 0:
            return person.participant_id
        paths = ((person.cine,), (person.ecg,), person.labels)[index.column() - 1]
        found = [path for path in paths if path is not None]
        if not found:
            return "—" if role == Qt.ItemDataRole.DisplayRole else f"no {FACTS[index.column()]} found"
        if role == Qt.ItemDataRole.ToolTipRole:
            return "\n".join(str(path) for path in found)
        return found[0].name + (f" and {len(found) - 1} more" if len(found) > 1 else "")


class QtStudyBuilderPeople(QWidget):
    """The first participants with their files.

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
        self.model = PeopleModel(self)
        self.view = QTableView(self)
        self.view.setModel(self.model)
        set_up_rows(self.view, "Participants and their files", 22)
        self.view.setTextElideMode(Qt.TextElideMode.ElideMiddle)
        self.view.horizontalHeader().setSectionResizeMode(QHeaderView.ResizeMode.Stretch)
        self.view.horizontalHeader().setSectionResizeMode(0, QHeaderView.ResizeMode.Interactive)
        self.view.horizontalHeader().resizeSection(0, ID_WIDTH_PX)
        self.words = QLabel(self)
        self.words.setWordWrap(True)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(4, 6, 4, 4)
        layout.addWidget(self.words)
        layout.addWidget(self.view, 1)
        listen(self, building.plan_changed, self.synchronize)
        self.synchronize()

    def synchronize(self) -> None:
        """Show the session's plan."""
        plan = self._building.plan
        self.model.set_plan(plan)
        folders = plan.config.folders() if plan is not None else {}
        for section, modality in enumerate(("mri", "ecg", "labels"), 1):
            self.view.setColumnHidden(section, plan is not None and modality not in folders)
        n_people = len(plan.participants) if plan is not None else 0
        first = f"The first {MAX_PEOPLE} of {format_count(n_people)}." if n_people > MAX_PEOPLE else ""
        self.words.setText(first if plan is not None else "Nobody yet: choose folders of cines or ECGs.")
        self.words.setVisible(bool(self.words.text()))


class QtStudyBuilderAside(QWidget):
    """Files that are left aside, by reason, with examples.

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
        self.words = QLabel(self)
        self.words.setWordWrap(True)
        self.tree = QTreeWidget(self)
        self.tree.setHeaderLabels(["Reason and file", "Files"])
        self.tree.setAccessibleName("Files that are left aside, by reason")
        self.tree.setUniformRowHeights(True)
        self.tree.setTextElideMode(Qt.TextElideMode.ElideRight)
        self.tree.header().setStretchLastSection(False)
        self.tree.header().setSectionResizeMode(0, QHeaderView.ResizeMode.Stretch)
        self.tree.header().setSectionResizeMode(1, QHeaderView.ResizeMode.ResizeToContents)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(4, 6, 4, 4)
        layout.addWidget(self.words)
        layout.addWidget(self.tree, 1)
        listen(self, building.plan_changed, self.synchronize)
        self.synchronize()

    def synchronize(self) -> None:
        """Show the session's plan."""
        summary = self._building.summary
        self.tree.clear()
        for reason, n_files, paths in summary.aside if summary is not None else ():
            top = QTreeWidgetItem(self.tree, [reason, format_count(n_files)])
            top.setToolTip(0, reason)
            top.setTextAlignment(1, Qt.AlignmentFlag.AlignRight)
            for path in paths:
                item = QTreeWidgetItem(top, [path.name, ""])
                item.setToolTip(0, str(path))
            if n_files > len(paths):
                QTreeWidgetItem(top, [f"… and {format_count(n_files - len(paths))} more, in the report", ""])
        self.words.setText("\n".join(self._sentences(self._building.plan)))
        self.words.setVisible(bool(self.words.text()))

    @staticmethod
    def _sentences(plan: StudyPlan | None) -> list[str]:
        if plan is None:
            return ["Nothing yet: choose folders of cines or ECGs."]
        lacking = plan.without_recording
        sentences = [f"{format_count(plan.n_hidden)} hidden files were passed over."] if plan.n_hidden else []
        if lacking:
            examples = ", ".join(lacking[:3])
            sentences.insert(0, f"{format_count(len(lacking))} of the table without any recording, e.g. {examples}.")
        return sentences if sentences or plan.unused else ["Every file is used."]
