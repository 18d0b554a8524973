import numpy as np
import pytest

from napari_latent_explorer.data.cine import ACDC_CLASSES, LA_4CH_CLASSES, MNMS_CLASSES, SA_CLASSES, CineLabels
from napari_latent_explorer.modeling.heart_position import HEART_CLASSES, center_from_labels, center_from_motion
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
