"""From recordings to latents: of one recording, or of a whole study, in parts that are kept when it is stopped.

The parts are encoded here or on a cluster; either way this process alone writes them.
"""

import hashlib
import io
import shutil
from collections.abc import Callable, Generator
from concurrent.futures import ThreadPoolExecutor
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
from napari_latent_explorer.modeling.batch_encoding import BatchEncoder, EncodedBatch, encode_batch, prepare
from napari_latent_explorer.modeling.dask_workers import work_on_cluster
from napari_latent_explorer.modeling.preprocessing import prepare_cine, prepare_ecg
from napari_latent_explorer.modeling.trained_model import TrainedModel
from napari_latent_explorer.modeling.worker_pool import Guard

TIME_LIMIT_S = 600.0
"""A batch that takes a worker of a cluster longer is given up."""


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
        latents = bundle.encode("mri", prepare_cine(recording, spec=bundle.input_spec.mri).tensor[None])
    else:
        latents = bundle.encode("ecg", prepare_ecg(recording, bundle.input_spec.ecg).tensor[None])
    return latents.reshape(bundle.latent_dim)


def encode_study(
    study: Study,
    bundle: TrainedModel,
    modality: str,
    batch_size: int = 32,
    skipped: dict[str, str] | None = None,
    scheduler: str | None = None,
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
        without it, the first of them ends the work. With `scheduler` also those whom no worker survives.
    scheduler
        Address of a Dask scheduler, whose workers read and encode; they must see study and bundle at the same paths.

    Raises
    ------
    StudyError
        When nobody has such a recording, there is no space, or no scheduler or worker can do it.
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
        reasons = {} if skipped is None else skipped

        def keep(batch: EncodedBatch) -> None:
            reasons.update(batch.skipped)
            if batch.participant_ids:
                _write_part(parts, batch)
                found.update(zip(batch.participant_ids, batch.values, strict=True))

        batches = [remaining[start : start + batch_size] for start in range(0, len(remaining), batch_size)]
        may_skip = skipped is not None
        if scheduler is None:
            work = _encode_here(study, bundle, modality, batches, may_skip, keep)
        else:
            encoder = BatchEncoder(study, bundle, modality, may_skip)
            work = _encode_on_cluster(encoder, batches, scheduler, keep, reasons if may_skip else None)
        n_before, message = len(ids) - len(remaining), f"encoding {modality}"
        yield Progress(n_before, len(ids), message)
        for n_batches in work:
            yield Progress(min(n_before + n_batches * batch_size, len(ids)), len(ids), message)
    kept = [participant_id for participant_id in ids.tolist() if participant_id in found]
    if not kept:
        raise StudyError(
            f"None of the {len(ids)} {modality} recordings of the study {study.path} can be brought to the model's "
            f"grid; the first: {next(iter((skipped or {}).values()), '')}"
        )
    shutil.rmtree(parts, ignore_errors=True)
    return LatentSpace(np.stack([found[each] for each in kept]), np.array(kept), modality, bundle.fingerprint)


def _encode_here(
    study: Study,
    bundle: TrainedModel,
    modality: str,
    batches: list[list[str]],
    may_skip: bool,
    keep: Callable[[EncodedBatch], None],
) -> Generator[int, None, None]:
    """Hand each batch to `keep`; yields how many have been. The next is prepared while one is encoded."""
    thread, spec = ThreadPoolExecutor(1), bundle.input_spec
    try:
        ahead = [thread.submit(prepare, study, modality, spec, one) for one in batches[0]]
        for n_done, (batch, following) in enumerate(zip(batches, [*batches[1:], []], strict=True), 1):
            waiting, ahead = ahead, [thread.submit(prepare, study, modality, spec, one) for one in following]
            keep(encode_batch(bundle, modality, batch, [one.result() for one in waiting], may_skip))
            yield n_done
    finally:
        thread.shutdown(cancel_futures=True)


def _encode_on_cluster(
    encoder: BatchEncoder,
    batches: list[list[str]],
    scheduler: str,
    keep: Callable[[EncodedBatch], None],
    skipped: dict[str, str] | None,
) -> Generator[int, None, None]:
    """Hand each batch to `keep`; of one that no worker survives, each participant is tried alone."""
    lost: list[str] = []
    guard = Guard(TIME_LIMIT_S, lambda batch, _: lost.extend(batch))
    for progress in work_on_cluster(encoder, batches, scheduler, "encoding", guard, keep):
        yield progress.done

    def give_up(batch: list[str], reason: str) -> None:
        if skipped is None:
            raise StudyError(
                f"The recording of {batch[0]} could not be encoded on the cluster: {reason}. What is encoded is kept; "
                "look at the logs of the workers, and encode again to go on."
            )
        skipped[batch[0]] = reason

    if lost:
        guard = Guard(TIME_LIMIT_S, give_up)
        for _ in work_on_cluster(encoder, [[one] for one in lost], scheduler, "encoding", guard, keep):
            yield len(batches)


def _write_part(folder: Path, batch: EncodedBatch) -> None:
    content = io.BytesIO()
    np.savez(content, participant_ids=np.array(batch.participant_ids), values=batch.values)
    # an id may be any text, and no name of a file
    name = hashlib.sha256(batch.participant_ids[0].encode("utf-8", "surrogatepass")).hexdigest()[:32]
    write_file(folder / f"{name}.npz", content.getvalue())


def _read_parts(folder: Path) -> dict[str, NDArray[np.float32]]:
    """Vectors by participant from what an earlier call has kept."""
    found: dict[str, NDArray[np.float32]] = {}
    for path in sorted(folder.glob("[!.]*.npz")):
        with np.load(path) as part:
            found |= dict(zip(part["participant_ids"].tolist(), part["values"], strict=True))
    return found
