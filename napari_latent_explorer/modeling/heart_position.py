"""Where the heart lies in a cine: from its label map where there is one, else from what moves."""

import numpy as np
from numpy.typing import NDArray

from napari_latent_explorer.data.cine import CineLabels, CineMRI
from napari_latent_explorer.data.heart_box import BoxRule, BoxSource, HeartBox

HEART_CLASSES = frozenset(
    {
        "RV_free_wall",
        "RA_free_wall",
        "LA_free_wall",
        "LV_anterolateral_wall",
        "LV_free_wall",
        "LV_myocardium",
        "interventricular_septum",
        "interatrial_septum",
        "crista_terminalis",
        "RA_cavity",
        "RV_cavity",
        "LA_cavity",
        "LV_cavity",
        "left_atrium",
        "right_atrium",
    }
)
"""Chambers and walls; the great vessels do not count."""

PUBLISHED_VESSELS = frozenset({"descending_aorta", "ascending_aorta"})
"""What the published rule counts besides (ml4h, LAX_4CH_HEART_LABELS)."""

_SMOOTHING_MM = 8.0
_SMALLEST_MM = 24.0
_CAP_PERCENTILE = 99.0
_TAIL_PERCENTILE = 2.0


def find_heart_box(cine: CineMRI, labels: CineLabels | None, rule: BoxRule) -> HeartBox | None:
    """Box around the heart in the middle slice: from the labels if they show a heart there, else from what moves.

    On simulated 4-chamber cines the two overlap by 79 % (median of 24; intersection over union, lowest 48 %).

    Returns
    -------
    HeartBox | None
        None when nothing moves either.
    """
    slice_index = middle_slice(cine)
    from_labels = None if labels is None else box_from_labels(labels, slice_index, rule)
    if from_labels is not None:
        return from_labels
    rows_mm, columns_mm = cine.spacing_mm[1:]
    return box_from_motion(cine.frames[:, slice_index].astype(np.float32), (rows_mm, columns_mm), rule)


def middle_slice(cine: CineMRI) -> int:
    """Slice that the model takes of a stack."""
    n_slices: int = cine.frames.shape[1]
    return n_slices // 2


def box_from_labels(labels: CineLabels, slice_index: int, rule: BoxRule) -> HeartBox | None:
    """Tight box around the heart's classes in one slice; None if there are none.

    The published rule looks at the first frame (of those that are labelled) and counts the aorta of the 4-chamber
    view; the centred one looks at all frames, and at chambers and walls only.
    """
    is_published = rule == "published"
    classes = HEART_CLASSES | PUBLISHED_VESSELS if is_published else HEART_CLASSES
    frames = labels.frames[:, slice_index]
    if is_published:
        first = labels.labelled_frames[0] if labels.labelled_frames is not None else 0
        frames = frames[first : first + 1]
    is_heart: NDArray[np.bool_] = np.any(np.isin(frames, _numbers(labels, classes)), axis=0)
    if not is_heart.any():
        return None
    rows, columns = np.flatnonzero(np.any(is_heart, axis=1)), np.flatnonzero(np.any(is_heart, axis=0))
    return _box((float(rows[0]), float(rows[-1])), (float(columns[0]), float(columns[-1])), rule, "labels")


def box_from_motion(
    frames: NDArray[np.float32], spacing_mm: tuple[float, float], rule: BoxRule = "centred"
) -> HeartBox | None:
    """Box around the largest region in which the signal changes over the heart cycle; see `center_from_motion`."""
    extent = _moving_extent(frames, spacing_mm)
    return None if extent is None else _box(*extent, rule, "motion")


def center_from_labels(labels: CineLabels, slice_index: int) -> tuple[float, float] | None:
    """Middle (row, column) of the box around chambers and walls in all frames of one slice; None if there are none."""
    box = box_from_labels(labels, slice_index, "centred")
    return None if box is None else box.middle


def center_from_motion(frames: NDArray[np.float32], spacing_mm: tuple[float, float]) -> tuple[float, float] | None:
    """Middle (row, column) of the largest region in which the signal changes over the heart cycle.

    The standard deviation over time is smoothed over 8 mm, capped (a pulsating vessel is brighter than a beating
    wall), and cut at Otsu's threshold; vessels that hang on the heart by a thin neck are opened away, and the largest
    region that stays is taken to be the heart. On simulated 4-chamber cines of known labels its middle lies 7 mm
    (standard deviation 2 mm) from that of the box around chambers and walls, towards the apex, because the atria move
    little; where the great vessels move with the heart it lies as much towards them. None when nothing moves.

    Parameters
    ----------
    frames
        ``(n_frames, n_rows, n_columns)`` signal of one slice.
    spacing_mm
        Distance between rows and between columns.

    References
    ----------
    Otsu, "A threshold selection method from gray-level histograms", IEEE Trans. Syst. Man Cybern. 9 (1979) 62-66.
    """
    extent = _moving_extent(frames, spacing_mm)
    return None if extent is None else (sum(extent[0]) / 2.0, sum(extent[1]) / 2.0)


def _moving_extent(
    frames: NDArray[np.float32], spacing_mm: tuple[float, float]
) -> tuple[tuple[float, float], tuple[float, float]] | None:
    """First and last row and column of what moves, without the outermost 2 %; see `center_from_motion`."""
    from scipy import ndimage

    motion = frames.std(axis=0, dtype=np.float64)
    if not motion.any():
        return None
    motion = ndimage.gaussian_filter(motion, _SMOOTHING_MM / np.asarray(spacing_mm), mode="constant")
    motion = np.minimum(motion, np.percentile(motion, _CAP_PERCENTILE))
    is_moving = ndimage.binary_fill_holes(motion > _otsu_threshold(motion))
    opened = ndimage.binary_opening(is_moving, _disc(_SMALLEST_MM / 2.0, spacing_mm))
    regions, _ = ndimage.label(opened if opened.any() else is_moving)
    sizes = np.bincount(regions.ravel(), weights=motion.ravel())
    rows, columns = np.nonzero(regions == 1 + int(sizes[1:].argmax()))
    tails = (_TAIL_PERCENTILE, 100.0 - _TAIL_PERCENTILE)
    (top, bottom), (left, right) = np.percentile(rows, tails), np.percentile(columns, tails)
    return (float(top), float(bottom)), (float(left), float(right))


def _box(rows: tuple[float, float], columns: tuple[float, float], rule: BoxRule, source: BoxSource) -> HeartBox:
    (top, bottom), (left, right) = ((int(np.floor(low)), int(np.ceil(high))) for low, high in (rows, columns))
    return HeartBox(top, left, bottom - top + 1, right - left + 1, rule, source)


def _numbers(labels: CineLabels, classes: frozenset[str]) -> list[int]:
    return [number for number, name in labels.names.items() if name in classes]


def _otsu_threshold(values: NDArray[np.float64]) -> float:
    """Threshold that separates two kinds of values best: it makes the variance between them largest."""
    counts, edges = np.histogram(values, 256)
    middles = (edges[1:] + edges[:-1]) / 2.0
    n_below, sum_below = np.cumsum(counts), np.cumsum(counts * middles)
    n_above = n_below[-1] - n_below
    difference = sum_below[-1] * n_below / n_below[-1] - sum_below
    return float(middles[np.argmax(difference**2 / np.maximum(n_below * n_above, 1))])


def _disc(radius_mm: float, spacing_mm: tuple[float, float]) -> NDArray[np.bool_]:
    reach = [int(radius_mm / step) for step in spacing_mm]
    rows, columns = np.ogrid[-reach[0] : reach[0] + 1, -reach[1] : reach[1] + 1]
    inside: NDArray[np.bool_] = (rows * spacing_mm[0]) ** 2 + (columns * spacing_mm[1]) ** 2 <= radius_mm**2
    return inside
