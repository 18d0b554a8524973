"""The bars of each phenotype's chart, and how many participants are in each under the filters.

Crossfilter: a chart shows how many participants pass **all filters but its own**, so that the bars beside a chosen one
keep their height and can be chosen next. For this each participant carries the number of filters that they fail: a
chart without a filter counts those with zero, a chart with one counts those who fail nothing else.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from napari_latent_explorer.data.arrays import read_only
from napari_latent_explorer.data.cohort import Cohort

N_HISTOGRAM_BINS = 20
MISSING_BIN = -1


@dataclass(frozen=True, slots=True, eq=False)
class Binning:
    """Into which bar of its chart each participant falls; it depends on the cohort only.

    Attributes
    ----------
    labels
        Name of each bar.
    edges
        ``(n_bars + 1,)`` in the phenotype's unit; None for categories. A bar holds its lower edge, the last both.
    bins
        ``(n_participants,)`` number of the bar; -1 where the value is missing.
    """

    labels: tuple[str, ...]
    edges: NDArray[np.float64] | None
    bins: NDArray[np.int64]

    def count(self, mask: NDArray[np.bool_]) -> tuple[NDArray[np.int64], int]:
        """Count the masked participants per bar ``(n_bars,)``, and those without a value."""
        counts = np.bincount(self.bins[mask] - MISSING_BIN, minlength=len(self.labels) + 1)
        return counts[1:], int(counts[0])


@dataclass(frozen=True, slots=True, eq=False)
class BarCounts:
    """What one chart draws.

    Attributes
    ----------
    labels
        Name of each bar.
    edges
        ``(n_bars + 1,)`` in the phenotype's unit; None for categories.
    total
        ``(n_bars,)`` participants per bar without any filter.
    filtered
        ``(n_bars,)`` participants per bar that pass all filters but this chart's own.
    missing_total, missing_filtered
        The same for those without a value.
    """

    labels: tuple[str, ...]
    edges: NDArray[np.float64] | None
    total: NDArray[np.int64]
    filtered: NDArray[np.int64]
    missing_total: int
    missing_filtered: int

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, BarCounts):
            return NotImplemented
        return (
            self.labels == other.labels
            and (self.missing_total, self.missing_filtered) == (other.missing_total, other.missing_filtered)
            and np.array_equal(self.total, other.total)
            and np.array_equal(self.filtered, other.filtered)
        )


def bin_phenotype(cohort: Cohort, phenotype: str) -> Binning:
    """Bars of one phenotype: its categories, or `N_HISTOGRAM_BINS` of equal width over the range of its values."""
    spec = cohort.specs[phenotype]
    if spec.kind != "continuous":
        return Binning(spec.categories, None, read_only(cohort.codes(phenotype)))
    values = cohort.values(phenotype)
    present = np.isfinite(values)
    low, high = (float(values[present].min()), float(values[present].max())) if present.any() else (0.0, 1.0)
    edges = np.linspace(low, high if high > low else low + 1.0, N_HISTOGRAM_BINS + 1)
    bins = np.full(len(values), MISSING_BIN, dtype=np.int64)
    bins[present] = np.minimum(np.searchsorted(edges, values[present], side="right") - 1, N_HISTOGRAM_BINS - 1)
    labels = tuple(f"{start:.4g} to {end:.4g}" for start, end in pairwise(edges))
    return Binning(labels, read_only(edges), read_only(bins))


def count_failed(masks: Mapping[str, NDArray[np.bool_]], n_participants: int) -> NDArray[np.int16]:
    """How many of the masks each participant fails, ``(n_participants,)``."""
    n_failed = np.zeros(n_participants, dtype=np.int16)
    for mask in masks.values():
        n_failed += ~mask
    return n_failed


def bar_counts(
    cohort: Cohort,
    masks: Mapping[str, NDArray[np.bool_]],
    phenotype: str,
    included: NDArray[np.bool_] | None = None,
    binning: Binning | None = None,
    n_failed: NDArray[np.int16] | None = None,
) -> BarCounts:
    """Count one chart under all filters but its own.

    Parameters
    ----------
    cohort
        The participants.
    masks
        For each filtered phenotype who passes, ``(n_participants,)``.
    phenotype
        Whose chart.
    included
        Who is counted at all, ``(n_participants,)``; everybody if None.
    binning, n_failed
        Results of `bin_phenotype` and `count_failed`, when the caller has them for many charts.
    """
    binning = binning or bin_phenotype(cohort, phenotype)
    n_failed = count_failed(masks, len(cohort)) if n_failed is None else n_failed
    included = np.ones(len(cohort), dtype=np.bool_) if included is None else included
    n_failed_here = ~masks[phenotype] if phenotype in masks else 0
    total, missing_total = binning.count(included)
    filtered, missing_filtered = binning.count(included & (n_failed == n_failed_here))
    return BarCounts(
        binning.labels, binning.edges, read_only(total), read_only(filtered), missing_total, missing_filtered
    )
