"""A sentence cut into words, numbers and signs, the misspelt words set right.

The hard idea: a word is only misspelt when nothing in the study and nothing clinical is called so; a word that is known
but not in this study is never bent until it fits.
"""

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Literal

from napari_latent_explorer.session.query_spelling import correct, correctable
from napari_latent_explorer.session.query_words import APOSTROPHES, DASHES, DECADES, FRACTIONS, fold


@dataclass(frozen=True, slots=True)
class RawWord:
    """A word, a number, a sign or a quotation; folded it can be compared, and of a quotation it is the inside."""

    kind: Literal["word", "number", "sign", "quoted"]
    text: str
    folded: str
    start: int
    end: int


_RAW: Final = re.compile(
    r"(?P<quoted>[\"“”](?P<inside>[^\"“”]{1,80})[\"“”])"
    r"|(?P<number>\d{1,3}(?:,\d{3})+(?!\d)(?:\.\d+)?|\d+(?:\.\d+)?|\.\d+)"
    rf"|(?P<word>[^\W\d_](?:[^\W_]|[{APOSTROPHES}](?=[^\W\d_]))*)"
    r"|(?P<sign>>=|<=|=>|=<|<>|!=|==|[^\w\s]|_)"
)
SKIPPED: Final = frozenset(f"{DASHES}{APOSTROPHES}_/.")
"""Signs inside of phrases that mean no more than a space."""

SILENT_SIGNS: Final = f"{DASHES}{APOSTROPHES}_.!?"
"""Signs that mean nothing by themselves."""

_MAX_CORRECTED: Final = 12
_SHARE: Final = re.compile(
    r"\s*(?:(?P<number>\d{1,2}(?:\.\d+)?)\s*(?:%|per\s?cent\b)|(?P<word>[a-z]+)\b)", re.IGNORECASE
)


def split(sentence: str) -> list[RawWord]:
    """Cut a sentence."""
    return [_raw_word(found) for found in _RAW.finditer(sentence)]


def _raw_word(found: re.Match[str]) -> RawWord:
    if found["quoted"]:
        return RawWord("quoted", found[0], found["inside"], found.start(), found.end())
    kind: Literal["word", "number", "sign"] = "number" if found["number"] else "word" if found["word"] else "sign"
    return RawWord(kind, found[0], fold(found[0]), found.start(), found.end())


def corrections(raws: Sequence[RawWord], known: Mapping[str, bool], as_typed: Collection[str]) -> dict[int, str]:
    """For the place of each misspelt word, what was probably meant.

    Parameters
    ----------
    raws
        The sentence.
    known
        Every known word, and whether another may be corrected to it.
    as_typed
        Words, in small letters, that stay as they are.
    """
    strange = [
        place
        for place, raw in enumerate(raws)
        if raw.kind == "word"
        and raw.folded not in known
        and raw.text.lower() not in DECADES
        and raw.text.lower() not in as_typed
    ]
    candidates = correctable(known) if strange else ()
    meant = {place: correct(raws[place].folded, candidates) for place in strange[:_MAX_CORRECTED]}
    return {place: word for place, word in meant.items() if word is not None}


def number_of(text: str) -> float:
    """Value of a written number; commas part thousands."""
    return float(text.replace(",", ""))


def step_of(text: str) -> float:
    """Return what one more in the last written digit is."""
    return float(10.0 ** -len(text.partition(".")[2]))


def share_after(sentence: str, start: int) -> tuple[float, int] | None:
    """Share of people that is written at `start`, in 0..1, and where it ends."""
    found = _SHARE.match(sentence, start)
    if found is None:
        return None
    share = float(found["number"]) / 100 if found["number"] else FRACTIONS.get(fold(found["word"]), 0.0)
    return (share, found.end()) if 0 < share < 1 else None
