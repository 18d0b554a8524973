"""One vector that stands for a group of participants.

Two of the four choices are people (`nearest`, `medoid`): their vector was made from a recording, so the decoder has
seen its like. The other two (`mean`, `median`) belong to nobody; they are smoother, and may lie where no heart does.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

from napari_latent_explorer.data.arrays import read_only
from napari_latent_explorer.data.latents import LatentSpace
from napari_latent_explorer.errors import LatentExplorerError

RepresentativeMethod = Literal["nearest", "mean", "median", "medoid"]
REPRESENTATIVE_METHODS: tuple[RepresentativeMethod, ...] = get_args(RepresentativeMethod)

MAX_MEDOID_CANDIDATES = 2_000
"""In larger groups only this many members, the nearest to the median, are tried as medoid."""


@dataclass(frozen=True, slots=True, eq=False)
class Representative:
    """The vector that stands for a group.

    Attributes
    ----------
    vector
        ``(latent_dim,)`` float32.
    participant_id
        Whose vector it is; None when it is nobody's (mean, median).
    method
        How it was chosen.
    """

    vector: NDArray[np.float32]
    participant_id: str | None
    method: RepresentativeMethod

    def __post_init__(self) -> None:
        object.__setattr__(self, "vector", read_only(self.vector, np.float32))

    @property
    def label(self) -> str:
        """In words, e.g. ``nearest to the mean: SIM-00012``."""
        words = {"nearest": "nearest to the mean", "mean": "mean", "median": "median", "medoid": "medoid"}
        name = words[self.method]
        return f"{name}: {self.participant_id}" if self.participant_id else name

    @property
    def short_label(self) -> str:
        """For where room is small, e.g. ``nearest SIM-00012``."""
        return f"{self.method} {self.participant_id}" if self.participant_id else self.method


def representative(
    latents: LatentSpace, participant_ids: Sequence[str] | NDArray[np.str_], method: RepresentativeMethod = "nearest"
) -> Representative:
    """Choose the vector that stands for the given participants.

    Parameters
    ----------
    latents
        Latents of at least these participants.
    participant_ids
        The group, not empty.
    method
        ``nearest``: the member nearest to the mean. ``mean`` and ``median``: per dimension. ``medoid``: the member with
        the smallest sum of Euclidean distances to all members (in groups above `MAX_MEDOID_CANDIDATES`, the best among
        that many members nearest to the median).

    Raises
    ------
    LatentExplorerError
        When the group is empty or the method unknown.
    """
    ids: NDArray[np.str_] = np.asarray(participant_ids, np.str_)
    if not len(ids):
        raise LatentExplorerError("A group without participants has no representative; select at least one.")
    vectors = latents.of(ids).astype(np.float64)
    if method == "mean":
        return Representative(vectors.mean(axis=0), None, method)
    if method == "median":
        return Representative(np.median(vectors, axis=0), None, method)
    if method == "nearest":
        chosen = int(np.argmin(_distances(vectors, vectors.mean(axis=0))))
    elif method == "medoid":
        chosen = _medoid(vectors)
    else:
        raise LatentExplorerError(f"Unknown representative {method!r}; choose {', '.join(REPRESENTATIVE_METHODS)}.")
    return Representative(vectors[chosen], str(ids[chosen]), method)


def _distances(vectors: NDArray[np.float64], point: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray(np.linalg.norm(vectors - point, axis=1))


def _medoid(vectors: NDArray[np.float64]) -> int:
    """Row of the member with the smallest sum of distances to all."""
    candidates = np.argsort(_distances(vectors, np.median(vectors, axis=0)), kind="stable")[:MAX_MEDOID_CANDIDATES]
    sums = [_distances(vectors, vectors[row]).sum() for row in candidates]
    return int(candidates[int(np.argmin(sums))])
