"""Writing so that a kill at any moment leaves the old file or the new one, never half of one.

A new file (or folder) is made under a temporary name beside its goal and renamed onto it; renaming is atomic on one
file system. What the operating system refuses becomes a `StudyError` that says what there is to do.
"""

import errno
import os
import shutil
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from napari_latent_explorer.errors import StudyError

PARTIAL_PREFIX = ".partial-"
_MARK_LENGTH = 12
_NO_SPACE = (errno.ENOSPC, errno.EDQUOT)


def partial_path(goal: Path) -> Path:
    """Fresh temporary name beside `goal`, recognisable as left over if nobody renames it."""
    return goal.parent / f"{PARTIAL_PREFIX}{goal.name}-{uuid.uuid4().hex[:_MARK_LENGTH]}"


def write_file(goal: Path, content: bytes) -> None:
    """Write `content` to `goal` atomically and durably.

    Raises
    ------
    StudyError
        When the disk is full or the place cannot be written.
    """
    partial = partial_path(goal)
    with refusals_named(goal, len(content)):
        goal.parent.mkdir(parents=True, exist_ok=True)
        try:
            with partial.open("wb") as stream:
                stream.write(content)
                stream.flush()
                os.fsync(stream.fileno())
            os.replace(partial, goal)
        finally:
            partial.unlink(missing_ok=True)


@contextmanager
def folder_in_one_step(goal: Path, needed_bytes: int) -> Iterator[Path]:
    """Give a temporary folder to fill; it becomes `goal` (absent or empty so far) when the block ends without error.

    Raises
    ------
    StudyError
        When the disk is full, the place cannot be written, or `goal` holds something already.
    """
    partial = partial_path(goal)
    with refusals_named(goal, needed_bytes):
        try:
            partial.mkdir(parents=True)
            yield partial
            if os.name == "nt" and goal.is_dir():
                goal.rmdir()
            os.replace(partial, goal)
        finally:
            shutil.rmtree(partial, ignore_errors=True)


def remove_partials(folder: Path, goal: str | None = None) -> None:
    """Remove what a killed writer left in `folder` (of the file or folder `goal` only, if one is named).

    No other writer may be at work there.
    """
    for left_over in folder.glob(f"{PARTIAL_PREFIX}*"):
        if goal is not None and left_over.name[:-_MARK_LENGTH] != f"{PARTIAL_PREFIX}{goal}-":
            continue
        if left_over.is_dir():
            shutil.rmtree(left_over, ignore_errors=True)
        else:
            left_over.unlink(missing_ok=True)


@contextmanager
def refusals_named(goal: Path, needed_bytes: int) -> Iterator[None]:
    """Turn an `OSError` of the block into a `StudyError` that names the place and what to do."""
    try:
        yield
    except OSError as refusal:
        if refusal.errno in _NO_SPACE:
            free = shutil.disk_usage(_existing_parent(goal)).free
            raise StudyError(
                f"No space left while writing {goal}: about {needed_bytes / 1e6:.1f} MB are needed and "
                f"{free / 1e6:.1f} MB are free. Free some space and run the same command again; it goes on where "
                "it stopped."
            ) from refusal
        raise StudyError(
            f"Cannot write {goal}: {refusal.strerror or refusal}. Check that the folder exists and that you may "
            "write to it, or choose another place."
        ) from refusal


def _existing_parent(path: Path) -> Path:
    return next(parent for parent in (path, *path.absolute().parents) if parent.exists())
