"""``manifest.json``: what a study folder says about itself.

The manifest holds no paths: every file of a study has a fixed name under its root, so a manifest from elsewhere cannot
make the program read or write outside the folder. Names that do become paths (fingerprints, projections) pass
`path_component`.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from types import MappingProxyType
from typing import Any, Literal, TypeGuard, get_args

from napari_latent_explorer.errors import StudyError, reason_of
from napari_latent_explorer.io.atomic import write_file

SCHEMA = "napari-latent-explorer/study"
VERSION = 1
MANIFEST_FILE = "manifest.json"
MODALITIES = ("mri", "ecg")

RecordingOrigin = Literal["stored", "simulation"]

_MAX_MANIFEST_BYTES = 1_000_000
_PATH_COMPONENT = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,127}")


@dataclass(frozen=True, slots=True)
class StudyManifest:
    """Facts about a study that hold without reading any of its tables.

    Attributes
    ----------
    name
        Name for people.
    n_participants
        Rows of the table.
    modalities
        Which kinds of recordings the study has at all, of `MODALITIES`.
    recording_source
        `stored` (arrays in ``recordings.zarr``) or `simulation` (made on demand from ``factors.parquet``).
    has_labels
        Whether cines come with label maps.
    is_complete
        False while recordings are still being written.
    provenance
        What made it (command, seed, version), as plain JSON.
    """

    name: str
    n_participants: int
    modalities: tuple[str, ...] = MODALITIES
    recording_source: RecordingOrigin = "stored"
    has_labels: bool = True
    is_complete: bool = False
    provenance: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        object.__setattr__(self, "provenance", MappingProxyType(dict(self.provenance)))
        object.__setattr__(self, "modalities", tuple(self.modalities))
        problems = _problems(self)
        if problems:
            raise StudyError(f"The manifest of the study {self.name!r} is not valid: {'; '.join(problems)}.")

    def __reduce__(self) -> tuple[Any, ...]:
        # a mapping proxy cannot be pickled, a dict can
        return (type(self), tuple(_plain(self).values()))

    def write(self, root: Path) -> None:
        """Write the manifest into the folder `root`, atomically."""
        content = {"schema": SCHEMA, "version": VERSION, **_plain(self)}
        write_file(root / MANIFEST_FILE, (json.dumps(content, indent=2) + "\n").encode())

    @classmethod
    def read(cls, root: Path) -> "StudyManifest":
        """Read the manifest of the study in `root`.

        Raises
        ------
        StudyError
            When there is none, or it is damaged, of another kind or of a newer version.
        """
        content = _read_json(root)
        if content.get("schema") != SCHEMA:
            raise StudyError(
                f"{root / MANIFEST_FILE} is not the manifest of a study: its schema is {content.get('schema')!r}, "
                f"expected {SCHEMA!r}. Choose a folder made by `napari-latent-explorer study`."
            )
        version = content.get("version")
        if not _is_whole_number(version) or version < 1:
            raise StudyError(
                f"{root / MANIFEST_FILE} is damaged: its version is {version!r}, expected a whole number from 1 to "
                f"{VERSION}. Create the study again."
            )
        if version > VERSION:
            raise StudyError(
                f"The study {root} has version {version!r}; this program reads up to {VERSION}. Update it with "
                "`pip install --upgrade napari-latent-explorer`."
            )
        known = {entry.name for entry in fields(cls)}
        missing = sorted(known - content.keys())
        if missing:
            raise StudyError(f"{root / MANIFEST_FILE} lacks {', '.join(missing)}. Create the study again.")
        if not isinstance(content["provenance"], dict) or not isinstance(content["modalities"], list):
            raise StudyError(f"{root / MANIFEST_FILE} is damaged. Create the study again.")
        try:
            return cls(**{name: content[name] for name in known})
        except StudyError as misfit:
            raise StudyError(f"Cannot use {root / MANIFEST_FILE}: {misfit} Create the study again.") from misfit


def path_component(text: str, meaning: str) -> str:
    """Return `text` if it may name one file or folder inside a study.

    Raises
    ------
    StudyError
        When it could lead anywhere else, e.g. ``../x``.
    """
    if not _PATH_COMPONENT.fullmatch(text):
        raise StudyError(
            f"{text!r} cannot be used as {meaning}: only letters, digits, '.', '_' and '-' are allowed, the first one "
            "a letter or digit, at most 128 of them."
        )
    return text


def _plain(manifest: StudyManifest) -> dict[str, Any]:
    return {entry.name: _plain_value(getattr(manifest, entry.name)) for entry in fields(manifest)}


def _plain_value(value: Any) -> Any:
    return dict(value) if isinstance(value, Mapping) else value


def _read_json(root: Path) -> dict[str, Any]:
    path = root / MANIFEST_FILE
    if not path.is_file():
        found = "the folder holds none" if root.is_dir() else "there is no such folder"
        raise StudyError(
            f"Cannot open the study {root}: {found} ({MANIFEST_FILE} is expected in it). Give the folder of a study, "
            "or make one with `napari-latent-explorer study simulate OUT`."
        )
    if path.stat().st_size > _MAX_MANIFEST_BYTES:
        raise StudyError(f"{path} is larger than a manifest can be ({_MAX_MANIFEST_BYTES} bytes).")
    try:
        content = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError, RecursionError) as damage:
        raise StudyError(f"Cannot read {path}: {reason_of(damage)}. Create the study again.") from damage
    if not isinstance(content, dict):
        raise StudyError(f"{path} holds a {type(content).__name__}, expected an object. Create the study again.")
    return content


def _is_whole_number(value: Any) -> TypeGuard[int]:
    """Whether it is one; JSON's true and false are none, though Python counts with them."""
    return isinstance(value, int) and not isinstance(value, bool)


def _problems(manifest: StudyManifest) -> list[str]:
    problems = []
    if not isinstance(manifest.name, str):
        problems.append(f"its name is {manifest.name!r}, expected text")
    if not _is_whole_number(manifest.n_participants) or manifest.n_participants < 0:
        problems.append(f"n_participants is {manifest.n_participants!r}, expected a whole number from 0")
    problems += [
        f"{key} is {value!r}, expected true or false"
        for key, value in (("has_labels", manifest.has_labels), ("is_complete", manifest.is_complete))
        if not isinstance(value, bool)
    ]
    strangers = [modality for modality in manifest.modalities if modality not in MODALITIES]
    if strangers:
        problems.append(f"unknown modalities {strangers}, expected some of {list(MODALITIES)}")
    repeated = sorted({str(modality) for modality in manifest.modalities if manifest.modalities.count(modality) > 1})
    if repeated:
        problems.append(f"modalities {repeated} are named more than once")
    if manifest.recording_source not in get_args(RecordingOrigin):
        expected = " or ".join(get_args(RecordingOrigin))
        problems.append(f"recording_source is {manifest.recording_source!r}, expected {expected}")
    return problems
