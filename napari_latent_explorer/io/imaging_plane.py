"""Which plane of the heart a slice shows, from where it lies in the body.

A short-axis slice is cut across the long axis of the left ventricle, which in most people points to the left, to the
front and to the feet; a 4-chamber slice contains that axis and lies nearly level across the chest, tilted. Both are
told apart safely; the 2- and 3-chamber planes turn about the same axis and differ from person to person, so they are
left `unknown` for the user to say.

Warnings
--------
A heart that lies differently (dextrocardia, a very steep axis) is not recognised or, rarely, taken for another plane;
readers let the user say what it is.
"""

import numpy as np
from numpy.typing import NDArray

from napari_latent_explorer.data.cine import ImagingPlane

_LONG_AXIS = np.array([0.66, -0.60, -0.45])
_NORMAL_4CH = np.array([0.05, 0.82, -0.57])
_MAX_ANGLE_DEG: dict[ImagingPlane, float] = {"sa": 35.0, "la_4ch": 30.0}


def guess_imaging_plane(normal: NDArray[np.float64]) -> ImagingPlane:
    """Imaging plane of slices whose normal ``(3,)`` is given in LPS (its sign does not matter)."""
    typical: dict[ImagingPlane, NDArray[np.float64]] = {"sa": _LONG_AXIS, "la_4ch": _NORMAL_4CH}
    angles = {plane: _angle_deg(normal, direction) for plane, direction in typical.items()}
    nearest = min(angles, key=angles.__getitem__)
    return nearest if angles[nearest] <= _MAX_ANGLE_DEG[nearest] else "unknown"


def _angle_deg(first: NDArray[np.float64], second: NDArray[np.float64]) -> float:
    cosine = abs(float(first @ second)) / float(np.linalg.norm(first) * np.linalg.norm(second))
    return float(np.degrees(np.arccos(min(cosine, 1.0))))
