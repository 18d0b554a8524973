"""Two-dimensional maps of latents: how they are fit, how far each point can be trusted, where a new vector lies.

A t-SNE map keeps neighbours together; distances between clusters and the sizes of clusters mean nothing. How well it
keeps the neighbours of one participant is that point's `trust`.

New vectors are placed by their neighbours, not by openTSNE's `transform`: that takes seconds at 40,000 participants,
and it re-centres the fitted map in place, so that all points jump when one is asked for. For the same reason the
coordinates of a fit are copied out of openTSNE's object before anybody sees them.

References
----------
van der Maaten L, Hinton G (2008), JMLR 9. Kobak D, Berens P (2019), Nat Commun 10:5416 (PCA start, learning rate
n / 12). Policar P et al. (2024), openTSNE, J Stat Softw 109(3).
"""

import hashlib
from collections.abc import Generator, Mapping
from dataclasses import dataclass
from functools import cached_property
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from napari_latent_explorer.analysis.blas import one_blas_thread
from napari_latent_explorer.data.arrays import read_only
from napari_latent_explorer.data.latents import LatentSpace
from napari_latent_explorer.data.progress import Progress
from napari_latent_explorer.errors import StudyError

if TYPE_CHECKING:
    from openTSNE import TSNEEmbedding

N_PCA_COMPONENTS = 50
PERPLEXITY = 30.0
EARLY_EXAGGERATION = 12.0
N_EARLY_ITERATIONS = 250
N_ITERATIONS = 500
N_ITERATIONS_PER_STEP = 50
"""Between two of these the fit reports and can be stopped."""
N_TRUST_NEIGHBOURS = 15
MAX_DISTANCES_IN_MEMORY = 20_000_000


@dataclass(frozen=True, eq=False)
class Projection:
    """A map of participants.

    Attributes
    ----------
    coordinates
        ``(n_participants, 2)`` float32, centred; without unit.
    participant_ids
        ``(n_participants,)`` strings.
    name
        ``mri``, ``ecg`` or ``joint``.
    method
        ``tsne`` or ``pca``.
    parameters
        What the method was told, for provenance.
    bundle_fingerprint
        Bundle whose latents it maps.
    trust
        ``(n_participants,)`` share of the nearest latent neighbours that are nearest on the map too, 0..1.
    """

    coordinates: NDArray[np.float32]
    participant_ids: NDArray[np.str_]
    name: str
    method: str
    parameters: Mapping[str, Any]
    bundle_fingerprint: str
    trust: NDArray[np.float32] | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "coordinates", read_only(self.coordinates, np.float32))
        object.__setattr__(self, "participant_ids", read_only(self.participant_ids, np.str_))
        object.__setattr__(self, "parameters", MappingProxyType(dict(self.parameters)))
        if self.trust is not None:
            object.__setattr__(self, "trust", read_only(self.trust, np.float32))
        if self.coordinates.shape != (len(self.participant_ids), 2):
            raise StudyError(
                f"The {self.name} map has coordinates of shape {self.coordinates.shape} for "
                f"{len(self.participant_ids)} participants, expected (n_participants, 2). Project the study again."
            )

    def to_arrays(self) -> tuple[dict[str, NDArray[Any]], dict[str, Any]]:
        """Arrays and metadata to store in a study."""
        arrays = {"coordinates": self.coordinates, "participant_ids": self.participant_ids}
        if self.trust is not None:
            arrays["trust"] = self.trust
        return arrays, {"method": self.method, "parameters": dict(self.parameters)}

    @classmethod
    def from_arrays(
        cls, name: str, bundle_fingerprint: str, arrays: Mapping[str, NDArray[Any]], meta: Mapping[str, Any]
    ) -> "Projection":
        """Make the projection that `to_arrays` took apart."""
        missing = [key for key in ("coordinates", "participant_ids") if key not in arrays]
        if missing:
            raise StudyError(f"The stored {name} map lacks {', '.join(missing)}. Project the study again.")
        return cls(
            arrays["coordinates"],
            arrays["participant_ids"],
            name,
            str(meta.get("method", "unknown")),
            meta.get("parameters", {}),
            bundle_fingerprint,
            arrays.get("trust"),
        )

    @cached_property
    def fingerprint(self) -> str:
        """Hash of who lies where and of the bundle, 16 hexadecimal digits."""
        digest = hashlib.sha256(f"{self.name} {self.bundle_fingerprint} {self.participant_ids.dtype.str}".encode())
        digest.update(self.coordinates.tobytes())
        digest.update(self.participant_ids.tobytes())
        return digest.hexdigest()[:16]

    @cached_property
    def _row_of(self) -> dict[str, int]:
        return {participant_id: row for row, participant_id in enumerate(self.participant_ids.tolist())}

    def place(self, vectors: ArrayLike, latents: LatentSpace, k: int = 10) -> NDArray[np.float32]:
        """Where new latent vectors lie on the map, by their neighbours; milliseconds, and moves nobody.

        Parameters
        ----------
        vectors
            ``(m, latent_dim)`` or one vector ``(latent_dim,)``.
        latents
            Those that the map was made of.
        k
            Number of neighbours.

        Returns
        -------
        NDArray
            ``(m, 2)`` mean place of the `k` nearest participants, weighted by inverse squared distance: the vector of a
            participant lies on that participant.
        """
        queries = np.atleast_2d(np.asarray(vectors, dtype=np.float32))
        return np.stack([self._place_one(query, latents, min(k, len(self.participant_ids))) for query in queries])

    def _place_one(self, query: NDArray[np.float32], latents: LatentSpace, k: int) -> NDArray[np.float32]:
        # |x - q|^2 up to |q|^2, exact distances for the few that matter; not by BLAS: its threads fight the decoder's
        products = np.einsum("ij,j->i", latents.values, query)
        nearest = np.argpartition(latents.squared_norms - 2.0 * products, k - 1)[:k]
        squared = ((latents.values[nearest] - query) ** 2).sum(axis=1, dtype=np.float64)
        weights = 1.0 / np.maximum(squared, np.finfo(np.float32).tiny)
        rows = [self._row_of[participant_id] for participant_id in latents.participant_ids[nearest].tolist()]
        return np.asarray(weights @ self.coordinates[rows] / weights.sum(), dtype=np.float32)


def fit_pca(latents: LatentSpace) -> Projection:
    """First two principal components; at once, and the same each time."""
    coordinates = np.zeros((len(latents.values), 2))
    scores = _principal_components(latents.values, 2)
    coordinates[:, : scores.shape[1]] = scores
    return Projection(
        coordinates.astype(np.float32),
        latents.participant_ids,
        latents.modality,
        "pca",
        {"n_components": 2},
        latents.bundle_fingerprint,
    )


def fit_tsne(latents: LatentSpace, seed: int = 0) -> Generator[Progress, None, Projection]:
    """Fit a t-SNE map of the latents' first principal components, and measure how far each point can be trusted.

    Parameters
    ----------
    latents
        At least 10 participants.
    seed
        Settles the approximate neighbour search; the start itself is not random.

    Yields
    ------
    Progress
        After each `N_ITERATIONS_PER_STEP` iterations.

    Raises
    ------
    StudyError
        When there are too few participants for a map.
    """
    n = len(latents.values)
    if n < 10:
        raise StudyError(f"A t-SNE map needs at least 10 participants, the {latents.modality} latents have {n}.")
    total = N_EARLY_ITERATIONS + N_ITERATIONS
    perplexity = min(PERPLEXITY, (n - 1) / 3.0)
    yield Progress(0, total, "Finding neighbours")
    embedding = _begin_tsne(_principal_components(latents.values, N_PCA_COMPONENTS), perplexity, seed)
    for done in range(0, total, N_ITERATIONS_PER_STEP):
        yield Progress(done, total, f"t-SNE, iteration {done} of {total}")
        exaggeration = EARLY_EXAGGERATION if done < N_EARLY_ITERATIONS else 1.0
        embedding.optimize(N_ITERATIONS_PER_STEP, exaggeration=exaggeration, momentum=0.8, inplace=True)
    coordinates = np.array(embedding, dtype=np.float32)
    coordinates -= coordinates.mean(axis=0)
    trust = yield from neighbour_preservation(latents.values, coordinates)
    parameters = {
        "n_pca_components": min(N_PCA_COMPONENTS, latents.latent_dim),
        "perplexity": perplexity,
        "early_exaggeration": EARLY_EXAGGERATION,
        "n_iterations": [N_EARLY_ITERATIONS, N_ITERATIONS],
        "learning_rate": "n / exaggeration",
        "initialization": "pca",
        "seed": seed,
        "n_trust_neighbours": N_TRUST_NEIGHBOURS,
    }
    return Projection(
        coordinates, latents.participant_ids, latents.modality, "tsne", parameters, latents.bundle_fingerprint, trust
    )


def _principal_components(values: NDArray[np.float32], n_components: int) -> NDArray[np.float64]:
    """Scores ``(n, n_components)`` by the covariance's eigenvectors; each axis has its largest loading positive."""
    centred = values - values.mean(axis=0, dtype=np.float64)
    with one_blas_thread():
        _, axes = np.linalg.eigh(centred.T @ centred)
    axes = axes[:, ::-1][:, :n_components]
    signs = np.sign(np.take_along_axis(axes, np.abs(axes).argmax(axis=0)[None], axis=0))
    return np.asarray(centred @ (axes * signs))


def _begin_tsne(scores: NDArray[np.float64], perplexity: float, seed: int) -> "TSNEEmbedding":
    """Affinities and PCA start; openTSNE's own learning rate "auto" is n / exaggeration."""
    from openTSNE import TSNEEmbedding, affinity, initialization

    affinities = affinity.PerplexityBasedNN(scores, perplexity=perplexity, n_jobs=2, random_state=seed)
    start = initialization.rescale(scores[:, :2])
    return TSNEEmbedding(start, affinities, learning_rate="auto", n_jobs=2, random_state=seed)


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
        squared = squared_norms - 2.0 * values[rows] @ values.T
        squared[np.arange(len(rows)), rows] = np.inf
        in_space = np.argpartition(squared, k - 1, axis=1)[:, :k]
        map_neighbours = _without_self(on_map[rows], rows)
        preserved[rows] = (in_space[:, :, None] == map_neighbours[:, None, :]).any(axis=2).mean(axis=1)
    return preserved


def _without_self(neighbours: NDArray[np.intp], rows: NDArray[np.intp]) -> NDArray[np.intp]:
    """Neighbours ``(n, k)`` from ``(n, k + 1)`` that may hold the point itself anywhere (ties), or not at all."""
    is_self = neighbours == rows[:, None]
    is_self[~is_self.any(axis=1), -1] = True
    return np.asarray(neighbours[~is_self].reshape(len(rows), -1))
