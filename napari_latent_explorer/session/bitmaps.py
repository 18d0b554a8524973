"""Sets of participants as bits: 64 of them to a word, so that ten million fit into 1.25 MB.

The hard idea: a histogram under a filter is one number per bar, the size of "in this bar and passing". With a bitmap
per bar that is a bitwise and, and a count of ones, which costs a sixtieth of touching each participant and does not
depend on how many pass. So nothing is sampled, and no list of what has changed must be kept. Blocks of words keep what
is being counted in the processor's second cache.
"""

from collections.abc import Iterable
from functools import reduce
from typing import Final

import numpy as np
from numpy.typing import NDArray

from napari_latent_explorer.data.arrays import read_only

Words = NDArray[np.uint64]
"""``(n_words,)``; participant 0 is the first bit of the first byte, bits after the last participant are 0."""

WORD_BITS: Final = 64
BLOCK_WORDS: Final = 16_384


def pack(mask: NDArray[np.bool_]) -> Words:
    """Write a mask ``(n_participants,)`` as words."""
    n_words = -(-len(mask) // WORD_BITS)
    padded = np.zeros(n_words * WORD_BITS // 8, np.uint8)
    padded[: -(-len(mask) // 8)] = np.packbits(mask)
    return read_only(padded.view(np.uint64))


def unpack(words: Words, n_participants: int) -> NDArray[np.bool_]:
    """Read words as a mask ``(n_participants,)``."""
    return read_only(np.unpackbits(words.view(np.uint8), count=n_participants).view(np.bool_))


def intersection(sets: Iterable[Words]) -> Words:
    """Who is in all of the sets."""
    return reduce(np.bitwise_and, sets)


def size(words: Words) -> int:
    """How many are in a set."""
    return int(np.bitwise_count(words).sum(dtype=np.uint64))


def sizes_within(bitmaps: NDArray[np.uint64], words: Words) -> NDArray[np.int64]:
    """How many of each bitmap ``(n_bitmaps, n_words)`` are in a set ``(n_words,)`` too: ``(n_bitmaps,)``."""
    sizes = np.zeros(len(bitmaps), np.int64)
    for start in range(0, len(words), BLOCK_WORDS):
        block = slice(start, start + BLOCK_WORDS)
        sizes += np.bitwise_count(bitmaps[:, block] & words[block]).sum(axis=1, dtype=np.uint32)
    return sizes
