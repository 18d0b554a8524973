"""Where each of a million ids stands in an array, found for many at once.

The hard idea: texts are compared one by one and lie scattered in memory when Python holds them. Here each id becomes
one number of 64 bits (a sum of its characters, each times an odd constant of its place), the numbers are sorted once,
and ids are found by bisection among them. What is found is compared in full, so a stranger whose number happens to be
another's is still a stranger; should two ids of the array share a number, other constants are tried.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

MAX_SEEDS: Final = 4
"""Two of ten million different ids share a number once in 300,000 times."""


class IdIndex:
    """Index of an array of ids.

    Parameters
    ----------
    ids
        ``(n_ids,)`` strings.

    Attributes
    ----------
    is_unique
        Whether each id occurs once; else one of the places of a repeated id is found.
    """

    def __init__(self, ids: NDArray[np.str_]) -> None:
        self._ids = ids
        for self._seed in range(MAX_SEEDS):
            numbers = _numbers(ids, self._seed)
            self._order = np.argsort(numbers)
            self._sorted = numbers[self._order]
            self.is_unique = not bool((self._sorted[1:] == self._sorted[:-1]).any())
            if self.is_unique:
                return

    def find(self, asked: NDArray[np.str_]) -> NDArray[np.intp]:
        """Place ``(n_asked,)`` of each in the array; -1 for a stranger."""
        if not len(self._ids):
            return np.full(len(asked), -1, np.intp)
        numbers = _numbers(asked, self._seed)
        by_number = np.argsort(numbers)  # bisection in order stays in the processor's cache
        rows = np.empty(len(asked), np.intp)
        places = np.searchsorted(self._sorted, numbers[by_number])
        rows[by_number] = self._order[np.minimum(places, len(self._ids) - 1)]
        rows[self._ids[rows] != asked] = -1
        return rows


def _numbers(ids: NDArray[np.str_], seed: int) -> NDArray[np.uint64]:
    n_characters = ids.dtype.itemsize // 4
    native = np.ascontiguousarray(ids, ids.dtype.newbyteorder("="))
    characters = native.view(np.uint32).reshape(len(ids), n_characters)
    odd = np.random.default_rng(seed).integers(0, 1 << 63, n_characters, dtype=np.uint64) * np.uint64(2) + np.uint64(1)
    numbers = np.zeros(len(ids), np.uint64)
    for place in range(n_characters):
        numbers += characters[:, place] * odd[place]
    return numbers
