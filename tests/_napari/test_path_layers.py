"""The hearts at both ends of a path: where they are, of whom, and when they go."""

import numpy as np
import pytest

from napari_latent_explorer._napari.explorers import session_of
from napari_latent_explorer.session.path_choice import PathEnd

SMALL, LARGE = PathEnd("group", "Small"), PathEnd("group", "Large")
NAMES = ("path start", "path start labels", "path end", "path end labels")


@pytest.fixture
def rest(viewer, explorer, settle, qtbot):
    """Wait until the layers are as they are to be."""

    def wait() -> None:
        settle(explorer)
        qtbot.waitUntil(lambda: not session_of(viewer).path_layers.is_busy, timeout=20_000)

    return wait


@pytest.fixture
def gone(explorer, rest):
    """Go half of the way from the people with small hearts to those with large ones."""
    order = np.argsort(explorer.cohort.values("lvm"))
    ids = explorer.cohort.participant_ids
    explorer.create_group("Small", ids[order[:20]].tolist())
    explorer.create_group("Large", ids[order[-20:]].tolist())
    rest()
    explorer.set_path(SMALL, LARGE, share=0.5)
    rest()
    return explorer


def test_the_ends_are_left_and_right_of_the_heart_between(viewer, gone):
    start, here, end = (viewer.layers[name] for name in ("path start", "reconstruction", "path end"))
    width_mm = here.data.shape[-1] * here.scale[-1]
    assert start.translate[-1] + width_mm < here.translate[-1]
    assert here.translate[-1] + width_mm < end.translate[-1]
    for end_layer in (start, end):
        np.testing.assert_allclose(end_layer.scale, here.scale)
        assert end_layer.translate[1] == here.translate[1]
        assert end_layer.contrast_limits == here.contrast_limits
    sizes = [
        np.count_nonzero(viewer.layers[f"{name} labels"].data) for name in ("path start", "reconstruction", "path end")
    ]
    assert sizes == sorted(sizes)
    assert sizes[0] < sizes[2]


def test_words_over_them_say_whose_they_are_and_how_heavy(viewer, gone):
    film = session_of(viewer).survey.film
    words = [str(text) for text in viewer.layers["captions"].text.values]
    for name, mass_g in (("Small", film.measured("lvm")[0]), ("Large", film.measured("lvm")[-1])):
        assert f"{name}\nLV mass {mass_g:.0f} g" in words


def test_a_move_along_the_path_leaves_them_and_their_words_alone(viewer, gone, rest, monkeypatch):
    data = [viewer.layers[name].data for name in NAMES]
    written = []
    monkeypatch.setattr(session_of(viewer).layers.captions, "_draw", lambda: written.append("again"))
    gone.move_on_path(0.8)
    rest()
    assert all(viewer.layers[name].data is one for name, one in zip(NAMES, data, strict=True))
    assert written == []


def test_they_go_with_the_path_and_come_again_with_undo(viewer, gone, rest):
    before = viewer.scene.camera.zoom
    gone.probe.move(0, 2.0)
    rest()
    assert [viewer.layers[name].visible for name in NAMES] == [False] * 4
    assert viewer.scene.camera.zoom > before
    gone.undo()
    rest()
    assert [viewer.layers[name].visible for name in NAMES] == [True] * 4
    gone.clear_path()
    rest()
    assert not viewer.layers["path end"].visible
    assert len(viewer.layers["captions"].data) == 1


def test_turned_round_they_change_places(viewer, gone, rest):
    start, end = (viewer.layers[name].data.copy() for name in ("path start", "path end"))
    gone.set_path(LARGE, SMALL)
    rest()
    np.testing.assert_array_equal(viewer.layers["path start"].data, end)
    np.testing.assert_array_equal(viewer.layers["path end"].data, start)


def test_a_camera_that_the_user_has_moved_stays(viewer, gone, rest):
    viewer.scene.camera.zoom *= 1.5
    zoom = viewer.scene.camera.zoom
    gone.clear_path()
    rest()
    assert viewer.scene.camera.zoom == zoom


def test_a_removed_end_stays_away_until_another_path_is_chosen(viewer, gone, rest):
    viewer.layers.remove("path end")
    gone.move_on_path(0.1)
    gone.set_path(SMALL, LARGE, "spherical")
    rest()
    assert "path end" not in viewer.layers
    gone.set_path(LARGE, SMALL)
    rest()
    assert viewer.layers["path end"].visible


def test_an_original_beside_the_heart_is_not_covered(viewer, gone, rest):
    who = gone.groups[0].representative.participant_id
    gone.show_participant(who)
    rest()
    original, start = viewer.layers["original"], viewer.layers["path start"]
    assert original.visible
    assert start.translate[-1] + start.data.shape[-1] * start.scale[-1] <= original.translate[-1]
    width_mm = viewer.canvas.size[1] / viewer.scene.camera.zoom
    assert viewer.scene.camera.center[-1] - width_mm / 2 < start.translate[-1]  # all of it is in view


def test_the_hearts_of_the_strip_go_with_the_time_slider(viewer, gone, rest):
    _, dock = viewer.window.add_plugin_dock_widget("napari-latent-explorer", "Path")
    viewer.dims.set_current_step(viewer.dims.ndim - 3, 25)
    rest()
    assert dock.strip._phase == pytest.approx(0.5)
