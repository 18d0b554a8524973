"""Commands of the session for napari's command palette: those of the cohort's header, wherever the focus is."""

import napari
from qtpy.QtWidgets import QApplication, QWidget

from napari_latent_explorer._napari.explorers import explorer_of
from napari_latent_explorer._qt import session_dialogs
from napari_latent_explorer.errors import LatentExplorerError, StudyError
from napari_latent_explorer.session.explorer import Explorer
from napari_latent_explorer.session.exports import SELECTED, VISIBLE


def undo() -> None:
    """Take the last step back."""
    _explorer().undo()


def redo() -> None:
    """Do again what was undone last."""
    _explorer().redo()


def save_session() -> None:
    """Ask where, and save the session there."""
    session_dialogs.save_session_as(_explorer(), _window())


def open_session() -> None:
    """Ask which, and open that session of the study."""
    session_dialogs.open_session(_explorer(), _window())


def save_script() -> None:
    """Ask where, and write what was done as a script."""
    session_dialogs.save_script_as(_explorer(), _window())


def export_participants() -> None:
    """Ask where, and write the table of the selected participants, or of the visible when nobody is; without ids."""
    explorer = _explorer()
    whom = SELECTED if len(explorer.selection) else VISIBLE
    session_dialogs.export_participants(explorer, whom, has_ids=False, parent=_window())


def _explorer() -> Explorer:
    viewer = napari.current_viewer()
    if viewer is None:
        raise LatentExplorerError("There is no viewer; open napari's window first.")
    explorer = explorer_of(viewer)
    if explorer.cohort is None:
        raise StudyError("No study is open; open one first.")
    return explorer


def _window() -> QWidget | None:
    return QApplication.activeWindow()
