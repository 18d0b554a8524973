"""What stands still around the heart in bSSFP: lungs with vessels, mediastinum, aorta, spine, liver, chest wall.

Everything is placed from the participant's heart: the aorta and the spine behind the left atrium, the chest wall in
front of the apex, the liver under the right ventricle.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from napari_latent_explorer.simulation.heart import COLUMN_AXIS, PLANE_NORMAL, ROW_AXIS, Heart
from napari_latent_explorer.simulation.surfaces import AnyFloats, Floats

AIR, LUNG, BLOOD, FAT, LIVER, MUSCLE, BONE, CEREBROSPINAL_FLUID = 0.015, 0.05, 0.66, 0.95, 0.18, 0.15, 0.09, 0.8
"""Signal of bSSFP at 1.5 T relative to fat, which is near 1; judged by eye on a Siemens 4-chamber cine."""

_SPINE_AXIS = np.array([0.03, 0.5, -0.86]) / np.linalg.norm([0.03, 0.5, -0.86])
_MUSCLE_MM = 8.0
_BLUR_MM = 2.6


@dataclass(frozen=True, slots=True)
class Surroundings:
    """The still picture ``(n_points,)`` and where its parts are."""

    signal: Floats
    is_aorta: NDArray[np.bool_]
    is_inside_chest: NDArray[np.bool_]
    is_liver: NDArray[np.bool_]
    is_body: NDArray[np.bool_]


class Thorax:
    """The surroundings of a heart.

    Parameters
    ----------
    heart
        Where and how large the heart is.
    """

    def __init__(self, heart: Heart) -> None:
        f = heart.factors
        rng = np.random.default_rng((f.seed, 11))
        apex = heart.to_patient(heart.apex_h, 0.0, resting=True)
        size = (f.height_cm / 170.0) ** 0.7 * (f.lvedv_ml / 140.0) ** 0.12
        self._half_width_mm = 132.0 * size
        self._half_depth_mm = 78.0 * size
        gap_mm = f.pericardial_fat_mm + rng.uniform(3.0, 7.0)
        self._middle_mm = apex[:2] + np.array(
            [-0.36 * self._half_width_mm, -0.57 * gap_mm + 0.93 * self._half_depth_mm]
        )
        self._chest_wall_mm = f.chest_wall_mm
        shape = heart.shape(np.array([heart.cycle.filling_begins_ms / heart.cycle.rr_ms]))
        roof_s = heart.atrial_septum_s - 0.9 * float(shape.la_radius[0, 0])
        roof = heart.to_patient(heart.la_roof_h, roof_s, resting=True)
        self._aorta_mm = 9.0 + 0.05 * f.age_years + rng.normal(0.0, 0.5)
        clearance = self._aorta_mm + 3.0
        self._aorta = roof - clearance * ROW_AXIS + (6.0 + rng.normal(0.0, 2.0)) * COLUMN_AXIS
        self._vertebra = self._aorta - 31.0 * COLUMN_AXIS - 4.0 * ROW_AXIS
        self._canal = self._vertebra - 24.0 * ROW_AXIS + 3.0 * COLUMN_AXIS
        diaphragm = np.array([0.0, 0.0, f.breathing_position_mm + rng.normal(0.0, 3.0)])
        rv_mm = float(shape.rv_thickness[0, 0])
        under_rv = heart.to_patient(0.62 * heart.apex_h, 0.75 * float(shape.lv_radius[0, 0]) + rv_mm, resting=True)
        self._liver_mm = np.array([88.0, 80.0]) * size
        self._liver = under_rv - 74.0 * COLUMN_AXIS + 62.0 * ROW_AXIS + diaphragm
        self._lung_vessels = _scatter(rng, 16, self._aorta + 45.0 * ROW_AXIS, (95.0, 70.0, 5.0), (0.8, 3.2))
        hila = np.stack([self._vertebra - 34.0 * COLUMN_AXIS, self._aorta + 34.0 * COLUMN_AXIS])
        hila = np.repeat(hila, 3, axis=0) + rng.normal(0.0, 6.0, (6, 3))
        self._hila = np.column_stack([hila, rng.uniform(2.5, 5.5, 6)])
        self._liver_vessels = _scatter(rng, 36, self._liver - 30.0 * ROW_AXIS, (70.0, 50.0, 3.0), (1.0, 2.8))
        self._heart = heart
        self._mottle_waves = rng.normal(0.0, 2.0 * np.pi / 120.0, (5, 3))

    def at(self, points_mm: NDArray[np.float64]) -> Surroundings:
        """Picture of the surroundings at patient points ``(n_points, 3)`` in mm."""
        points = points_mm.astype(np.float32)
        wall = self._wall_distance(points)
        liver = np.maximum(_blob_distance(points - self._liver, self._liver_mm), wall)
        aorta = _pillar_distance(points - self._aorta, self._aorta_mm)
        signal = np.full(len(points), AIR, dtype=np.float32)
        fat_mm = max(self._chest_wall_mm - _MUSCLE_MM, 3.0)
        paint(signal, MUSCLE, wall - fat_mm - _MUSCLE_MM - 1.5)
        paint(signal, FAT, wall - fat_mm - _MUSCLE_MM)
        paint(signal, MUSCLE, wall - _MUSCLE_MM)
        ribs = 0.5 + 0.5 * np.sin(points @ (0.16 * COLUMN_AXIS + 0.11 * ROW_AXIS).astype(np.float32))
        paint(signal, FAT * 0.55, np.abs(wall - 0.5 * _MUSCLE_MM) - 1.6 * ribs)
        paint(signal, LUNG, wall)
        self._paint_vessels(signal, points, wall, self._lung_vessels, 0.32)
        self._paint_mediastinum(signal, points, aorta)
        paint(signal, LIVER, liver)
        self._paint_vessels(signal, points, liver + 4.0, self._liver_vessels, 0.48)
        signal *= 1.0 + 0.04 * np.sum(np.sin(points @ self._mottle_waves.T.astype(np.float32)), axis=1)
        is_aorta = aorta < 0.0
        return Surroundings(signal, is_aorta, wall < 0.0, liver < 0.0, wall < fat_mm + _MUSCLE_MM)

    def _paint_mediastinum(self, signal: Floats, points: Floats, aorta: Floats) -> None:
        spine = _pillar_distance(points - self._vertebra, 15.0)
        paint(signal, MUSCLE, np.minimum(_pillar_distance(points - self._canal, 26.0), spine - 4.0))
        self._paint_vessels(signal, points, -9.0, self._hila, 0.6)
        paint(signal, 0.27, _pillar_distance(points - self._aorta + 17.0 * COLUMN_AXIS - 5.0 * ROW_AXIS, 5.5))
        paint(signal, MUSCLE, aorta - 1.5)
        paint(signal, BONE, spine)
        canal = _pillar_distance(points - self._canal, 8.0)
        paint(signal, CEREBROSPINAL_FLUID, canal)
        paint(signal, 0.35, canal + 4.0)
        paint(signal, BLOOD * 1.08, aorta)
        paint(signal, BLOOD, self._heart.pulmonary_veins(self._heart.locate(points)))

    def _paint_vessels(
        self, signal: Floats, points: Floats, inside: AnyFloats | float, vessels: NDArray[np.float64], value: float
    ) -> None:
        for vessel in vessels:
            distance = np.linalg.norm(points - vessel[:3].astype(np.float32), axis=1) - np.float32(vessel[3])
            paint(signal, value, np.maximum(distance, inside))

    def _wall_distance(self, points: Floats) -> Floats:
        """Signed distance to the inner side of the chest wall, an upright elliptic cylinder."""
        axes = np.array([self._half_width_mm, self._half_depth_mm])
        scaled = ((points[:, :2] - self._middle_mm) / axes).astype(np.float32)
        q = np.sqrt(np.sum(scaled**2, axis=1)) + np.float32(1e-6)
        slope = np.sqrt(np.sum((scaled / axes.astype(np.float32)) ** 2, axis=1)) / q + np.float32(1e-6)
        distance: Floats = ((q - 1.0) / slope).astype(np.float32)
        return distance


def coverage(distance: AnyFloats, width_mm: float = _BLUR_MM) -> Floats:
    """Part of a pixel that lies inside, from the signed distance of its centre: partial volume."""
    covered: Floats = np.clip(0.5 - distance * np.float32(1.0 / width_mm), 0.0, 1.0)
    return covered


def paint(signal: Floats, value: AnyFloats | float, distance: AnyFloats) -> None:
    """Cover `signal` in place with `value` where `distance` is negative, with soft edges."""
    signal += coverage(distance) * (np.asarray(value, dtype=np.float32) - signal)


def _blob_distance(offsets: AnyFloats, radii: NDArray[np.float64]) -> Floats:
    """Distance to an ellipsoid with radii along columns and along the two other axes."""
    columns = offsets @ COLUMN_AXIS / radii[0]
    rows, depth = offsets @ ROW_AXIS / radii[1], offsets @ PLANE_NORMAL / radii[1]
    q = np.sqrt(columns**2 + rows**2 + depth**2)
    distance: Floats = ((q - 1.0) * radii[1]).astype(np.float32)
    return distance


def _pillar_distance(offsets: AnyFloats, radius_mm: float) -> Floats:
    """Distance to a round pillar along the spine."""
    along = offsets @ _SPINE_AXIS
    across = np.sum(offsets**2, axis=1) - along**2
    distance: Floats = (np.sqrt(np.clip(across, 0.0, None)) - radius_mm).astype(np.float32)
    return distance


def _scatter(
    rng: np.random.Generator,
    n: int,
    middle_mm: NDArray[np.float64],
    spread_mm: tuple[float, float, float],
    radius_mm: tuple[float, float],
) -> NDArray[np.float64]:
    """Random balls ``(n, 4)``: position and radius in mm."""
    offsets = rng.uniform(-1.0, 1.0, (n, 3)) * spread_mm
    places = middle_mm + offsets @ np.stack([COLUMN_AXIS, ROW_AXIS, PLANE_NORMAL])
    return np.column_stack([places, rng.uniform(*radius_mm, n)])
