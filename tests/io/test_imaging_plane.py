import numpy as np
import pytest

from napari_latent_explorer.io.imaging_plane import guess_imaging_plane

LONG_AXIS = np.array([0.66, -0.60, -0.45])
ACROSS_FOUR_CHAMBERS = np.array([0.05, 0.82, -0.57])


def turned(direction: np.ndarray, angle_deg: float, away_from: np.ndarray) -> np.ndarray:
    """Turn a direction by an angle, in the plane of both and away from the other."""
    unit = direction / np.linalg.norm(direction)
    away = -(away_from - (away_from @ unit) * unit)
    angle = np.radians(angle_deg)
    return np.cos(angle) * unit + np.sin(angle) * away / np.linalg.norm(away)


@pytest.mark.parametrize(("normal", "plane"), [(LONG_AXIS, "sa"), (ACROSS_FOUR_CHAMBERS, "la_4ch")])
def test_neither_sign_nor_length_of_the_normal_matters(normal: np.ndarray, plane: str) -> None:
    assert {guess_imaging_plane(factor * normal) for factor in (1.0, -1.0, 7.5, -0.01)} == {plane}


@pytest.mark.parametrize(
    ("angle_deg", "plane"), [(22.0, "sa"), (40.0, "unknown"), (-22.0, "sa")], ids=["inside", "outside", "other side"]
)
def test_a_short_axis_may_lie_20_degrees_off(angle_deg: float, plane: str) -> None:
    side = ACROSS_FOUR_CHAMBERS * np.sign(ACROSS_FOUR_CHAMBERS @ LONG_AXIS)
    assert guess_imaging_plane(turned(LONG_AXIS, angle_deg, side)) == plane


def test_planes_of_the_body_are_unknown() -> None:
    assert guess_imaging_plane(np.array([0.0, 0.0, 1.0])) == "unknown"  # transverse
    assert guess_imaging_plane(np.array([1.0, 0.0, 0.0])) == "unknown"  # sagittal
