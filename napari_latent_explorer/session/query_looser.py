"""What to ask for where a sentence leaves nobody: which of its parts leaves nobody, and an age with more years.

The hard idea: nothing is loosened by itself. What could be said instead is read and counted like any other sentence,
and offered only if it means the same but for the part in question.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Final

from napari_latent_explorer.session import state as changes
from napari_latent_explorer.session.explorer import Explorer
from napari_latent_explorer.session.filters import Filter, RangeFilter
from napari_latent_explorer.session.query import Understanding, UnderstoodFilter, understand
from napari_latent_explorer.session.query_apply import filters_with
from napari_latent_explorer.session.query_vocabulary import vocabulary_of

AGE_MARGINS: Final = (2, 5, 10)
"""Years on both sides of an age, tried in this order."""


@dataclass(frozen=True, slots=True)
class Loosening:
    """A part of a sentence that could be left out, or said otherwise.

    Attributes
    ----------
    start, end
        Where in the sentence.
    n_participants
        How many there would be.
    replacement
        What to write instead; empty for leaving it out.
    """

    start: int
    end: int
    n_participants: int
    replacement: str = ""


def loosened(explorer: Explorer, understanding: Understanding) -> tuple[Loosening, ...]:
    """List what leaves somebody, for a sentence that is understood and leaves nobody."""
    if not understanding.is_complete:
        return ()
    found = []
    for part in understanding.filters:
        start, end = part.spans[0][0], part.spans[-1][1]
        rest = tuple(other for other in understanding.filters if other is not part)
        n_others = _count(explorer, filters_with(explorer, rest))
        if n_others:
            found += [Loosening(start, end, n_others), *_with_more_years(explorer, understanding, part)]
    return tuple(found)


def _with_more_years(explorer: Explorer, understanding: Understanding, part: UnderstoodFilter) -> Iterator[Loosening]:
    """Yield the least wide age that leaves somebody, if the part is an age."""
    cohort, chosen = changes.cohort_of(explorer.state), part.filter
    is_age = chosen.key == vocabulary_of(tuple(cohort.specs.values())).age
    if not is_age or not isinstance(chosen, RangeFilter) or len(part.spans) != 1 or chosen.high - chosen.low > 1:
        return
    (start, end), age = part.spans[0], round(chosen.low)
    others = {other.filter for other in understanding.filters} - {chosen}
    for margin in AGE_MARGINS:
        words = f"{max(age - margin, 0)} to {age + margin}-year-old"
        said = understand(f"{understanding.sentence[:start]}{words}{understanding.sentence[end:]}", cohort)
        n_participants = _count(explorer, filters_with(explorer, said.filters))
        if said.is_complete and others < {other.filter for other in said.filters} and n_participants:
            yield Loosening(start, end, n_participants, words)
            return


def _count(explorer: Explorer, filters: tuple[Filter, ...]) -> int:
    return int(changes.visible_of(replace(explorer.state, filters=filters)).sum())
