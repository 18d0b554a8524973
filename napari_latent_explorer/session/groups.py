"""Named sets of participants."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from napari_latent_explorer.analysis.representative import Representative
from napari_latent_explorer.data.arrays import read_only
from napari_latent_explorer.data.cohort import Cohort
from napari_latent_explorer.errors import LatentExplorerError
from napari_latent_explorer.session.bitmaps import intersection, pack, size
from napari_latent_explorer.session.recipes import GroupRecipe

RGBA = tuple[float, float, float, float]


@dataclass(frozen=True, slots=True, eq=False)
class Group:
    """A set of participants with a name and a colour.

    Attributes
    ----------
    name
        Unique among the groups.
    color
        Red, green, blue, alpha in 0..1; the same everywhere.
    participant_ids
        ``(n_members,)`` strings.
    recipe
        How it was made, so that it can be made again.
    representative
        The vector that stands for it; None when no member has latents.
    """

    name: str
    color: RGBA
    participant_ids: NDArray[np.str_]
    recipe: GroupRecipe
    representative: Representative | None

    def __post_init__(self) -> None:
        object.__setattr__(self, "participant_ids", read_only(self.participant_ids, np.str_))

    def __len__(self) -> int:
        return len(self.participant_ids)


def overlaps(groups: Sequence[Group], cohort: Cohort) -> pd.DataFrame:
    """How many participants each two groups share: a square table ``(n_groups, n_groups)`` with their names.

    On its diagonal are the groups' sizes.
    """
    names = [group.name for group in groups]
    masks = np.zeros((len(groups), len(cohort)), np.bool_)
    for mask, group in zip(masks, groups, strict=True):
        mask[cohort.rows_of(group.participant_ids)] = True
    members = [pack(mask) for mask in masks]
    shared = [[size(intersection((one, other))) for other in members] for one in members]
    return pd.DataFrame(np.array(shared, dtype=np.int64).reshape(len(names), len(names)), index=names, columns=names)


def find_group(groups: Iterable[Group], name: str) -> Group:
    """Return the group of that name; LatentExplorerError when there is none."""
    by_name = {group.name: group for group in groups}
    if name not in by_name:
        raise LatentExplorerError(f"There is no group {name!r}; there are {', '.join(by_name) or 'none'}.")
    return by_name[name]


def check_free(groups: Iterable[Group], name: str) -> None:
    """Raise LatentExplorerError unless a new group can have that name."""
    if not name.strip() or any(group.name == name for group in groups):
        raise LatentExplorerError(f"A group cannot be called {name!r}: names must be unique and not empty.")


def free_name(taken: Collection[str]) -> str:
    """First of ``Group A``, ``Group B`` ... that is not taken, then ``Group 27`` and so on."""
    number = 0
    while True:
        name = f"Group {chr(ord('A') + number)}" if number < 26 else f"Group {number + 1}"
        if name not in taken:
            return name
        number += 1


def free_color(taken: Collection[RGBA], palette: tuple[RGBA, ...]) -> RGBA:
    """First colour of the palette that is not taken; the least used one when all are."""
    uses = [sum(color == other for other in taken) for color in palette]
    return palette[uses.index(min(uses))]
