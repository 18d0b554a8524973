"""The facts of one DICOM MR image that a cine is put together from.

An image is a single-frame file, or one frame of a multi-frame file (`dicom_enhanced.py`); from here on there is no
difference. Only what says where, when and how the image was taken is kept.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import hypot
from operator import mul

import numpy as np
from numpy.typing import NDArray

from napari_latent_explorer.errors import RecordingError
from napari_latent_explorer.io.dicom_file import DicomValues
from napari_latent_explorer.io.dicom_pixels import PackedPixels, packed_pixels
from napari_latent_explorer.io.source_file import SourceFile

MR_IMAGE = "1.2.840.10008.5.1.4.1.1.4"
_NOT_MAGNITUDE = {
    "P": "phase",
    "PHASE": "phase",
    "PHASE MAP": "phase",
    "VELOCITY": "velocity",
    "VELOCITY MAP": "velocity",
    "R": "real part",
    "REAL": "real part",
    "I": "imaginary part",
    "IMAGINARY": "imaginary part",
}
_REQUIRED = ("SeriesInstanceUID", "ImageOrientationPatient", "ImagePositionPatient", "PixelSpacing")
_MAX_MM = 10_000.0
_DIRECTION_ERROR = 1e-2
_MIN_MM = 1e-3
_MAX_RESCALE = 1e30
_PHILIPS_PHASE = ("PhilipsPhaseNumber",)


class NotMrImageError(RecordingError):
    """A DICOM file that holds something else than MR images: a waveform, a report, an index."""


@dataclass(frozen=True, slots=True)
class PhaseTiming:
    """What an image tells about its time in the heart cycle.

    Attributes
    ----------
    trigger_time_ms
        `TriggerTime`, after the R peak; in multi-frame files the nominal delay after it.
    trigger_delay_ms
        `NominalCardiacTriggerDelayTime` or the actual one.
    phase_number
        Rank among the phases: Philips' phase number, or the temporal position.
    reference_time_ms
        `FrameReferenceTime`, since the start of the series.
    n_phases
        How many phases the scanner meant to take.
    rr_interval_ms
        Length of the heart cycle as the scanner noted it.
    """

    trigger_time_ms: float | None = None
    trigger_delay_ms: float | None = None
    phase_number: int | None = None
    reference_time_ms: float | None = None
    n_phases: int | None = None
    rr_interval_ms: float | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Placement:
    """Where an image lies in the patient (LPS, mm).

    Attributes
    ----------
    position_mm
        ``(3,)`` centre of the first pixel.
    row_direction, column_direction
        ``(3,)`` unit vectors along which the column index and the row index grow.
    spacing_mm
        Distance between neighbouring rows and between neighbouring columns.
    thickness_mm
        Slice thickness, or the distance between slices where it is given.
    """

    position_mm: NDArray[np.float64]
    row_direction: NDArray[np.float64]
    column_direction: NDArray[np.float64]
    spacing_mm: tuple[float, float]
    thickness_mm: float

    @property
    def normal(self) -> NDArray[np.float64]:
        """Unit vector ``(3,)`` across the image."""
        return np.cross(self.row_direction, self.column_direction)


@dataclass(frozen=True, slots=True)
class Origin:
    """What an image belongs to, and when it was taken.

    Attributes
    ----------
    dicom_study_uid, series_uid, frame_of_reference_uid, image_uid
        UIDs; empty when they are missing.
    series_description
        What somebody typed about the series.
    series_number, acquisition_number, instance_number
        Numbers of the scanner; None when they are missing.
    acquired
        Date and time as text that sorts by them.
    is_original
        Whether it was measured, not computed from other images.
    component
        ``magnitude``, or what else of the signal it shows.
    echo
        Number of its echo.
    inversion_time_ms
        Time after an inversion pulse; None when there was none.
    """

    dicom_study_uid: str
    series_uid: str
    frame_of_reference_uid: str
    image_uid: str
    series_description: str = ""
    series_number: int | None = None
    acquisition_number: int | None = None
    instance_number: int | None = None
    acquired: str = ""
    is_original: bool = True
    component: str = "magnitude"
    echo: int = 1
    inversion_time_ms: float | None = None


@dataclass(frozen=True, slots=True, eq=False)
class DicomImage:
    """One image without its pixels.

    Attributes
    ----------
    file, frame_index
        The file, and which of its frames.
    origin, placement, timing
        What it belongs to, where it lies, when in the heart cycle it was taken.
    pixels
        Packed pixels of all frames of its file.
    rescale_slope, rescale_intercept
        From stored numbers to signal.
    """

    file: SourceFile
    frame_index: int
    origin: Origin
    placement: Placement
    timing: PhaseTiming
    pixels: PackedPixels
    rescale_slope: float
    rescale_intercept: float

    @property
    def name(self) -> str:
        """File for messages, with the frame where it has several."""
        return f"{self.file} (frame {self.frame_index + 1})" if self.pixels.n_frames > 1 else str(self.file)

    @property
    def has_rescale(self) -> bool:
        """Whether signal differs from stored numbers."""
        return (self.rescale_slope, self.rescale_intercept) != (1.0, 0.0)


def read_image(values: DicomValues) -> DicomImage:
    """Take the facts of a single-frame MR image from its file's values.

    Raises
    ------
    RecordingError
        When facts are missing (all of them are named) or cannot be true.
    """
    pixels = packed_pixels(values)
    if pixels.n_frames != 1:
        raise RecordingError(
            f"{values.file} claims to be one image and to have {pixels.n_frames} frames. Export the series again."
        )
    return image_of(values, pixels)


def image_of(values: DicomValues, pixels: PackedPixels, frame_index: int = 0) -> DicomImage:
    """Take the facts of one image, or of one frame of many.

    Raises
    ------
    RecordingError
        When facts are missing (all of them are named) or cannot be true.
    """
    missing = [name for name in _REQUIRED if not values.text(name)]
    if missing:
        raise RecordingError(
            f"Cannot place {values.file} in space: it lacks {', '.join(missing)}. Export the series again with its "
            "geometry."
        )
    slope = values.number("RescaleSlope")
    if slope == 0.0:
        raise RecordingError(f"{values.file} has a RescaleSlope of 0, which leaves no signal. Export it again.")
    intercept = values.number("RescaleIntercept") or 0.0
    if max(abs(slope or 0.0), abs(intercept)) > _MAX_RESCALE:
        raise RecordingError(
            f"{values.file} rescales its pixels by {slope} and {intercept}, beyond all numbers. Export it again."
        )
    return DicomImage(
        file=values.file,
        frame_index=frame_index,
        origin=_origin_of(values),
        placement=placement_of(values),
        timing=timing_of(values),
        pixels=pixels,
        rescale_slope=1.0 if slope is None else slope,
        rescale_intercept=intercept,
    )


def _origin_of(values: DicomValues) -> Origin:
    written = values.text("FrameType") or values.text("ImageType")
    image_type = [word.strip().upper() for word in written.split("\\")]
    component = values.text("ComplexImageComponent").upper()
    words = [component] if component not in ("", "MIXED") else image_type[2:]
    return Origin(
        dicom_study_uid=values.text("StudyInstanceUID"),
        series_uid=values.text("SeriesInstanceUID"),
        frame_of_reference_uid=values.text("FrameOfReferenceUID"),
        image_uid=values.text("SOPInstanceUID"),
        series_description=values.described("SeriesDescription"),
        series_number=values.integer("SeriesNumber"),
        acquisition_number=values.integer("AcquisitionNumber"),
        instance_number=values.integer("InstanceNumber"),
        acquired=_acquired(values),
        is_original=image_type[0] != "DERIVED",
        component=next((_NOT_MAGNITUDE[word] for word in words if word in _NOT_MAGNITUDE), "magnitude"),
        echo=values.integer("EchoNumbers") or 1,
        inversion_time_ms=values.number("InversionTime"),
    )


def placement_of(values: DicomValues) -> Placement:
    """Take where an image lies.

    Raises
    ------
    RecordingError
        When numbers are missing or cannot be true.
    """
    position, orientation = values.numbers("ImagePositionPatient"), values.numbers("ImageOrientationPatient")
    spacing = values.numbers("PixelSpacing")
    thickness = values.number("SpacingBetweenSlices") or values.number("SliceThickness")
    problems = []
    if len(position) != 3 or max(map(abs, position)) > _MAX_MM:
        problems.append(f"ImagePositionPatient is {position}")
    if len(orientation) != 6 or not _are_directions(orientation):
        problems.append(f"ImageOrientationPatient is {orientation}, expected two unit vectors at a right angle")
    if len(spacing) != 2 or not all(_MIN_MM <= step <= _MAX_MM for step in spacing):
        problems.append(f"PixelSpacing is {spacing}, expected two positive numbers")
    if thickness is not None and not _MIN_MM <= abs(thickness) <= _MAX_MM:
        problems.append(f"the slice thickness is {thickness}")
    if problems:
        raise RecordingError(f"Cannot place {values.file} in space: {'; '.join(problems)}. Export the series again.")
    first, second = np.array(orientation[:3]), np.array(orientation[3:])
    return Placement(
        position_mm=np.array(position),
        row_direction=first / hypot(*orientation[:3]),
        column_direction=second / hypot(*orientation[3:]),
        spacing_mm=(spacing[0], spacing[1]),
        thickness_mm=abs(thickness or 1.0),
    )


def _are_directions(orientation: Sequence[float]) -> bool:
    first, second = orientation[:3], orientation[3:]
    lengths = hypot(*first), hypot(*second)
    at_right_angle = abs(sum(map(mul, first, second))) < _DIRECTION_ERROR
    return at_right_angle and all(abs(length - 1.0) < _DIRECTION_ERROR for length in lengths)


def _acquired(values: DicomValues) -> str:
    stamp = values.text("AcquisitionDateTime")
    return stamp or values.text("AcquisitionDate") + (values.text("AcquisitionTime") or values.text("SeriesTime"))


def timing_of(values: DicomValues) -> PhaseTiming:
    """Take what an image tells about its time in the heart cycle."""
    is_philips = values.text("PhilipsCreator").startswith("Philips")
    return PhaseTiming(
        trigger_time_ms=values.number("TriggerTime"),
        trigger_delay_ms=_first(values, "NominalCardiacTriggerDelayTime", "ActualCardiacTriggerDelayTime"),
        phase_number=_whole(
            _first(
                values, *(_PHILIPS_PHASE if is_philips else ()), "TemporalPositionIdentifier", "TemporalPositionIndex"
            )
        ),
        reference_time_ms=values.number("FrameReferenceTime"),
        n_phases=_whole(_first(values, "CardiacNumberOfImages", "NumberOfTemporalPositions")),
        rr_interval_ms=_rr_interval_of(values),
    )


def _rr_interval_of(values: DicomValues) -> float | None:
    interval_ms = _first(values, "NominalInterval", "RRIntervalTimeNominal")
    rate_bpm = values.number("HeartRate")
    if rate_bpm and not _is_heart_cycle(interval_ms):
        interval_ms = 60_000.0 / rate_bpm
    return interval_ms if _is_heart_cycle(interval_ms) else None


def _is_heart_cycle(interval_ms: float | None) -> bool:
    return interval_ms is not None and 200.0 <= interval_ms <= 4000.0  # 15 to 300 beats per minute


def _first(values: DicomValues, *names: str) -> float | None:
    return next((number for name in names if (number := values.number(name)) is not None), None)


def _whole(number: float | None) -> int | None:
    return None if number is None else int(number)
