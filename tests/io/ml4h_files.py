"""ml4h's HDF5 files for tests, written as its own code writes them (`ml4h/tensorize/tensor_writer_ukbb.py`)."""

from typing import Any

import h5py
import numpy as np

from napari_latent_explorer.data.cine import CineLabels, CineMRI
from napari_latent_explorer.data.ecg import ECG

FOUR_CHAMBERS, SHORT_AXIS = "cine_segmented_lax_4ch", "cine_segmented_sax_b"
PLACES = {"older": "{}/2/instance_0", "newer": "{}/instance_2"}
"""Where a series lies in the group of MRI."""


def put(root: h5py.File, name: str, values: Any, **packing: Any) -> None:
    if name in root:
        del root[name]
    root.create_dataset(name, data=values, **packing)


def put_cine(root: h5py.File, series: str, cine: CineMRI, place: str, slice_index: int = 0) -> None:
    """Rows x columns x frames as float32, gzipped, and the DICOM facts at the root."""
    name = "ukb_cardiac_mri/" + place.format(series)
    put(root, name, cine.frames[:, slice_index].transpose(1, 2, 0).astype("f4"), compression="gzip")
    directions = cine.affine[:3, :3] / np.linalg.norm(cine.affine[:3, :3], axis=0)
    put(root, f"mri_pixel_width_{series}", cine.spacing_mm[1])
    put(root, f"mri_pixel_height_{series}", cine.spacing_mm[2])
    put(root, f"mri_slice_thickness_{series}", 6.0 if cine.frames.shape[1] == 1 else 8.0)
    put(root, f"mri_patient_orientation_{series}", [*directions[:, 2], *directions[:, 1]])
    put(root, f"mri_patient_position_{series}", (cine.affine @ [slice_index, 0, 0, 1])[:3])


def put_labels(root: h5py.File, labels: CineLabels, frames: list[int], name: str = FOUR_CHAMBERS) -> None:
    for frame in frames:
        square = np.zeros((256, 256), dtype="f4")
        square[:48, :48] = labels.frames[frame, 0]
        put(root, f"ukb_cardiac_mri/{name}_annotated_{frame + 1}/instance_0", square, compression="gzip")


def put_ecg(root: h5py.File, ecg: ECG, kind: str = "median", place: str = "instance_0") -> None:
    for lead, signal_mv in zip(ecg.lead_names, ecg.signal_mv, strict=True):
        put(root, f"ukb_ecg_rest/{kind}_{lead}/{place}", np.round(signal_mv * 200.0).astype("f4"), compression="gzip")
