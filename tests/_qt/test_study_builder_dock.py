"""The dock that builds a study: every question by mouse and key, what was found, and the build."""

import threading
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from qtpy.QtCore import QMimeData, QPoint, QPointF, Qt, QUrl
from qtpy.QtGui import QDesktopServices, QDragEnterEvent, QDropEvent
from qtpy.QtTest import QTest
from qtpy.QtWidgets import QAbstractButton, QApplication, QComboBox, QFileDialog, QLineEdit, QToolButton

from napari_latent_explorer._qt.job_strip import QtJobStrip
from napari_latent_explorer._qt.main_thread import QtMainThreadDispatch
from napari_latent_explorer._qt.study_builder_columns import HEADERS, KEEP, KIND, NAME, UNIT
from napari_latent_explorer._qt.study_builder_dock import ASIDE, COLUMNS, PEOPLE, QtStudyBuilderDock
from napari_latent_explorer._qt.theme import LIGHT
from napari_latent_explorer.data.progress import Progress
from napari_latent_explorer.session import study_building
from napari_latent_explorer.session.study_building import StudyBuilding

LEFT = Qt.MouseButton.LeftButton
N_PEOPLE = 250


@dataclass
class BuiltStudy:
    path: Path
    name: str = "Mine"


@dataclass
class Result:
    study: BuiltStudy
    report: Path
    counts: dict[str, int]


@pytest.fixture
def folder(tmp_path):
    """Lay out 250 participants, a table with a 40-letter name and twelve wards, and files that nobody wants."""
    for name in ("cine", "ecg"):
        (tmp_path / name).mkdir()
    wards = [f"Ward {letter}" for letter in "ABCDEFGHIJKL"]
    lines = ["eid,31-0.0,21003-2.0,left_ventricular_mass_index_to_height_g,ward,remark"]
    for number in range(N_PEOPLE):
        eid = 1_000_001 + number
        (tmp_path / "ecg" / f"{eid}_20205_2_0.xml").touch()
        if number > 9:
            (tmp_path / "cine" / f"{eid}_20208_2_0.zip").touch()
        lines.append(f"{eid},{number % 2},{50 + number % 30},{40.5 + number},{wards[number % 12]},seen on day {number}")
    lines.append("7000001,0,55,60.5,Ward A,no recording")
    (tmp_path / "cine" / "notes.txt").touch()
    (tmp_path / "ecg" / "9999999_20205_2_0.xml").touch()
    (tmp_path / "table.csv").write_text("\n".join(lines))
    return tmp_path


@pytest.fixture
def building(qtbot):
    dispatch = QtMainThreadDispatch()
    building = StudyBuilding(dispatch)
    yield building
    dispatch.close()
    building.close()
    dispatch.deleteLater()


@pytest.fixture
def dock(qtbot, building):
    dock = QtStudyBuilderDock(building)
    qtbot.addWidget(dock)
    dock.resize(420, 720)
    dock.show()
    QTest.qWait(20)
    return dock


@pytest.fixture
def settle(qtbot, building):
    def wait():
        qtbot.waitUntil(lambda: not building.jobs.running, timeout=30_000)
        QTest.qWait(20)

    return wait


@pytest.fixture
def filled(dock, folder, settle):
    dock.form.table.choose(folder / "table.csv")
    dock.form.cine.choose(folder / "cine")
    dock.form.ecg.choose(folder / "ecg")
    settle()
    return dock


def cell(dock, name, fact):
    model = dock.columns.model
    for row in range(model.rowCount()):
        if model.column_at(model.index(row, 0))[1].name == name:
            return model.index(row, fact)
    raise LookupError(name)


def column(dock, name):
    return dock.columns.model.column_at(cell(dock, name, NAME))[1]


def test_nothing_given_says_what_to_do_and_cannot_be_built(dock):
    assert "Choose a folder of cines, of ECGs, or both." in dock.todo.text()
    assert not dock.build.isEnabled()
    assert dock.open_study.isHidden()
    assert dock.form._rows.isRowVisible(dock.form.id_column) is False


def test_counts_say_who_was_found(filled):
    assert filled.summary.text() == "250 participants: 240 with a cine, 250 with an ECG, 240 with both"
    assert filled.tabs.tabText(PEOPLE) == "People 250"
    assert filled.tabs.tabText(ASIDE) == "Left aside 2"
    assert filled.form.id_column.currentText() == "eid"


def test_the_first_people_are_shown_with_their_files(filled):
    model = filled.people.model
    assert model.rowCount() == 200
    assert "first 200 of 250" in filled.people.words.text()
    shown = [model.index(0, fact).data() for fact in range(model.columnCount())]
    assert shown == ["1000001", "—", "1000001_20205_2_0.xml", "—"]
    assert str(Path("ecg") / "1000001_20205_2_0.xml") in model.index(0, 2).data(Qt.ItemDataRole.ToolTipRole)


def test_files_left_aside_stand_under_their_reason(filled):
    tree = filled.aside.tree
    reasons = [tree.topLevelItem(row) for row in range(tree.topLevelItemCount())]
    files = {reason.child(place).text(0) for reason in reasons for place in range(reason.childCount())}
    assert files == {"notes.txt", "9999999_20205_2_0.xml"}
    assert "1 of the table without any recording, e.g. 7000001." in filled.aside.words.text()


def test_a_click_keeps_a_column_or_not(filled):
    filled.tabs.setCurrentIndex(COLUMNS)
    index = cell(filled, "ward", KEEP)
    assert index.data(Qt.ItemDataRole.CheckStateRole) == Qt.CheckState.Checked
    rect = filled.columns.view.visualRect(index)
    QTest.mouseClick(filled.columns.view.viewport(), LEFT, pos=QPoint(rect.left() + 12, rect.center().y()))
    assert not column(filled, "ward").is_kept
    filled.columns.view.setCurrentIndex(index)
    QTest.keyClick(filled.columns.view, Qt.Key.Key_Space)
    assert column(filled, "ward").is_kept
    assert not cell(filled, "remark", KEEP).flags() & Qt.ItemFlag.ItemIsUserCheckable  # a text is no phenotype


def test_a_unit_is_typed_into_the_table(filled):
    filled.tabs.setCurrentIndex(COLUMNS)
    name = "left_ventricular_mass_index_to_height_g"
    index = cell(filled, name, UNIT)
    filled.columns.view.setCurrentIndex(index)
    filled.columns.view.edit(index)
    editor = filled.columns.view.viewport().findChild(QLineEdit)
    editor.selectAll()
    QTest.keyClicks(editor, "g/m")
    QTest.keyClick(editor, Qt.Key.Key_Return)
    QTest.qWait(20)
    assert column(filled, name).unit == "g/m"
    assert not cell(filled, "ward", UNIT).flags() & Qt.ItemFlag.ItemIsEditable


def test_a_kind_is_chosen_from_a_list(filled, settle):
    filled.tabs.setCurrentIndex(COLUMNS)
    age = next(one.name for one in filled._building.table.columns if "21003-2.0" in one.sources)
    index = cell(filled, age, KIND)
    filled.columns.view.edit(index)
    combo = filled.columns.view.viewport().findChild(QComboBox)
    combo.setCurrentText("categorical")
    combo.activated.emit(combo.currentIndex())
    settle()
    assert column(filled, age).kind == "categorical"
    assert len(column(filled, age).categories) == 30


def test_a_kind_that_does_not_fit_is_said_in_the_row_and_the_column_stays_as_it_was(filled, folder, settle):
    filled.form.output.choose(folder / "out")
    filled.columns.view.setCurrentIndex(cell(filled, "ward", NAME))
    detail = filled.columns.detail
    detail.kind.setCurrentText("binary")
    detail.kind.activated.emit(detail.kind.currentIndex())
    settle()
    assert "12 different values" in detail.problem.text()
    assert "12 different values" in cell(filled, "ward", NAME).data(Qt.ItemDataRole.ToolTipRole)
    assert detail.kind.currentText() == column(filled, "ward").kind == "categorical"
    assert filled.build.isEnabled()
    detail.unit.setText("")
    filled.columns.model.setData(cell(filled, "ward", KEEP), Qt.CheckState.Unchecked, Qt.ItemDataRole.CheckStateRole)
    assert detail.problem.isHidden()


def test_a_folder_that_is_not_there_forbids_the_build(filled, folder, settle):
    filled.form.output.choose(folder / "out")
    filled.form.labels.choose(folder / "nowhere")
    settle()
    assert f"There is no folder {folder / 'nowhere'}." in filled.todo.text()
    assert not filled.build.isEnabled()
    filled.form.labels.choose(None)
    settle()
    assert filled.build.isEnabled()


def test_categories_are_renamed_and_moved_and_values_taken_for_missing(filled, settle):
    filled.columns.view.setCurrentIndex(cell(filled, "ward", NAME))
    detail = filled.columns.detail
    assert detail.categories.labels()[:2] == ("Ward A", "Ward B")
    detail.categories.item(0).setText("Cardiology")
    settle()
    assert column(filled, "ward").categories[:2] == ("Cardiology", "Ward B")
    assert ("Ward A", "Cardiology") in column(filled, "ward").codes
    moved = detail.categories.takeItem(0)
    detail.categories.insertItem(2, moved)
    detail.categories.reordered.emit()
    settle()
    assert column(filled, "ward").categories[:3] == ("Ward B", "Ward C", "Cardiology")
    detail.missing_codes.setText("Ward L | Ward A")
    detail.missing_codes.editingFinished.emit()
    settle()
    assert filled._building.table.problems == {}
    assert column(filled, "ward").missing_codes == ("Ward L", "Ward A")
    assert column(filled, "ward").categories[-1] == "Ward K"
    assert "Cardiology" not in column(filled, "ward").categories
    assert column(filled, "ward").n_missing == 41 + 1  # 20 of L, 21 of A, and A's row without a recording


def test_thousands_of_columns_are_searched_without_a_pause(dock, building, tmp_path, settle, qtbot):
    names = [f"measure_{number}_mm" for number in range(1500)]
    rows = [",".join([str(row), *[str(row * 1.5)] * len(names)]) for row in range(3)]
    (tmp_path / "wide.csv").write_text("\n".join(["id," + ",".join(names), *rows]))
    dock.tabs.setCurrentIndex(COLUMNS)
    dock.form.table.choose(tmp_path / "wide.csv")
    qtbot.waitUntil(lambda: not building.jobs.running, timeout=60_000)
    assert dock.columns.model.rowCount() == 1500
    QTest.keyClicks(dock.columns.search, "e_49")
    assert dock.columns.model.rowCount() == 11
    QTest.keyClicks(dock.columns.search, "nothing")
    assert dock.columns.model.rowCount() == 0
    assert dock.columns.detail.isHidden()


def drop(field, path):
    mime = QMimeData()
    mime.setUrls([QUrl.fromLocalFile(str(path))])
    copy, none = Qt.DropAction.CopyAction, Qt.KeyboardModifier.NoModifier
    enters = QDragEnterEvent(QPoint(5, 5), copy, mime, LEFT, none)
    QApplication.sendEvent(field.line, enters)
    if enters.isAccepted():
        QApplication.sendEvent(field.line, QDropEvent(QPointF(5, 5), copy, mime, LEFT, none))
    return enters.isAccepted()


def test_files_and_folders_are_dropped_where_they_belong(dock, folder, settle):
    assert not drop(dock.form.cine, folder / "table.csv")
    assert not drop(dock.form.table, folder / "cine")
    assert drop(dock.form.table, folder / "table.csv")
    assert drop(dock.form.cine, folder / "cine")
    settle()
    assert dock._building.form.table == folder / "table.csv"
    assert dock._building.form.cine == folder / "cine"


def test_paths_are_typed_chosen_and_cleared(dock, folder, settle, monkeypatch):
    QTest.keyClicks(dock.form.ecg.line, str(folder / "nowhere"))
    QTest.keyClick(dock.form.ecg.line, Qt.Key.Key_Return)
    assert "There is no folder" in dock.form.ecg.line.toolTip()
    monkeypatch.setattr(QFileDialog, "getExistingDirectory", lambda *_: str(folder / "ecg"))
    QTest.mouseClick(dock.form.ecg.button, LEFT)
    settle()
    assert dock._building.form.ecg == folder / "ecg"
    assert dock.form.ecg.problem == ""
    dock.form.ecg.line.clear()
    settle()
    assert dock._building.form.ecg is None
    assert dock._building.plan is None


@pytest.fixture
def building_slowly(monkeypatch, folder):
    """Make a build of three steps that waits to be let go on."""
    go_on, begun = threading.Event(), []

    def build_study(plan: Any) -> Any:
        begun.append(plan)
        for done in range(3):
            yield Progress(done, 3, f"participant {done + 1} of 3")
            go_on.wait(10.0)
        study = BuiltStudy(plan.config.output)
        return Result(study, plan.config.output / "report.html", {"used": 490, "skipped": 2, "failed": 1})

    monkeypatch.setattr(study_building, "build_study", build_study)
    return go_on, begun


def test_building_shows_progress_then_study_and_report(filled, folder, building_slowly, qtbot, settle, monkeypatch):
    go_on, _ = building_slowly
    opened, asked = [], []
    monkeypatch.setattr(QDesktopServices, "openUrl", lambda url: opened.append(url.toLocalFile()))
    filled.open_requested.connect(asked.append)
    filled.form.output.choose(folder / "out")
    QTest.mouseClick(filled.build, LEFT)
    strip = filled.findChild(QtJobStrip)
    qtbot.waitUntil(lambda: "participant 1 of 3" in strip._label.text(), timeout=10_000)
    assert not filled.build.isEnabled()
    go_on.set()
    settle()
    assert filled.summary.text() == "Mine is built. Files: 490 used, 2 skipped, 1 failed."
    QTest.mouseClick(filled.open_study, LEFT)
    QTest.mouseClick(filled.show_report, LEFT)
    assert asked == [folder / "out"]
    assert [Path(path) for path in opened] == [folder / "out" / "report.html"]


def test_a_build_is_cancelled_and_begun_again(filled, folder, building_slowly, qtbot, settle):
    go_on, begun = building_slowly
    filled.form.output.choose(folder / "out")
    QTest.mouseClick(filled.build, LEFT)
    qtbot.waitUntil(lambda: len(begun) == 1, timeout=10_000)
    QTest.mouseClick(filled.findChild(QtJobStrip).findChild(QToolButton), LEFT)
    go_on.set()
    settle()
    assert filled.open_study.isHidden()
    assert filled.build.isEnabled()
    QTest.mouseClick(filled.build, LEFT)
    settle()
    assert len(begun) == 2
    assert not filled.open_study.isHidden()


def test_every_control_says_what_it_is_and_can_be_reached_by_key(filled):
    for kind in (QAbstractButton, QComboBox, QLineEdit):
        for control in filled.findChildren(kind):
            if control.objectName().startswith("qt_") or isinstance(control.parent(), QComboBox):
                continue
            if type(control.parent()).__name__ in ("QTabBar", "_PathLine", "QLineEdit", "QHeaderView", "QTableView"):
                continue  # parts of Qt's own controls
            words = control.accessibleName() or getattr(control, "text", str)()
            assert words, control
            assert control.toolTip() or isinstance(control.parent(), QtJobStrip), words
            assert control.focusPolicy() & Qt.FocusPolicy.TabFocus or isinstance(control, QToolButton), words


def test_it_is_drawn_in_both_themes_and_in_a_small_window(filled):
    filled.resize(330, 480)
    for page in range(4):
        filled.tabs.setCurrentIndex(page)
        QTest.qWait(10)
        assert filled.grab().width() <= 340
    filled.set_theme(LIGHT)
    filled.grab()
    assert len(HEADERS) == filled.columns.model.columnCount()
