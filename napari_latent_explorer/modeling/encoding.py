"""From recordings to latents: of one recording, or of a whole study, in parts that are kept when it is stopped."""

import io
import shutil
from collections.abc import Generator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from napari_latent_explorer.data.cine import CineMRI
from napari_latent_explorer.data.ecg import ECG
from napari_latent_explorer.data.latents import LatentSpace
from napari_latent_explorer.data.progress import Progress
from napari_latent_explorer.errors import StudyError
from napari_latent_explorer.io.atomic import write_file
from napari_latent_explorer.io.study import Study
from napari_latent_explorer.modeling.bundle import ModelBundle
from napari_latent_explorer.modeling.preprocessing import prepare_cine, prepare_ecg


def encode_recording(bundle: ModelBundle, recording: CineMRI | ECG) -> NDArray[np.float32]:
    """Latent vector ``(latent_dim,)`` of one recording.

    Raises
    ------
    RecordingError
        When the recording cannot be brought to the model's grid.
    BundleError
        When the bundle has no encoder for it.
    """
    if isinstance(recording, CineMRI):
        latents = bundle.encode("mri", prepare_cine(recording).tensor[None])
    else:
        latents = bundle.encode("ecg", prepare_ecg(recording).tensor[None])
    return latents.reshape(bundle.latent_dim)


def encode_study(
    study: Study, bundle: ModelBundle, modality: str, batch_size: int = 32
) -> Generator[Progress, None, LatentSpace]:
    """Latents of all participants of a study who have a recording of `modality`.

    Each batch is kept in the study's folder until all are done; called again after a stop, the rest is encoded. The
    result is returned, not kept: `Study.save_latents` does that. If latents of this bundle were saved before, they
    are returned.

    Parameters
    ----------
    study, bundle
        Whose recordings, and which encoder.
    modality
        ``mri`` or ``ecg``.
    batch_size
        Participants in one step.

    Raises
    ------
    StudyError
        When nobody has such a recording, or there is no space.
    RecordingError
        When a recording cannot be brought to the model's grid.
    BundleError
        When the bundle has no encoder of `modality`.
    """
    cohort = study.cohort()
    ids = cohort.participant_ids[cohort.availability.get(modality, np.zeros(len(cohort), dtype=bool))]
    if not len(ids):
        raise StudyError(
            f"Nobody in the study {study.path} has a recording of {modality!r}; it has {study.modalities}."
        )
    if study.has_latents(modality, bundle.fingerprint):
        return study.latents(modality, bundle.fingerprint)
    parts = study.path / "latents" / bundle.fingerprint / f".parts-{modality}"
    found = _read_parts(parts)
    remaining = [participant_id for participant_id in ids.tolist() if participant_id not in found]
    message = f"encoding {modality}"
    yield Progress(len(ids) - len(remaining), len(ids), message)
    for start in range(0, len(remaining), batch_size):
        batch = remaining[start : start + batch_size]
        values = bundle.encode(modality, np.stack([_tensor(study, modality, each) for each in batch]))
        _write_part(parts, batch, values)
        found |= dict(zip(batch, values, strict=True))
        yield Progress(len(found), len(ids), message)
    latents = LatentSpace(np.stack([found[each] for each in ids.tolist()]), ids, modality, bundle.fingerprint)
    shutil.rmtree(parts, ignore_errors=True)
    return latents


def _tensor(study: Study, modality: str, participant_id: str) -> NDArray[np.float32]:
    if modality == "mri":
        return prepare_cine(study.cine(participant_id)).tensor
    return prepare_ecg(study.ecg(participant_id)).tensor


def _write_part(folder: Path, participant_ids: list[str], values: NDArray[np.float32]) -> None:
    content = io.BytesIO()
    np.savez(content, participant_ids=np.array(participant_ids), values=values)
    write_file(folder / f"{participant_ids[0]}.npz", content.getvalue())


def _read_parts(folder: Path) -> dict[str, NDArray[np.float32]]:
    """Vectors by participant from what an earlier call has kept."""
    found: dict[str, NDArray[np.float32]] = {}
    for path in sorted(folder.glob("[!.]*.npz")):
        with np.load(path) as part:
            found |= dict(zip(part["participant_ids"].tolist(), part["values"], strict=True))
    return found
