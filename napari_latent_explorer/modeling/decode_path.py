"""The fastest way to decode with a model on this machine, found by trying.

Which number format is fast depends on the processor: some compute in bfloat16, others emulate it slowly. So each way is
tried for a moment when a model is first decoded with, and the fastest is taken that draws the same: within a hundredth
of float32's largest value, and with at most one label in a hundred different. Evaluation never comes here; it decodes
in float32.
"""

import time
from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
import torch
from numpy.typing import NDArray

from napari_latent_explorer.modeling.bundle import Decoded, ModelBundle
from napari_latent_explorer.modeling.decoding import DecodeRequest, DecodeResult, decode
from napari_latent_explorer.modeling.trained_model import TrainedModel
from napari_latent_explorer.nn.autoencoder import CrossModalAutoencoder
from napari_latent_explorer.nn.rows import decoder_to_rows

MAX_ERROR = 0.01
"""Largest difference from float32, as a share of its largest value, and largest share of other labels."""
N_WARM_UP, N_TRIALS = 2, 5


@dataclass(frozen=True, slots=True)
class DecodeTrial:
    """How one way of decoding did.

    Attributes
    ----------
    name
        E.g. ``bfloat16 on cpu``.
    duration_ms
        Least time for one vector: cine, labels and ECG.
    error
        Largest difference from float32 of the cine or the ECG, as a share of the largest value there, or the share of
        pixels with another label if that is more.
    """

    name: str
    duration_ms: float
    error: float

    @property
    def is_accurate(self) -> bool:
        """Whether it draws the same as float32, as far as anybody can see."""
        return self.error <= MAX_ERROR


@dataclass(frozen=True, slots=True, eq=False)
class DecodePath:
    """The way that was chosen.

    Attributes
    ----------
    model
        Decodes; not for encoding.
    trials
        All that were tried, the chosen one first; empty of a model that can be run in one way only.
    """

    model: TrainedModel
    trials: tuple[DecodeTrial, ...]

    @property
    def description(self) -> str:
        """For people, e.g. ``bfloat16 on cpu, 16 ms``; empty where there was no choice."""
        return f"{self.trials[0].name}, {self.trials[0].duration_ms:.0f} ms" if self.trials else ""


def choose_path(model: TrainedModel) -> DecodePath:
    """Try all ways of decoding with a model, which takes about a second, and return the fastest accurate one."""
    if not isinstance(model, ModelBundle):
        return DecodePath(model, ())
    vector = np.random.default_rng(0).normal(size=(1, model.latent_dim)).astype(np.float32)
    reference = _decode(model, vector)
    found = []
    for name, candidate in _candidates(model):
        try:
            duration_ms, decoded = _timed(candidate, vector)
        except RuntimeError:  # of a device that lacks the memory or an operation
            continue
        found.append((DecodeTrial(name, duration_ms, _error(reference, decoded)), candidate))
    found.sort(key=lambda trial_and_model: (not trial_and_model[0].is_accurate, trial_and_model[0].duration_ms))
    trials = tuple(trial for trial, _ in found)
    return DecodePath(found[0][1], trials)


def _candidates(bundle: ModelBundle) -> Iterator[tuple[str, ModelBundle]]:
    """Name and bundle of each way; float32 where the bundle is comes first, and cannot fail."""
    devices = [bundle.device]
    if torch.cuda.is_available():
        devices.append(torch.device("cuda"))
    elif torch.backends.mps.is_available():
        devices.append(torch.device("mps"))
    for device in dict.fromkeys(devices):
        for dtype in (torch.float32, torch.bfloat16):
            name = f"{str(dtype).removeprefix('torch.')} on {device.type}"
            try:
                yield name, replace(bundle, network=_decoders_only(bundle.network, device, dtype))
            except RuntimeError:  # no memory left there
                continue


def _decoders_only(network: CrossModalAutoencoder, device: torch.device, dtype: torch.dtype) -> CrossModalAutoencoder:
    """Copy what decodes, to a device and in a number format; encoders have no weights in it."""
    with torch.device("meta"):
        copied = CrossModalAutoencoder(network.config)
    for name, decoder in network.decoders.items():
        copied.decoders[name].load_state_dict(decoder.state_dict(), assign=True)
        copied.decoders[name] = decoder_to_rows(copied.decoders[name]).to(device, dtype)
    if network.label_head is not None and copied.label_head is not None:
        copied.label_head.load_state_dict(network.label_head.state_dict(), assign=True)
        copied.label_head.to(device, dtype)
    copied.log_scale = torch.nn.Parameter(network.log_scale.detach().to(device, dtype))
    return copied


def _decode(model: ModelBundle, vector: NDArray[np.float32]) -> Decoded:
    return model.decode(vector, with_labels=True)


def _timed(model: ModelBundle, vector: NDArray[np.float32]) -> tuple[float, Decoded]:
    """Least duration in ms, and what was decoded; copying to the CPU waits for a GPU."""
    durations_ms = []
    for _ in range(N_WARM_UP + N_TRIALS):
        started = time.perf_counter()
        decoded = _decode(model, vector)
        durations_ms.append(1000.0 * (time.perf_counter() - started))
    return min(durations_ms[N_WARM_UP:]), decoded


def _error(reference: Decoded, decoded: Decoded) -> float:
    errors = [0.0]
    for expected, found in ((reference.cine, decoded.cine), (reference.ecg_mv, decoded.ecg_mv)):
        if expected is not None and found is not None:
            errors.append(float(np.abs(found - expected).max() / max(float(np.abs(expected).max()), 1e-30)))
    if reference.labels is not None and decoded.labels is not None:
        errors.append(float((reference.labels != decoded.labels).mean()))
    return max(errors) if np.isfinite(errors).all() else float("inf")


class FastDecoder:
    """Decodes vectors by the fastest accurate path of the model that it was last given.

    Not for several threads at once. A device that fails in between (memory taken by another program, a card that was
    unplugged) is given up for this model: from then on it decodes where the model lies, and says so in
    `DecodeResult.path`.
    """

    def __init__(self) -> None:
        self._model: TrainedModel | None = None
        self._path: DecodePath | None = None
        self._failure = ""

    def __call__(self, model: TrainedModel, vector: NDArray[np.float32]) -> DecodeResult:
        """Decode one vector ``(latent_dim,)`` to cine, labels and ECG."""
        if model is not self._model or self._path is None:
            self._model, self._path, self._failure = model, choose_path(model), ""
        request = DecodeRequest(vector)
        try:
            result = decode(model, request, self._path.model)
        except RuntimeError as error:
            if self._path.model is model:
                raise
            self._path, self._failure = DecodePath(model, ()), f"float32, for a faster way failed: {error}"
            result = decode(model, request)
        described = self._failure or self._path.description
        return replace(result, path=described)
