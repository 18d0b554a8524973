"""What the words of a sentence can mean in one study: its columns and categories, under all their names.

The hard idea: a phrase may stand for several columns, and how surely it does differs: its own name or label before a
synonym, and that before a name with decorations. Only the surest meanings count; where several are equally sure, the
phrase is ambiguous and the reader must ask.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import chain
from typing import Final, Literal

from napari_latent_explorer.data.phenotype import PhenotypeSpec
from napari_latent_explorer.io.column_units import split_unit
from napari_latent_explorer.session.query_units import unit_of
from napari_latent_explorer.session.query_words import (
    CATEGORY_WORDS,
    FRACTIONS,
    NO_WORDS,
    NOISE,
    OBESE_BMI,
    TENS,
    YES_WORDS,
    concepts,
    fold,
    function_phrases,
    words_of,
)

MAX_PHRASE_WORDS: Final = 10

Phrase = tuple[str, ...]
SenseKind = Literal["number", "choice", "condition", "interval"]


@dataclass(frozen=True, slots=True)
class Sense:
    """One thing that a phrase can mean.

    Attributes
    ----------
    phenotype
        Which column.
    kind
        `number`, a column that needs a range; `choice`, one that needs a category; `condition`, which somebody has or
        has not; `interval`, a word for a range of a column.
    passes, fails
        Of a condition, the categories of those who have it and of those who have not.
    is_name
        Whether the phrase names the column rather than one of its categories.
    is_subject
        Whether it says who people are, such as ``women``.
    low
        Of an interval, its lower end.
    """

    phenotype: str
    kind: SenseKind
    passes: frozenset[str] = frozenset()
    fails: frozenset[str] = frozenset()
    is_name: bool = False
    is_subject: bool = False
    low: float = 0.0


@dataclass(frozen=True, slots=True, eq=False)
class Vocabulary:
    """All that a study's words can mean.

    Attributes
    ----------
    specs
        Of the study's columns.
    phrases
        The surest senses of each phrase.
    categories
        For each column, what its categories are called right after its name.
    absent
        Clinical phrases of which the study has no column, each with the word for people and with columns that are
        called nearly so.
    partial
        For each run of words inside a label, the columns that have it.
    age
        The column of the age, if there is one.
    words
        Every word that occurs anywhere, and whether a misspelt one may be corrected to it.
    """

    specs: Mapping[str, PhenotypeSpec]
    phrases: Mapping[Phrase, tuple[Sense, ...]]
    categories: Mapping[str, Mapping[Phrase, frozenset[str]]]
    absent: Mapping[Phrase, tuple[str, tuple[str, ...]]]
    partial: Mapping[Phrase, tuple[str, ...]]
    age: str | None
    words: Mapping[str, bool]

    def label(self, phenotype: str) -> str:
        """Return what people call a column."""
        return self.specs[phenotype].label or phenotype

    def written(self, phenotype: str) -> str:
        """Return what to write for a column so that it is understood as this one."""
        for text in (self.label(phenotype), phenotype):
            senses = self.phrases.get(words_of(text), ())
            if [sense.phenotype for sense in senses] == [phenotype]:
                return text if text.replace("-", " ").replace(" ", "").replace("_", "").isalnum() else f'"{text}"'
        return f'"{phenotype}"'


@lru_cache(maxsize=4)
def vocabulary_of(specs: tuple[PhenotypeSpec, ...]) -> Vocabulary:
    """Vocabulary of a study with these columns."""
    by_name = {spec.name: spec for spec in specs}
    concept_of = {spec.name: list(_concepts_of(spec)) for spec in specs}
    ranked: dict[Phrase, list[tuple[int, Sense]]] = {}
    for spec in specs:
        for phrase, rank, sense in chain(_name_senses(spec, concept_of), _category_senses(spec, concept_of)):
            if phrase and len(phrase) <= MAX_PHRASE_WORDS and phrase not in function_phrases():
                ranked.setdefault(phrase, []).append((rank, sense))
    _add_obesity(ranked, concept_of, by_name)
    phrases = {phrase: _surest(senses) for phrase, senses in ranked.items()}
    categories = {spec.name: _local_categories(spec, concept_of) for spec in specs if spec.kind != "continuous"}
    partial = _partial(specs)
    strange = {name for name, known in concept_of.items() if not known}
    absent = {
        phrase: (
            name,
            tuple(dict.fromkeys(column for other in others for column in partial.get(other, ()) if column in strange)),
        )
        for name, others in concepts()
        for phrase in others
        if phrase not in phrases and len(phrase[0]) > 1
    }
    age = next((sense.phenotype for sense in phrases.get(("age",), ()) if sense.kind == "number"), None)
    return Vocabulary(
        by_name, phrases, categories, absent, partial, age, _known_words(phrases, categories, absent, specs)
    )


def _keys(spec: PhenotypeSpec) -> set[Phrase]:
    texts = [spec.name, spec.label]
    for text in filter(None, (spec.name, spec.label)):
        label, unit = split_unit(text)
        if unit == unit_of(spec.unit):  # else the ending is no unit, as in la_volume_min
            texts.append(label)
    return {words_of(text) for text in texts} - {()}


def _plain_keys(spec: PhenotypeSpec) -> set[Phrase]:
    """Keys without what a column's name may hold besides."""
    noises = [words_of(noise) for noise in NOISE.split("|")]
    return {_without(key, noises) for key in _keys(spec)} - {()}


def _without(key: Phrase, noises: Sequence[Phrase]) -> Phrase:
    for noise in noises:
        if key[-len(noise) :] == noise:
            key = key[: -len(noise)]
        if key[: len(noise)] == noise:
            key = key[len(noise) :]
    return key


_Concepts = Mapping[str, list[tuple[str, frozenset[Phrase], int]]]
"""For each column the concepts that it is: the word for people, all phrases, and how surely."""


def _concepts_of(spec: PhenotypeSpec) -> Iterator[tuple[str, frozenset[Phrase], int]]:
    keys, plain_keys = _keys(spec), _plain_keys(spec)
    for name, phrases in concepts():
        if keys & phrases:
            yield name, phrases, 1
        elif plain_keys & phrases:
            yield name, phrases, 4


def _name_senses(spec: PhenotypeSpec, concept_of: _Concepts) -> Iterator[tuple[Phrase, int, Sense]]:
    sense = _named(spec, concept_of)
    yield from ((phrase, 0, sense) for phrase in _keys(spec))
    yield from ((phrase, 3, sense) for phrase in _plain_keys(spec))
    yield from ((phrase, rank, sense) for _, phrases, rank in concept_of[spec.name] for phrase in phrases)


def _named(spec: PhenotypeSpec, concept_of: _Concepts) -> Sense:
    """Make the sense of a column's own name."""
    if spec.kind == "continuous":
        return Sense(spec.name, "number", is_name=True)
    yes, no = yes_and_no(spec)
    if yes and no:
        return Sense(spec.name, "condition", yes, no, is_name=True)
    return Sense(spec.name, "choice", is_name=True)


def yes_and_no(spec: PhenotypeSpec) -> tuple[frozenset[str], frozenset[str]]:
    """Categories that say yes and that say no to the column's own name; both empty where it is no such question."""
    is_coded = len(spec.categories) == 2  # else 0 and 1 are only the first of several codes
    yes_words, no_words = (
        [word for word in words.split("|") if is_coded or not word.isdigit()] for words in (YES_WORDS, NO_WORDS)
    )
    names = {words_of(text) for text in (spec.name, spec.label)}
    yes = {name for name in spec.categories if _plain(name) in yes_words or words_of(name) in names}
    no = {name for name in spec.categories if _plain(name) in no_words}
    no |= {name for name in spec.categories if words_of(name)[:1] == ("no",) and words_of(name)[1:] in names}
    if len(spec.categories) == 2 and len(no) == 1 and not yes and _plain(next(iter(no))) != "never":
        yes = set(spec.categories) - no
    return (frozenset(yes), frozenset(no)) if yes and no and not yes & no else (frozenset(), frozenset())


def _plain(category: str) -> str:
    return category.strip().lower()


def _category_senses(spec: PhenotypeSpec, concept_of: _Concepts) -> Iterator[tuple[Phrase, int, Sense]]:
    """Categories that can be written without the column's name, and those with it."""
    if spec.kind == "continuous":
        return
    yes, no = yes_and_no(spec)
    is_sex = any(name == "sex" for name, _, _ in concept_of[spec.name])
    for category in spec.categories:
        passes = frozenset({category})
        sense = Sense(spec.name, "condition", passes, frozenset(spec.categories) - passes, is_subject=is_sex)
        phrase = words_of(category)
        if passes <= yes | no:
            continue
        if len(phrase) > 0 and not all(word[0].isdigit() for word in phrase) and _plain(category) not in _YES_NO:
            yield phrase, 2, sense
        yield from ((name + phrase, 2, sense) for name in _keys(spec) if yes)
        yield from ((phrase + name, 2, sense) for name in _keys(spec))
        yield from ((other, 2, sense) for other in _other_words(category, spec, concept_of))
    yield from _non_users(spec, concept_of)
    if yes:
        sense = Sense(spec.name, "condition", yes, no)
        yield from ((other, 2, sense) for other in _condition_words(spec, concept_of))


_YES_NO: Final = frozenset(YES_WORDS.split("|")) | frozenset(NO_WORDS.split("|"))


def _other_words(category: str, spec: PhenotypeSpec, concept_of: _Concepts) -> Iterator[Phrase]:
    """Yield what a category of a known concept is also called, but for words that only follow the column's name."""
    for concept, _, _ in concept_of[spec.name]:
        for words in CATEGORY_WORDS.get(concept, ()):
            phrases = [words_of(word) for word in words.split("|")]
            if words_of(category) in phrases:
                yield from phrases if concept == "sex" else phrases[1:]


def _non_users(spec: PhenotypeSpec, concept_of: _Concepts) -> Iterator[tuple[Phrase, int, Sense]]:
    """Non-smokers: those who never did, or also those who stopped; both, so that it is asked."""
    for concept, nouns in (("smoking", ("smoker", "smoking")), ("drinking", ("drinker", "drinking"))):
        if any(name == concept for name, _, _ in concept_of[spec.name]):
            classes = [[words_of(word) for word in words.split("|")] for words in CATEGORY_WORDS[concept]]
            never, previous = (
                {name for name in spec.categories if words_of(name) in phrases} for phrases in classes[:2]
            )
            for passes in (never, never | previous) if never and previous else ():
                sense = Sense(spec.name, "condition", frozenset(passes), frozenset(spec.categories) - passes)
                yield from ((words_of(phrase), 2, sense) for noun in nouns for phrase in (f"non {noun}", f"non{noun}"))


def _condition_words(spec: PhenotypeSpec, concept_of: _Concepts) -> Iterator[Phrase]:
    """Yield what those are called who say yes to smoking or drinking."""
    for concept, _, _ in concept_of[spec.name]:
        if concept in ("smoking", "drinking"):
            yield from map(words_of, CATEGORY_WORDS[concept][2].split("|")[1:])


def _local_categories(spec: PhenotypeSpec, concept_of: _Concepts) -> Mapping[Phrase, frozenset[str]]:
    found = {words_of(name) or (name.strip(),): frozenset({name}) for name in spec.categories}
    for category in spec.categories:
        for other in _other_words(category, spec, concept_of):
            found.setdefault(other, frozenset({category}))
    for words, chosen in zip((YES_WORDS, NO_WORDS), yes_and_no(spec), strict=True):
        for word in words.split("|") if chosen else ():
            found.setdefault((fold(word),), chosen)
    return found


def _add_obesity(
    ranked: dict[Phrase, list[tuple[int, Sense]]], concept_of: _Concepts, specs: Mapping[str, PhenotypeSpec]
) -> None:
    """Obese is who has a body mass index of 30 or more, where no column says it."""
    for name, known in concept_of.items():
        if any(concept == "body mass index" for concept, _, _ in known) and specs[name].unit in ("kg/m²", "kg/m2"):
            for word in ("obese", "obesity"):
                ranked.setdefault((word,), []).append((5, Sense(name, "interval", low=OBESE_BMI)))


def _surest(senses: Sequence[tuple[int, Sense]]) -> tuple[Sense, ...]:
    rank = min(rank for rank, _ in senses)
    return tuple(dict.fromkeys(sense for other, sense in senses if other == rank))


def _partial(specs: Sequence[PhenotypeSpec]) -> Mapping[Phrase, tuple[str, ...]]:
    """Find runs of words inside names and labels, without those that are the whole."""
    found: dict[Phrase, dict[str, None]] = {}
    for spec in specs:
        for key in _keys(spec):
            key = key[:MAX_PHRASE_WORDS]
            for start in range(len(key)):
                for end in range(start + 1, len(key) + 1):
                    if max(map(len, key[start:end])) > 2:
                        found.setdefault(key[start:end], {})[spec.name] = None
    return {run: tuple(names) for run, names in found.items() if run not in function_phrases()}


def _known_words(
    phrases: Mapping[Phrase, tuple[Sense, ...]],
    categories: Mapping[str, Mapping[Phrase, frozenset[str]]],
    absent: Iterable[Phrase],
    specs: Sequence[PhenotypeSpec],
) -> Mapping[str, bool]:
    """Collect every word, and whether a misspelt one may be corrected to it: not to what the study lacks."""
    words = {word: False for phrase in absent for word in phrase}
    words |= dict.fromkeys(chain(FRACTIONS, TENS), True)
    words |= {word: True for phrase in function_phrases() for word in phrase}
    words |= {word: True for local in categories.values() for phrase in local for word in phrase}
    words |= {word: True for spec in specs for key in _keys(spec) for word in key}
    return words | {word: True for phrase in phrases for word in phrase}
