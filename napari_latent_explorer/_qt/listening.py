"""Hearing the session for exactly as long as a widget lives, or is seen.

The hard idea: a widget that is only dropped ends as garbage, and Python may collect garbage on a worker thread, where
destroying a widget kills the program. Widgets must therefore end by Qt's hand, on the GUI's thread; and from then on no
signal of the session may reach what is left of them.
"""

from collections.abc import Callable
from typing import Any

from psygnal import SignalInstance
from qtpy.QtCore import QEvent, QObject
from qtpy.QtWidgets import QWidget


def listen(owner: QObject, signal: SignalInstance, slot: Callable[..., Any]) -> None:
    """Connect a slot to a signal of the session until Qt destroys its owner."""
    signal.connect(slot)
    owner.destroyed.connect(lambda: signal.disconnect(slot, missing_ok=True))


def listen_while_seen(owner: QWidget, signal: SignalInstance, slot: Callable[[], Any]) -> None:
    """Connect a slot as `listen` does; while another tab hides its owner it waits, and is called when that is seen."""
    listen(owner, signal, _Patient(owner, slot).on_signal)


class _Patient(QObject):
    """Calls a slot when its owner is seen."""

    def __init__(self, owner: QWidget, slot: Callable[[], Any]) -> None:
        super().__init__(owner)
        self._owner, self._slot = owner, slot
        self._is_late = False
        owner.installEventFilter(self)

    def on_signal(self) -> None:
        """Call the slot, now or when the owner is shown; one in a window that is not shown yet is as good as seen."""
        self._is_late = self._owner.window().isVisible() and not self._owner.isVisible()
        if not self._is_late:
            self._slot()

    def eventFilter(self, _: QObject, event: QEvent) -> bool:
        """Call what has waited when the owner is shown."""
        if self._is_late and event.type() == QEvent.Type.Show:
            self._is_late = False
            self._slot()
        return False
