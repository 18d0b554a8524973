"""Keeps the session on disk by itself while somebody works, so that nothing is lost when a window goes.

Moments are frozen, so one is handed to a thread and written there while the user goes on; when they are faster than the
disk, only the newest is written. Whoever has a timer (the GUI) calls `save` some time after `changed`; `close` writes
what is left before it returns.
"""

from pathlib import Path

from psygnal import Signal

from napari_latent_explorer.errors import LatentExplorerError
from napari_latent_explorer.session.dispatch import Dispatch, inline
from napari_latent_explorer.session.explorer import Explorer
from napari_latent_explorer.session.history import Moment
from napari_latent_explorer.session.latest_wins import LatestWins
from napari_latent_explorer.session.session_file import automatic_name, last_session, write_automatic


class SessionKeeper:
    """Writes the automatic session of one explorer.

    Parameters
    ----------
    explorer
        Whose session is kept. Nothing is written before its user has done something.
    dispatch
        Brings what went wrong to the thread that owns the explorer.
    """

    changed = Signal(description="There is something to save; save it when the user rests.")
    failed = Signal(Exception, description="The session could not be written; told once for each study.")

    def __init__(self, explorer: Explorer, dispatch: Dispatch = inline) -> None:
        self._explorer = explorer
        self._name = automatic_name()
        self._newest: tuple[str, Moment] | None = None
        self._is_saved = True
        self._has_failed = False
        self._writer: LatestWins[tuple[str, Moment], Moment] = LatestWins(_write, dispatch)
        self._writer.finished.connect(self._on_writer_finished)
        self._writer.failed.connect(self._on_writer_failed)
        explorer.study_changed.connect(self._on_study_changed)
        explorer.history_changed.connect(self._on_changed)
        explorer.current_participant_changed.connect(self._on_changed)
        explorer.change_choice_changed.connect(self._on_changed)

    @property
    def is_saved(self) -> bool:
        """Whether all that was done is written, or being written."""
        return self._is_saved

    def last_session(self) -> Path | None:
        """Newest automatic session of the open study that another run, or another window, has written."""
        state = self._explorer.state
        return last_session(state, self._name) if state.cohort is not None else None

    def save(self) -> None:
        """Begin to write what was done since the last time; nothing happens when nothing was."""
        if not self._is_saved and self._newest is not None:
            self._is_saved = True
            self._writer.request(self._newest)

    def wait(self, timeout_s: float | None = None) -> bool:
        """Block until all that `save` began is written; False after `timeout_s`."""
        return self._writer.wait(timeout_s)

    def close(self) -> None:
        """Write what is left, and stop."""
        self._writer.close()
        if self._newest is not None:  # perhaps once more: whether the thread came to it may not be known yet
            try:
                _write(self._newest)
            except LatentExplorerError as error:
                self.failed.emit(error)
            self._newest = None

    def _on_changed(self) -> None:
        if self._explorer.can_undo or self._explorer.can_redo or self._explorer.current_participant is not None:
            self._newest = (self._name, self._explorer.moment())
            self._is_saved = False
            self.changed.emit()

    def _on_study_changed(self) -> None:
        self.save()
        self._name = automatic_name()
        self._has_failed = False

    def _on_writer_finished(self, moment: Moment) -> None:
        if self._newest is not None and self._newest[1] is moment:
            self._newest = None

    def _on_writer_failed(self, error: Exception) -> None:
        if not self._has_failed:
            self._has_failed = True
            self.failed.emit(error)


def _write(request: tuple[str, Moment]) -> Moment:
    write_automatic(*request)
    return request[1]
