"""Small matrices on one thread.

OpenBLAS spreads even small factorisations over all cores, and its threads spin while they wait for each other, and for
80 ms after. Beside a decoder on the same cores this makes the fits of this package ten to twenty times slower (measured
on two cores), and the decoder too; on one thread they lose nothing. What is calculated each time the probe moves goes
round BLAS: how many threads it takes is one number for the whole program.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from importlib import import_module
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from threadpoolctl import ThreadpoolController


@contextmanager
def one_blas_thread() -> Iterator[None]:
    """Within it, matrix operations use the calling thread only; those of other threads too, so keep it short."""
    with _controller().limit(limits=1, user_api="blas"):
        yield


def apply_matrix(vectors: NDArray[Any], matrix: NDArray[Any]) -> NDArray[Any]:
    """Multiply one or a few vectors ``(..., n)`` by a matrix ``(n, m)``, on this thread."""
    product: NDArray[Any] = np.einsum("...i,ij->...j", vectors, matrix)
    return product


@cache
def _controller() -> "ThreadpoolController":
    from threadpoolctl import ThreadpoolController

    import_module("scipy.linalg")  # brings a BLAS of its own, which must be loaded to be found
    return ThreadpoolController()
