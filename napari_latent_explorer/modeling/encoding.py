"""From recordings to latents: of one recording, or of a whole study, in parts that are kept when it is stopped."""

import hashlib
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
from napari_latent_explorer.errors import RecordingError, StudyError
from napari_latent_explorer.io.atomic import write_file
from napari_latent_explorer.io.study import Study
from napari_latent_explorer.modeling.preprocessing import prepare_cine, prepare_ecg
from napari_latent_explorer.modeling.tensors import prepare_study_tensor
from napari_latent_explorer.modeling.trained_model import TrainedModel


def encode_recording(bundle: TrainedModel, recording: CineMRI | ECG) -> NDArray[np.float32]:
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
    study: Study, bundle: TrainedModel, modality: str, batch_size: int = 32, skipped: dict[str, str] | None = None
) -> Generator[Progress, None, LatentSpace]:
    """Latents of all participants of a study who have a recording of `modality`.

    Each batch is kept in the study's folder until all are done; called again after a stop, the rest is encoded. The
    result is returned, not kept: `Study.save_latents` does that. Latents of this bundle that were saved before stay as
    they are; only those of participants who have none yet are made.

    Parameters
    ----------
    study, bundle
        Whose recordings, and which encoder.
    modality
        ``mri`` or ``ecg``.
    batch_size
        Participants in one step.
    skipped
        Filled with the id and the reason of each participant whose recording cannot be brought to the model's grid;
        without it, the first of them ends the work.

    Raises
    ------
    StudyError
        When nobody has such a recording, or there is no space.
    RecordingError
        When a recording cannot be brought to the model's grid, and `skipped` is None.
    BundleError
        When the bundle has no encoder of `modality`.
    """
    cohort = study.cohort()
    ids = cohort.participant_ids[cohort.availability.get(modality, np.zeros(len(cohort), dtype=bool))]
    if not len(ids):
        raise StudyError(
            f"Nobody in the study {study.path} has a recording of {modality!r}; it has {study.modalities}."
        )
    parts = study.path / "latents" / bundle.fingerprint / f".parts-{modality}"
    found = _read_parts(parts)
    if study.has_latents(modality, bundle.fingerprint):
        saved = study.latents(modality, bundle.fingerprint)
        found |= dict(zip(saved.participant_ids.tolist(), saved.values, strict=True))
    remaining = [participant_id for participant_id in ids.tolist() if participant_id not in found]
    if remaining:
        yield from _encode(study, bundle, modality, remaining, len(ids), batch_size, skipped, found)
    kept = [participant_id for participant_id in ids.tolist() if participant_id in found]
    if not kept:
        raise StudyError(
            f"None of the {len(ids)} {modality} recordings of the study {study.path} can be brought to the model's "
            f"grid; the first: {next(iter((skipped or {}).values()), '')}"
        )
    shutil.rmtree(parts, ignore_errors=True)
    return LatentSpace(np.stack([found[each] for each in kept]), np.array(kept), modality, bundle.fingerprint)


def _encode(
    study: Study,
    bundle: TrainedModel,
    modality: str,
    remaining: list[str],
    n_all: int,
    batch_size: int,
    skipped: dict[str, str] | None,
    found: dict[str, NDArray[np.float32]],
) -> Generator[Progress, None, None]:
    """Add the vectors of those who remain to `found`, and keep them on disk batch by batch."""
    parts = study.path / "latents" / bundle.fingerprint / f".parts-{modality}"
    yield Progress(n_all - len(remaining), n_all, f"encoding {modality}")
    for start in range(0, len(remaining), batch_size):
        tensors = {}
        for participant_id in remaining[start : start + batch_size]:
            try:
                tensors[participant_id] = prepare_study_tensor(study, participant_id, modality)
            except RecordingError as misfit:
                if skipped is None:
                    raise
                skipped[participant_id] = str(misfit)
        if tensors:
            values = bundle.encode(modality, np.stack(list(tensors.values())))
            _write_part(parts, list(tensors), values)
            found |= dict(zip(tensors, values, strict=True))
        yield Progress(min(n_all, n_all - len(remaining) + start + batch_size), n_all, f"encoding {modality}")


def _write_part(folder: Path, participant_ids: list[str], values: NDArray[np.float32]) -> None:
    content = io.BytesIO()
    np.savez(content, participant_ids=np.array(participant_ids), values=values)
    # an id may be any text, and no name of a file
    name = hashlib.sha256(participant_ids[0].encode("utf-8", "surrogatepass")).hexdigest()[:32]
    write_file(folder / f"{name}.npz", content.getvalue())


def _read_parts(folder: Path) -> dict[str, NDArray[np.float32]]:
    """Vectors by participant from what an earlier call has kept."""
    found: dict[str, NDArray[np.float32]] = {}
    for path in sorted(folder.glob("[!.]*.npz")):
        with np.load(path) as part:
            found |= dict(zip(part["participant_ids"].tolist(), part["values"], strict=True))
    return found
