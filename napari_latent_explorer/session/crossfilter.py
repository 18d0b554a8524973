"""Who passes all filters, and the counts of each chart under **all filters but its own**.

So the bars beside a chosen one keep their height and can be chosen next. From outside it is a pure function of filters,
excluded participants and maps; inside, each set of participants is kept until what it was made of is another object.
When one filter moves, its own mask is made anew, its own chart is left alone, and the other charts are counted again.
"""

import operator
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Generic, TypeVar

import numpy as np
from numpy.typing import NDArray

from napari_latent_explorer.analysis.projection import Projection
from napari_latent_explorer.data.arrays import read_only
from napari_latent_explorer.data.cohort import Cohort
from napari_latent_explorer.session.bars import BarCounts, Binning, bin_phenotype
from napari_latent_explorer.session.bitmaps import Words, intersection, pack, size, unpack
from napari_latent_explorer.session.filters import NO_PROJECTIONS, Filter
from napari_latent_explorer.session.selection import mask_of

_Result = TypeVar("_Result")

N_KEPT_MASKS = 8
"""Of sets of ids, the excluded and the selected now and a few steps ago."""


@dataclass(frozen=True, slots=True, eq=False)
class Passing:
    """Who passes, and what the charts count.

    Attributes
    ----------
    visible_mask
        ``(n_participants,)`` who passes all filters and is not excluded.
    n_visible, n_total
        How many those are, and how many are not excluded.
    n_passing
        For each filter's key how many of the whole cohort pass it.
    bars
        Counts of each phenotype's chart.
    """

    visible_mask: NDArray[np.bool_]
    n_visible: int
    n_total: int
    n_passing: Mapping[str, int]
    bars: Mapping[str, BarCounts]


@dataclass(frozen=True, slots=True, eq=False)
class _Passers:
    """Who passes one filter, and what that was made of."""

    chosen: Filter
    projections: Mapping[str, Projection]
    words: Words
    n_passing: int


@dataclass(frozen=True, slots=True, eq=False)
class _Kept(Generic[_Result]):
    """What was made of some sets; it stands as long as they are the same objects."""

    sources: tuple[Words, ...]
    result: _Result

    def is_of(self, sources: tuple[Words, ...]) -> bool:
        """Whether these are the sets that it was made of."""
        return len(sources) == len(self.sources) and all(map(operator.is_, sources, self.sources))


class Crossfilter:
    """Masks and counts of one cohort under changing filters.

    Parameters
    ----------
    cohort
        The participants.
    """

    def __init__(self, cohort: Cohort) -> None:
        self._cohort = cohort
        self._binnings = {name: bin_phenotype(cohort, name) for name in cohort.specs}
        self._everybody = pack(np.ones(len(cohort), np.bool_))
        self._named: list[tuple[Iterable[str], NDArray[np.bool_]]] = []
        self._included: tuple[Iterable[str], Words] = ((), self._everybody)
        self._passers: dict[str, _Passers] = {}
        self._visible: _Kept[NDArray[np.bool_]] | None = None
        self._totals: _Kept[dict[str, tuple[NDArray[np.int64], int]]] | None = None
        self._bars: dict[str, _Kept[BarCounts]] = {}

    def mask_of(self, participant_ids: Iterable[str]) -> NDArray[np.bool_]:
        """Mask ``(n_participants,)`` of the given ones; KeyError for a stranger.

        Whoever asks again with the same object, which must not have changed, is answered from memory.
        """
        for known, mask in self._named:
            if known is participant_ids:
                return mask
        return self.remember(participant_ids, mask_of(self._cohort, participant_ids))

    def remember(self, participant_ids: Iterable[str], mask: NDArray[np.bool_]) -> NDArray[np.bool_]:
        """Keep the mask of ids that were taken by it, so that nobody must look them up; returns it read-only."""
        mask = read_only(mask)
        self._named = [*self._named[1 - N_KEPT_MASKS :], (participant_ids, mask)]
        return mask

    def visible_mask(
        self, filters: Iterable[Filter], excluded: Iterable[str], projections: Mapping[str, Projection] = NO_PROJECTIONS
    ) -> NDArray[np.bool_]:
        """Mask ``(n_participants,)`` of who passes all filters and is not excluded; raises what the filters do."""
        passers = [self._passers_of(chosen, projections).words for chosen in filters]
        return self._unpacked((self._included_of(excluded), *passers))

    def look(
        self, filters: Iterable[Filter], excluded: Iterable[str], projections: Mapping[str, Projection] = NO_PROJECTIONS
    ) -> Passing:
        """Find who passes, and count all charts; raises what the filters do.

        Parameters
        ----------
        filters
            With different keys; that whose key is a phenotype does not act on that phenotype's chart.
        excluded
            Ids of those who are counted nowhere.
        projections
            The maps on which lassos were drawn.
        """
        included = self._included_of(excluded)
        passers = {chosen.key: self._passers_of(chosen, projections) for chosen in filters}
        self._passers = passers
        acting = {key: one.words for key, one in passers.items()}
        visible = self._unpacked((included, *acting.values()))
        n_visible, n_total = int(np.count_nonzero(visible)), size(included)
        return Passing(
            visible_mask=visible,
            n_visible=n_visible,
            n_total=n_total,
            n_passing=MappingProxyType({key: one.n_passing for key, one in passers.items()}),
            bars=MappingProxyType(self._count(included, n_total, acting, n_visible)),
        )

    def _included_of(self, excluded: Iterable[str]) -> Words:
        if self._included[0] is not excluded:
            self._included = (excluded, pack(~self.mask_of(excluded)))
        return self._included[1]

    def _passers_of(self, chosen: Filter, projections: Mapping[str, Projection]) -> _Passers:
        known = self._passers.get(chosen.key)
        if known is None or known.chosen != chosen or known.projections is not projections:
            words = pack(chosen.mask(self._cohort, projections))
            known = self._passers[chosen.key] = _Passers(chosen, projections, words, size(words))
        return known

    def _unpacked(self, sources: tuple[Words, ...]) -> NDArray[np.bool_]:
        if self._visible is None or not self._visible.is_of(sources):
            self._visible = _Kept(sources, unpack(intersection(sources), len(self._cohort)))
        return self._visible.result

    def _count(
        self, included: Words, n_total: int, acting: Mapping[str, Words], n_visible: int
    ) -> dict[str, BarCounts]:
        if self._totals is None or not self._totals.is_of((included,)):
            totals = {name: binning.count(included, n_total) for name, binning in self._binnings.items()}
            self._totals = _Kept((included,), totals)
        passing_all = intersection((included, *acting.values()))
        for name, total in self._totals.result.items():
            others = (included, *(words for key, words in acting.items() if key != name))
            if name not in self._bars or not self._bars[name].is_of(others):
                passing = intersection(others) if name in acting else passing_all
                n_passing = size(passing) if name in acting else n_visible
                self._bars[name] = _Kept(others, _bar_counts(self._binnings[name], total, passing, n_passing))
        return {name: kept.result for name, kept in self._bars.items()}


def _bar_counts(binning: Binning, total: tuple[NDArray[np.int64], int], passing: Words, n_passing: int) -> BarCounts:
    filtered, missing_filtered = binning.count(passing, n_passing)
    return BarCounts(binning.labels, binning.edges, total[0], filtered, total[1], missing_filtered)
