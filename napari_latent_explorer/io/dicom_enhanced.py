"""Images from enhanced multi-frame MR files, also those that were converted from single frames.

Each frame's facts lie in functional groups: its own, those that it shares with all frames, and the attributes that a
converter could not assign. They are laid over one another, the most particular first, and then read like the values of
a single-frame file.
"""

from dataclasses import replace

from napari_latent_explorer.errors import RecordingError
from napari_latent_explorer.io.dicom_file import DicomValues
from napari_latent_explorer.io.dicom_image import DicomImage, image_of
from napari_latent_explorer.io.dicom_pixels import PackedPixels, packed_pixels

ENHANCED_MR = ("1.2.840.10008.5.1.4.1.1.4.1", "1.2.840.10008.5.1.4.1.1.4.4")
"""Enhanced MR Image Storage, Legacy Converted Enhanced MR Image Storage."""
_GROUPS = (
    "PlanePositionSequence",
    "PlaneOrientationSequence",
    "PixelMeasuresSequence",
    "FrameContentSequence",
    "CardiacSynchronizationSequence",
    "PixelValueTransformationSequence",
    "MRImageFrameTypeSequence",
    "UnassignedPerFrameConvertedAttributesSequence",
    "UnassignedSharedConvertedAttributesSequence",
)
_MAX_FRAMES = 20_000


def read_enhanced_images(values: DicomValues) -> tuple[DicomImage, ...]:
    """Take the facts of every frame of an enhanced multi-frame MR file.

    Raises
    ------
    RecordingError
        When facts are missing or cannot be true.
    """
    pixels = packed_pixels(values)
    frames = values.items("PerFrameFunctionalGroupsSequence")
    if not frames:
        raise RecordingError(
            f"{values.file} has {pixels.n_frames} frames and does not describe them (no functional groups): neither "
            "where they lie nor their cardiac timing. Export the series again, or as one file per frame."
        )
    if len(frames) != pixels.n_frames or pixels.n_frames > _MAX_FRAMES:
        raise RecordingError(
            f"{values.file} claims {pixels.n_frames} frames and describes {len(frames)} (at most {_MAX_FRAMES} are "
            "read). It is damaged; export it again."
        )
    shared = [group for item in values.items("SharedFunctionalGroupsSequence") for group in _groups_of(item)]
    return tuple(
        _frame(index, replace(values, layers=()).over(*_groups_of(frame), *shared, values), pixels)
        for index, frame in enumerate(frames)
    )


def _groups_of(item: DicomValues) -> list[DicomValues]:
    return [group for name in _GROUPS for group in item.items(name)]


def _frame(index: int, values: DicomValues, pixels: PackedPixels) -> DicomImage:
    image = image_of(values, pixels, index)
    return replace(image, origin=replace(image.origin, instance_number=index + 1))
