"""Groups in the state: how they are made, put together, made again from a recipe, changed and forgotten.

Like `session.state`, each function takes a state and returns the next one.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from napari_latent_explorer.analysis.representative import Representative, RepresentativeMethod, representative
from napari_latent_explorer.data.arrays import read_only
from napari_latent_explorer.errors import LatentExplorerError
from napari_latent_explorer.session.coloring import GROUP_COLORS
from napari_latent_explorer.session.groups import RGBA, Group, check_free, find_group, free_color, free_name
from napari_latent_explorer.session.recipes import (
    GroupRecipe,
    SetOperation,
    SetOperationKind,
    combined,
    in_words,
    least_groups,
    members_mask,
)
from napari_latent_explorer.session.selection import mask_of
from napari_latent_explorer.session.state import (
    ExplorerState,
    check_known,
    cohort_of,
    latents_of,
    visible_of,
    with_comparison,
    with_direction,
    with_probe_alone,
    with_side_by_side,
)


def with_group(
    state: ExplorerState,
    name: str | None = None,
    participant_ids: Iterable[str] | None = None,
    recipe: GroupRecipe | None = None,
) -> ExplorerState:
    """Add a group of these participants, or of the selected, or, if nobody is, of the visible; it becomes active.

    Where it is known how these participants were found, under filters or exclusions of another time, say, their
    `recipe` tells.

    Raises
    ------
    LatentExplorerError
        When it would be empty, the name is taken, or participants are unknown (StudyError).
    """
    if participant_ids is not None:
        known = [str(participant_id) for participant_id in participant_ids]
        check_known(state, known)
        members = mask_of(cohort_of(state), known)
        return _added(state, name, members, recipe or _by_ids(state, members, "by id"), "A group needs participants.")
    members = mask_of(cohort_of(state), state.selection) if len(state.selection) else visible_of(state)
    nobody = "A group needs participants, but nobody passes the filters. Loosen them."
    return _added(state, name, members, recipe_of_now(state, members), nobody)


def recipe_of_now(state: ExplorerState, members: NDArray[np.bool_]) -> GroupRecipe:
    """How the selected, or else the visible, `members` ``(n_participants,)`` came about."""
    if not len(state.selection):
        return GroupRecipe("filters", state.filters)
    if state.selection_lassos:
        recipe = GroupRecipe("lassos", state.filters, state.selection_lassos)
        if np.array_equal(members, members_mask(recipe, cohort_of(state), state.maps, _included(state))):
            return recipe
    return replace(_by_ids(state, members, "by hand"), filters=state.filters)


def with_groups_combined(
    state: ExplorerState, kind: SetOperationKind, names: Sequence[str], name: str | None = None
) -> ExplorerState:
    """Add the union or intersection of groups, the first without the others, or who is visible and in none of them.

    Raises
    ------
    LatentExplorerError
        When it would be empty, too few are named, a group is unknown or the name is taken.
    """
    least = least_groups(kind)
    if len(names) < least:
        words = "at least two groups" if least > 1 else "a group"
        raise LatentExplorerError(f"A {kind} needs {words}; {len(names)} given.")
    groups = [find_group(state.groups, part) for part in names]
    masks = [mask_of(cohort_of(state), group.participant_ids) for group in groups]
    members = combined(kind, masks, visible_of(state))
    operation = SetOperation(kind, tuple(names), tuple(group.recipe for group in groups))
    nobody = f"The {kind} of {', '.join(names)} has nobody in it."
    filters = state.filters if kind == "complement" else ()
    return _added(state, name, members, GroupRecipe("groups", filters, operation=operation), nobody)


def with_recipe_rerun(state: ExplorerState, recipe: GroupRecipe, name: str | None = None) -> ExplorerState:
    """Add the group that a recipe, perhaps of another study, gives in the open one.

    Raises
    ------
    LatentExplorerError
        When the study lacks what the recipe speaks of (StudyError), it gives nobody, or the name is taken.
    """
    members = members_mask(recipe, cohort_of(state), state.maps, _included(state))
    if recipe.origin == "by hand":  # filters that acted elsewhere have no part in it here
        recipe = replace(recipe, filters=())
    return _added(state, name, members, recipe, f"Nobody in this study is in the group: {recipe.describe()}.")


def without_group(state: ExplorerState, name: str) -> ExplorerState:
    """Forget a group; LatentExplorerError when there is none of that name."""
    removed = find_group(state.groups, name)
    kept = tuple(group for group in state.groups if group is not removed)
    active = None if state.active_group is removed else state.active_group
    state = replace(state, groups=kept, active_group=active, path=state.path.without(name))
    state = with_comparison(state, state.comparison.without(name))
    return with_side_by_side(state, state.side_by_side.without(name))


def with_group_renamed(state: ExplorerState, name: str, new_name: str) -> ExplorerState:
    """Give a group another name; LatentExplorerError when that is taken or empty."""
    group = find_group(state.groups, name)
    if new_name == name:
        return state
    check_free(state.groups, new_name)
    renamed = _with_groups(state, {group.name: replace(group, name=new_name)})
    renamed = replace(renamed, path=state.path.renamed(name, new_name))
    renamed = with_comparison(renamed, state.comparison.renamed(name, new_name))
    renamed = with_direction(renamed, state.direction.renamed(name, new_name))
    return with_side_by_side(renamed, state.side_by_side.renamed(name, new_name))


def with_group_color(state: ExplorerState, name: str, color: RGBA) -> ExplorerState:
    """Give a group another colour; LatentExplorerError unless it is four numbers in 0..1."""
    group = find_group(state.groups, name)
    if len(color) != 4 or not all(0.0 <= part <= 1.0 for part in color):
        raise LatentExplorerError(f"A colour is red, green, blue and alpha, each in 0..1; {color} is none.")
    red, green, blue, alpha = map(float, color)
    if group.color == (red, green, blue, alpha):
        return state
    return _with_groups(state, {group.name: replace(group, color=(red, green, blue, alpha))})


def with_active_group(state: ExplorerState, name: str | None) -> ExplorerState:
    """Make a group the active one, or none; it is what is shown."""
    return with_probe_alone(replace(state, active_group=None if name is None else find_group(state.groups, name)))


def with_representative_method(state: ExplorerState, method: RepresentativeMethod) -> ExplorerState:
    """Choose how all groups are represented; LatentExplorerError when the method is unknown."""
    if method == state.representative_method:
        return state
    state = replace(state, representative_method=method)
    renewed = {
        group.name: replace(group, representative=representative_of(state, group.participant_ids))
        for group in state.groups
    }
    return _with_groups(state, renewed)


def representative_of(state: ExplorerState, participant_ids: NDArray[np.str_]) -> Representative | None:
    """Among the members ``(n_members,)`` who have latents; None when nobody has."""
    if not state.latents:
        return None
    latents = latents_of(state)
    known = latents.known(participant_ids)
    return representative(latents, known, state.representative_method) if len(known) else None


def _included(state: ExplorerState) -> NDArray[np.bool_]:
    return ~mask_of(cohort_of(state), state.excluded)


def _by_ids(state: ExplorerState, members: NDArray[np.bool_], origin: Literal["by hand", "by id"]) -> GroupRecipe:
    return GroupRecipe(origin, participant_ids=read_only(cohort_of(state).participant_ids[members]))


def _added(
    state: ExplorerState, name: str | None, members: NDArray[np.bool_], recipe: GroupRecipe, nobody: str
) -> ExplorerState:
    """Put a new group at the end, its members in the cohort's order; `nobody` is said when there are none."""
    if not members.any():
        raise LatentExplorerError(nobody)
    name = free_name([group.name for group in state.groups]) if name is None else name
    check_free(state.groups, name)
    color = free_color([group.color for group in state.groups], GROUP_COLORS)
    ids = read_only(cohort_of(state).participant_ids[members])  # what is read-only is found once
    ids = recipe.participant_ids if np.array_equal(ids, recipe.participant_ids) else ids  # held once
    recipe = replace(recipe, words=in_words(recipe, cohort_of(state).specs))
    group = Group(name, color, ids, recipe, representative_of(state, ids))
    return with_probe_alone(replace(state, groups=(*state.groups, group), active_group=group))


def _with_groups(state: ExplorerState, replaced: Mapping[str, Group]) -> ExplorerState:
    """Put other groups in the places of those named; the active one stays the active one."""
    groups = tuple(replaced.get(group.name, group) for group in state.groups)
    active = state.active_group
    return replace(state, groups=groups, active_group=active and replaced.get(active.name, active))
