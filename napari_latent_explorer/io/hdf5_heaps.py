"""Heaps of an HDF5 file, walked before the library does: from some damaged ones it never comes back.

Texts of variable length lie in global heaps, lists of objects one after the other. The library walks a heap by adding
up the sizes that stand in it; where the free space at its end says that it has none, it stays on the spot for ever.
"""

import mmap
import struct
from pathlib import Path

_MARK = b"GCOL\x01\x00\x00\x00"
_HEAD = struct.Struct("<8sQ")
_OBJECT = struct.Struct("<HHIQ")
_SUPERBLOCK = b"\x89HDF\r\n\x1a\n"
_SIZES_AT = {0: 13, 1: 13, 2: 9, 3: 9}
"""Where the superblock of each version says how many bytes an address and a length have."""


def has_sound_heaps(path: Path) -> bool:
    """Whether the library comes to the end of every heap of a file (True for what is no HDF5 file)."""
    if path.stat().st_size < len(_SUPERBLOCK):
        return True
    with path.open("rb") as stream, mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ) as content:
        start = content.find(_SUPERBLOCK)
        if start < 0:
            return True
        if not _has_usual_sizes(content[start : start + 16]):
            return False
        place = content.find(_MARK)
        while place >= 0:
            if not _ends(content, place):
                return False
            place = content.find(_MARK, place + 1)
    return True


def _has_usual_sizes(head: bytes) -> bool:
    """Whether addresses and lengths have 8 bytes, as every writer of today has them."""
    if len(head) < 16:
        return True  # the library sees for itself that the file ends
    where = _SIZES_AT.get(head[8])
    return where is not None and head[where : where + 2] == b"\x08\x08"


def _ends(content: mmap.mmap, start: int) -> bool:
    if start + _HEAD.size > len(content):
        return True  # the library sees for itself that the file ends
    _, n_bytes = _HEAD.unpack_from(content, start)
    end = min(start + n_bytes, len(content))
    place = start + _HEAD.size
    while place + _OBJECT.size <= end:
        number, _, _, size = _OBJECT.unpack_from(content, place)
        if size > n_bytes or (number == 0 and size == 0):
            return False
        place += size if number == 0 else _OBJECT.size + (size + 7) // 8 * 8
    return True
