"""The one bridge from worker threads to the GUI's thread: a queued Qt signal."""

from collections.abc import Callable

from qtpy.QtCore import QCoreApplication, QObject, Qt, QTimer, Signal

PAINTING_BEGINS_MS = 6
"""Qt waits for 5 ms for whatever else is to be painted too; a timer that ends later finds it painted."""


class QtMainThreadDispatch(QObject):
    """Makes calls on the GUI's thread, in the order in which they were handed over; after `close` they are dropped.

    An instance is a `session.dispatch.Dispatch`. It may be called from any thread and returns at once.
    """

    _posted = Signal(object)

    def __init__(self) -> None:
        super().__init__()
        app = QCoreApplication.instance()
        if app is not None:
            self.moveToThread(app.thread())
        self._is_open = True
        self._posted.connect(self._make_call, Qt.ConnectionType.QueuedConnection)

    def __call__(self, call: Callable[[], None]) -> None:
        """Hand over a call."""
        if self._is_open:
            self._posted.emit(call)

    def after_painting(self, call: Callable[[], None]) -> None:
        """Make a call on this thread, the GUI's, when the window has been painted anew."""
        QTimer.singleShot(PAINTING_BEGINS_MS, lambda: self._make_call(call))

    def close(self) -> None:
        """Make no further call, not even those that wait."""
        self._is_open = False

    def _make_call(self, call: Callable[[], None]) -> None:
        if self._is_open:
            call()
