"""What is to be seen, as one frozen value made by one pure function.

`resolve` reads what the user wants (filters, selection, groups, colour) and what the cohort is, and computes everything
that views draw. It changes nothing, so asking twice gives the same; a view compares the old state with the new one and
redraws only the fields that differ.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from napari_latent_explorer.data.arrays import read_only
from napari_latent_explorer.session.bars import BarCounts
from napari_latent_explorer.session.coloring import Coloring, Legend, color_values
from napari_latent_explorer.session.state import ExplorerState


@dataclass(frozen=True, slots=True, eq=False)
class ViewState:
    """Everything that the views of a cohort draw; rows are those of the cohort.

    Attributes
    ----------
    visible_mask
        ``(n_participants,)`` who passes all filters and is not excluded.
    selected_mask
        ``(n_participants,)`` who is selected; always visible ones.
    rgba
        ``(n_participants, 4)`` float32 in 0..1, also for the invisible.
    legend
        What the colours mean.
    bars
        Counts of each phenotype's chart.
    n_visible, n_selected, n_total
        Numbers of participants; the total leaves out the excluded.
    n_passing
        For each filter's key how many of all participants pass it.
    """

    visible_mask: NDArray[np.bool_]
    selected_mask: NDArray[np.bool_]
    rgba: NDArray[np.float32]
    legend: Legend
    bars: Mapping[str, BarCounts]
    n_visible: int
    n_selected: int
    n_total: int
    n_passing: Mapping[str, int]


EMPTY_VIEW_STATE = ViewState(
    visible_mask=read_only(np.zeros(0, np.bool_)),
    selected_mask=read_only(np.zeros(0, np.bool_)),
    rgba=read_only(np.zeros((0, 4), np.float32)),
    legend=(),
    bars=MappingProxyType({}),
    n_visible=0,
    n_selected=0,
    n_total=0,
    n_passing=MappingProxyType({}),
)
"""Before a study is open."""

COLORED_BY = ("cohort", "color_by", "groups")
"""Fields of the state that colours are made of."""


def resolve(state: ExplorerState, before: tuple[ExplorerState, ViewState] | None = None) -> ViewState:
    """Compute what is to be seen of a state; pure.

    Parameters
    ----------
    state
        What the user wants.
    before
        Another state and what was to be seen of it: the parts that cannot differ are taken from there.
    """
    if state.cohort is None or state.crossfilter is None:
        return EMPTY_VIEW_STATE
    passing = state.crossfilter.look(state.filters, state.excluded, state.maps)
    selected = passing.visible_mask & state.crossfilter.mask_of(state.selection)
    coloring = _known_coloring(state, before) or color_values(state.cohort, state.color_by, state.groups)
    return ViewState(
        visible_mask=passing.visible_mask,
        selected_mask=read_only(selected),
        rgba=coloring.rgba,
        legend=coloring.legend,
        bars=passing.bars,
        n_visible=passing.n_visible,
        n_selected=int(np.count_nonzero(selected)),
        n_total=passing.n_total,
        n_passing=passing.n_passing,
    )


def _known_coloring(state: ExplorerState, before: tuple[ExplorerState, ViewState] | None) -> Coloring | None:
    if before is None or any(getattr(before[0], name) is not getattr(state, name) for name in COLORED_BY):
        return None
    return Coloring(before[1].rgba, before[1].legend)
