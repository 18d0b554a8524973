"""Sentences such as "women over 60 with hypertension and without diabetes" as filters.

No network and no generated code: words are looked up in the study's own names and categories and a table of clinical
synonyms (`query_vocabulary`), made into tokens (`query_tokens`, `query_joints`), parsed by a grammar (`query_grammar`)
and read as a formula (`query_reader`). The hard idea: nothing is guessed silently. Whatever is not understood is a
`Problem` with its place, whatever was read otherwise than written is a `Note`, and the rest becomes filters.
"""

import re
from collections.abc import Collection
from dataclasses import dataclass
from typing import Final

from napari_latent_explorer.data.cohort import Cohort
from napari_latent_explorer.session.filters import AllOf, Filter
from napari_latent_explorer.session.query_findings import Note, Problem
from napari_latent_explorer.session.query_formula import (
    Formula,
    conditions_of,
    filter_of,
    has_unknown,
    spans_of,
    top_parts,
)
from napari_latent_explorer.session.query_grammar import parse
from napari_latent_explorer.session.query_joints import join
from napari_latent_explorer.session.query_reader import SentenceReader
from napari_latent_explorer.session.query_tokens import Tokenizer
from napari_latent_explorer.session.query_values import Condition, Values
from napari_latent_explorer.session.query_vocabulary import vocabulary_of

MAX_CHARS: Final = 1000
__all__ = ["MAX_CHARS", "Note", "Problem", "Understanding", "UnderstoodFilter", "understand"]


@dataclass(frozen=True, slots=True)
class UnderstoodFilter:
    """A filter, and where in the sentence it comes from."""

    filter: Filter
    spans: tuple[tuple[int, int], ...]


@dataclass(frozen=True, slots=True)
class Understanding:
    """What a sentence means in one study.

    Attributes
    ----------
    sentence
        As it was written.
    filters
        At most one per key (`Filter.key`); none when it is in doubt how the parts belong together.
    problems
        What is not understood, in the order of the sentence.
    notes
        What was understood otherwise than written.
    wants_representative
        Whether a representative of these people is asked for.
    """

    sentence: str
    filters: tuple[UnderstoodFilter, ...]
    problems: tuple[Problem, ...]
    notes: tuple[Note, ...]
    wants_representative: bool

    @property
    def is_complete(self) -> bool:
        """Whether all of it is understood."""
        return not self.problems


def understand(sentence: str, cohort: Cohort, as_typed: Collection[str] = ()) -> Understanding:
    """Say what a sentence means for the participants of a study.

    Parameters
    ----------
    sentence
        What the user wrote.
    cohort
        Whose columns and categories the words may name.
    as_typed
        Words, in small letters, that are not to be corrected.
    """
    vocabulary = vocabulary_of(tuple(cohort.specs.values()))
    read = sentence[:MAX_CHARS]
    tokenizer = Tokenizer(read, vocabulary, as_typed)
    tokens, problems = join(tokenizer.tokens)
    if len(sentence) > MAX_CHARS:
        text = f"A sentence can have {MAX_CHARS:,} characters."
        problems.append(Problem(MAX_CHARS, len(sentence), text, is_structural=True))
    wants_representative = bool(tokens) and tokens[0].kind == "LEAD"
    tree, misfits = parse(tokens)
    if tree is None:
        problems += [token.problem for token in tokens if token.problem is not None]
        problems.append(Problem(0, len(read), "The sentence is not understood.", is_structural=True))
        return Understanding(sentence, (), _in_order(problems), tuple(tokenizer.notes), wants_representative)
    reader = SentenceReader(read, tokens, misfits, vocabulary, cohort)
    formula = reader.read(tree)
    problems += reader.problems
    problems += _nobody(formula, read)
    is_in_doubt = any(problem.is_structural for problem in problems)
    filters = () if is_in_doubt else _filters(formula)
    notes = tuple(sorted([*tokenizer.notes, *([] if is_in_doubt else reader.notes)], key=lambda note: note.start))
    return Understanding(sentence, filters, _in_order(problems), notes, wants_representative)


def _in_order(problems: Collection[Problem]) -> tuple[Problem, ...]:
    return tuple(sorted(dict.fromkeys(problems), key=lambda problem: (problem.start, problem.end)))


def _nobody(formula: Formula, sentence: str) -> list[Problem]:
    """Tell where one column would have to be two things at once."""
    impossible = [condition for condition in conditions_of(formula) if condition.passes == Values()]
    return [_impossible(condition, sentence) for condition in impossible if sentence]


def _impossible(condition: Condition, sentence: str) -> Problem:
    text = "Nobody can be all this at once."
    *_, before, last = ((0, 0), *sorted(condition.spans))
    joint = re.search(r"\band\b|&", sentence[before[1] : last[0]], re.IGNORECASE) if before[1] else None
    if joint is None:
        return Problem(*last, text, is_structural=True)
    start, end = before[1] + joint.start(), before[1] + joint.end()
    return Problem(start, end, f"{text} Is “or” meant?", ("or",), is_structural=True)


def _filters(formula: Formula) -> tuple[UnderstoodFilter, ...]:
    """Make one filter per column, and one of all that concerns several."""
    parts = [part for part in top_parts(formula) if not has_unknown(part)]
    made = [
        UnderstoodFilter(chosen, spans_of(part))
        for part in parts
        if isinstance(part, Condition) and (chosen := part.filter()) is not None
    ]
    joint = [part for part in parts if not isinstance(part, Condition)]
    several = [chosen for part in joint if (chosen := filter_of(part)) is not None]
    if several:
        spans = tuple(span for part in joint for span in spans_of(part))
        made.append(UnderstoodFilter(several[0] if len(several) == 1 else AllOf(tuple(several)), spans))
    return tuple(made)
