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
from napari_latent_explorer.session.bars import BarCounts, bar_counts, count_failed
from napari_latent_explorer.session.coloring import Legend, color_values
from napari_latent_explorer.session.selection import mask_of
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
    """

    visible_mask: NDArray[np.bool_]
    selected_mask: NDArray[np.bool_]
    rgba: NDArray[np.float32]
    legend: Legend
    bars: Mapping[str, BarCounts]
    n_visible: int
    n_selected: int
    n_total: int


EMPTY_VIEW_STATE = ViewState(
    visible_mask=read_only(np.zeros(0, np.bool_)),
    selected_mask=read_only(np.zeros(0, np.bool_)),
    rgba=read_only(np.zeros((0, 4), np.float32)),
    legend=(),
    bars=MappingProxyType({}),
    n_visible=0,
    n_selected=0,
    n_total=0,
)
"""Before a study is open."""


def resolve(state: ExplorerState) -> ViewState:
    """Compute what is to be seen of a state; pure."""
    cohort = state.cohort
    if cohort is None:
        return EMPTY_VIEW_STATE
    masks = {chosen.key: chosen.mask(cohort, state.projections) for chosen in state.filters}
    n_failed = count_failed(masks, len(cohort))
    included = ~mask_of(cohort, state.excluded)
    visible = included & (n_failed == 0)
    selected = visible & mask_of(cohort, state.selection)
    coloring = color_values(cohort, state.color_by, state.groups)
    bars = {name: bar_counts(cohort, masks, name, included, state.binnings[name], n_failed) for name in cohort.specs}
    return ViewState(
        visible_mask=read_only(visible),
        selected_mask=read_only(selected),
        rgba=coloring.rgba,
        legend=coloring.legend,
        bars=MappingProxyType(bars),
        n_visible=int(visible.sum()),
        n_selected=int(selected.sum()),
        n_total=int(included.sum()),
    )
