"""Who is visible, and how a selection among them changes; masks have the cohort's rows."""

from collections.abc import Iterable, Mapping
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

from napari_latent_explorer.analysis.projection import Projection
from napari_latent_explorer.data.cohort import Cohort
from napari_latent_explorer.errors import LatentExplorerError
from napari_latent_explorer.session.filters import NO_PROJECTIONS, Filter

SelectionMode = Literal["replace", "add", "subtract", "toggle"]


def mask_of(cohort: Cohort, participant_ids: Iterable[str]) -> NDArray[np.bool_]:
    """Mask ``(n_participants,)`` of the given ones; KeyError for a stranger."""
    mask = np.zeros(len(cohort), dtype=np.bool_)
    mask[cohort.rows_of(participant_ids)] = True
    return mask


def visible_mask(
    cohort: Cohort,
    filters: Iterable[Filter],
    excluded: Iterable[str],
    projections: Mapping[str, Projection] = NO_PROJECTIONS,
) -> NDArray[np.bool_]:
    """Mask ``(n_participants,)`` of who passes all filters and is not excluded."""
    mask = ~mask_of(cohort, excluded)
    for chosen in filters:
        mask &= chosen.mask(cohort, projections)
    return mask


def changed_selection(before: NDArray[np.bool_], touched: NDArray[np.bool_], mode: SelectionMode) -> NDArray[np.bool_]:
    """Mask ``(n_participants,)`` of who is selected after `touched` were picked.

    ``replace``: these. ``add``: these too. ``subtract``: all but these. ``toggle``: each of these changes sides.
    """
    if mode == "replace":
        return touched
    if mode == "add":
        return before | touched
    if mode == "subtract":
        return before & ~touched
    if mode == "toggle":
        return before ^ touched
    raise LatentExplorerError(f"Unknown selection mode {mode!r}; choose {', '.join(get_args(SelectionMode))}.")
