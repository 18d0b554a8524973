"""A healthy participant whose factors a test may change."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from napari_latent_explorer.simulation.factors import ParticipantFactors


@pytest.fixture(scope="session")
def make_factors() -> Callable[..., ParticipantFactors]:
    """Build a healthy man of 55, with changes by name."""
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

    def make(**changes: object) -> ParticipantFactors:
        return replace(healthy, **changes)

    return make
