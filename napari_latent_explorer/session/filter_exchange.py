"""Filters as plain JSON values, for session files, recipes of groups and scripts.

The hard idea: what comes back was perhaps written by another program or by hand, so each field is checked by what it
must be before a filter is made of it, and whatever is not understood is refused, never guessed. An open end of a range
is null, since JSON knows no infinity.
"""

import math
import sys
from collections.abc import Callable, Mapping
from typing import Any, Final

from napari_latent_explorer.errors import LatentExplorerError
from napari_latent_explorer.session.filters import AllOf, AnyOf, CategoryFilter, Filter, MapFilter, Not, RangeFilter

MAX_DEPTH = 32
"""Filters within filters; a sentence needs four."""


def filter_to_dict(chosen: Filter) -> dict[str, Any]:
    """Write a filter as a dictionary of strings, numbers, booleans, lists and null."""
    match chosen:
        case CategoryFilter(phenotype, categories, include_missing):
            fields = {"phenotype": phenotype, "categories": sorted(categories), "include_missing": include_missing}
            return {"type": "category", **fields}
        case RangeFilter(phenotype, low, high, include_missing):
            ends = {"low": _end(low, -math.inf), "high": _end(high, math.inf)}
            return {"type": "range", "phenotype": phenotype, **ends, "include_missing": include_missing}
        case MapFilter(modality, polygon, map_fingerprint):
            vertices = [[float(x), float(y)] for x, y in polygon]
            return {"type": "map", "modality": modality, "polygon": vertices, "map_fingerprint": map_fingerprint}
        case Not(part, include_missing):
            return {"type": "not", "part": filter_to_dict(part), "include_missing": include_missing}
        case AnyOf(parts):
            return {"type": "any_of", "parts": [filter_to_dict(part) for part in parts]}
        case AllOf(parts):
            return {"type": "all_of", "parts": [filter_to_dict(part) for part in parts]}


def filter_from_dict(data: object) -> Filter:
    """Make the filter that `filter_to_dict` wrote.

    Raises
    ------
    LatentExplorerError
        When it is not a filter, of an unknown type, or a field is missing, unknown or not what it must be.
    """
    return _read_filter(data, MAX_DEPTH)


def _end(end: float, open_end: float) -> float | None:
    if end == open_end:
        return None
    if not math.isfinite(end):
        raise LatentExplorerError(
            f"A range that ends at {end} holds nobody and cannot be stored. Choose another range."
        )
    return float(end)


def _read_filter(data: object, depth: int) -> Filter:
    if depth == 0:
        raise _refusal(f"it is nested more than {MAX_DEPTH} deep")
    if not isinstance(data, Mapping):
        raise _refusal(f"a filter is an object with a type, not {_shown(data)}")
    kind = data.get("type")
    if not isinstance(kind, str) or kind not in _FIELDS:
        raise _refusal(f"its type is {_shown(kind)}, and known are {', '.join(_FIELDS)}")
    wanted = _FIELDS[kind]
    missing, unknown = set(wanted) - set(data), set(data) - {*wanted, "type"}
    if missing or unknown:
        lacks = f"lacks {', '.join(sorted(missing))}" if missing else ""
        knows_not = f"has the unknown {', '.join(sorted(map(str, unknown)))}" if unknown else ""
        raise _refusal(f"the {kind} filter " + " and ".join(filter(None, (lacks, knows_not))))
    fields = {name: read(data[name], f"{kind} filter's {name}", depth) for name, read in wanted.items()}
    return _made(kind, fields)


def _made(kind: str, fields: Mapping[str, Any]) -> Filter:
    match kind:
        case "range":
            low, high = fields["low"], fields["high"]
            ends = -math.inf if low is None else low, math.inf if high is None else high
            return RangeFilter(fields["phenotype"], *ends, fields["include_missing"])
        case "category":
            return CategoryFilter(**fields)
        case "map":
            return MapFilter(**fields)
        case "not":
            return Not(**fields)
        case "any_of":
            return AnyOf(**fields)
        case _:
            return AllOf(**fields)


def _read_text(value: object, name: str, depth: int) -> str:
    if not isinstance(value, str):
        raise _refusal(f"the {name} is {_shown(value)}, not a text")
    return value


def _read_flag(value: object, name: str, depth: int) -> bool:
    if not isinstance(value, bool):
        raise _refusal(f"the {name} is {_shown(value)}, neither true nor false")
    return value


def _read_number(value: object, name: str) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not abs(value) <= sys.float_info.max:
        raise _refusal(f"the {name} is {_shown(value)}, not a finite number")
    return float(value)


def _read_end(value: object, name: str, depth: int) -> float | None:
    return None if value is None else _read_number(value, name)


def _read_list(value: object, name: str) -> list[Any]:
    if not isinstance(value, list | tuple):
        raise _refusal(f"the {name} is {_shown(value)}, not a list")
    return list(value)


def _read_categories(value: object, name: str, depth: int) -> frozenset[str]:
    return frozenset(_read_text(category, name, depth) for category in _read_list(value, name))


def _read_polygon(value: object, name: str, depth: int) -> tuple[tuple[float, float], ...]:
    vertices = [_read_list(vertex, name) for vertex in _read_list(value, name)]
    if any(len(vertex) != 2 for vertex in vertices):
        raise _refusal(f"the {name} has a vertex that is not two numbers")
    return tuple((_read_number(x, name), _read_number(y, name)) for x, y in vertices)


def _read_part(value: object, name: str, depth: int) -> Filter:
    return _read_filter(value, depth - 1)


def _read_parts(value: object, name: str, depth: int) -> tuple[Filter, ...]:
    return tuple(_read_filter(part, depth - 1) for part in _read_list(value, name))


_FIELDS: Final[Mapping[str, Mapping[str, Callable[[object, str, int], Any]]]] = {
    "category": {"phenotype": _read_text, "categories": _read_categories, "include_missing": _read_flag},
    "range": {"phenotype": _read_text, "low": _read_end, "high": _read_end, "include_missing": _read_flag},
    "map": {"modality": _read_text, "polygon": _read_polygon, "map_fingerprint": _read_text},
    "not": {"part": _read_part, "include_missing": _read_flag},
    "any_of": {"parts": _read_parts},
    "all_of": {"parts": _read_parts},
}
"""For each type of filter its fields, and how each is read: value, name for a message, depth that is left."""


def _refusal(why: str) -> LatentExplorerError:
    return LatentExplorerError(f"A stored filter cannot be read: {why}. Remove it, or write it again.")


def _shown(value: object) -> str:
    return type(value).__name__ if isinstance(value, Mapping | list | tuple) else repr(value)[:80]
