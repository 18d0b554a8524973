from pathlib import Path

import numpy as np
import pytest

from napari_latent_explorer.data.cine import (
    ACDC_CLASSES,
    LA_4CH_CLASSES,
    MNMS_CLASSES,
    SA_CLASSES,
    CineLabels,
    CineMRI,
)
from napari_latent_explorer.data.heart_box import HeartBox
from napari_latent_explorer.io.formats import read_recording
from napari_latent_explorer.modeling.heart_position import (
    HEART_CLASSES,
    center_from_labels,
    center_from_motion,
    find_heart_box,
)
from napari_latent_explorer.simulation.mri import simulate_cine
from napari_latent_explorer.simulation.population import simulate_population


def test_the_classes_of_the_heart_are_those_of_the_tables() -> None:
    schemes = (LA_4CH_CLASSES, SA_CLASSES, ACDC_CLASSES, MNMS_CLASSES)
    assert {name for scheme in schemes for name in scheme.values()} >= HEART_CLASSES
    assert {*ACDC_CLASSES.values(), *MNMS_CLASSES.values()} - HEART_CLASSES == {"background"}
    assert not HEART_CLASSES & {"background", "thoracic_cavity", "descending_aorta", "liver", "stomach", "aorta"}


def test_the_box_around_chambers_and_walls_counts_not_the_vessels() -> None:
    frames = np.zeros((2, 1, 40, 60), dtype=np.uint8)
    frames[0, 0, 10:21, 30:41] = 11
    frames[1, 0, 12:25, 30:35] = 4
    frames[:, 0, 0:3, 0:3] = 12
    assert center_from_labels(CineLabels(frames, LA_4CH_CLASSES), 0) == (17.0, 35.0)
    assert center_from_labels(CineLabels(frames * 0 + 13, LA_4CH_CLASSES), 0) is None


def test_a_disc_that_beats_is_found_and_a_bright_vessel_is_not() -> None:
    rows, columns = np.indices((120, 150))
    frames = np.random.default_rng(0).normal(0, 1, (12, 120, 150)).astype(np.float32)
    for frame in range(12):
        radius = 28 + 5 * np.cos(2 * np.pi * frame / 12)
        frames[frame, np.hypot(rows - 70, columns - 60) < radius] += 100
        frames[frame, np.hypot(rows - 20, columns - 120) < 4] += 400 * (frame % 2)
    center = center_from_motion(frames, (1.5, 1.5))
    assert center is not None
    np.testing.assert_allclose(center, (70, 60), atol=2)


def test_nothing_that_moves_has_no_middle() -> None:
    assert center_from_motion(np.ones((5, 20, 20), dtype=np.float32), (1.5, 1.5)) is None


@pytest.mark.parametrize("row", [0, 3, 5])
def test_the_moving_region_of_a_simulated_heart_lies_near_its_chambers(row: int) -> None:
    factors = simulate_population(6, seed=1).factors[row]
    cine, labels = simulate_cine(factors, n_frames=12, size=150)
    found = center_from_motion(cine.frames[:, 0].astype(np.float32), (1.8, 1.8))
    expected = center_from_labels(labels, 0)
    assert found is not None
    assert expected is not None
    distance_mm = 1.8 * np.hypot(found[0] - expected[0], found[1] - expected[1])
    assert distance_mm < 15


def test_the_box_of_what_moves_covers_the_box_of_the_chambers() -> None:
    shares = []
    for factors in simulate_population(8, seed=3).factors:
        cine, labels = simulate_cine(factors, n_frames=12, size=150)
        moving, labelled = find_heart_box(cine, None, "centred"), find_heart_box(cine, labels, "centred")
        assert moving is not None
        assert labelled is not None
        assert (moving.source, labelled.source) == ("motion", "labels")
        shares.append(overlap(moving, labelled))
    print(f"\nintersection over union: median {np.median(shares):.2f}, lowest {min(shares):.2f}")
    assert np.median(shares) > 0.7
    assert min(shares) > 0.3


def overlap(a: HeartBox, b: HeartBox) -> float:
    masks = np.zeros((2, 200, 200), dtype=bool)
    for mask, box in zip(masks, (a, b), strict=True):
        mask[box.row_start : box.row_start + box.n_rows, box.column_start : box.column_start + box.n_columns] = True
    return float(masks.all(axis=0).sum() / masks.any(axis=0).sum())


def test_labels_of_another_slice_or_none_leave_the_box_to_what_moves() -> None:
    factors = simulate_population(1, seed=3).factors[0]
    cine, labels = simulate_cine(factors, n_frames=12, size=120)
    thorax = CineLabels(np.where(labels.frames > 0, 13, 0), LA_4CH_CLASSES)
    by_motion = find_heart_box(cine, thorax, "published")
    assert by_motion is not None
    assert (by_motion.source, by_motion.rule) == ("motion", "published")
    still = CineMRI(cine.frames[:1].repeat(5, axis=0), cine.spacing_mm, np.arange(5.0), cine.affine, "la_4ch", 900.0)
    assert find_heart_box(still, None, "centred") is None


def test_the_heart_of_a_real_scan_is_inside_its_box(realdata: Path) -> None:
    """Read off the picture: the chambers of that heart lie in rows 83 to 177 and columns 66 to 158."""
    cine = read_recording(realdata / "cine" / "siemens_4ch")
    assert isinstance(cine, CineMRI)
    box = find_heart_box(cine, None, "centred")
    assert box is not None
    assert overlap(box, HeartBox(83, 66, 95, 93)) > 0.75
