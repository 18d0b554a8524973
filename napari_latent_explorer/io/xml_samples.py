"""Samples as XML spells them: a list of numbers, or base64 of little-endian integers.

Text is taken as a whole or not at all: a blank or a stray letter would otherwise move all samples after it. It is
converted piece by piece, so that a long list never stands in memory as a million words.
"""

import base64
import binascii
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

_SPACES = " \t\r\n"
_WITHOUT_SPACES = str.maketrans("", "", _SPACES)
_COMMAS_AS_SPACES = str.maketrans(f",{_SPACES}", " " * 5)
_WITHOUT_NUMBERS = str.maketrans("", "", f"0123456789+-.eE,{_SPACES}")
_LONGEST_NUMBER = 32
_LARGEST_NUMBER = 1e12
_PIECE = 1 << 20


def numbers_in(text: str) -> NDArray[np.float64] | None:
    """Numbers ``(n,)`` of a list with commas or white space between them; None when something in it is none.

    A comma before the first or after the last number is passed over; a blank between two commas is not.
    """
    if text.translate(_WITHOUT_NUMBERS) or ",," in text.translate(_WITHOUT_SPACES).strip(","):
        return None
    try:
        numbers = np.fromiter((float(word) for word in _words(text.translate(_COMMAS_AS_SPACES))), dtype=np.float64)
    except ValueError:
        return None
    return numbers if (np.abs(numbers) <= _LARGEST_NUMBER).all() else None


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
