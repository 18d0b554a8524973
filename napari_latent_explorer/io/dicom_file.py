"""One DICOM file as a set of values, read so that no file can harm, warn, or raise more than one kind of error.

pydicom finds the elements; their values are taken as spelt, because values that break DICOM's rules of spelling
(leading zeros in UIDs, dates of zeros, padded numbers) are common and harmless, and only a few of a file's hundreds of
values are wanted: names and other private facts are never even looked at.

| what | how |
|---|---|
| preamble and file meta information missing | read where the first element is one that begins a dataset |
| explicit and implicit VR, little and big endian | as pydicom finds them |
| deflated | refused when it would inflate beyond the limit |
"""

import struct
import warnings
import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from io import BytesIO
from math import isfinite
from typing import Any

from napari_latent_explorer.errors import RecordingError, reason_of
from napari_latent_explorer.io.reading import MAX_RECORDING_BYTES
from napari_latent_explorer.io.source_file import SourceFile

HEAD_BYTES = 1024
"""Enough to see whether a file is DICOM and what class of object it holds."""

_TAGS: dict[str, tuple[int, str]] = {
    "SpecificCharacterSet": (0x00080005, "CS"),
    "ImageType": (0x00080008, "CS"),
    "SOPClassUID": (0x00080016, "UI"),
    "SOPInstanceUID": (0x00080018, "UI"),
    "AcquisitionDate": (0x00080022, "DA"),
    "AcquisitionDateTime": (0x0008002A, "DT"),
    "AcquisitionTime": (0x00080032, "TM"),
    "SeriesTime": (0x00080031, "TM"),
    "Modality": (0x00080060, "CS"),
    "SeriesDescription": (0x0008103E, "LO"),
    "FrameType": (0x00089007, "CS"),
    "ComplexImageComponent": (0x00089208, "CS"),
    "MRImageFrameTypeSequence": (0x00189226, "SQ"),
    "SliceThickness": (0x00180050, "DS"),
    "InversionTime": (0x00180082, "DS"),
    "EchoNumbers": (0x00180086, "IS"),
    "SpacingBetweenSlices": (0x00180088, "DS"),
    "TriggerTime": (0x00181060, "DS"),
    "NominalInterval": (0x00181062, "IS"),
    "HeartRate": (0x00181088, "IS"),
    "CardiacNumberOfImages": (0x00181090, "IS"),
    "CardiacSynchronizationTechnique": (0x00189037, "CS"),
    "CardiacSynchronizationSequence": (0x00189118, "SQ"),
    "CardiacCyclePosition": (0x00189236, "CS"),
    "StudyInstanceUID": (0x0020000D, "UI"),
    "SeriesInstanceUID": (0x0020000E, "UI"),
    "SeriesNumber": (0x00200011, "IS"),
    "AcquisitionNumber": (0x00200012, "IS"),
    "InstanceNumber": (0x00200013, "IS"),
    "ImagePositionPatient": (0x00200032, "DS"),
    "ImageOrientationPatient": (0x00200037, "DS"),
    "FrameOfReferenceUID": (0x00200052, "UI"),
    "TemporalPositionIdentifier": (0x00200100, "IS"),
    "NumberOfTemporalPositions": (0x00200105, "IS"),
    "PlanePositionSequence": (0x00209113, "SQ"),
    "PlaneOrientationSequence": (0x00209116, "SQ"),
    "UnassignedSharedConvertedAttributesSequence": (0x00209170, "SQ"),
    "UnassignedPerFrameConvertedAttributesSequence": (0x00209171, "SQ"),
    "FrameContentSequence": (0x00209111, "SQ"),
    "TemporalPositionIndex": (0x00209128, "UL"),
    "NominalCardiacTriggerDelayTime": (0x00209153, "FD"),
    "ActualCardiacTriggerDelayTime": (0x00209252, "FD"),
    "RRIntervalTimeNominal": (0x00209251, "FD"),
    "SamplesPerPixel": (0x00280002, "US"),
    "PhotometricInterpretation": (0x00280004, "CS"),
    "NumberOfFrames": (0x00280008, "IS"),
    "Rows": (0x00280010, "US"),
    "Columns": (0x00280011, "US"),
    "PixelSpacing": (0x00280030, "DS"),
    "PixelMeasuresSequence": (0x00289110, "SQ"),
    "BitsAllocated": (0x00280100, "US"),
    "BitsStored": (0x00280101, "US"),
    "HighBit": (0x00280102, "US"),
    "PixelRepresentation": (0x00280103, "US"),
    "PixelPaddingValue": (0x00280120, "US"),
    "RescaleIntercept": (0x00281052, "DS"),
    "RescaleSlope": (0x00281053, "DS"),
    "PixelValueTransformationSequence": (0x00289145, "SQ"),
    "MREchoSequence": (0x00189114, "SQ"),
    "FrameReferenceTime": (0x00541300, "DS"),
    "PhilipsCreator": (0x20010010, "LO"),
    "PhilipsPhaseNumber": (0x20011008, "IS"),
    "SharedFunctionalGroupsSequence": (0x52009229, "SQ"),
    "PerFrameFunctionalGroupsSequence": (0x52009230, "SQ"),
    "FloatPixelData": (0x7FE00008, "OF"),
    "DoubleFloatPixelData": (0x7FE00009, "OD"),
    "PixelData": (0x7FE00010, "OW"),
}

_WANTED = [tag for tag, _ in _TAGS.values()]
_PIXELS = ("PixelData", "FloatPixelData", "DoubleFloatPixelData")
_BINARY = {"US": "H", "SS": "h", "UL": "I", "SL": "i", "FD": "d", "FL": "f"}
_DEFLATED = b"1.2.840.10008.1.2.1.99"
_UNDEFINED_LENGTH = 0xFFFFFFFF
_META_LENGTH = struct.Struct("<HH2sHL")


class NotDicomError(RecordingError):
    """A file that is no DICOM file."""


@dataclass(frozen=True, slots=True, eq=False)
class DicomValues:
    """Values of one dataset, or of one frame of it.

    Attributes
    ----------
    file
        Where they come from, for messages.
    layers
        pydicom's elements by tag, the most particular first (of one frame, of all frames, of the file): a value is the
        first that is found.
    transfer_syntax
        UID of how the file and its pixels are written.
    """

    file: SourceFile
    layers: tuple[Mapping[int, Any], ...]
    transfer_syntax: str

    def text(self, name: str) -> str:
        """Value as text without padding, values joined by a backslash; empty when there is none."""
        element = self._element(name)
        if element is None or element.value is None:
            return ""
        value = element.value
        if isinstance(value, bytes):
            return value.decode("latin-1").strip(" \0\t\r\n")
        return str(value).strip()

    def described(self, name: str) -> str:
        """Text that somebody typed, in the file's own character set."""
        from pydicom.charset import convert_encodings, decode_bytes

        element = self._element(name)
        if element is None or not isinstance(element.value, bytes):
            return self.text(name)
        try:
            encodings = convert_encodings(self.text("SpecificCharacterSet").split("\\"))
            return str(decode_bytes(element.value, encodings, set())).strip(" \0\t\r\n")
        except Exception:  # pydicom raises many kinds for character sets that are not what they claim
            return self.text(name)

    def numbers(self, name: str) -> tuple[float, ...]:
        """All values as finite numbers; none when the element is missing or empty.

        Raises
        ------
        RecordingError
            When one of them is no finite number.
        """
        element = self._element(name)
        if element is None or element.value is None:
            return ()
        code = _BINARY.get(element.VR or _TAGS[name][1], _BINARY.get(_TAGS[name][1]) if element.VR == "UN" else None)
        if code is not None and isinstance(element.value, bytes):
            n_values = len(element.value) // struct.calcsize(code)
            order = "<" if element.is_little_endian else ">"
            numbers: tuple[float, ...] = struct.unpack_from(f"{order}{n_values}{code}", element.value)
        else:
            numbers = tuple(self._as_number(name, word) for word in self.text(name).split("\\") if word.strip())
        if not all(map(isfinite, numbers)):
            raise self._bad(name, numbers)
        return numbers

    def number(self, name: str) -> float | None:
        """First value as a finite number; None when there is none."""
        return next(iter(self.numbers(name)), None)

    def integer(self, name: str) -> int | None:
        """First value as a whole number; None when there is none."""
        number = self.number(name)
        return None if number is None else int(number)

    def items(self, name: str) -> tuple["DicomValues", ...]:
        """Items of a sequence; none when it is missing."""
        from pydicom.dataelem import RawDataElement, convert_raw_data_element

        element = self._element(name)
        with as_recording_errors(self.file):
            if isinstance(element, RawDataElement):
                element = convert_raw_data_element(element)
            items = () if element is None else element.value or ()
            return tuple(DicomValues(self.file, (_by_tag(item),), self.transfer_syntax) for item in items)

    def over(self, *others: "DicomValues") -> "DicomValues":
        """Lay these values over others, which are looked at where these have none."""
        return replace(self, layers=self.layers + tuple(layer for other in others for layer in other.layers))

    def pixels(self) -> tuple[str, bytes]:
        """Which element holds the pixels, and its bytes; empty when there are none."""
        for name in _PIXELS:
            element = self._element(name)
            if element is not None and isinstance(element.value, bytes):
                return name, element.value
        return "PixelData", b""

    def refuse_cut_off(self) -> None:
        """Refuse a file that ends within a value (of the pixels, their own reader tells more).

        Raises
        ------
        RecordingError
            When one has fewer bytes than it claims.
        """
        pixels = {_TAGS[name][0] for name in _PIXELS}
        for tag, element in self.layers[-1].items():
            value = element.value
            if isinstance(value, bytes) and tag not in pixels and len(value) < element.length < _UNDEFINED_LENGTH:
                raise RecordingError(
                    f"{self.file} is cut off within ({tag >> 16:04X},{tag & 0xFFFF:04X}). Copy it again."
                )

    def _element(self, name: str) -> Any:
        tag = _TAGS[name][0]
        for layer in self.layers:
            if tag in layer:
                return layer[tag]
        return None

    def _as_number(self, name: str, word: str) -> float:
        try:
            return float(word)
        except ValueError as damage:
            raise self._bad(name, word) from damage

    def _bad(self, name: str, found: object) -> RecordingError:
        return RecordingError(
            f"{self.file} is not a whole DICOM file: its {name} is {found!r}, expected numbers. Copy or export it "
            "again."
        )


def looks_like_dicom(head: bytes) -> bool:
    """Whether a file's first bytes are those of a DICOM file, with or without preamble."""
    if head[128:132] == b"DICM":
        return True
    if len(head) < 16:
        return False
    for order in "<>":
        group, element, vr, short = struct.unpack(f"{order}HH2sH", head[:8])
        if group in (0x0002, 0x0008) and element in (0x0000, 0x0001, 0x0002, 0x0005, 0x0008, 0x0012, 0x0016):
            length = struct.unpack(f"{order}I", head[4:8])[0]
            return bool((vr.isalpha() and vr.isupper() and short < 1024) or length < 1024)
    return False


def parse_dicom(file: SourceFile, content: bytes) -> DicomValues:
    """Find the elements in a file's content.

    Raises
    ------
    NotDicomError
        When it does not begin like a DICOM file.
    RecordingError
        When it is damaged beyond reading.
    """
    if not looks_like_dicom(content[:HEAD_BYTES]):
        raise NotDicomError(f"{file} is no DICOM file ({len(content)} bytes).")
    import pydicom

    with as_recording_errors(file):
        if _DEFLATED in content[:HEAD_BYTES]:
            _refuse_inflation(file, content)
        dataset = pydicom.dcmread(BytesIO(content), force=True, specific_tags=_WANTED)
        return DicomValues(file, (_by_tag(dataset),), _transfer_syntax(dataset))


@contextmanager
def quiet_pydicom() -> Iterator[None]:
    """Let pydicom and its decoders neither check the spelling of values nor warn."""
    import pydicom

    with warnings.catch_warnings(), pydicom.config.disable_value_validation():
        warnings.simplefilter("ignore")
        yield


@contextmanager
def as_recording_errors(file: SourceFile) -> Iterator[None]:
    """Turn whatever pydicom raises for a damaged file into a `RecordingError` that names it."""
    try:
        yield
    except RecordingError:
        raise
    except Exception as damage:  # pydicom raises many kinds for a damaged file
        raise RecordingError(
            f"{file} is not a whole DICOM file: {reason_of(damage)}. Copy or export it again."
        ) from damage


def _by_tag(dataset: Any) -> dict[int, Any]:
    return {int(element.tag): element for element in dataset.elements()}


def _transfer_syntax(dataset: Any) -> str:
    """UID that the file states; where it has no meta information, what pydicom found it to be."""
    stated = str(dataset.file_meta.get("TransferSyntaxUID", "") or "").strip()
    if stated:
        return stated
    is_implicit, is_little_endian = dataset.original_encoding
    if not is_little_endian:
        return "1.2.840.10008.1.2.2"
    return "1.2.840.10008.1.2" if is_implicit else "1.2.840.10008.1.2.1"


def _refuse_inflation(file: SourceFile, content: bytes) -> None:
    """Inflate a deflated dataset in small steps, as pydicom would do it without any limit."""
    _, _, _, _, n_meta_bytes = _META_LENGTH.unpack(content[132:144])
    inflating = zlib.decompressobj(-zlib.MAX_WBITS)
    packed, n_bytes = content[144 + n_meta_bytes :], 0
    while packed and not inflating.eof:
        n_bytes += len(inflating.decompress(packed, 1 << 20))
        packed = inflating.unconsumed_tail
        if n_bytes > MAX_RECORDING_BYTES // 8:
            raise RecordingError(f"{file} would inflate to more than {n_bytes} bytes; it is no image. Export it again.")
