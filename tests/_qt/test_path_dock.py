"""The path dock: ends, slider, play, hearts on the way, curves, and the movie."""

import imageio.v3 as imageio
import imageio_ffmpeg
import numpy as np
import pytest
from qtpy.QtCore import QPointF, Qt
from qtpy.QtWidgets import QFileDialog

from napari_latent_explorer._qt import path_movie
from napari_latent_explorer._qt.path_curves import limits_of
from napari_latent_explorer._qt.path_dock import AWAY, NOTHING, READY, SAVE, QtPathDock
from napari_latent_explorer._qt.path_end_box import HERE
from napari_latent_explorer._qt.theme import LIGHT
from napari_latent_explorer.data.progress import finish
from napari_latent_explorer.errors import StudyError
from napari_latent_explorer.session.path_choice import PathEnd

SMALL, LARGE = PathEnd("group", "Small"), PathEnd("group", "Large")


def settle(explorer, qtbot):
    qtbot.waitUntil(lambda: not explorer.jobs.running and explorer.decode.is_idle, timeout=20_000)


@pytest.fixture
def dock(explorer, qtbot) -> QtPathDock:
    """Open the dock with two groups: those with small and with large hearts."""
    explorer.fit_predictors()
    order = np.argsort(explorer.cohort.values("lvm"))
    ids = explorer.cohort.participant_ids
    explorer.create_group("Small", ids[order[:20]].tolist())
    explorer.create_group("Large", ids[order[-20:]].tolist())
    settle(explorer, qtbot)
    dock = QtPathDock(explorer)
    qtbot.addWidget(dock)
    dock.resize(420, 640)
    dock.show()
    return dock


@pytest.fixture
def gone(dock, explorer, qtbot) -> QtPathDock:
    """Choose the path."""
    dock.go_to(0.0)
    settle(explorer, qtbot)
    return dock


def test_without_groups_it_says_what_is_needed(empty_explorer, qtbot):
    dock = QtPathDock(empty_explorer)
    qtbot.addWidget(dock)
    assert dock.note.text() == NOTHING
    assert not dock.slider.isEnabled()
    dock.go_to(0.5)
    assert empty_explorer.path.ends is None


def test_the_first_two_groups_are_proposed_and_the_slider_goes_between_them(dock, explorer, qtbot):
    assert (dock.start.currentText(), dock.end.currentText(), dock.note.text()) == ("Small", "Large", READY)
    dock.slider.setValue(500)
    assert explorer.path.ends == (SMALL, LARGE)
    small, large = (group.representative.vector for group in explorer.groups)
    np.testing.assert_allclose(explorer.probe.vector, (small + large) / 2, rtol=1e-6)
    assert (dock.place.text(), dock.note.text()) == ("50 %", "")


def test_the_place_stands_beside_the_kind_of_path(dock, qtbot):
    dock.resize(400, 600)
    dock.show()
    qtbot.waitExposed(dock)
    assert dock.slider.geometry().right() < dock.place.geometry().left()
    assert dock.place.geometry().right() < dock.kind.geometry().left()


def test_a_drag_is_one_step_and_undo_moves_the_slider_back(gone, explorer, qtbot):
    gone.slider.sliderPressed.emit()
    for value in (200, 400, 800):
        gone.slider.setValue(value)
    gone.slider.sliderReleased.emit()
    assert explorer.undo_text == "Go from Small to Large, 80 % of the way"
    explorer.undo()
    qtbot.waitUntil(lambda: (gone.slider.value(), gone.place.text()) == (0, "0 %"))
    explorer.redo()
    qtbot.waitUntil(lambda: gone.slider.value() == 800)


def test_the_path_is_turned_round_and_the_heart_stays(gone, explorer):
    gone.slider.setValue(300)
    before = explorer.probe.vector
    gone.swap.click()
    assert (gone.start.currentText(), gone.end.currentText(), gone.place.text()) == ("Large", "Small", "70 %")
    np.testing.assert_allclose(explorer.probe.vector, before, rtol=1e-5, atol=1e-6)


def test_round_about_the_mean(gone, explorer):
    gone.slider.setValue(500)
    gone.kind.setCurrentIndex(1)
    gone.kind.activated.emit(1)
    assert explorer.path.kind == "spherical"
    assert explorer.path_share == 0.5


def test_a_place_of_the_probe_becomes_an_end(gone, explorer):
    explorer.probe_mean()
    explorer.probe.move(0, 2.5)
    assert gone.note.text() == AWAY
    here = explorer.probe.vector
    index = gone.end.findText(HERE)
    gone.end.setCurrentIndex(index)
    gone.end.activated.emit(index)
    gone.go_to(1.0)
    np.testing.assert_array_equal(explorer.probe.vector, here)
    assert gone.end.currentText() == "mean of all participants, MRI, moved"


def test_who_chooses_the_other_end_turns_the_path_round(gone, explorer):
    index = gone.start.findText("Large")
    gone.start.setCurrentIndex(index)
    gone.start.activated.emit(index)
    assert explorer.path.ends == (LARGE, SMALL)


def test_play_goes_to_the_end_in_one_step_and_stops(gone, explorer, qtbot, monkeypatch):
    monkeypatch.setattr("napari_latent_explorer._qt.path_player.DURATION_S", 0.3)
    explorer.move_on_path(0.2)
    gone.play.click()
    qtbot.waitUntil(lambda: explorer.path_share == 1.0 and not gone.player.is_playing, timeout=20_000)
    explorer.undo()
    assert explorer.path_share == 0.2


def test_play_stops_when_somebody_else_moves_the_probe(gone, explorer, qtbot):
    gone.play.click()
    qtbot.waitUntil(lambda: (explorer.path_share or 0.0) > 0.0, timeout=20_000)
    explorer.probe.move(1, 3.0)
    qtbot.waitUntil(lambda: not gone.player.is_playing, timeout=20_000)
    assert explorer.probe.vector[1] == 3.0


def test_hearts_grow_along_the_strip_and_a_click_goes_there(gone, explorer, qtbot):
    masses_g = gone._survey.film.measured("lvm")
    assert masses_g[-1] > masses_g[0]
    still = gone.strip.stills[-2]
    qtbot.mouseClick(gone.strip, Qt.MouseButton.LeftButton, pos=gone.strip.place_of(still).center().toPoint())
    assert explorer.path_share == pytest.approx(gone._survey.film.shares[still])


def test_there_are_as_many_hearts_as_there_is_room_for(gone):
    for width, n_stills in ((1000, 9), (420, 5), (230, 3), (120, 2)):
        gone.strip.resize(width, 200)
        assert len(gone.strip.stills) == n_stills
        assert (gone.strip.stills[0], gone.strip.stills[-1]) == (0, 8)


def test_the_curve_of_most_change_comes_first_and_a_click_on_it_goes_there(gone, explorer, qtbot):
    curves = gone._survey.curves
    changes = np.abs(curves.values[-1, -1] - curves.values[0, -1]) / curves.spreads
    assert gone.curves.titles[0] == curves.targets[int(np.nanargmax(changes))].title
    area = gone.curves.area(0)
    x = gone.curves.x_of(0, 0.75)
    qtbot.mouseClick(gone.curves, Qt.MouseButton.LeftButton, pos=QPointF(x, area.center().y()).toPoint())
    assert explorer.path_share == pytest.approx(0.75, abs=0.01)


def test_a_chart_holds_all_that_it_shows(gone):
    curves, film = gone._survey.curves, gone._survey.film
    column = [spec.name for spec in curves.targets].index("lvm")
    low, high = limits_of(curves, column, film.measured("lvm"))
    assert low == min(
        curves.low[:, -1, column].min(), np.nanmin(film.measured("lvm")), curves.values[..., column].min()
    )
    assert high >= max(curves.high[:, -1, column].max(), np.nanmax(film.measured("lvm")))


def test_it_paints_in_both_themes_at_each_width(gone):
    pictures = []
    for width in (260, 420, 800):
        gone.resize(width, 640)
        pictures.append(gone.grab().toImage())
        gone.set_theme(LIGHT)
        assert gone.strip.grab().toImage() != pictures[-1]
    assert "95 %" in gone.legend.text()


# ---- movie


def requested(dock, walk_s=0.2):
    request = path_movie.path_movie_request(dock._explorer, dock._survey.curves, 800.0)
    return path_movie.PathMovieRequest(
        request.path, request.titles, request.shown, request.about, request.cycle_ms, request.decode, walk_s
    )


def frames_of(movie, n_frames):
    """Read the first frames; the last but one at most, for the reader leaves a pipe open when the program has ended."""
    reader = imageio_ffmpeg.read_frames(str(movie))
    width, height = next(reader)["size"]
    frames = [np.frombuffer(next(reader), np.uint8).reshape(height, width, 3) for _ in range(n_frames)]
    reader.close()
    return frames


def test_the_movie_goes_from_one_end_to_the_other_as_mp4(gone, tmp_path):
    goal = finish(path_movie.write_path_movie(tmp_path / "walk.mp4", requested(gone)))
    assert imageio_ffmpeg.count_frames_and_secs(str(goal)) == (55, 2.2)  # a second at each end, and 0.2 s on the way
    last = frames_of(goal, 54)[-1]
    start, middle, end = (last[100:360, left : left + 270].astype(int) for left in (30, 345, 660))
    assert np.abs(middle - end).mean() < 3.0 < np.abs(middle - start).mean()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["walk.mp4"]


def test_without_ffmpeg_it_is_a_gif(gone, tmp_path, monkeypatch):
    monkeypatch.setattr(path_movie, "has_ffmpeg", lambda: False)
    goal = finish(path_movie.write_path_movie(tmp_path / "walk.mp4", requested(gone)))
    assert goal.name == "walk.gif"
    assert imageio.imread(goal).shape[1:] == (363, 640, 3)


def test_a_movie_that_the_encoder_could_not_finish_gets_no_name(gone, tmp_path, monkeypatch):
    monkeypatch.setattr(imageio_ffmpeg, "count_frames_and_secs", lambda _: (7, 0.3))
    with pytest.raises(StudyError, match=r"Cannot write .*walk.mp4: the encoder wrote 7 of 55 pictures"):
        finish(path_movie.write_path_movie(tmp_path / "walk.mp4", requested(gone)))
    assert list(tmp_path.iterdir()) == []


def test_a_stopped_movie_leaves_nothing_behind(gone, tmp_path):
    work = path_movie.write_path_movie(tmp_path / "walk.mp4", requested(gone))
    for _ in range(3):
        next(work)
    assert [path.suffix for path in tmp_path.iterdir()] != []
    work.close()
    assert list(tmp_path.iterdir()) == []


def test_a_movie_names_no_participant(gone, explorer, qtbot):
    who = str(explorer.cohort.participant_ids[3])
    explorer.set_path(PathEnd("participant", who), LARGE)
    settle(explorer, qtbot)
    request = requested(gone)
    assert request.titles == ("a participant", "Large")
    assert who not in request.about


def test_the_button_saves_and_stops(gone, explorer, qtbot, tmp_path, monkeypatch):
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_: (str(tmp_path / "walk"), ""))
    gone.movie.click()
    qtbot.waitUntil(lambda: gone.movie.text().startswith("Stop"), timeout=20_000)
    gone.movie.click()
    qtbot.waitUntil(lambda: gone.movie.text() == SAVE, timeout=20_000)
    settle(explorer, qtbot)
    assert list(tmp_path.iterdir()) == []


def test_the_strip_is_saved_whole_and_names_no_participant(gone, explorer, qtbot, tmp_path, monkeypatch):
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_: (str(tmp_path / "strip.png"), ""))
    who, other = (str(one) for one in explorer.cohort.participant_ids[[3, 7]])
    pictures = []
    for start in (who, other):
        explorer.set_path(PathEnd("participant", start), LARGE)
        settle(explorer, qtbot)
        gone.movie.click()
        pictures.append(imageio.imread(tmp_path / "strip.png"))
    title = [picture[:24, :400] for picture in pictures]
    assert (title[0] < 128).any()
    np.testing.assert_array_equal(*title)
    assert pictures[0].shape[1] > 9 * 300


def test_a_dock_that_is_closed_while_it_plays_ends_its_step(gone, explorer, qtbot):
    dock = QtPathDock(explorer)
    dock.play.click()
    qtbot.waitUntil(lambda: (explorer.path_share or 0.0) > 0.0, timeout=20_000)
    ended: list[bool] = []
    dock.destroyed.connect(lambda: ended.append(True))
    dock.deleteLater()
    qtbot.waitUntil(lambda: bool(ended), timeout=5_000)
    assert not explorer.history.is_in_gesture
    assert explorer.undo_text.startswith("Go from Small to Large")
