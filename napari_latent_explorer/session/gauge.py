"""How far the probe has left the people that the model has seen, live.

The distances need one product of matrix and vector, the cycle (decode, encode again, how far off?) a pass through a
network, for which the probe must rest; each has a thread of its own, and of each only the newest is wanted.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from psygnal import Signal

from napari_latent_explorer.analysis.manifold import MIN_PARTICIPANTS, GaugeReading, Manifold, fit_manifold
from napari_latent_explorer.data.latents import LatentSpace
from napari_latent_explorer.modeling.preprocessing_spec import ECG_UNIT_UV
from napari_latent_explorer.session.decode_service import DecodeOutcome
from napari_latent_explorer.session.dispatch import Dispatch, forward, inline
from napari_latent_explorer.session.latest_wins import LatestWins

if TYPE_CHECKING:
    from napari_latent_explorer.modeling.decoding import DecodeResult
    from napari_latent_explorer.session.explorer import Explorer


@dataclass(frozen=True, slots=True, eq=False)
class CycleReading:
    """How far a vector is from what its own picture is encoded to.

    Attributes
    ----------
    vector
        ``(latent_dim,)`` that was decoded.
    distance
        Between it and the encoded picture of it, in SD of the cohort in each direction.
    """

    vector: NDArray[np.float32]
    distance: float


@dataclass(frozen=True, slots=True, eq=False)
class _Question:
    manifold: Manifold
    vector: NDArray[np.float32]


@dataclass(frozen=True, slots=True, eq=False)
class _Cycle:
    manifold: Manifold
    bundle: Any
    modality: str
    result: "DecodeResult"


class Gauge:
    """Answers for the newest place of an explorer's probe, once it was asked to `watch`.

    Parameters
    ----------
    explorer
        Whose probe.
    dispatch
        Brings answers to the thread that listens.
    """

    read = Signal(GaugeReading, description="Where the probe lies.")
    cycle_read = Signal(CycleReading, description="How well the decoded vector comes back.")
    failed = Signal(Exception)

    def __init__(self, explorer: "Explorer", dispatch: Dispatch = inline) -> None:
        self._explorer = explorer
        self._is_watching = False
        self._outcome: DecodeOutcome | None = None
        self._manifolds: dict[str, tuple[LatentSpace, Manifold]] = {}
        self._questions: LatestWins[_Question, GaugeReading] = LatestWins(_answer, dispatch)
        self._cycles: LatestWins[_Cycle, CycleReading] = LatestWins(_go_round, dispatch)
        forward(self._questions.finished, self.read)
        forward(self._cycles.finished, self.cycle_read)
        for queue in (self._questions, self._cycles):
            forward(queue.failed, self.failed)
        explorer.pace.due_in_turn.connect(self._ask)
        explorer.decode.decoded.connect(self._on_decoded)
        explorer.pace.rested.connect(self._go_round)
        explorer.study_changed.connect(self._on_study_changed)

    def watch(self) -> None:
        """Follow the probe from now on; the first time of a modality a job measures the cohort for it."""
        self._is_watching = True
        self._ask()

    @property
    def has_too_few(self) -> bool:
        """Whether the probe is among too few people to say what is usual, so that nothing will be answered."""
        explorer = self._explorer
        if not (explorer.probe.is_set and explorer.latents):
            return False
        return len(explorer.latents[explorer.probe_modality].values) < MIN_PARTICIPANTS

    def wait(self, timeout_s: float | None = None) -> bool:
        """Block until all is answered; False after `timeout_s`, at most three times as long. Not for who listens."""
        return self._explorer.pace.wait(timeout_s) and self._questions.wait(timeout_s) and self._cycles.wait(timeout_s)

    def close(self) -> None:
        """Stop the threads."""
        self._questions.close()
        self._cycles.close()

    def _ask(self, *_: object) -> None:
        explorer = self._explorer
        if self._is_watching and explorer.probe.is_set and explorer.latents and not self.has_too_few:
            latents = explorer.latents[explorer.probe_modality]
            if (manifold := self._manifold_of(latents)) is not None:
                self._questions.request(_Question(manifold, explorer.probe.vector))
            else:
                self._measure(latents)

    def _manifold_of(self, latents: LatentSpace) -> Manifold | None:
        known, manifold = self._manifolds.get(latents.modality, (None, None))
        return manifold if known is latents else None

    def _measure(self, latents: LatentSpace) -> None:
        def on_measured(manifold: Manifold) -> None:
            self._manifolds[latents.modality] = latents, manifold
            self._ask()

        jobs, name = self._explorer.jobs, f"Measure the spread of {latents.modality.upper()} latents"
        if name not in {job.name for job in jobs.running}:
            jobs.start(name, lambda: fit_manifold(latents), on_measured)

    def _on_decoded(self, outcome: DecodeOutcome) -> None:
        self._outcome = outcome
        if self._explorer.pace.is_resting:
            self._go_round()

    def _go_round(self) -> None:
        """Send what was decoded once round where the probe rests."""
        explorer, outcome = self._explorer, self._outcome
        if outcome is None or not explorer.latents or not np.array_equal(outcome.vector, explorer.probe.vector):
            return
        latents = explorer.latents[explorer.probe_modality]
        if self._is_watching and (manifold := self._manifold_of(latents)) is not None:
            self._cycles.request(_Cycle(manifold, explorer.bundle, latents.modality, outcome.result))

    def _on_study_changed(self, *_: object) -> None:
        self._outcome = None
        self._questions.forget()
        self._cycles.forget()


def _answer(question: _Question) -> GaugeReading:
    return question.manifold.read(question.vector)


def _go_round(cycle: _Cycle) -> CycleReading:
    result = cycle.result
    if cycle.modality == "ecg":
        assert result.ecg_mv is not None
        recording = result.ecg_mv / np.float32(ECG_UNIT_UV / 1000.0)
    else:
        assert result.cine is not None
        recording = result.cine
    back = cycle.bundle.encode(cycle.modality, recording[None])[0]
    return CycleReading(result.vector, cycle.manifold.distance(result.vector, back))
