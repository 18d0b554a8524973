"""The pixels of a NIfTI file, as (frame, slice, row, column), read once and straight into place.

NIfTI stores the column fastest and the frame slowest, so its bytes are such an array as they lie. Whole numbers stay
what they are; where the header scales them they become float32 (float64 if they were that).
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_latent_explorer.errors import RecordingError
from napari_latent_explorer.io.gzipped import GZIP_MARK, MAX_GZIP_RATIO, check_end, fill, opened, skip
from napari_latent_explorer.io.nifti_header import NiftiHeader
from napari_latent_explorer.io.pixel_values import count_unusable
from napari_latent_explorer.io.source_file import SourceFile


def read_nifti_pixels(header: NiftiHeader) -> NDArray[Any]:
    """Signal ``(n_frames, n_slices, n_rows, n_columns)`` of a file whose header has been read.

    Raises
    ------
    RecordingError
        When the file is shorter than its header says, damaged, or holds values that are no finite numbers.
    """
    _refuse_short_file(header)
    stored = np.empty(header.shape, dtype=header.dtype)
    with opened(header.data_path) as stream:
        skip(stream, header.offset)
        n_read = fill(stream, stored.reshape(-1).view(np.uint8).data)
        if n_read < header.n_bytes:
            raise _too_short(header, n_read)
        check_end(stream)
    signal = _scaled(_native(stored), header)
    _refuse_no_numbers(signal, header)
    return signal


def _refuse_short_file(header: NiftiHeader) -> None:
    """Before anything is allocated."""
    file = SourceFile(header.data_path)
    is_packed = file.head(len(GZIP_MARK)) == GZIP_MARK
    most = file.n_bytes * MAX_GZIP_RATIO if is_packed else file.n_bytes
    if most < header.offset + header.n_bytes:
        raise _too_short(header, None if is_packed else max(0, file.n_bytes - header.offset))


def _too_short(header: NiftiHeader, n_found: int | None) -> RecordingError:
    found = "far less than that" if n_found is None else f"{n_found}"
    return RecordingError(
        f"{header.data_path} is truncated: its header announces {header.n_bytes} bytes of pixels, it holds {found}. "
        "Copy it again."
    )


def _native(stored: NDArray[Any]) -> NDArray[Any]:
    if stored.dtype.isnative:
        return stored
    return stored.byteswap(inplace=True).view(stored.dtype.newbyteorder("="))


def _scaled(stored: NDArray[Any], header: NiftiHeader) -> NDArray[Any]:
    if (header.slope, header.intercept) == (1.0, 0.0):
        return stored
    signal: NDArray[np.floating[Any]] = stored.astype(np.float64 if stored.dtype == np.float64 else np.float32)
    with np.errstate(all="ignore"):
        signal *= header.slope
        signal += header.intercept
    return signal


def _refuse_no_numbers(signal: NDArray[Any], header: NiftiHeader) -> None:
    n_bad = count_unusable(signal)
    if n_bad:
        raise RecordingError(
            f"{n_bad} of {signal.size} pixels of {header.path} are no finite numbers. Replace them, or convert it "
            "again."
        )
