"""NIfTI files for tests, written byte by byte, so that reader and test share no code."""

import gzip
import struct
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

CODES = {
    "uint8": 2, "int16": 4, "int32": 8, "float32": 16, "complex64": 32, "float64": 64, "rgb": 128, "int8": 256,
    "uint16": 512, "uint32": 768, "int64": 1024, "uint64": 1280, "float128": 1536,
}  # fmt: skip
"""Data type codes of the standard."""


def nifti_bytes(
    pixels: np.ndarray | None = None,
    *,
    dim: Sequence[int] | None = None,
    datatype: int | None = None,
    pixdim: Sequence[float] = (1.0, 1.5, 1.5, 10.0, 0.04),
    sform: np.ndarray | None = None,
    qform: Sequence[float] | None = None,
    scaling: tuple[float, float] = (1.0, 0.0),
    units: int = 2 | 8,
    toffset: float = 0.0,
    order: str = "<",
    version: int = 1,
    is_single: bool = True,
    offset: float | None = None,
    codes: tuple[int, int] | None = None,
) -> tuple[bytes, bytes]:
    """Header and pixels of a file.

    Parameters
    ----------
    pixels
        ``(column, row, slice, frame)``.
    dim
        What the header claims instead; number of axes first.
    datatype
        Code that the header claims instead.
    pixdim
        From the sign of the quaternion to the time step.
    sform
        ``(4, 4)`` to RAS; its code is 1 if given.
    qform
        Quaternion b, c, d and offset x, y, z; its code is 1 if given.
    scaling
        Slope and intercept.
    units
        `xyzt_units`.
    order
        Byte order.
    codes
        Codes of qform and sform, instead.
    """
    array = np.zeros((4, 3, 2, 5), "i2") if pixels is None else pixels
    sizes = [array.ndim, *array.shape] if dim is None else list(dim)
    sizes += [1] * (8 - len(sizes))
    steps = [*pixdim, *[0.0] * (8 - len(pixdim))]
    rows = np.zeros((3, 4)) if sform is None else np.asarray(sform, dtype=float)[:3]
    quaternion = [0.0] * 6 if qform is None else list(qform)
    code = CODES[array.dtype.name] if datatype is None else datatype
    q_code, s_code = codes or (int(qform is not None), int(sform is not None))
    place = (q_code, s_code, *quaternion, *rows.ravel())
    bits = 8 * array.dtype.itemsize
    if version == 1:
        start = float(352 if is_single else 0) if offset is None else offset
        head = struct.pack(f"{order}i 10s 18s i h 2s", 348, b"", b"", 0, 0, b"")
        head += struct.pack(f"{order}8h 3f 4h 8f", *sizes, 0, 0, 0, 0, code, bits, 0, *steps)
        head += struct.pack(f"{order}3f h 2B 4f 2i", start, *scaling, 0, 0, units, 0, 0, 0, toffset, 0, 0)
        head += struct.pack(f"{order}80s 24s 2h 6f 12f 16s", b"", b"", *place, b"")
        head += b"n+1\0" if is_single else b"ni1\0"
        assert len(head) == 348
    else:
        start = (544 if is_single else 0) if offset is None else int(offset)
        magic = (b"n+2\0" if is_single else b"ni2\0") + b"\r\n\x1a\n"
        head = struct.pack(f"{order}i 8s 2h 8q 3d 8d", 540, magic, code, bits, *sizes, 0, 0, 0, *steps)
        head += struct.pack(f"{order}q 2d 2d 2d 2q", start, *scaling, 0, 0, 0, toffset, 0, 0)
        head += struct.pack(f"{order}80s 24s 2i 6d 12d", b"", b"", *place)
        head += struct.pack(f"{order}3i 16s b 15s", 0, units, 0, b"", 0, b"")
        assert len(head) == 540
    body = array.astype(array.dtype.newbyteorder(order)).tobytes(order="F")
    return head, body


def write_nifti(path: Path, pixels: np.ndarray | None = None, **facts: Any) -> Path:
    """Write a file; packed if it is named so."""
    head, body = nifti_bytes(pixels, **facts)
    content = head + bytes(4) + body
    path.write_bytes(gzip.compress(content, mtime=0) if path.name.endswith(".gz") else content)
    return path


def write_pair(header_path: Path, pixels: np.ndarray | None = None, **facts: Any) -> Path:
    """Write a header, and its pixels into the ``.img`` beside it."""
    head, body = nifti_bytes(pixels, is_single=False, **facts)
    for path, content in ((header_path, head), (header_path.with_name(header_path.name.replace(".hdr", ".img")), body)):
        path.write_bytes(gzip.compress(content, mtime=0) if path.name.endswith(".gz") else content)
    return header_path
