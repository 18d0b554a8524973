"""One three-dimensional beating heart as signed distances, so that any plane through it shows the same heart.

The heart's own axes are ``h`` (base to apex), ``s`` (from the long axis towards the right ventricle) and ``n`` (normal
of the 4-chamber plane), in mm, with ``h = 0`` at the mitral plane in end diastole. The apex stands still and the base
comes down.

The one hard idea: every shape is chosen so that its volume has a closed form, and each frame's shape is solved from the
volumes that the factors ask for. The LV cavity is a truncated prolate ellipsoid. Its outer surface is another, whose
radius may depend on the angle around the axis; muscle keeps its volume. The RV lies on that outer surface, thick
``T (1 - u**2) c(angle)`` with ``u`` running from the tricuspid plane to the RV apex: its volume is quadratic in ``T``.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from napari_latent_explorer.simulation.cycle import HeartCycle
from napari_latent_explorer.simulation.factors import ParticipantFactors
from napari_latent_explorer.simulation.surfaces import (
    AnyFloats,
    Floats,
    capsule_distance,
    cut_ellipsoid_factor,
    ellipsoid_distance,
    melt,
    rounded_cut,
    twice_cut_ball_factor,
)

MYOCARDIUM_G_PER_ML = 1.05

COLUMN_AXIS = np.array([0.9954, 0.0, 0.0958]) / np.linalg.norm([0.9954, 0.0, 0.0958])
"""Direction (LPS) of increasing columns of the 4-chamber plane: to the patient's left."""
PLANE_NORMAL = np.cross(COLUMN_AXIS, [0.0788, -0.5693, -0.8183])
PLANE_NORMAL /= np.linalg.norm(PLANE_NORMAL)
ROW_AXIS = np.cross(PLANE_NORMAL, COLUMN_AXIS)
"""Direction (LPS) of increasing rows of the 4-chamber plane: forward and down."""

_LONG_AXIS_DEG = 61.0
"""Mean angle in the 4-chamber plane from the columns' direction to the long axis."""
_LV_CUT = 0.7
"""The mitral plane cuts the LV ellipsoid this part of a semi-axis above its equator."""
_LV_APEX_THICKNESS = 0.55
_RV_EDGE = float(np.cos(np.deg2rad(82.0)))
_RV_REACH = 0.9
TRICUSPID_OFFSET_MM = 4.0
_ATRIAL_CUT = 0.5
"""Where the valve plane and the atrial septum cut the atria, in semi-axes from their centre."""
_ATRIAL_SEPTAL_CUT = 0.8
_ATRIAL_FACTOR = twice_cut_ball_factor(_ATRIAL_CUT, _ATRIAL_SEPTAL_CUT)
_ATRIAL_SEPTUM_HALF_MM = 1.3
_EDGE_MM = 5.0
_GROOVE_MM = 16.0
_ATRIAL_EDGE_MM = 9.0
_VEIN_MM = 5.5
_VEINS = ((-0.88, 0.46, 0.1), (-0.45, -0.88, 0.1))
"""Ways of the right and the left pulmonary vein out of the left atrium, in the heart's axes."""
ATRIAL_WALL_MM = 2.2
RV_WALL_MM = 3.2
BREATHING_SHARE = 0.5
"""The heart follows this part of the diaphragm's way."""


@dataclass(frozen=True, slots=True)
class Volumes:
    """Volumes in ml at the phases asked for, each of their shape."""

    lv: NDArray[np.float64]
    rv: NDArray[np.float64]
    la: NDArray[np.float64]
    ra: NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class HeartShape:
    """What the surfaces follow from, ``(n_frames, 1)`` each, in mm: semi-axes, thicknesses, places along ``h``."""

    mitral_h: Floats
    lv_centre_h: Floats
    lv_radius: Floats
    lv_length: Floats
    wall: Floats
    outer_length: Floats
    tricuspid_h: Floats
    rv_tip_h: Floats
    rv_thickness: Floats
    la_radius: Floats
    la_length: Floats
    ra_radius: Floats
    ra_length: Floats
    opening: Floats


@dataclass(frozen=True, slots=True)
class HeartPoints:
    """Points in the heart's axes in mm, and what depends on their angle around the long axis, ``(n_points,)`` each."""

    h: Floats
    s: Floats
    n: Floats
    r: Floats
    septal: Floats
    """Relative wall thickness at this angle."""
    crescent: Floats
    """Relative RV thickness at this angle."""
    cosine: Floats
    """Of the angle around the long axis; 1 at the middle of the septum."""


@dataclass(frozen=True, slots=True)
class HeartDistances:
    """Signed distances in mm, ``(n_frames, n_points)`` each, negative inside; exact near the surface."""

    lv_cavity: Floats
    lv_wall: Floats
    rv_cavity: Floats
    rv_wall: Floats
    la_cavity: Floats
    la_wall: Floats
    ra_cavity: Floats
    ra_wall: Floats
    atrial_septum: Floats

    @property
    def surface(self) -> Floats:
        """Distance to the whole heart."""
        walls = (self.rv_wall, self.la_wall, self.ra_wall, self.atrial_septum)
        surface = self.lv_wall.copy()
        for wall in walls:
            np.minimum(surface, wall, out=surface)
        return surface

    @property
    def pericardium(self) -> Floats:
        """Distance to the heart with the grooves between its chambers filled, as fat fills them."""
        ventricles, atria = melt(self.lv_wall, self.rv_wall, _GROOVE_MM), np.minimum(self.la_wall, self.ra_wall)
        return melt(ventricles, atria, _GROOVE_MM)


class Heart:
    """The heart of one participant, in patient millimetres (LPS); the origin is the middle of the 4-chamber field.

    Parameters
    ----------
    factors
        The participant.
    """

    def __init__(self, factors: ParticipantFactors) -> None:
        self.factors = factors
        self.cycle = HeartCycle.of(factors)
        angle = np.deg2rad(_LONG_AXIS_DEG + factors.heart_rotation_deg)
        self.axes = np.stack(
            [
                np.cos(angle) * COLUMN_AXIS + np.sin(angle) * ROW_AXIS,
                -np.sin(angle) * COLUMN_AXIS + np.cos(angle) * ROW_AXIS,
                PLANE_NORMAL,
            ]
        )
        self._length_mm = 90.0 * (factors.lvedv_ml / 140.0) ** 0.28
        self._wall_moments = _angular_moments(factors.septal_asymmetry)
        end_diastole, end_systole = self._ventricles(np.array([0.0])), self._ventricles(np.array([1.0]))
        self.apex_h = float(self._length_mm + _LV_APEX_THICKNESS * end_diastole["wall"][0])
        base_radius = end_diastole["lv_radius"] + end_diastole["wall"] * (1.0 + factors.septal_asymmetry)
        self.atrial_septum_s = float(np.sqrt(1.0 - _LV_CUT**2) * base_radius[0]) - 2.5
        mitral_at_end_systole = self.apex_h - self._cavity_depth(end_systole)[0]
        self.la_roof_h = float(mitral_at_end_systole - 1.03 * (1e3 * factors.la_max_volume_ml) ** (1 / 3))
        self.ra_roof_h = float(mitral_at_end_systole + 3.0 - 1.12 * (1e3 * factors.ra_max_volume_ml) ** (1 / 3))
        self._filled = self.shape(np.array([self.cycle.filling_begins_ms / self.cycle.rr_ms]))
        shift = factors.heart_offset_mm[0] * ROW_AXIS + factors.heart_offset_mm[1] * COLUMN_AXIS
        self.resting_origin_mm = shift - self._middle() @ self.axes
        self.origin_mm = self.resting_origin_mm + np.array([0.0, 0.0, BREATHING_SHARE * factors.breathing_position_mm])

    def volumes_ml(self, phase: ArrayLike) -> Volumes:
        """Volumes of the four cavities.

        Parameters
        ----------
        phase
            Part of the cycle after the R peak, any shape.
        """
        f = self.factors
        emptied, filled = self.cycle.emptying(phase), self.cycle.atrial_filling(phase)
        return Volumes(
            lv=f.lvedv_ml - (f.lvedv_ml - f.lvesv_ml) * emptied,
            rv=f.rvedv_ml - (f.rvedv_ml - f.rvesv_ml) * emptied,
            la=f.la_min_volume_ml + (f.la_max_volume_ml - f.la_min_volume_ml) * filled,
            ra=f.ra_min_volume_ml + (f.ra_max_volume_ml - f.ra_min_volume_ml) * filled,
        )

    def to_patient(self, h: float, s: float, n: float = 0.0, *, resting: bool = False) -> NDArray[np.float64]:
        """Patient position ``(3,)`` in mm of a place in the heart's axes, at mean breathing where `resting`."""
        origin_mm = self.resting_origin_mm if resting else self.origin_mm
        position: NDArray[np.float64] = origin_mm + np.array([h, s, n]) @ self.axes
        return position

    def locate(self, points_mm: AnyFloats) -> HeartPoints:
        """Patient points ``(n_points, 3)`` in the heart's own axes."""
        h, s, n = (self.axes @ (points_mm - self.origin_mm).T).astype(np.float32)
        r = np.sqrt(s * s + n * n) + np.float32(1e-3)
        cosine = s / r
        return HeartPoints(h, s, n, r, self._septal(cosine), _crescent(cosine), cosine)

    def shape(self, phases: ArrayLike) -> HeartShape:
        """Shape at each phase ``(n_frames,)``."""
        phases = np.asarray(phases, dtype=np.float64)
        volumes = self.volumes_ml(phases)
        lv = self._ventricles(self.cycle.emptying(phases))
        mitral_h = self.apex_h - self._cavity_depth(lv)
        outer_length = lv["lv_length"] + _LV_APEX_THICKNESS * lv["wall"]
        tricuspid_h = mitral_h + TRICUSPID_OFFSET_MM
        rv_tip_h = mitral_h + _RV_REACH * (self.apex_h - mitral_h)
        la_length = (mitral_h - self.la_roof_h) / (1.0 + _ATRIAL_CUT)
        ra_length = (tricuspid_h - self.ra_roof_h) / (1.0 + _ATRIAL_CUT)
        fields = {
            **lv,
            "mitral_h": mitral_h,
            "lv_centre_h": self.apex_h - outer_length,
            "outer_length": outer_length,
            "tricuspid_h": tricuspid_h,
            "rv_tip_h": rv_tip_h,
            "rv_thickness": self._rv_thickness(lv, outer_length, tricuspid_h, rv_tip_h, volumes.rv),
            "la_length": la_length,
            "la_radius": np.sqrt(1e3 * volumes.la / (_ATRIAL_FACTOR * la_length)),
            "ra_length": ra_length,
            "ra_radius": np.sqrt(1e3 * volumes.ra / (_ATRIAL_FACTOR * ra_length)),
            "opening": self.cycle.valve_opening(phases),
        }
        return HeartShape(**{name: value.astype(np.float32)[:, None] for name, value in fields.items()})

    def distances(self, at: HeartPoints, shape: HeartShape) -> HeartDistances:
        """Distances of the points to every part of the heart in every frame."""
        x = at.h - shape.lv_centre_h
        above_mitral = shape.mitral_h - at.h
        above_tricuspid = shape.tricuspid_h - at.h
        cavity = ellipsoid_distance(at.r, x, shape.lv_radius, shape.lv_length)
        outer_radius = shape.lv_radius + shape.wall * at.septal
        outer = ellipsoid_distance(at.r, x, outer_radius, shape.outer_length)
        free_wall, thickness = _rv_free_wall(at, x, outer_radius, shape)
        rv_wall_mm = np.minimum(0.5 * thickness, np.float32(RV_WALL_MM))
        off_rv = np.maximum(at.h - shape.rv_tip_h - RV_WALL_MM, -outer)
        la, la_cavity = self._atrium(at, shape.la_radius, shape.la_length, above_mitral, self.la_roof_h, side=-1)
        ra, ra_cavity = self._atrium(at, shape.ra_radius, shape.ra_length, above_tricuspid, self.ra_roof_h, side=1)
        septum = np.abs(at.s - self.atrial_septum_s) - np.float32(_ATRIAL_SEPTUM_HALF_MM)
        return HeartDistances(
            lv_cavity=np.maximum(cavity, above_mitral),
            lv_wall=rounded_cut(outer, above_mitral, _EDGE_MM),
            rv_cavity=np.maximum(
                np.maximum(rounded_cut(free_wall, above_tricuspid, _EDGE_MM), -outer), 1.0 - thickness
            ),
            rv_wall=np.maximum(rounded_cut(free_wall - rv_wall_mm, above_tricuspid, _EDGE_MM), off_rv),
            la_cavity=la_cavity,
            la_wall=rounded_cut(la - ATRIAL_WALL_MM, -above_mitral, _ATRIAL_EDGE_MM),
            ra_cavity=ra_cavity,
            ra_wall=rounded_cut(ra - ATRIAL_WALL_MM, -above_tricuspid - ATRIAL_WALL_MM, _ATRIAL_EDGE_MM),
            atrial_septum=np.maximum(np.maximum(septum, np.maximum(la, ra) - 4.0), -above_mitral - 5.0),
        )

    def pulmonary_veins(self, at: HeartPoints) -> Floats:
        """Distance ``(n_points,)`` to the right and left pulmonary vein, which stand still."""
        shape = self._filled
        radius, length = float(shape.la_radius[0, 0]), float(shape.la_length[0, 0])
        start = (self.la_roof_h + length, self.atrial_septum_s - _ATRIAL_SEPTAL_CUT * radius, 0.0)
        offsets = (at.h - np.float32(start[0]), at.s - np.float32(start[1]), at.n)
        distances = [
            capsule_distance(offsets, np.array(toward) / np.linalg.norm(toward), radius + 8.0, _VEIN_MM)
            for toward in _VEINS
        ]
        return np.minimum(*distances)

    def _ventricles(self, emptied: NDArray[np.float64]) -> dict[str, NDArray[np.float64]]:
        """Semi-axes of the LV cavity and its mean wall thickness ``(n_frames,)`` in mm."""
        f = self.factors
        volume = 1e3 * (f.lvedv_ml - (f.lvedv_ml - f.lvesv_ml) * emptied)
        length = self._length_mm * (1.0 - f.longitudinal_shortening * emptied) / (1.0 + _LV_CUT)
        radius = np.sqrt(volume / (np.pi * length * cut_ellipsoid_factor(_LV_CUT)))
        return {"lv_radius": radius, "lv_length": length, "wall": self._wall(radius, length, volume)}

    def _wall(
        self, radius: NDArray[np.float64], length: NDArray[np.float64], cavity: NDArray[np.float64]
    ) -> NDArray[np.float64]:
        """Thickness at which the wall holds the participant's muscle, by bisection (the volume grows with it)."""
        first, second = self._wall_moments
        target = cavity + 1e3 * self.factors.lvm_g / MYOCARDIUM_G_PER_ML
        low, high = np.zeros_like(radius), np.full_like(radius, 60.0)
        for _ in range(36):
            wall = 0.5 * (low + high)
            outer_length = length + _LV_APEX_THICKNESS * wall
            area = np.pi * (radius**2 + 2.0 * radius * wall * first + wall**2 * second)
            is_small = area * outer_length * cut_ellipsoid_factor(_LV_CUT * length / outer_length) < target
            low, high = np.where(is_small, wall, low), np.where(is_small, high, wall)
        return 0.5 * (low + high)

    def _cavity_depth(self, lv: dict[str, NDArray[np.float64]]) -> NDArray[np.float64]:
        """From the outer apex to the mitral plane, in mm."""
        return (1.0 + _LV_CUT) * lv["lv_length"] + _LV_APEX_THICKNESS * lv["wall"]

    def _rv_thickness(
        self,
        lv: dict[str, NDArray[np.float64]],
        outer_length: NDArray[np.float64],
        tricuspid_h: NDArray[np.float64],
        rv_tip_h: NDArray[np.float64],
        volume_ml: NDArray[np.float64],
    ) -> NDArray[np.float64]:
        """Solve ``volume = linear T + square T**2`` for the RV's greatest thickness ``T`` in mm."""
        nodes, weights = np.polynomial.legendre.leggauss(24)
        u = 0.5 * (nodes + 1.0)
        depth = rv_tip_h - tricuspid_h
        h = tricuspid_h[:, None] + u * depth[:, None]
        x = (h - (self.apex_h - outer_length)[:, None]) / outer_length[:, None]
        along = 0.5 * depth * ((np.sqrt(np.clip(1.0 - x * x, 0.0, None)) * (1.0 - u * u)) @ weights)
        cosine = np.cos(_ANGLES)
        crescent = _crescent(cosine)
        around = np.mean(crescent) * lv["lv_radius"] + np.mean(crescent * self._septal(cosine)) * lv["wall"]
        linear = 2.0 * np.pi * along * around
        square = np.pi * np.mean(crescent**2) * depth * (8.0 / 15.0)
        thickness: NDArray[np.float64] = (np.sqrt(linear**2 + 4e3 * square * volume_ml) - linear) / (2.0 * square)
        return thickness

    def _septal(self, cosine: AnyFloats) -> AnyFloats:
        return 1.0 + self.factors.septal_asymmetry * _septal_weight(cosine)

    def _atrium(
        self, at: HeartPoints, radius: Floats, length: Floats, above_valve: Floats, roof_h: float, side: int
    ) -> tuple[Floats, Floats]:
        """Distances to the whole ellipsoid of an atrium and to its cavity, which valve and septum cut off."""
        inward = side * (at.s - self.atrial_septum_s) - _ATRIAL_SEPTUM_HALF_MM
        across = inward - _ATRIAL_SEPTAL_CUT * radius
        along = at.h - (roof_h + length)
        q = np.sqrt((across * across + at.n * at.n) / radius**2 + (along / length) ** 2)
        whole = (q - 1.0) * (0.5 * (radius + length))
        cavity = np.maximum(rounded_cut(whole, -above_valve, _ATRIAL_EDGE_MM), -inward)
        return np.maximum(whole, -inward - ATRIAL_WALL_MM), cavity

    def _middle(self) -> NDArray[np.float64]:
        """Find the middle of the box around the heart, in its axes; the field of view is centred on it."""
        full, relaxed = self._filled, self.shape(np.array([0.0]))
        la_s = self.atrial_septum_s - _ATRIAL_SEPTAL_CUT * full.la_radius
        ra_s = self.atrial_septum_s + _ATRIAL_SEPTAL_CUT * full.ra_radius
        balls = (
            (self.la_roof_h + full.la_length, la_s, full.la_length, full.la_radius),
            (self.ra_roof_h + full.ra_length, ra_s, full.ra_length, full.ra_radius),
            (relaxed.lv_centre_h, np.zeros(1), relaxed.outer_length, relaxed.lv_radius + relaxed.wall),
        )
        columns, rows = self.axes[:2] @ COLUMN_AXIS, self.axes[:2] @ ROW_AXIS
        middle = []
        for direction, room_mm in ((columns, 0.0), (rows, 8.0)):
            ends = []
            for h, s, along, across in balls:
                centre = float(np.squeeze(h * direction[0] + s * direction[1]))
                reach = float(np.squeeze(np.hypot(along * direction[0], across * direction[1])))
                ends += [centre - reach, centre + reach]
            middle.append(0.5 * (min(ends) - room_mm + max(ends)))
        return np.array([*(middle[0] * columns + middle[1] * rows), 0.0])


_ANGLES = np.linspace(0.0, 2.0 * np.pi, 720, endpoint=False)


def _septal_weight(cosine: AnyFloats) -> AnyFloats:
    """1 in the middle of the septum, 0 at the free wall."""
    return (0.5 * (1.0 + cosine)) ** 2


def _crescent(cosine: AnyFloats) -> AnyFloats:
    """Relative thickness of the RV around the long axis."""
    crescent: AnyFloats = np.clip((cosine - _RV_EDGE) / (1.0 - _RV_EDGE), 0.0, 1.0) ** 0.7
    return crescent


def _angular_moments(asymmetry: float) -> tuple[float, float]:
    thickness = 1.0 + asymmetry * _septal_weight(np.cos(_ANGLES))
    return float(np.mean(thickness)), float(np.mean(thickness**2))


def _rv_free_wall(at: HeartPoints, x: Floats, outer_radius: Floats, shape: HeartShape) -> tuple[Floats, Floats]:
    """Distance to the inner side of the RV free wall, and thickness of the RV there, in mm."""
    depth = shape.rv_tip_h - shape.tricuspid_h
    u = np.clip((at.h - shape.tricuspid_h) / depth, 0.0, 1.0)
    relative = x / shape.outer_length
    profile = np.sqrt(np.maximum(1.0 - relative * relative, 0.04))
    full = shape.rv_thickness * at.crescent
    thickness = full * (1.0 - u * u)
    slope = outer_radius * relative / (shape.outer_length * profile) + 2.0 * full * u / depth
    distance = (at.r - outer_radius * profile - thickness) / np.sqrt(1.0 + slope * slope)
    return distance, thickness
