import pytest
from memory_study import LinearBundle, make_study

from napari_latent_explorer.errors import StudyError
from napari_latent_explorer.session import session_file
from napari_latent_explorer.session.session_file import read_session
from napari_latent_explorer.session.session_keeper import SessionKeeper


@pytest.fixture
def keeper(explorer, study, tmp_path, monkeypatch):
    monkeypatch.setattr(session_file, "user_state_path", lambda *_, **__: tmp_path / "state")
    study.path = tmp_path / "study"
    keeper = SessionKeeper(explorer)
    yield keeper
    keeper.close()


def sessions(tmp_path):
    return sorted((tmp_path / "study").glob("sessions/*.json"))


def test_nothing_is_written_before_anything_was_done(keeper, tmp_path) -> None:
    keeper.save()
    keeper.close()
    assert sessions(tmp_path) == []


def test_what_was_done_is_written_and_only_this_runs_file_is_replaced(keeper, explorer, tmp_path) -> None:
    told = []
    keeper.changed.connect(lambda: told.append(True))
    for color in ("age", "sex"):
        explorer.set_color_by(color)
        assert not keeper.is_saved
        keeper.save()
        assert keeper.is_saved
        assert keeper.wait(20.0)
    assert len(told) == 2
    (file,) = sessions(tmp_path)
    assert read_session(file, explorer.state).state.color_by == "sex"
    assert keeper.last_session() is None  # its own is not the last one


def test_closing_writes_what_is_left(keeper, explorer, tmp_path) -> None:
    explorer.probe.move(0, 4.0)
    keeper.close()
    (file,) = sessions(tmp_path)
    assert read_session(file, explorer.state).probe.vector[0] == 4.0


def test_another_window_finds_it_and_writes_its_own(keeper, explorer, tmp_path) -> None:
    explorer.set_color_by("age")
    keeper.save()
    assert keeper.wait(20.0)
    other = SessionKeeper(explorer)
    assert other.last_session() == sessions(tmp_path)[0]
    explorer.set_color_by("sex")
    other.close()
    colors = {read_session(file, explorer.state).state.color_by for file in sessions(tmp_path)}
    assert colors == {"age", "sex"}


def test_opening_another_study_writes_the_session_of_the_former(keeper, explorer, study, tmp_path) -> None:
    explorer.set_color_by("age")
    former = explorer.state
    explorer.open(make_study(12), LinearBundle())
    explorer.jobs.cancel_all()
    assert keeper.wait(20.0)
    (file,) = sessions(tmp_path)
    assert read_session(file, former).state.color_by == "age"


def test_a_failure_is_told_once(keeper, explorer, study, tmp_path) -> None:
    (tmp_path / "study").write_text("in the way")
    (tmp_path / "state").write_text("in the way")
    failures = []
    keeper.failed.connect(failures.append)
    for color in ("age", "sex"):
        explorer.set_color_by(color)
        keeper.save()
        assert keeper.wait(20.0)
    assert len(failures) == 1
    assert isinstance(failures[0], StudyError)
