"""Sets of values of one column, and conditions on it that know three answers.

The hard idea: who has no value neither meets a condition nor fails it. A condition therefore holds two sets, the values
that meet it and those that fail it, and negation swaps them; a missing value is in neither, unless the condition is
about missing values. "And" and "or" of two conditions on one column are then again one such condition, exactly.
"""

import math
from dataclasses import dataclass
from typing import Final

from napari_latent_explorer.session.filters import AnyOf, CategoryFilter, Filter, RangeFilter

Interval = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Values:
    """Some categories, or some closed intervals in order without touching each other, and perhaps the missing.

    Open ends of intervals are the nearest number on the other side, so that every set is one of closed intervals.
    """

    categories: frozenset[str] = frozenset()
    intervals: tuple[Interval, ...] = ()
    missing: bool = False

    def __or__(self, other: "Values") -> "Values":
        """Values in either."""
        return Values(
            self.categories | other.categories,
            _merged((*self.intervals, *other.intervals)),
            self.missing or other.missing,
        )

    def __and__(self, other: "Values") -> "Values":
        """Values in both."""
        overlaps = (
            (max(low, other_low), min(high, other_high))
            for low, high in self.intervals
            for other_low, other_high in other.intervals
        )
        return Values(
            self.categories & other.categories,
            _merged(tuple((low, high) for low, high in overlaps if low <= high)),
            self.missing and other.missing,
        )


EVERY_NUMBER: Final = Values(intervals=((-math.inf, math.inf),))
MISSING: Final = Values(missing=True)


def above(number: float, is_open: bool) -> Values:
    """Numbers above `number`, without it where the end is open."""
    return Values(intervals=((math.nextafter(number, math.inf) if is_open else number, math.inf),))


def below(number: float, is_open: bool) -> Values:
    """Numbers below `number`, without it where the end is open."""
    return Values(intervals=((-math.inf, math.nextafter(number, -math.inf) if is_open else number),))


def between(low: float, high: float) -> Values:
    """Numbers from `low` to `high`, both included; none where they are upside down."""
    return Values(intervals=((low, high),) if low <= high else ())


def other_numbers(values: Values) -> Values:
    """Numbers that are not among the values."""
    rest, low = [], -math.inf
    for start, end in values.intervals:
        if start > low:
            rest.append((low, math.nextafter(start, -math.inf)))
        low = math.nextafter(end, math.inf) if end < math.inf else math.inf
        if end == math.inf:
            return Values(intervals=tuple(rest))
    return Values(intervals=(*rest, (low, math.inf)))


def _merged(intervals: tuple[Interval, ...]) -> tuple[Interval, ...]:
    merged: list[Interval] = []
    for low, high in sorted(intervals):
        if merged and low <= math.nextafter(merged[-1][1], math.inf):
            merged[-1] = (merged[-1][0], max(high, merged[-1][1]))
        else:
            merged.append((low, high))
    return tuple(merged)


@dataclass(frozen=True, slots=True)
class Condition:
    """Values of one column that meet a condition, and those that fail it.

    Attributes
    ----------
    phenotype
        Which column.
    passes, fails
        Disjoint; of values in neither nothing is known.
    spans
        Where in the sentence it stands.
    """

    phenotype: str
    passes: Values
    fails: Values
    spans: tuple[tuple[int, int], ...]

    def negated(self) -> "Condition":
        """Whoever fails it."""
        return Condition(self.phenotype, self.fails, self.passes, self.spans)

    def both(self, other: "Condition") -> "Condition":
        """Whoever meets both."""
        return Condition(
            self.phenotype, self.passes & other.passes, self.fails | other.fails, self.spans + other.spans
        )  # fmt: skip

    def either(self, other: "Condition") -> "Condition":
        """Whoever meets one of them."""
        return Condition(
            self.phenotype, self.passes | other.passes, self.fails & other.fails, self.spans + other.spans
        )  # fmt: skip

    def filter(self) -> Filter | None:
        """Make the filter of those who meet it; None when nobody can."""
        values = self.passes
        if values.intervals:
            parts = [RangeFilter(self.phenotype, low, high) for low, high in values.intervals]
            if values.missing:
                low, high = values.intervals[0]
                parts[0] = RangeFilter(self.phenotype, low, high, include_missing=True)
            return parts[0] if len(parts) == 1 else AnyOf(tuple(parts))
        if values.categories or values.missing:
            return CategoryFilter(self.phenotype, values.categories, values.missing)
        return None
