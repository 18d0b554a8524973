"""Cine MRI of a simulated heart: any plane of it, with a scanner's shading, faults and noise, and its label map."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from napari_latent_explorer.data.cine import LA_4CH_CLASSES, SA_CLASSES, CineLabels, CineMRI, ImagingPlane
from napari_latent_explorer.simulation import artefacts
from napari_latent_explorer.simulation.factors import ParticipantFactors
from napari_latent_explorer.simulation.heart import (
    COLUMN_AXIS,
    PLANE_NORMAL,
    ROW_AXIS,
    TRICUSPID_OFFSET_MM,
    Heart,
    HeartDistances,
    HeartPoints,
    HeartShape,
)
from napari_latent_explorer.simulation.rendering import Texture, render_heart
from napari_latent_explorer.simulation.surfaces import Floats
from napari_latent_explorer.simulation.thorax import Surroundings, Thorax

_WHITE = 215.0
"""Grey value of signal 1."""
_NEAR_HEART_MM = 6.0
_FRAMES_AT_ONCE = 5


@dataclass(frozen=True, slots=True)
class ImagingGrid:
    """Parallel slices of pixels in patient space.

    Attributes
    ----------
    affine
        ``(4, 4)`` index ``(slice, row, column, 1)`` to patient mm (LPS).
    shape
        Number of slices, rows and columns.
    """

    affine: NDArray[np.float64]
    shape: tuple[int, int, int]

    @classmethod
    def centred(
        cls,
        middle_mm: NDArray[np.float64],
        steps_mm: tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]],
        shape: tuple[int, int, int],
    ) -> "ImagingGrid":
        """Grid around a point, from the steps (LPS, mm) to the next slice, row and column."""
        affine = np.eye(4)
        affine[:3, :3] = np.stack(steps_mm, axis=1)
        affine[:3, 3] = middle_mm - affine[:3, :3] @ ((np.array(shape) - 1) / 2.0)
        return cls(affine, shape)

    @property
    def spacing_mm(self) -> tuple[float, float, float]:
        """Distance between slices, rows and columns."""
        slices, rows, columns = np.linalg.norm(self.affine[:3, :3], axis=0)
        return float(slices), float(rows), float(columns)

    def points_mm(self) -> NDArray[np.float64]:
        """Patient position ``(n_slices * n_rows * n_columns, 3)`` of every pixel."""
        index = np.indices(self.shape).reshape(3, -1)
        return (self.affine[:3, :3] @ index).T + self.affine[:3, 3]


def simulate_cine(
    factors: ParticipantFactors,
    plane: Literal["la_4ch", "sa"] = "la_4ch",
    n_frames: int = 50,
    size: int = 96,
    spacing_mm: float = 1.8,
) -> tuple[CineMRI, CineLabels]:
    """Simulate one slice over one heart cycle that starts at the R peak.

    Parameters
    ----------
    factors
        The participant; `seed` settles noise and shading, `mri_quality` what went wrong.
    plane
        4-chamber long axis, or a short axis through the middle of the LV.
    n_frames, size, spacing_mm
        Frames per cycle; rows and columns; mm per pixel.

    Returns
    -------
    cine, labels
        Frames are uint8; labels are on the same grid, of the plane that was really imaged.
    """
    heart = Heart(factors)
    if plane == "sa":
        return simulate_plane(heart, short_axis_grid(heart, 1, size, (10.0, spacing_mm, spacing_mm)), n_frames, "sa")
    grid = long_axis_grid(size, spacing_mm)
    if factors.mri_quality == "wrong_plane":
        grid = _misplaced(grid, np.random.default_rng((factors.seed, 3)))
    return simulate_plane(heart, grid, n_frames, "la_4ch")


def simulate_short_axis(
    factors: ParticipantFactors,
    n_slices: int = 12,
    n_frames: int = 50,
    size: int = 96,
    spacing_mm: tuple[float, float, float] = (10.0, 1.8, 1.8),
) -> tuple[CineMRI, CineLabels]:
    """Simulate a stack of short-axis slices, base first, of the same heart that `simulate_cine` shows."""
    heart = Heart(factors)
    return simulate_plane(heart, short_axis_grid(heart, n_slices, size, spacing_mm), n_frames, "sa")


def long_axis_grid(size: int = 96, spacing_mm: float = 1.8) -> ImagingGrid:
    """Grid of the 4-chamber plane, the same for everybody: hearts lie in it as their factors say."""
    steps = (6.0 * PLANE_NORMAL, spacing_mm * ROW_AXIS, spacing_mm * COLUMN_AXIS)
    return ImagingGrid.centred(np.zeros(3), steps, (1, size, size))


def short_axis_grid(heart: Heart, n_slices: int, size: int, spacing_mm: tuple[float, float, float]) -> ImagingGrid:
    """Grid across the long axis, RV left, liver below; two slices meet between mitral and tricuspid plane at ED."""
    h, s, n = heart.axes
    depth_mm = 0.45 * heart.apex_h
    if n_slices > 1:
        n_above = max(round(0.5 * (n_slices - heart.apex_h / spacing_mm[0])), 1)
        depth_mm = (0.5 * n_slices - n_above) * spacing_mm[0] + 0.5 * TRICUSPID_OFFSET_MM
    steps = (spacing_mm[0] * h, spacing_mm[1] * n, -spacing_mm[2] * s)
    return ImagingGrid.centred(heart.to_patient(depth_mm, 14.0), steps, (n_slices, size, size))


def simulate_plane(
    heart: Heart, grid: ImagingGrid, n_frames: int, imaging_plane: ImagingPlane
) -> tuple[CineMRI, CineLabels]:
    """Simulate parallel slices anywhere.

    Parameters
    ----------
    heart
        The heart.
    grid
        Where the slices are.
    n_frames
        Frames over one cycle, the first at the R peak.
    imaging_plane
        Names the plane, and with it the numbering of the labels.

    Returns
    -------
    cine, labels
        As `simulate_cine`.
    """
    n_slices, n_rows, n_columns = grid.shape
    phases = np.arange(n_frames) / n_frames
    frames = np.empty((n_frames, n_slices, n_rows, n_columns), dtype=np.uint8)
    labels = np.empty_like(frames)
    points = grid.points_mm().reshape(n_slices, -1, 3)
    thorax = Thorax(heart)
    for k in range(n_slices):
        rng = np.random.default_rng((heart.factors.seed, 5, k))
        signal, classes = _slice(heart, thorax, points[k], phases, imaging_plane, rng)
        frames[:, k] = _acquire(signal.reshape(n_frames, n_rows, n_columns), heart.factors, rng)
        labels[:, k] = classes.reshape(n_frames, n_rows, n_columns)
    cine = CineMRI(
        frames=frames,
        spacing_mm=grid.spacing_mm,
        frame_times_ms=phases * heart.cycle.rr_ms,
        affine=grid.affine,
        imaging_plane=imaging_plane,
        rr_interval_ms=heart.cycle.rr_ms,
        source=f"simulated participant {heart.factors.participant_id}",
    )
    names = SA_CLASSES if imaging_plane == "sa" else LA_4CH_CLASSES
    return cine, CineLabels(labels, names)


def _slice(
    heart: Heart,
    thorax: Thorax,
    points_mm: NDArray[np.float64],
    phases: NDArray[np.float64],
    imaging_plane: ImagingPlane,
    rng: np.random.Generator,
) -> tuple[Floats, NDArray[np.uint8]]:
    """Signal without noise and classes, each ``(n_frames, n_points)``; only points near the heart move."""
    still = thorax.at(points_mm)
    label = _label_short_axis if imaging_plane == "sa" else _label_long_axis
    background = _label_surroundings(still, imaging_plane)
    signal = np.repeat(still.signal[None], len(phases), axis=0)
    classes = np.repeat(background[None], len(phases), axis=0)
    extremes = heart.shape(np.array([0.0, heart.cycle.filling_begins_ms / heart.cycle.rr_ms]))
    reach = heart.distances(heart.locate(points_mm), extremes).surface.min(axis=0)
    near = np.flatnonzero(reach < _NEAR_HEART_MM + 2.5 * heart.factors.pericardial_fat_mm)
    if len(near):
        at = heart.locate(points_mm[near])
        texture = Texture.of(heart, at, rng)
        shapes = heart.shape(phases)
        for start in range(0, len(phases), _FRAMES_AT_ONCE):
            some = slice(start, start + _FRAMES_AT_ONCE)
            shape = HeartShape(**{name: getattr(shapes, name)[some] for name in HeartShape.__slots__})
            distances = heart.distances(at, shape)
            signal[some, near] = render_heart(heart, at, shape, distances, still.signal[near], texture, phases[some])
            classes[some, near] = label(distances, at, shape, np.repeat(background[None, near], len(phases[some]), 0))
    return signal, classes


def _label_surroundings(still: Surroundings, imaging_plane: ImagingPlane) -> NDArray[np.uint8]:
    classes = np.zeros(still.signal.shape, dtype=np.uint8)
    if imaging_plane == "sa":
        classes[still.is_body] = 10
        classes[still.is_inside_chest] = 6
        classes[still.is_liver] = 7
        classes[still.is_aorta] = 14
        return classes
    classes[still.is_inside_chest & ~still.is_liver] = 13
    classes[still.is_aorta] = 12
    return classes


def _label_long_axis(
    d: HeartDistances, at: HeartPoints, shape: HeartShape, classes: NDArray[np.uint8]
) -> NDArray[np.uint8]:
    is_septum = np.broadcast_to(at.s > 0.0, classes.shape)
    for value, inside in (
        (3, d.la_wall < 0.0),
        (2, d.ra_wall < 0.0),
        (1, d.rv_wall < 0.0),
        (4, d.lv_wall < 0.0),
        (5, (d.lv_wall < 0.0) & is_septum),
        (6, d.atrial_septum < 0.0),
        (8, d.ra_cavity < 0.0),
        (9, d.rv_cavity < 0.0),
        (10, d.la_cavity < 0.0),
        (11, d.lv_cavity < 0.0),
    ):
        classes[inside] = value
    return classes


def _label_short_axis(
    d: HeartDistances, at: HeartPoints, shape: HeartShape, classes: NDArray[np.uint8]
) -> NDArray[np.uint8]:
    is_septum = (at.crescent > 0.0) & (at.h < shape.rv_tip_h)
    for value, inside in (
        (1, d.rv_wall < 0.0),
        (3, d.lv_wall < 0.0),
        (2, (d.lv_wall < 0.0) & is_septum),
        (5, d.rv_cavity < 0.0),
        (13, d.ra_cavity < 0.0),
        (12, d.la_cavity < 0.0),
        (4, d.lv_cavity < 0.0),
    ):
        classes[inside] = value
    return classes


def _acquire(signal: Floats, factors: ParticipantFactors, rng: np.random.Generator) -> NDArray[np.uint8]:
    """Add shading, a dark band, faults and Rician noise to signal ``(n_frames, n_rows, n_columns)``; scale to grey."""
    n_rows, n_columns = signal.shape[1:]
    y, x = np.linspace(-1.0, 1.0, n_rows)[:, None], np.linspace(-1.0, 1.0, n_columns)
    tilt = rng.normal(0.0, 0.1, 3)
    shading = np.exp((0.14 + tilt[0]) * y + tilt[1] * x + 0.5 * tilt[2] * x * y)
    direction = rng.uniform(0.0, 2.0 * np.pi)
    off_resonance = np.cos(direction) * x + np.sin(direction) * y + 0.25 * (x * x - y * y)
    band = 1.0 - rng.uniform(0.1, 0.55) * np.exp(-(((off_resonance - rng.uniform(0.75, 1.3)) / 0.07) ** 2))
    signal = signal * (shading * band).astype(np.float32)
    if factors.mri_quality == "ghosting":
        signal = artefacts.ghosting(signal, rng)
    elif factors.mri_quality == "motion":
        signal = artefacts.motion(signal, rng)
    noise = np.float32(rng.uniform(0.008, 0.022))
    real = signal + noise * rng.standard_normal(signal.shape, dtype=np.float32)
    imaginary = noise * rng.standard_normal(signal.shape, dtype=np.float32)
    magnitude = np.sqrt(real * real + imaginary * imaginary)
    grey: NDArray[np.uint8] = np.clip(_WHITE * magnitude + 0.5, 0.0, 255.0).astype(np.uint8)
    return grey


def _misplaced(grid: ImagingGrid, rng: np.random.Generator) -> ImagingGrid:
    """Turn a grid by 60 to 90 degrees and move it off, as when the wrong slice was planned."""
    slices, rows, columns = grid.affine[:3, :3].T
    step_mm = np.linalg.norm(rows)
    normal = slices / np.linalg.norm(slices)
    angle = rng.choice((-1.0, 1.0)) * np.deg2rad(rng.uniform(60.0, 90.0))
    if rng.random() < 0.5:
        steps = (slices, np.cos(angle) * rows + np.sin(angle) * step_mm * normal, columns)
    else:
        steps = (slices, rows, np.cos(angle) * columns + np.sin(angle) * step_mm * normal)
    turned = np.cross(steps[2], steps[1])
    steps = (turned / np.linalg.norm(turned) * np.linalg.norm(slices), *steps[1:])
    middle = grid.affine[:3, :3] @ ((np.array(grid.shape) - 1) / 2.0) + grid.affine[:3, 3]
    return ImagingGrid.centred(middle + rng.uniform(-25.0, 25.0) * normal, steps, grid.shape)
