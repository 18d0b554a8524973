"""Undo, redo, sessions, scripts and exports by hand."""

import pandas as pd
import pytest
from qtpy.QtCore import QPoint, Qt
from qtpy.QtTest import QTest
from qtpy.QtWidgets import QFileDialog, QLineEdit, QVBoxLayout, QWidget

from napari_latent_explorer._qt.history_bar import QtHistoryBar
from napari_latent_explorer._qt.probe_dock import QtProbeDock
from napari_latent_explorer._qt.theme import LIGHT
from napari_latent_explorer.session.direction_walk import DirectionWalk

LEFT = Qt.MouseButton.LeftButton
CONTROL, SHIFT = Qt.KeyboardModifier.ControlModifier, Qt.KeyboardModifier.ShiftModifier


@pytest.fixture
def dock(qtbot, explorer):
    """Stand for a dock with the bar, a text field and a place for the focus."""
    dock = QWidget()
    qtbot.addWidget(dock)
    dock.bar = QtHistoryBar(explorer, dock)
    dock.field = QLineEdit(dock)
    dock.place = QWidget(dock)
    dock.place.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
    layout = QVBoxLayout(dock)
    for widget in (dock.bar, dock.field, dock.place):
        layout.addWidget(widget)
    dock.resize(300, 200)
    dock.show()
    qtbot.waitExposed(dock)
    dock.activateWindow()
    dock.place.setFocus()
    qtbot.waitUntil(dock.place.hasFocus)
    return dock


@pytest.fixture
def chosen(monkeypatch, tmp_path):
    """Make file dialogs answer with a path at once; what they were asked is kept."""
    asked = []

    def answer(parent, title, name, kind):
        asked.append(title)
        return str(tmp_path / name) if name else str(tmp_path / "session.json"), kind

    monkeypatch.setattr(QFileDialog, "getSaveFileName", answer)
    monkeypatch.setattr(QFileDialog, "getOpenFileName", answer)
    return asked


def click_entry(dock, *path: str) -> None:
    """Open the menu, and its menus, and click the entry whose words begin so."""
    dock.bar.fill_menu()
    menu = dock.bar.menu
    menu.popup(dock.mapToGlobal(QPoint(0, 0)))
    for words in path:
        action = next(action for action in menu.actions() if action.text().startswith(words))
        inside = menu.actionGeometry(action).center()
        if action.menu() is not None:
            menu.setActiveAction(action)
            menu = action.menu()
            menu.popup(dock.mapToGlobal(QPoint(0, 0)))
        else:
            QTest.mouseClick(menu, LEFT, pos=inside)


def test_the_arrows_name_the_step_and_take_it(dock, explorer):
    bar = dock.bar
    assert not bar.undo.isEnabled()
    assert bar.undo.toolTip() == "Nothing to undo  [Ctrl+Z]"
    explorer.set_color_by("age")
    assert bar.undo.toolTip() == "Undo: Colour by Age  [Ctrl+Z]"
    QTest.mouseClick(bar.undo, LEFT)
    assert explorer.color_by is None
    assert not bar.undo.isEnabled()
    assert bar.redo.toolTip() == "Redo: Colour by Age  [Ctrl+Shift+Z]"
    QTest.mouseClick(bar.redo, LEFT)
    assert explorer.color_by == "age"


def test_a_name_in_a_tool_tip_is_no_markup(dock, explorer):
    explorer.create_group("<img src=x>", explorer.cohort.participant_ids[:3].tolist())
    assert "&lt;img src=x&gt;" in dock.bar.undo.toolTip()


def test_the_keys_undo_inside_the_dock_and_leave_text_fields_their_own(dock, explorer):
    explorer.set_color_by("age")
    QTest.keyClick(dock.place, Qt.Key.Key_Z, CONTROL)
    assert explorer.color_by is None
    QTest.keyClick(dock.place, Qt.Key.Key_Z, CONTROL | SHIFT)
    assert explorer.color_by == "age"
    dock.field.setFocus()
    QTest.keyClicks(dock.field, "lvm")
    QTest.keyClick(dock.field, Qt.Key.Key_Z, CONTROL)
    assert dock.field.text() == ""
    assert explorer.color_by == "age"


def test_a_session_is_saved_and_opened_again(dock, explorer, chosen, tmp_path, qtbot):
    explorer.set_color_by("age")
    click_entry(dock, "Save session as")
    qtbot.waitUntil(lambda: not explorer.jobs.running)
    assert (tmp_path / "session.json").is_file()
    explorer.set_color_by(None)
    click_entry(dock, "Open session")
    qtbot.waitUntil(lambda: explorer.color_by == "age")
    assert chosen == ["Save session as", "Open session"]


def test_the_last_session_is_offered_when_there_is_one(dock, explorer, tmp_path, qtbot):
    dock.bar.fill_menu()
    assert not any(action.text() == "Open last session" for action in dock.bar.menu.actions())
    explorer.set_color_by("age")
    explorer.save_session(tmp_path / "last.json")
    qtbot.waitUntil(lambda: not explorer.jobs.running)
    explorer.undo()
    dock.bar.set_last_session(lambda: tmp_path / "last.json")
    click_entry(dock, "Open last session")
    qtbot.waitUntil(lambda: explorer.color_by == "age")


def test_what_was_done_is_written_as_a_script(dock, explorer, chosen, tmp_path):
    explorer.set_color_by("age")
    click_entry(dock, "Save as script")
    assert "explorer.set_color_by('age')" in (tmp_path / "session.py").read_text()


@pytest.mark.parametrize("has_ids", [False, True], ids=["without ids", "with ids"])
def test_the_selected_are_exported_with_ids_only_when_asked(dock, explorer, chosen, tmp_path, qtbot, has_ids):
    explorer.select(explorer.cohort.participant_ids[:9].tolist())
    if has_ids:
        click_entry(dock, "Export participants", "With participant ids")
        assert dock.bar.has_ids.isChecked()
    click_entry(dock, "Export participants", "Selected (9)")
    qtbot.waitUntil(lambda: not explorer.jobs.running)
    table = pd.read_csv(tmp_path / "participants.csv", comment="#")
    assert len(table) == 9
    assert ("participant_id" in table.columns) == has_ids


def test_a_group_can_be_exported_and_an_empty_selection_not(dock, explorer, chosen, tmp_path, qtbot):
    explorer.create_group("R & D", explorer.cohort.participant_ids[:4].tolist())
    click_entry(dock, "Export participants", "R && D (4)")
    qtbot.waitUntil(lambda: not explorer.jobs.running)
    assert len(pd.read_csv(tmp_path / "participants.csv", comment="#")) == 4
    exports = next(action.menu() for action in dock.bar.menu.actions() if action.menu() is not None)
    assert not next(action for action in exports.actions() if action.text().startswith("Selected")).isEnabled()


def test_nothing_is_written_when_the_dialog_is_left(dock, explorer, monkeypatch, tmp_path):
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_: ("", ""))
    monkeypatch.setattr(QFileDialog, "getOpenFileName", lambda *_: ("", ""))
    for entry in ("Save session as", "Open session", "Save as script"):
        click_entry(dock, entry)
    assert not explorer.jobs.running
    assert list(tmp_path.iterdir()) == []


def test_what_goes_wrong_is_told(dock, explorer, monkeypatch, tmp_path, qtbot):
    failures = []
    explorer.failed.connect(failures.append)
    (tmp_path / "file").write_text("in the way")
    place = str(tmp_path / "file" / "session")
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_: (place, ""))
    click_entry(dock, "Save as script")
    click_entry(dock, "Save session as")
    qtbot.waitUntil(lambda: len(failures) == 2)
    assert all("Cannot write" in str(failure) for failure in failures)


def test_without_a_study_there_is_nothing_to_keep(qtbot, empty_explorer):
    dock = QWidget()
    qtbot.addWidget(dock)
    bar = QtHistoryBar(empty_explorer, dock)
    bar.set_theme(LIGHT)
    assert bar.isHidden()


def test_dragging_a_dot_is_one_step(qtbot, explorer):
    dock = QtProbeDock(explorer, DirectionWalk(explorer))
    qtbot.addWidget(dock)
    dock.resize(420, 400)
    dock.show()
    view = dock.dimensions.dots.viewport()
    at = QPoint(150, 30)
    QTest.mousePress(view, LEFT, pos=at)
    for x in (170, 190, 210):
        QTest.mouseMove(view, QPoint(x, 30))
        QTest.qWait(5)
    QTest.mouseRelease(view, LEFT, pos=QPoint(210, 30))
    assert explorer.undo_text == "Move latent dimension 0"
    explorer.undo()
    assert not explorer.can_undo
    assert len(explorer.probe.moved_dims) == 0
    QTest.mouseClick(view, LEFT, pos=at)  # without a move it is no step
    assert not explorer.can_undo
