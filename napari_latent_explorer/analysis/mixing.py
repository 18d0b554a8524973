"""Do the two modalities mix on one map, or does each keep to itself? A number for what Fig. 2a shows.

The vectors of both modalities are put together, each brought to length 1 since it is the cosine that pairs them; of the
nearest neighbours of every point, what share is of the other modality? Well mixed it is one half, apart it is none.
"""

from collections.abc import Generator

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from napari_latent_explorer.analysis.projection import fit_tsne
from napari_latent_explorer.data.latents import LatentSpace
from napari_latent_explorer.data.progress import Progress

N_NEIGHBOURS = 15
N_BOOTSTRAPS = 300


def joint_map(
    mri: NDArray[np.floating], ecg: NDArray[np.floating], participant_ids: NDArray[np.str_], seed: int = 0
) -> Generator[Progress, None, tuple[pd.DataFrame, pd.DataFrame]]:
    """Map both modalities of `n` people together, and measure how well they mix.

    Parameters
    ----------
    mri, ecg
        Latents ``(n, latent_dim)`` of the same people, at least 10.
    participant_ids
        ``(n,)``.
    seed
        Settles the map and bootstrap samples.

    Returns
    -------
    tuple
        Points of the t-SNE map: ``participant_id``, ``modality``, ``x``, ``y``; and the shares of neighbours of the
        other modality among the latents and on the map, with 95 % intervals over people.
    """
    joint = np.concatenate([_unit(mri), _unit(ecg)]).astype(np.float32)
    ids = np.array([f"{modality}:{one}" for modality in ("mri", "ecg") for one in participant_ids])
    projection = yield from fit_tsne(LatentSpace(joint, ids, "joint", ""), seed=seed)
    places = {"latents": joint, "map": projection.coordinates}
    shares = pd.DataFrame([{"space": name} | _share(points, seed) for name, points in places.items()])
    points = pd.DataFrame(
        {
            "participant_id": np.tile(participant_ids, 2),
            "modality": np.repeat(["mri", "ecg"], len(participant_ids)),
            "x": projection.coordinates[:, 0],
            "y": projection.coordinates[:, 1],
        }
    )
    return points, shares


def other_share(points: NDArray[np.floating]) -> NDArray[np.float64]:
    """Share ``(2 n,)`` of the nearest neighbours that are of the other half of the points ``(2 n, n_dim)``."""
    from sklearn.neighbors import NearestNeighbors

    half = np.arange(len(points)) >= len(points) // 2
    k = min(N_NEIGHBOURS, len(points) - 1)
    neighbours = NearestNeighbors(n_neighbors=k).fit(points).kneighbors(return_distance=False)
    return np.asarray((half[neighbours] != half[:, None]).mean(axis=1))


def _share(points: NDArray[np.floating], seed: int) -> dict[str, float]:
    per_person = other_share(points).reshape(2, -1).mean(axis=0)
    n = len(per_person)
    drawn = per_person[np.random.default_rng(seed).integers(n, size=(N_BOOTSTRAPS, n))].mean(axis=1)
    low, high = np.percentile(drawn, (2.5, 97.5))
    return {"share": float(per_person.mean()), "low": float(low), "high": float(high), "well_mixed": n / (2 * n - 1)}


def _unit(vectors: NDArray[np.floating]) -> NDArray[np.floating]:
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    unit: NDArray[np.floating] = vectors / np.where(lengths > 0, lengths, 1.0)
    return unit
