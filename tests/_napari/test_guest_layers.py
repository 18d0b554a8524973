"""Cines from outside the study as layers: their axes, their place, and peace with the hearts."""

from pathlib import Path

import numpy as np
import pytest

from napari_latent_explorer._napari.explorers import session_of
from napari_latent_explorer._napari.guest_layers import AFFINE, layer_data
from napari_latent_explorer.data.cine import CineLabels, CineMRI
from napari_latent_explorer.session.outside_recordings import OutsideRecording


def oblique_axes(seed):
    """Make three orthogonal directions: slice, row, column."""
    return np.linalg.qr(np.random.default_rng(seed).normal(size=(3, 3)))[0]


def make_stack(first_mm, axes, n_slices=3):
    """Make a cine whose pixels say where they are."""
    spacing_mm = np.array([8.0, 1.5, 1.25])
    affine = np.eye(4)
    affine[:3, :3] = axes * spacing_mm
    affine[:3, 3] = first_mm
    frames = np.arange(5 * n_slices * 6 * 7).reshape(5, n_slices, 6, 7).astype(np.uint16)
    return CineMRI(frames, tuple(spacing_mm), np.arange(5) * 160.0, affine, "sa", 800.0)


def show(viewer, cine, labels=None, name="guest"):
    recording = OutsideRecording(Path(name), cine, labels, contrast_limits=(0.0, 9.0), signal_range=(0.0, 10.0))
    session_of(viewer).outside.opened.emit(recording)


def test_a_stack_is_slice_time_row_column():
    cine = make_stack((0.0, 0.0, 0.0), np.eye(3))
    ((data, attributes, _),) = layer_data(OutsideRecording(Path("x"), cine))
    assert data.shape == (3, 5, 6, 7)
    np.testing.assert_array_equal(data[2, 4], cine.frames[4, 2])
    assert attributes["units"] == ("mm", "ms", "mm", "mm")
    assert attributes["scale"] == pytest.approx((8.0, 160.0, 1.5, 1.25))


def test_distances_between_pixels_are_those_in_the_patient(viewer):
    cine = make_stack((31.0, -70.0, 12.0), oblique_axes(1))
    show(viewer, cine)
    layer = viewer.layers[0]
    one, other = np.array([0, 2, 1]), np.array([2, 5, 4])  # slice, row, column
    in_world = np.array([layer.data_to_world((index[0], 0, *index[1:])) for index in (one, other)])
    in_patient = np.array([cine.affine @ [*index, 1] for index in (one, other)])
    distance_mm = np.linalg.norm(in_patient[1] - in_patient[0])
    assert np.linalg.norm(in_world[1] - in_world[0]) == pytest.approx(distance_mm)
    np.testing.assert_array_equal(layer.metadata[AFFINE], cine.affine)


def test_parallel_series_lie_in_register(viewer):
    axes = oblique_axes(2)
    first = make_stack((10.0, 20.0, 30.0), axes)
    # the second begins two slices, three rows and one column further on
    second = make_stack((first.affine @ [2, 3, 1, 1])[:3], axes)
    show(viewer, first, name="first")
    show(viewer, second, name="second")
    same_place = [viewer.layers[0].data_to_world((2, 0, 3, 1)), viewer.layers[1].data_to_world((0, 0, 0, 0))]
    np.testing.assert_allclose(*same_place, atol=1e-9)


def test_a_cine_of_another_orientation_lies_beside(viewer):
    show(viewer, make_stack((10.0, 20.0, 30.0), oblique_axes(2)), name="first")
    show(viewer, make_stack((10.0, 20.0, 30.0), oblique_axes(3)), name="second")
    first, second = (np.asarray(layer.extent.world)[:, -2:] for layer in viewer.layers)
    assert second[0, 1] - first[1, 1] == pytest.approx(10.0)
    assert second[:, 0].mean() == pytest.approx(first[:, 0].mean())


def test_a_stack_beside_the_hearts_agrees_with_them_in_units_and_time(viewer, explorer):
    show(viewer, make_stack((10.0, 20.0, 30.0), oblique_axes(2)))
    assert viewer.dims.axis_labels == ("slice", "time", "row", "column")
    assert [str(unit) for unit in viewer.dims.units] == ["millimeter", "millisecond", "millimeter", "millimeter"]
    heart = viewer.layers["reconstruction"]
    assert viewer.layers["guest, sa"].extent.world[0][-1] > heart.extent.world[1][-1]
    playback = session_of(viewer).playback
    playback.go_to(0.5 * session_of(viewer).layers.rr_interval_ms)
    assert viewer.dims.point[1] == pytest.approx(0.5 * session_of(viewer).layers.rr_interval_ms)
    assert viewer.dims.current_step[0] == 1  # the slice in the middle stays


def test_labels_come_with_their_names_and_can_be_painted(viewer):
    cine = make_stack((0.0, 0.0, 0.0), np.eye(3), n_slices=1)
    labels = CineLabels((cine.frames % 3).astype(np.uint8), {0: "background", 1: "LV_cavity", 2: "LV_free_wall"})
    show(viewer, cine, labels)
    image, layer = viewer.layers
    assert layer.data.shape == image.data.shape == (5, 6, 7)
    np.testing.assert_allclose(layer.extent.world, image.extent.world)
    assert list(layer.features["name"]) == ["background", "LV cavity", "LV free wall"]
    layer.data[0, 0, 0] = 2


def test_an_affine_that_is_no_grid_leaves_the_layer_at_the_origin():
    sheared = np.eye(4)
    sheared[0, 1] = 0.5
    frames = np.zeros((2, 2, 4, 4), np.uint8)
    cine = CineMRI(frames, (1.0, 1.0, 1.0), np.arange(2.0), sheared, "unknown", 2.0)
    ((_, attributes, _),) = layer_data(OutsideRecording(Path("x"), cine))
    assert attributes["translate"] == (0.0, 0.0, 0.0, 0.0)
