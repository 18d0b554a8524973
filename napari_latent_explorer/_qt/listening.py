"""Hearing the session for exactly as long as a widget lives.

The hard idea: a widget that is only dropped ends as garbage, and Python may collect garbage on a worker thread, where
destroying a widget kills the program. Widgets must therefore end by Qt's hand, on the GUI's thread; and from then on no
signal of the session may reach what is left of them.
"""

from collections.abc import Callable
from typing import Any

from psygnal import SignalInstance
from qtpy.QtCore import QObject


def listen(owner: QObject, signal: SignalInstance, slot: Callable[..., Any]) -> None:
    """Connect a slot to a signal of the session until Qt destroys its owner."""
    signal.connect(slot)
    owner.destroyed.connect(lambda: signal.disconnect(slot, missing_ok=True))
