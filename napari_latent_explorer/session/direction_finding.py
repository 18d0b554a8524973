"""From the choice of a way to a direction.

The hard idea: the request is frozen and lays the direction of whichever people's latents it is given. So the same
function lays the one that is walked, and those of parts of the people by which its effect is told.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from napari_latent_explorer.analysis.directions import (
    Direction,
    direction_between,
    phenotype_direction,
    principal_direction,
)
from napari_latent_explorer.analysis.readers import fit_readers
from napari_latent_explorer.data.cohort import Cohort
from napari_latent_explorer.data.latents import LatentSpace
from napari_latent_explorer.errors import StudyError
from napari_latent_explorer.session.direction_choice import DirectionChoice
from napari_latent_explorer.session.groups import Group, find_group
from napari_latent_explorer.session.state import ExplorerState, cohort_of, latents_of


@dataclass(frozen=True, slots=True, eq=False)
class DirectionRequest:
    """A choice with everything that it takes to lay the direction, for a worker.

    Attributes
    ----------
    choice
        What was chosen.
    latents, cohort
        In whose latents it is laid, and who they are.
    groups
        Those that the choice names.
    """

    choice: DirectionChoice
    latents: LatentSpace
    cohort: Cohort
    groups: tuple[Group, ...]

    def is_same(self, other: "DirectionRequest") -> bool:
        """Whether the other would give the same."""
        return (
            self.choice == other.choice
            and self.latents is other.latents
            and self.cohort is other.cohort
            and len(self.groups) == len(other.groups)
            and all(
                np.may_share_memory(ours.participant_ids, theirs.participant_ids)
                for ours, theirs in zip(self.groups, other.groups, strict=True)
            )
        )

    def direction(self, latents: LatentSpace | None = None) -> Direction:
        """Lay the direction, in the latents of some of the people if they are given.

        Raises
        ------
        TableError
            When the study lacks a phenotype.
        StudyError
            When too few people have what it takes, or nothing is left of the direction.
        """
        space = self.latents if latents is None else latents
        choice = self.choice
        if choice.kind == "component":
            direction = principal_direction(space, choice.component)
        elif choice.kind == "groups":
            direction = _between_means(space, self.groups)
        elif choice.phenotype is None:
            raise StudyError("No direction was chosen; choose a phenotype.")
        else:
            direction = phenotype_direction(space, self.cohort, choice.phenotype, choice.covariates, choice.method)
        return fit_readers(space, self.cohort).without(direction, choice.held) if choice.held else direction


def direction_request(state: ExplorerState, choice: DirectionChoice) -> DirectionRequest:
    """Freeze what a choice needs; LatentExplorerError when the study has no such latents or group."""
    names = (choice.name_a, choice.name_b) if choice.kind == "groups" else ()
    groups = tuple(find_group(state.groups, name) for name in names if name is not None)
    if choice.kind == "groups" and len(groups) < 2:
        raise StudyError("A direction from group to group needs two groups; choose both.")
    return DirectionRequest(choice, latents_of(state, choice.modality), cohort_of(state), groups)


def _between_means(space: LatentSpace, groups: Sequence[Group]) -> Direction:
    means = [_mean(space, group) for group in groups]
    return direction_between(space, *means, f"{groups[0].name} to {groups[1].name}")


def _mean(space: LatentSpace, group: Group) -> NDArray[np.float64]:
    members = np.isin(space.participant_ids, group.participant_ids)
    if not members.any():
        raise StudyError(f"No member of {group.name} has {space.modality} latents among those that are asked.")
    return np.asarray(space.values[members].mean(axis=0, dtype=np.float64))
