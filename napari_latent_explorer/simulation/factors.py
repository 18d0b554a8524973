"""The known factors of one simulated person: everything that their heart, their cine and their ECG follow from."""

from dataclasses import dataclass
from typing import Literal

MriQuality = Literal["good", "ghosting", "motion", "wrong_plane"]
EcgQuality = Literal["good", "spikes"]
Conduction = Literal["normal", "lbbb", "rbbb"]
Smoking = Literal["never", "previous", "current"]


@dataclass(frozen=True, slots=True)
class ParticipantFactors:
    """One simulated person. `seed` settles all that is random in their recordings (noise, coil shading, jitter)."""

    participant_id: str
    seed: int
    is_male: bool
    age_years: float
    height_cm: float
    weight_kg: float

    has_hypertension: bool
    has_diabetes: bool
    has_hypercholesterolemia: bool
    has_coronary_artery_disease: bool
    has_atrial_fibrillation: bool
    has_hypertrophic_cardiomyopathy: bool

    heart_rate_bpm: float
    lvm_g: float
    lvedv_ml: float
    lvesv_ml: float
    rvedv_ml: float
    rvesv_ml: float
    la_max_volume_ml: float
    la_min_volume_ml: float
    ra_max_volume_ml: float
    ra_min_volume_ml: float
    longitudinal_shortening: float
    """Fraction by which the LV shortens from base to apex; the radial part follows from it and the volumes."""
    septal_asymmetry: float
    """Extra thickness of the septum over the free wall as a fraction; near 0, above 0.5 in hypertrophic disease."""

    heart_rotation_deg: float
    """Rotation of the long axis in the frontal plane, relative to the population's mean; positive is more vertical."""
    heart_offset_mm: tuple[float, float]
    """Shift (rows, columns) of the heart in the 4-chamber field of view."""
    breathing_position_mm: float
    """Where the breath was held, along head-feet."""
    pericardial_fat_mm: float
    chest_wall_mm: float

    frontal_axis_deg: float
    pr_interval_ms: float
    qrs_duration_ms: float
    qt_interval_ms: float
    conduction: Conduction
    voltage_scale: float
    """Multiplies the cardiac dipole; carries the part of voltage that heart mass and body size do not explain."""

    mri_quality: MriQuality
    ecg_quality: EcgQuality
    smoking: Smoking | None = None
    """None when the person did not answer."""

    @property
    def bmi_kg_m2(self) -> float:
        """Body mass index."""
        return self.weight_kg / (self.height_cm / 100.0) ** 2
