"""Misspelt words: how far one word is from another, and which one was probably meant.

The hard idea: some words are one letter apart and worlds apart in meaning. Prefixes that turn a word round (hypo and
hyper, brady and tachy) are never corrected into each other, nor is anything corrected to an abbreviation, in
which each letter counts (LVEDV and LVESV).
"""

from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Final

_OPPOSITES: Final = ("hyper", "hypo", "tachy", "brady", "systol", "diastol", "endo", "epi", "pre", "post", "non")
_VOWELS: Final = frozenset("aeiouy")
_MIN_SHARE_OF_VOWELS: Final = 0.26


def distance(one: str, other: str, limit: int) -> int:
    """Count letters added, dropped, replaced or swapped with a neighbour; `limit` + 1 when there are more.

    References
    ----------
    Damerau F (1964), A technique for computer detection and correction of spelling errors, Communications of the ACM 7;
    in the restricted form, in which no letter is touched twice.
    """
    if abs(len(one) - len(other)) > limit:
        return limit + 1
    before: list[int] = []
    last = list(range(len(other) + 1))
    for row, letter in enumerate(one, 1):
        current = [row]
        for column, other_letter in enumerate(other, 1):
            cost = min(last[column] + 1, current[-1] + 1, last[column - 1] + (letter != other_letter))
            if row > 1 and column > 1 and letter == other[column - 2] and one[row - 2] == other_letter:
                cost = min(cost, before[column - 2] + 1)
            current.append(cost)
        if min(current) > limit:
            return limit + 1
        before, last = last, current
    return min(last[-1], limit + 1)


@lru_cache(maxsize=8192)
def _letters(word: str) -> int:
    """Which letters occur, as bits."""
    bits = 0
    for letter in word:
        bits |= 1 << (ord(letter) & 31)
    return bits


@lru_cache(maxsize=8)
def _with_letters(words: tuple[str, ...]) -> tuple[tuple[str, int], ...]:
    return tuple((word, _letters(word)) for word in words)


def near_words(word: str, candidates: tuple[str, ...], limit: int) -> dict[str, int]:
    """Candidates within `limit` of a word, each with its distance, the nearest first."""
    bits = _letters(word)
    found = {}
    for candidate, other_bits in _with_letters(candidates):
        if abs(len(candidate) - len(word)) <= limit and (bits ^ other_bits).bit_count() <= 2 * limit:
            far = distance(word, candidate, limit)
            if far <= limit:
                found[candidate] = far
    return dict(sorted(found.items(), key=lambda item: item[1]))


def correct(word: str, candidates: tuple[str, ...]) -> str | None:
    """Return the one word that was probably meant; None when none is near, or several are."""
    if len(word) < 5 or any(char.isdigit() for char in word):
        return None
    near = near_words(word, candidates, 1 if len(word) < 8 else 2)
    best = [other for other, far in near.items() if far == min(near.values())]
    if len(best) != 1 or is_abbreviation(best[0]) or are_opposites(word, best[0]):
        return None
    return best[0]


def correctable(words: Mapping[str, bool]) -> tuple[str, ...]:
    """Words to which a misspelt one may be corrected."""
    return tuple(word for word, is_allowed in words.items() if is_allowed and len(word) >= 4 and word.isalpha())


def is_abbreviation(word: str) -> bool:
    """Whether it has hardly a vowel, as abbreviations do."""
    return sum(letter in _VOWELS for letter in word) < _MIN_SHARE_OF_VOWELS * len(word)


def are_opposites(one: str, other: str) -> bool:
    """Whether the two begin differently in a way that turns the meaning round."""
    return _turn(one) != _turn(other)


def _turn(word: str) -> str:
    return next((prefix for prefix in _OPPOSITES if word.startswith(prefix)), "")


def nearest(word: str, texts: Iterable[tuple[str, str]], n_most: int = 4) -> tuple[str, ...]:
    """Texts that somebody may have meant who wrote `word`: those that begin so, then those that are spelt nearly so.

    Each text comes with its folded form.
    """
    ranked = []
    limit = max(1, min(3, len(word) // 3))
    for folded, text in texts:
        if len(word) >= 2 and (folded.startswith(word) or f" {word}" in folded):
            ranked.append((0, text))
        elif word[0] in folded and not are_opposites(word, folded):
            bits = _letters(word)
            parts = (part for part in (folded, *folded.split()) if (bits ^ _letters(part)).bit_count() <= 2 * limit)
            if (far := min((distance(word, part, limit) for part in parts), default=limit + 1)) <= limit:
                ranked.append((far, text))
    return tuple(dict.fromkeys(text for _, text in sorted(ranked, key=lambda item: item[0])))[:n_most]
