"""What was decoded where the probe began, for all who compare with it.

The hard idea: the origin is mostly decoded anyway, as the probe begins there, and then costs nothing. It is not when
the probe is moved before the decoder came to it, or was far from it when a session or a model was opened. Only then,
and only for somebody who asks, a job decodes it, once.
"""

from collections.abc import Generator
from typing import TYPE_CHECKING

import numpy as np
from psygnal import Signal

from napari_latent_explorer.data.progress import Progress
from napari_latent_explorer.session.decode_service import DecodeOutcome

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from napari_latent_explorer.session.explorer import Explorer

JOB_NAME = "Draw the heart where the probe began"


class DecodedOrigin:
    """Follows an explorer's probe and keeps what its origin looks like.

    Parameters
    ----------
    explorer
        The session.
    """

    changed = Signal(object, description="The `DecodeOutcome` of the origin; None while it is not known.")

    def __init__(self, explorer: "Explorer") -> None:
        self._explorer = explorer
        self._outcome: DecodeOutcome | None = None
        self._asked: NDArray[np.float32] | None = None
        explorer.decode.decoded.connect(self._on_decoded)
        explorer.probe.origin_changed.connect(self._on_origin_changed)
        explorer.bundle_changed.connect(self._forget)

    @property
    def outcome(self) -> DecodeOutcome | None:
        """What was decoded there; None while it is not known."""
        outcome = self._outcome
        return outcome if outcome is not None and np.array_equal(outcome.vector, self._explorer.probe.origin) else None

    @property
    def is_left(self) -> bool:
        """Whether the probe is elsewhere now."""
        probe = self._explorer.probe
        return probe.is_set and not np.array_equal(probe.vector, probe.origin)

    def find(self) -> None:
        """Start the job that decodes the origin if nothing else will: unless it is known, asked for, or just there."""
        explorer, origin, bundle = self._explorer, self._explorer.probe.origin, self._explorer.bundle
        if self.outcome is not None or not self.is_left or bundle is None or self._asked is origin:
            return
        self._asked = origin
        decode = explorer.decode.decode_and_wait

        def work() -> Generator[Progress, None, DecodeOutcome]:
            yield Progress(0, 1, JOB_NAME)
            return decode(origin, {}, bundle, None)

        def on_found(outcome: DecodeOutcome) -> None:
            if explorer.bundle is bundle:
                self._on_decoded(outcome)

        explorer.jobs.start(JOB_NAME, work, on_found)

    def _on_decoded(self, outcome: DecodeOutcome) -> None:
        if self.outcome is None and np.array_equal(outcome.vector, self._explorer.probe.origin):
            self._outcome = outcome
            self.changed.emit(outcome)

    def _on_origin_changed(self) -> None:
        if self._outcome is not None and self.outcome is None:
            self._forget()

    def _forget(self) -> None:
        self._outcome = self._asked = None
        self.changed.emit(None)
