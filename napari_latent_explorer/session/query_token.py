"""What the grammar is given: tokens, each with all that it can mean.

The hard idea: a token keeps every meaning of its words; which one counts is settled only when the whole is read.
"""

from dataclasses import dataclass
from typing import Literal

from napari_latent_explorer.session.query_findings import Problem
from napari_latent_explorer.session.query_vocabulary import Sense

QuantityKind = Literal["number", "interval", "quantile", "mean"]


@dataclass(frozen=True, slots=True)
class Quantity:
    """A number as it was written, with its unit; or a decade, a quantile or the mean of what it is compared with.

    Attributes
    ----------
    kind
        What it is.
    number
        The number, the beginning of the decade, or the quantile in 0..1.
    unit
        As the program writes it; empty when none is written.
    is_age
        Whether the words make it an age, as in ``60-year-old``.
    step
        What one more in the last written digit is.
    """

    kind: QuantityKind
    number: float
    unit: str = ""
    is_age: bool = False
    step: float = 1.0


@dataclass(frozen=True, slots=True)
class QueryToken:
    """A token, where it stands in the sentence, and what it can mean.

    Attributes
    ----------
    kind
        Name of the terminal of the grammar.
    start, end
        Where in the sentence.
    senses
        Of words of the study: all that they can mean.
    quantity
        Of numbers, and of ``top 10 %``.
    word
        Of comparisons ``>``, ``>=``, ``<``, ``<=``; of ``TOP`` also ``top`` or ``bottom``; ``not`` where turned round.
    categories
        Of a category after the name of its column.
    problem
        Of what is not understood.
    """

    kind: str
    start: int
    end: int
    senses: tuple[Sense, ...] = ()
    quantity: Quantity | None = None
    word: str = ""
    categories: tuple[tuple[str, frozenset[str]], ...] = ()
    problem: Problem | None = None
