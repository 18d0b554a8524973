"""One batch of participants to their latents, here or on a worker of a cluster.

A worker opens study and bundle by their paths, which must lead it to the very same; that is checked by fingerprints
before anything is encoded. They are kept open until another encoding comes along.
"""

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from uuid import uuid4

import numpy as np
import torch
from numpy.typing import NDArray

from napari_latent_explorer.errors import BundleError, RecordingError, StudyError
from napari_latent_explorer.io.study import Study
from napari_latent_explorer.modeling.bundle import ModelBundle
from napari_latent_explorer.modeling.preprocessing_spec import PreprocessingSpec
from napari_latent_explorer.modeling.recordings import open_study
from napari_latent_explorer.modeling.tensors import prepare_study_tensor
from napari_latent_explorer.modeling.trained_model import TrainedModel, load_model

Prepared = NDArray[np.float32] | RecordingError
"""Tensor of one recording, or why there is none."""


@dataclass(frozen=True, slots=True, eq=False)
class EncodedBatch:
    """Latents of some participants.

    Attributes
    ----------
    participant_ids
        `n` of them.
    values
        ``(n, latent_dim)``.
    skipped
        Whose recording cannot be brought to the model's grid, with the reason.
    """

    participant_ids: tuple[str, ...]
    values: NDArray[np.float32]
    skipped: dict[str, str]


def prepare(study: Study, modality: str, spec: PreprocessingSpec, participant_id: str) -> Prepared:
    """Read one recording and bring it to the model's grid, or say why that cannot be done."""
    try:
        return prepare_study_tensor(study, participant_id, modality, spec)
    except RecordingError as misfit:
        return misfit


def encode_batch(
    bundle: TrainedModel, modality: str, participant_ids: list[str], prepared: list[Prepared], may_skip: bool
) -> EncodedBatch:
    """Encode what was prepared.

    Raises
    ------
    RecordingError
        When a recording could not be prepared and may not be skipped.
    """
    tensors, skipped = {}, {}
    for participant_id, found in zip(participant_ids, prepared, strict=True):
        if not isinstance(found, RecordingError):
            tensors[participant_id] = found
        elif may_skip:
            skipped[participant_id] = str(found)
        else:
            raise found
    if not tensors:
        return EncodedBatch((), np.zeros((0, bundle.latent_dim), np.float32), skipped)
    return EncodedBatch(tuple(tensors), bundle.encode(modality, np.stack(list(tensors.values()))), skipped)


class BatchEncoder:
    """`prepare` and `encode_batch` for workers that see study and bundle at the same paths.

    Parameters
    ----------
    study, bundle, modality
        What to encode with what.
    may_skip
        Whether a recording that cannot be brought to the model's grid is left out, or ends the work.

    Raises
    ------
    BundleError
        When the bundle has not been saved, so that no worker can open it.
    """

    def __init__(self, study: Study, bundle: TrainedModel, modality: str, may_skip: bool) -> None:
        if bundle.path is None:
            raise BundleError(
                "The workers of a cluster open a bundle by its path, and this one has none. Save it first."
            )
        self._place = (study.path, study.fingerprint, bundle.path, bundle.fingerprint, uuid4().hex)
        self._modality = modality
        self._may_skip = may_skip

    def __call__(self, participant_ids: list[str]) -> EncodedBatch:
        """Encode some participants, on a worker.

        Raises
        ------
        StudyError, BundleError
            When the worker does not find the same study and bundle.
        """
        study, bundle = _open(*self._place)
        prepared = [prepare(study, self._modality, bundle.input_spec, one) for one in participant_ids]
        return encode_batch(bundle, self._modality, participant_ids, prepared, self._may_skip)


def load_for_encoding(path: Path) -> TrainedModel:
    """Open the model in a folder, on the GPU if there is one, whose rounding differs from that of a CPU.

    Networks in ONNX run on the CPU. See `load_model` for what is refused.
    """
    bundle = load_model(path)
    if isinstance(bundle, ModelBundle) and torch.cuda.is_available():
        bundle.network.cuda()
    return bundle


@lru_cache(maxsize=2)
def _open(
    study_path: Path, study_fingerprint: str, bundle_path: Path, bundle_fingerprint: str, work: str
) -> tuple[Study, TrainedModel]:
    """Open both, once for each piece of work: either may have been changed since another."""
    hint = "A worker of the cluster must see study and bundle at the same paths as whoever gives it work."
    try:
        study, bundle = open_study(study_path), load_for_encoding(bundle_path)
    except (StudyError, BundleError) as absence:
        raise type(absence)(f"{absence} {hint}") from absence
    if study.fingerprint != study_fingerprint:
        raise StudyError(f"There is another study at {study_path} than the one that is to be encoded. {hint}")
    if bundle.fingerprint != bundle_fingerprint:
        raise BundleError(f"There is another bundle at {bundle_path} than the one to encode with. {hint}")
    return study, bundle
