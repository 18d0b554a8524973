"""The facts of one DICOM MR image that a cine is put together from.

Only what says where, when and how the image was taken is kept; names and other private facts are never read into it.
Values that break DICOM's rules for their spelling (leading zeros in UIDs, dates of zeros) are common and harmless, so
their spelling is not checked.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_latent_explorer.errors import RecordingError

MR_IMAGE = "1.2.840.10008.5.1.4.1.1.4"
_NOT_YET = {
    "1.2.840.10008.5.1.4.1.1.4.1": "an enhanced multi-frame MR image",
    "1.2.840.10008.5.1.4.1.1.9.1.1": "a 12-lead ECG waveform",
    "1.2.840.10008.5.1.4.1.1.9.1.2": "an ECG waveform",
}
_REQUIRED = ("SeriesInstanceUID", "ImageOrientationPatient", "ImagePositionPatient", "PixelSpacing", "Rows", "Columns")
_MAX_SIDE = 4096


class NotMrImageError(RecordingError):
    """A DICOM file that holds something else than one MR image: a waveform, a report, a multi-frame object."""


@dataclass(frozen=True, slots=True, eq=False)
class DicomImage:
    """One image without its pixels.

    Attributes
    ----------
    path
        File.
    series_uid, series_description
        Series that it belongs to, and what somebody typed about it.
    position_mm
        ``(3,)`` centre of the first pixel, LPS.
    row_direction, column_direction
        ``(3,)`` unit vectors along which the column index and the row index grow, LPS.
    spacing_mm
        Distance between neighbouring rows and between neighbouring columns.
    thickness_mm
        Slice thickness, or the distance between slices where it is given.
    n_rows, n_columns
        Size.
    trigger_time_ms
        Time after the R peak; None when the image is not gated.
    rr_interval_ms
        Length of the heart cycle as the scanner noted it; None when it did not.
    rescale_slope, rescale_intercept
        From stored numbers to signal.
    """

    path: Path
    series_uid: str
    series_description: str
    position_mm: NDArray[np.float64]
    row_direction: NDArray[np.float64]
    column_direction: NDArray[np.float64]
    spacing_mm: tuple[float, float]
    thickness_mm: float
    n_rows: int
    n_columns: int
    trigger_time_ms: float | None
    rr_interval_ms: float | None
    rescale_slope: float
    rescale_intercept: float

    @property
    def normal(self) -> NDArray[np.float64]:
        """Unit vector ``(3,)`` across the image, LPS."""
        return np.cross(self.row_direction, self.column_direction)


def has_dicom_mark(path: Path) -> bool:
    """Whether the file has DICOM's mark after its preamble; False when it cannot be read."""
    try:
        with path.open("rb") as stream:
            stream.seek(128)
            return stream.read(4) == b"DICM"
    except OSError:
        return False


def read_image_facts(path: Path) -> DicomImage:
    """Read everything but the pixels of one MR image.

    Raises
    ------
    NotMrImageError
        When it holds something else.
    RecordingError
        When the file is damaged, or lacks facts (all of them are named).
    """
    with _values_as_spelt(path):  # pydicom converts a value when it is asked for
        dataset = _read_dataset(path, with_pixels=False)
        _refuse_other_images(path, dataset)
        return _facts(path, dataset)


def read_signal(image: DicomImage) -> NDArray[Any]:
    """Signal ``(n_rows, n_columns)``: stored integers, or float32 where a rescale applies."""
    with _values_as_spelt(image.path):
        dataset = _read_dataset(image.path, with_pixels=True)
        syntax = getattr(dataset.file_meta.get("TransferSyntaxUID"), "name", "unknown")
        try:
            stored = np.asarray(dataset.pixel_array)
        except Exception as damage:  # whatever pydicom or one of its decoders finds wrong with this one file
            raise RecordingError(
                f"Cannot read the pixels of {image.path} ({syntax}): {damage}. If the file is whole, export it "
                "uncompressed (Explicit VR Little Endian)."
            ) from damage
    if stored.shape != (image.n_rows, image.n_columns):
        raise RecordingError(
            f"{image.path} holds pixels of shape {stored.shape}, expected grey values of "
            f"{(image.n_rows, image.n_columns)}. Export the series as grey images."
        )
    if (image.rescale_slope, image.rescale_intercept) == (1.0, 0.0):
        return stored
    return (stored * image.rescale_slope + image.rescale_intercept).astype(np.float32)


@contextmanager
def _values_as_spelt(path: Path) -> Iterator[None]:
    import pydicom

    with pydicom.config.disable_value_validation():
        try:
            yield
        except RecordingError:
            raise
        except Exception as damage:  # pydicom raises many kinds for a damaged file
            raise RecordingError(f"{path} is not a whole DICOM file: {damage}. Copy or export it again.") from damage


def _read_dataset(path: Path, with_pixels: bool) -> Any:
    import pydicom

    return pydicom.dcmread(path, stop_before_pixels=not with_pixels)


def _refuse_other_images(path: Path, dataset: Any) -> None:
    sop_class = str(dataset.get("SOPClassUID", ""))
    if not sop_class:
        raise RecordingError(f"{path} does not say what it holds (SOPClassUID); it is damaged. Export it again.")
    if sop_class != MR_IMAGE:
        found = _NOT_YET.get(sop_class, f"of class {sop_class}")
        raise NotMrImageError(
            f"Cannot read {path} as part of a cine: it is {found}; single-frame MR images are read. Export the cine as "
            "one file per frame (`MR Image Storage`)."
        )
    missing = [name for name in _REQUIRED if dataset.get(name) in (None, "")]
    if missing:
        raise RecordingError(
            f"Cannot place {path} in space: it lacks {', '.join(missing)}. Export the series again with its geometry."
        )


def _facts(path: Path, dataset: Any) -> DicomImage:
    orientation = np.array([float(value) for value in dataset.ImageOrientationPatient])
    position = np.array([float(value) for value in dataset.ImagePositionPatient])
    spacing = [float(value) for value in dataset.PixelSpacing]
    n_rows, n_columns = int(dataset.Rows), int(dataset.Columns)
    if orientation.shape != (6,) or position.shape != (3,) or len(spacing) != 2 or min(spacing) <= 0:
        raise ValueError(f"orientation {orientation}, position {position}, pixel spacing {spacing}")
    if not (0 < n_rows <= _MAX_SIDE and 0 < n_columns <= _MAX_SIDE):
        raise ValueError(f"{n_rows} rows and {n_columns} columns")
    if not np.allclose([np.linalg.norm(orientation[:3]), np.linalg.norm(orientation[3:])], 1.0, atol=1e-2):
        raise ValueError(f"the orientation {orientation} is not made of unit vectors")
    thickness = _number(dataset, "SpacingBetweenSlices") or _number(dataset, "SliceThickness") or 1.0
    slope = _number(dataset, "RescaleSlope")
    return DicomImage(
        path=path,
        series_uid=str(dataset.SeriesInstanceUID),
        series_description=str(dataset.get("SeriesDescription", "") or "").strip(),
        position_mm=position,
        row_direction=orientation[:3] / np.linalg.norm(orientation[:3]),
        column_direction=orientation[3:] / np.linalg.norm(orientation[3:]),
        spacing_mm=(spacing[0], spacing[1]),
        thickness_mm=abs(thickness),
        n_rows=n_rows,
        n_columns=n_columns,
        trigger_time_ms=_number(dataset, "TriggerTime"),
        rr_interval_ms=_rr_interval_ms(dataset),
        rescale_slope=1.0 if slope is None else slope,
        rescale_intercept=_number(dataset, "RescaleIntercept") or 0.0,
    )


def _rr_interval_ms(dataset: Any) -> float | None:
    for name in ("NominalInterval", "RRIntervalTimeNominal"):
        interval_ms = _number(dataset, name)
        if interval_ms:
            return interval_ms
    rate_bpm = _number(dataset, "HeartRate")
    return 60_000.0 / rate_bpm if rate_bpm else None


def _number(dataset: Any, name: str) -> float | None:
    value = dataset.get(name)
    if value is None or value == "":
        return None
    number = float(value)
    if not np.isfinite(number):
        raise ValueError(f"{name} is {number}")
    return number
