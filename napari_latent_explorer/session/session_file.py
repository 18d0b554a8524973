"""Session files: what a user has done with a study, kept on disk and opened again.

The hard idea is that several windows may have one study open, and none may write over what another has done. So each
run writes a file of its own (its start and a random mark are the name) and replaces only that; the newest of the others
is what "the last session" means, and only the oldest of many are removed.

Automatic sessions lie in ``sessions`` inside the study's folder, or, where that cannot be written or belongs to the
program itself, in the user's own folder for such things.
"""

import json
import re
import uuid
from collections.abc import Generator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final, NoReturn

from platformdirs import user_state_path

import napari_latent_explorer
from napari_latent_explorer.data.progress import Progress
from napari_latent_explorer.errors import StudyError, reason_of
from napari_latent_explorer.io.atomic import write_file
from napari_latent_explorer.session.history import Moment
from napari_latent_explorer.session.session_document import session_from_dict, session_to_dict
from napari_latent_explorer.session.state import ExplorerState, cohort_of

MAX_FILE_BYTES: Final = 512 << 20
"""A million participants in ten groups need 150 MB."""
MAX_AUTOMATIC: Final = 10
_FOLDER: Final = "sessions"
_AUTOMATIC: Final = re.compile(r"auto-\d{8}T\d{6}-[0-9a-f]{8}\.json")


def write_session(path: str | Path, moment: Moment) -> None:
    """Write a moment of the open study to a file, atomically.

    Raises
    ------
    StudyError
        When no study is open or the place cannot be written.
    """
    text = json.dumps(session_to_dict(moment), ensure_ascii=True, allow_nan=False, separators=(",", ":"))
    write_file(Path(path), text.encode("ascii"))


def read_session(path: str | Path, state: ExplorerState) -> Moment:
    """Read a session of the study that is open in `state`.

    Raises
    ------
    StudyError
        When it cannot be read, is too large, or is not a session of this study (see `session_from_dict`).
    """
    file = Path(path)
    return session_from_dict(_parsed(file), state, str(file))


def save_session(path: Path, moment: Moment) -> Generator[Progress, None, Path]:
    """Write a session as a job.

    Yields
    ------
    Progress
        Once.
    """
    yield Progress(0, 1, f"Saving {path.name}")
    write_session(path, moment)
    return path


def load_session(path: Path, state: ExplorerState) -> Generator[Progress, None, Moment]:
    """Read a session as a job.

    Yields
    ------
    Progress
        Once.
    """
    yield Progress(0, 1, f"Opening {path.name}")
    return read_session(path, state)


def _parsed(file: Path) -> Any:
    try:
        with file.open("rb") as stream:
            content = stream.read(MAX_FILE_BYTES + 1)
    except OSError as error:
        raise StudyError(f"Cannot read the session {file}: {reason_of(error)}. Choose another file.") from error
    if len(content) > MAX_FILE_BYTES:
        raise StudyError(
            f"The session {file} has more than {MAX_FILE_BYTES >> 20} MB and was not opened; none that this program "
            "writes is so large."
        )
    try:
        return json.loads(content.decode("utf-8"), parse_constant=_refuse_constant)
    except (ValueError, RecursionError) as error:
        raise StudyError(
            f"The session {file} is damaged and was not opened: it is no JSON, {reason_of(error)}. "
            "Open an older one of the same folder."
        ) from error


def _refuse_constant(word: str) -> NoReturn:
    raise ValueError(f"{word} is no number")


def automatic_name() -> str:
    """Name for the automatic session of one run; no other run has it."""
    return f"auto-{datetime.now(UTC):%Y%m%dT%H%M%S}-{uuid.uuid4().hex[:8]}.json"


def automatic_folders(state: ExplorerState) -> list[Path]:
    """Folders where automatic sessions of the open study may lie, the one to write to first."""
    return keeping_folders(state, _FOLDER)


def keeping_folders(state: ExplorerState, name: str) -> list[Path]:
    """Folders of this name for the open study: in its own, unless it came with the package, and in the user's."""
    own = user_state_path("napari-latent-explorer", appauthor=False) / name / cohort_of(state).fingerprint
    root = getattr(state.study, "path", None)
    if not isinstance(root, Path) or Path(napari_latent_explorer.__file__).parent in root.resolve().parents:
        return [own]
    return [root / name, own]


def write_automatic(name: str, moment: Moment) -> Path:
    """Write the automatic session of this run where it can be written, remove the oldest of many, and return its path.

    Raises
    ------
    StudyError
        When neither the study's folder nor the user's can be written.
    """
    *others, last = automatic_folders(moment.state)
    for folder in others:
        try:
            write_session(folder / name, moment)
        except StudyError:
            continue
        _remove_oldest(folder)
        return folder / name
    write_session(last / name, moment)
    _remove_oldest(last)
    return last / name


def last_session(state: ExplorerState, but: str = "") -> Path | None:
    """Newest automatic session of the open study, other than that named `but`; None when there is none."""
    found = [path for folder in automatic_folders(state) for path in _automatic(folder) if path.name != but]
    return max(found, key=lambda path: path.name, default=None)


def _automatic(folder: Path) -> list[Path]:
    try:
        return sorted(path for path in folder.iterdir() if _AUTOMATIC.fullmatch(path.name))
    except OSError:
        return []


def _remove_oldest(folder: Path) -> None:
    for path in _automatic(folder)[:-MAX_AUTOMATIC]:
        path.unlink(missing_ok=True)
