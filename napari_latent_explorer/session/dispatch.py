"""How a worker's result reaches the thread that owns the state.

A `Dispatch` takes a call and has it made on the right thread. Without a GUI that is the worker itself (`inline`); in the
GUI it is a queued signal. Workers never touch state; they only hand calls to their dispatch.
"""

from collections.abc import Callable

Dispatch = Callable[[Callable[[], None]], None]


def inline(call: Callable[[], None]) -> None:
    """Make the call here and now, in whichever thread this is: for scripts, notebooks and tests."""
    call()
