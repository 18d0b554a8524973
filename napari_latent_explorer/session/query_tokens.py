"""A sentence as tokens of the grammar: each phrase by what it can mean in the study, the longest first.

The hard idea: what a word does depends on its neighbours ("and" joins conditions, or people, or the ends of a range),
and a grammar that looks one token ahead cannot see that far. So the tokens are told apart here, where any distance can
be looked, and the grammar stays small.
"""

import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import replace
from functools import lru_cache
from typing import Final

from napari_latent_explorer.session.query_findings import Note, Problem
from napari_latent_explorer.session.query_raw import (
    SILENT_SIGNS,
    SKIPPED,
    RawWord,
    corrections,
    number_of,
    share_after,
    split,
    step_of,
)
from napari_latent_explorer.session.query_spelling import nearest
from napari_latent_explorer.session.query_token import Quantity, QueryToken
from napari_latent_explorer.session.query_units import unit_after
from napari_latent_explorer.session.query_vocabulary import MAX_PHRASE_WORDS, Phrase, Sense, Vocabulary
from napari_latent_explorer.session.query_words import (
    APOSTROPHES,
    DASHES,
    DECADES,
    TENS,
    fold,
    function_phrases,
    words_of,
)

_COMPARISONS: Final[Mapping[str, str]] = {"GT": ">", "GE": ">=", "LT": "<", "LE": "<="}
_SUFFIXES: Final[Mapping[str, str]] = {"OR_MORE": ">=", "OR_LESS": "<=", "OR_OLDER": ">=", "OR_YOUNGER": "<="}
_KIND_OF_SENSE: Final[Mapping[str, str]] = {
    "number": "NUMBER", "choice": "CHOICE", "condition": "COND", "interval": "COND",
}  # fmt: skip
_NAMES: Final = frozenset({"NUMBER", "CHOICE", "COND"})
_PLAIN: Final = frozenset({"AND", "OR", "NOT", "WITHOUT", "WITH", "PEOPLE", "LEAD", "RANGE", "TO", "KNOWN", "MISSING"})
_MAX_SUGGESTED: Final = 4
_DECADE_BEFORE: Final = re.compile(r"\b(?:in|their|his|her|the|aged)\s+$", re.IGNORECASE)
_SPREAD: Final = re.compile(r"\s*(?:±|\+/?-)\s*(\d+(?:\.\d+)?)")
_DECADE_AFTER: Final = re.compile(rf"[{APOSTROPHES}]?s\b")


class Tokenizer:
    """Reads one sentence from left to right.

    Parameters
    ----------
    sentence
        What was written.
    vocabulary
        Of the study.
    as_typed
        Words that the user wants left as they are.

    Attributes
    ----------
    tokens
        What was read, before neighbours were looked at.
    notes
        What was corrected.
    """

    def __init__(self, sentence: str, vocabulary: Vocabulary, as_typed: Collection[str] = ()) -> None:
        self._sentence = sentence
        self._vocabulary = vocabulary
        self.tokens: list[QueryToken] = []
        self.notes: list[Note] = []
        raws = split(sentence)
        meant = corrections(raws, vocabulary.words, as_typed)
        self._spelt = {raws[place].start: word for place, word in meant.items()}
        self._raws = [replace(raw, folded=meant.get(place, raw.folded)) for place, raw in enumerate(raws)]
        place = 0
        while place < len(self._raws):
            place = self._read(place)

    # ---- spelling

    def _note_spelling(self, raws: list[RawWord], shown: str = "") -> None:
        """Tell of each corrected word what it was taken for."""
        for raw in raws:
            if raw.start in self._spelt:
                meant = self._spelt.pop(raw.start)
                meant = next((word for word in shown.split() if fold(word) == meant), meant)
                self.notes.append(Note(raw.start, raw.end, f"took “{raw.text}” for “{meant}”", "spelling", meant))

    # ---- one token after the other

    def _read(self, place: int) -> int:
        """Read the token at `place`; return where the next one begins."""
        raw = self._raws[place]
        if raw.kind == "quoted":
            return self._read_quoted(place)
        ahead = self._ahead(place)
        n_words, sense_or_kind = self._longest(ahead)
        is_category = isinstance(sense_or_kind, tuple) and not isinstance(sense_or_kind[0], Sense)
        if raw.kind == "number" and n_words < 2 and not is_category:
            return self._read_number(place, number_of(raw.text), step_of(raw.text))
        if n_words == 0:
            return self._read_rest(place, ahead)
        end = ahead[n_words - 1][1]
        self._note_spelling(self._raws[place : end + 1], _shown(self._vocabulary, sense_or_kind))
        return self._take(place, end, tuple(word for word, _ in ahead[:n_words]), sense_or_kind)

    def _ahead(self, place: int) -> list[tuple[str, int]]:
        """Words from `place` on that may be one phrase, each with its place."""
        first = self._raws[place]
        if first.kind == "sign":
            return [(first.text, place)]
        found: list[tuple[str, int]] = []
        for number in range(place, min(len(self._raws), place + 2 * MAX_PHRASE_WORDS)):
            raw = self._raws[number]
            if raw.kind in ("word", "number") and len(found) < MAX_PHRASE_WORDS:
                found.append((raw.folded, number))
            elif raw.text not in SKIPPED:
                break
        return found

    def _longest(self, ahead: list[tuple[str, int]]) -> tuple[int, object]:
        """Length of the longest phrase at the beginning, and what it is."""
        words = tuple(word for word, _ in ahead)
        local = self._local_categories()
        functions, vocabulary = function_phrases(), self._vocabulary
        for n_words in range(len(words), 0, -1):
            phrase = words[:n_words]
            if phrase in local:
                return n_words, local[phrase]
            if phrase in vocabulary.phrases:
                return n_words, vocabulary.phrases[phrase]
            if phrase in functions:
                return n_words, functions[phrase]
            if phrase in vocabulary.absent:
                return n_words, self._absent(phrase)
        return 0, None

    def _absent(self, phrase: Phrase) -> Problem:
        """Say that the study has no such column, or which might be meant."""
        name, columns = self._vocabulary.absent[phrase]
        if not columns:
            return Problem(0, 0, f"This study has no column for {name}.")
        meant = tuple(map(self._vocabulary.written, columns[:4]))
        return Problem(0, 0, f"This study has no column called {name}, but {' and '.join(meant)}.", meant)

    def _local_categories(self) -> dict[Phrase, tuple[tuple[str, frozenset[str]], ...]]:
        """Find what categories can follow here, after the name of their column."""
        named = self._named_before()
        found: dict[Phrase, tuple[tuple[str, frozenset[str]], ...]] = {}
        for sense in named.senses if named else ():
            for phrase, names in self._vocabulary.categories.get(sense.phenotype, {}).items():
                found[phrase] = (*found.get(phrase, ()), (sense.phenotype, names))
        return found

    def _named_before(self) -> QueryToken | None:
        """Token of the column's name, where a category may follow: next to it, after "is", or after "or"."""
        kinds = [token.kind for token in self.tokens[-4:]]
        back = 1
        if kinds[-1:] == ["NOT"] and kinds[-2:-1] == ["IS"]:
            back = 3
        elif kinds[-1:] == ["IS"]:
            back = 2
        elif kinds[-2:] == ["CATEGORY", "OR"]:
            back = next((n for n, token in enumerate(reversed(self.tokens), 1) if token.kind in _NAMES), 0)
        if not 0 < back <= len(self.tokens):
            return None
        token = self.tokens[-back]
        has_name = any(sense.is_name and sense.kind != "number" for sense in token.senses)
        return token if has_name and (back > 1 or token.kind == "CHOICE") else None

    def _take(self, place: int, end: int, words: Phrase, found: object) -> int:
        """Append what a phrase is."""
        start_char, end_char = self._raws[place].start, self._raws[end].end
        if isinstance(found, Problem):
            self._append("UNKNOWN", start_char, end_char, problem=replace(found, start=start_char, end=end_char))
        elif isinstance(found, str):
            return self._take_function(found, place, end)
        elif isinstance(found, tuple) and isinstance(found[0], Sense):
            self._append(_kind_of(found), start_char, end_char, senses=found)
        elif isinstance(found, tuple):
            self._append("CATEGORY", start_char, end_char, categories=found)
        return end + 1

    def _take_function(self, kind: str, place: int, end: int) -> int:
        """Append what little words do, if anything."""
        start, stop = self._raws[place].start, self._raws[end].end
        last = self.tokens[-1].kind if self.tokens else ""
        if kind in _PLAIN:
            self._append("SUBJECT" if kind == "PEOPLE" else kind, start, stop)
        elif kind in _COMPARISONS:
            self._append("COMPARE", start, stop, word=_COMPARISONS[kind])
        elif kind in ("OLDER", "YOUNGER"):
            self._append("COMPARE", start, stop, word=">" if kind == "OLDER" else "<", quantity=_AGE)
        elif kind in ("GT_OTHER", "LT_OTHER"):
            self._append("COMPARE", start, stop, word=">" if kind == "GT_OTHER" else "<", quantity=_NO_AGE)
        elif kind in _SUFFIXES:
            self._take_suffix(kind, place, end, last)
        elif kind in ("MEDIAN", "MEAN"):
            quantity = Quantity("quantile", 0.5) if kind == "MEDIAN" else Quantity("mean", 0.0)
            self._append("QUANTITY", start, stop, quantity=quantity)
        elif kind in ("TOP", "BOTTOM"):
            return self._take_top(kind, place, end)
        elif kind in ("IS", "ISNT"):
            if last in _NAMES and any(sense.is_name for sense in self.tokens[-1].senses):
                self._append("IS", start, stop)
            if kind == "ISNT":
                self._append("NOT", start, stop)
        elif kind.startswith("VAGUE"):
            self._append("UNKNOWN", start, stop, problem=_vague(kind, self._sentence[start:stop], start, stop))
        return end + 1

    def _take_suffix(self, kind: str, place: int, end: int, last: str) -> None:
        """Append "or more" after a number; else it is "or" and a comparison."""
        start, stop = self._raws[place].start, self._raws[end].end
        follows_number = end + 1 < len(self._raws) and self._raws[end + 1].kind == "number"
        if last == "QUANTITY" and not follows_number:
            age = _AGE if kind.endswith(("OLDER", "YOUNGER")) else None
            self._append("SUFFIX", start, stop, word=_SUFFIXES[kind], quantity=age)
            return
        first = self._raws[place]
        self._append("OR" if first.folded == "or" else "AND", first.start, first.end)
        if end > place:
            phrase = (self._raws[end].folded,)
            self._take_function(function_phrases().get(phrase, "FILLER"), end, end)

    def _take_top(self, kind: str, place: int, end: int) -> int:
        """Append "top 10 %" or "lowest quarter"."""
        found = share_after(self._sentence, self._raws[end].end)
        start = self._raws[place].start
        if found is None:
            text = self._sentence[start : self._raws[end].end]
            problem = Problem(
                start, self._raws[end].end, f"How much is “{text}”? Write for example “top 10 %”.",
                ("top 10 % of" if kind == "TOP" else "bottom 10 % of",),
            )  # fmt: skip
            self._append("UNKNOWN", start, self._raws[end].end, problem=problem)
            return end + 1
        share, stop = found
        self._append("TOP", start, stop, word=kind.lower(), quantity=Quantity("quantile", share))
        return self._place_after(stop)

    # ---- numbers

    def _read_number(self, place: int, number: float, step: float) -> int:
        raw = self._raws[place]
        start, end = raw.start, raw.end
        if comma := re.match(r",\d+\b", self._sentence[end:]):
            stop = end + comma.end()
            stop = (unit_after(self._sentence, stop) or ("", False, stop))[2]
            better = self._sentence[start:stop].replace(",", ".")
            self._append("UNKNOWN", start, stop, problem=Problem(start, stop, "Write a decimal point.", (better,)))
            return self._place_after(stop)
        if (decade := _DECADE_AFTER.match(self._sentence, end)) and _DECADE_BEFORE.search(self._sentence[:start]):
            self._append("QUANTITY", start, decade.end(), quantity=Quantity("interval", number, step=10.0))
            return self._place_after(decade.end())
        if spread := _SPREAD.match(self._sentence, end):
            low, high = number - float(spread[1]), number + float(spread[1])
            text = "Write the range from where to where."
            self._append_problem(start, spread.end(), text, (f"{low:g} to {high:g}",))
            return self._place_after(spread.end())
        if (decade := _DECADE_AFTER.match(self._sentence, end)) and self._compares_people():
            self._append("QUANTITY", start, decade.end(), quantity=Quantity("number", number, "years", is_age=True))
            return self._place_after(decade.end())
        if percentile := re.compile(r"(?:st|nd|rd|th)?[\s-]+(?:per)?centile\b", re.I).match(self._sentence, end):
            self._append("QUANTITY", start, percentile.end(), quantity=Quantity("quantile", number / 100))
            return self._place_after(percentile.end())
        if self._has_sign(place):
            number, start = -number, self._raws[place - 1].start
        unit, is_age, end = unit_after(self._sentence, end) or ("", False, end)
        self._append("QUANTITY", start, end, quantity=Quantity("number", number, unit, is_age, step))
        return self._place_after(end)

    def _compares_people(self) -> bool:
        """Whether it goes on from "over" or "under" that no column stands before, as in "the over-60s"."""
        kinds = [token.kind for token in self.tokens[-3:]]
        return kinds[-1:] == ["COMPARE"] and not _NAMES & set(kinds)

    def _has_sign(self, place: int) -> bool:
        """Whether a minus belongs to the number: next to it, and after no other number."""
        before = self._raws[place - 1] if place else None
        is_minus = before is not None and before.text in DASHES and before.end == self._raws[place].start
        if not is_minus or not self.tokens or before is None:
            return is_minus
        last = self.tokens[-1]
        return last.kind in ("COMPARE", "IS", "TO", "RANGE", "NUMBER") and last.start != before.start

    def _place_after(self, end: int) -> int:
        return next((place for place, raw in enumerate(self._raws) if raw.start >= end), len(self._raws))

    # ---- what is left

    def _read_quoted(self, place: int) -> int:
        raw = self._raws[place]
        phrase = words_of(raw.folded)
        local = self._local_categories()
        found: object = local.get(phrase) or self._vocabulary.phrases.get(phrase)
        if found is None:
            found = Problem(0, 0, f"This study has nothing called {raw.text}.", self._suggestions(raw.folded))
        return self._take(place, place, phrase, found)

    def _read_rest(self, place: int, ahead: list[tuple[str, int]]) -> int:
        """Read a sign, a number in words, a part of a label, or something unknown."""
        raw = self._raws[place]
        if raw.kind == "sign":
            self._read_sign(raw, place)
            return place + 1
        if (decade := DECADES.get(raw.text.lower())) is not None:
            self._append("QUANTITY", raw.start, raw.end, quantity=Quantity("interval", decade, step=10.0))
            return place + 1
        if raw.folded in TENS:
            return self._read_number(place, TENS[raw.folded], 1.0)
        for n_words in range(len(ahead), 0, -1):
            phrase = tuple(word for word, _ in ahead[:n_words])
            if phrase in self._vocabulary.partial:
                return self._take_partial(place, ahead[n_words - 1][1], phrase)
        self._spelt.pop(raw.start, None)
        text = f"“{raw.text}” is not understood."
        self._append_problem(raw.start, raw.end, text, self._suggestions(fold(raw.text)))
        return place + 1

    def _take_partial(self, place: int, end: int, phrase: Phrase) -> int:
        """Append a part of some columns' labels: the columns, if there are several or it is most of the only one."""
        names = self._vocabulary.partial[phrase]
        start_char, end_char = self._raws[place].start, self._raws[end].end
        label = self._vocabulary.label(names[0])
        self._note_spelling(self._raws[place : end + 1], label)
        if len(names) == 1 and 2 * len(phrase) < len(words_of(label)):
            text = f"Is “{self._sentence[start_char:end_char]}” meant to be {label}?"
            self._append_problem(start_char, end_char, text, (self._vocabulary.written(names[0]),))
            return end + 1
        senses = tuple(
            sense
            for name in names
            for sense in self._vocabulary.phrases.get(words_of(name), ())
            if sense.phenotype == name and sense.is_name
        )
        if len(names) == 1:
            written = self._sentence[start_char:end_char]
            self.notes.append(Note(start_char, end_char, f"took “{written}” for “{label}”", "spelling", label))
        self._append(_kind_of(senses), start_char, end_char, senses=senses)
        return end + 1

    def _read_sign(self, raw: RawWord, place: int) -> None:
        last = self.tokens[-1].kind if self.tokens else ""
        next_kind = self._raws[place + 1].kind if place + 1 < len(self._raws) else ""
        if raw.text in "()":
            self._append("LPAR" if raw.text == "(" else "RPAR", raw.start, raw.end)
        elif raw.text in ",;":
            self._append("COMMA", raw.start, raw.end)
        elif raw.text in DASHES and last == "QUANTITY" and next_kind == "number":
            self._append("TO", raw.start, raw.end)
        elif raw.text == "+" and last == "QUANTITY":
            self._append("SUFFIX", raw.start, raw.end, word=">=")
        elif raw.text not in SILENT_SIGNS and not (raw.text == "/" and last == "WITH"):  # w/
            self._append_problem(raw.start, raw.end, f"The sign “{raw.text}” is not understood.", ())

    def _append(self, kind: str, start: int, end: int, **fields: object) -> None:
        self.tokens.append(QueryToken(kind, start, end, **fields))  # type: ignore[arg-type]

    def _append_problem(self, start: int, end: int, text: str, suggestions: tuple[str, ...]) -> None:
        self._append("UNKNOWN", start, end, problem=Problem(start, end, text, suggestions))

    def _suggestions(self, folded: str) -> tuple[str, ...]:
        if sum(token.kind == "UNKNOWN" for token in self.tokens) > _MAX_SUGGESTED:
            return ()
        return nearest(folded, suggested_texts(self._vocabulary))


_AGE: Final = Quantity("number", 0.0, "years", is_age=True)
_NO_AGE: Final = Quantity("number", 0.0)


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


def _kind_of(senses: tuple[Sense, ...]) -> str:
    if all(sense.is_subject for sense in senses):
        return "SUBJECT"
    kinds = {_KIND_OF_SENSE[sense.kind] for sense in senses}
    return next(kind for kind in ("NUMBER", "COND", "CHOICE") if kind in kinds)


def _shown(vocabulary: Vocabulary, found: object) -> str:
    """Words of a label in which a corrected word may be found as people write it."""
    if isinstance(found, tuple) and isinstance(found[0], Sense):
        return vocabulary.label(found[0].phenotype).lower()
    return ""


def _vague(kind: str, text: str, start: int, end: int) -> Problem:
    if kind == "VAGUE_NEAR":
        return Problem(start, end, f"How near is “{text}”? Write the range, such as “between 55 and 65”.")
    if kind == "VAGUE_HEALTHY":
        return Problem(start, end, f"What have the “{text}” not? Write for example “without hypertension or diabetes”.")
    suggestions = {"VAGUE_HIGH": ("top 10 % of",), "VAGUE_LOW": ("bottom 10 % of",)}.get(kind, ())
    return Problem(start, end, f"“{text}” says no number. Write “above”, “below” or “top 10 % of”.", suggestions)
