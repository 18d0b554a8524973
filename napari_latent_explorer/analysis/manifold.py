"""Whether a latent vector lies among those of people, and who is nearest to it.

A decoder draws something for any vector; it has learnt only what to draw for people's. So a vector is held against the
cohort: which share of it is at most as far from the middle (`unusualness`), and how far the nearest people are. Both
are told in the same distance, standard deviations in each direction (Mahalanobis), so a vector in an empty place near
the middle shows in the second where the first says nothing.
"""

from collections.abc import Generator
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from napari_latent_explorer.analysis.blas import apply_matrix
from napari_latent_explorer.analysis.unusualness import Unusualness, measure_unusualness
from napari_latent_explorer.data.arrays import read_only
from napari_latent_explorer.data.latents import LatentSpace
from napari_latent_explorer.data.progress import Progress
from napari_latent_explorer.errors import StudyError

LIMIT_PERCENTILE = 95.0
"""Beyond it a vector is called unlike the cohort; of new people of the same kind one in twenty is, too."""
MIN_PARTICIPANTS = 10
"""Among fewer nothing can be said of what is usual."""
N_SAMPLED = 500
"""Participants whose nearest other one says what a usual distance is."""


@dataclass(frozen=True, slots=True, eq=False)
class GaugeReading:
    """How a vector lies among the cohort's.

    Attributes
    ----------
    percentile
        Share of the cohort, 0..100, that is at most as far from its middle.
    nearest_ids, nearest_distances
        ``(n_nearest,)`` the nearest participants and their distances, in SD.
    usual_distance
        Median distance of a participant to the nearest other one, in SD.
    """

    percentile: float
    nearest_ids: NDArray[np.str_]
    nearest_distances: NDArray[np.float64]
    usual_distance: float

    @property
    def is_outside(self) -> bool:
        """Whether the vector is farther out than 95 % of the cohort."""
        return self.percentile > LIMIT_PERCENTILE


@dataclass(frozen=True, slots=True, eq=False)
class Manifold:
    """The cohort's latents of one modality, as the gauge needs them.

    Attributes
    ----------
    unusualness
        Distances from the middle.
    whitened, squared_lengths
        ``(n_participants, latent_dim)`` vectors in SD from the middle in each direction, and their squared lengths.
    usual_distance
        As in `GaugeReading`.
    """

    unusualness: Unusualness
    whitened: NDArray[np.float32]
    squared_lengths: NDArray[np.float32]
    usual_distance: float

    def read(self, vector: ArrayLike, n_nearest: int = 5) -> GaugeReading:
        """Hold one vector ``(latent_dim,)`` against the cohort; a product of matrix and vector."""
        at = np.asarray(vector, np.float64)
        own = apply_matrix(at - self.unusualness.mean, self.unusualness.whitening).astype(np.float32)
        squared = self.squared_lengths - 2.0 * np.einsum("ij,j->i", self.whitened, own)
        n_nearest = min(n_nearest, len(squared))
        nearest = np.argpartition(squared, n_nearest - 1)[:n_nearest]
        exact = np.linalg.norm(self.whitened[nearest].astype(np.float64) - own, axis=1)
        order = np.argsort(exact, kind="stable")
        percentile = float(self.unusualness.percentile(at[None])[0])
        return GaugeReading(
            percentile, self.unusualness.participant_ids[nearest[order]], exact[order], self.usual_distance
        )

    def distance(self, first: ArrayLike, second: ArrayLike) -> float:
        """Distance of two vectors ``(latent_dim,)``, in SD in each direction."""
        apart = np.asarray(first, np.float64) - np.asarray(second, np.float64)
        return float(np.linalg.norm(apply_matrix(apart, self.unusualness.whitening)))


def fit_manifold(latents: LatentSpace) -> Generator[Progress, None, Manifold]:
    """Measure a cohort's latents for the gauge.

    Yields
    ------
    Progress
        While distances are measured.

    Raises
    ------
    StudyError
        When there are fewer than ten participants.
    """
    if len(latents.values) < MIN_PARTICIPANTS:
        raise StudyError(
            f"What is usual can be told among {MIN_PARTICIPANTS} participants and more; {len(latents.values)} have "
            f"{latents.modality} latents."
        )
    unusualness = yield from measure_unusualness(latents)
    whitened = ((latents.values - unusualness.mean) @ unusualness.whitening).astype(np.float32)
    squared_lengths = np.einsum("ij,ij->i", whitened, whitened)
    rows = np.random.default_rng(0).permutation(len(whitened))[:N_SAMPLED]
    yield Progress(len(whitened), len(whitened), "Measuring how near the nearest are")
    squared = squared_lengths - 2.0 * whitened[rows] @ whitened.T + squared_lengths[rows, None]
    squared[np.arange(len(rows)), rows] = np.inf
    usual = float(np.median(np.sqrt(np.maximum(squared.min(axis=1), 0.0))))
    return Manifold(unusualness, read_only(whitened), read_only(squared_lengths), usual)
