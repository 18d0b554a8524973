"""What somebody sees who looks at maps, hearts and ECGs: islands, blur and spikes, in numbers of pixels and signals.

The scenario of use is told twice, through the session and by mouse. Both choose by these, never by what the simulation
knows of the people; that only judges the choice afterwards.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.sparse.csgraph import connected_components
from scipy.spatial import ConvexHull, cKDTree

GAP_SHARE = 0.035
"""Of the map's size: dots this far from all others are seen as apart from them."""
LEAST_PEOPLE, MOST_SHARE = 8, 0.05
"""An island is smaller than the mainland, and more than a few strays."""
N_VERTICES = 72


@dataclass(frozen=True, slots=True, eq=False)
class Island:
    """Dots that lie apart from the rest.

    Attributes
    ----------
    rows
        ``(n_inside,)`` which points of the map they are.
    shore
        ``(n_vertices, 2)`` a line around them and nobody else.
    """

    rows: NDArray[np.intp]
    shore: NDArray[np.float64]


def islands(coordinates: NDArray[np.floating]) -> list[Island]:
    """Find dots that lie together and apart from the rest on a map ``(n, 2)``, the smallest island first."""
    places = np.asarray(coordinates, np.float64)
    gap = GAP_SHARE * float(np.ptp(places, axis=0).max())
    tree = cKDTree(places)
    _, labels = connected_components(tree.sparse_distance_matrix(tree, gap), directed=False)
    found = []
    for label in np.unique(labels):
        rows = np.flatnonzero(labels == label)
        if LEAST_PEOPLE <= len(rows) <= MOST_SHARE * len(places):
            found.append(Island(rows, _around(places[rows], 0.45 * gap)))
    return sorted(found, key=lambda island: len(island.rows))


def _around(places: NDArray[np.float64], margin: float) -> NDArray[np.float64]:
    """Line around points ``(n, 2)``, in each direction a margin beyond the outermost, as a hand draws it."""
    middle = places.mean(axis=0)
    angles = np.linspace(0.0, 2.0 * np.pi, N_VERTICES, endpoint=False)
    shore = []
    for x, y in zip(np.cos(angles), np.sin(angles), strict=True):
        ahead, aside = (places - middle) @ [x, y], np.abs((places - middle) @ [y, -x])
        shore.append(middle + np.array([x, y]) * (ahead[aside < margin].max(initial=0.0) + margin))
    return np.array(shore)


def strip(
    coordinates: NDArray[np.floating], direction: NDArray[np.float64], low_share: float, high_share: float
) -> NDArray[np.float64]:
    """Line ``(n_vertices, 2)`` around the dots between two shares of all, ordered along a direction of a map."""
    places = np.asarray(coordinates, np.float64)
    along = places @ direction
    low, high = np.quantile(along, (low_share, high_share))
    inside = places[(along >= low) & (along <= high)]
    outermost = inside[ConvexHull(inside).vertices]
    return outermost + 0.01 * (outermost - inside.mean(axis=0))  # no dot is under the line


def sharpness(cine: NDArray[np.floating]) -> float:
    """Tell how clear the edges of a cine ``(n_frames, n_rows, n_columns)`` are: slope over contrast, first frame."""
    frame = np.asarray(cine[0], np.float64)
    rows, columns = np.gradient(frame)
    return float(np.hypot(rows, columns).mean() / frame.std())


def largest_jump_mv(ecg_mv: NDArray[np.floating]) -> float:
    """Tell the largest step between neighbouring samples of an ECG ``(n_leads, n_samples)``, in mV."""
    return float(np.nanmax(np.abs(np.diff(ecg_mv, axis=1))))
