"""From the recordings of a study to `ModelInputs`, once, in several processes, kept beside the training run.

The arrays lie as plain ``.npy`` files that are mapped into memory, and a flag per participant says whose rows are
written, so building can be stopped and goes on. What is on the model's grid already, as simulated recordings are, is
taken as it is.
"""

import json
from collections.abc import Generator
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_latent_explorer.data.progress import Progress
from napari_latent_explorer.errors import RecordingError, TrainingError
from napari_latent_explorer.io.atomic import refusals_named, write_file
from napari_latent_explorer.io.study import Study
from napari_latent_explorer.modeling.inputs import ModelInputs, to_whole_numbers
from napari_latent_explorer.modeling.preprocessing import PreparedCine, prepare_ecg
from napari_latent_explorer.modeling.recordings import open_study
from napari_latent_explorer.modeling.tensors import names_all_pixels, prepare_study_cine
from napari_latent_explorer.modeling.worker_pool import work_through
from napari_latent_explorer.nn.cine import CINE_SPACE, N_FRAMES
from napari_latent_explorer.nn.ecg import N_LEADS, N_SAMPLES

KEY_FILE = "inputs.json"
FORMAT_VERSION = 1

_ARRAYS: dict[str, tuple[tuple[int, ...], str]] = {
    "cine": ((*CINE_SPACE, N_FRAMES), "uint8"),
    "ecg": ((N_LEADS, N_SAMPLES), "float32"),
    "labels": ((N_FRAMES, *CINE_SPACE), "uint8"),
    "filled": ((3,), "bool"),
    "is_done": ((), "bool"),
}
_FILLED = ("mri", "ecg", "labels")


def build_model_inputs(
    study: Study, folder: Path, n_workers: int | None = None
) -> Generator[Progress, None, ModelInputs]:
    """Model inputs of all participants of a study, from `folder` if they are there, else made and kept there.

    Needs about 0.95 MB per participant on disk, and little memory.

    Parameters
    ----------
    study
        Where recordings are.
    folder
        Where the arrays lie.
    n_workers
        Processes; None for one per processor.

    Raises
    ------
    StudyError
        When a recording in the study is damaged or there is no space. One that cannot be brought to the model's grid
        is left out.
    """
    ids = study.cohort().participant_ids
    key = {"format_version": FORMAT_VERSION, "study": study.fingerprint, "n_participants": len(ids)}
    if _read_key(folder) != key:
        _create(folder, len(ids), key)
    is_done = np.load(folder / "is_done.npy")
    rows = np.flatnonzero(~is_done).tolist()
    if rows:
        yield from work_through(_fill_row, rows, n_workers, "reading recordings", _open_in_worker, (study.path, folder))
    inputs = load_model_inputs(folder, ids)
    if rows:
        yield Progress(len(ids), len(ids), _left_out(study, inputs))
    return inputs


def _left_out(study: Study, inputs: ModelInputs) -> str:
    """Say how many recordings cannot be brought to the model's grid."""
    filled = {"mri": inputs.has_mri, "ecg": inputs.has_ecg}
    n = sum(int((mask & ~filled[name]).sum()) for name, mask in study.cohort().availability.items())
    return f"{n} recordings do not fit the model's grid and are left out" if n else "all recordings are read"


def load_model_inputs(folder: Path, participant_ids: NDArray[np.str_]) -> ModelInputs:
    """Map finished arrays into memory, read-only."""
    arrays: dict[str, NDArray[Any]] = {name: np.load(folder / f"{name}.npy", mmap_mode="r") for name in _ARRAYS}
    if not arrays["is_done"].all():
        raise TrainingError(f"The model inputs in {folder} are half-written; start the training again to finish them.")
    filled = dict(zip(_FILLED, np.array(arrays["filled"]).T, strict=True))
    return ModelInputs(
        participant_ids, arrays["cine"], arrays["ecg"], arrays["labels"], filled["mri"], filled["ecg"], filled["labels"]
    )


def _read_key(folder: Path) -> dict[str, Any] | None:
    path = folder / KEY_FILE
    if not path.is_file():
        return None
    key: dict[str, Any] = json.loads(path.read_text())
    return key


def _create(folder: Path, n_participants: int, key: dict[str, Any]) -> None:
    """Empty arrays of full size; the key comes last and makes them valid."""
    (folder / KEY_FILE).unlink(missing_ok=True)
    with refusals_named(folder, 950_000 * n_participants):
        folder.mkdir(parents=True, exist_ok=True)
        for name, (shape, dtype) in _ARRAYS.items():
            np.lib.format.open_memmap(folder / f"{name}.npy", "w+", dtype, (n_participants, *shape)).flush()
    write_file(folder / KEY_FILE, json.dumps(key).encode())


@cache
def _worker_study(path: Path) -> Study:
    return open_study(path)


_worker_place: dict[str, Path] = {}


def _open_in_worker(study_path: Path, folder: Path) -> None:
    _worker_place.update(study=study_path, folder=folder)


@cache
def _worker_arrays(folder: Path) -> dict[str, NDArray[Any]]:
    return {name: np.load(folder / f"{name}.npy", mmap_mode="r+") for name in _ARRAYS}


def _fill_row(row: int) -> None:
    """Write one participant's rows; the flag last."""
    study, arrays = _worker_study(_worker_place["study"]), _worker_arrays(_worker_place["folder"])
    cohort = study.cohort()
    participant_id = str(cohort.participant_ids[row])
    available = {name: bool(mask[row]) for name, mask in cohort.availability.items()}
    # a recording that cannot be brought to the model's grid is left out; the others of this person count
    if available.get("mri", False):
        with suppress(RecordingError):
            _fill_cine(arrays, row, prepare_study_cine(study, participant_id))
    if available.get("ecg", False):
        with suppress(RecordingError):
            arrays["ecg"][row] = prepare_ecg(study.ecg(participant_id)).tensor
            arrays["filled"][row, 1] = True
    arrays["is_done"][row] = True


def _fill_cine(arrays: dict[str, NDArray[Any]], row: int, prepared: PreparedCine) -> None:
    # (frame, row, column) -> (row, column, frame)
    arrays["cine"][row] = np.moveaxis(to_whole_numbers(prepared.cine.frames[:, 0]), 0, -1)
    has_labels = prepared.labels is not None and names_all_pixels(prepared.labels)
    if prepared.labels is not None and has_labels:
        arrays["labels"][row] = prepared.labels.frames[:, 0]
    arrays["filled"][row, [0, 2]] = True, has_labels
