"""Where ml4h keeps the recordings of one person in its HDF5 file, over the versions of its layout.

| what | where |
|---|---|
| series of a visit | ``/ukb_cardiac_mri/<series>/<visit>/instance_<k>``, later ``<series>/instance_<k>`` |
| labels of frame *i* | ``/ukb_cardiac_mri/<series>_annotated_<i>/...``, *i* from 1 |
| ECG | ``/ukb_ecg_rest/median_<lead>/...``, ``strip_<lead>/...``, and measurements such as ``RRInterval/...`` |
| geometry | ``/mri_pixel_width_<series>`` and others of one series, at the root |

What is stored for several visits is taken from the first.

References
----------
https://github.com/broadinstitute/ml4h, `ml4h/tensorize/tensor_writer_ukbb.py`.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_latent_explorer.errors import RecordingError
from napari_latent_explorer.io.hdf5_numbers import (
    child_of,
    has_hdf5_mark,
    is_numbers,
    names_in,
    opened_hdf5,
    read_numbers,
)

MRI_GROUP, ECG_GROUP = "ukb_cardiac_mri", "ukb_ecg_rest"

_MAX_FACT_BYTES = 4096


@dataclass(frozen=True, slots=True, eq=False)
class Tensor:
    """One stored array.

    Attributes
    ----------
    name
        Of its group: a series, a lead, a measurement.
    visit
        Number of the visit; of the first, where the layout does not tell visits apart.
    key
        Its place below the modality's group, for people and for choosing it.
    dataset
        Where its numbers are, while the file is open.
    """

    name: str
    visit: tuple[int, int]
    key: str
    dataset: Any


def has_recordings(path: Path, group: str) -> bool:
    """Whether a file is HDF5 with something in a modality's group."""
    if not has_hdf5_mark(path):
        return False
    try:
        with opened_hdf5(path) as root:
            found = child_of(root, group)
            return found is not None and not is_numbers(found) and len(found) > 0
    except RecordingError:
        return False


def tensors_of(root: Any, group: str, name: str) -> list[Tensor]:
    """Every stored array of one name, the first visit first."""
    parent = child_of(root, group, name)
    if parent is None or is_numbers(parent):
        return []
    found = []
    for step in names_in(parent):
        child = child_of(parent, step)
        instance = _number_after(step, "instance_")
        if instance is not None and is_numbers(child):
            found.append(Tensor(name, (instance, 0), f"{name}/{step}", child))
        elif step.isascii() and step.isdigit() and child is not None and not is_numbers(child):
            found += _of_visit(name, step, child)
    return sorted(found, key=lambda tensor: tensor.visit)


def _of_visit(name: str, visit: str, group: Any) -> Iterator[Tensor]:
    for step in names_in(group):
        instance, child = _number_after(step, "instance_"), child_of(group, step)
        if instance is not None and is_numbers(child):
            yield Tensor(name, (int(visit[:9]), instance), f"{name}/{visit}/{step}", child)


def _number_after(text: str, start: str) -> int | None:
    found = re.fullmatch(rf"{start}([0-9]{{1,9}})", text, re.ASCII)
    return None if found is None else int(found[1])


def group_names(root: Any, group: str) -> tuple[str, ...]:
    """Names below a modality's group; none where there is no such group."""
    parent = child_of(root, group)
    return () if parent is None or is_numbers(parent) else names_in(parent)


def same_visit(tensors: Sequence[Tensor], visit: tuple[int, int]) -> Tensor | None:
    """Find the one of a visit, else the first; None where there is none."""
    return next((tensor for tensor in tensors if tensor.visit == visit), tensors[0] if tensors else None)


def read_facts(root: Any, name: str, n: int) -> NDArray[np.float64] | None:
    """Finite numbers ``(n,)`` of a data set at the root; None where they are absent or others."""
    found = child_of(root, name)
    return None if found is None or not is_numbers(found) else _facts(found, n)


def read_measurement(root: Any, name: str, visit: tuple[int, int] | None = None) -> float | None:
    """One of the ECG's measurements; None where it is absent."""
    tensors = tensors_of(root, ECG_GROUP, name)
    tensor = tensors[0] if tensors and visit is None else same_visit(tensors, visit or (0, 0))
    values = None if tensor is None else _facts(tensor.dataset, 1)
    return None if values is None else float(values[0])


def _facts(dataset: Any, n: int) -> NDArray[np.float64] | None:
    try:
        values = read_numbers(dataset, _MAX_FACT_BYTES).astype(np.float64).ravel()
    except RecordingError:
        return None
    return values if values.shape == (n,) and np.isfinite(values).all() else None
