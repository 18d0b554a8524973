"""Latent vectors of a cohort, and of which bundle they are."""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from napari_latent_explorer.data.arrays import read_only
from napari_latent_explorer.data.id_index import IdIndex
from napari_latent_explorer.errors import StudyError

N_REMEMBERED = 16
"""Sets of participants whose rows are kept."""


@dataclass(frozen=True, eq=False)
class LatentSpace:
    """The latent vectors that one encoder gave to the participants of a cohort.

    Attributes
    ----------
    values
        ``(n_participants, latent_dim)`` float32.
    participant_ids
        ``(n_participants,)`` strings, in the order of the rows.
    modality
        ``mri``, ``ecg`` or ``joint``.
    bundle_fingerprint
        Fingerprint of the bundle whose encoder made them.
    """

    values: NDArray[np.float32]
    participant_ids: NDArray[np.str_]
    modality: str
    bundle_fingerprint: str

    def __post_init__(self) -> None:
        object.__setattr__(self, "values", read_only(self.values, np.float32))
        object.__setattr__(self, "participant_ids", read_only(self.participant_ids, np.str_))
        if self.values.ndim != 2 or len(self.values) != len(self.participant_ids):
            raise StudyError(
                f"The {self.modality} latents have shape {self.values.shape} for {len(self.participant_ids)} "
                "participants; expected (n_participants, latent_dim). Encode the study again."
            )

    @cached_property
    def _row_of(self) -> dict[str, int]:
        return {participant_id: row for row, participant_id in enumerate(self.participant_ids.tolist())}

    @cached_property
    def _index(self) -> IdIndex:
        return IdIndex(self.participant_ids)

    @cached_property
    def _found_rows(self) -> list[tuple[NDArray[np.str_], NDArray[np.intp]]]:
        return []

    def known(self, participant_ids: NDArray[np.str_]) -> NDArray[np.str_]:
        """Those of the given participants ``(n_ids,)`` who have a vector, in the order given."""
        rows = self._find(participant_ids)
        return participant_ids if (rows >= 0).all() else np.asarray(participant_ids[rows >= 0])

    def _find(self, participant_ids: NDArray[np.str_]) -> NDArray[np.intp]:
        """Row ``(n_ids,)`` of each, -1 for a stranger; the last read-only arrays, those of groups, are remembered."""
        for asked, rows in tuple(self._found_rows):
            if asked is participant_ids:
                return rows
        rows = read_only(self._index.find(participant_ids))
        if not participant_ids.flags.writeable:
            self._found_rows[:] = [*self._found_rows[1 - N_REMEMBERED :], (participant_ids, rows)]
        return rows

    def __contains__(self, participant_id: str) -> bool:
        return participant_id in self._row_of

    @property
    def latent_dim(self) -> int:
        """Number of latent dimensions."""
        return int(self.values.shape[1])

    @cached_property
    def mean(self) -> NDArray[np.float32]:
        """Mean vector ``(latent_dim,)``."""
        return read_only(self.values.mean(axis=0))

    @property
    def std(self) -> NDArray[np.float32]:
        """Standard deviation ``(latent_dim,)`` of each dimension over the participants."""
        std: NDArray[np.float32] = self.values.std(axis=0)
        return std

    @cached_property
    def squared_norms(self) -> NDArray[np.float32]:
        """Squared length ``(n_participants,)`` of each vector; kept, for searches among neighbours."""
        return read_only(np.einsum("ij,ij->i", self.values, self.values))

    def make_ready(self) -> None:
        """Compute all that is kept beside the vectors, e.g. on a worker, before somebody waits for it."""
        for name in ("mean", "squared_norms", "_row_of", "_index"):
            getattr(self, name)

    def of(self, participant_ids: Iterable[str]) -> NDArray[np.float32]:
        """Vectors ``(n_ids, latent_dim)`` of the given participants, in the order given; KeyError for a stranger."""
        if not isinstance(participant_ids, np.ndarray):
            return self.values[[self._row_of[participant_id] for participant_id in participant_ids]]
        rows = self._find(participant_ids)
        if (rows < 0).any():
            raise KeyError(str(participant_ids[np.argmin(rows)]))
        return self.values[rows]

    def aligned_to(self, participant_ids: NDArray[np.str_]) -> "LatentSpace":
        """Put the rows in the order of `participant_ids`."""
        values = self.of(participant_ids.tolist())
        return LatentSpace(values, participant_ids, self.modality, self.bundle_fingerprint)
