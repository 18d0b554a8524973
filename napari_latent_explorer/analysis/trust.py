"""How far a map can be trusted: point by point, and as a whole.

Two numbers, for two ways to be wrong. *Neighbour recall* asks how many of a participant's nearest in latent space are
nearest on the map as well (missing neighbours). *Trustworthiness* asks of those who are nearest on the map how far down
the list of latent neighbours they stand (false neighbours): 1 is perfect, a random map has about one half.

All people are compared with all, in steps that can be stopped. Trustworthiness needs ranks, which cost more, so in a
large study it is taken over a random sample of people, each still ranked among everybody.

References
----------
Venna J, Kaski S (2001), Neighborhood preservation in nonlinear projection methods, ICANN, eq. 1: `trustworthiness`.
"""

from collections.abc import Generator

import numpy as np
from numpy.typing import NDArray

from napari_latent_explorer.data.progress import Progress

N_TRUST_NEIGHBOURS = 15
MAX_DISTANCES_IN_MEMORY = 20_000_000
MAX_RANKED = 4_000
"""People whose neighbours are ranked at most: the standard error of the mean of so many is below 0.002."""


def neighbour_preservation(
    values: NDArray[np.float32], coordinates: NDArray[np.float32], k: int = N_TRUST_NEIGHBOURS
) -> Generator[Progress, None, NDArray[np.float32]]:
    """Share of each point's `k` nearest neighbours in latent space that are among its `k` nearest on the map.

    Parameters
    ----------
    values
        ``(n, latent_dim)``.
    coordinates
        ``(n, 2)``.
    k
        Number of neighbours, the point itself left out; n - 1 if there are fewer others.

    Returns
    -------
    NDArray
        ``(n,)`` in 0..1. A map that shuffles everybody has k / (n - 1).
    """
    from scipy.spatial import cKDTree

    n, k = len(values), min(k, len(values) - 1)
    _, on_map = cKDTree(coordinates).query(coordinates, k + 1)
    squared_norms = np.einsum("ij,ij->i", values, values)
    preserved = np.empty(n, dtype=np.float32)
    step = max(1, MAX_DISTANCES_IN_MEMORY // n)
    for start in range(0, n, step):
        yield Progress(start, n, "Measuring the map's trust")
        rows = np.arange(start, min(start + step, n))
        in_space = np.argpartition(_squared_distances(values, squared_norms, rows), k - 1, axis=1)[:, :k]
        map_neighbours = _without_self(on_map[rows], rows)
        preserved[rows] = (in_space[:, :, None] == map_neighbours[:, None, :]).any(axis=2).mean(axis=1)
    return preserved


def trustworthiness(
    values: NDArray[np.float32], coordinates: NDArray[np.float32], k: int = N_TRUST_NEIGHBOURS, seed: int = 0
) -> Generator[Progress, None, float]:
    """How near in latent space those are who are nearest on the map: 1 when they are the nearest there as well.

    Parameters
    ----------
    values, coordinates
        ``(n, latent_dim)`` and ``(n, 2)``.
    k
        Number of neighbours; fewer than half of the others if there are few.
    seed
        Settles who is ranked when there are more than `MAX_RANKED`.
    """
    from scipy.spatial import cKDTree

    n = len(values)
    k = max(1, min(k, (n - 1) // 2))
    ranked = np.sort(np.random.default_rng(seed).permutation(n)[:MAX_RANKED])
    _, on_map = cKDTree(coordinates).query(coordinates[ranked], k + 1)
    neighbours = _without_self(on_map, ranked)
    squared_norms = np.einsum("ij,ij->i", values, values)
    step = max(1, MAX_DISTANCES_IN_MEMORY // n)
    penalty = 0
    for start in range(0, len(ranked), step):
        yield Progress(start, len(ranked), "Measuring the map's trust")
        part = slice(start, start + step)
        squared = _squared_distances(values, squared_norms, ranked[part])
        for column in neighbours[part].T:
            ranks = (squared < squared[np.arange(len(squared)), column][:, None]).sum(axis=1) + 1
            penalty += int(np.maximum(ranks - k, 0).sum())
    return 1.0 - 2.0 * penalty / (len(ranked) * k * (2 * n - 3 * k - 1))


def _squared_distances(
    values: NDArray[np.float32], squared_norms: NDArray[np.float32], rows: NDArray[np.intp]
) -> NDArray[np.float32]:
    """Of `rows` to all, ``(n_rows, n)``, up to one number per row; infinite to themselves."""
    squared = squared_norms - 2.0 * values[rows] @ values.T
    squared[np.arange(len(rows)), rows] = np.inf
    return squared


def _without_self(neighbours: NDArray[np.intp], rows: NDArray[np.intp]) -> NDArray[np.intp]:
    """Neighbours ``(n, k)`` from ``(n, k + 1)`` that may hold the point itself anywhere (ties), or not at all."""
    is_self = neighbours == rows[:, None]
    is_self[~is_self.any(axis=1), -1] = True
    return np.asarray(neighbours[~is_self].reshape(len(rows), -1))
