"""Which participants are looked at: filters of one phenotype or one map, and what they are put together to.

The hard idea: who has no value neither passes nor fails. A filter knows three answers (Kleene's logic): a participant
passes, fails, or nothing is known of them, and only who passes is seen. `Not` turns passing and failing round and
leaves the unknown where they are, so "without diabetes" never holds somebody who was not asked about diabetes, as long
as neither part says `include_missing`; `AllOf` fails as soon as one part fails, `AnyOf` passes as soon as one passes.

What is on a map depends on the map, so each filter is asked with the projections at hand: the state holds a polygon,
never the ids inside it, and a polygon belongs to the one map on which it was drawn (`Projection.fingerprint`).

References
----------
Kleene SC (1952), Introduction to Metamathematics, section 64 (strong three-valued logic).
"""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import reduce
from types import MappingProxyType
from typing import Final

import numpy as np
from numpy.typing import NDArray

from napari_latent_explorer.analysis.map_space import MAP_NAMES
from napari_latent_explorer.analysis.polygon import points_in_polygon
from napari_latent_explorer.analysis.projection import Projection
from napari_latent_explorer.data.cohort import MISSING_CODE, Cohort
from napari_latent_explorer.data.phenotype import PhenotypeSpec
from napari_latent_explorer.errors import LatentExplorerError, StudyError, TableError

NO_PROJECTIONS: Final[Mapping[str, Projection]] = MappingProxyType({})
SENTENCE_KEY = "sentence"
"""Key of what is put together of filters with different keys."""


@dataclass(frozen=True, slots=True, eq=False)
class Verdict:
    """Who passes a filter and who fails it, each ``(n_participants,)``; of who does neither, nothing is known."""

    passes: NDArray[np.bool_]
    fails: NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class CategoryFilter:
    """Participants in one of `categories`, and those without a value if `include_missing`.

    Without any category and with `include_missing` it works on every kind of phenotype: who has no value.
    """

    phenotype: str
    categories: frozenset[str] = frozenset()
    include_missing: bool = False

    @property
    def key(self) -> str:
        """The phenotype."""
        return self.phenotype

    @property
    def phenotypes(self) -> frozenset[str]:
        """The phenotype alone."""
        return frozenset({self.phenotype})

    def mask(self, cohort: Cohort, projections: Mapping[str, Projection] = NO_PROJECTIONS) -> NDArray[np.bool_]:
        """Who passes, ``(n_participants,)``.

        Raises
        ------
        TableError
            When the cohort lacks the phenotype or one of the categories.
        """
        spec = _spec(cohort, self.phenotype)
        unknown = self.categories - set(spec.categories)
        if unknown:
            raise TableError(
                f"Phenotype {spec.name!r} has no category {', '.join(sorted(unknown))}; "
                f"it has {', '.join(spec.categories) or 'none: it is continuous, filter it by a range'}."
            )
        if spec.kind == "continuous":
            return np.isnan(cohort.values(spec.name)) & self.include_missing
        codes = cohort.narrow_codes(spec.name)
        chosen = [code for code, name in enumerate(spec.categories) if name in self.categories]
        passes = np.zeros(len(cohort), np.bool_)
        for code in [*chosen, *[MISSING_CODE] * self.include_missing]:
            passes |= codes == code
        return passes

    def verdict(self, cohort: Cohort, projections: Mapping[str, Projection] = NO_PROJECTIONS) -> Verdict:
        """Who passes and who fails; without a value is unknown, unless `include_missing`."""
        return _verdict_on_values(cohort, self.phenotype, self.mask(cohort), self.include_missing)

    def describe(self, specs: Mapping[str, PhenotypeSpec]) -> str:
        """In words, e.g. ``Sex: female``."""
        spec = specs[self.phenotype]
        names = [name for name in spec.categories if name in self.categories]
        return f"{spec.label or spec.name}: " + " or ".join([*names, *["missing"] * self.include_missing])


@dataclass(frozen=True, slots=True)
class RangeFilter:
    """Participants with ``low <= value <= high``, and those without a value if `include_missing`.

    An open end is an infinite one.
    """

    phenotype: str
    low: float
    high: float
    include_missing: bool = False

    @property
    def key(self) -> str:
        """The phenotype."""
        return self.phenotype

    @property
    def phenotypes(self) -> frozenset[str]:
        """The phenotype alone."""
        return frozenset({self.phenotype})

    def mask(self, cohort: Cohort, projections: Mapping[str, Projection] = NO_PROJECTIONS) -> NDArray[np.bool_]:
        """Who passes, ``(n_participants,)``.

        Raises
        ------
        TableError
            When the cohort lacks the phenotype, it is not continuous, or the range is upside down.
        """
        spec = _spec(cohort, self.phenotype)
        if spec.kind != "continuous":
            raise TableError(f"Phenotype {spec.name!r} is {spec.kind}; filter it by its categories, not by a range.")
        if not self.low <= self.high:
            raise TableError(f"The range of {spec.title} is from {self.low} to {self.high}; low must not exceed high.")
        values = cohort.values(spec.name)
        passes = values >= self.low
        passes &= values <= self.high
        return passes | np.isnan(values) if self.include_missing else passes

    def verdict(self, cohort: Cohort, projections: Mapping[str, Projection] = NO_PROJECTIONS) -> Verdict:
        """Who passes and who fails; without a value is unknown, unless `include_missing`."""
        return _verdict_on_values(cohort, self.phenotype, self.mask(cohort), self.include_missing)

    def describe(self, specs: Mapping[str, PhenotypeSpec]) -> str:
        """In words, e.g. ``Age 55 to 65 years``."""
        spec = specs[self.phenotype]
        words = self._words()
        text = f"{spec.label or spec.name} {words or 'of any value'} {spec.unit if words else ''}".rstrip()
        return f"{text} or missing" if self.include_missing else text

    def _words(self) -> str:
        low, high = _end_words(self.low, -math.inf), _end_words(self.high, math.inf)
        if low and high:
            return f"{low.replace('at least ', '')} to {high.replace('at most ', '')}"
        return low or high


@dataclass(frozen=True, slots=True)
class MapFilter:
    """Participants inside a polygon on a map; who has no place on it is unknown.

    Attributes
    ----------
    modality
        Name of the map: ``mri``, ``ecg`` or ``joint``.
    polygon
        ``(n_vertices, 2)`` in map coordinates; the last is joined to the first.
    map_fingerprint
        `Projection.fingerprint` of the map on which it was drawn; on any other it means nothing.
    """

    modality: str
    polygon: tuple[tuple[float, float], ...]
    map_fingerprint: str

    @property
    def key(self) -> str:
        """``map:`` and the modality."""
        return f"map:{self.modality}"

    @property
    def phenotypes(self) -> frozenset[str]:
        """None."""
        return frozenset()

    def mask(self, cohort: Cohort, projections: Mapping[str, Projection] = NO_PROJECTIONS) -> NDArray[np.bool_]:
        """Who passes, ``(n_participants,)``.

        Raises
        ------
        StudyError
            When there is no such map, or it is another than the polygon was drawn on.
        """
        projection = self._projection(projections)
        mask = np.zeros(len(cohort), np.bool_)
        inside = points_in_polygon(projection.coordinates, self.polygon)
        mask[cohort.rows_of(projection.participant_ids)] = inside
        return mask

    def verdict(self, cohort: Cohort, projections: Mapping[str, Projection] = NO_PROJECTIONS) -> Verdict:
        """Who passes and who fails; without a place on the map is unknown."""
        projection, passes = self._projection(projections), self.mask(cohort, projections)
        fails = np.zeros(len(cohort), np.bool_)
        fails[cohort.rows_of(projection.participant_ids)] = np.isfinite(projection.coordinates).all(axis=1)
        return Verdict(passes, fails & ~passes)

    def describe(self, specs: Mapping[str, PhenotypeSpec]) -> str:
        """In words, e.g. ``inside a lasso on the MRI map``."""
        return f"inside a lasso on the {MAP_NAMES.get(self.modality, self.modality)} map"

    def _projection(self, projections: Mapping[str, Projection]) -> Projection:
        doing = f"Cannot filter by a lasso on the {MAP_NAMES.get(self.modality, self.modality)} map"
        of_name = [projection for projection in projections.values() if projection.name == self.modality]
        if not of_name:
            raise StudyError(f"{doing}: the study has {', '.join(projections) or 'none'}. Project it, then draw again.")
        for projection in of_name:
            if projection.fingerprint == self.map_fingerprint:
                return projection
        here = ", ".join(f"{projection.fingerprint} ({projection.kind_title})" for projection in of_name)
        raise StudyError(
            f"{doing}: it was drawn on map {self.map_fingerprint}, and this study has {here}. Draw it again."
        )


@dataclass(frozen=True, slots=True)
class Not:
    """Participants who fail `part`, and those of whom it knows nothing if `include_missing`."""

    part: "Filter"
    include_missing: bool = False

    @property
    def key(self) -> str:
        """That of its part."""
        return self.part.key

    @property
    def phenotypes(self) -> frozenset[str]:
        """Those of its part."""
        return self.part.phenotypes

    def mask(self, cohort: Cohort, projections: Mapping[str, Projection] = NO_PROJECTIONS) -> NDArray[np.bool_]:
        """Who passes, ``(n_participants,)``; raises what its part does."""
        return self.verdict(cohort, projections).passes

    def verdict(self, cohort: Cohort, projections: Mapping[str, Projection] = NO_PROJECTIONS) -> Verdict:
        """Who passes and who fails."""
        verdict = self.part.verdict(cohort, projections)
        return Verdict(~verdict.passes if self.include_missing else verdict.fails, verdict.passes)

    def describe(self, specs: Mapping[str, PhenotypeSpec]) -> str:
        """In words, e.g. ``not (Diabetes: yes)``."""
        words = f"not ({self.part.describe(specs)})"
        return f"{words} or missing" if self.include_missing else words


@dataclass(frozen=True, slots=True)
class _Several:
    """What is put together of parts; `AllOf` and `AnyOf` differ in whether the passing or the failing must agree."""

    parts: tuple["Filter", ...]

    def __post_init__(self) -> None:
        if not self.parts:
            raise LatentExplorerError("A filter put together of no parts says nothing; give it at least one.")

    @property
    def key(self) -> str:
        """That which all parts share, or `SENTENCE_KEY`."""
        keys = {part.key for part in self.parts}
        return keys.pop() if len(keys) == 1 else SENTENCE_KEY

    @property
    def phenotypes(self) -> frozenset[str]:
        """Those of its parts."""
        return frozenset().union(*(part.phenotypes for part in self.parts))

    def _masks(self, cohort: Cohort, projections: Mapping[str, Projection]) -> Iterator[NDArray[np.bool_]]:
        return (part.mask(cohort, projections) for part in self.parts)

    def _verdicts(
        self, cohort: Cohort, projections: Mapping[str, Projection]
    ) -> tuple[list[NDArray[np.bool_]], list[NDArray[np.bool_]]]:
        verdicts = [part.verdict(cohort, projections) for part in self.parts]
        return [verdict.passes for verdict in verdicts], [verdict.fails for verdict in verdicts]

    def _joined(self, conjunction: str, specs: Mapping[str, PhenotypeSpec]) -> str:
        words = [part.describe(specs) for part in self.parts]
        return conjunction.join(f"({part})" for part in words) if len(words) > 1 else words[0]


@dataclass(frozen=True, slots=True)
class AllOf(_Several):
    """Participants who pass every part."""

    def mask(self, cohort: Cohort, projections: Mapping[str, Projection] = NO_PROJECTIONS) -> NDArray[np.bool_]:
        """Who passes, ``(n_participants,)``; raises what its parts do."""
        return reduce(np.logical_and, self._masks(cohort, projections))

    def verdict(self, cohort: Cohort, projections: Mapping[str, Projection] = NO_PROJECTIONS) -> Verdict:
        """Who passes and who fails."""
        passes, fails = self._verdicts(cohort, projections)
        return Verdict(reduce(np.logical_and, passes), reduce(np.logical_or, fails))

    def describe(self, specs: Mapping[str, PhenotypeSpec]) -> str:
        """In words, e.g. ``(Sex: male) and (Age 55 to 65 years)``."""
        return self._joined(" and ", specs)


@dataclass(frozen=True, slots=True)
class AnyOf(_Several):
    """Participants who pass at least one part."""

    def mask(self, cohort: Cohort, projections: Mapping[str, Projection] = NO_PROJECTIONS) -> NDArray[np.bool_]:
        """Who passes, ``(n_participants,)``; raises what its parts do."""
        return reduce(np.logical_or, self._masks(cohort, projections))

    def verdict(self, cohort: Cohort, projections: Mapping[str, Projection] = NO_PROJECTIONS) -> Verdict:
        """Who passes and who fails."""
        passes, fails = self._verdicts(cohort, projections)
        return Verdict(reduce(np.logical_or, passes), reduce(np.logical_and, fails))

    def describe(self, specs: Mapping[str, PhenotypeSpec]) -> str:
        """In words, e.g. ``(Age at most 45 years) or (Age at least 60 years)``."""
        return self._joined(" or ", specs)


Filter = CategoryFilter | RangeFilter | MapFilter | Not | AnyOf | AllOf


def _end_words(end: float, open_end: float) -> str:
    """Say an end of a range; one that is the next number beside a round one leaves that out. Empty for an open end."""
    if end == open_end:
        return ""
    left_out = float(f"{end:.12g}")
    if end == math.nextafter(left_out, -open_end):
        return f"{'over' if open_end < 0 else 'under'} {left_out:.4g}"
    return f"{'at least' if open_end < 0 else 'at most'} {end:.4g}"


def _spec(cohort: Cohort, phenotype: str) -> PhenotypeSpec:
    if phenotype not in cohort.specs:
        raise TableError(f"The study has no phenotype {phenotype!r}; it has {', '.join(cohort.specs)}.")
    return cohort.specs[phenotype]


def _verdict_on_values(cohort: Cohort, phenotype: str, passes: NDArray[np.bool_], include_missing: bool) -> Verdict:
    return Verdict(passes, ~passes if include_missing else ~(passes | np.isnan(cohort.values(phenotype))))
