"""Members of zip archives, read straight into memory: nothing is ever extracted to disk.

An archive is distrusted as a whole. Its directory is checked before any member is read, and one bad entry refuses all:

| refused | because |
|---|---|
| names that are absolute, climb (``..``), hold a drive letter, a backslash or a null byte | made to escape a folder |
| one name twice, symbolic links | made to show one thing and be another |
| encrypted members, other packing than stored or deflated | cannot be read |
| more than `MAX_MEMBERS`, sizes over the limits (directory, member, sum), a ratio over `MAX_RATIO` | bombs |

While a member inflates, its declared size bounds what is allocated, and size and checksum must come true. Archives
inside archives are files like any other and are not opened.
"""

import io
import re
import stat
import struct
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from napari_latent_explorer.errors import RecordingError, reason_of, shown_text
from napari_latent_explorer.io.printable import printable
from napari_latent_explorer.io.reading import MAX_RECORDING_BYTES

MAX_MEMBERS = 100_000
MAX_ARCHIVE_BYTES = 16 << 30
"""Sum of the unpacked sizes of one archive."""
MAX_RATIO = 200
"""Unpacked to packed size; images reach 10, XML 30."""

_HARMLESS_BYTES = 16 << 20
_MAX_DIRECTORY_BYTES = 16 << 20
_MARKS = (b"PK\x03\x04", b"PK\x05\x06")
_LOCAL_HEADER = struct.Struct("<4s22xHH")
_MAX_NAME_CHARS = 120
_SLACK_BYTES = 1 << 16
_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
_DRIVE = re.compile("[A-Za-z]:")


@dataclass(frozen=True, slots=True)
class ArchiveMember:
    """One file in an archive, as its directory describes it.

    Attributes
    ----------
    name
        Path inside the archive, with ``/``.
    n_bytes, n_packed_bytes
        Size, unpacked and packed.
    checksum
        CRC-32 of the unpacked bytes.
    offset
        Where its local header begins in the archive.
    is_deflated
        Whether it is packed at all.
    """

    name: str
    n_bytes: int
    n_packed_bytes: int
    checksum: int
    offset: int
    is_deflated: bool


def is_archive(path: Path) -> bool:
    """Whether the file begins like a zip archive; False when it cannot be read, or is a pipe that would block."""
    try:
        if not path.is_file():
            return False
        with path.open("rb") as stream:
            return stream.read(4) in _MARKS
    except (OSError, ValueError):
        return False


def members_of(path: Path) -> tuple[ArchiveMember, ...]:
    """List all files in an archive in the order of its directory, after checking every entry.

    Raises
    ------
    RecordingError
        When it is no zip archive, is damaged, or one of its entries is refused.
    """
    with _as_recording_errors(path), _BoundedFile(path) as stream, zipfile.ZipFile(stream) as archive:
        entries = archive.infolist()
        n_archive_bytes = stream.seek(0, io.SEEK_END)
    if len(entries) > MAX_MEMBERS:
        raise _refusal(path, f"it has {len(entries)} members, at most {MAX_MEMBERS} are read")
    seen: set[str] = set()
    for entry in entries:
        _refuse_bad_entry(path, entry, seen)
    n_bytes = sum(entry.file_size for entry in entries)
    if n_bytes > MAX_ARCHIVE_BYTES or n_bytes > max(MAX_RATIO * n_archive_bytes, _HARMLESS_BYTES):
        raise _refusal(path, f"its members would unpack to {n_bytes} bytes from {n_archive_bytes}")
    return tuple(
        ArchiveMember(
            name=entry.filename,
            n_bytes=entry.file_size,
            n_packed_bytes=entry.compress_size,
            checksum=entry.CRC,
            offset=entry.header_offset,
            is_deflated=entry.compress_type == zipfile.ZIP_DEFLATED,
        )
        for entry in entries
        if not entry.is_dir()
    )


def read_member(path: Path, member: ArchiveMember, limit: int) -> bytes:
    """Unpack one member into memory.

    Parameters
    ----------
    path, member
        The archive and one of `members_of` it.
    limit
        Most bytes that it may have.

    Raises
    ------
    RecordingError
        When it is larger, damaged, or not what the archive's directory says.
    """
    if member.n_bytes > limit:
        raise _refusal(path, f"it would unpack to {member.n_bytes} bytes, at most {limit} are read", member.name)
    if member.n_packed_bytes > member.n_bytes + member.n_bytes // 8 + _SLACK_BYTES:
        raise _refusal(path, f"{member.n_packed_bytes} packed bytes for {member.n_bytes}", member.name)
    with _as_recording_errors(path, member.name):
        packed = _packed_bytes(path, member, member.n_packed_bytes)
        content = packed
        if member.is_deflated:
            inflating = zlib.decompressobj(-zlib.MAX_WBITS)
            content = inflating.decompress(packed, member.n_bytes + 1)
            if len(content) <= member.n_bytes and not inflating.eof:
                raise _damage(path, "it ends too early", member.name)
    if len(content) != member.n_bytes:
        found = "more than" if len(content) > member.n_bytes else f"{len(content)} instead of"
        raise _damage(path, f"it unpacks to {found} its {member.n_bytes} bytes", member.name)
    if zlib.crc32(content) != member.checksum:
        raise _damage(path, "its checksum is wrong", member.name)
    return content


def read_member_head(path: Path, member: ArchiveMember, n_bytes: int) -> bytes:
    """First `n_bytes` of one member (fewer if it has fewer), unchecked: enough to see what it is."""
    with _as_recording_errors(path, member.name):
        packed = _packed_bytes(path, member, min(member.n_packed_bytes, n_bytes + _SLACK_BYTES))
        return (
            zlib.decompressobj(-zlib.MAX_WBITS).decompress(packed, n_bytes) if member.is_deflated else packed[:n_bytes]
        )


class _BoundedFile(io.FileIO):
    """Refuses to read an archive's directory that would not fit into memory."""

    def read(self, size: int | None = -1, /) -> bytes:
        if size is None or size < 0 or size > _MAX_DIRECTORY_BYTES:
            content = super().read(_MAX_DIRECTORY_BYTES + 1) or b""
            if len(content) > _MAX_DIRECTORY_BYTES:
                raise zipfile.BadZipFile(f"its directory takes more than {_MAX_DIRECTORY_BYTES} bytes")
            return content
        return super().read(size) or b""


def _packed_bytes(path: Path, member: ArchiveMember, n_bytes: int) -> bytes:
    with path.open("rb") as stream:
        stream.seek(member.offset)
        mark, n_name, n_extra = _LOCAL_HEADER.unpack(_exactly(stream, _LOCAL_HEADER.size))
        if mark != _MARKS[0]:
            raise zipfile.BadZipFile("it does not begin where the archive's directory says")
        stream.seek(n_name + n_extra, io.SEEK_CUR)
        return _exactly(stream, n_bytes)


def _exactly(stream: BinaryIO, n_bytes: int) -> bytes:
    content = stream.read(n_bytes)
    if len(content) < n_bytes:
        raise zipfile.BadZipFile("the archive ends before it does")
    return content


def _refuse_bad_entry(path: Path, entry: zipfile.ZipInfo, seen: set[str]) -> None:
    name = entry.orig_filename
    parts = name.split("/")
    if name.startswith("/") or ".." in parts or "\\" in name or "\0" in name or _DRIVE.match(name):
        raise _refusal(path, "its name leads out of the archive", name)
    if name in seen:
        raise _refusal(path, "its name occurs twice", name)
    seen.add(name)
    if stat.S_ISLNK(entry.external_attr >> 16):
        raise _refusal(path, "it is a symbolic link", name)
    if entry.flag_bits & 0x1:
        raise _refusal(path, "it is encrypted", name)
    if entry.compress_type not in _METHODS:
        raise _refusal(path, f"it is packed by method {entry.compress_type}, expected stored or deflated", name)
    if entry.file_size > max(MAX_RATIO * entry.compress_size, _HARMLESS_BYTES) or entry.file_size > MAX_RECORDING_BYTES:
        raise _refusal(path, f"it would unpack to {entry.file_size} bytes from {entry.compress_size}", name)


@contextmanager
def _as_recording_errors(path: Path, member: str | None = None) -> Iterator[None]:
    try:
        yield
    except RecordingError:
        raise
    except OSError as refusal:
        raise RecordingError(
            f"Cannot read {_named(path, member)}: {reason_of(refusal)}. Check that you may read it."
        ) from refusal
    except Exception as damage:  # zipfile and zlib raise many kinds for damaged bytes
        raise _damage(path, reason_of(damage), member) from damage


def _damage(path: Path, found: str, member: str | None = None) -> RecordingError:
    return RecordingError(f"{_named(path, member)} is damaged: {found}. Copy or download the archive again.")


def _refusal(path: Path, found: str, member: str | None = None) -> RecordingError:
    return RecordingError(
        f"{_named(path, member)} is refused: {found}. Check where the archive comes from, or pack the files again."
    )


def _named(path: Path, member: str | None) -> str:
    return printable(str(path)) if member is None else f"{printable(str(path))}!{shown_text(member, _MAX_NAME_CHARS)}"
