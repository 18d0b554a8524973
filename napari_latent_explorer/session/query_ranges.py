"""Numbers of a sentence as values of a column: which column, in which unit, and from where to where.

The hard idea: a number that names no column is only given one where there is no choice: an age by its words, the only
column in its unit, the column that was just compared, or, by the convention of all cohorts, the age. Anything else is
asked.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from napari_latent_explorer.data.cohort import Cohort
from napari_latent_explorer.session.query_findings import Problem
from napari_latent_explorer.session.query_token import Quantity, QueryToken
from napari_latent_explorer.session.query_units import convert, unit_of
from napari_latent_explorer.session.query_values import Values, above, below, between
from napari_latent_explorer.session.query_vocabulary import Vocabulary


@dataclass(frozen=True, slots=True)
class Range:
    """Tokens of a comparison.

    Attributes
    ----------
    tokens
        As they stand.
    start, end
        Where in the sentence.
    """

    tokens: tuple[QueryToken, ...]

    @property
    def start(self) -> int:
        """Where it begins."""
        return self.tokens[0].start

    @property
    def end(self) -> int:
        """Where it ends."""
        return self.tokens[-1].end

    @property
    def quantities(self) -> tuple[Quantity, ...]:
        """Its numbers; where only the last has a unit, all have it."""
        found = [token.quantity for token in self.tokens if token.kind == "QUANTITY" and token.quantity is not None]
        last = found[-1]
        return tuple(
            Quantity(one.kind, one.number, one.unit or last.unit, one.is_age or last.is_age, one.step) for one in found
        )

    @property
    def comparison(self) -> str:
        """Its sign, ``to``, or empty for a number alone."""
        kinds = {token.kind: token for token in self.tokens}
        sign = kinds.get("COMPARE") or kinds.get("SUFFIX")
        return sign.word if sign is not None else "to" if "TO" in kinds else ""

    @property
    def is_age(self) -> bool:
        """Whether its words say that it is an age."""
        return any(one.is_age for one in self._marks) or any(
            one.is_age or one.kind == "interval" for one in self.quantities
        )

    @property
    def is_no_age(self) -> bool:
        """Whether its words say that it is none, as in ``heavier than``."""
        return any(not one.is_age for one in self._marks)

    @property
    def _marks(self) -> list[Quantity]:
        return [token.quantity for token in self.tokens if token.kind in ("COMPARE", "SUFFIX") and token.quantity]


class RangeError(Exception):
    """A range cannot be one of this column; carries the problem."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem.text)
        self.problem = problem


def fits(found: Range, phenotype: str, vocabulary: Vocabulary) -> bool:
    """Whether all units convert into that of a column."""
    wanted = unit_of(vocabulary.specs[phenotype].unit)
    return all(not one.unit or convert(one.number, one.unit, wanted) is not None for one in found.quantities)


def values_of(found: Range, phenotype: str, vocabulary: Vocabulary, cohort: Cohort) -> tuple[Values, str]:
    """Values of a column that are in a range, and what must be said about it, if anything.

    Raises
    ------
    RangeError
        When the unit does not fit, the ends are upside down, or there is nothing to compare with.
    """
    numbers = [_number(one, found, phenotype, vocabulary, cohort) for one in found.quantities]
    unit = vocabulary.specs[phenotype].unit
    note = ""
    if any(one.kind in ("quantile", "mean") for one in found.quantities):
        note = f"of all participants: {' to '.join(f'{number:.4g}' for number in numbers)} {unit}".rstrip()
    match found.comparison:
        case ">" | ">=":
            return above(numbers[0], is_open=found.comparison == ">"), note
        case "<" | "<=":
            return below(numbers[0], is_open=found.comparison == "<"), note
        case "to":
            if numbers[0] > numbers[1]:
                text = f"From {numbers[0]:.4g} to {numbers[1]:.4g} is upside down."
                raise RangeError(Problem(found.start, found.end, text, (f"{numbers[1]:.4g} to {numbers[0]:.4g}",)))
            return between(numbers[0], _last_of_year(found, phenotype, numbers[1], vocabulary)), note
    return _one_number(found, phenotype, vocabulary, note)


def _last_of_year(found: Range, phenotype: str, end: float, vocabulary: Vocabulary) -> float:
    """End of a range; where the words count completed years, as in "50 to 59-year-old", that of the whole year."""
    last = found.quantities[-1]
    is_completed = last.is_age and last.kind == "number" and phenotype == vocabulary.age
    return math.nextafter(end + 1.0, -math.inf) if is_completed and last.step >= 1 else end


def share_of(top: QueryToken, phenotype: str, vocabulary: Vocabulary, cohort: Cohort) -> tuple[Values, str]:
    """Values of a column in its top or bottom share, and the limit in words."""
    share = top.quantity.number if top.quantity is not None else 0.0
    limit = _quantile(1 - share if top.word == "top" else share, top.start, top.end, phenotype, vocabulary, cohort)
    words = "at least" if top.word == "top" else "at most"
    note = f"of all participants: {words} {limit:.4g} {vocabulary.specs[phenotype].unit}".rstrip()
    return (above(limit, is_open=False) if top.word == "top" else below(limit, is_open=False)), note


def _number(one: Quantity, found: Range, phenotype: str, vocabulary: Vocabulary, cohort: Cohort) -> float:
    spec = vocabulary.specs[phenotype]
    if one.kind == "quantile":
        return _quantile(one.number, found.start, found.end, phenotype, vocabulary, cohort)
    if one.kind == "mean":
        _check_any_value(found.start, found.end, phenotype, vocabulary, cohort)
        return float(np.nanmean(cohort.values(phenotype)))
    if one.kind == "interval" and found.comparison:
        raise RangeError(Problem(found.start, found.end, "Compare with a number, not with ten years."))
    if not one.unit:
        _check_no_fraction(one.number, found, phenotype, vocabulary, cohort)
        return one.number
    converted = convert(one.number, one.unit, unit_of(spec.unit))
    if converted is None:
        has = f"is in {spec.unit}" if spec.unit else "has no unit"
        suggestion = f"{one.number:g} {spec.unit}".rstrip()
        text = f"{vocabulary.label(phenotype)} {has}, into which {one.unit} does not convert."
        token = next(token for token in found.tokens if token.quantity is not None and token.quantity.unit)
        raise RangeError(Problem(token.start, token.end, text, (suggestion,)))
    return converted


def _check_no_fraction(
    number: float, found: Range, phenotype: str, vocabulary: Vocabulary, cohort: Cohort
) -> None:  # fmt: skip
    """Ask where 0.4 is written of a column in %, in which nobody has so little."""
    values = cohort.values(phenotype)
    is_strange = vocabulary.specs[phenotype].unit == "%" and 0 < number <= 1 and np.isfinite(values).any()
    if is_strange and np.nanmin(values) > 1:
        token = next(one for one in found.tokens if one.quantity is not None and one.quantity.number == number)
        meant = (f"{100 * number:g} %", f"{number:g} %")
        text = f"{vocabulary.label(phenotype)} is in %. Is {meant[0]} meant?"
        raise RangeError(Problem(token.start, token.end, text, meant))


def _quantile(
    share: float, start: int, end: int, phenotype: str, vocabulary: Vocabulary, cohort: Cohort
) -> float:  # fmt: skip
    if not 0 <= share <= 1:
        raise RangeError(Problem(start, end, "A percentile is between 0 and 100."))
    _check_any_value(start, end, phenotype, vocabulary, cohort)
    return float(np.nanquantile(cohort.values(phenotype), share))


def _check_any_value(start: int, end: int, phenotype: str, vocabulary: Vocabulary, cohort: Cohort) -> None:
    if not np.isfinite(cohort.values(phenotype)).any():
        raise RangeError(Problem(start, end, f"Nobody has a value of {vocabulary.label(phenotype)}."))


def _one_number(found: Range, phenotype: str, vocabulary: Vocabulary, note: str) -> tuple[Values, str]:
    """Values that are this number: completed years of an age, else what rounds to the number as it is written."""
    one = found.quantities[0]
    unit = unit_of(vocabulary.specs[phenotype].unit)
    if one.kind in ("quantile", "mean"):
        raise RangeError(Problem(found.start, found.end, "Write “above” or “below” before it.", ("above the median",)))
    is_years = phenotype == vocabulary.age or one.is_age or one.kind == "interval"
    offset = 0.0 if is_years and one.step >= 1 else one.step / 2
    ends = [
        convert(number, one.unit or unit, unit) or number
        for number in (one.number - offset, one.number - offset + one.step)
    ]
    values = between(ends[0], math.nextafter(ends[1], -math.inf))
    return values, note if is_years else f"{ends[0]:.5g} to {ends[1]:.5g} {unit}, what rounds to this number".rstrip()


def columns_in(unit: str, vocabulary: Vocabulary) -> Sequence[str]:
    """Columns in a unit; where the age is among several in years, the age."""
    found = [
        spec.name
        for spec in vocabulary.specs.values()
        if spec.kind == "continuous" and unit and unit_of(spec.unit) == unit
    ]
    return [vocabulary.age] if vocabulary.age is not None and vocabulary.age in found else found
