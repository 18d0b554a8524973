"""When to show where the probe is, and when it rests.

Each repaint of a window that holds a canvas costs as much as the whole window: 20 ms where the processor draws. So
nothing is painted anew with each event of the mouse, but after a heart, while no other is decoded, and by turns: after
one heart ECG, dots and words, after the next the marks on maps and the gauge. One repaint for all would hold the GUI
for longer than 50 ms. What costs more, and is worth it only where somebody stays, waits until the probe rests.
"""

from collections.abc import Callable
from threading import Event
from time import perf_counter

import numpy as np
from psygnal import Signal

from napari_latent_explorer.session.decode_service import DecodeOutcome, DecodeService
from napari_latent_explorer.session.dispatch import Dispatch, after_painting, inline
from napari_latent_explorer.session.latest_wins import LatestWins
from napari_latent_explorer.session.probe import LatentProbe

PATIENCE_S = 0.25
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
        Brings news of rest to the thread that listens, and knows when it has painted.
    clock
        Seconds.
    """

    due = Signal(description="Show where the probe is now, and what was decoded last.")
    due_in_turn = Signal(description="Show among others where the probe is now: on maps, and in the gauge.")
    rested = Signal(description="The probe has stayed where it is for a moment.")

    def __init__(
        self,
        probe: LatentProbe,
        decode: DecodeService,
        dispatch: Dispatch = inline,
        clock: Callable[[], float] = perf_counter,
    ) -> None:
        self._probe, self._decode, self._clock = probe, decode, clock
        self._after_painting = after_painting(dispatch)
        self._painted_s = -PATIENCE_S
        self._was_due = self._is_late = False
        self._n_moves = self._n_moves_at_rest = 0
        self._ended = Event()
        self._naps: LatestWins[int, int] = LatestWins(self._nap, dispatch)
        self._naps.finished.connect(self._on_nap_finished)
        probe.vector_changed.connect(self._on_vector_changed)
        decode.decoded.connect(self._on_decoded, priority=-1)  # after all who show the heart
        decode.failed.connect(self._tell_all)

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
        self._is_late = True
        self._n_moves += 1
        self._naps.request(self._n_moves)
        if self._decode.is_idle or self._clock() - self._painted_s >= PATIENCE_S:
            self._tell_all()

    def _on_decoded(self, outcome: DecodeOutcome) -> None:
        def on_painted() -> None:
            self._painted_s = self._clock()
            if np.array_equal(outcome.vector, self._probe.vector):
                self._is_late = False
                self.due.emit()
                self._after_painting(self.due_in_turn.emit)
            else:
                self._was_due = not self._was_due
                (self.due if self._was_due else self.due_in_turn).emit()

        self._after_painting(on_painted)

    def _tell_all(self, *_: object) -> None:
        self._is_late = False
        self._painted_s = self._clock()
        self.due.emit()
        self.due_in_turn.emit()

    def _nap(self, n_moves: int) -> int:
        self._ended.wait(REST_S)
        return n_moves

    def _on_nap_finished(self, n_moves: int) -> None:
        if n_moves == self._n_moves:
            self._n_moves_at_rest = n_moves
            if self._is_late:
                self._tell_all()
            self.rested.emit()
