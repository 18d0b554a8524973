"""What changed since the probe began, on the heart and beside it."""

from dataclasses import replace

import numpy as np
import pytest

from napari_latent_explorer._napari.change_layers import LIMITS_SD, difference_colormap
from napari_latent_explorer._napari.explorers import session_of
from napari_latent_explorer.session.change_choice import NO_CHANGE_SHOWN, ChangeChoice
from napari_latent_explorer.session.decode_service import DecodeOutcome
from napari_latent_explorer.session.path_choice import PathEnd

CHANGE, BEFORE, BEFORE_LABELS = "change (SD)", "before", "before labels"
DIFFERENCE, START, BOTH = ChangeChoice(True, False), ChangeChoice(False, True), ChangeChoice(True, True)


@pytest.fixture
def rest(viewer, explorer, settle, qtbot):
    """Wait until the layers are as they are to be."""
    session = session_of(viewer)

    def wait() -> None:
        for _ in range(2):  # layers may ask for the origin
            settle(explorer)
            qtbot.waitUntil(lambda: not session.change_layers.is_busy and not session.path_layers.is_busy)

    return wait


@pytest.fixture
def moved(explorer, rest):
    """Make the heart larger than where the probe began."""
    explorer.probe.set_origin(np.zeros(16, np.float32), "the middle")
    rest()
    explorer.probe.move(0, 3.0)
    rest()
    return explorer


def names_of(viewer):
    return {layer.name for layer in viewer.layers if layer.visible}


def test_nothing_is_shown_before_it_is_asked_for(viewer, moved):
    assert not names_of(viewer) & {CHANGE, BEFORE, BEFORE_LABELS}


def test_the_difference_is_now_less_before_over_the_heart(viewer, moved, rest, shapes_decoder, shapes_bundle):
    moved.show_change(DIFFERENCE)
    rest()
    layer, heart = viewer.layers[CHANGE], viewer.layers["reconstruction"]
    began, now = (shapes_decoder(shapes_bundle, vector).cine for vector in (moved.probe.origin, moved.probe.vector))
    np.testing.assert_array_equal(layer.data, now - began)
    assert set(np.unique(layer.data)) == {0.0, 2.0}  # a drawn heart has 1.5 where its surroundings have -0.5
    np.testing.assert_allclose(layer.extent.world, heart.extent.world)
    assert tuple(layer.contrast_limits) == LIMITS_SD
    assert viewer.layers.index(layer) > viewer.layers.index(heart)
    assert layer.colorbar.visible


def test_no_change_is_transparent_and_its_sign_has_a_hue_of_its_own():
    less, none, more = difference_colormap().map(np.array([0.0, 0.5, 1.0]))
    assert none[3] == 0.0
    assert less[3] == more[3] == 1.0
    assert less[2] > less[0]
    assert more[0] > more[2]


def test_each_move_gives_the_same_layer_other_data_with_the_same_limits(viewer, moved, rest):
    moved.show_change(DIFFERENCE)
    rest()
    layer = viewer.layers[CHANGE]
    moved.probe.move(0, -3.0)
    rest()
    assert viewer.layers[CHANGE] == layer
    assert set(np.unique(layer.data)) == {0.0, -2.0}
    assert tuple(layer.contrast_limits) == LIMITS_SD
    moved.probe.reset()
    rest()
    assert not layer.data.any()


def test_the_labels_are_outlines_while_the_difference_is_seen(viewer, moved, rest):
    labels = viewer.layers["reconstruction labels"]
    moved.show_change(DIFFERENCE)
    rest()
    assert labels.contour == 1
    moved.show_change(NO_CHANGE_SHOWN)
    rest()
    assert labels.contour == 0
    assert CHANGE not in names_of(viewer)


def test_outlines_that_the_user_has_chosen_stay(viewer, moved, rest):
    labels = viewer.layers["reconstruction labels"]
    labels.contour = 3
    moved.show_change(DIFFERENCE)
    rest()
    moved.show_change(NO_CHANGE_SHOWN)
    rest()
    assert labels.contour == 3


def test_the_heart_before_is_beside_at_the_same_time_in_the_same_shades(viewer, moved, rest, shapes_decoder):
    moved.show_change(START)
    rest()
    before, heart = viewer.layers[BEFORE], viewer.layers["reconstruction"]
    np.testing.assert_array_equal(before.data, shapes_decoder(moved.bundle, moved.probe.origin).cine)
    assert before.extent.world[0, -1] > heart.extent.world[1, -1]
    np.testing.assert_allclose(before.scale, heart.scale)
    assert before.translate[:2].tolist() == heart.translate[:2].tolist()
    heart.contrast_limits = (0.0, 1.0)
    assert before.contrast_limits == [0.0, 1.0]
    words = [str(text) for text in viewer.layers["captions"].text.values]
    assert "Before\nthe middle" in words


def test_the_camera_goes_back_when_the_heart_before_goes_but_not_when_the_user_has_moved_it(viewer, moved, rest):
    camera = viewer.scene.camera
    zoom = camera.zoom
    moved.show_change(START)
    rest()
    assert camera.zoom < zoom
    moved.show_change(NO_CHANGE_SHOWN)
    rest()
    assert camera.zoom == zoom
    moved.show_change(START)
    rest()
    camera.zoom = 7.0
    moved.show_change(NO_CHANGE_SHOWN)
    rest()
    assert camera.zoom == 7.0


@pytest.mark.parametrize(("name", "left"), [(CHANGE, START), (BEFORE, DIFFERENCE)], ids=["difference", "before"])
def test_who_deletes_a_layer_turns_its_switch_off_and_it_stays_away(viewer, moved, rest, name, left):
    moved.show_change(BOTH)
    rest()
    viewer.layers.remove(name)
    rest()
    assert moved.change == left
    moved.probe.move(0, 1.0)
    rest()
    assert name not in viewer.layers
    moved.show_change(BOTH)
    rest()
    assert viewer.layers[name].visible


def test_deleted_labels_stay_away_until_the_heart_is_asked_for_again(viewer, moved, rest):
    moved.show_change(START)
    rest()
    viewer.layers.remove(BEFORE_LABELS)
    moved.probe.set_origin(np.ones(16, np.float32), "elsewhere")
    moved.probe.move(0, 3.0)
    rest()
    assert BEFORE_LABELS not in viewer.layers
    assert moved.change == START


def test_hearts_of_groups_and_of_a_path_take_their_place(viewer, moved, rest):
    ids = moved.cohort.participant_ids
    moved.create_group("One", ids[:20].tolist())
    moved.create_group("Other", ids[20:40].tolist())
    moved.show_change(BOTH)
    rest()
    moved.show_side_by_side(["One", "Other"])
    rest()
    assert not names_of(viewer) & {CHANGE, BEFORE, BEFORE_LABELS}
    moved.show_side_by_side([])
    rest()
    assert names_of(viewer) >= {CHANGE, BEFORE, BEFORE_LABELS}
    moved.set_path(PathEnd("group", "One"), PathEnd("group", "Other"), share=0.5)
    rest()
    assert BEFORE not in names_of(viewer)
    assert CHANGE in names_of(viewer)
    moved.probe.move(0, 3.0)
    rest()
    assert BEFORE in names_of(viewer)


def test_a_session_brings_them_back_though_nothing_was_decoded_where_the_probe_began(
    viewer, moved, rest, tmp_path, shapes_decoder
):
    moved.show_change(BOTH)
    moved.save_session(tmp_path / "mine.json")
    rest()
    began = moved.probe.origin
    moved.show_change(NO_CHANGE_SHOWN)
    moved.probe_mean()
    rest()
    assert not names_of(viewer) & {CHANGE, BEFORE}
    moved.open_session(tmp_path / "mine.json")
    rest()
    np.testing.assert_array_equal(viewer.layers[BEFORE].data, shapes_decoder(moved.bundle, began).cine)
    assert viewer.layers[CHANGE].visible
    assert viewer.layers[CHANGE].data.any()


def test_a_heart_without_a_picture_has_no_difference(viewer, moved, rest, shapes_decoder):
    moved.show_change(DIFFERENCE)
    rest()
    result = replace(shapes_decoder(moved.bundle, moved.probe.vector), cine=None)
    moved.decode.decoded.emit(DecodeOutcome(result, None))
    rest()
    assert CHANGE not in names_of(viewer)


def test_layers_and_selection_of_the_user_are_left_alone(viewer, moved, rest):
    mine = viewer.add_image(np.zeros((5, 5)), name="mine")
    viewer.layers.selection.active = mine
    moved.show_change(BOTH)
    rest()
    assert viewer.layers.selection.active == mine
    assert mine.visible
