"""Small matrices on one thread.

OpenBLAS spreads even small factorisations over all cores, and its threads spin while they wait for each other, and for
25 ms after it. Beside a decoder on the same cores this makes the fits of this package ten to twenty times slower
(measured on two cores), and the decoder too; on one thread they lose nothing.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from importlib import import_module
from threading import Lock
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from threadpoolctl import ThreadpoolController

_LOCK = Lock()
_limits: list[Any] = []
"""One entry per caller within; the first holds what to restore."""


@contextmanager
def one_blas_thread() -> Iterator[None]:
    """Within it, matrix operations use the calling thread only; those of other threads too, so keep it short."""
    with _LOCK:
        _limits.append(None if _limits else _controller().limit(limits=1, user_api="blas"))
    try:
        yield
    finally:
        with _LOCK:
            if len(_limits) == 1:
                _limits[0].restore_original_limits()
            _limits.pop()


@cache
def _controller() -> "ThreadpoolController":
    from threadpoolctl import ThreadpoolController

    import_module("scipy.linalg")  # brings a BLAS of its own, which must be loaded to be found
    return ThreadpoolController()
