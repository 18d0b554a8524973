"""From a latent vector to a beating heart, an ECG and predictions, on one worker thread.

The cycle: 1. the probe moves; 2. `request` freezes the vector together with the bundle and the predictors of this
moment; 3. the worker decodes and predicts from what it was given, and reads no state; 4. `dispatch` brings the outcome
to the listener's thread; 5. `decoded` is emitted, unless the bundle has changed since. Requests that come faster than
the decoder follow the rule of `LatestWins`. Several vectors that are wanted together, of groups side by side, go the
same way on the same thread, so that they wait for the probe's and the probe's for them, and neither is lost. They are
decoded in parts, as many at once as was measured to take the least time each.
"""

from collections.abc import Callable, Generator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
from numpy.typing import ArrayLike, NDArray
from psygnal import Signal

from napari_latent_explorer.analysis.measurement import MODEL_SPACING_MM as MODEL_SPACING_MM
from napari_latent_explorer.analysis.measurement import VentricleMeasures, measure_left_ventricle
from napari_latent_explorer.data.arrays import read_only
from napari_latent_explorer.data.cine import LA_4CH_CLASSES
from napari_latent_explorer.session.dispatch import Dispatch, after_painting, forward, inline
from napari_latent_explorer.session.latest_wins import LatestWins
from napari_latent_explorer.session.recordings import Encoder

if TYPE_CHECKING:
    from napari_latent_explorer.analysis.prediction import PredictionTable, PredictorTable
    from napari_latent_explorer.modeling.decode_path import FastDecoder
    from napari_latent_explorer.modeling.decoding import DecodeResult


class Bundle(Encoder, Protocol):
    """What the session asks of a trained model; `modeling.bundle.ModelBundle` is one."""

    @property
    def fingerprint(self) -> str:
        """Name of exactly these weights."""

    @property
    def latent_dim(self) -> int:
        """Number of latent dimensions."""


DecodeFunction = Callable[[Any, NDArray[np.float32]], "DecodeResult"]
"""From bundle and vector ``(latent_dim,)`` to decoded recordings."""
FindCounterparts = Callable[[], Mapping[str, NDArray[np.float32]]]
"""To the vector ``(latent_dim,)`` as each modality sees it."""


@dataclass(frozen=True, slots=True, eq=False)
class DecodeOutcome:
    """What a latent vector means: recordings and predictions made from the same vector.

    Attributes
    ----------
    result
        Decoded cine, labels and ECG.
    predictions
        Predicted phenotypes; None while no predictors are fit.
    measures
        Of the left ventricle in the decoded labels; None unless vectors were decoded together and it is drawn.
    """

    result: "DecodeResult"
    predictions: "PredictionTable | None"
    measures: VentricleMeasures | None = None

    @property
    def vector(self) -> NDArray[np.float32]:
        """The latent vector ``(latent_dim,)``."""
        vector: NDArray[np.float32] = self.result.vector
        return vector


@dataclass(frozen=True, slots=True, eq=False)
class _Work:
    """One request with everything that it needs."""

    vector: NDArray[np.float32]
    find_counterparts: FindCounterparts
    bundle: Bundle
    predictors: "PredictorTable | None"


class Decoder(Protocol):
    """Decodes several vectors in one go; always used on the same thread."""

    @property
    def description(self) -> str:
        """In which way the last vectors were decoded; may be empty."""

    @property
    def failure(self) -> str:
        """Why that is no longer the fastest way; mostly empty."""

    def n_together(self, bundle: Any) -> int:
        """How many vectors are best decoded in one go."""

    def __call__(self, bundle: Any, vectors: Sequence[NDArray[np.float32]]) -> "Sequence[DecodeResult]":
        """Decode vectors ``(latent_dim,)``."""


class FastestDecoder:
    """Decodes everything that a bundle can, in the fastest way; torch is first imported when it is used."""

    @cached_property
    def _decoder(self) -> "FastDecoder":
        from napari_latent_explorer.modeling.decode_path import FastDecoder

        return FastDecoder()

    @property
    def description(self) -> str:
        """Number format, device and time."""
        return self._decoder.description

    @property
    def failure(self) -> str:
        """Why the device that was the fastest is no longer used; mostly empty."""
        return self._decoder.failure

    def n_together(self, bundle: Any) -> int:
        """As many as were measured to take the least time each."""
        return self._decoder.n_together(bundle)

    def __call__(self, bundle: Any, vectors: Sequence[NDArray[np.float32]]) -> "Sequence[DecodeResult]":
        """Decode vectors ``(latent_dim,)``."""
        return self._decoder(bundle, vectors)


@dataclass(frozen=True, slots=True)
class OneByOne:
    """Decodes by a function of one vector."""

    decode_fn: DecodeFunction
    description: str = ""
    failure: str = ""

    def n_together(self, bundle: Any) -> int:
        """One."""
        return 1

    def __call__(self, bundle: Any, vectors: Sequence[NDArray[np.float32]]) -> "Sequence[DecodeResult]":
        """Decode vectors ``(latent_dim,)``."""
        return [self.decode_fn(bundle, vector) for vector in vectors]


class DecodeService:
    """Decodes the newest vector asked for; one running, one waiting.

    Parameters
    ----------
    decode_fn
        From bundle and vector to recordings; by default in the fastest way.
    dispatch
        Brings outcomes to the thread that listens.
    """

    decoded = Signal(object, description="A `DecodeOutcome`.")
    together_decoded = Signal(tuple, description="`DecodeOutcome` of each vector of the newest `request_together`.")
    failed = Signal(Exception, description="A vector could not be decoded.")
    slowed = Signal(str, description="Why vectors are no longer decoded in the fastest way.")

    def __init__(self, decode_fn: DecodeFunction | None = None, dispatch: Dispatch = inline) -> None:
        self._decoder: Decoder = FastestDecoder() if decode_fn is None else OneByOne(decode_fn)
        self._description = self._failure = ""
        self._bundle: Bundle | None = None
        self._predictors: PredictorTable | None = None
        self._worker = ThreadPoolExecutor(1, thread_name_prefix="decoder")
        self._queue: LatestWins[_Work, DecodeOutcome] = LatestWins(
            self._work, dispatch, self._worker, _twice(after_painting(dispatch))
        )
        self._together: LatestWins[tuple[_Work, ...], tuple[DecodeOutcome, ...]] = LatestWins(
            lambda works: tuple(self._measured(works)), dispatch, self._worker
        )
        self._dispatch = dispatch
        forward(self._queue.finished, self.decoded)
        forward(self._together.finished, self.together_decoded)
        for queue in (self._queue, self._together):
            forward(queue.failed, self.failed)

    def set_bundle(self, bundle: Bundle | None) -> None:
        """Decode with another bundle from now on; what was asked of the old one is forgotten."""
        self._bundle = bundle
        self._predictors = None
        self._queue.forget()
        self._together.forget()

    def set_predictors(self, predictors: "PredictorTable | None") -> None:
        """Predict with these from the next request on."""
        self._predictors = predictors

    def request(self, vector: ArrayLike, counterparts: Mapping[str, NDArray[np.float32]] | None = None) -> None:
        """Ask for what a vector means; nothing happens without a bundle or for an empty vector.

        Parameters
        ----------
        vector
            ``(latent_dim,)``, what is decoded.
        counterparts
            The same as each modality sees it, which predictions are made from; `vector` for all if None.
        """
        if self._bundle is not None and np.size(vector):
            frozen = read_only(np.array(vector, dtype=np.float32))
            seen = {"mri": frozen, "ecg": frozen} if counterparts is None else counterparts
            self._queue.request(_Work(frozen, lambda: seen, self._bundle, self._predictors))

    def request_together(self, wanted: Sequence[tuple[NDArray[np.float32], FindCounterparts]]) -> None:
        """Ask for what some vectors mean, to be told of at once; none forgets the last.

        Parameters
        ----------
        wanted
            Each vector ``(latent_dim,)`` with what finds its counterparts; that runs on the worker, so it must only
            read what is frozen.
        """
        self._together.forget()
        if self._bundle is not None and wanted:
            bundle, predictors = self._bundle, self._predictors
            self._together.request(
                tuple(_Work(read_only(vector, np.float32), find, bundle, predictors) for vector, find in wanted)
            )

    def decode_and_wait(
        self,
        vector: NDArray[np.float32],
        counterparts: Mapping[str, NDArray[np.float32]],
        bundle: Bundle,
        predictors: "PredictorTable | None",
    ) -> DecodeOutcome:
        """Decode and measure one vector on the decoder's thread, between what the probe asks for; for jobs, who wait.

        Raises what decoding raises; nothing is emitted.
        """
        work = _Work(read_only(vector, np.float32), lambda: counterparts, bundle, predictors)
        return self._worker.submit(lambda: self._measured([work])[0]).result()

    def decode_all_and_wait(
        self, vectors: Sequence[NDArray[np.float32]], bundle: Bundle
    ) -> Generator[DecodeOutcome, None, None]:
        """Decode and measure some vectors, in parts of as many as are fast together; for jobs, who wait.

        What the probe asks for goes between the parts. Raises what decoding raises; nothing is emitted.

        Yields
        ------
        DecodeOutcome
            Of each vector, as it is there.
        """
        works: Sequence[_Work] = [_Work(read_only(vector, np.float32), dict, bundle, None) for vector in vectors]
        while works:
            part, works = self._worker.submit(self._measured_part, works).result()
            yield from part

    @property
    def description(self) -> str:
        """In which way the last vectors were decoded: number format, device, time. Empty if it cannot be told."""
        return self._description

    @property
    def failure(self) -> str:
        """Why they are no longer decoded in the fastest way; mostly empty."""
        return self._failure

    @property
    def is_idle(self) -> bool:
        """Whether nothing is being decoded."""
        return self._queue.is_idle and self._together.is_idle

    def wait(self, timeout_s: float | None = None) -> bool:
        """Block until idle; False after `timeout_s`, at most twice as long. Not for the thread that listens."""
        return self._queue.wait(timeout_s) and self._together.wait(timeout_s)

    def close(self) -> None:
        """Stop the worker thread."""
        self._queue.close()
        self._together.close()
        self._worker.shutdown(wait=True)

    def _work(self, work: _Work) -> DecodeOutcome:
        return self._decoded([work])[0]

    def _decoded(self, works: Sequence[_Work]) -> list[DecodeOutcome]:
        """Decode what is asked of one bundle in one go."""
        results = self._decoder(works[0].bundle, [work.vector for work in works])
        self._take_note()
        return [
            DecodeOutcome(
                result, None if work.predictors is None else work.predictors.predict(work.find_counterparts())
            )
            for work, result in zip(works, results, strict=True)
        ]

    def _take_note(self) -> None:
        """Keep how was decoded, and tell of a way that has become slower."""
        was, failure = self._failure, self._decoder.failure
        self._description, self._failure = self._decoder.description, failure
        if failure and failure != was:
            self._dispatch(lambda: self.slowed.emit(failure))

    def _measured_part(self, works: Sequence[_Work]) -> tuple[list[DecodeOutcome], Sequence[_Work]]:
        """Decode and measure as many as are fast together, and return what is left."""
        n = self._decoder.n_together(works[0].bundle)
        outcomes = self._decoded(works[:n])
        return [measured(one, work.bundle) for one, work in zip(outcomes, works, strict=False)], works[n:]

    def _measured(self, works: Sequence[_Work]) -> list[DecodeOutcome]:
        """Decode and measure them all."""
        found: list[DecodeOutcome] = []
        while works:
            part, works = self._measured_part(works)
            found += part
        return found


def measured(outcome: DecodeOutcome, bundle: Bundle) -> DecodeOutcome:
    """Measure the left ventricle of what was decoded by a bundle; it takes a millisecond or two."""
    labels = getattr(outcome.result, "labels", None)
    if labels is None:
        return outcome
    side_mm = bundle.input_spec.mri.spacing_mm or MODEL_SPACING_MM
    names = getattr(bundle, "label_names", LA_4CH_CLASSES)
    return replace(outcome, measures=measure_left_ventricle(labels, names, (side_mm, side_mm)))


def _twice(late: Dispatch) -> Dispatch:
    """After the heart has been painted, and then all that follows it; see `probe_pace`."""
    return lambda call: late(lambda: late(call))
