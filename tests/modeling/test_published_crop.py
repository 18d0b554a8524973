from dataclasses import replace

import numpy as np
import pytest

from napari_latent_explorer.data.cine import LA_4CH_CLASSES, CineLabels, CineMRI
from napari_latent_explorer.data.heart_box import HeartBox
from napari_latent_explorer.errors import RecordingError
from napari_latent_explorer.modeling.heart_position import box_from_labels
from napari_latent_explorer.modeling.preprocessing import prepare_cine


def make_cine(n_frames: int = 50, shape: tuple[int, int] = (160, 224)) -> CineMRI:
    frames = np.random.default_rng(0).integers(0, 4000, (n_frames, 1, *shape)).astype(np.uint16)
    times_ms = np.arange(n_frames) * 900.0 / n_frames
    affine = np.array([[0, 0, 1.8, -150], [0, 1.8, 0, -100], [6, 0, 0, 20], [0, 0, 0, 1.0]])
    return CineMRI(frames, (6.0, 1.8, 1.8), times_ms, affine, "la_4ch", 900.0)


def published_tensor(frames: np.ndarray, classes: np.ndarray) -> np.ndarray:
    """Independent account of the published rule (class map of the first frame, `pad_or_crop`, `ZeroMeanStd1`)."""
    index = np.argwhere(np.isin(classes, [*range(1, 13), 14]))
    (top, left), (bottom, right) = index.min(axis=0), index.max(axis=0)
    box = np.moveaxis(frames, 0, -1).astype(np.float64)[top : bottom + 1, left : right + 1]
    box = box[:96, :96]
    padded = np.pad(box, [(0, 96 - box.shape[0]), (0, 96 - box.shape[1]), (0, 0)])
    return np.moveaxis((padded - padded.mean()) / (padded.std() + 1e-7), -1, 0)


@pytest.mark.parametrize(
    ("top", "left", "n_rows", "n_columns"), [(30, 40, 70, 80), (10, 20, 120, 60), (5, 100, 99, 110)]
)
def test_it_is_what_the_released_encoders_were_given(top: int, left: int, n_rows: int, n_columns: int) -> None:
    cine = make_cine()
    classes = np.zeros(cine.frames.shape, dtype=np.uint8)
    classes[0, 0, top + 3, left : left + n_columns] = 11
    classes[0, 0, top : top + n_rows, left + 2] = 12  # the aorta counts
    classes[0, 0, :, 0] = 13  # the thorax does not
    classes[1:, 0, 100:, 150:] = 11  # nor do the other frames
    labels = CineLabels(classes, LA_4CH_CLASSES)
    box = box_from_labels(labels, 0, "published")
    assert box == HeartBox(top, left, n_rows, n_columns, "published", "labels")
    prepared = prepare_cine(cine, labels, heart_box=box)
    np.testing.assert_allclose(prepared.tensor, published_tensor(cine.frames[:, 0], classes[0, 0]), atol=1e-5)
    assert prepared.cine.frames.dtype == np.uint16
    np.testing.assert_allclose(prepared.cine.affine @ [0, 0, 0, 1], cine.affine @ [0, top, left, 1])
    assert prepared.labels is not None
    n_kept = min(n_rows, 96), min(n_columns, 96)
    expected = classes[:, 0, top : top + n_kept[0], left : left + n_kept[1]]
    np.testing.assert_array_equal(prepared.labels.frames[:, 0, : n_kept[0], : n_kept[1]], expected)
    if n_rows > 96:
        assert f"{n_rows - 96} rows below" in prepared.rule
        assert any("cut off" in warning for warning in prepared.warnings)
    else:
        assert not any("cut off" in warning for warning in prepared.warnings)


def test_another_number_of_frames_is_brought_to_fifty() -> None:
    cine = make_cine(25)
    box = HeartBox(10, 20, 60, 70, "published", "by hand")
    prepared = prepare_cine(cine, heart_box=box)
    assert prepared.tensor.shape == (50, 96, 96)
    np.testing.assert_allclose(prepared.cine.frames[::2, 0, :60, :70], cine.frames[:, 0, 10:70, 20:90], rtol=1e-5)
    assert "25 frames brought to 50 over the heart cycle" in prepared.rule


def test_frames_that_nobody_labelled_stay_unknown() -> None:
    cine = make_cine()
    classes = np.zeros(cine.frames.shape, dtype=np.uint8)
    classes[[3, 20], 0, 30:60, 30:60] = 11
    labels = CineLabels(classes, LA_4CH_CLASSES, (3, 20))
    box = box_from_labels(labels, 0, "published")
    assert box == HeartBox(30, 30, 30, 30, "published", "labels")
    prepared = prepare_cine(cine, labels, heart_box=box)
    assert prepared.labels is not None
    assert prepared.labels.labelled_frames == (3, 20)


def test_a_box_outside_the_picture_is_refused() -> None:
    with pytest.raises(RecordingError, match="lies outside the picture"):
        prepare_cine(make_cine(), heart_box=HeartBox(200, 0, 5, 5, "published"))


def test_a_centred_box_is_the_middle_of_the_crop_however_the_picture_is_turned() -> None:
    cine = make_cine()
    box = HeartBox(50, 90, 31, 21, "centred", "by hand")
    prepared = prepare_cine(cine, heart_box=box)
    middle_mm = prepared.cine.affine @ [0, 47.5, 47.5, 1]
    np.testing.assert_allclose(middle_mm, cine.affine @ [0, 65, 100, 1], atol=1e-9)
    assert "middle of the heart box drawn by hand" in prepared.rule
    by_center = prepare_cine(cine, center=tuple((cine.affine @ [0, 65, 100, 1])[:3]))
    np.testing.assert_array_equal(prepared.tensor, by_center.tensor)


def test_on_the_models_grid_only_a_hand_moves_the_crop() -> None:
    cine = make_cine(shape=(96, 96))
    usual = replace(cine, affine=np.array([[0, 0, 1.8, 0], [0, -1.0, 0, 0], [6, -1.5, 0, 0], [0, 0, 0, 1.0]]))
    found = HeartBox(10, 10, 20, 20, "centred", "motion")
    assert prepare_cine(usual, heart_box=found).rule.startswith("Taken as it is")
    np.testing.assert_array_equal(prepare_cine(usual, heart_box=found).tensor, prepare_cine(usual).tensor)
    assert "drawn by hand" in prepare_cine(usual, heart_box=replace(found, source="by hand")).rule
    assert prepare_cine(usual, heart_box=replace(found, rule="published")).rule.startswith("Cropped as published")
