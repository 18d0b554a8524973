"""A file wherever it lies: on disk, or in a zip archive, where it is named ``archive.zip!folder/member``.

Readers take `SourceFile`s and never ask which kind they have. One holds no open file, so it can be kept, compared and
sent to another process; each reading of it is bounded and goes into memory.
"""

import os
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path, PurePosixPath
from typing import BinaryIO

from napari_latent_explorer.errors import RecordingError, reason_of
from napari_latent_explorer.io.archive import ArchiveMember, is_archive, members_of, read_member, read_member_head
from napari_latent_explorer.io.printable import printable
from napari_latent_explorer.io.reading import MAX_RECORDING_BYTES

MAX_FILES = 100_000
"""A place with more files than this is not one participant's."""


@dataclass(frozen=True, slots=True)
class SourceFile:
    """One file.

    Attributes
    ----------
    path
        Itself, or the archive that holds it.
    member
        Its entry in the archive; None for a file on disk.
    """

    path: Path
    member: ArchiveMember | None = None

    def __str__(self) -> str:
        text = str(self.path) if self.member is None else f"{self.path}!{self.member.name}"
        return printable(text)

    @property
    def name(self) -> str:
        """Last part of its name."""
        return self.path.name if self.member is None else PurePosixPath(self.member.name).name

    @property
    def folder(self) -> str:
        """Where it lies: its folder, in the archive that holds it."""
        return str(self.path.parent) if self.member is None else f"{self.path}!{PurePosixPath(self.member.name).parent}"

    @property
    def suffix(self) -> str:
        """Ending of its name in lower case, with the dot."""
        return PurePosixPath(self.name).suffix.lower()

    @property
    def n_bytes(self) -> int:
        """Size; 0 when it is gone."""
        if self.member is not None:
            return self.member.n_bytes
        try:
            return self.path.stat().st_size
        except (OSError, ValueError):
            return 0

    def read(self, limit: int = MAX_RECORDING_BYTES) -> bytes:
        """Whole content.

        Parameters
        ----------
        limit
            Most bytes that it may have.

        Raises
        ------
        RecordingError
            When it is larger, cannot be read, or is damaged in its archive.
        """
        if self.member is not None:
            return read_member(self.path, self.member, limit)
        if self.n_bytes > limit:
            raise self._too_large(limit)
        content = self._from_disk(limit + 1)
        if len(content) > limit:
            raise self._too_large(limit)
        return content

    def head(self, n_bytes: int) -> bytes:
        """First bytes, or all if there are fewer.

        Raises
        ------
        RecordingError
            When it cannot be read.
        """
        if self.member is not None:
            return read_member_head(self.path, self.member, n_bytes)
        return self._from_disk(n_bytes)

    def open(self, limit: int = MAX_RECORDING_BYTES) -> BinaryIO:
        """Content as a stream that can seek: the open file on disk, or the unpacked member; see `read`."""
        if self.member is not None or self.n_bytes > limit:
            return BytesIO(self.read(limit))
        try:
            self._refuse_irregular()
            return self.path.open("rb")
        except (OSError, ValueError) as refusal:
            raise self._unreadable(refusal) from refusal

    def _from_disk(self, n_bytes: int) -> bytes:
        try:
            self._refuse_irregular()
            with self.path.open("rb") as stream:
                return stream.read(n_bytes)
        except (OSError, ValueError) as refusal:
            raise self._unreadable(refusal) from refusal

    def _refuse_irregular(self) -> None:
        if not self.path.is_file():  # a pipe would never end
            found = "not a regular file" if self.path.exists() else "not there"
            raise RecordingError(f"Cannot read {self}: it is {found}.")

    def _too_large(self, limit: int) -> RecordingError:
        return RecordingError(f"{self} has {self.n_bytes} bytes; at most {limit} are read. It is no single recording.")

    def _unreadable(self, refusal: Exception) -> RecordingError:
        return RecordingError(f"Cannot read {self}: {reason_of(refusal)}. Check that you may read it.")


def files_of(place: str | Path) -> tuple[SourceFile, ...]:
    """Every file at a place, sorted by name.

    Parameters
    ----------
    place
        A folder (with its subfolders; links to folders are not followed), a zip archive (its members), or another file
        (that file). Names that begin with a dot are passed over; archives inside folders are files, not opened.

    Raises
    ------
    RecordingError
        When there is nothing, it cannot be read, the archive is refused, or there are more than `MAX_FILES`.
    """
    path = Path(place)
    try:
        if path.is_dir():
            return _files_in_folder(path)
        if not path.is_file():
            raise RecordingError(f"There is no file or folder {printable(str(path))}.")
    except (OSError, ValueError) as refusal:
        raise RecordingError(f"Cannot read {printable(str(path))}: {reason_of(refusal)}.") from refusal
    if not is_archive(path):
        return (SourceFile(path),)
    visible = (member for member in members_of(path) if not _is_hidden(PurePosixPath(member.name)))
    return tuple(SourceFile(path, member) for member in sorted(visible, key=lambda member: member.name))


def _files_in_folder(folder: Path) -> tuple[SourceFile, ...]:
    files: list[SourceFile] = []
    for parent, subfolders, names in os.walk(folder, onerror=_refuse_folder):
        subfolders[:] = sorted(name for name in subfolders if not name.startswith("."))
        paths = (Path(parent, name) for name in sorted(names) if not name.startswith("."))
        files += [SourceFile(path) for path in paths if path.is_file()]
        if len(files) > MAX_FILES:
            raise RecordingError(
                f"{printable(str(folder))} holds more than {MAX_FILES} files; give the folder of one participant."
            )
    return tuple(files)


def _refuse_folder(refusal: OSError) -> None:
    raise refusal


def _is_hidden(name: PurePosixPath) -> bool:
    return any(part.startswith(".") for part in name.parts)
