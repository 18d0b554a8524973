"""Does one modality find the other of the same person? The test of a shared latent space.

Each participant's query vector (say, ECG) is compared with the key vectors (say, MRI) of all; the rank of their own key
says how well the two encoders agree. Chance finds it among the first k of n with probability k / n.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from napari_latent_explorer.data.arrays import read_only
from napari_latent_explorer.data.latents import LatentSpace
from napari_latent_explorer.errors import StudyError

N_BOOTSTRAPS = 2_000
N_ROWS_PER_BLOCK = 2_000


@dataclass(frozen=True, slots=True, eq=False)
class RetrievalResult:
    """How often the own key is among the first.

    Attributes
    ----------
    participant_ids
        ``(n_participants,)`` who has both a query and a key.
    ranks
        ``(n_participants,)`` rank of the own key, 1 is best; equal similarities count against it.
    top
        The k of "among the first k".
    accuracy, low, high
        ``(n_top,)`` share of participants whose own key is among the first k, with a 95 % bootstrap interval over the
        queries (the keys stay as they are).
    chance
        ``(n_top,)`` what guessing reaches.
    """

    participant_ids: NDArray[np.str_]
    ranks: NDArray[np.int64]
    top: tuple[int, ...]
    accuracy: NDArray[np.float64]
    low: NDArray[np.float64]
    high: NDArray[np.float64]
    chance: NDArray[np.float64]

    @property
    def median_rank(self) -> float:
        """Median of the ranks; (n + 1) / 2 by chance."""
        return float(np.median(self.ranks))


def retrieve(
    query_latents: LatentSpace, key_latents: LatentSpace, top: Sequence[int] = (1, 5, 10), seed: int = 0
) -> RetrievalResult:
    """Rank each participant's own key by cosine similarity to their query, among the keys of all who have both.

    Raises
    ------
    StudyError
        When nobody has both, or the two spaces have different dimensions.
    """
    if query_latents.latent_dim != key_latents.latent_dim:
        raise StudyError(
            f"{query_latents.modality} latents have {query_latents.latent_dim} dimensions and {key_latents.modality} "
            f"latents {key_latents.latent_dim}; only latents of one shared space can be compared."
        )
    have_key = set(key_latents.participant_ids.tolist())
    ids = [participant_id for participant_id in query_latents.participant_ids.tolist() if participant_id in have_key]
    if not ids:
        raise StudyError(f"No participant has both {query_latents.modality} and {key_latents.modality} latents.")
    ranks = _ranks(_unit(query_latents.of(ids)), _unit(key_latents.of(ids)))
    accuracy = np.array([(ranks <= k).mean() for k in top])
    # resampling n queries and counting the hits is a binomial draw
    resampled = np.random.default_rng(seed).binomial(len(ids), accuracy, (N_BOOTSTRAPS, len(top))) / len(ids)
    low, high = np.percentile(resampled, (2.5, 97.5), axis=0)
    chance = np.minimum(np.array(top) / len(ids), 1.0)
    return RetrievalResult(read_only(np.array(ids)), read_only(ranks), tuple(top), accuracy, low, high, chance)


def _unit(vectors: NDArray[np.float32]) -> NDArray[np.float64]:
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    return np.asarray(vectors / np.where(lengths > 0, lengths, 1.0), dtype=np.float64)


def _ranks(queries: NDArray[np.float64], keys: NDArray[np.float64]) -> NDArray[np.int64]:
    ranks = np.empty(len(queries), dtype=np.int64)
    for start in range(0, len(queries), N_ROWS_PER_BLOCK):
        similarity = queries[start : start + N_ROWS_PER_BLOCK] @ keys.T
        rows = np.arange(len(similarity))
        own = similarity[rows, start + rows]
        ranks[start + rows] = (similarity >= own[:, None]).sum(axis=1)
    return ranks
