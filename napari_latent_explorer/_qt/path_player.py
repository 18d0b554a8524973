"""Lets a share of a path run from where it is to the end, in the time that a look at it takes."""

from time import perf_counter

from qtpy.QtCore import QObject, QTimer, Signal

DURATION_S = 8.0
"""From one end to the other."""
TICK_MS = 40


class QtPathPlayer(QObject):
    """A timer that says where on the path to be.

    Parameters
    ----------
    parent
        With which it ends.
    """

    moved = Signal(float)
    """Share of the way."""
    playing_changed = Signal(bool)

    def __init__(self, parent: QObject) -> None:
        super().__init__(parent)
        self._began_s = 0.0
        self._timer = QTimer(self)
        self._timer.setInterval(TICK_MS)
        self._timer.timeout.connect(self._on_tick)

    @property
    def is_playing(self) -> bool:
        """Whether it runs."""
        return bool(self._timer.isActive())

    def start(self, share: float) -> None:
        """Run from here to the end; from the start when this is the end."""
        self._began_s = perf_counter() - (share if share < 1.0 else 0.0) * DURATION_S
        if not self.is_playing:
            self._timer.start()
            self.playing_changed.emit(True)

    def stop(self) -> None:
        """Stay where it is."""
        if self.is_playing:
            self._timer.stop()
            self.playing_changed.emit(False)

    def _on_tick(self) -> None:
        share = min(1.0, (perf_counter() - self._began_s) / DURATION_S)
        self.moved.emit(share)
        if share == 1.0:
            self.stop()
