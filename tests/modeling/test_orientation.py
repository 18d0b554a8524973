from dataclasses import replace

import numpy as np
import pytest

from napari_latent_explorer.data.cine import LA_4CH_CLASSES, CineLabels, CineMRI
from napari_latent_explorer.modeling.orientation import turn_to_usual
from napari_latent_explorer.simulation.mri import long_axis_grid


def make_cine() -> tuple[CineMRI, CineLabels]:
    """Make a cine in the usual orientation whose pixel values tell where they are."""
    rng = np.random.default_rng(0)
    frames = rng.integers(0, 1000, (2, 1, 5, 7))
    grid = long_axis_grid()
    affine = grid.affine.copy()
    affine[:3, 2] *= 1.3 / 1.8
    cine = CineMRI(frames, (6.0, 1.8, 1.3), np.array([0.0, 400.0]), affine, "la_4ch", 800.0)
    return cine, label_last_frame(cine)


def label_last_frame(cine: CineMRI) -> CineLabels:
    is_last = np.array([0, 1])[:, None, None, None]
    return CineLabels(cine.frames % 16 * is_last, LA_4CH_CLASSES, (1,))


def as_acquired(cine: CineMRI, swap: bool, flip_rows: bool, flip_columns: bool) -> CineMRI:
    """Store the same pixels of the same places in the patient in another order."""
    frames, affine, spacing = cine.frames, cine.affine.copy(), cine.spacing_mm
    for flip, axis in ((flip_rows, 1), (flip_columns, 2)):
        if flip:
            frames = np.flip(frames, axis + 1)
            affine[:3, 3] += affine[:3, axis] * (cine.frames.shape[axis + 1] - 1)
            affine[:3, axis] *= -1
    if swap:
        frames = frames.swapaxes(2, 3)
        affine = affine[:, [0, 2, 1, 3]]
        spacing = (spacing[0], spacing[2], spacing[1])
    return replace(cine, frames=frames, affine=affine, spacing_mm=spacing)


@pytest.mark.parametrize("swap", [False, True])
@pytest.mark.parametrize("flip_rows", [False, True])
@pytest.mark.parametrize("flip_columns", [False, True])
def test_however_it_was_stored_it_is_turned_back_with_its_geometry(
    swap: bool, flip_rows: bool, flip_columns: bool
) -> None:
    usual, labels = make_cine()
    stored = as_acquired(usual, swap, flip_rows, flip_columns)
    turned, turned_labels, what = turn_to_usual(stored, label_last_frame(stored))
    np.testing.assert_array_equal(turned.frames, usual.frames)
    np.testing.assert_allclose(turned.affine, usual.affine, atol=1e-9)
    assert turned.spacing_mm == usual.spacing_mm
    assert turned_labels is not None
    np.testing.assert_array_equal(turned_labels.frames, labels.frames)
    assert turned_labels.labelled_frames == (1,)
    assert (turned is stored) == (what == "not turned") == (not (swap or flip_rows or flip_columns))


def test_other_planes_stay_as_they_are() -> None:
    stored = replace(as_acquired(make_cine()[0], True, True, False), imaging_plane="sa")
    assert turn_to_usual(stored, None)[0] is stored
