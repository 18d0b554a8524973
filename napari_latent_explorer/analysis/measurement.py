"""Size of the left ventricle, measured on the label map of a four-chamber cine.

The hard idea is how much one plane can say. Cavity and muscle are taken for bodies of revolution about the long axis,
so that an area and a length make a volume: exact for an ellipsoid, otherwise a rule of thumb that echocardiographers
use, good to compare hearts that were measured alike, not to replace a stack of short axes.
"""

from collections.abc import Mapping, Set
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

CAVITY: Final = "LV_cavity"
WALLS: Final = frozenset({"LV_anterolateral_wall", "LV_free_wall", "LV_myocardium", "interventricular_septum"})
MYOCARDIUM_G_PER_ML: Final = 1.05
MODEL_SPACING_MM: Final = 1.8
"""Of pixels drawn by a model that takes them as recorded; the UK Biobank's are 1.83 mm."""
RULE: Final = "area and second moment of the largest part"
"""By which volumes are found; what was measured by another one cannot be compared."""
MIN_PIXELS: Final = 20
"""Of a cavity; a smaller one is no ventricle."""


@dataclass(frozen=True, slots=True)
class VentricleMeasures:
    """What was measured on one heart cycle.

    Attributes
    ----------
    edv_ml, esv_ml
        Volume of the cavity where it is largest and where it is smallest, in mL; of one frame the latter is NaN.
    ef_percent
        Ejection fraction, 0 to 100; NaN of one frame.
    mass_g
        Of the muscle where the cavity is largest, in g; NaN where no wall is labelled.
    """

    edv_ml: float
    esv_ml: float
    ef_percent: float
    mass_g: float


def measure_left_ventricle(
    labels: NDArray[Any], names: Mapping[int, str], spacing_mm: tuple[float, float]
) -> VentricleMeasures | None:
    """Measure the left ventricle by the area-length rule in one plane.

    Parameters
    ----------
    labels
        ``(n_frames, n_rows, n_columns)`` label numbers of one heart cycle.
    names
        Name of each label number.
    spacing_mm
        Distance of neighbouring rows and columns, in mm.

    Returns
    -------
    VentricleMeasures or None
        None where there is no cavity of the left ventricle.

    Warnings
    --------
    A heart that is not round about its long axis, or not cut along it, is measured too small or too large.

    References
    ----------
    Lang R M et al. (2015), Recommendations for cardiac chamber quantification, J Am Soc Echocardiogr 28: 1-39: volume
    = 8 area^2 / (3 pi length); mass = 1.05 g/mL times the volume between epicardium and endocardium.
    """
    phases = find_phases(labels, names)
    if phases is None:
        return None
    diastole, systole = (_mask(labels[frame], names, {CAVITY}) for frame in phases)
    wall = _mask(labels[phases[0]], names, WALLS)
    edv_ml = _volume_ml(diastole, spacing_mm)
    esv_ml = _volume_ml(systole, spacing_mm) if len(labels) > 1 else np.nan  # one frame does not tell
    mass_g = np.nan
    if wall.any():
        mass_g = MYOCARDIUM_G_PER_ML * (_volume_ml(diastole | wall, spacing_mm) - edv_ml)
    return VentricleMeasures(edv_ml, esv_ml, 100.0 * (edv_ml - esv_ml) / edv_ml, float(mass_g))


def find_phases(labels: NDArray[Any], names: Mapping[int, str]) -> tuple[int, int] | None:
    """Find the frames of end-diastole and end-systole by the left ventricle's cavity; None where there is none.

    `labels` and `names` are as for `measure_left_ventricle`.
    """
    cavity = _mask(labels, names, {CAVITY})
    pixels = cavity.reshape(len(cavity), -1).sum(axis=1)
    if pixels.max(initial=0) < MIN_PIXELS:
        return None
    systole = np.argmin(np.where(pixels < MIN_PIXELS, pixels.max() + 1, pixels))
    return int(np.argmax(pixels)), int(systole)


def _mask(labels: NDArray[Any], names: Mapping[int, str], wanted: Set[str]) -> NDArray[np.bool_]:
    return np.isin(labels, [number for number, name in names.items() if name in wanted])


def _volume_ml(mask: NDArray[np.bool_], spacing_mm: tuple[float, float]) -> float:
    """Volume of the body of revolution whose section through its axis is the mask ``(n_rows, n_columns)``.

    Of a mask in parts the largest counts: a speck far away would else be taken for the end of the long axis.
    """
    mask = _largest_part(mask)
    area_mm2 = np.count_nonzero(mask) * spacing_mm[0] * spacing_mm[1]
    return float(8.0 * area_mm2**2 / (3.0 * np.pi * _length_mm(mask, spacing_mm)) / 1000.0)


def _largest_part(mask: NDArray[np.bool_]) -> NDArray[np.bool_]:
    from scipy.ndimage import label

    parts, n_parts = label(mask)
    return mask if n_parts < 2 else np.asarray(parts == 1 + np.argmax(np.bincount(parts.ravel())[1:]))


def _length_mm(mask: NDArray[np.bool_], spacing_mm: tuple[float, float]) -> float:
    """Long axis of the ellipse whose pixels scatter as widely as those of a mask.

    All pixels have a part in it. From edge to edge the length would jump by a pixel, and the mass by two grams, when a
    single pixel at an end comes or goes.
    """
    places_mm = np.argwhere(mask) * np.asarray(spacing_mm)  # (pixel, row and column)
    scatter_mm2 = np.cov(places_mm.T, bias=True) + np.diag(np.square(spacing_mm)) / 12.0  # of centres, and within
    return float(4.0 * np.sqrt(np.linalg.eigvalsh(scatter_mm2)[-1]))
