"""Conditions put together by "and" and "or", and the filters that are made of them.

The hard idea: what is not understood must not change the rest. Left out of an "and" it only lets more people pass,
which the user sees; left out of an "or", or of something negated, it would make the rest mean something else, so there
everything is left out that it is part of.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Union

from napari_latent_explorer.session.filters import AllOf, AnyOf, Filter
from napari_latent_explorer.session.query_values import Condition


@dataclass(frozen=True, slots=True)
class Unknown:
    """Something that is not understood, and where it stands."""

    spans: tuple[tuple[int, int], ...] = ()


@dataclass(frozen=True, slots=True)
class Every:
    """All parts at once; everybody when there are none."""

    parts: tuple["Formula", ...] = ()


@dataclass(frozen=True, slots=True)
class Either:
    """At least one of the parts, on several columns."""

    parts: tuple["Formula", ...]


Formula = Union[Condition, Every, Either, Unknown]  # noqa: UP007 - the names are not defined yet where they are used


def every(parts: Iterable[Formula]) -> Formula:
    """All parts at once; conditions on one column become one."""
    conditions: dict[str, Condition] = {}
    rest: list[Formula] = []
    for part in _flat(parts, Every):
        if isinstance(part, Condition):
            known = conditions.get(part.phenotype)
            conditions[part.phenotype] = part if known is None else known.both(part)
        else:
            rest.append(part)
    joined = (*conditions.values(), *rest)
    return joined[0] if len(joined) == 1 else Every(joined)


def either(parts: Iterable[Formula]) -> Formula:
    """At least one of the parts; unknown as soon as one of them is, in whole or in part."""
    conditions: dict[str, Condition] = {}
    rest: list[Formula] = []
    for part in _flat(parts, Either):
        if has_unknown(part):
            return Unknown(spans_of(Either(tuple(parts))))
        if isinstance(part, Condition):
            known = conditions.get(part.phenotype)
            conditions[part.phenotype] = part if known is None else known.either(part)
        else:
            rest.append(part)
    joined = (*conditions.values(), *rest)
    return joined[0] if len(joined) == 1 else Either(joined)


def negated(formula: Formula) -> Formula:
    """Whoever fails it (De Morgan); unknown where any of it is."""
    if has_unknown(formula):
        return Unknown(spans_of(formula))
    match formula:
        case Condition():
            return formula.negated()
        case Every(parts):
            return either([negated(part) for part in parts])
        case Either(parts):
            return every([negated(part) for part in parts])
        case _:
            return formula


def has_unknown(formula: Formula) -> bool:
    """Whether any of it is not understood."""
    return isinstance(formula, Unknown) or any(has_unknown(part) for part in _parts(formula))


def spans_of(formula: Formula) -> tuple[tuple[int, int], ...]:
    """Where in the sentence it stands."""
    if isinstance(formula, Condition | Unknown):
        return formula.spans
    return tuple(span for part in _parts(formula) for span in spans_of(part))


def conditions_of(formula: Formula) -> list[Condition]:
    """All conditions in it."""
    if isinstance(formula, Condition):
        return [formula]
    return [condition for part in _parts(formula) for condition in conditions_of(part)]


def filter_of(formula: Formula) -> Filter | None:
    """Make the filter of those who meet a formula in which nothing is unknown; None when it says nothing."""
    if isinstance(formula, Condition):
        return formula.filter()
    parts = tuple(made for part in _parts(formula) if (made := filter_of(part)) is not None)
    if not parts or len(parts) < len(_parts(formula)):
        return None
    return AllOf(parts) if isinstance(formula, Every) else AnyOf(parts)


def top_parts(formula: Formula) -> tuple[Formula, ...]:
    """Return what everybody must meet."""
    return formula.parts if isinstance(formula, Every) else (formula,)


def _parts(formula: Formula) -> tuple[Formula, ...]:
    return formula.parts if isinstance(formula, Every | Either) else ()


def _flat(parts: Iterable[Formula], kind: type[Every] | type[Either]) -> Iterable[Formula]:
    for part in parts:
        if isinstance(part, kind):
            yield from _flat(part.parts, kind)
        else:
            yield part
