"""Recordings written as files that other programs read: a cine as a DICOM series, an ECG as a WFDB record.

Meant for recordings that may be passed on (simulated or decoded ones): nothing of a person but the given description is
written, and identifiers are derived from the content, so that the same recording always makes the same files.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from napari_latent_explorer.data.cine import CineMRI
from napari_latent_explorer.data.ecg import ECG

_SIGNAL_BITS = 12
_ECG_UNITS_PER_MV = 1000.0  # 1 uV a step


def write_cine_dicom(cine: CineMRI, folder: Path, description: str) -> list[Path]:
    """Write each frame of each slice as one MR Image file and return the files.

    Parameters
    ----------
    cine
        What to write; its signal is scaled to 12 bits, which `RescaleSlope` undoes.
    folder
        Made if it is not there.
    description
        Series description, also the patient's name and id.
    """
    folder.mkdir(parents=True, exist_ok=True)
    lowest, highest = float(cine.frames.min()), float(cine.frames.max())
    slope = max(highest - lowest, 1e-6) / (2**_SIGNAL_BITS - 1)
    files = []
    for number, (frame, slice_) in enumerate(np.ndindex(cine.frames.shape[:2]), 1):
        pixels = np.round((cine.frames[frame, slice_] - lowest) / slope).astype(np.uint16)
        dataset = _image_dataset(cine, frame, slice_, number, description)
        dataset.RescaleSlope, dataset.RescaleIntercept = f"{slope:.8g}", f"{lowest:.8g}"
        dataset.PixelData = pixels.tobytes()
        file = folder / f"slice_{slice_ + 1:02d}_frame_{frame + 1:02d}.dcm"
        dataset.save_as(file, enforce_file_format=True)
        files.append(file)
    return files


def write_ecg_wfdb(ecg: ECG, folder: Path, name: str) -> Path:
    """Write an ECG as ``name.hea`` and ``name.dat`` (16 bits, 1 uV a step) and return the header."""
    import wfdb

    folder.mkdir(parents=True, exist_ok=True)
    wfdb.wrsamp(
        name,
        fs=ecg.sampling_rate_hz,
        units=["mV"] * len(ecg.lead_names),
        sig_name=list(ecg.lead_names),
        p_signal=ecg.signal_mv.T.astype(np.float64),
        fmt=["16"] * len(ecg.lead_names),
        adc_gain=[_ECG_UNITS_PER_MV] * len(ecg.lead_names),
        baseline=[0] * len(ecg.lead_names),
        comments=_comments(ecg),
        write_dir=str(folder),
    )
    return folder / f"{name}.hea"


def _comments(ecg: ECG) -> list[str]:
    """Source, and what WFDB has no field for; `read_ecg_wfdb` understands it."""
    comments = [ecg.source] if ecg.source else []
    if ecg.kind == "median":
        comments.append("kind: median")
        comments += [] if ecg.qrs_onset_ms is None else [f"qrs_onset_ms: {ecg.qrs_onset_ms:g}"]
    return comments


def _image_dataset(cine: CineMRI, frame: int, slice_: int, number: int, description: str) -> Any:
    """Everything of one MR Image but its pixels."""
    from pydicom.dataset import Dataset, FileMetaDataset
    from pydicom.uid import ExplicitVRLittleEndian, MRImageStorage

    study_uid, series_uid, image_uid = _uids(description, number)
    dataset = Dataset()
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    dataset.file_meta.MediaStorageSOPClassUID = MRImageStorage
    dataset.file_meta.MediaStorageSOPInstanceUID = image_uid
    dataset.SOPClassUID, dataset.SOPInstanceUID = MRImageStorage, image_uid
    dataset.StudyInstanceUID, dataset.SeriesInstanceUID = study_uid, series_uid
    dataset.Modality, dataset.SeriesDescription = "MR", description
    dataset.PatientName = dataset.PatientID = description
    dataset.InstanceNumber = number
    dataset.TriggerTime = f"{cine.frame_times_ms[frame]:.3f}"
    dataset.NominalInterval = str(round(cine.rr_interval_ms))
    slice_mm, row_mm, column_mm = cine.spacing_mm
    along_slice, along_rows, along_columns = (cine.affine[:3, axis] for axis in range(3))
    position = cine.affine[:3, 3] + slice_ * along_slice
    dataset.ImagePositionPatient = [f"{value:.5f}" for value in position]
    # DICOM's first direction is the one in which the column index grows.
    directions = np.concatenate([along_columns / column_mm, along_rows / row_mm])
    dataset.ImageOrientationPatient = [f"{value:.7f}" for value in directions]
    dataset.PixelSpacing = [f"{row_mm:.5f}", f"{column_mm:.5f}"]
    dataset.SliceThickness = dataset.SpacingBetweenSlices = f"{slice_mm:.5f}"
    dataset.Rows, dataset.Columns = cine.frames.shape[2:]
    dataset.SamplesPerPixel, dataset.PhotometricInterpretation = 1, "MONOCHROME2"
    dataset.BitsAllocated, dataset.BitsStored, dataset.HighBit = 16, _SIGNAL_BITS, _SIGNAL_BITS - 1
    dataset.PixelRepresentation = 0
    return dataset


def _uids(description: str, number: int) -> Iterator[Any]:
    """UIDs of the study, the series and one image, the same for the same description."""
    from pydicom.uid import generate_uid

    for part in ("study", "series", f"image {number}"):
        yield generate_uid(entropy_srcs=["napari-latent-explorer", description, part])
