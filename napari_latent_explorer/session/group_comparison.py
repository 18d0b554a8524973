"""Two groups, or a group and the rest, as one request and what came of it.

Two groups are compared by all their members who are not excluded, whatever the filters: each may have been made under
filters of its own. A group and the rest are compared among the visible only, on both sides, as "the rest" means
everybody else who is looked at now.

The hard idea: who is in a group is looked up by the worker, not by whoever asks, so the request holds groups and
filters as they were, and two requests are the same when these are.
"""

from collections.abc import Generator, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from napari_latent_explorer.analysis.comparison import ComparisonTable, compare_phenotypes
from napari_latent_explorer.analysis.phenotype_comparison import NumberTest
from napari_latent_explorer.analysis.projection import Projection
from napari_latent_explorer.data.cohort import Cohort
from napari_latent_explorer.data.progress import Progress
from napari_latent_explorer.errors import LatentExplorerError
from napari_latent_explorer.session.filters import Filter, MapFilter
from napari_latent_explorer.session.groups import Group
from napari_latent_explorer.session.recipes import GroupRecipe
from napari_latent_explorer.session.selection import mask_of, visible_mask

REST = "the rest"


@dataclass(frozen=True, slots=True, eq=False)
class ComparisonRequest:
    """What is to be compared; holds all that a worker needs.

    Attributes
    ----------
    cohort
        The participants.
    group_a, group_b
        The groups; None for the rest of the visible.
    filters, projections
        Under which the rest is visible; empty for two groups.
    excluded
        Reason for each excluded participant.
    number_test
        How continuous phenotypes are tested.
    """

    cohort: Cohort
    group_a: Group
    group_b: Group | None
    filters: tuple[Filter, ...]
    projections: Mapping[str, Projection]
    excluded: Mapping[str, str]
    number_test: NumberTest

    @property
    def name_b(self) -> str:
        """Name of group B, or of the rest."""
        return REST if self.group_b is None else self.group_b.name

    @property
    def chosen_by(self) -> frozenset[str]:
        """Phenotypes by which a group was chosen."""
        groups = [group for group in (self.group_a, self.group_b) if group is not None]
        return frozenset().union(*(chosen_by(group.recipe) for group in groups))

    @property
    def drawn(self) -> tuple[str, ...]:
        """Names of the groups that were drawn on a map or picked by hand, wholly or in part."""
        return tuple(one.name for one in (self.group_a, self.group_b) if one is not None and is_drawn(one.recipe))

    def is_same(self, other: "ComparisonRequest") -> bool:
        """Whether the other would give the same."""
        return (
            self.cohort is other.cohort
            and is_same_group(self.group_a, other.group_a)
            and is_same_group(self.group_b, other.group_b)
            and self.filters == other.filters
            and (not self.filters or self.projections is other.projections)
            and self.excluded is other.excluded
            and self.number_test == other.number_test
        )


@dataclass(frozen=True, slots=True, eq=False)
class Comparison:
    """What came of a request.

    Attributes
    ----------
    request
        What was asked.
    table
        None when there is nobody to compare.
    problem
        Why there is no table, and what to do.
    n_excluded
        Members of the groups who are excluded from the study, and were left out.
    n_hidden
        Members of group A whom the filters hide, and who were left out (against the rest only).
    """

    request: ComparisonRequest
    table: ComparisonTable | None
    problem: str
    n_excluded: int
    n_hidden: int


def compare_groups(request: ComparisonRequest) -> Generator[Progress, None, Comparison]:
    """Find who is compared, and compare them."""
    yield Progress(0, len(request.cohort.specs), "Looking who is in the groups")
    cohort, group_a, group_b = request.cohort, request.group_a, request.group_b
    members_a, included = mask_of(cohort, group_a.participant_ids), ~mask_of(cohort, request.excluded)
    seen = visible_mask(cohort, request.filters, request.excluded, request.projections)
    members_b = seen & ~members_a if group_b is None else mask_of(cohort, group_b.participant_ids)
    n_excluded, n_hidden = int(((members_a | members_b) & ~included).sum()), int((members_a & included & ~seen).sum())
    ids_a, ids_b = (cohort.participant_ids[members & seen] for members in (members_a, members_b))
    if problem := _problem(request, ids_a, ids_b):
        return Comparison(request, None, problem, n_excluded, n_hidden)
    try:
        table = yield from compare_phenotypes(
            cohort, ids_a, ids_b, group_a.name, request.name_b, request.number_test, request.chosen_by
        )
    except LatentExplorerError as error:
        return Comparison(request, None, str(error), n_excluded, n_hidden)
    return Comparison(request, table, "", n_excluded, n_hidden)


def _problem(request: ComparisonRequest, ids_a: NDArray[np.str_], ids_b: NDArray[np.str_]) -> str:
    if request.group_b is not None:
        return ""
    if not len(ids_a):
        return f"Nobody of {request.group_a.name} is visible. Clear the filters to compare them with the rest."
    if not len(ids_b):
        whole = "everybody who is visible" if request.filters else "everybody"
        clear = "Clear the filters, or compare it" if request.filters else "Compare it"
        return f"{request.group_a.name} holds {whole}: there is no rest. {clear} with another group."
    return ""


def chosen_by(recipe: GroupRecipe) -> frozenset[str]:
    """Phenotypes on which the making of a group looked, by its filters or by those of the groups it is made of."""
    parts = recipe.operation.recipes if recipe.operation is not None else ()
    return frozenset().union(*(one.phenotypes for one in recipe.filters), *(chosen_by(part) for part in parts))


def is_drawn(recipe: GroupRecipe) -> bool:
    """Whether a lasso or a hand had a part in the making of a group, or of those that it is made of."""
    parts = recipe.operation.recipes if recipe.operation is not None else ()
    by_map = any(isinstance(one, MapFilter) for one in recipe.filters)
    return recipe.origin in ("lassos", "by hand") or by_map or any(is_drawn(part) for part in parts)


def is_same_group(one: Group | None, other: Group | None) -> bool:
    """Whether name and members are the same."""
    if one is None or other is None:
        return one is other
    return one.name == other.name and has_same_members(one, other)


def has_same_members(one: Group, other: Group) -> bool:
    """Whether both are the same group, perhaps under another name: what is made of a group keeps its ids in place."""
    return np.may_share_memory(one.participant_ids, other.participant_ids)
