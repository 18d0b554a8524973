"""From the choice of a way to a direction, and to what it moves.

The hard idea: the request is frozen and lays the direction of whichever people's latents it is given. So the same
function lays the one that is walked, and those of parts of the people by which its effect is told.
"""

from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from napari_latent_explorer.analysis.correlations import correlate_phenotypes
from napari_latent_explorer.analysis.directions import (
    Direction,
    direction_between,
    phenotype_direction,
    principal_direction,
)
from napari_latent_explorer.analysis.readers import DirectionEffect, fit_readers, measure_effects
from napari_latent_explorer.data.cohort import Cohort
from napari_latent_explorer.data.latents import LatentSpace
from napari_latent_explorer.data.progress import Progress
from napari_latent_explorer.errors import LatentExplorerError, StudyError
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
        elif choice.start is not None and choice.end is not None and choice.kind == "vectors":
            name = f"{choice.start.name} to {choice.end.name}"
            direction = direction_between(space, choice.start.values, choice.end.values, name)
        elif choice.phenotype is None:
            raise StudyError(
                "No direction was chosen. Choose a phenotype, a principal component, two groups or vectors."
            )
        else:
            direction = phenotype_direction(space, self.cohort, choice.phenotype, choice.covariates, choice.method)
        return fit_readers(space, self.cohort).without(direction, choice.held) if choice.held else direction


@dataclass(frozen=True, slots=True, eq=False)
class WalkEffects:
    """What a direction moves.

    Attributes
    ----------
    direction
        As it was laid for all.
    effects
        Of each phenotype, as predictors of other people read it; the largest first.
    correlations
        Of each phenotype, among people, with the one that is walked along, or with where people are along it.
    problem
        Why there are no effects; empty if there are.
    """

    direction: Direction
    effects: tuple[DirectionEffect, ...]
    correlations: Mapping[str, float]
    problem: str = ""

    @property
    def own(self) -> DirectionEffect | None:
        """Effect on the phenotype that is walked along."""
        name = self.direction.phenotype
        return next((effect for effect in self.effects if effect.phenotype.name == name), None)


def lay_direction(request: DirectionRequest) -> Generator[Progress, None, Direction | LatentExplorerError]:
    """Lay a direction, as a job; or say why it cannot be."""
    yield Progress(0, 1, "Laying the direction")
    try:
        return request.direction()
    except LatentExplorerError as error:
        return error


def find_effects(request: DirectionRequest, direction: Direction) -> Generator[Progress, None, WalkEffects]:
    """Find what a direction moves, as a job; what cannot be told is a `problem`, not an error."""
    correlations = correlate_phenotypes(request.cohort, _along(request, direction))
    try:
        effects = yield from measure_effects(request.latents, request.cohort, request.direction)
    except LatentExplorerError as error:
        return WalkEffects(direction, (), correlations, str(error))
    largest_first = sorted(effects, key=lambda effect: -abs(effect.per_spread))
    return WalkEffects(direction, tuple(largest_first), correlations)


def _along(request: DirectionRequest, direction: Direction) -> NDArray[np.float64]:
    """Find the number of each person ``(n_participants,)`` that the walk changes; NaN where it is unknown."""
    if direction.phenotype is not None:
        return request.cohort.values(direction.phenotype)
    along = np.full(len(request.cohort), np.nan)
    rows = request.cohort.rows_of(request.latents.participant_ids)
    along[rows] = (request.latents.values - request.latents.mean) @ direction.vector
    return along


def direction_request(state: ExplorerState, choice: DirectionChoice) -> DirectionRequest:
    """Freeze what a choice needs; LatentExplorerError when the study has no such latents or group."""
    names = (choice.name_a, choice.name_b) if choice.kind == "groups" else ()
    groups = tuple(find_group(state.groups, name) for name in names if name is not None)
    if choice.kind == "groups" and len(groups) < 2:
        raise StudyError("A direction from group to group needs two groups; choose both.")
    return DirectionRequest(choice, latents_of(state, choice.modality), cohort_of(state), groups)


def _between_means(space: LatentSpace, groups: Sequence[Group]) -> Direction:
    start, end = groups
    return direction_between(space, _mean(space, start), _mean(space, end), f"{start.name} to {end.name}")


def _mean(space: LatentSpace, group: Group) -> NDArray[np.float64]:
    members = np.isin(space.participant_ids, group.participant_ids)
    if not members.any():
        raise StudyError(f"No member of {group.name} has {space.modality} latents among those that are asked.")
    return np.asarray(space.values[members].mean(axis=0, dtype=np.float64))
