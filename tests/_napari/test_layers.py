"""The hearts as layers: data replaced, geometry in ms and mm, originals beside their reconstruction."""

import numpy as np
import pytest
from napari.layers import Image, Labels

from napari_latent_explorer._napari.class_colors import label_colormap, label_table
from napari_latent_explorer._napari.explorers import session_of
from napari_latent_explorer.data.cine import LA_4CH_CLASSES


def show_participant(explorer, settle, row=0):
    participant_id = str(explorer.cohort.participant_ids[row])
    explorer.probe_participant(participant_id, "mri")
    explorer.show_participant(participant_id)
    settle(explorer)
    return participant_id


def test_the_reconstruction_is_an_image_and_labels_in_ms_and_mm(viewer, explorer):
    image, labels = viewer.layers["reconstruction"], viewer.layers["reconstruction labels"]
    assert image.data.shape == labels.data.shape == (50, 96, 96)
    for layer in (image, labels):
        assert layer.axis_labels == ("time", "row", "column")
        assert [str(unit) for unit in layer.units] == ["millisecond", "millimeter", "millimeter"]
        np.testing.assert_allclose(layer.scale[1:], 1.8)
    cycle_ms = 60_000.0 / np.mean(explorer.cohort.values("heart_rate"))
    assert image.scale[0] * 50 == pytest.approx(cycle_ms)


def test_labels_have_names_and_the_unknown_is_transparent(viewer, explorer):
    labels = viewer.layers["reconstruction labels"]
    assert labels.opacity == pytest.approx(0.4)
    names = dict(zip(labels.features["index"], labels.features["name"], strict=True))
    assert names[11] == "LV cavity"
    colormap = label_colormap(LA_4CH_CLASSES)
    assert colormap.map(np.array([0, 99]))[:, 3].tolist() == [0.0, 0.0]
    shown = [tuple(colormap.map(np.array([number]))[0]) for number in range(1, 13)]
    assert len(set(shown)) == 12
    assert len(label_table(LA_4CH_CLASSES)) == 16


def test_a_moved_probe_replaces_data_and_keeps_the_layers(viewer, explorer, settle):
    layers = list(viewer.layers)
    image = viewer.layers["reconstruction"]
    before, limits = image.data.sum(), image.contrast_limits
    center = viewer.scene.camera.center
    explorer.probe.move(0, float(explorer.probe.vector[0]) + 3.0)
    settle(explorer)
    assert list(viewer.layers) == layers
    assert image.data.sum() > before
    assert image.contrast_limits == limits
    assert viewer.scene.camera.center == center


def test_the_original_lies_beside_the_reconstruction_and_beats_with_it(viewer, explorer, settle):
    participant_id = show_participant(explorer, settle)
    original, reconstruction = viewer.layers["original"], viewer.layers["reconstruction"]
    assert isinstance(original, Image)
    assert isinstance(viewer.layers["original labels"], Labels)
    right_edge = original.extent.world[1][2]
    left_edge = reconstruction.extent.world[0][2]
    assert 5.0 < left_edge - right_edge < 15.0
    np.testing.assert_allclose(original.extent.world[:, 1], reconstruction.extent.world[:, 1])
    assert original.scale[0] * 50 == reconstruction.scale[0] * 50 == pytest.approx(800.0)
    texts = [str(text) for text in viewer.layers["captions"].text.values]
    assert any(participant_id in text and text.startswith("Original") for text in texts)


def test_the_original_hides_when_the_probe_begins_elsewhere(viewer, explorer, settle):
    show_participant(explorer, settle)
    explorer.probe_mean()
    settle(explorer)
    assert not viewer.layers["original"].visible
    assert not any("Original" in str(text) for text in viewer.layers["captions"].text.values)
    show_participant(explorer, settle, row=1)
    assert viewer.layers["original"].visible


def test_what_the_user_removed_is_not_brought_back_until_a_study_is_opened(
    viewer, explorer, settle, shapes_study, shapes_bundle
):
    viewer.layers.remove("reconstruction labels")
    explorer.probe.move(0, 2.0)
    settle(explorer)
    assert "reconstruction labels" not in viewer.layers
    explorer.open(type(shapes_study)(60), shapes_bundle)
    explorer.jobs.cancel_all()
    settle(explorer)
    assert "reconstruction labels" in viewer.layers


def test_a_groups_caption_has_its_colour(viewer, explorer, settle):
    group = explorer.create_group("Some", explorer.cohort.participant_ids[:20].tolist())
    settle(explorer)
    captions = viewer.layers["captions"]
    assert "Some" in str(captions.text.values[0])
    np.testing.assert_allclose(captions.text.color.constant, group.color, atol=0.01)


def test_the_users_own_layers_are_left_alone(viewer, explorer, settle):
    own = viewer.add_image(np.zeros((50, 96, 96)), name="reconstruction of mine")
    explorer.probe.move(0, 2.0)
    settle(explorer)
    assert own in viewer.layers
    assert own.data.sum() == 0
    assert session_of(viewer).layers.layer("reconstruction") is not own


def test_the_heart_of_another_study_goes_until_one_of_this_is_there(
    viewer, explorer, settle, shapes_study, shapes_bundle
):
    image, labels = viewer.layers["reconstruction"], viewer.layers["reconstruction labels"]
    labels.visible = False
    explorer.open(shapes_study, None)  # there is no model that could decode anything
    explorer.jobs.cancel_all()
    settle(explorer)
    explorer.probe_participant(str(explorer.cohort.participant_ids[3]), "mri")
    assert not image.visible
    assert not any("Reconstruction" in words for words in viewer.layers["captions"].text.values)
    explorer.open(shapes_study, shapes_bundle)
    explorer.jobs.cancel_all()
    settle(explorer)
    assert image.visible
    assert not labels.visible  # as the user had it
