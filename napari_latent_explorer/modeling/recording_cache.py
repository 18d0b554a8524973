"""Model tensors of some people on disk, for what reads them again and again: training a supervised network.

Cines are kept as whole numbers from 0 to 255 and z-scored again when they are read; both kinds lie as plain ``.npy``
files that are mapped into memory. A flag per person says whose are written, so filling can be stopped and goes on.
"""

import hashlib
import json
from collections.abc import Generator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from napari_latent_explorer.data.progress import Progress
from napari_latent_explorer.io.atomic import refusals_named, write_file
from napari_latent_explorer.io.study import Study
from napari_latent_explorer.modeling.inputs import Z_SCORE_EPSILON, to_whole_numbers
from napari_latent_explorer.modeling.preprocessing_spec import STANDARD, PreprocessingSpec
from napari_latent_explorer.modeling.tensors import prepare_study_tensor

_KINDS = {"mri": "uint8", "ecg": "float32"}
_CHUNK = 32


@dataclass(frozen=True, slots=True, eq=False)
class RecordingCache:
    """Recordings of one modality of `n` people.

    Attributes
    ----------
    modality
        ``mri`` or ``ecg``.
    values
        ``(n, n_channels, *space)``, mapped into memory.
    """

    modality: str
    values: NDArray[Any]

    def batch(self, rows: NDArray[np.intp]) -> Tensor:
        """Tensors ``(batch, n_channels, *space)`` as the network takes them."""
        values = torch.from_numpy(np.ascontiguousarray(self.values[rows])).float()
        return z_scored(values) if self.modality == "mri" else values


def z_scored(cine: Tensor) -> Tensor:
    """Bring each cine ``(batch, ...)`` to mean 0 and standard deviation 1."""
    std, mean = torch.std_mean(cine, dim=tuple(range(1, cine.ndim)), correction=0, keepdim=True)
    return (cine - mean) / (std + Z_SCORE_EPSILON)


def fill_cache(
    study: Study,
    modality: str,
    participant_ids: NDArray[np.str_],
    folder: Path,
    spec: PreprocessingSpec = STANDARD,
) -> Generator[Progress, None, RecordingCache]:
    """Read the recordings of people into `folder` as a model takes them, or find them there.

    Raises
    ------
    StudyError
        When a recording cannot be read or there is no space.
    RecordingError
        When a recording cannot be brought to the model's grid.
    """
    n = len(participant_ids)
    shape = prepare_study_tensor(study, str(participant_ids[0]), modality, spec).shape
    people = hashlib.sha256("\n".join(participant_ids.tolist()).encode()).hexdigest()
    key = {"study": study.fingerprint, "people": people, "shape": [n, *shape]}
    if spec != STANDARD:
        key["spec"] = repr(spec)
    file, flags, said = (folder / name for name in (f"{modality}.npy", f"{modality}_is_done.npy", f"{modality}.json"))
    if not said.is_file() or json.loads(said.read_text()) != key:
        said.unlink(missing_ok=True)
        with refusals_named(folder, n * int(np.prod(shape)) * np.dtype(_KINDS[modality]).itemsize):
            folder.mkdir(parents=True, exist_ok=True)
            np.lib.format.open_memmap(file, "w+", _KINDS[modality], (n, *shape)).flush()
            np.lib.format.open_memmap(flags, "w+", "bool", (n,)).flush()
        write_file(said, json.dumps(key).encode())
    values, is_done = np.load(file, mmap_mode="r+"), np.load(flags, mmap_mode="r+")
    for row in np.flatnonzero(~is_done).tolist():
        tensor = prepare_study_tensor(study, str(participant_ids[row]), modality, spec)
        values[row] = to_whole_numbers(tensor) if modality == "mri" else tensor
        is_done[row] = True
        if row % _CHUNK == 0:
            yield Progress(row, n, f"reading {modality} for a supervised network")
    return RecordingCache(modality, np.load(file, mmap_mode="r"))
