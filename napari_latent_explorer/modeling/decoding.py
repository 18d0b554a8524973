"""From one latent vector to recordings, as a pure function between two frozen values.

The result carries the vector and the bundle that it is of, so whoever shows it can see that it is stale.
"""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from napari_latent_explorer.data.arrays import read_only
from napari_latent_explorer.modeling.bundle import Decoded
from napari_latent_explorer.modeling.trained_model import TrainedModel


@dataclass(frozen=True, slots=True, eq=False)
class DecodeRequest:
    """What to decode.

    Attributes
    ----------
    vector
        ``(latent_dim,)`` latent vector of either modality.
    with_labels, with_ecg
        Whether to decode these too.
    """

    vector: NDArray[np.float32]
    with_labels: bool = True
    with_ecg: bool = True

    def __post_init__(self) -> None:
        object.__setattr__(self, "vector", read_only(self.vector, np.float32))


@dataclass(frozen=True, slots=True, eq=False)
class DecodeResult:
    """What a vector looks like.

    Attributes
    ----------
    vector
        ``(latent_dim,)`` as requested.
    cine
        ``(n_frames, n_rows, n_columns)`` float32, z-scored signal; None from a bundle without MRI.
    labels
        ``(n_frames, n_rows, n_columns)`` uint8 label values; None if not asked for, or from a bundle without a label
        head.
    ecg_mv
        ``(n_leads, n_samples)`` float32 in mV; None if not asked for, or from a bundle without ECG.
    bundle_fingerprint
        Which bundle decoded it.
    duration_ms
        How long decoding took; of several together, its share.
    path
        In which number format, where, and how fast, if the fastest way was looked for.
    """

    vector: NDArray[np.float32]
    cine: NDArray[np.float32] | None
    labels: NDArray[np.uint8] | None
    ecg_mv: NDArray[np.float32] | None
    bundle_fingerprint: str
    duration_ms: float
    path: str = ""


class Drawer(Protocol):
    """What draws; a trained model is one, and so is a faster copy of it."""

    def decode(
        self, latents: NDArray[np.floating[Any]], *, with_labels: bool = False, with_ecg: bool = True
    ) -> Decoded:
        """Decode latents ``(n, latent_dim)``."""


def decode(bundle: TrainedModel, request: DecodeRequest, drawn_by: Drawer | None = None) -> DecodeResult:
    """Decode one vector, by a faster copy of the bundle if one is given.

    Raises
    ------
    BundleError
        When the vector has another length than the bundle's latents.
    """
    (result,) = decode_together(bundle, [request.vector], drawn_by, request.with_labels, request.with_ecg)
    return result


def decode_together(
    bundle: TrainedModel,
    vectors: Sequence[NDArray[np.float32]],
    drawn_by: Drawer | None = None,
    with_labels: bool = True,
    with_ecg: bool = True,
) -> list[DecodeResult]:
    """Decode some vectors ``(latent_dim,)`` in one go, as `decode` does each."""
    started = time.perf_counter()
    decoded = (drawn_by or bundle).decode(np.stack(vectors), with_labels=with_labels, with_ecg=with_ecg)
    duration_ms = 1000.0 * (time.perf_counter() - started) / len(vectors)
    results = []
    for row, vector in enumerate(vectors):
        cine, labels, ecg_mv = (
            None if array is None else read_only(array[row]) for array in (decoded.cine, decoded.labels, decoded.ecg_mv)
        )
        results.append(DecodeResult(vector, cine, labels, ecg_mv, bundle.fingerprint, duration_ms))
    return results
