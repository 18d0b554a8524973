"""How bSSFP shows a beating heart: bright blood, grey muscle, fat in the grooves, trabeculae and valves."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from napari_latent_explorer.simulation.heart import Heart, HeartDistances, HeartPoints, HeartShape
from napari_latent_explorer.simulation.surfaces import Floats
from napari_latent_explorer.simulation.thorax import BLOOD, FAT, coverage, paint

_MYOCARDIUM = 0.22
_VALVE = 0.2
_PAPILLARY = 0.19
"""Thickness of a papillary muscle over the radius of the LV cavity."""


@dataclass(frozen=True, slots=True)
class Texture:
    """Random patterns ``(n_points,)`` that ride on the blood and on the trabeculae."""

    flow_cosine: Floats
    flow_sine: Floats
    trabeculae: Floats
    fat: Floats
    """Thickness of the fat around the heart over its mean."""
    veins: Floats
    """Distance to the pulmonary veins in mm."""

    @classmethod
    def of(cls, heart: Heart, at: HeartPoints, rng: np.random.Generator) -> "Texture":
        """Draw the patterns of one slice and lay out the fat: much at the apex and the groove, little on the atria."""

        def pattern(wavelength_mm: float) -> Floats:
            waves = rng.normal(size=(6, 3))
            waves *= (
                2.0 * np.pi / wavelength_mm * rng.uniform(0.6, 1.3, (6, 1)) / np.linalg.norm(waves, axis=1)[:, None]
            )
            turns = rng.uniform(0.0, 2.0 * np.pi, (6, 1)).astype(np.float32)
            waved: Floats = np.sum(np.sin(waves.astype(np.float32) @ np.stack([at.h, at.s, at.n]) + turns), axis=0)
            return waved / np.float32(np.sqrt(3.0))

        apex = np.exp(-(((at.h - heart.apex_h) / 16.0) ** 2))
        groove = np.exp(-(((at.h - 4.0) / 12.0) ** 2))
        atria = coverage(at.h + 8.0, 20.0)
        fat = np.clip(0.34 + 0.25 * pattern(90.0), 0.1, 0.9) * (1.0 - 0.8 * atria) + 1.2 * apex + 0.5 * groove
        return cls(pattern(32.0), pattern(32.0), pattern(9.0), fat, heart.pulmonary_veins(at))


def render_heart(
    heart: Heart,
    at: HeartPoints,
    shape: HeartShape,
    d: HeartDistances,
    still: Floats,
    texture: Texture,
    phases: NDArray[np.float64],
) -> Floats:
    """Paint the heart over its surroundings, from the pericardium inwards."""
    signal = np.repeat(still[None], len(phases), axis=0)
    fat_mm = heart.factors.pericardial_fat_mm * texture.fat
    pericardium = d.pericardium - fat_mm
    paint(signal, 0.11, pericardium - 1.3)
    paint(signal, FAT * 0.85, pericardium)
    paint(signal, _MYOCARDIUM, np.minimum(d.la_wall, texture.veins - 1.3))
    paint(signal, BLOOD, texture.veins)
    for wall in (d.ra_wall, d.rv_wall, d.lv_wall, d.atrial_septum):
        paint(signal, _MYOCARDIUM, wall)
    turn = (2.0 * np.pi * phases).astype(np.float32)[:, None]
    blood = BLOOD * (1.0 + 0.05 * (np.cos(turn) * texture.flow_cosine + np.sin(turn) * texture.flow_sine))
    depth = np.clip((at.h - shape.tricuspid_h) / (shape.rv_tip_h - shape.tricuspid_h), 0.0, 1.0)
    trabecular = coverage(0.8 - texture.trabeculae, 1.0) * np.clip(1.2 + d.rv_cavity * 0.11, 0.0, 1.0) * depth
    paint(signal, blood * (1.08 + 0.3 * coverage(at.h + 22.0, 30.0)), d.ra_cavity)
    paint(signal, blood * 1.05, d.la_cavity)
    paint(signal, blood * 0.97 * (1.0 - 0.6 * trabecular), d.rv_cavity)
    noncompacted = coverage(0.6 - texture.trabeculae, 1.0) * np.clip(1.0 + d.lv_cavity * 0.3, 0.0, 1.0)
    paint(signal, blood * (1.0 - 0.35 * noncompacted), d.lv_cavity)
    paint(signal, _MYOCARDIUM * 1.3, np.maximum(_moderator_band(at, shape), d.rv_cavity - 1.0))
    for papillary in _papillary_muscles(at, shape):
        paint(signal, _MYOCARDIUM * 1.1, np.maximum(papillary, d.lv_cavity - 1.0))
    for leaflet in _leaflets(heart, at, shape):
        paint(signal, 0.35 * signal + 0.65 * _VALVE, leaflet)
    return signal


def _moderator_band(at: HeartPoints, shape: HeartShape) -> Floats:
    """Distance to the band that crosses the RV from the septum to the free wall, nearer to its tip."""
    slanting = shape.tricuspid_h + 0.6 * (shape.rv_tip_h - shape.tricuspid_h) - 0.25 * (at.s - shape.lv_radius)
    band: Floats = np.sqrt((at.h - slanting) ** 2 + (at.n + 1.5) ** 2) - np.float32(1.6)
    return band


def _papillary_muscles(at: HeartPoints, shape: HeartShape) -> list[Floats]:
    """Distances to the two papillary muscles, which thicken as the cavity shrinks."""
    along = (at.h - shape.lv_centre_h) / shape.lv_length
    inset = 0.8 * shape.lv_radius * np.sqrt(np.clip(1.0 - along * along, 0.05, 1.0))
    muscles = []
    for angle in np.deg2rad([168.0, -125.0]):
        s, n = inset * np.float32(np.cos(angle)), inset * np.float32(np.sin(angle))
        thickness = np.float32(_PAPILLARY) * shape.lv_radius
        across = ((at.s - s) ** 2 + (at.n - n) ** 2) / thickness**2
        muscles.append((np.sqrt(across + ((along - 0.28) / 0.36) ** 2) - 1.0) * thickness)
    return muscles


def _leaflets(heart: Heart, at: HeartPoints, shape: HeartShape) -> list[Floats]:
    """Distances to the four leaflets that the 4-chamber plane cuts: thin, hinged at the annulus, tented when shut."""
    mitral = np.sqrt(np.float32(1.0 - 0.7**2)) * shape.lv_radius
    septum = mitral + shape.wall * np.float32(1.0 + heart.factors.septal_asymmetry)
    far = septum + shape.rv_thickness
    hinges = (
        (-mitral, 1.0, 0.95 * mitral, shape.mitral_h),
        (mitral, -1.0, 1.05 * mitral, shape.mitral_h),
        (septum, 1.0, 0.45 * (far - septum), shape.tricuspid_h),
        (far, -1.0, 0.55 * (far - septum), shape.tricuspid_h),
    )
    swing = np.float32(0.16) + np.float32(1.05) * shape.opening
    cosine, sine = np.cos(swing), np.sin(swing)
    distances = []
    for hinge, direction, length, base in hinges:
        s, h = (at.s - hinge) * np.float32(direction), at.h - base
        along = np.clip(s * cosine + h * sine, 0.0, length)
        across = np.sqrt((s - along * cosine) ** 2 + (h - along * sine) ** 2)
        distances.append(np.maximum(across - 0.75, np.abs(at.n) - 0.8 * mitral))
    return distances
