"""Looking through a folder: every file's name, and no more, so that a hundred thousand are listed in seconds.

Links to folders are followed, but no folder is looked through twice, so links that go round come to an end.
"""

import os
from collections.abc import Generator, Iterator
from dataclasses import dataclass
from pathlib import Path

from napari_latent_explorer.data.progress import Progress
from napari_latent_explorer.errors import StudyError
from napari_latent_explorer.io.printable import printable

_MAX_DEPTH = 64
_NOT_FOR_PEOPLE = frozenset({"__MACOSX", "Thumbs.db", "desktop.ini", "$RECYCLE.BIN", "lost+found"})


@dataclass(frozen=True, slots=True)
class Listing:
    """The files that lie directly in one folder.

    Attributes
    ----------
    path
        The folder.
    parts
        Names of the folders that lead to it, below the one that was given.
    names
        Names of its files, sorted.
    """

    path: str
    parts: tuple[str, ...]
    names: tuple[str, ...]

    def file(self, name: str) -> Path:
        """Path of one of its files."""
        return Path(self.path, name)


@dataclass(frozen=True, slots=True)
class Contents:
    """What a folder holds.

    Attributes
    ----------
    root
        The folder that was given.
    listings
        Itself and all folders in it that hold files.
    odd
        What cannot be a recording: the path, and why.
    n_hidden
        Hidden files and folders, which were passed over.
    """

    root: Path
    listings: tuple[Listing, ...]
    odd: tuple[tuple[Path, str], ...]
    n_hidden: int

    def paths(self) -> Iterator[str]:
        """Path of every file below the folder, with ``/``."""
        return ("/".join((*listing.parts, name)) for listing in self.listings for name in listing.names)


def list_contents(root: Path, but: Path | None = None) -> Generator[Progress, None, Contents]:
    """Look through the folder `root` (or list the one file that it is), but not into the folder `but`.

    Raises
    ------
    StudyError
        When there is no such folder, or it cannot be listed.
    """
    if root.is_file():
        return Contents(root.parent, (Listing(str(root.parent), (), (root.name,)),), (), 0)
    if not root.is_dir():
        raise StudyError(f"There is no folder {printable(str(root))}. Give the folder that holds the recordings.")
    walk = _Walk(root, but)
    n_files = 0
    for listing in walk.listings():
        n_files += len(listing.names)
        walk.found.append(listing)
        yield Progress(n_files, 0, f"looking through {printable(root.name)}")
    return Contents(root, tuple(walk.found), tuple(walk.odd), walk.n_hidden)


class _Walk:
    """One look through a folder, depth first, names sorted."""

    def __init__(self, root: Path, but: Path | None) -> None:
        self._root = root
        self._but = None if but is None else str(but)
        self._seen: set[tuple[int, int]] = set()
        self.found: list[Listing] = []
        self.odd: list[tuple[Path, str]] = []
        self.n_hidden = 0

    def listings(self) -> Iterator[Listing]:
        pending: list[tuple[str, tuple[str, ...]]] = [(str(self._root), ())]
        while pending:
            path, parts = pending.pop()
            try:
                if self._is_known(path, parts):
                    continue
                with os.scandir(path) as entries:
                    names, folders = self._sorted(entries)
            except OSError as refusal:
                self._refuse(path, parts, refusal)
                continue
            pending += [(os.path.join(path, name), (*parts, name)) for name in reversed(folders)]
            yield Listing(path, parts, tuple(names))

    def _is_known(self, path: str, parts: tuple[str, ...]) -> bool:
        facts = os.stat(path)
        key = (facts.st_dev, facts.st_ino)
        if key in self._seen:
            self.odd.append((Path(path), "a link to a folder that is looked through already"))
            return True
        if len(parts) > _MAX_DEPTH:
            self.odd.append((Path(path), f"a folder that lies more than {_MAX_DEPTH} folders deep"))
            return True
        self._seen.add(key)
        return False

    def _sorted(self, entries: "Iterator[os.DirEntry[str]]") -> tuple[list[str], list[str]]:
        names, folders = [], []
        for entry in entries:
            if entry.name.startswith(".") or entry.name in _NOT_FOR_PEOPLE:
                self.n_hidden += 1
            elif entry.path == self._but:
                continue
            elif entry.is_dir():
                folders.append(entry.name)
            elif entry.is_file():
                names.append(entry.name)
            else:
                what = "a link that leads nowhere" if entry.is_symlink() else "no regular file"
                self.odd.append((Path(entry.path), what))
        return sorted(names), sorted(folders)

    def _refuse(self, path: str, parts: tuple[str, ...], refusal: OSError) -> None:
        if not parts:
            raise StudyError(
                f"Cannot look through {printable(path)}: {refusal.strerror}. Check that you may read it."
            ) from refusal
        self.odd.append((Path(path), f"a folder that cannot be looked through: {refusal.strerror}"))
