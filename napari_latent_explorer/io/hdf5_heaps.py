"""Heaps of an HDF5 file, walked before the library does: from some damaged ones it never comes back.

Texts of variable length lie in global heaps, lists of objects one after the other. The library walks a heap by adding
up the sizes that stand in it; where the free space at its end says that it has none, it stays on the spot for ever.
The file is read, not mapped into memory: one that somebody else cuts off meanwhile would end the whole process.
"""

import struct
from collections.abc import Iterator
from os import SEEK_END
from pathlib import Path
from typing import BinaryIO

_MARK = b"GCOL\x01\x00\x00\x00"
_HEAD = struct.Struct("<8sQ")
_OBJECT = struct.Struct("<HHIQ")
_SUPERBLOCK = b"\x89HDF\r\n\x1a\n"
_SIZES_AT = {0: 13, 1: 13, 2: 9, 3: 9}
"""Where the superblock of each version says how many bytes an address and a length have."""
_PIECE_BYTES = 1 << 20
_MAX_OBJECTS = 2_000_000


def has_sound_heaps(path: Path) -> bool:
    """Whether the library comes to the end of every heap of a file (True for what is no HDF5 file).

    Heaps of more than two million objects in all are not walked to their end and count as unsound.
    """
    with path.open("rb") as stream, path.open("rb") as searched:
        start = next(_places(searched, _SUPERBLOCK), None)
        if start is None:
            return True
        stream.seek(start)
        if not _has_usual_sizes(stream.read(16)):
            return False
        n_left = _MAX_OBJECTS
        for place in _places(searched, _MARK):
            n_objects = _objects(stream, place, n_left)
            if n_objects is None:
                return False
            n_left -= n_objects
    return True


def _places(stream: BinaryIO, mark: bytes) -> Iterator[int]:
    """Each place of a mark in a file, in order."""
    offset, piece = 0, b""
    stream.seek(0)
    while added := stream.read(_PIECE_BYTES):
        piece += added
        found = piece.find(mark)
        while found >= 0:
            yield offset + found
            found = piece.find(mark, found + 1)
        kept = piece[-(len(mark) - 1) :]
        offset, piece = offset + len(piece) - len(kept), kept


def _has_usual_sizes(head: bytes) -> bool:
    """Whether addresses and lengths have 8 bytes, as every writer of today has them."""
    if len(head) < 16:
        return True  # the library sees for itself that the file ends
    where = _SIZES_AT.get(head[8])
    return where is not None and head[where : where + 2] == b"\x08\x08"


def _objects(stream: BinaryIO, start: int, n_most: int) -> int | None:
    """Count the objects of the heap at a place; None if the walk over them does not end, or not after `n_most`."""
    stream.seek(start)
    head = stream.read(_HEAD.size)
    if len(head) < _HEAD.size:
        return 0  # the library sees for itself that the file ends
    n_bytes = _HEAD.unpack(head)[1]
    place, end = start + _HEAD.size, min(start + n_bytes, stream.seek(0, SEEK_END))
    for n_objects in range(n_most):
        stream.seek(place)
        head = stream.read(_OBJECT.size) if place + _OBJECT.size <= end else b""
        if len(head) < _OBJECT.size:
            return n_objects
        number, _, _, size = _OBJECT.unpack(head)
        if size > n_bytes or (number == 0 and size == 0):
            return None
        place += size if number == 0 else _OBJECT.size + (size + 7) // 8 * 8
    return None
