"""Which structures of a decoded heart changed, and by how much: areas, thickness of the wall, signal, the ventricle.

The hard idea: a picture changes wherever an edge moves, so its difference alone does not say whether a chamber grew or
its blood became brighter. Therefore the structures are measured on both hearts, each by its own labels, and the
difference of the pictures is summed up where a structure lies in either.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from napari_latent_explorer.analysis.measurement import WALLS, find_phases, measure_left_ventricle

Quantity = Literal["ventricle", "thickness", "area_ed", "area_es", "signal", "difference"]
UNKNOWN = float("nan")
EDGE_PX = 0.45
"""From the edge of a wall to the nearest pixel outside, on average; round walls of 6 to 14 mm, pixels of 1.8 mm."""


@dataclass(frozen=True, slots=True)
class RegionMeasure:
    """One number of one structure.

    Attributes
    ----------
    quantity
        ``ventricle``: of the left ventricle (see `measure_left_ventricle`); ``thickness``: mean of a wall at
        end-diastole; ``area_ed``, ``area_es``: in the plane, at end-diastole and at end-systole; ``signal``: mean over
        its pixels of all frames; ``difference``: root mean square of the change of the picture where it lies.
    region
        Name of the structure as the labels have it, or what was measured of the ventricle.
    unit
        Of the value; ``SD`` is the standard deviation of all pixels of a cine, by which models take the signal.
    value
        NaN where it cannot be measured.
    """

    quantity: Quantity
    region: str
    unit: str
    value: float


@dataclass(frozen=True, slots=True)
class RegionChange:
    """One number at the origin and now; NaN where a heart lacks the structure."""

    quantity: Quantity
    region: str
    unit: str
    before: float
    after: float

    @property
    def change(self) -> float:
        """How much it has grown, in its unit."""
        return self.after - self.before


def measure_regions(
    cine: NDArray[np.floating[Any]],
    labels: NDArray[np.unsignedinteger[Any]],
    names: Mapping[int, str],
    spacing_mm: tuple[float, float],
) -> tuple[RegionMeasure, ...]:
    """Measure all structures that are drawn; 0 is background.

    Parameters
    ----------
    cine
        ``(n_frames, n_rows, n_columns)`` z-scored signal of one heart cycle.
    labels
        As large, label numbers.
    names
        Name of each label number.
    spacing_mm
        Distance of neighbouring rows and columns, in mm.

    Returns
    -------
    tuple of RegionMeasure
        By quantity, then by label number. Without a left ventricle there is no end-diastole: its measures, areas and
        thicknesses are left out then.
    """
    counts = np.bincount(labels.ravel(), minlength=max(names, default=0) + 1)
    signals = np.bincount(labels.ravel(), cine.ravel(), len(counts))
    drawn = [number for number in sorted(names) if number and counts[number]]
    measures: list[RegionMeasure] = []
    if (phases := find_phases(labels, names)) is not None:
        diastole, systole = (labels[frame] for frame in phases)
        measures += _of_ventricle(labels, names, spacing_mm)
        measures += _thicknesses(diastole, names, spacing_mm)
        cm2 = spacing_mm[0] * spacing_mm[1] / 100.0
        moments: tuple[tuple[Quantity, NDArray[Any]], ...] = (("area_ed", diastole), ("area_es", systole))
        for quantity, frame in moments:
            areas_cm2 = cm2 * np.bincount(frame.ravel(), minlength=len(counts))
            measures += [RegionMeasure(quantity, names[number], "cm²", float(areas_cm2[number])) for number in drawn]
    measures += [RegionMeasure("signal", names[one], "SD", float(signals[one] / counts[one])) for one in drawn]
    return tuple(measures)


def _of_ventricle(
    labels: NDArray[Any], names: Mapping[int, str], spacing_mm: tuple[float, float]
) -> list[RegionMeasure]:
    found = measure_left_ventricle(labels, names, spacing_mm)
    if found is None:
        return []
    values = (("LVM", "g", found.mass_g), ("EDV", "mL", found.edv_ml), ("ESV", "mL", found.esv_ml))
    return [RegionMeasure("ventricle", *one) for one in (*values, ("EF", "%", found.ef_percent))]


def _thicknesses(frame: NDArray[Any], names: Mapping[int, str], spacing_mm: tuple[float, float]) -> list[RegionMeasure]:
    """Mean thickness of each wall of the left ventricle in a frame ``(n_rows, n_columns)``.

    In a strip of thickness t the mean distance to its edge is t / 4. All walls count as one, so that where one becomes
    the other there is no edge. With pixels of 1.8 mm it is right to about 0.4 mm.
    """
    from scipy.ndimage import distance_transform_edt

    walls = [number for number, name in names.items() if name in WALLS and (frame == number).any()]
    depth_mm = distance_transform_edt(np.isin(frame, walls), spacing_mm) - EDGE_PX * min(spacing_mm)
    return [
        RegionMeasure("thickness", names[number], "mm", 4.0 * float(depth_mm[frame == number].mean()))
        for number in sorted(walls)
    ]


def measure_difference(
    cines: tuple[NDArray[np.floating[Any]], NDArray[np.floating[Any]]],
    labels: tuple[NDArray[np.unsignedinteger[Any]], NDArray[np.unsignedinteger[Any]]],
    names: Mapping[int, str],
) -> tuple[RegionMeasure, ...]:
    """Root mean square of the difference of two cines where each structure lies in either, in SD.

    Parameters
    ----------
    cines, labels
        Before and after, ``(n_frames, n_rows, n_columns)`` each.
    names
        Name of each label number.
    """
    squares = np.square(cines[1] - cines[0]).ravel()
    before, after = (one.ravel() for one in labels)
    is_both = before == after
    size = max(int(before.max(initial=0)), int(after.max(initial=0)), max(names, default=0)) + 1
    sums, counts = (
        np.bincount(before, weights, size)
        + np.bincount(after, weights, size)
        - np.bincount(before[is_both], None if weights is None else weights[is_both], size)
        for weights in (squares, None)
    )
    return tuple(
        RegionMeasure("difference", names[number], "SD", float(np.sqrt(sums[number] / counts[number])))
        for number in sorted(names)
        if number and counts[number]
    )


def compare_regions(before: Sequence[RegionMeasure], after: Sequence[RegionMeasure]) -> tuple[RegionChange, ...]:
    """Put the numbers of two hearts beside each other, in the order of the first, then what only the second has."""
    values = [{(one.quantity, one.region, one.unit): one.value for one in measures} for measures in (before, after)]
    return tuple(
        RegionChange(*key, values[0].get(key, UNKNOWN), values[1].get(key, UNKNOWN))
        for key in dict.fromkeys([*values[0], *values[1]])
    )
