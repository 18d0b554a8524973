"""Heart boxes that somebody drew: ``heart_boxes/<row>.json``, one small file for each, beside the recordings.

They count before the boxes that were found when the study was built, which lie with the recordings and are never
changed. So removing a file is all that it takes to go back.
"""

import hashlib
import json
import os
from pathlib import Path

from napari_latent_explorer.data.heart_box import HeartBox
from napari_latent_explorer.errors import RecordingError, StudyError
from napari_latent_explorer.io.atomic import refusals_named, write_file

FOLDER = "heart_boxes"

_MAX_BYTES = 10_000


def read_box(root: Path, row: int) -> HeartBox | None:
    """Box that was drawn for the participant in `row`; None if none was.

    Raises
    ------
    StudyError
        When its file is damaged.
    """
    path = _path(root, row)
    try:
        with path.open("rb") as stream:
            content = stream.read(_MAX_BYTES + 1)
    except FileNotFoundError:
        return None
    except OSError as refusal:
        raise StudyError(f"Cannot read {path}: {refusal}. Check that you may read it.") from refusal
    try:
        if len(content) > _MAX_BYTES:
            raise RecordingError(f"it has more than {_MAX_BYTES} bytes")
        return HeartBox.from_json(json.loads(content))
    except (ValueError, RecursionError, RecordingError) as damage:
        raise StudyError(f"{path} holds no heart box: {damage} Draw the box again, or delete the file.") from damage


def write_box(root: Path, row: int, box: HeartBox | None) -> None:
    """Keep a box for the participant in `row`, replacing an older one; None removes it."""
    path = _path(root, row)
    if box is None:
        with refusals_named(path, 0):
            path.unlink(missing_ok=True)
        return
    write_file(path, (json.dumps(box.to_json()) + "\n").encode())


def rows_with_box(root: Path) -> list[int]:
    """Rows of all participants for whom a box was drawn, ascending."""
    folder = root / FOLDER
    if not folder.is_dir():
        return []
    stems = (Path(name).stem for name in os.listdir(folder) if name.endswith(".json"))
    return sorted(int(stem) for stem in stems if stem.isascii() and stem.isdigit())


def digest(root: Path) -> bytes:
    """Give what changes when any of the boxes does; empty when there is none."""
    rows = rows_with_box(root)
    parts = (b"%d %s" % (row, _path(root, row).read_bytes()) for row in rows)
    return hashlib.sha256(b"\n".join(parts)).digest() if rows else b""


def _path(root: Path, row: int) -> Path:
    return root / FOLDER / f"{row:06d}.json"
