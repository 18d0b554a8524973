"""How a group was made, as data: enough to make it again, here or in another study.

The hard idea: a recipe is kept only if it gives exactly the members of its group (`state.with_group` follows it once to
see). Whatever else a person did on the way, the group is then remembered as chosen by hand, by its ids.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

from napari_latent_explorer.analysis.projection import Projection
from napari_latent_explorer.data.arrays import read_only
from napari_latent_explorer.data.cohort import Cohort
from napari_latent_explorer.data.phenotype import PhenotypeSpec
from napari_latent_explorer.errors import LatentExplorerError, StudyError
from napari_latent_explorer.session.filters import Filter, MapFilter
from napari_latent_explorer.session.selection import SelectionMode, changed_selection

SetOperationKind = Literal["union", "intersection", "difference", "complement"]
SET_OPERATION_KINDS: tuple[SetOperationKind, ...] = get_args(SetOperationKind)
Origin = Literal["filters", "lassos", "by hand", "by id", "groups"]

_MOST_NAMED = 5
_NO_IDS: NDArray[np.str_] = read_only(np.zeros(0, np.str_))


@dataclass(frozen=True, slots=True)
class Lasso:
    """A polygon drawn on a map, and how it changed the selection."""

    area: MapFilter
    mode: SelectionMode = "replace"


@dataclass(frozen=True, slots=True, eq=False)
class SetOperation:
    """Groups put together.

    Their union, their intersection, the first without the others (difference), or who passes the filters of the recipe
    and is in none of them (complement).

    Attributes
    ----------
    kind
        Which of the four.
    names, recipes
        Of the groups, in order, as they were then.
    """

    kind: SetOperationKind
    names: tuple[str, ...]
    recipes: tuple["GroupRecipe", ...]


@dataclass(frozen=True, slots=True, eq=False)
class GroupRecipe:
    """How a group was made.

    Attributes
    ----------
    origin
        What chose the members: the filters alone, lassos on maps under the filters, a selection by hand, a list of ids,
        or other groups.
    filters
        Those that acted when it was made.
    lassos
        In the order in which they were drawn.
    participant_ids
        ``(n_members,)`` when they were chosen by hand or by id; else empty.
    operation
        When it was made of other groups.
    words
        The same for people, as of the study where it was made.
    """

    origin: Origin
    filters: tuple[Filter, ...] = ()
    lassos: tuple[Lasso, ...] = ()
    participant_ids: NDArray[np.str_] = field(default_factory=lambda: _NO_IDS)
    operation: SetOperation | None = None
    words: str = ""

    def describe(self) -> str:
        """In words, e.g. ``Age 0 to 9 years; selected by hand``."""
        return self.words


def in_words(recipe: GroupRecipe, specs: Mapping[str, PhenotypeSpec]) -> str:
    """Describe a recipe with the labels and units of a study."""
    filters = [chosen.describe(specs) for chosen in recipe.filters]
    if recipe.operation is not None:
        names = recipe.operation.names
        if recipe.operation.kind == "complement":
            return "; ".join([*filters, f"not in {' or '.join(names)}"])
        return {"union": " or ", "intersection": " and ", "difference": " without "}[recipe.operation.kind].join(names)
    if recipe.origin == "by id":
        return "chosen by id"
    if recipe.origin == "by hand":
        return "; ".join([*filters, "selected by hand"])
    if recipe.origin == "lassos":
        maps = dict.fromkeys(lasso.area.modality.upper() for lasso in recipe.lassos)
        return "; ".join([*filters, f"lasso on the {' and the '.join(maps)} map"])
    return "; ".join(filters) or "all participants"


def members_mask(
    recipe: GroupRecipe, cohort: Cohort, projections: Mapping[str, Projection], included: NDArray[np.bool_]
) -> NDArray[np.bool_]:
    """Who the recipe gives in a cohort, ``(n_participants,)``.

    Parameters
    ----------
    recipe
        What to follow.
    cohort, projections
        The study.
    included
        ``(n_participants,)`` who is not excluded; the others are taken only by id.

    Raises
    ------
    StudyError
        When the study lacks phenotypes, categories, maps or participants that the recipe speaks of; all are named.
    """
    problems = list(dict.fromkeys(_problems(recipe, cohort, projections)))
    if problems:
        raise StudyError("The recipe of the group does not fit this study: " + " ".join(problems))
    return _members_mask(recipe, cohort, projections, included)


def _problems(recipe: GroupRecipe, cohort: Cohort, projections: Mapping[str, Projection]) -> list[str]:
    if recipe.origin in ("by hand", "by id"):
        return _strangers(recipe.participant_ids.tolist(), cohort)
    problems = []
    for chosen in (*recipe.filters, *(lasso.area for lasso in recipe.lassos)):
        try:
            chosen.mask(cohort, projections)
        except LatentExplorerError as error:
            problems.append(str(error))
    parts = recipe.operation.recipes if recipe.operation is not None else ()
    return [*problems, *(problem for part in parts for problem in _problems(part, cohort, projections))]


def _strangers(participant_ids: Iterable[str], cohort: Cohort) -> list[str]:
    strangers = [participant_id for participant_id in participant_ids if participant_id not in cohort]
    if not strangers:
        return []
    return [f"It lacks {len(strangers)} participants who were chosen by hand, {named(strangers)}."]


def named(names: Sequence[str]) -> str:
    """List some names for a message."""
    more = f" and {len(names) - _MOST_NAMED} more" if len(names) > _MOST_NAMED else ""
    return ", ".join(names[:_MOST_NAMED]) + more


def _members_mask(
    recipe: GroupRecipe, cohort: Cohort, projections: Mapping[str, Projection], included: NDArray[np.bool_]
) -> NDArray[np.bool_]:
    if recipe.origin in ("by hand", "by id"):
        by_id = np.zeros(len(cohort), np.bool_)
        by_id[cohort.rows_of(recipe.participant_ids.tolist())] = True
        return by_id
    passing = included.copy()
    for chosen in recipe.filters:
        passing &= chosen.mask(cohort, projections)
    if recipe.operation is not None:
        masks = [_members_mask(part, cohort, projections, included) for part in recipe.operation.recipes]
        return combined(recipe.operation.kind, masks, passing)
    if not recipe.lassos:
        return passing
    picked = np.zeros(len(cohort), np.bool_)
    for lasso in recipe.lassos:
        picked = changed_selection(picked, lasso.area.mask(cohort, projections) & passing, lasso.mode)
    return picked


def least_groups(kind: SetOperationKind) -> int:
    """How many groups an operation needs."""
    return 1 if kind == "complement" else 2


def combined(
    kind: SetOperationKind, masks: Sequence[NDArray[np.bool_]], everybody: NDArray[np.bool_]
) -> NDArray[np.bool_]:
    """Union or intersection of masks ``(n_participants,)``, the first without the others, or all in none of them."""
    if kind == "union":
        return np.asarray(np.logical_or.reduce(masks))
    if kind == "intersection":
        return np.asarray(np.logical_and.reduce(masks))
    if kind == "difference":
        return np.asarray(masks[0] & ~np.logical_or.reduce([np.zeros_like(masks[0]), *masks[1:]]))
    if kind == "complement":
        return np.asarray(everybody & ~np.logical_or.reduce(masks))
    raise LatentExplorerError(f"Unknown set operation {kind!r}; choose {', '.join(SET_OPERATION_KINDS)}.")
