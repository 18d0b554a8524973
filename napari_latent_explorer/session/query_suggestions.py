"""What is offered in the place of words that say too little, or that the study does not know."""

from collections.abc import Iterator
from functools import lru_cache

from napari_latent_explorer.session.query_findings import Problem
from napari_latent_explorer.session.query_vocabulary import Vocabulary
from napari_latent_explorer.session.query_words import words_of


@lru_cache(maxsize=4)
def suggested_texts(vocabulary: Vocabulary) -> tuple[tuple[str, str], ...]:
    """List what can be written for each column and category, after its folded form."""
    return tuple(_suggested_texts(vocabulary))


def _suggested_texts(vocabulary: Vocabulary) -> Iterator[tuple[str, str]]:
    for phrase, senses in vocabulary.phrases.items():
        if len(senses) == 1 and senses[0].kind != "interval":
            sense = senses[0]
            if sense.is_name:
                yield " ".join(phrase), vocabulary.written(sense.phenotype)
            elif len(phrase) == 1 and len(phrase[0]) > 2 and len(sense.passes) == 1:
                (category,) = sense.passes
                yield phrase[0], category if words_of(category) == phrase else phrase[0]


def vague(kind: str, text: str, start: int, end: int) -> Problem:
    """Ask for a number where a word such as “high” stands."""
    if kind == "VAGUE_NEAR":
        return Problem(start, end, f"How near is “{text}”? Write the range, such as “between 55 and 65”.")
    if kind == "VAGUE_HEALTHY":
        return Problem(start, end, f"What have the “{text}” not? Write for example “without hypertension or diabetes”.")
    suggestions = {"VAGUE_HIGH": ("top 10 % of",), "VAGUE_LOW": ("bottom 10 % of",)}.get(kind, ())
    return Problem(start, end, f"“{text}” says no number. Write “above”, “below” or “top 10 % of”.", suggestions)
