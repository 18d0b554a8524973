"""Recipes of groups as plain JSON values, and as text that can be pasted into another study.

A group that was chosen by hand has its ids twice, in itself and in its recipe; they are written once, with the group.
"""

import json
from typing import Any, Final, get_args

import numpy as np
from numpy.typing import NDArray

from napari_latent_explorer.data.arrays import read_only
from napari_latent_explorer.errors import LatentExplorerError
from napari_latent_explorer.session.filter_exchange import filter_from_dict, filter_to_dict
from napari_latent_explorer.session.filters import Filter, MapFilter
from napari_latent_explorer.session.json_fields import MOST_NAMED, JsonFields
from napari_latent_explorer.session.recipes import (
    SET_OPERATION_KINDS,
    GroupRecipe,
    Lasso,
    Origin,
    SetOperation,
    least_groups,
)
from napari_latent_explorer.session.selection import SelectionMode

SCHEMA: Final = "napari-latent-explorer/recipe"
MAX_DEPTH: Final = 16
"""Groups made of groups made of groups ..."""
_ORIGINS: Final[tuple[str, ...]] = get_args(Origin)
_MODES: Final[tuple[str, ...]] = get_args(SelectionMode)
_BY_IDS: Final = ("by hand", "by id")


def recipe_to_dict(recipe: GroupRecipe, own_ids: NDArray[np.str_] | None = None) -> dict[str, Any]:
    """Write a recipe; its ids are left out when they are `own_ids`, those of its group."""
    written: dict[str, Any] = {"origin": recipe.origin, "words": recipe.words}
    if recipe.filters:
        written["filters"] = [filter_to_dict(chosen) for chosen in recipe.filters]
    if recipe.lassos:
        written["lassos"] = lassos_to_list(recipe.lassos)
    if recipe.origin in _BY_IDS and not (own_ids is not None and np.array_equal(own_ids, recipe.participant_ids)):
        written["participants"] = recipe.participant_ids.tolist()
    if recipe.operation is not None:
        parts = [recipe_to_dict(part) for part in recipe.operation.recipes]
        written["operation"] = {
            "kind": recipe.operation.kind,
            "names": list(recipe.operation.names),
            "recipes": parts,
        }
    return written


def recipe_from_fields(
    fields: JsonFields, own_ids: NDArray[np.str_] | None = None, depth: int = MAX_DEPTH
) -> GroupRecipe:
    """Read what `recipe_to_dict` wrote; what is wrong is noted in the fields."""
    origin: Any = fields.one_of("origin", _ORIGINS)
    ids: NDArray[np.str_] = read_only(np.zeros(0, np.str_))
    if origin in _BY_IDS:
        is_own = own_ids is not None and fields.is_null("participants")
        ids = own_ids if is_own and own_ids is not None else read_only(np.array(fields.texts("participants"), np.str_))
    return GroupRecipe(
        origin,
        () if fields.is_null("filters") else filters_from_fields(fields, "filters"),
        () if fields.is_null("lassos") else lassos_from_fields(fields, "lassos"),
        ids,
        _operation(fields, depth) if origin == "groups" else None,
        fields.text("words"),
    )


def _operation(fields: JsonFields, depth: int) -> SetOperation:
    operation = fields.child("operation")
    kind: Any = operation.one_of("kind", SET_OPERATION_KINDS)
    names = tuple(operation.texts("names"))
    if depth == 0:
        operation.note("recipes", f"nested at most {MAX_DEPTH} deep", "more")
        return SetOperation(kind, names, ())
    recipes = tuple(recipe_from_fields(part, None, depth - 1) for part in operation.children("recipes"))
    if len(recipes) < (least := least_groups(kind)) or len(recipes) != len(names):
        operation.note("recipes", f"one of each of at least {least} groups", f"{len(recipes)} for {len(names)} names")
    return SetOperation(kind, names, recipes)


def recipe_to_text(name: str, recipe: GroupRecipe) -> str:
    """Write a group's name and recipe as JSON text; with ids of participants if it was chosen by them."""
    return json.dumps({"schema": SCHEMA, "version": 1, "name": name, "recipe": recipe_to_dict(recipe)}, indent=1)


def recipe_from_text(text: str) -> tuple[str, GroupRecipe]:
    """Read what `recipe_to_text` wrote.

    Raises
    ------
    LatentExplorerError
        When it is no recipe, or a damaged one.
    """
    try:
        data = json.loads(text)
    except (ValueError, RecursionError):
        data = None
    if not isinstance(data, dict) or data.get("schema") != SCHEMA or data.get("version") != 1:
        raise LatentExplorerError("The clipboard holds no recipe of a group. Copy one with 'Copy recipe' first.")
    problems: list[str] = []
    fields = JsonFields(data, "", problems)
    name, recipe = fields.text("name"), recipe_from_fields(fields.child("recipe"))
    if problems:
        raise LatentExplorerError(f"The recipe of the group is damaged: {'; '.join(problems[:MOST_NAMED])}.")
    return name, recipe


def has_participants(recipe: GroupRecipe) -> bool:
    """Whether a recipe names participants, itself or in a part."""
    parts = recipe.operation.recipes if recipe.operation is not None else ()
    return len(recipe.participant_ids) > 0 or any(map(has_participants, parts))


def filters_from_fields(fields: JsonFields, name: str) -> tuple[Filter, ...]:
    """Read a list of filters."""
    filters = []
    for item in fields.items(name):
        try:
            filters.append(filter_from_dict(item))
        except LatentExplorerError as error:
            fields.problems.append(str(error).rstrip("."))
    return tuple(filters)


def lassos_to_list(lassos: tuple[Lasso, ...]) -> list[dict[str, Any]]:
    """Write lassos."""
    return [{"area": filter_to_dict(lasso.area), "mode": lasso.mode} for lasso in lassos]


def lassos_from_fields(fields: JsonFields, name: str) -> tuple[Lasso, ...]:
    """Read what `lassos_to_list` wrote."""
    lassos = []
    for child in fields.children(name):
        mode: Any = child.one_of("mode", _MODES)
        try:
            area = filter_from_dict(child.raw("area"))
        except LatentExplorerError as error:
            child.problems.append(str(error).rstrip("."))
            continue
        if isinstance(area, MapFilter):
            lassos.append(Lasso(area, mode))
        else:
            child.note("area", "a lasso on a map", type(area).__name__)
    return tuple(lassos)
