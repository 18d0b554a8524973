"""Asking for a file, and handing it to the session: sessions, scripts and tables of participants."""

from pathlib import Path

from qtpy.QtWidgets import QFileDialog, QWidget

from napari_latent_explorer.errors import LatentExplorerError
from napari_latent_explorer.io.atomic import write_file
from napari_latent_explorer.session.explorer import Explorer

_SESSIONS, _SCRIPTS, _TABLES = "Sessions (*.json)", "Python (*.py)", "Tables (*.csv)"


def save_session_as(explorer: Explorer, parent: QWidget | None = None) -> None:
    """Ask where, and save the session there."""
    if (path := _new_file(parent, "Save session as", "session.json", _SESSIONS)) is not None:
        explorer.save_session(path)


def open_session(explorer: Explorer, parent: QWidget | None = None) -> None:
    """Ask which, and open that session of the study."""
    name, _ = QFileDialog.getOpenFileName(parent, "Open session", "", _SESSIONS)
    if name:
        explorer.open_session(name)


def save_script_as(explorer: Explorer, parent: QWidget | None = None) -> None:
    """Ask where, and write what was done as a script."""
    if (path := _new_file(parent, "Save as script", "session.py", _SCRIPTS)) is not None:
        try:
            write_file(path, explorer.script().encode("ascii"))
        except LatentExplorerError as error:
            explorer.failed.emit(error)


def export_participants(explorer: Explorer, whom: str, has_ids: bool, parent: QWidget | None = None) -> None:
    """Ask where, and write the table of some participants (see `session.exports`)."""
    if (path := _new_file(parent, "Export participants", "participants.csv", _TABLES)) is not None:
        try:
            explorer.export_participants(path, whom, has_ids)
        except LatentExplorerError as error:
            explorer.failed.emit(error)


def _new_file(parent: QWidget | None, title: str, name: str, kind: str) -> Path | None:
    chosen, _ = QFileDialog.getSaveFileName(parent, title, name, kind)
    if not chosen:
        return None
    path = Path(chosen)
    return path if path.suffix else path.with_suffix(Path(name).suffix)
