"""How a worker's result reaches the thread that owns the state, and how one signal passes on another.

A `Dispatch` takes a call and has it made on the right thread. Without a GUI that is the worker itself (`inline`); in
the GUI it is a queued signal. Workers never touch state; they only hand calls to their dispatch. That of a GUI can also
make a call `after_painting`: painting and networks share the processor and Python, so each is faster alone.
"""

from collections.abc import Callable

from psygnal import SignalInstance

Dispatch = Callable[[Callable[[], None]], None]


def inline(call: Callable[[], None]) -> None:
    """Make the call here and now, in whichever thread this is: for scripts, notebooks and tests."""
    call()


def after_painting(dispatch: Dispatch) -> Dispatch:
    """Return what makes a call when the window shows what it was told of so far; at once without a window."""
    late: Dispatch = getattr(dispatch, "after_painting", inline)
    return late


def forward(source: SignalInstance, target: SignalInstance) -> None:
    """Let `target` emit each value that `source` emits."""
    # not `connect(target.emit)`: psygnal tries out what it cannot inspect, and so would emit once while connecting
    source.connect(lambda value: target.emit(value))
