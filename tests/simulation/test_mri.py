"""The simulated cine: the same heart in every plane, repeatable, and with the volumes that were asked for."""

from dataclasses import replace
from time import perf_counter

import numpy as np
import pytest

from napari_latent_explorer.data.cine import LA_4CH_CLASSES, CineLabels, CineMRI
from napari_latent_explorer.simulation.factors import ParticipantFactors
from napari_latent_explorer.simulation.heart import Heart
from napari_latent_explorer.simulation.mri import simulate_cine, simulate_short_axis


def make_factors(**changes: object) -> ParticipantFactors:
    """Build a healthy man of 55."""
    healthy = ParticipantFactors(
        participant_id="SIM000001",
        seed=1,
        is_male=True,
        age_years=55.0,
        height_cm=172.0,
        weight_kg=78.0,
        has_hypertension=False,
        has_diabetes=False,
        has_hypercholesterolemia=False,
        has_coronary_artery_disease=False,
        has_atrial_fibrillation=False,
        has_hypertrophic_cardiomyopathy=False,
        heart_rate_bpm=62.0,
        lvm_g=95.0,
        lvedv_ml=150.0,
        lvesv_ml=60.0,
        rvedv_ml=160.0,
        rvesv_ml=68.0,
        la_max_volume_ml=72.0,
        la_min_volume_ml=30.0,
        ra_max_volume_ml=80.0,
        ra_min_volume_ml=42.0,
        longitudinal_shortening=0.15,
        septal_asymmetry=0.08,
        heart_rotation_deg=0.0,
        heart_offset_mm=(0.0, 0.0),
        breathing_position_mm=0.0,
        pericardial_fat_mm=4.0,
        chest_wall_mm=24.0,
        frontal_axis_deg=40.0,
        pr_interval_ms=160.0,
        qrs_duration_ms=90.0,
        qt_interval_ms=400.0,
        conduction="normal",
        voltage_scale=1.0,
        mri_quality="good",
        ecg_quality="good",
    )
    return replace(healthy, **changes)


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
def test_short_axis_stack_holds_the_volumes_of_the_factors(changes: dict[str, object]) -> None:
    factors = make_factors(**changes)
    cycle = Heart(factors).cycle
    cine, labels = simulate_short_axis(factors, n_slices=28, n_frames=100, spacing_mm=(5.0, 1.8, 1.8))
    end_systole = round(100 * cycle.end_systole_ms / cycle.rr_ms)
    assert simpson_ml(cine, labels, 0, 4) == pytest.approx(factors.lvedv_ml, rel=0.04)
    assert simpson_ml(cine, labels, end_systole, 4) == pytest.approx(factors.lvesv_ml, rel=0.05)
    assert simpson_ml(cine, labels, 0, 5) == pytest.approx(factors.rvedv_ml, rel=0.04)
    assert simpson_ml(cine, labels, end_systole, 5) == pytest.approx(factors.rvesv_ml, rel=0.06)
    for frame in (0, end_systole):
        assert 1.05 * simpson_ml(cine, labels, frame, 2, 3) == pytest.approx(factors.lvm_g, rel=0.05)


def test_the_same_factors_give_the_same_cine_and_another_seed_another_noise() -> None:
    factors = make_factors()
    first, first_labels = simulate_cine(factors, n_frames=4)
    again, again_labels = simulate_cine(factors, n_frames=4)
    other, other_labels = simulate_cine(replace(factors, seed=2), n_frames=4)
    np.testing.assert_array_equal(first.frames, again.frames)
    np.testing.assert_array_equal(first_labels.frames, again_labels.frames)
    assert not np.array_equal(first.frames, other.frames)
    is_heart = (first_labels.frames >= 8) & (first_labels.frames <= 11)
    np.testing.assert_array_equal(is_heart, (other_labels.frames >= 8) & (other_labels.frames <= 11))


def test_a_cine_is_on_the_grid_of_the_model_with_every_structure() -> None:
    cine, labels = simulate_cine(make_factors())
    assert cine.frames.shape == labels.frames.shape == (50, 1, 96, 96)
    assert cine.frames.dtype == np.uint8
    assert cine.imaging_plane == "la_4ch"
    assert cine.spacing_mm[1:] == pytest.approx((1.8, 1.8))
    assert cine.rr_interval_ms == pytest.approx(60_000 / 62)
    assert set(np.unique(labels.frames)) == {0, 1, 2, 3, 4, 5, 6, 8, 9, 10, 11, 12, 13}
    assert labels.names == LA_4CH_CLASSES


def test_one_participant_takes_less_than_a_quarter_of_a_second() -> None:
    durations = []
    for seed in range(3):
        begun = perf_counter()
        simulate_cine(make_factors(seed=seed))
        durations.append(perf_counter() - begun)
    assert min(durations) < 0.25
