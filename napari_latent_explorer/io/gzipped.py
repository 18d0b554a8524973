"""Files that may be packed by gzip, opened as streams that end in one kind of error and never grow without bound.

Whether a file is packed is told by its first bytes, not by its name. Nothing is unpacked before it is asked for, so a
file that would unpack to terabytes costs what is read of it.
"""

import gzip
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, cast

from napari_latent_explorer.errors import RecordingError, reason_of
from napari_latent_explorer.io.source_file import SourceFile

GZIP_MARK = b"\x1f\x8b"
MAX_GZIP_RATIO = 1032
"""No more bytes than this come out of one byte that deflate has packed."""

_PIECE_BYTES = 1 << 20
_MAX_BYTES_BEHIND = 4 << 20


@contextmanager
def opened(path: Path) -> Iterator[BinaryIO]:
    """Content of a regular file as a stream, unpacked if it is packed.

    Raises
    ------
    RecordingError
        When it cannot be opened, and for whatever happens while it is read.
    """
    try:
        with SourceFile(path).open() as stream:
            is_packed = stream.read(len(GZIP_MARK)) == GZIP_MARK
            stream.seek(0)
            yield cast("BinaryIO", gzip.GzipFile(fileobj=stream, mode="rb")) if is_packed else stream
    except (EOFError, zlib.error, gzip.BadGzipFile) as damage:
        raise RecordingError(f"{path} is truncated or damaged: {reason_of(damage)}. Copy it again.") from damage
    except (OSError, ValueError) as refusal:
        raise RecordingError(f"Cannot read {path}: {reason_of(refusal)}. Check that you may read it.") from refusal


def fill(stream: BinaryIO, target: memoryview) -> int:
    """Read as many bytes as `target` holds, or all there are; how many it were."""
    n_read = 0
    while n_read < len(target):
        piece = stream.read(min(_PIECE_BYTES, len(target) - n_read))
        if not piece:
            break
        target[n_read : n_read + len(piece)] = piece
        n_read += len(piece)
    return n_read


def skip(stream: BinaryIO, n_bytes: int) -> None:
    """Pass over the next bytes."""
    while n_bytes > 0:
        n_read = len(stream.read(min(_PIECE_BYTES, n_bytes)))
        if n_read == 0:
            return
        n_bytes -= n_read


def check_end(stream: BinaryIO) -> None:
    """Let gzip compare its checksum, which it does at the end, if that is near."""
    skip(stream, _MAX_BYTES_BEHIND)
