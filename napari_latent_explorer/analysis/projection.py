"""Two-dimensional maps of latents: how they are fit, how far each point can be trusted, where a new vector lies.

A t-SNE map keeps neighbours together; distances between clusters and the sizes of clusters mean nothing. How well it
keeps the neighbours of one participant is that point's `trust`. Whose neighbours they are is settled in `map_space`.

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
from dataclasses import dataclass, replace
from functools import cached_property
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from napari_latent_explorer.analysis.map_space import (
    MAP_KINDS,
    N_PCA_COMPONENTS,
    MapKind,
    joint_space,
    map_key,
    principal_axes,
    whitened,
)
from napari_latent_explorer.analysis.trust import N_TRUST_NEIGHBOURS, neighbour_preservation, trustworthiness
from napari_latent_explorer.data.arrays import read_only
from napari_latent_explorer.data.latents import LatentSpace
from napari_latent_explorer.data.progress import Progress
from napari_latent_explorer.errors import StudyError

if TYPE_CHECKING:
    from openTSNE import TSNEEmbedding

LEAST_PARTICIPANTS = 10
LEAST_FOR_TWO_THREADS = 10_000
"""Threads spin while they wait for each other: on two busy cores two are 4 times as slow as one at 2,000 people, and 25
times at 40."""
PERPLEXITY = 30.0
EARLY_EXAGGERATION = 12.0
N_EARLY_ITERATIONS = 250
N_ITERATIONS = 500
N_ITERATIONS_PER_STEP = 50
"""Between two of these the fit reports and can be stopped."""


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
        ``tsne``, ``whitened_tsne`` (on equal scales) or ``pca``; see `map_space`.
    parameters
        What the method was told, for provenance.
    bundle_fingerprint
        Bundle whose latents it maps.
    trust
        ``(n_participants,)`` share of the nearest latent neighbours that are nearest on the map too, 0..1; None when
        not measured. Neighbours are those of the space that the map is made of.
    trustworthiness
        How near in that space those are who are nearest on the map, 1 is perfect; see `trust`.
    """

    coordinates: NDArray[np.float32]
    participant_ids: NDArray[np.str_]
    name: str
    method: str
    parameters: Mapping[str, Any]
    bundle_fingerprint: str
    trust: NDArray[np.float32] | None = None
    trustworthiness: float | None = None

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
        meta = {"method": self.method, "parameters": dict(self.parameters), "trustworthiness": self.trustworthiness}
        return arrays, meta

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
            meta.get("trustworthiness"),
        )

    @property
    def key(self) -> str:
        """Under which it is held and stored, e.g. ``mri_pca``."""
        return map_key(self.name, self.method)

    @property
    def kind_title(self) -> str:
        """What its kind is called, e.g. ``t-SNE``."""
        return {str(kind): title for kind, title in MAP_KINDS.items()}.get(self.method, self.method)

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
        if self.method == "whitened_tsne":
            space = whitened(latents)
            latents, queries = space.scores, space.bring(queries)
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
    """First two principal components; at once, and the same each time. Its trust is not measured: see `fit_map`."""
    coordinates = np.zeros((len(latents.values), 2), np.float32)
    axes = principal_axes(latents.values, 2, np.float32)[0].astype(np.float32)
    coordinates[:, : axes.shape[1]] = (latents.values - latents.mean) @ axes
    return Projection(
        coordinates,
        latents.participant_ids,
        latents.modality,
        "pca",
        {"n_components": 2},
        latents.bundle_fingerprint,
    )


def fit_map(latents: LatentSpace, kind: MapKind, seed: int = 0) -> Generator[Progress, None, Projection]:
    """Fit a map of any kind, and measure how far it can be trusted.

    Raises
    ------
    StudyError
        When there are too few participants for a t-SNE map.
    """
    if kind != "pca":
        return (yield from fit_tsne(latents, seed, kind))
    yield Progress(0, 1, "Finding the principal components")
    return (yield from _with_trust(fit_pca(latents), latents.values))


def fit_map_of(
    latents: Mapping[str, LatentSpace], kind: MapKind, seed: int = 0
) -> Generator[Progress, None, Projection]:
    """Fit a map of one modality, or the joint map of several.

    Raises
    ------
    StudyError
        When there are too few participants, or none has them all.
    """
    if len(latents) == 1:
        return (yield from fit_map(next(iter(latents.values())), kind, seed))
    yield Progress(0, 1, "Putting the modalities together")
    return (yield from fit_map(joint_space(latents).latents, kind, seed))


def fit_tsne(
    latents: LatentSpace, seed: int = 0, kind: Literal["tsne", "whitened_tsne"] = "tsne"
) -> Generator[Progress, None, Projection]:
    """Fit a t-SNE map of the latents' first principal components, and measure how far each point can be trusted.

    Parameters
    ----------
    latents
        At least 10 participants.
    seed
        Settles the approximate neighbour search; the start itself is not random.
    kind
        Whether the components spread as they do, or all alike.

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
    if n < LEAST_PARTICIPANTS:
        raise StudyError(
            f"A t-SNE map needs at least {LEAST_PARTICIPANTS} participants, the {latents.modality} latents have {n}."
        )
    total = N_EARLY_ITERATIONS + N_ITERATIONS
    perplexity = min(PERPLEXITY, (n - 1) / 3.0)
    yield Progress(0, total, "Finding neighbours")
    if kind == "whitened_tsne":
        space = whitened(latents).scores.values
        scores = space.astype(np.float64)
    else:
        space = latents.values
        scores = _principal_components(space, N_PCA_COMPONENTS)
    embedding = _begin_tsne(scores, perplexity, seed)
    for done in range(0, total, N_ITERATIONS_PER_STEP):
        yield Progress(done, total, f"t-SNE, iteration {done} of {total}")
        exaggeration = EARLY_EXAGGERATION if done < N_EARLY_ITERATIONS else 1.0
        embedding.optimize(N_ITERATIONS_PER_STEP, exaggeration=exaggeration, momentum=0.8, inplace=True)
    coordinates = np.array(embedding, dtype=np.float32)
    coordinates -= coordinates.mean(axis=0)
    parameters = {
        "n_pca_components": scores.shape[1],
        "perplexity": perplexity,
        "early_exaggeration": EARLY_EXAGGERATION,
        "n_iterations": [N_EARLY_ITERATIONS, N_ITERATIONS],
        "learning_rate": "n / exaggeration",
        "initialization": "pca",
        "seed": seed,
    }
    projection = Projection(
        coordinates, latents.participant_ids, latents.modality, kind, parameters, latents.bundle_fingerprint
    )
    return (yield from _with_trust(projection, space))


def _with_trust(projection: Projection, space: NDArray[np.float32]) -> Generator[Progress, None, Projection]:
    trust = yield from neighbour_preservation(space, projection.coordinates)
    worth = yield from trustworthiness(space, projection.coordinates)
    parameters = {**projection.parameters, "n_trust_neighbours": N_TRUST_NEIGHBOURS}
    return replace(projection, parameters=parameters, trust=trust, trustworthiness=worth)


def _principal_components(values: NDArray[np.float32], n_components: int) -> NDArray[np.float64]:
    """Scores ``(n, n_components)`` on the axes along which values vary most."""
    axes, _ = principal_axes(values, n_components)
    return np.asarray((values - values.mean(axis=0, dtype=np.float64)) @ axes)


def _begin_tsne(scores: NDArray[np.float64], perplexity: float, seed: int) -> "TSNEEmbedding":
    """Affinities and PCA start; openTSNE's own learning rate "auto" is n / exaggeration."""
    from openTSNE import TSNEEmbedding, affinity, initialization

    n_jobs = 1 if len(scores) < LEAST_FOR_TWO_THREADS else 2
    affinities = affinity.PerplexityBasedNN(scores, perplexity=perplexity, n_jobs=n_jobs, random_state=seed)
    start = initialization.rescale(scores[:, :2])
    return TSNEEmbedding(start, affinities, learning_rate="auto", n_jobs=n_jobs, random_state=seed)
