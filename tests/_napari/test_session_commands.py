"""Sessions in a window: the palette's commands, automatic saving, and what the next window finds."""

import pytest
from qtpy.QtWidgets import QFileDialog

from napari_latent_explorer._napari import session_commands
from napari_latent_explorer._napari.explorers import session_of
from napari_latent_explorer._napari.widgets import CohortWidget
from napari_latent_explorer.errors import StudyError
from napari_latent_explorer.session.session_file import read_session

pytestmark = pytest.mark.gui


def test_the_palettes_commands_act_on_the_current_viewer(explorer, settle, monkeypatch, tmp_path):
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda parent, title, name, kind: (str(tmp_path / name), kind))
    monkeypatch.setattr(QFileDialog, "getOpenFileName", lambda *_: (str(tmp_path / "session.json"), ""))
    explorer.set_color_by("age")
    session_commands.undo()
    assert explorer.color_by is None
    session_commands.redo()
    assert explorer.color_by == "age"
    session_commands.save_session()
    session_commands.save_script()
    session_commands.export_participants()
    settle(explorer)
    assert {path.name for path in tmp_path.glob("*.*")} == {"session.json", "session.py", "participants.csv"}
    explorer.set_color_by(None)
    session_commands.open_session()
    settle(explorer)
    assert explorer.color_by == "age"


def test_without_a_study_they_say_so(viewer):
    session_of(viewer)
    with pytest.raises(StudyError, match="No study is open"):
        session_commands.undo()


def sessions(tmp_path):
    return sorted((tmp_path / "state").glob("sessions/*/auto-*.json"))


def test_the_session_is_written_when_its_user_rests(viewer, explorer, tmp_path, qtbot):
    explorer.set_color_by("age")
    assert sessions(tmp_path) == []
    qtbot.waitUntil(lambda: bool(sessions(tmp_path)), timeout=10_000)
    assert read_session(sessions(tmp_path)[0], explorer.state).state.color_by == "age"


def test_closing_writes_what_is_left_and_the_next_window_finds_it(
    viewer, explorer, shapes_study, shapes_bundle, settle, tmp_path, make_napari_viewer_proxy
):
    explorer.set_color_by("age")
    session_of(viewer).close()
    (file,) = sessions(tmp_path)
    other = make_napari_viewer_proxy()
    session = session_of(other)
    session.explorer.open(shapes_study, shapes_bundle)
    session.explorer.jobs.cancel_all()
    settle(session.explorer)
    dock = CohortWidget(other)
    dock.history.fill_menu()
    first = dock.history.menu.actions()[0]
    assert first.text() == "Open last session"
    assert first.toolTip() == str(file)
    first.trigger()
    settle(session.explorer)
    assert session.explorer.color_by == "age"
    dock.close()
    dock.deleteLater()
