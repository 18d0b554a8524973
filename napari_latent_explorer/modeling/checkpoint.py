"""Checkpoints that survive kills, full disks and rotten ones: the last two of a stage, each with its own SHA-256.

    checkpoint_joint.pt             after the last finished epoch
    checkpoint_joint.previous.pt    after the one before it

The hard idea is that whichever of the two is used, training ends with the same weights: a stage replays an epoch bit
for bit. So a damaged checkpoint costs an epoch, not the run. A file is the line of `MAGIC`, the SHA-256 of what follows
as 64 hexadecimal digits and a line break, and what `torch.save` makes, which is read without executing anything.
"""

import hashlib
import io
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from napari_latent_explorer.errors import TrainingError
from napari_latent_explorer.io.atomic import refusals_named, write_file

MAGIC = b"napari-latent-explorer checkpoint 1\n"
_DIGEST_BYTES = 64
_HEADER_BYTES = len(MAGIC) + _DIGEST_BYTES + 1


@dataclass(frozen=True, slots=True, eq=False)
class Checkpoint:
    """What was read, and what has to be said about it (empty if nothing).

    Attributes
    ----------
    content
        As given to `write_checkpoint`.
    note
        Which file was damaged, in which way, and what was used instead.
    """

    content: dict[str, Any]
    note: str


def previous_path(path: Path) -> Path:
    """Where the checkpoint before the one at `path` lies."""
    return path.with_name(f"{path.stem}.previous{path.suffix}")


def write_checkpoint(path: Path, content: dict[str, Any]) -> None:
    """Write tensors and plain values to `path`; what was there becomes the previous checkpoint.

    Raises
    ------
    StudyError
        When the disk is full or the place cannot be written.
    """
    buffer = io.BytesIO()
    torch.save(content, buffer)
    payload = buffer.getvalue()
    digest = hashlib.sha256(payload).hexdigest().encode()
    if path.is_file():
        with refusals_named(path, len(payload)):
            os.replace(path, previous_path(path))
    write_file(path, MAGIC + digest + b"\n" + payload)


def read_checkpoint(path: Path) -> Checkpoint | None:
    """Read the newest whole checkpoint; None when there is none at all.

    Reading changes nothing on disk but one thing: when the newest is damaged and the one before it is whole, that takes
    its place, so that the next `write_checkpoint` does not push the whole one out.

    Raises
    ------
    TrainingError
        When all that there are are damaged; each is named with what is wrong.
    """
    problems = []
    for candidate in (path, previous_path(path)):
        if not candidate.is_file():
            continue
        try:
            content = _read(candidate)
        except TrainingError as damage:
            problems.append(str(damage))
            continue
        if candidate != path:
            with refusals_named(path, 0):
                os.replace(candidate, path)
        note = f"{problems[0]} Training goes on from the one before it." if problems else ""
        return Checkpoint(content, note)
    if not problems:
        return None
    raise TrainingError(
        f"{' '.join(problems)} No whole checkpoint is left. Delete what is damaged to begin this stage anew."
    )


def _read(path: Path) -> dict[str, Any]:
    raw = path.read_bytes()
    if not raw.startswith(MAGIC) or len(raw) < _HEADER_BYTES:
        raise TrainingError(f"The checkpoint {path} is damaged: it does not begin as one ({len(raw)} bytes).")
    expected, payload = raw[len(MAGIC) : _HEADER_BYTES - 1], raw[_HEADER_BYTES:]
    found = hashlib.sha256(payload).hexdigest().encode()
    if found != expected:
        raise TrainingError(
            f"The checkpoint {path} is damaged: the SHA-256 of its {len(payload)} bytes begins with "
            f"{found[:12].decode()}, expected {expected[:12].decode(errors='replace')!r}."
        )
    try:
        content: dict[str, Any] = torch.load(io.BytesIO(payload), map_location="cpu", weights_only=True)
    except Exception as damage:
        raise TrainingError(f"The checkpoint {path} is damaged: {type(damage).__name__} while reading it.") from damage
    return content
