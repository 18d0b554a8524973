"""Arrays of numbers out of an HDF5 file that anyone may have made.

HDF5 can do much that a recording never needs and that makes a file read other files or fill the memory. So:

| in the file | here |
|---|---|
| links | hard ones are followed, one step at a time; soft and external links count as absent |
| virtual data sets, data in other files | refused |
| compound, text, object, enumerated and variable-length types | refused |
| a claimed size over the caller's limit | refused before anything is allocated |
| packing | `gzip` with or without `shuffle`, unpacked here into exactly the announced size; others are refused |
| pieces that were never written | refused; HDF5 would invent zeros |
"""

import math
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_latent_explorer.errors import RecordingError, reason_of
from napari_latent_explorer.io.hdf5_heaps import has_sound_heaps
from napari_latent_explorer.io.source_file import SourceFile

_SIGNATURE = b"\x89HDF\r\n\x1a\n"
_MAX_NAMES = 20_000
_DEFLATE, _SHUFFLE = 1, 2
_MAX_PIECES = 100_000


def has_hdf5_mark(path: Path) -> bool:
    """Whether a file is HDF5, by its first bytes."""
    try:
        return path.is_file() and SourceFile(path).head(len(_SIGNATURE)) == _SIGNATURE
    except (RecordingError, OSError, ValueError):
        return False


@contextmanager
def opened_hdf5(path: Path) -> Iterator[Any]:
    """Root group of a file; whatever HDF5 finds wrong while it is open ends in one kind of error.

    Raises
    ------
    RecordingError
        When it is no HDF5 file, truncated or damaged.
    """
    import h5py

    if not has_hdf5_mark(path):
        raise RecordingError(f"{path} is not an HDF5 file. Choose another one, or copy it again.")
    try:
        if not has_sound_heaps(path):
            raise RecordingError(f"{path} is truncated or damaged: the heap of its texts leads nowhere. Copy it again.")
        with h5py.File(path, "r", locking=False) as root:
            yield root
    except RecordingError:
        raise
    except Exception as damage:  # h5py raises many kinds for a damaged file
        raise RecordingError(f"{path} is truncated or damaged: {reason_of(damage)}. Copy it again.") from damage


def names_in(group: Any) -> tuple[str, ...]:
    """Names in a group, sorted; a group of absurdly many is damaged or hostile.

    Raises
    ------
    RecordingError
        When there are more than 20 000.
    """
    if len(group) > _MAX_NAMES:
        raise RecordingError(f"{group.file.filename} holds {len(group)} entries in {group.name}; at most {_MAX_NAMES}.")
    return tuple(sorted(str(name) for name in group))


def child_of(group: Any, *names: str) -> Any:
    """Group or data set under a group, by the names of the steps to it; None where a step is absent or no hard link."""
    import h5py

    found = group
    for name in names:
        if not isinstance(found, h5py.Group) or "/" in name or name in ("", "."):
            return None
        if not isinstance(found.get(name, getlink=True), h5py.HardLink):
            return None
        found = found.get(name)
    return found if isinstance(found, h5py.Group | h5py.Dataset) else None


def is_numbers(found: Any) -> bool:
    """Whether something is a data set, readable or not."""
    import h5py

    return isinstance(found, h5py.Dataset)


def read_numbers(dataset: Any, max_bytes: int) -> NDArray[Any]:
    """Read a data set whole.

    Parameters
    ----------
    dataset
        From `child_of`.
    max_bytes
        Most that it may take in memory.

    Raises
    ------
    RecordingError
        See the table above.
    """
    where = f"The data set {dataset.name} of {dataset.file.filename}"
    _refuse_other_types(dataset, where)
    n_bytes = math.prod(dataset.shape) * dataset.dtype.itemsize
    if n_bytes > max_bytes:
        size = " x ".join(map(str, dataset.shape))
        raise RecordingError(f"{where} claims {size} numbers, {n_bytes} bytes; at most {max_bytes} are read.")
    if dataset.chunks is not None:
        values = _read_pieces(dataset, where, max_bytes)
    elif dataset.id.get_storage_size() < n_bytes:
        raise RecordingError(f"{where} was never written. Make the file again.")
    else:
        values = np.asarray(dataset[()])
    return values.astype(values.dtype.newbyteorder("="), copy=False)


def _refuse_other_types(dataset: Any, where: str) -> None:
    import h5py

    creation = dataset.id.get_create_plist()
    if dataset.is_virtual or creation.get_external_count() > 0:
        raise RecordingError(f"{where} takes its numbers from other files, which are not read. Copy them into it.")
    dtype = dataset.dtype
    is_plain = dtype.kind in "iuf" and dtype.itemsize <= 8 and h5py.check_enum_dtype(dtype) is None
    if dataset.shape is None or not is_plain or h5py.h5t.py_create(dtype) != dataset.id.get_type():
        raise RecordingError(f"{where} holds {dtype}, not plain numbers of up to 64 bit. Choose another file.")
    if not 0 <= len(dataset.shape) <= 8:
        raise RecordingError(f"{where} has {len(dataset.shape)} axes. Choose another file.")


def _read_pieces(dataset: Any, where: str, max_bytes: int) -> NDArray[Any]:
    packing = _packing(dataset, where)
    piece_shape, dtype = dataset.chunks, dataset.dtype
    piece_bytes = math.prod(piece_shape) * dtype.itemsize
    counts = [math.ceil(n / step) for n, step in zip(dataset.shape, piece_shape, strict=True)]
    if piece_bytes > max_bytes or math.prod(counts) > _MAX_PIECES:
        raise RecordingError(
            f"{where} comes in {math.prod(counts)} pieces of {piece_bytes} bytes, which is not sensible."
        )
    values = np.empty(dataset.shape, dtype=dtype)
    for index in product(*(range(n) for n in counts)):
        corner = tuple(step * number for step, number in zip(piece_shape, index, strict=True))
        piece = np.frombuffer(_unpacked(dataset, corner, packing, piece_bytes, where), dtype=dtype).reshape(piece_shape)
        ends = [min(n, start + step) for n, start, step in zip(dataset.shape, corner, piece_shape, strict=True)]
        inside = tuple(slice(0, end - start) for start, end in zip(corner, ends, strict=True))
        values[tuple(slice(start, end) for start, end in zip(corner, ends, strict=True))] = piece[inside]
    return values


def _packing(dataset: Any, where: str) -> tuple[int, ...]:
    """List the filters in the order in which they were applied."""
    creation = dataset.id.get_create_plist()
    filters = [creation.get_filter(number) for number in range(creation.get_nfilters())]
    unknown = [f"{name.decode('utf-8', 'replace') or 'filter'} ({code})" for code, _, _, name in filters]
    codes = tuple(int(code) for code, *_ in filters)
    if codes not in ((), (_DEFLATE,), (_SHUFFLE,), (_SHUFFLE, _DEFLATE)):
        raise RecordingError(
            f"{where} is packed with {', '.join(unknown)}; gzip is read, with or without shuffle. Pack it again "
            "(h5repack -f GZIP=4)."
        )
    return codes


def _unpacked(dataset: Any, corner: tuple[int, ...], packing: tuple[int, ...], n_bytes: int, where: str) -> bytes:
    info = dataset.id.get_chunk_info_by_coord(corner)
    if info.byte_offset is None:
        raise RecordingError(
            f"{where} was written in part only: the piece at {corner} is missing. Make the file again."
        )
    if info.size > n_bytes + n_bytes // 100 + 1024:
        raise RecordingError(f"{where} has a piece of {info.size} bytes for {n_bytes}. It is damaged; copy it again.")
    mask, content = dataset.id.read_direct_chunk(corner)
    for number in reversed(range(len(packing))):
        if mask & (1 << number):
            continue
        if packing[number] == _DEFLATE:
            content = _inflated(content, n_bytes, where)
        elif len(content) == n_bytes:
            content = np.frombuffer(content, np.uint8).reshape(dataset.dtype.itemsize, -1).T.tobytes()
    if len(content) != n_bytes:
        raise RecordingError(f"{where} has a piece of {len(content)} bytes, expected {n_bytes}. Copy the file again.")
    return bytes(content)


def _inflated(content: bytes, n_bytes: int, where: str) -> bytes:
    unpacker = zlib.decompressobj()
    try:
        unpacked = unpacker.decompress(content, n_bytes + 1)
    except zlib.error as damage:
        raise RecordingError(f"{where} cannot be unpacked: {reason_of(damage)}. Copy the file again.") from damage
    if len(unpacked) != n_bytes or not unpacker.eof:
        raise RecordingError(
            f"{where} does not unpack to the {n_bytes} bytes of a piece. It is damaged; copy it again."
        )
    return unpacked
