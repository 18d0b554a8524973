"""Named sets of participants."""

from collections.abc import Collection
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from napari_latent_explorer.analysis.representative import Representative
from napari_latent_explorer.data.arrays import read_only


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
        How it was made, in words (filters, selection by hand).
    representative
        The vector that stands for it; None when no member has latents.
    """

    name: str
    color: tuple[float, float, float, float]
    participant_ids: NDArray[np.str_]
    recipe: str
    representative: Representative | None

    def __post_init__(self) -> None:
        object.__setattr__(self, "participant_ids", read_only(self.participant_ids, np.str_))

    def __len__(self) -> int:
        return len(self.participant_ids)


def free_name(taken: Collection[str]) -> str:
    """First of ``Group A``, ``Group B`` ... that is not taken, then ``Group 27`` and so on."""
    number = 0
    while True:
        name = f"Group {chr(ord('A') + number)}" if number < 26 else f"Group {number + 1}"
        if name not in taken:
            return name
        number += 1


def free_color(
    taken: Collection[tuple[float, float, float, float]], palette: tuple[tuple[float, float, float, float], ...]
) -> tuple[float, float, float, float]:
    """First colour of the palette that is not taken; the least used one when all are."""
    uses = [sum(color == other for other in taken) for color in palette]
    return palette[uses.index(min(uses))]
