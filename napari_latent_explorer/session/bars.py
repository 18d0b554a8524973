"""The bars of each phenotype's chart, and how many participants are in each."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from napari_latent_explorer.data.arrays import read_only
from napari_latent_explorer.data.cohort import Cohort
from napari_latent_explorer.session.bar_edges import are_between_whole_numbers, bar_edges
from napari_latent_explorer.session.bitmaps import Words, pack, sizes_within


@dataclass(frozen=True, slots=True, eq=False)
class Binning:
    """Into which bar of its chart each participant falls; it depends on the cohort only.

    Attributes
    ----------
    labels
        Name of each bar.
    edges
        ``(n_bars + 1,)`` in the phenotype's unit; None for categories. A bar holds its lower edge, the last both.
    bitmaps
        ``(n_bars, n_words)`` who is in each bar (see `bitmaps`); who has no value is in none.
    """

    labels: tuple[str, ...]
    edges: NDArray[np.float64] | None
    bitmaps: NDArray[np.uint64]

    def count(self, words: Words, n_participants: int) -> tuple[NDArray[np.int64], int]:
        """Count the participants of a set of known size per bar ``(n_bars,)``, and those without a value."""
        counts = sizes_within(self.bitmaps, words)
        return read_only(counts), n_participants - int(counts.sum())


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
    """Bars of one phenotype: its categories, or those of a histogram (see `bar_edges`)."""
    spec = cohort.specs[phenotype]
    if spec.kind != "continuous":
        return Binning(spec.categories, None, _bitmaps(cohort.codes(phenotype), len(spec.categories)))
    values = cohort.values(phenotype)
    present = np.isfinite(values)
    edges = bar_edges(values[present])
    n_bars = len(edges) - 1
    bars = np.minimum(np.searchsorted(edges, values, side="right") - 1, n_bars - 1)
    labels = tuple(_label(*limits_of(edges, number, number)) for number in range(n_bars))
    return Binning(labels, read_only(edges), _bitmaps(np.where(present, bars, -1), n_bars))


def limits_of(edges: NDArray[np.float64], first: int, last: int) -> tuple[float, float]:
    """Lowest and highest value of some neighbouring bars; an edge belongs to the bar above it, but for the last."""
    low, high = float(edges[first]), float(edges[last + 1])
    if are_between_whole_numbers(edges):
        return math.ceil(low), math.floor(high)
    return low, high if last + 2 == len(edges) else math.nextafter(high, -math.inf)


def _label(low: float, high: float) -> str:
    return f"{low:.4g} to {high:.4g}" if high > low else f"{low:.4g}"


def _bitmaps(bars: NDArray[np.int64], n_bars: int) -> NDArray[np.uint64]:
    narrow = bars.astype(np.int16)
    rows = [pack(narrow == bar) for bar in range(n_bars)]
    return read_only(np.stack(rows) if rows else np.zeros((0, len(pack(narrow < 0))), np.uint64))
