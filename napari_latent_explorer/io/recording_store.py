"""Recordings of a study on disk: ``recordings.zarr/<row>/{cine,cine_labels,ecg}``.

Each participant is one Zarr group named by their row in the table; each recording is one array in one chunk, with its
geometry and acquisition facts in the array's attributes. So recordings may differ in shape from one participant to the
next, reading one never lists the store, and a participant appears in one rename: there or not there, never half.
Processes may write different participants at the same time (start them with ``spawn``: Zarr's event loop does not
survive a fork).
"""

import json
import os
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from napari_latent_explorer.data.cine import CineLabels, CineMRI
from napari_latent_explorer.data.ecg import ECG
from napari_latent_explorer.data.heart_box import HeartBox
from napari_latent_explorer.errors import RecordingError, StudyError
from napari_latent_explorer.io.atomic import folder_in_one_step, remove_partials, write_file
from napari_latent_explorer.io.whole_array import read_whole_array

STORE_FOLDER = "recordings.zarr"
ARRAY_OF = {"mri": "cine", "ecg": "ecg", "labels": "cine_labels"}

_ZSTD_LEVEL = 1
_MAX_ARRAY_BYTES = 4 << 30
_MAX_ATTRIBUTES_BYTES = 64 << 20


def create_store(root: Path) -> None:
    """Make the empty store of a study."""
    import zarr

    zarr.create_group(root / STORE_FOLDER)


def write_recordings(
    root: Path,
    row: int,
    cine: CineMRI | None = None,
    labels: CineLabels | None = None,
    ecg: ECG | None = None,
    heart_box: HeartBox | None = None,
    facts: Mapping[str, Any] = MappingProxyType({}),
) -> None:
    """Write all recordings of the participant in `row`, in one step.

    Parameters
    ----------
    root, row
        Folder of the study, and whose recordings they are.
    cine, labels, ecg
        Those that there are.
    heart_box
        Where the heart lies in the cine.
    facts
        What else is to be kept about this participant, as plain JSON.

    Raises
    ------
    StudyError
        When the disk is full, or the participant has been written already.
    RecordingError
        When the labels do not lie on the grid of the cine.
    """
    arrays = _arrays(cine, labels, ecg, heart_box)
    needed_bytes = sum(array.nbytes for array, _ in arrays.values())
    with folder_in_one_step(_participant_folder(root, row), needed_bytes) as folder:
        _write_group(folder, arrays, facts)


def extend_recordings(
    root: Path,
    row: int,
    cine: CineMRI | None = None,
    labels: CineLabels | None = None,
    ecg: ECG | None = None,
    heart_box: HeartBox | None = None,
    facts: Mapping[str, Any] = MappingProxyType({}),
) -> None:
    """Add recordings to the participant in `row`, who lacked them; those that are there stay as they are.

    The facts are replaced first, then each recording appears in one step. See `write_recordings`.
    """
    folder = _participant_folder(root, row)
    remove_partials(folder)
    content = {**_read_json(folder), "attributes": dict(facts)}
    write_file(folder / "zarr.json", json.dumps(content, indent=2).encode())
    for name, (array, attributes) in _arrays(cine, labels, ecg, heart_box).items():
        if not (folder / name).is_dir():
            with folder_in_one_step(folder / name, array.nbytes) as partial:
                _write_array(partial, None, array, attributes)


def is_written(root: Path, row: int) -> bool:
    """Whether the participant in `row` is on disk (with whatever recordings they have)."""
    return _participant_folder(root, row).is_dir()


def written_rows(root: Path) -> frozenset[int]:
    """Rows of all participants on disk; lists the store once."""
    store = root / STORE_FOLDER
    if not store.is_dir():
        return frozenset()
    return frozenset(int(name) for name in os.listdir(store) if name.isdecimal())


def has_recording(root: Path, row: int, modality: str) -> bool:
    """Whether the participant in `row` has a recording (or label map) on disk."""
    return (_participant_folder(root, row) / ARRAY_OF[modality]).is_dir()


def read_cine(root: Path, row: int) -> CineMRI:
    """Read the cine of the participant in `row`."""
    frames, facts = _read(root, row, "mri")
    try:
        return CineMRI(
            frames,
            cast("tuple[float, float, float]", tuple(facts["spacing_mm"])),
            np.asarray(facts["frame_times_ms"], dtype=np.float64),
            np.asarray(facts["affine"], dtype=np.float64),
            facts["imaging_plane"],
            facts["rr_interval_ms"],
            facts["source"],
        )
    except (KeyError, TypeError, ValueError, RecordingError) as damage:
        raise _damaged(root, row, "mri", damage) from damage


def read_labels(root: Path, row: int) -> CineLabels:
    """Read the label map of the participant in `row`."""
    frames, facts = _read(root, row, "labels")
    try:
        names = {int(number): name for number, name in facts["names"].items()}
        labelled = facts.get("labelled_frames")  # absent in stores written before there were partly labelled cines
        return CineLabels(frames, names, None if labelled is None else tuple(int(frame) for frame in labelled))
    except (KeyError, TypeError, ValueError, AttributeError, RecordingError) as damage:
        raise _damaged(root, row, "labels", damage) from damage


def read_ecg(root: Path, row: int) -> ECG:
    """Read the ECG of the participant in `row`."""
    signal_mv, facts = _read(root, row, "ecg")
    try:
        lead_names = tuple(facts["lead_names"])
        return ECG(
            signal_mv, lead_names, facts["sampling_rate_hz"], facts["kind"], facts["qrs_onset_ms"], facts["source"]
        )
    except (KeyError, TypeError, ValueError, RecordingError) as damage:
        raise _damaged(root, row, "ecg", damage) from damage


def read_heart_box(root: Path, row: int) -> HeartBox | None:
    """Heart box that was stored with the cine of the participant in `row`; None if there is none."""
    folder = _participant_folder(root, row) / ARRAY_OF["mri"]
    if not folder.is_dir():
        return None
    content = _read_attributes(folder).get("heart_box")
    try:
        return None if content is None else HeartBox.from_json(content)
    except RecordingError as damage:
        raise _damaged(root, row, "mri", damage) from damage


def read_facts(root: Path, row: int) -> dict[str, Any]:
    """Read what else was kept about the participant in `row`; empty if nothing was."""
    return _read_attributes(_participant_folder(root, row))


def _read_attributes(folder: Path) -> dict[str, Any]:
    """Attributes of a Zarr array or group, without the time that Zarr takes to open it."""
    attributes = _read_json(folder).get("attributes", {})
    if not isinstance(attributes, dict):
        raise _damaged_file(folder / "zarr.json", f"its attributes are {str(attributes)[:50]}")
    return attributes


def _read_json(folder: Path) -> dict[str, Any]:
    path = folder / "zarr.json"
    try:
        with path.open("rb") as stream:
            content = json.loads(stream.read(_MAX_ATTRIBUTES_BYTES))
    except (OSError, ValueError, RecursionError) as damage:
        raise _damaged_file(path, str(damage)) from damage
    if not isinstance(content, dict):
        raise _damaged_file(path, f"it holds a {type(content).__name__}")
    return content


def _damaged_file(path: Path, damage: str) -> StudyError:
    return StudyError(
        f"{path} is damaged: {damage}. Restore its folder from a copy, or delete it and resume the writing of the "
        "study."
    )


def _participant_folder(root: Path, row: int) -> Path:
    return root / STORE_FOLDER / f"{row:06d}"


def _arrays(
    cine: CineMRI | None, labels: CineLabels | None, ecg: ECG | None, heart_box: HeartBox | None
) -> dict[str, tuple[NDArray[Any], dict[str, Any]]]:
    """Arrays to be written, with their attributes, by name."""
    if labels is not None and (cine is None or labels.frames.shape != cine.frames.shape):
        shape = None if cine is None else cine.frames.shape
        raise RecordingError(f"The labels have shape {labels.frames.shape} and the cine {shape}; they must be equal.")
    arrays: dict[str, tuple[NDArray[Any], dict[str, Any]]] = {}
    if cine is not None:
        arrays["cine"] = (cine.frames, _cine_attributes(cine, heart_box))
    if labels is not None:
        arrays["cine_labels"] = (labels.frames, _label_attributes(labels))
    if ecg is not None:
        arrays["ecg"] = (ecg.signal_mv, _ecg_attributes(ecg))
    return arrays


def _write_group(
    folder: Path, arrays: Mapping[str, tuple[NDArray[Any], dict[str, Any]]], facts: Mapping[str, Any]
) -> None:
    import zarr

    zarr.create_group(folder, attributes=dict(facts))
    for name, (array, attributes) in arrays.items():
        _write_array(folder, name, array, attributes)


def _write_array(folder: Path, name: str | None, array: NDArray[Any], attributes: dict[str, Any]) -> None:
    """Write one array, in one chunk, into `folder` or below the name in it."""
    import zarr
    from zarr.codecs import ZstdCodec

    zarr.create_array(
        folder,
        name=name,
        data=np.ascontiguousarray(array),
        chunks=array.shape,
        compressors=ZstdCodec(level=_ZSTD_LEVEL),
        chunk_key_encoding={"name": "default", "separator": "."},
        attributes=attributes,
        config={"write_empty_chunks": True},
    )


def _read(root: Path, row: int, modality: str) -> tuple[NDArray[Any], dict[str, Any]]:
    folder = _participant_folder(root, row) / ARRAY_OF[modality]
    if not folder.is_dir():
        raise StudyError(f"The study {root} has no {ARRAY_OF[modality]} in {folder.relative_to(root)}.")
    facts = _read_json(folder)
    try:
        whole = read_whole_array(folder, facts, _MAX_ARRAY_BYTES)
        if whole is not None:
            return whole, dict(facts.get("attributes", {}))
        import zarr

        array = zarr.open_array(folder, mode="r")
        if array.nbytes > _MAX_ARRAY_BYTES:
            raise ValueError(f"it claims to hold {array.nbytes / 1e9:.1f} GB")
        if array.chunks != array.shape:  # else an absurd shape is millions of chunks to look for
            raise ValueError(f"its shape is {array.shape}, expected one chunk of {array.chunks}")
        if not (folder / ".".join(["c", *["0"] * array.ndim])).is_file():  # else Zarr would fill in zeros
            raise ValueError("its data file is missing")
        return np.asarray(array[...]), dict(array.attrs)
    except Exception as damage:  # whatever Zarr, its codecs or the disk find wrong with this one array
        raise _damaged(root, row, modality, damage) from damage


def _damaged(root: Path, row: int, modality: str, damage: Exception) -> StudyError:
    folder = _participant_folder(root, row)
    return StudyError(
        f"The {ARRAY_OF[modality]} in {folder} is damaged: {damage}. Restore that folder from a copy, or delete it "
        "and resume the writing of the study."
    )


def _cine_attributes(cine: CineMRI, heart_box: HeartBox | None) -> dict[str, Any]:
    box = {} if heart_box is None else {"heart_box": heart_box.to_json()}
    return box | {
        "spacing_mm": [float(step) for step in cine.spacing_mm],
        "frame_times_ms": cine.frame_times_ms.tolist(),
        "affine": cine.affine.tolist(),
        "imaging_plane": cine.imaging_plane,
        "rr_interval_ms": float(cine.rr_interval_ms),
        "source": cine.source,
    }


def _label_attributes(labels: CineLabels) -> dict[str, Any]:
    return {
        "names": {str(number): name for number, name in labels.names.items()},
        "labelled_frames": None if labels.labelled_frames is None else list(labels.labelled_frames),
    }


def _ecg_attributes(ecg: ECG) -> dict[str, Any]:
    return {
        "lead_names": list(ecg.lead_names),
        "sampling_rate_hz": float(ecg.sampling_rate_hz),
        "kind": ecg.kind,
        "qrs_onset_ms": None if ecg.qrs_onset_ms is None else float(ecg.qrs_onset_ms),
        "source": ecg.source,
    }
