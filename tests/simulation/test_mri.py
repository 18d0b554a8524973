"""The simulated cine: the same heart in every plane, repeatable, and with the volumes that were asked for."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from time import process_time

import numpy as np
import pytest

from napari_latent_explorer.data.cine import LA_4CH_CLASSES, CineLabels, CineMRI
from napari_latent_explorer.simulation.factors import ParticipantFactors
from napari_latent_explorer.simulation.heart import PLANE_NORMAL, Heart
from napari_latent_explorer.simulation.mri import ImagingGrid, simulate_cine, simulate_plane, simulate_short_axis

MakeFactors = Callable[..., ParticipantFactors]

HEARTS = {
    "healthy": {},
    "dilated": {"lvm_g": 250.0, "lvedv_ml": 300.0, "lvesv_ml": 190.0, "rvedv_ml": 280.0, "rvesv_ml": 160.0},
    "small": {"lvm_g": 55.0, "lvedv_ml": 90.0, "lvesv_ml": 32.0, "rvedv_ml": 95.0, "rvesv_ml": 36.0},
    "hypertrophic": {"lvm_g": 200.0, "lvedv_ml": 140.0, "lvesv_ml": 40.0, "septal_asymmetry": 1.2},
}


def simpson_ml(cine: CineMRI, labels: CineLabels, frame: int, *classes: int) -> float:
    """Sum of the areas of some classes over a stack times the step between its slices."""
    return float(np.isin(labels.frames[frame], classes).sum() * np.prod(cine.spacing_mm) / 1e3)


@pytest.mark.parametrize("changes", HEARTS.values(), ids=HEARTS.keys())
def test_short_axis_stack_holds_the_volumes_of_the_factors(
    changes: dict[str, object], make_factors: MakeFactors
) -> None:
    factors = make_factors(**changes)
    cycle = Heart(factors).cycle
    cine, labels = simulate_short_axis(factors, n_slices=28, n_frames=25, spacing_mm=(5.0, 1.8, 1.8))
    end_systole = round(25 * cycle.end_systole_ms / cycle.rr_ms)
    assert simpson_ml(cine, labels, 0, 4) == pytest.approx(factors.lvedv_ml, rel=0.04)
    assert simpson_ml(cine, labels, end_systole, 4) == pytest.approx(factors.lvesv_ml, rel=0.05)
    assert simpson_ml(cine, labels, 0, 5) == pytest.approx(factors.rvedv_ml, rel=0.04)
    assert simpson_ml(cine, labels, end_systole, 5) == pytest.approx(factors.rvesv_ml, rel=0.06)
    for frame in (0, end_systole):
        assert 1.05 * simpson_ml(cine, labels, frame, 2, 3) == pytest.approx(factors.lvm_g, rel=0.05)


def test_the_same_factors_give_the_same_cine_and_another_seed_another_noise(make_factors: MakeFactors) -> None:
    factors = make_factors()
    first, first_labels = simulate_cine(factors, n_frames=4)
    again, again_labels = simulate_cine(factors, n_frames=4)
    other, other_labels = simulate_cine(replace(factors, seed=2), n_frames=4)
    np.testing.assert_array_equal(first.frames, again.frames)
    np.testing.assert_array_equal(first_labels.frames, again_labels.frames)
    assert not np.array_equal(first.frames, other.frames)
    is_heart = (first_labels.frames >= 8) & (first_labels.frames <= 11)
    np.testing.assert_array_equal(is_heart, (other_labels.frames >= 8) & (other_labels.frames <= 11))


def test_a_cine_is_on_the_grid_of_the_model_with_every_structure(make_factors: MakeFactors) -> None:
    cine, labels = simulate_cine(make_factors())
    assert cine.frames.shape == labels.frames.shape == (50, 1, 96, 96)
    assert cine.frames.dtype == np.uint8
    assert cine.imaging_plane == "la_4ch"
    assert cine.spacing_mm[1:] == pytest.approx((1.8, 1.8))
    assert cine.rr_interval_ms == pytest.approx(60_000 / 62)
    assert set(np.unique(labels.frames)) == {0, 1, 2, 3, 4, 5, 6, 8, 9, 10, 11, 12, 13}
    assert labels.names == LA_4CH_CLASSES


def test_one_participant_takes_less_than_a_quarter_of_a_second(make_factors: MakeFactors) -> None:
    durations = []
    for seed in range(3):
        begun = process_time()
        simulate_cine(make_factors(seed=seed))
        durations.append(process_time() - begun)
    assert min(durations) < 0.25


def lv_middle_mm(factors: ParticipantFactors) -> np.ndarray:
    """Middle of the LV cavity in the first frame, rows and columns in mm."""
    _, labels = simulate_cine(factors, n_frames=1)
    return 1.8 * np.argwhere(labels.frames[0, 0] == 11).mean(axis=0)


def test_the_heart_lies_where_its_offset_puts_it(make_factors: MakeFactors) -> None:
    moved = lv_middle_mm(make_factors(heart_offset_mm=(6.0, -9.0))) - lv_middle_mm(make_factors())
    np.testing.assert_allclose(moved, (6.0, -9.0), atol=0.6)


def test_a_breath_held_higher_moves_the_heart_up(make_factors: MakeFactors) -> None:
    moved = lv_middle_mm(make_factors(breathing_position_mm=12.0)) - lv_middle_mm(make_factors())
    assert moved[0] < -3.0


def test_rotation_turns_the_long_axis(make_factors: MakeFactors) -> None:
    def axis_deg(factors: ParticipantFactors) -> float:
        _, labels = simulate_cine(factors, n_frames=1)
        rows, columns = (labels.frames[0, 0] == 11).nonzero()
        _, axes = np.linalg.eigh(np.cov(columns, rows))
        return float(np.rad2deg(np.arctan2(axes[1, 1], axes[0, 1])) % 180.0)

    turned = axis_deg(make_factors(heart_rotation_deg=15.0)) - axis_deg(make_factors(heart_rotation_deg=-10.0))
    assert turned == pytest.approx(25.0, abs=2.0)


def test_long_and_short_axis_agree_where_they_cross(make_factors: MakeFactors) -> None:
    heart = Heart(make_factors())
    h, s, n = heart.axes
    grid = ImagingGrid.centred(heart.to_patient(40.0, 10.0), (h, n, -0.5 * s), (1, 1, 240))
    _, long_axis = simulate_plane(heart, grid, 10, "la_4ch")
    _, short_axis = simulate_plane(heart, grid, 10, "sa")
    for long_class, short_class in ((11, 4), (9, 5), (5, 2), (4, 3), (1, 1)):
        is_there = long_axis.frames == long_class
        assert is_there.any()
        np.testing.assert_array_equal(is_there, short_axis.frames == short_class)


def test_blood_is_brighter_than_muscle_and_lung_is_black(make_factors: MakeFactors) -> None:
    cine, labels = simulate_cine(make_factors(pericardial_fat_mm=3.0), n_frames=10)
    blood, septum = (float(np.median(cine.frames[labels.frames == value])) for value in (11, 5))
    lung = float(np.percentile(cine.frames[labels.frames == 13], 25))
    assert lung < 0.5 * septum < 0.25 * blood


def test_fat_around_the_heart_and_in_the_chest_wall_shows(make_factors: MakeFactors) -> None:
    def bright_share(value: int, **changes: object) -> float:
        cine, labels = simulate_cine(make_factors(**changes), n_frames=1)
        return float(np.mean((labels.frames == value) & (cine.frames > 150)))

    assert bright_share(13, pericardial_fat_mm=10.0) > bright_share(13, pericardial_fat_mm=2.0) + 0.03
    assert bright_share(0, chest_wall_mm=32.0) > bright_share(0, chest_wall_mm=14.0) + 0.01


@pytest.mark.parametrize("quality", ["ghosting", "motion"])
def test_a_bad_cine_differs_from_the_good_one_but_its_labels_do_not(quality: str, make_factors: MakeFactors) -> None:
    good, good_labels = simulate_cine(make_factors(), n_frames=5)
    bad, bad_labels = simulate_cine(make_factors(mri_quality=quality), n_frames=5)
    np.testing.assert_array_equal(good_labels.frames, bad_labels.frames)
    assert np.corrcoef(good.frames.ravel(), bad.frames.ravel())[0, 1] < 0.75


def test_the_wrong_plane_is_another_plane_of_the_same_heart(make_factors: MakeFactors) -> None:
    good, good_labels = simulate_cine(make_factors(), n_frames=2)
    for seed in range(5):
        wrong, wrong_labels = simulate_cine(make_factors(mri_quality="wrong_plane", seed=seed), n_frames=2)
        normal = wrong.affine[:3, 0] / np.linalg.norm(wrong.affine[:3, 0])
        assert abs(normal @ PLANE_NORMAL) < 0.51
        assert wrong.spacing_mm == pytest.approx(good.spacing_mm)
        in_common = np.mean(good_labels.frames == wrong_labels.frames)
        assert in_common < 0.85


def test_the_plane_lies_as_on_a_scanner(make_factors: MakeFactors, realdata: Path) -> None:
    pydicom = pytest.importorskip("pydicom")
    first = sorted((realdata / "cine" / "siemens_4ch").glob("*.dcm"))[0]
    orientation = np.array(pydicom.dcmread(first).ImageOrientationPatient, dtype=float)
    cine, _ = simulate_cine(make_factors(), n_frames=1)
    columns, rows = cine.affine[:3, 2] / 1.8, cine.affine[:3, 1] / 1.8
    np.testing.assert_allclose(columns, orientation[:3], atol=0.01)
    np.testing.assert_allclose(rows, orientation[3:], atol=0.01)
