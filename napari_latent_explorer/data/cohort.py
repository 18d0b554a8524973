"""The people in memory: who they are, their phenotypes, and which recordings they have.

State elsewhere in the program speaks in participant ids; row numbers are only good inside the cohort that they index,
so they never leave it (`rows_of` is asked again after every `subset`).
"""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from types import MappingProxyType
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from napari_latent_explorer.data.arrays import read_only
from napari_latent_explorer.data.id_index import IdIndex
from napari_latent_explorer.data.phenotype import PhenotypeSpec
from napari_latent_explorer.errors import TableError

MISSING_CODE = -1
N_KNOWN_ROWS = 16


@dataclass(frozen=True, eq=False)
class Cohort:
    """Participants with their phenotypes; frozen.

    Attributes
    ----------
    participant_ids
        ``(n_participants,)`` strings, unique, in the order of the table's rows.
    phenotypes
        ``(n_participants, n_phenotypes)`` table, indexed 0..n-1. Continuous columns are float64 with NaN for missing;
        binary and categorical columns are pandas categoricals with the spec's categories.
    specs
        What each column means, in the order in which they are shown.
    availability
        For each modality a mask ``(n_participants,)`` of who has that recording.

    Raises
    ------
    TableError
        When ids repeat, or table, specs and masks do not fit each other; every misfit is named at once.
    """

    participant_ids: NDArray[np.str_]
    phenotypes: pd.DataFrame
    specs: Mapping[str, PhenotypeSpec]
    availability: Mapping[str, NDArray[np.bool_]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        ids = read_only(self.participant_ids, np.str_)
        object.__setattr__(self, "participant_ids", ids)
        object.__setattr__(self, "specs", MappingProxyType(dict(self.specs)))
        masks = {name: read_only(mask, np.bool_) for name, mask in self.availability.items()}
        object.__setattr__(self, "availability", MappingProxyType(masks))
        problems = self._problems()
        if problems:
            raise TableError("The cohort does not fit together: " + "; ".join(problems) + ".")

    def _problems(self) -> list[str]:
        n = len(self.participant_ids)
        problems = []
        if not self._index.is_unique:
            unique, counts = np.unique(self.participant_ids, return_counts=True)
            repeated = ", ".join(unique[counts > 1][:3])
            problems.append(f"{int((counts > 1).sum())} participant ids occur more than once, e.g. {repeated}")
        if len(self.phenotypes) != n:
            problems.append(f"{n} participants but {len(self.phenotypes)} rows of phenotypes")
        missing = [name for name in self.specs if name not in self.phenotypes.columns]
        if missing:
            problems.append(f"columns without data: {', '.join(missing)}")
        problems += [
            f"{len(mask)} values say who has {name!r}, {n} expected"
            for name, mask in self.availability.items()
            if len(mask) != n
        ]
        return problems

    def __len__(self) -> int:
        return len(self.participant_ids)

    @cached_property
    def _row_of(self) -> dict[str, int]:
        return {participant_id: row for row, participant_id in enumerate(self.participant_ids.tolist())}

    @cached_property
    def _known_rows(self) -> list[tuple[Iterable[str], NDArray[np.intp]]]:
        return []

    @cached_property
    def _index(self) -> IdIndex:
        return IdIndex(self.participant_ids)

    def __contains__(self, participant_id: str) -> bool:
        return participant_id in self._row_of

    @cached_property
    def fingerprints(self) -> Mapping[str, str]:
        """Names of what it holds: of who is in it, under an empty name, and of the values of each phenotype.

        Two cohorts with the same names are the same people in the same order with the same values.
        """
        digests = {"": _digest("\n".join(self.participant_ids.tolist()).encode("utf-8", "surrogatepass"))}
        for name, spec in self.specs.items():
            values = self.values(name) if spec.kind == "continuous" else self.codes(name)
            facts = repr((spec.kind, spec.unit, spec.categories)).encode("utf-8", "surrogatepass")
            digests[name] = _digest(facts, np.where(np.isnan(values), np.nan, values).tobytes())
        return MappingProxyType(digests)

    @property
    def fingerprint(self) -> str:
        """Name of all that it holds."""
        return _digest(repr(sorted(self.fingerprints.items())).encode("utf-8", "surrogatepass"))

    def rows_of(self, participant_ids: Iterable[str]) -> NDArray[np.intp]:
        """Rows ``(n_ids,)`` of the given participants in this cohort, in the order given.

        The last read-only arrays are remembered: those of maps and groups are asked again and again.

        Raises
        ------
        KeyError
            When an id is not in the cohort.
        """
        for known, rows in self._known_rows:
            if known is participant_ids:
                return rows
        ids = participant_ids if isinstance(participant_ids, np.ndarray) else list(participant_ids)
        asked: NDArray[np.str_] = np.asarray(ids, dtype=np.str_)
        rows = read_only(self._index.find(asked))
        if (rows < 0).any():
            raise KeyError(str(asked[np.argmin(rows)]))
        if ids is participant_ids and not asked.flags.writeable:
            self._known_rows[:] = [*self._known_rows[1 - N_KNOWN_ROWS :], (participant_ids, rows)]
        return rows

    def values(self, name: str) -> NDArray[np.float64]:
        """Values ``(n_participants,)`` of a continuous phenotype, or 0/1 of a binary one; NaN where missing."""
        if self.specs[name].kind == "continuous":
            return read_only(self.phenotypes[name].to_numpy(np.float64))
        codes = self.codes(name).astype(np.float64)
        return read_only(np.where(codes == MISSING_CODE, np.nan, codes))

    def codes(self, name: str) -> NDArray[np.int64]:
        """Category codes ``(n_participants,)`` of a binary or categorical phenotype; -1 where missing."""
        return read_only(self.narrow_codes(name), np.int64)

    def narrow_codes(self, name: str) -> NDArray[np.signedinteger]:
        """Return the same in the narrowest integers, an eighth of the memory: for masks of millions."""
        column: Any = self.phenotypes[name]
        return read_only(column.cat.codes.to_numpy())

    def subset(self, participant_ids: Sequence[str] | NDArray[np.str_]) -> "Cohort":
        """Keep only the given participants, in the order given."""
        rows = self.rows_of(participant_ids)
        return Cohort(
            self.participant_ids[rows],
            self.phenotypes.iloc[rows].reset_index(drop=True),
            self.specs,
            {name: mask[rows] for name, mask in self.availability.items()},
        )

    def split(self, fractions: Mapping[str, float], seed: int) -> dict[str, NDArray[np.str_]]:
        """Divide the participants at random, e.g. ``{"train": 0.8, "valid": 0.2}``, into disjoint sets of ids.

        The fractions must sum to 1; the last part takes the rounding.
        """
        if not np.isclose(sum(fractions.values()), 1.0):
            raise TableError(f"The fractions of a split must sum to 1, got {dict(fractions)}.")
        order = np.random.default_rng(seed).permutation(len(self))
        ends = np.round(np.cumsum(list(fractions.values())) * len(self)).astype(int)
        starts = np.concatenate([[0], ends[:-1]])
        return {
            name: self.participant_ids[np.sort(order[start:end])]
            for name, start, end in zip(fractions, starts, ends, strict=True)
        }


def _digest(*parts: bytes) -> str:
    digest = hashlib.sha256()
    for part in parts:
        digest.update(part)
    return digest.hexdigest()[:16]
