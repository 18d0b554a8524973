"""How a worker's result reaches the thread that owns the state, and how one signal passes on another.

A `Dispatch` takes a call and has it made on the right thread. Without a GUI that is the worker itself (`inline`); in
the GUI it is a queued signal. Workers never touch state; they only hand calls to their dispatch.
"""

from collections.abc import Callable

from psygnal import SignalInstance

Dispatch = Callable[[Callable[[], None]], None]


def inline(call: Callable[[], None]) -> None:
    """Make the call here and now, in whichever thread this is: for scripts, notebooks and tests."""
    call()


def forward(source: SignalInstance, target: SignalInstance) -> None:
    """Let `target` emit each value that `source` emits."""
    # not `connect(target.emit)`: psygnal tries out what it cannot inspect, and so would emit once while connecting
    source.connect(lambda value: target.emit(value))
