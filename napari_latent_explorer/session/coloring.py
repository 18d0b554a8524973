"""One colour per participant, and the legend that says what it means.

Colours are safe for the common kinds of colour blindness: Okabe and Ito's set first, then Tol's muted set for the rare
table with more categories; viridis for numbers. Who has no value is grey.

References
----------
Okabe M, Ito K (2008), Color Universal Design. Tol P (2021), Colour schemes, SRON/EPS/TN/09-002.
Viridis: S. van der Walt and N. Smith (2015); every sixteenth of its 256 entries, interpolated linearly.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from napari_latent_explorer.data.arrays import read_only
from napari_latent_explorer.data.cohort import Cohort
from napari_latent_explorer.data.phenotype import PhenotypeSpec
from napari_latent_explorer.session.groups import RGBA, Group


def _rgba(hexes: str) -> tuple[RGBA, ...]:
    colors = [bytes.fromhex(code) for code in hexes.split()]
    return tuple((red / 255, green / 255, blue / 255, 1.0) for red, green, blue in colors)


CATEGORY_COLORS = _rgba(
    "e69f00 56b4e9 009e73 cc79a7 f0e442 d55e00 0072b2 "  # Okabe and Ito; its black does not show on a dark map
    "ddcc77 88ccee 44aa99 882255 999933 cc6677 332288 117733 aa4499"  # Tol, muted
)
GROUP_COLORS = (*CATEGORY_COLORS[2:], *CATEGORY_COLORS[:2])
"""Those of two categories come last: a group beside a map of women and men shall be neither's colour."""
MISSING_COLOR: RGBA = (0.5, 0.5, 0.5, 0.5)
NEUTRAL_COLOR: RGBA = (0.62, 0.66, 0.72, 0.8)
"""Participants of no group."""

_VIRIDIS = np.array(
    _rgba(
        "440154 48186a 472d7b 424086 3b528b 33638d 2c728e 26828e 21918c "
        "1fa088 28ae80 3fbc73 5ec962 84d44b addc30 d8e219 fde725"
    )
)
COLOR_RANGE_PERCENTILES = (2.0, 98.0)
"""Ends of the colour scale of a number, so that one outlier does not take all the contrast."""


@dataclass(frozen=True, slots=True)
class LegendEntry:
    """One colour and what it stands for."""

    label: str
    color: RGBA


@dataclass(frozen=True, slots=True)
class ContinuousLegend:
    """A colour scale: `low` and `high` in the unit that the title names; values beyond them take the end colours."""

    low: float
    high: float
    colormap: str
    title: str


Legend = tuple[LegendEntry, ...] | ContinuousLegend


@dataclass(frozen=True, slots=True, eq=False)
class Coloring:
    """Colours ``(n_participants, 4)`` float32 in 0..1, and their legend."""

    rgba: NDArray[np.float32]
    legend: Legend


def viridis(fractions: NDArray[np.float64]) -> NDArray[np.float64]:
    """Colours ``(n, 4)`` of fractions ``(n,)`` in 0..1; beyond them the end colours."""
    positions = np.linspace(0.0, 1.0, len(_VIRIDIS))
    return np.stack([np.interp(fractions, positions, channel) for channel in _VIRIDIS.T], axis=-1)


def color_values(cohort: Cohort, color_by: str | None, groups: Sequence[Group] = ()) -> Coloring:
    """Colour the participants by a phenotype, or by their group if `color_by` is None (the latest group is on top)."""
    if color_by is None:
        return _color_groups(cohort, groups)
    spec = cohort.specs[color_by]
    if spec.kind == "continuous":
        return color_numbers(cohort.values(spec.name), spec.title)
    return _color_categories(cohort, spec)


def _color_groups(cohort: Cohort, groups: Sequence[Group]) -> Coloring:
    rgba = np.tile(np.array(NEUTRAL_COLOR, dtype=np.float32), (len(cohort), 1))
    for group in groups:
        rgba[cohort.rows_of(group.participant_ids)] = group.color
    return Coloring(read_only(rgba), tuple(LegendEntry(group.name, group.color) for group in groups))


def _color_categories(cohort: Cohort, spec: PhenotypeSpec) -> Coloring:
    codes = cohort.codes(spec.name)
    colors = [CATEGORY_COLORS[number % len(CATEGORY_COLORS)] for number in range(len(spec.categories))]
    palette = np.array([*colors, MISSING_COLOR], dtype=np.float32)  # code -1, missing, takes the last
    legend = [LegendEntry(label, color) for label, color in zip(spec.categories, colors, strict=True)]
    if (codes < 0).any():
        legend.append(LegendEntry("missing", MISSING_COLOR))
    return Coloring(read_only(palette[codes]), tuple(legend))


def color_numbers(values: NDArray[np.float64], title: str, ends: tuple[float, float] | None = None) -> Coloring:
    """Colour by numbers ``(n_participants,)``, NaN where missing, between `ends`, or the ends of most."""
    present = np.isfinite(values)
    if ends is None:
        found = np.percentile(values[present], COLOR_RANGE_PERCENTILES) if present.any() else (0.0, 1.0)
        ends = (float(found[0]), float(found[1]))
    low, high = ends
    fractions = (values[present] - low) / (high - low if high > low else 1.0)
    rgba = np.tile(np.array(MISSING_COLOR, dtype=np.float32), (len(values), 1))
    rgba[present] = viridis(fractions)
    return Coloring(read_only(rgba), ContinuousLegend(low, high, "viridis", title))
