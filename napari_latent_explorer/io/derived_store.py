"""What was computed from a study, under the fingerprint of the bundle that made it.

``latents/<bundle fingerprint>/<modality>.npz`` and ``projections/<bundle fingerprint>/<name>.npz``: plain NumPy
archives, read without pickle, so nothing in them is ever executed.
"""

import json
from collections.abc import Mapping
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_latent_explorer.data.arrays import has_real_characters
from napari_latent_explorer.data.latents import LatentSpace
from napari_latent_explorer.errors import StudyError, reason_of
from napari_latent_explorer.io.atomic import write_file
from napari_latent_explorer.io.study_manifest import path_component

LATENTS_FOLDER = "latents"
PROJECTIONS_FOLDER = "projections"

_MAX_BYTES = 4 << 30
_META = "meta_json"


def write_latents(root: Path, latents: LatentSpace) -> None:
    """Write latents; those of the same bundle and modality are replaced."""
    content = BytesIO()  # not compressed: that takes 7 % off, and reading takes nine times as long
    np.savez(content, allow_pickle=False, values=latents.values, participant_ids=latents.participant_ids)
    write_file(latents_path(root, latents.modality, latents.bundle_fingerprint), content.getvalue())


def read_latents(root: Path, modality: str, bundle_fingerprint: str) -> LatentSpace:
    """Read latents of one modality made by one bundle; `StudyError` when there are none or the file is damaged."""
    path = latents_path(root, modality, bundle_fingerprint)
    arrays = _read(path, f"{modality} latents of the bundle {bundle_fingerprint}", "encode")
    missing = [name for name in ("values", "participant_ids") if name not in arrays]
    if missing:
        raise StudyError(f"{path} lacks {', '.join(missing)}. Encode the study again.")
    try:
        return LatentSpace(arrays["values"], arrays["participant_ids"], modality, bundle_fingerprint)
    except ValueError as damage:
        raise StudyError(f"{path} holds no latents: {reason_of(damage)}. Encode the study again.") from damage


def drop_latents_of(root: Path, modality: str, participant_id: str) -> None:
    """Remove one participant from the latents of one modality, of all bundles; the others keep theirs."""
    for path in sorted((root / LATENTS_FOLDER).glob(f"*/{path_component(modality, 'a modality')}.npz")):
        latents = read_latents(root, modality, path.parent.name)
        if participant_id in latents:
            rest = latents.participant_ids[latents.participant_ids != participant_id]
            write_latents(root, latents.aligned_to(rest))


def latents_path(root: Path, modality: str, bundle_fingerprint: str) -> Path:
    """File of the latents of one modality and bundle."""
    return (
        root
        / LATENTS_FOLDER
        / path_component(bundle_fingerprint, "the fingerprint of a bundle")
        / f"{path_component(modality, 'a modality')}.npz"
    )


def fingerprints_with_latents(root: Path) -> tuple[str, ...]:
    """Fingerprints of the bundles whose latents are there, the newest first."""
    files = [path for path in (root / LATENTS_FOLDER).glob("*/*.npz") if not path.name.startswith(".")]
    newest_first = sorted(files, key=lambda path: (-path.stat().st_mtime_ns, path.parent.name))
    return tuple(dict.fromkeys(path.parent.name for path in newest_first))


def write_projection(
    root: Path, name: str, bundle_fingerprint: str, arrays: Mapping[str, NDArray[Any]], meta: Mapping[str, Any]
) -> None:
    """Write a projection's arrays and its description (plain JSON), replacing the one of the same name."""
    if _META in arrays:
        raise StudyError(f"An array of a projection cannot be called {_META!r}.")
    description = np.array(json.dumps(dict(meta)))
    _write(projection_path(root, name, bundle_fingerprint), {**arrays, _META: description})


def read_projection(root: Path, name: str, bundle_fingerprint: str) -> tuple[dict[str, NDArray[Any]], dict[str, Any]]:
    """Read a projection's arrays and description; `StudyError` when there is none or the file is damaged."""
    path = projection_path(root, name, bundle_fingerprint)
    arrays = _read(path, f"projection {name!r} of the bundle {bundle_fingerprint}", "project")
    try:
        meta = json.loads(str(arrays.pop(_META)))
    except (KeyError, ValueError, RecursionError) as damage:
        raise StudyError(f"{path} has no readable description. Project the study again.") from damage
    return arrays, meta


def projection_path(root: Path, name: str, bundle_fingerprint: str) -> Path:
    """File of one projection of one bundle's latents."""
    return (
        root
        / PROJECTIONS_FOLDER
        / path_component(bundle_fingerprint, "the fingerprint of a bundle")
        / f"{path_component(name, 'the name of a projection')}.npz"
    )


def _write(path: Path, arrays: Mapping[str, NDArray[Any]]) -> None:
    content = BytesIO()
    np.savez_compressed(content, allow_pickle=False, **arrays)
    write_file(path, content.getvalue())


def _read(path: Path, what: str, verb: str) -> dict[str, NDArray[Any]]:
    if not path.is_file():
        raise StudyError(f"The study has no {what} ({path} is missing). Run `napari-latent-explorer {verb}` on it.")
    try:
        with path.open("rb") as stream, np.load(stream, allow_pickle=False) as archive:
            n_bytes = sum(member.file_size for member in archive.zip.infolist())
            if n_bytes > _MAX_BYTES:
                raise ValueError(f"it would unpack to {n_bytes} bytes, at most {_MAX_BYTES} are read")
            arrays = {name: archive[name] for name in archive.files}
        if not all(map(has_real_characters, arrays.values())):
            raise ValueError("it holds texts of characters that do not exist")
        return arrays
    except Exception as damage:  # NumPy hands the header of an array to Python's tokenizer and parser
        raise StudyError(
            f"{path} is damaged: {reason_of(damage)}. Run `napari-latent-explorer {verb}` again."
        ) from damage
