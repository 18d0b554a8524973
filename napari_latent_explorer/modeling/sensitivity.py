"""How much each latent dimension changes what is decoded.

The hard idea: the change per dimension is a column of the decoder's Jacobian, and forward-mode differentiation gives a
column without the rest: the decoder is run on dual numbers, many directions at once. No step width has to be chosen,
as finite differences would need. A model that cannot be differentiated (ONNX) is decoded a little to both sides.
"""

from collections.abc import Generator
from typing import Any, Literal

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from torch import Tensor

from napari_latent_explorer.data.progress import Progress
from napari_latent_explorer.errors import BundleError
from napari_latent_explorer.modeling.bundle import ModelBundle
from napari_latent_explorer.modeling.trained_model import TrainedModel

N_AT_ONCE = 16
STEP = 0.05
"""Half the width of a finite difference, in standard deviations of a dimension."""


def measure_sensitivity(
    model: TrainedModel, vector: ArrayLike, spreads: ArrayLike, modality: Literal["mri", "ecg"]
) -> Generator[Progress, None, NDArray[np.float32]]:
    """Measure how much the cine or the ECG changes with each latent dimension.

    Parameters
    ----------
    model
        Decodes `modality`.
    vector
        ``(latent_dim,)``, where the changes are taken.
    spreads
        ``(latent_dim,)`` standard deviation of each dimension in the cohort.
    modality
        ``mri`` or ``ecg``.

    Yields
    ------
    Progress
        In dimensions.

    Returns
    -------
    NDArray
        ``(latent_dim,)`` root mean square change over all pixels and frames (in SD of the signal), or all leads and
        samples (in mV), per standard deviation of the dimension.

    Raises
    ------
    BundleError
        When the model does not decode `modality`, or the vector has another length.
    """
    where, steps = np.asarray(vector, np.float32), np.asarray(spreads, np.float32)
    if modality not in model.modalities:
        raise BundleError(f"This model decodes {' and '.join(model.modalities)}, not {modality!r}.")
    if where.shape != (model.latent_dim,) or steps.shape != where.shape:
        raise BundleError(f"Vector and spreads have shapes {where.shape} and {steps.shape}, not ({model.latent_dim},).")
    changes = np.empty(len(where), np.float32)
    for start in range(0, len(where), N_AT_ONCE):
        changed = "cine" if modality == "mri" else "ECG"
        yield Progress(start, len(where), f"What each dimension changes of the {changed}")
        dims = np.arange(start, min(start + N_AT_ONCE, len(where)))
        tangents = np.zeros((len(dims), len(where)), np.float32)
        tangents[np.arange(len(dims)), dims] = steps[dims]
        if isinstance(model, ModelBundle):
            columns = _derivatives(model, where, tangents, modality)
        else:
            columns = _differences(model, where, tangents, modality)
        changes[dims] = np.sqrt((columns.reshape(len(dims), -1).astype(np.float64) ** 2).mean(axis=1))
    return changes


def _derivatives(
    model: ModelBundle, vector: NDArray[np.float32], tangents: NDArray[np.float32], modality: str
) -> NDArray[Any]:
    """Directional derivatives ``(n, ...)`` along tangents ``(n, latent_dim)``."""
    origin = torch.from_numpy(vector[None].copy()).to(model.device)
    decoder = model.network.decoders[modality]

    def along(tangent: Tensor) -> Tensor:
        change: Tensor = torch.func.jvp(decoder, (origin,), (tangent[None],))[1]
        return change

    columns = torch.func.vmap(along)(torch.from_numpy(tangents).to(model.device)).float().cpu().numpy()
    unit_mv = model.preprocessing["ecg"]["unit_uv"] / 1000.0 if modality == "ecg" else 1.0
    return np.asarray(columns * np.float32(unit_mv))


def _differences(
    model: TrainedModel, vector: NDArray[np.float32], tangents: NDArray[np.float32], modality: str
) -> NDArray[Any]:
    """Compute the same by central differences."""
    both = np.concatenate([vector + STEP * tangents, vector - STEP * tangents])
    decoded = model.decode(both, with_ecg=modality == "ecg")
    recordings = decoded.ecg_mv if modality == "ecg" else decoded.cine
    assert recordings is not None
    ahead, behind = np.split(recordings, 2)
    return np.asarray((ahead - behind) / (2.0 * STEP))
