"""Groups side by side: one Image and one Labels each, on one level and one slider, made once and then refilled."""

import itertools
from pathlib import Path

import numpy as np
import pytest
from napari.layers import Image, Labels

from napari_latent_explorer._napari.explorers import session_of
from napari_latent_explorer.session.outside_recordings import OutsideRecording


@pytest.fixture
def explorer(explorer):
    for name, start in (("Small", 0), ("Middle", 40), ("Large", 80)):
        order = np.argsort(explorer.cohort.values("lvedv"))
        ids = explorer.cohort.participant_ids[np.sort(order[start : start + 30])]
        explorer.create_group(name, ids.tolist())
    return explorer


@pytest.fixture
def show(viewer, explorer, settle, qtbot):
    """Show groups and wait until all layers have them."""
    viewer.window.resize(1500, 1000)
    qtbot.wait(50)

    def wait(*names, **how):
        explorer.show_side_by_side(names, **how)
        settle_all()

    def settle_all():
        settle(explorer)
        qtbot.waitUntil(lambda: not session_of(viewer).group_layers.is_busy, timeout=10_000)

    wait.again = settle_all
    return wait


def shown(viewer):
    return [layer.name for layer in viewer.layers if layer.visible]


def boxes(viewer, *names):
    return [viewer.layers[name].extent.world[:, 1:] for name in names]


def test_each_group_is_an_image_and_labels_on_one_level_and_none_lies_on_another(viewer, explorer, show):
    show("Small", "Middle", "Large")
    assert shown(viewer) == ["Small", "Small labels", "Middle", "Middle labels", "Large", "Large labels", "captions"]
    for one, other in itertools.combinations(boxes(viewer, "Small", "Middle", "Large"), 2):
        gap_mm = np.maximum(one[0] - other[1], other[0] - one[1])  # (row, column)
        assert gap_mm.max() > 5.0
        np.testing.assert_allclose(one[1] - one[0], other[1] - other[0])
    for name in ("Small", "Middle", "Large"):
        image, labels = viewer.layers[name], viewer.layers[f"{name} labels"]
        assert isinstance(image, Image)
        assert isinstance(labels, Labels)
        np.testing.assert_allclose(image.extent.world, labels.extent.world)
        np.testing.assert_allclose(image.scale, viewer.layers["Small"].scale)
        assert [str(unit) for unit in image.units] == ["millisecond", "millimeter", "millimeter"]
    areas = [viewer.layers[f"{name} labels"].data.astype(bool).sum() for name in ("Small", "Middle", "Large")]
    assert areas == sorted(areas)
    assert areas[0] < areas[2]
    limits = {viewer.layers[name].contrast_limits[1] for name in ("Small", "Middle", "Large")}
    assert len(limits) == 1


def test_one_slider_steps_all_of_them_by_the_mean_heart_rate_of_their_people(viewer, explorer, show):
    show("Small", "Large")
    members = np.concatenate([explorer.groups[0].participant_ids, explorer.groups[2].participant_ids])
    rates = explorer.cohort.values("heart_rate")[explorer.cohort.rows_of(members)]
    assert viewer.layers["Small"].scale[0] * 50 == pytest.approx(60_000.0 / rates.mean())
    assert viewer.dims.nsteps[0] == 50
    playback = session_of(viewer).playback
    playback.go_to(400.0)
    assert viewer.dims.current_step[0] == int(400.0 / viewer.layers["Small"].scale[0])


def test_captions_say_who_how_many_what_stands_for_them_and_how_heavy(viewer, explorer, show):
    show("Small", "Large")
    texts = [str(text) for text in viewer.layers["captions"].text.values]
    assert len(texts) == 2
    for text, group in zip(texts, (explorer.groups[0], explorer.groups[2]), strict=True):
        assert text.startswith(group.name)
        assert "30 participants" in text
        assert f"nearest {group.representative.participant_id}" in text
        assert "g measured" in text
    np.testing.assert_allclose(viewer.layers["captions"].text.color.array[1], explorer.groups[2].color, atol=0.01)


def test_layers_are_refilled_not_made_again(viewer, explorer, show):
    show("Small", "Middle", "Large")
    before = {id(layer) for layer in viewer.layers}
    data = viewer.layers["Large"].data
    explorer.set_representative_method("mean")
    show.again()
    assert {id(layer) for layer in viewer.layers} == before
    assert viewer.layers["Large"].data is not data
    show("Large", "Small")
    assert {id(layer) for layer in viewer.layers} == before
    assert set(shown(viewer)) == {"Large", "Large labels", "Small", "Small labels", "captions"}
    large, small = boxes(viewer, "Large labels", "Small labels")
    assert large[0].sum() < small[0].sum()


def test_a_layer_that_the_user_removed_stays_away_while_its_group_is_shown(viewer, explorer, show):
    show("Small", "Large")
    viewer.layers.remove("Large labels")
    explorer.set_representative_method("median")
    show.again()
    show("Middle", "Large", "Small")
    assert "Large labels" not in viewer.layers
    assert {"Middle labels", "Small labels", "Large"} <= set(shown(viewer))
    show("Small")
    show("Small", "Large")
    assert "Large labels" in shown(viewer)


def test_the_probe_comes_back_as_it_was_when_it_is_moved(viewer, explorer, show, settle):
    participant_id = str(explorer.cohort.participant_ids[3])
    explorer.probe_participant(participant_id, "mri")
    explorer.show_participant(participant_id)
    settle(explorer)
    viewer.layers["reconstruction labels"].visible = False
    viewer.scene.camera.zoom = 1.25
    before = shown(viewer)
    show("Small", "Large")
    assert not set(before) & set(shown(viewer)) - {"captions"}
    explorer.probe.move(0, 2.0)
    show.again()
    assert shown(viewer) == before
    assert viewer.layers["original"].scale[0] * 50 == pytest.approx(800.0)
    assert viewer.scene.camera.zoom == pytest.approx(1.25)
    texts = [str(text) for text in viewer.layers["captions"].text.values]
    assert any(text.startswith("Original") for text in texts)
    assert not any("Small" in text for text in texts)


def test_the_users_own_layers_are_left_alone(viewer, explorer, show):
    own = viewer.add_image(np.ones((50, 96, 96)), name="Small")
    show("Small", "Large")
    explorer.probe_mean()
    show("Large", "Small")
    assert own.name == "Small"
    assert own.visible
    assert own.data.sum() == own.data.size


def test_another_name_and_colour_reach_the_layer_and_its_caption_but_not_a_name_that_the_user_gave(
    viewer, explorer, show
):
    show("Small", "Large")
    viewer.layers["Large"].name = "mine"
    explorer.set_group_color("Large", (0.0, 1.0, 0.5, 1.0))
    explorer.rename_group("Small", "Tiny")
    show.again()
    assert {"mine", "Tiny", "Tiny labels", "Large labels"} <= set(shown(viewer))
    captions = viewer.layers["captions"].text
    assert str(captions.values[0]).startswith("Tiny")
    np.testing.assert_allclose(captions.color.array[1], (0.0, 1.0, 0.5, 1.0), atol=0.01)


def test_the_recordings_of_those_who_stand_for_groups_lie_below_them(viewer, explorer, show):
    show("Small", "Middle", "Large")
    before = {id(layer) for layer in viewer.layers}
    show("Small", "Middle", "Large", has_originals=True)
    names = ("Small", "Middle", "Large")
    originals = [f"{name} original" for name in names]
    for name, original in zip(names, originals, strict=True):
        upper, lower = boxes(viewer, name, original)
        assert lower[0, 0] > upper[1, 0]
        assert lower[0, 1] == pytest.approx(upper[0, 1])
        assert f"{original} labels" in shown(viewer)
    for one, other in itertools.combinations(boxes(viewer, *names, *originals), 2):
        assert np.maximum(one[0] - other[1], other[0] - one[1]).max() > 0.0
    texts = [str(text) for text in viewer.layers["captions"].text.values]
    stands = explorer.groups[0].representative.participant_id
    assert f"original, {stands}" in texts
    explorer.set_representative_method("median")
    show.again()
    assert not any("original" in name for name in shown(viewer))
    assert before <= {id(layer) for layer in viewer.layers}


def test_many_groups_have_few_words_and_one_that_is_dark_is_legible(viewer, explorer, show):
    for number in range(9):
        explorer.create_group(f"More {number}", explorer.cohort.participant_ids[number * 5 : number * 5 + 5].tolist())
    viewer.window.resize(900, 700)
    explorer.set_group_color("More 8", (0.1, 0.0, 0.3, 1.0))
    show(*(group.name for group in explorer.groups))
    captions = viewer.layers["captions"].text
    assert len(captions.values) == 12
    assert all("LVM" in str(text) and "predicted" not in str(text) for text in captions.values)
    red, green, blue, _ = captions.color.array[11]
    assert 0.2126 * red + 0.7152 * green + 0.0722 * blue > 0.4
    assert blue > red > green


@pytest.mark.parametrize("is_guest_first", [True, False], ids=["guest first", "groups first"])
def test_a_recording_from_outside_and_the_groups_lie_beside_each_other(viewer, explorer, show, is_guest_first):
    cine = explorer.study.cine("guest")
    guest = OutsideRecording(Path("guest"), cine, None, contrast_limits=(0.0, 9.0), signal_range=(0.0, 10.0))
    if is_guest_first:
        session_of(viewer).outside.opened.emit(guest)
    show("Small", "Large")
    if not is_guest_first:
        session_of(viewer).outside.opened.emit(guest)
    name = next(layer.name for layer in viewer.layers if layer.name.startswith("guest"))
    for one, other in itertools.combinations(boxes(viewer, "Small", "Large", name), 2):
        assert np.maximum(one[0] - other[1], other[0] - one[1]).max() > 0.0
