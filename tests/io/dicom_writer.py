"""DICOM MR files for tests, written with pydicom: any facts, any packing, UK Biobank's archives, enhanced files."""

import zipfile
from collections.abc import Iterable, Mapping
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pydicom
from numpy.typing import ArrayLike, NDArray
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.sequence import Sequence
from pydicom.uid import UID, EnhancedMRImageStorage, ExplicitVRLittleEndian, MRImageStorage, generate_uid

from napari_latent_explorer.data.cine import CineMRI

SHORT_AXIS = (np.array([0.0, 0.6, -0.8]), np.array([-0.74, -0.54, -0.4]))
"""Directions of rows and columns of slices across a usual long axis."""


def image(pixels: ArrayLike, position_mm: ArrayLike = (10.0, 20.0, 30.0), **facts: Any) -> Dataset:
    """One MR image; facts overrule what is written otherwise, None removes."""
    stored = np.asarray(pixels)
    dataset = Dataset()
    dataset.file_meta = FileMetaDataset()
    dataset.SOPClassUID, dataset.SOPInstanceUID = MRImageStorage, generate_uid()
    dataset.StudyInstanceUID, dataset.SeriesInstanceUID, dataset.FrameOfReferenceUID = "1.2", "1.2.3", "1.2.9"
    dataset.Modality = "MR"
    dataset.ImageType = ["ORIGINAL", "PRIMARY", "M", "RETRO"]
    across = np.cross(*SHORT_AXIS)
    columns = np.cross(across, SHORT_AXIS[0])
    dataset.ImageOrientationPatient = [*SHORT_AXIS[0], *(columns / np.linalg.norm(columns)).round(9)]
    dataset.ImagePositionPatient = [f"{value:.6f}" for value in np.asarray(position_mm, dtype=float)]
    dataset.PixelSpacing, dataset.SliceThickness = [2.0, 1.5], 8
    dataset.Rows, dataset.Columns = stored.shape
    dataset.SamplesPerPixel, dataset.PhotometricInterpretation = 1, "MONOCHROME2"
    bits = 8 * stored.dtype.itemsize
    dataset.BitsAllocated, dataset.BitsStored, dataset.HighBit = bits, bits, bits - 1
    dataset.PixelRepresentation = int(stored.dtype.kind == "i")
    dataset.PixelData = stored.tobytes()
    for name, value in facts.items():
        if value is None and name in dataset:
            delattr(dataset, name)
        elif value is not None:
            setattr(dataset, name, value)
    return dataset


def normal() -> NDArray[np.float64]:
    """Unit vector across the images of `image`."""
    directions = np.array(image(np.zeros((2, 2), np.uint16)).ImageOrientationPatient, dtype=float)
    return np.cross(directions[:3], directions[3:])


def pixels_of(slice_index: int, frame: int) -> NDArray[np.uint16]:
    """Pixels that tell where they belong."""
    return np.full((3, 4), 100 * slice_index + frame, dtype=np.uint16) + np.arange(4, dtype=np.uint16) * 1000


def stack(
    n_slices: int = 3, n_frames: int = 4, step_mm: float = 10.0, is_series_per_slice: bool = False, **facts: Any
) -> list[Dataset]:
    """Images of a cine, slice by slice."""
    images = []
    for index in range(n_slices):
        for frame in range(n_frames):
            own: dict[str, Any] = {
                "TriggerTime": f"{frame * 800 / n_frames:.3f}",
                "NominalInterval": 800,
                "InstanceNumber": frame + 1 if is_series_per_slice else index * n_frames + frame + 1,
                "SeriesInstanceUID": f"1.2.{index + 10}" if is_series_per_slice else "1.2.3",
            }
            position = np.array([10.0, 20.0, 30.0]) + normal() * step_mm * index
            images.append(image(pixels_of(index, frame), position, **{**own, **facts}))
    return images


def expected(n_slices: int = 3, n_frames: int = 4) -> NDArray[np.uint16]:
    """Frames ``(n_frames, n_slices, 3, 4)`` of `stack`."""
    return np.array([[pixels_of(index, frame) for index in range(n_slices)] for frame in range(n_frames)])


def content(dataset: Dataset, syntax: str = ExplicitVRLittleEndian, has_meta: bool = True) -> bytes:
    """A dataset as the bytes of a file."""
    stream = BytesIO()
    uid = UID(syntax)
    if not has_meta:
        bare = Dataset({element.tag: element for element in dataset})
        bare.save_as(stream, implicit_vr=uid.is_implicit_VR, little_endian=uid.is_little_endian)
        return stream.getvalue()
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID = dataset.get("SOPClassUID", MRImageStorage)
    meta.MediaStorageSOPInstanceUID = dataset.get("SOPInstanceUID", generate_uid())
    meta.TransferSyntaxUID = uid
    dataset.file_meta = meta
    pydicom.dcmwrite(stream, dataset, enforce_file_format=True)
    return stream.getvalue()


def save(folder: Path, datasets: Iterable[Dataset], prefix: str = "") -> list[Path]:
    """Write datasets as numbered files."""
    folder.mkdir(parents=True, exist_ok=True)
    paths = []
    for number, dataset in enumerate(datasets):
        paths.append(folder / f"{prefix}{number:04d}.dcm")
        paths[-1].write_bytes(content(dataset))
    return paths


def zipped(path: Path, datasets: Iterable[Dataset], others: Mapping[str, bytes] | None = None) -> Path:
    """Write datasets into an archive, flat, named by UID as UK Biobank does."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for dataset in datasets:
            archive.writestr(f"{dataset.SOPInstanceUID}.dcm", content(dataset))
        for name, text in (others or {}).items():
            archive.writestr(name, text)
    return path


def cine_images(cine: CineMRI, description: str, is_series_per_slice: bool = False, **facts: Any) -> list[Dataset]:
    """Images of a cine (integer signal) as a scanner would write them; each series has a name of its own."""
    images = []
    for index in range(cine.frames.shape[1]):
        name = f"{description}_b{index + 1}" if is_series_per_slice else description
        uid = generate_uid(entropy_srcs=[cine.source, name])
        for frame, pixels in enumerate(cine.frames[:, index]):
            row_mm, column_mm = (np.linalg.norm(cine.affine[:3, axis]) for axis in (1, 2))
            own: dict[str, Any] = {
                "SeriesInstanceUID": uid,
                "SeriesDescription": name,
                "TriggerTime": f"{cine.frame_times_ms[frame]:.4f}",
                "NominalInterval": round(cine.rr_interval_ms),
                "CardiacNumberOfImages": len(cine.frames),
                "InstanceNumber": frame + 1,
                "ImageOrientationPatient": [
                    f"{value:.9f}" for value in (*cine.affine[:3, 2] / column_mm, *cine.affine[:3, 1] / row_mm)
                ],
                "PixelSpacing": [f"{row_mm:.6f}", f"{column_mm:.6f}"],
                "SliceThickness": f"{min(cine.spacing_mm[0], 8.0):.3f}",
            }
            position = (cine.affine @ [index, 0, 0, 1])[:3]
            images.append(image(pixels, position, **{**own, **facts}))
    return images


def enhanced(images: list[Dataset], **facts: Any) -> Dataset:
    """Pack images into one enhanced multi-frame file, with the facts that differ per frame in functional groups."""
    first = images[0]
    whole = Dataset()
    for name in ("StudyInstanceUID", "SeriesInstanceUID", "FrameOfReferenceUID", "Modality", "Rows", "Columns"):
        setattr(whole, name, getattr(first, name))
    whole.SOPClassUID, whole.SOPInstanceUID = EnhancedMRImageStorage, generate_uid()
    whole.SamplesPerPixel, whole.PhotometricInterpretation = 1, "MONOCHROME2"
    for name in ("BitsAllocated", "BitsStored", "HighBit", "PixelRepresentation"):
        setattr(whole, name, getattr(first, name))
    whole.NumberOfFrames = len(images)
    whole.PixelData = b"".join(one.PixelData for one in images)
    shared = Dataset()
    shared.PixelMeasuresSequence = [group(PixelSpacing=first.PixelSpacing, SliceThickness=first.SliceThickness)]
    shared.PlaneOrientationSequence = [group(ImageOrientationPatient=first.ImageOrientationPatient)]
    whole.SharedFunctionalGroupsSequence = Sequence([shared])
    frames = []
    for one in images:
        frame = Dataset()
        frame.PlanePositionSequence = [group(ImagePositionPatient=one.ImagePositionPatient)]
        if "TriggerTime" in one:
            frame.CardiacSynchronizationSequence = [
                group(
                    NominalCardiacTriggerDelayTime=float(one.TriggerTime),
                    RRIntervalTimeNominal=float(one.NominalInterval),
                )
            ]
        frames.append(frame)
    whole.PerFrameFunctionalGroupsSequence = Sequence(frames)
    for name, value in facts.items():
        setattr(whole, name, value)
    return whole


def group(**facts: Any) -> Dataset:
    """Item of a functional group."""
    item = Dataset()
    for name, value in facts.items():
        setattr(item, name, value)
    return item
