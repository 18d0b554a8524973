"""Pixels of a DICOM file, from packed bytes to signal.

Everything that decides how much memory is taken is checked before it is taken: what the file claims, and what a
compressed stream itself claims, since decoders believe the stream. Decoders of JPEG and its kin work in a process of
their own (`decoding_process.py`).

| what | how |
|---|---|
| native, RLE | pydicom |
| JPEG lossless and JPEG-LS | python-gdcm (or another plugin of pydicom) |
| JPEG 2000, High-Throughput JPEG 2000 | pylibjpeg-openjpeg (or another plugin) |
| signed, 8 to 32 bits, unused high bits (overlays of old) | unused bits are masked, the sign is kept |
| `MONOCHROME1` | inverted, so that a large number is a strong signal |
| `PixelPaddingValue` | pixels that hold it get the lowest real signal of their frame |
| `RescaleSlope`, `RescaleIntercept` | applied, giving float32 |
| overlays, windows and lookup tables | ignored: they are made for looking |
| colour, floating point that is not finite, fewer bytes than claimed | refused |
"""

import struct
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_latent_explorer.errors import RecordingError
from napari_latent_explorer.io.decoding_process import DecodingError, decoding_process
from napari_latent_explorer.io.dicom_file import DicomValues, as_recording_errors, parse_dicom, quiet_pydicom
from napari_latent_explorer.io.reading import MAX_RECORDING_BYTES
from napari_latent_explorer.io.source_file import SourceFile

MAX_SIDE = 4096
_NATIVE = {
    "1.2.840.10008.1.2": "<",
    "1.2.840.10008.1.2.1": "<",
    "1.2.840.10008.1.2.1.99": "<",
    "1.2.840.10008.1.2.2": ">",
}
_PLUGINS = (("JPEG 2000", "pylibjpeg-openjpeg"), ("High-Throughput", "pylibjpeg-openjpeg"), ("JPEG", "python-gdcm"))
_RLE = "1.2.840.10008.1.2.5"
_FLOAT_BITS = {"FloatPixelData": 32, "DoubleFloatPixelData": 64}


@dataclass(frozen=True, slots=True, eq=False)
class PackedPixels:
    """Pixels of one file as they are stored, and what is needed to unpack them.

    Attributes
    ----------
    file
        The file.
    content
        The packed bytes; None when they are to be read again.
    keyword
        Element that holds them.
    transfer_syntax
        UID of their packing.
    n_frames, n_rows, n_columns
        Size.
    bits_allocated, bits_stored
        Bits per pixel, and how many of them count.
    is_signed, is_inverted
        Whether numbers have a sign; whether a large number means dark.
    padding
        Number of pixels that were never measured; None when none is noted.
    """

    file: SourceFile
    content: bytes | None
    keyword: str
    transfer_syntax: str
    n_frames: int
    n_rows: int
    n_columns: int
    bits_allocated: int
    bits_stored: int
    is_signed: bool
    is_inverted: bool
    padding: int | None

    @property
    def n_bytes(self) -> int:
        """Memory of all frames, unpacked but not rescaled."""
        return self.n_frames * self.n_rows * self.n_columns * self.bits_allocated // 8

    @property
    def syntax_name(self) -> str:
        """Name of the packing for people."""
        from pydicom.uid import UID

        return str(UID(self.transfer_syntax).name)

    def without_content(self) -> "PackedPixels":
        """Forget the bytes; unpacking reads the file again."""
        return replace(self, content=None)

    def unpack(self) -> NDArray[Any]:
        """Unpack stored numbers ``(n_frames, n_rows, n_columns)``, inverted and padded as this module's table says.

        Raises
        ------
        RecordingError
            When they cannot be unpacked, or are not what the file claims.
        """
        content = self.content
        if content is None:
            with quiet_pydicom():
                content = parse_dicom(self.file, self.file.read()).pixels()[1]
        stored = self._native(content) if self.transfer_syntax in _NATIVE else self._decoded(content)
        if stored.dtype.kind == "f" and not np.isfinite(stored).all():
            raise RecordingError(
                f"{self.file} holds {int((~np.isfinite(stored)).sum())} pixels that are no number (NaN or infinite). "
                "Export it again."
            )
        padded = None if self.padding is None else stored == self.padding
        if self.is_inverted:
            stored = -1 - stored if self.is_signed else (1 << self.bits_stored) - 1 - stored
        if padded is not None and padded.any():
            stored = _padded_lowest(stored, padded)
        return stored

    def _native(self, content: bytes) -> NDArray[Any]:
        n_pixels = self.n_frames * self.n_rows * self.n_columns
        if len(content) * 8 < n_pixels * self.bits_allocated:
            raise _too_short(self, len(content))
        kind = "f" if self.keyword in _FLOAT_BITS else "i" if self.is_signed else "u"
        order = _NATIVE[self.transfer_syntax]
        stored = np.frombuffer(content, f"{order}{kind}{self.bits_allocated // 8}", n_pixels)
        stored = stored.astype(stored.dtype.newbyteorder("="), copy=False).reshape(-1, self.n_rows, self.n_columns)
        n_unused = self.bits_allocated - self.bits_stored
        return stored if kind == "f" or not n_unused else (stored << n_unused) >> n_unused

    def _decoded(self, content: bytes) -> NDArray[Any]:
        described: dict[str, Any] = {
            "rows": self.n_rows,
            "columns": self.n_columns,
            "number_of_frames": self.n_frames,
            "samples_per_pixel": 1,
            "photometric_interpretation": "MONOCHROME2",
            "bits_allocated": self.bits_allocated,
            "bits_stored": self.bits_stored,
            "pixel_representation": int(self.is_signed),
            "pixel_keyword": "PixelData",
        }
        with as_recording_errors(self.file), quiet_pydicom():
            decoder = self._decoder()
            self._refuse_other_sizes(content)
            if self.transfer_syntax == _RLE:
                stored, _ = decoder.as_array(content, raw=True, decoding_plugin="pydicom", **described)
            else:
                stored = self._decoded_aside(content, described)
        return np.asarray(stored).reshape(self.n_frames, self.n_rows, self.n_columns)

    def _decoded_aside(self, content: bytes, described: dict[str, Any]) -> NDArray[Any]:
        try:
            return decoding_process().decode(self.transfer_syntax, content, described)
        except DecodingError as damage:
            raise RecordingError(
                f"Cannot read the pixels of {self.file} ({self.syntax_name}): {damage}. If the file is whole, export "
                "it uncompressed (Explicit VR Little Endian)."
            ) from damage

    def _decoder(self) -> Any:
        from pydicom.pixels.decoders.base import get_decoder

        try:
            decoder = get_decoder(self.transfer_syntax)
        except NotImplementedError as refusal:
            raise RecordingError(
                f"Cannot read the pixels of {self.file}: their packing, {self.syntax_name!r}, is not known here. "
                "Export the series uncompressed (Explicit VR Little Endian)."
            ) from refusal
        if not decoder.is_available:
            package = next((package for name, package in _PLUGINS if name in self.syntax_name), "pydicom")
            raise RecordingError(
                f"Cannot read the pixels of {self.file}: nothing that is installed unpacks {self.syntax_name}. Install "
                f"it with `pip install {package}`, or export the series uncompressed (Explicit VR Little Endian)."
            )
        return decoder

    def _refuse_other_sizes(self, content: bytes) -> None:
        from pydicom.encaps import generate_frames

        n_streams = 0
        for stream in generate_frames(content, number_of_frames=self.n_frames):
            n_streams += 1
            stated = _stated_size(stream)
            if stated not in (None, (self.n_rows, self.n_columns)):
                raise RecordingError(
                    f"{self.file} claims {self.n_rows} rows and {self.n_columns} columns, its compressed pixels "
                    f"{stated}. It is damaged; export it again."
                )
        if n_streams < self.n_frames:
            raise RecordingError(f"{self.file} claims {self.n_frames} frames and holds {n_streams}. Copy it again.")


def packed_pixels(values: DicomValues) -> PackedPixels:
    """Pixels of a file, checked against what it claims, not yet unpacked.

    Raises
    ------
    RecordingError
        When there are none, fewer than claimed, more than can be read, or they are in colour.
    """
    keyword, content = values.pixels()
    n_frames = values.integer("NumberOfFrames")
    bits = values.integer("BitsAllocated") or _FLOAT_BITS.get(keyword, 16)
    stored_bits = values.integer("BitsStored") or bits
    packed = PackedPixels(
        file=values.file,
        content=content,
        keyword=keyword,
        transfer_syntax=values.transfer_syntax,
        n_frames=1 if n_frames is None else n_frames,
        n_rows=values.integer("Rows") or 0,
        n_columns=values.integer("Columns") or 0,
        bits_allocated=_FLOAT_BITS.get(keyword, bits),
        bits_stored=stored_bits,
        is_signed=values.integer("PixelRepresentation") == 1,
        is_inverted=values.text("PhotometricInterpretation") == "MONOCHROME1",
        padding=_padding(values, stored_bits),
    )
    _refuse_bad_format(values, packed, content)
    return packed


def _refuse_bad_format(values: DicomValues, packed: PackedPixels, content: bytes) -> None:
    file = packed.file
    if not (0 < packed.n_rows <= MAX_SIDE and 0 < packed.n_columns <= MAX_SIDE and packed.n_frames > 0):
        raise RecordingError(
            f"{file} claims {packed.n_rows} rows, {packed.n_columns} columns and {packed.n_frames} frames; up to "
            f"{MAX_SIDE} rows and columns are read. It is damaged, or no image of a heart."
        )
    if packed.n_bytes > MAX_RECORDING_BYTES:
        raise RecordingError(f"{file} would take {packed.n_bytes / 1e9:.1f} GB; at most 2.1 GB are read.")
    photometric = values.text("PhotometricInterpretation")
    if (values.integer("SamplesPerPixel") or 1) != 1 or photometric not in ("", "MONOCHROME1", "MONOCHROME2"):
        raise RecordingError(
            f"{file} is in colour ({photometric or 'several samples per pixel'}), expected grey values."
        )
    high_bit = values.integer("HighBit")
    allowed = (32, 64) if packed.keyword in _FLOAT_BITS else (8, 16, 32)
    is_odd = packed.bits_allocated not in allowed or not 0 < packed.bits_stored <= packed.bits_allocated
    if is_odd or (packed.keyword == "PixelData" and high_bit not in (None, packed.bits_stored - 1)):
        raise RecordingError(
            f"{file} stores {packed.bits_stored} bits (the highest {high_bit}) in {packed.bits_allocated}; 8, 16 or 32 "
            "with the highest bit in use are read. Export it again."
        )
    if not content:
        raise RecordingError(f"{file} holds no pixels; it is cut off or was stripped. Copy or export it again.")
    if packed.transfer_syntax in _NATIVE and len(content) < packed.n_bytes:
        raise _too_short(packed, len(content))


def _too_short(packed: PackedPixels, n_bytes: int) -> RecordingError:
    return RecordingError(
        f"{packed.file} is cut off: {n_bytes} of {packed.n_bytes} bytes of pixels are there. Copy or export it again."
    )


def _padding(values: DicomValues, bits_stored: int) -> int | None:
    padding = values.integer("PixelPaddingValue")
    if padding is None or padding == 0:
        return None  # 0 is what an empty pixel holds anyway
    is_signed = values.integer("PixelRepresentation") == 1
    return padding - (1 << 16) if is_signed and padding >= 1 << (min(bits_stored, 16) - 1) else padding


def _padded_lowest(stored: NDArray[Any], padded: NDArray[np.bool_]) -> NDArray[Any]:
    filled = stored.copy()
    for frame, is_padded in zip(filled, padded, strict=True):
        if is_padded.any() and not is_padded.all():
            frame[is_padded] = frame[~is_padded].min()
    return filled


def _stated_size(stream: bytes) -> tuple[int, int] | None:
    """Rows and columns that a JPEG, JPEG-LS or JPEG 2000 stream claims; None for another kind (RLE)."""
    start = stream[:64].find(b"\xff\x4f\xff\x51")  # JPEG 2000, possibly behind a file header
    if start >= 0:
        width, height, left, top = struct.unpack(">8x4I", stream[start : start + 24])
        return height - top, width - left
    if stream[:2] == b"\xff\xd8":
        return next(_frame_headers(stream), None)
    return None


def _frame_headers(stream: bytes) -> Iterator[tuple[int, int]]:
    at = 2
    while at + 9 <= len(stream) and stream[at] == 0xFF:
        marker = stream[at + 1]
        if marker == 0xF7 or (0xC0 <= marker <= 0xCF and marker not in (0xC4, 0xC8, 0xCC)):
            yield struct.unpack(">HH", stream[at + 5 : at + 9])
        at += 2 + int.from_bytes(stream[at + 2 : at + 4], "big")
