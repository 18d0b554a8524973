"""Samples as XML spells them: a list of numbers, or base64 of little-endian integers.

Text is taken as a whole or not at all: a blank or a stray letter would otherwise move all samples after it. A long list
is never cut into a million words in memory.
"""

import base64
import binascii
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

_SPACES = " \t\r\n"
_WITHOUT_SPACES = str.maketrans("", "", _SPACES)
_COMMAS_AS_SPACES = str.maketrans(f",{_SPACES}", " " * 5)
_WITHOUT_INTEGERS = str.maketrans("", "", f"0123456789+-{_SPACES}")
_WITHOUT_NUMBERS = str.maketrans("", "", f"0123456789+-.eE,{_SPACES}")
_STRAY_SIGNS = ("- ", "+ ", "--", "-+", "+-", "++")
_LONGEST_NUMBER = 32
_LARGEST_NUMBER = 1e12
_PIECE = 1 << 20


def numbers_in(text: str) -> NDArray[np.float64] | None:
    """Numbers ``(n,)`` of a list with commas or white space between them; None when something in it is none.

    A comma before the first or after the last number is passed over; a blank between two commas is not.
    """
    if text.translate(_WITHOUT_NUMBERS) or ",," in text.translate(_WITHOUT_SPACES).strip(","):
        return None
    spaced = text.translate(_COMMAS_AS_SPACES).strip()
    if not spaced:
        return np.zeros(0)
    are_integers = not spaced.translate(_WITHOUT_INTEGERS)
    numbers = _integers(spaced) if are_integers else _decimals(spaced)
    return numbers if numbers is not None and (np.abs(numbers) <= _LARGEST_NUMBER).all() else None


def integers_in_base64(text: str, n_bytes: int = 2) -> NDArray[np.float64] | None:
    """Signed little-endian integers ``(n,)`` of `n_bytes` each, as float64; None when the text is no base64 of them."""
    content = bytes_in_base64(text)
    if content is None or n_bytes not in (1, 2, 4) or len(content) % n_bytes:
        return None
    return np.frombuffer(content, dtype=f"<i{n_bytes}").astype(np.float64)


def bytes_in_base64(text: str) -> bytes | None:
    """Bytes that a base64 text with any line breaks holds; None when it is none."""
    try:
        return base64.b64decode(text.translate(_WITHOUT_SPACES), validate=True)
    except (binascii.Error, ValueError):
        return None


def _integers(text: str) -> NDArray[np.float64] | None:
    """Read integers, ten times as fast as other numbers; those beyond 64 bits come out as the largest there is."""
    framed = f" {text} "
    if any(pair in framed for pair in _STRAY_SIGNS) or any(
        framed.count(f" {sign}") != text.count(sign) for sign in "+-"
    ):
        return None
    return np.fromstring(text, dtype=np.int64, sep=" ").astype(np.float64)


def _decimals(text: str) -> NDArray[np.float64] | None:
    try:
        return np.fromiter((float(word) for word in _words(text)), dtype=np.float64)
    except ValueError:
        return None


def _words(text: str) -> Iterator[str]:
    start = 0
    while start < len(text):
        end = text.find(" ", start + _PIECE)
        end = end if end >= 0 else len(text)
        for word in text[start:end].split():
            if len(word) > _LONGEST_NUMBER:
                raise ValueError("no sample has so many digits")
            yield word
        start = end
