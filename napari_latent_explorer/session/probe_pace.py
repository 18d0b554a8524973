"""When to show where the probe is, and when it rests.

Each repaint of a window that holds a canvas costs as much as the whole window: 20 ms where the processor draws. So
dots, marks on maps, words and the gauge are not drawn anew with each event of the mouse, but with each decoded heart,
in one repaint for all; on their own only while hearts are slow to come, or when none is decoded. What costs more, and
is worth it only where somebody stays, waits until the probe rests.
"""

from collections.abc import Callable
from threading import Event
from time import perf_counter

from psygnal import Signal

from napari_latent_explorer.session.decode_service import DecodeService
from napari_latent_explorer.session.dispatch import Dispatch, inline
from napari_latent_explorer.session.latest_wins import LatestWins
from napari_latent_explorer.session.probe import LatentProbe

PATIENCE_S = 0.15
"""So long what follows the probe waits for the next heart."""
REST_S = 0.3
"""A probe that has not moved for so long rests."""


class ProbePace:
    """Tells those who show the probe when to look where it is.

    Parameters
    ----------
    probe
        What is followed.
    decode
        Decodes where it is; asked before this is told of a move.
    dispatch
        Brings news of rest to the thread that listens.
    clock
        Seconds.
    """

    due = Signal(description="Show where the probe is now.")
    rested = Signal(description="The probe has stayed where it is for a moment.")

    def __init__(
        self,
        probe: LatentProbe,
        decode: DecodeService,
        dispatch: Dispatch = inline,
        clock: Callable[[], float] = perf_counter,
    ) -> None:
        self._decode, self._clock = decode, clock
        self._told_s = -PATIENCE_S
        self._has_moved = False
        self._n_moves = self._n_moves_at_rest = 0
        self._ended = Event()
        self._naps: LatestWins[int, int] = LatestWins(self._nap, dispatch)
        self._naps.finished.connect(self._on_nap_finished)
        probe.vector_changed.connect(self._on_vector_changed)
        for heard in (decode.decoded, decode.failed):
            heard.connect(self._on_heart)

    @property
    def is_resting(self) -> bool:
        """Whether the probe has stayed where it is for a moment."""
        return self._n_moves == self._n_moves_at_rest

    def wait(self, timeout_s: float | None = None) -> bool:
        """Block until the probe rests; False after `timeout_s`. Not for the thread that listens."""
        return self._naps.wait(timeout_s)

    def close(self) -> None:
        """Stop the thread."""
        self._ended.set()
        self._naps.close()

    def _on_vector_changed(self, *_: object) -> None:
        self._has_moved = True
        self._n_moves += 1
        self._naps.request(self._n_moves)
        if self._decode.is_idle or self._clock() - self._told_s >= PATIENCE_S:
            self._tell()

    def _on_heart(self, *_: object) -> None:
        if self._has_moved:
            self._tell()

    def _tell(self) -> None:
        self._has_moved = False
        self._told_s = self._clock()
        self.due.emit()

    def _nap(self, n_moves: int) -> int:
        self._ended.wait(REST_S)
        return n_moves

    def _on_nap_finished(self, n_moves: int) -> None:
        if n_moves == self._n_moves:
            self._n_moves_at_rest = n_moves
            self.rested.emit()
