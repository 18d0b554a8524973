"""Signed distances to the surfaces that hearts are built from, and the closed forms of their volumes.

Distances are first order, so exact near the surface, and negative inside.
"""

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float32]
AnyFloats = NDArray[Any]


def cut_ellipsoid_factor(cut: ArrayLike) -> NDArray[np.float64]:
    """Volume of a cut ellipsoid over ``pi radius**2 length``: the integral of ``1 - x**2`` from ``-cut`` to 1."""
    cut = np.asarray(cut, dtype=np.float64)
    return (1.0 + cut) - (1.0 + cut**3) / 3.0


def twice_cut_ball_factor(cut: float, side_cut: float) -> float:
    """Volume over ``radius**2 length`` of an ellipsoid cut across and along its axis, in semi-axes from its centre."""
    x, weights = np.polynomial.legendre.leggauss(64)
    middle, half = 0.5 * (cut - 1.0), 0.5 * (cut + 1.0)
    disc = np.sqrt(1.0 - (middle + half * x) ** 2)
    chord = np.clip(side_cut / disc, -1.0, 1.0)
    area = disc**2 * (np.pi - np.arccos(chord) + chord * np.sqrt(1.0 - chord**2))
    return float(half * area @ weights)


def ellipsoid_distance(r: Floats, x: Floats, radius: Floats, length: Floats) -> Floats:
    """Distance to the ellipsoid of revolution ``(r / radius)**2 + (x / length)**2 = 1``."""
    across, along = (r / radius) ** 2, (x / length) ** 2
    root = np.sqrt(across + along)
    slope = np.sqrt(across / radius**2 + along / length**2) + np.float32(1e-6)
    distance: Floats = (root - np.float32(1.0)) * root / slope
    return distance


def rounded_cut(distance: Floats, plane: Floats, edge_mm: float) -> Floats:
    """Distance to a body that a plane cuts off, its edge rounded."""
    across, along = distance + np.float32(edge_mm), plane + np.float32(edge_mm)
    corner = np.sqrt(np.maximum(across, 0.0) ** 2 + np.maximum(along, 0.0) ** 2)
    rounded: Floats = corner + np.minimum(np.maximum(across, along), 0.0) - np.float32(edge_mm)
    return rounded


def melt(a: Floats, b: Floats, groove_mm: float) -> Floats:
    """Distance to the union of two bodies whose groove is filled up."""
    overlap = np.maximum(np.float32(groove_mm) - np.abs(a - b), 0.0)
    melted: Floats = np.minimum(a, b) - overlap * overlap * np.float32(0.25 / groove_mm)
    return melted


def capsule_distance(
    offsets: tuple[Floats, Floats, Floats], toward: NDArray[np.float64], length_mm: float, radius_mm: float
) -> Floats:
    """Distance to a round rod from the origin along the unit vector `toward`, a little wider where it begins."""
    along = sum(offset * np.float32(part) for offset, part in zip(offsets, toward, strict=True))
    along = np.clip(along, 0.0, length_mm)
    square = sum((offset - along * np.float32(part)) ** 2 for offset, part in zip(offsets, toward, strict=True))
    distance: Floats = np.sqrt(square) - (np.float32(radius_mm) + np.float32(0.08) * (length_mm - along))
    return distance
