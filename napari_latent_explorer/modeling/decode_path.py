"""The fastest way to decode with a model on this machine, found by trying.

Which number format is fast depends on the processor: some compute in bfloat16, others emulate it slowly; a CUDA card
waits for Python unless the networks were recorded as a graph. So each way is tried for a moment when a model is first
decoded with, in turns. Of a processor, the time that this thread computes is taken, for the machine is busiest just
then, as a study was opened. The fastest is chosen that draws the same: within a hundredth of float32's largest value,
and with at most one label in a hundred different. What fails is left out. Evaluation never comes here; it decodes in
float32.
"""

import copy
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from napari_latent_explorer.errors import reason_of
from napari_latent_explorer.modeling.bundle import Decoded, ModelBundle
from napari_latent_explorer.modeling.decoding import DecodeResult, Drawer, decode_together
from napari_latent_explorer.modeling.recorded_decoder import RecordedDecoder
from napari_latent_explorer.modeling.trained_model import TrainedModel
from napari_latent_explorer.nn.autoencoder import CrossModalAutoencoder
from napari_latent_explorer.nn.rows import InFloat32, RowDecoder, decoder_to_rows

MAX_ERROR = 0.01
"""Largest difference from float32, as a share of its largest value, and largest share of other labels."""
N_WARM_UP, N_TRIALS, MAX_TRIALS_S = 2, 5, 1.0
"""A machine that is busy otherwise is not kept waiting for the last trial."""
BATCHES = (2, 4, 8, 16)
MIN_GAIN, MAX_HOLD_MS, MAX_BATCH_BYTES = 0.1, 100.0, 1 << 29
"""Vectors are decoded together if that saves a tenth of the time, does not keep the probe waiting for longer, and the
scores of all classes take no more memory."""

FORMATS = {
    "cpu": (torch.float32, torch.bfloat16),
    "cuda": (torch.float32, torch.bfloat16, torch.float16),
    "mps": (torch.float32, torch.bfloat16, torch.float16),
}


@dataclass(frozen=True, slots=True)
class DecodeTrial:
    """How one way of decoding did.

    Attributes
    ----------
    name
        E.g. ``bfloat16 on the CPU``.
    duration_ms
        Least time for one vector: cine, labels and ECG, as on a machine that does nothing else; infinite if it failed.
    error
        Largest difference from float32 of the cine or the ECG, as a share of the largest value there, or the share of
        pixels with another label if that is more.
    """

    name: str
    duration_ms: float
    error: float

    @property
    def is_usable(self) -> bool:
        """Whether it works and draws the same as float32, as far as anybody can see."""
        return self.error <= MAX_ERROR and self.duration_ms < float("inf")


@dataclass(frozen=True, slots=True, eq=False)
class DecodePath:
    """The way that was chosen.

    Attributes
    ----------
    drawer
        Decodes.
    trials
        All that were tried, the chosen one first; empty of a model that can be run in one way only.
    """

    drawer: Drawer
    trials: tuple[DecodeTrial, ...] = ()

    @property
    def description(self) -> str:
        """For people, e.g. ``bfloat16 on the CPU, 16 ms``; empty where there was no choice."""
        return f"{self.trials[0].name}, {self.trials[0].duration_ms:.0f} ms" if self.trials else ""


def choose_path(model: TrainedModel) -> DecodePath:
    """Try all ways of decoding with a model, which takes about a second, and return the fastest accurate one."""
    if not isinstance(model, ModelBundle):
        return DecodePath(model)
    vector = _random_vectors(model, 1)
    reference = _decode(model, vector)
    drawers, errors = _working(_candidates(model), reference, vector)
    rounds: list[dict[str, float]] = []
    end_s = time.perf_counter() + MAX_TRIALS_S
    while not rounds or (len(rounds) < N_TRIALS and time.perf_counter() < end_s):
        rounds.append({name: _duration_ms(drawer, vector) for name, drawer in drawers.items()})
    trials = [DecodeTrial(name, _least([one[name] for one in rounds]), errors[name]) for name in drawers]
    trials.sort(key=lambda trial: (not trial.is_usable, trial.duration_ms))
    if not trials or not trials[0].is_usable:
        return DecodePath(model)
    return DecodePath(drawers[trials[0].name], tuple(trials))


def _working(
    candidates: Iterable[tuple[str, Callable[[], Drawer]]], reference: Decoded, vector: NDArray[np.float32]
) -> tuple[dict[str, Drawer], dict[str, float]]:
    """Make and warm up those that can be; what they draw is compared with the reference."""
    drawers, errors = {}, {}
    for name, make in candidates:
        try:
            drawer = make()
            errors[name] = _error(reference, [_decode(drawer, vector) for _ in range(N_WARM_UP)][-1])
            drawers[name] = drawer
        except Exception:  # whatever a device, its driver or its library raises: this way is none
            continue
    return drawers, errors


def _least(durations_ms: list[float]) -> float:
    return min(durations_ms) if np.isfinite(durations_ms).all() else float("inf")


def best_batch(model: TrainedModel, drawer: Drawer) -> int:
    """Find how many vectors take the least time each if they are decoded in one go."""
    if not isinstance(model, ModelBundle):
        return 1
    vectors = _random_vectors(model, max(BATCHES))
    cine = _decode(drawer, vectors[:1]).cine
    heart_bytes = 1 if cine is None else cine.nbytes * (1 + len(model.label_names))
    best, least_ms = 1, (1.0 - MIN_GAIN) * min(_duration_ms(drawer, vectors[:1]) for _ in range(N_WARM_UP))
    for n in BATCHES:
        if n * heart_bytes > MAX_BATCH_BYTES:
            break
        together_ms = min(_duration_ms(drawer, vectors[:n]) for _ in range(N_WARM_UP))
        if together_ms > MAX_HOLD_MS:
            break
        if together_ms / n < least_ms:
            best, least_ms = n, together_ms / n
    return best


def _random_vectors(model: TrainedModel, n: int) -> NDArray[np.float32]:
    return np.random.default_rng(0).normal(size=(n, model.latent_dim)).astype(np.float32)


def _candidates(bundle: ModelBundle) -> Iterator[tuple[str, Callable[[], Drawer]]]:
    """Name each way and what makes it."""
    devices = [bundle.device]
    if torch.cuda.is_available():
        devices.append(torch.device("cuda"))
    elif torch.backends.mps.is_available():
        devices.append(torch.device("mps"))
    for device in dict.fromkeys(devices):
        for dtype in FORMATS.get(device.type, (torch.float32,)):
            name = f"{str(dtype).removeprefix('torch.')} on {_words(device)}"
            yield name, partial(_copied, bundle, device, dtype)
            if device.type == "cuda":
                yield f"{name} as a graph", partial(_recorded, bundle, device, dtype)


def _words(device: torch.device) -> str:
    if device.type == "cuda":
        return torch.cuda.get_device_name(device)
    return {"cpu": "the CPU", "mps": "the Apple GPU"}.get(device.type, device.type)


def _copied(bundle: ModelBundle, device: torch.device, dtype: torch.dtype) -> ModelBundle:
    return replace(bundle, network=_decoders_only(bundle.network, device, dtype))


def _recorded(bundle: ModelBundle, device: torch.device, dtype: torch.dtype) -> RecordedDecoder:
    return RecordedDecoder(_copied(bundle, device, dtype))


def _decoders_only(network: CrossModalAutoencoder, device: torch.device, dtype: torch.dtype) -> CrossModalAutoencoder:
    """Copy what decodes, to a device and in a number format; encoders have no weights in it."""
    with torch.device("meta"):
        copied = CrossModalAutoencoder(network.config)
    for name, decoder in network.decoders.items():
        copied.decoders[name].load_state_dict(decoder.state_dict(), assign=True)
        copied.decoders[name] = _moved(decoder_to_rows(copied.decoders[name]), device, dtype)
    if network.label_head is not None and copied.label_head is not None:
        copied.label_head.load_state_dict(network.label_head.state_dict(), assign=True)
        copied.label_head.to(device, dtype)
    copied.log_scale = torch.nn.Parameter(network.log_scale.detach().to(device, dtype))
    return copied


def _moved(decoder: nn.Module, device: torch.device, dtype: torch.dtype) -> nn.Module:
    """Move all but the last layer to a number format: what that is rounded to is seen, and it takes little time."""
    inner = decoder.decoder if isinstance(decoder, RowDecoder) else decoder
    last = copy.deepcopy(inner.get_submodule("output")).to(device)
    decoder.to(device, dtype)
    inner.add_module("output", InFloat32(last))
    return decoder


def _decode(drawer: Drawer, vectors: NDArray[np.float32]) -> Decoded:
    return drawer.decode(vectors, with_labels=True)


def _duration_ms(drawer: Drawer, vectors: NDArray[np.float32]) -> float:
    """How long decoding takes, copying to the CPU included, which waits for a card; infinite if it fails.

    While other programs compute, threads on the CPU wait for it; what this one computes itself is as long as decoding
    takes without them.
    """
    is_on_cpu = isinstance(drawer, ModelBundle) and drawer.device.type == "cpu"
    clock = time.thread_time if is_on_cpu and sys.platform != "win32" else time.perf_counter  # Windows: in 16 ms steps
    started_s = clock()
    try:
        _decode(drawer, vectors)
    except Exception:  # e.g. another program took the card's memory
        return float("inf")
    return 1000.0 * (clock() - started_s)


def _error(reference: Decoded, decoded: Decoded) -> float:
    errors = [0.0]
    for expected, found in ((reference.cine, decoded.cine), (reference.ecg_mv, decoded.ecg_mv)):
        if expected is not None and found is not None:
            errors.append(float(np.abs(found - expected).max() / max(float(np.abs(expected).max()), 1e-30)))
    if reference.labels is not None and decoded.labels is not None:
        errors.append(float((reference.labels != decoded.labels).mean()))
    return max(errors) if np.isfinite(errors).all() else float("inf")


def _failed(path: DecodePath, error: RuntimeError) -> str:
    return (
        f"Hearts can no longer be drawn in {path.trials[0].name} ({reason_of(error)}). From now on they are drawn in "
        "float32 where the model lies, on the CPU, which takes longer."
    )


class FastDecoder:
    """Decodes vectors by the fastest accurate path of the model that it was last given.

    Not for several threads at once. A device that fails in between (memory taken by another program, a card that was
    unplugged) is given up for this model: from then on it decodes where the model lies, and says why in
    `failure`.

    Attributes
    ----------
    failure
        Why hearts are no longer decoded in the fastest way; empty while they are.
    """

    def __init__(self) -> None:
        self._model: TrainedModel | None = None
        self._path: DecodePath | None = None
        self._n_together: int | None = None
        self.failure = ""

    @property
    def description(self) -> str:
        """In which number format, where and how fast the last vectors were decoded; empty if there was no choice."""
        return "" if self._path is None else self._path.description

    def n_together(self, model: TrainedModel) -> int:
        """How many vectors are best decoded in one go."""
        path = self._path_of(model)
        if self._n_together is None:
            self._n_together = best_batch(model, path.drawer)
        return self._n_together

    def __call__(self, model: TrainedModel, vectors: Sequence[NDArray[np.float32]]) -> list[DecodeResult]:
        """Decode vectors ``(latent_dim,)`` in one go to cines, labels and ECGs."""
        path = self._path_of(model)
        try:
            results = decode_together(model, vectors, path.drawer)
        except RuntimeError as error:
            if path.drawer is model:
                raise
            self._path, self._n_together, self.failure = DecodePath(model), None, _failed(path, error)
            results = decode_together(model, vectors)
        return [replace(one, path=self.description) for one in results]

    def _path_of(self, model: TrainedModel) -> DecodePath:
        if model is not self._model or self._path is None:
            self._model, self._path, self._n_together, self.failure = model, choose_path(model), None, ""
        return self._path
