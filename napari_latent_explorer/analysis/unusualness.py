"""How unusual a latent vector is among those of a cohort.

The distance from the cohort's mean, measured in standard deviations along each direction in which people differ
(Mahalanobis), so that a small step where nobody differs counts more than a large one along the size of hearts. The
covariance is shrunk: with fewer people than some hundreds of dimensions the plain one cannot be inverted. A distance
means little by itself, so it is told as the percentile of the cohort that is nearer to the mean.

The hard idea: participants have pulled mean and covariance a little to themselves, and so seem nearer than somebody new
of the same kind; with as many dimensions as half the people everybody new would look unusual. Each participant is
therefore measured by mean and covariance of all the *others*, for which removing one from the inverse has a closed
form (Sherman and Morrison).

References
----------
Mahalanobis PC (1936), Proc Natl Inst Sci India 2. Ledoit O, Wolf M (2004), A well-conditioned estimator for
large-dimensional covariance matrices, J Multivar Anal 88.
"""

from collections.abc import Generator
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from napari_latent_explorer.analysis.blas import apply_matrix, one_blas_thread
from napari_latent_explorer.data.arrays import read_only
from napari_latent_explorer.data.latents import LatentSpace
from napari_latent_explorer.data.progress import Progress
from napari_latent_explorer.errors import StudyError

ROWS_PER_STEP = 20_000
LEAST_VARIANCE = 1e-10
"""Of the largest: among two or three people most directions have none, and distances along them no meaning."""


@dataclass(frozen=True, slots=True, eq=False)
class Unusualness:
    """How far from the middle of a cohort's latents each participant is, and any other vector.

    Attributes
    ----------
    participant_ids
        ``(n_participants,)`` strings.
    squared_distances
        ``(n_participants,)`` squared Mahalanobis distance from the mean of the others, by their covariance.
    percentiles
        ``(n_participants,)`` share of the cohort, 0..100, that is at most as far from the mean.
    mean, whitening
        ``(latent_dim,)`` and ``(latent_dim, latent_dim)``: the squared length of ``(v - mean) @ whitening`` is the
        squared distance of a vector v.
    shrinkage
        Weight 0..1 of the equal-variance target in the covariance.
    """

    participant_ids: NDArray[np.str_]
    squared_distances: NDArray[np.float64]
    percentiles: NDArray[np.float64]
    mean: NDArray[np.float64]
    whitening: NDArray[np.float64]
    shrinkage: float

    def squared_distance(self, vectors: ArrayLike) -> NDArray[np.float64]:
        """Squared Mahalanobis distance ``(m,)`` of vectors ``(m, latent_dim)`` from the cohort's mean."""
        return _squared_lengths(
            apply_matrix(np.atleast_2d(np.asarray(vectors, np.float64)) - self.mean, self.whitening)
        )

    def percentile(self, vectors: ArrayLike) -> NDArray[np.float64]:
        """Share ``(m,)`` of the cohort, 0..100, that is at most as far from the mean as each vector."""
        nearer = np.searchsorted(np.sort(self.squared_distances), self.squared_distance(vectors), side="right")
        return np.asarray(100.0 * nearer / len(self.squared_distances))


def measure_unusualness(latents: LatentSpace) -> Generator[Progress, None, Unusualness]:
    """Measure how unusual each participant's vector is.

    Raises
    ------
    StudyError
        When there are fewer than two participants.
    """
    n = len(latents.values)
    if n < 2:
        raise StudyError(f"What is unusual can only be told among several participants, the study has {n} encoded.")
    yield Progress(0, n, "Learning what is usual")
    from sklearn.covariance import ledoit_wolf

    with one_blas_thread():
        covariance, shrinkage = ledoit_wolf(latents.values.astype(np.float64))
        variances, axes = np.linalg.eigh(covariance)
    variances = np.maximum(variances, max(LEAST_VARIANCE * variances[-1], np.finfo(np.float64).tiny))
    mean, whitening = latents.values.mean(axis=0, dtype=np.float64), axes / np.sqrt(variances)
    squared = np.empty(n)
    for start in range(0, n, ROWS_PER_STEP):
        yield Progress(start, n, "Measuring how unusual each recording is")
        part = slice(start, start + ROWS_PER_STEP)
        squared[part] = _squared_lengths((latents.values[part] - mean) @ whitening)
    squared = _without_oneself(squared, float(shrinkage))
    percentiles = 100.0 * np.searchsorted(np.sort(squared), squared, side="right") / n
    return Unusualness(
        latents.participant_ids,
        read_only(squared),
        read_only(percentiles),
        read_only(mean),
        read_only(whitening),
        float(shrinkage),
    )


def _without_oneself(squared: NDArray[np.float64], shrinkage: float) -> NDArray[np.float64]:
    """Squared distance ``(n,)`` of each participant by mean and covariance of the others; the shrinkage stays."""
    n = len(squared)
    own_share = (1.0 - shrinkage) * n / (n - 1) ** 2 * squared
    return np.asarray((n / (n - 1)) ** 2 * squared / np.maximum(1.0 - own_share, np.finfo(np.float64).eps))


def _squared_lengths(vectors: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray(np.einsum("ij,ij->i", vectors, vectors))
