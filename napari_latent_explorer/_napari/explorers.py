"""One session per viewer, whichever dock is opened first.

Plugins are handed a proxy of the viewer that dies with the widget it was made for; sessions are therefore kept under
the viewer itself, weakly, and end with its window.
"""

from contextlib import suppress
from typing import Any
from weakref import WeakKeyDictionary

from napari.components import ViewerModel
from napari.utils.notifications import show_error, show_warning
from qtpy.QtCore import QTimer
from qtpy.QtWidgets import QWidget

from napari_latent_explorer._napari.change_layers import ChangeLayers
from napari_latent_explorer._napari.group_layers import GroupLayers
from napari_latent_explorer._napari.guest_layers import GuestLayers, get_ready
from napari_latent_explorer._napari.heart_box import HeartBoxLayers
from napari_latent_explorer._napari.inbox import Inbox
from napari_latent_explorer._napari.layers import HeartLayers
from napari_latent_explorer._napari.path_layers import PathLayers
from napari_latent_explorer._napari.playback import Playback
from napari_latent_explorer._qt.main_thread import QtMainThreadDispatch
from napari_latent_explorer.session.comparing import Comparing
from napari_latent_explorer.session.direction_walk import DirectionWalk
from napari_latent_explorer.session.explorer import Explorer
from napari_latent_explorer.session.heart_boxing import HeartBoxing
from napari_latent_explorer.session.model_training import ModelTraining
from napari_latent_explorer.session.outside_recordings import OutsideRecordings
from napari_latent_explorer.session.path_survey import PathSurvey
from napari_latent_explorer.session.session_keeper import SessionKeeper
from napari_latent_explorer.session.side_by_side import SideBySide
from napari_latent_explorer.session.study_building import StudyBuilding

SAVE_AFTER_MS = 2000
"""The session is written when its user has rested for so long."""


class ViewerSession:
    """An explorer with what shows it in a viewer.

    Parameters
    ----------
    viewer
        The viewer; held weakly by all parts.
    """

    def __init__(self, viewer: ViewerModel) -> None:
        self.dispatch = QtMainThreadDispatch()
        self.explorer = Explorer(self.dispatch)
        self.comparing = Comparing(self.explorer)
        self.direction_walk = DirectionWalk(self.explorer)
        self.survey = PathSurvey(self.explorer)
        self.layers = HeartLayers(viewer, self.explorer)
        self.side_by_side = SideBySide(self.explorer)
        self.group_layers = GroupLayers(viewer, self.explorer, self.side_by_side, self.layers)
        self.change_layers = ChangeLayers(viewer, self.explorer, self.layers)
        self.path_layers = PathLayers(viewer, self.explorer, self.survey, self.layers)
        self.playback = Playback(viewer, self.layers, self.group_layers)
        self.outside = OutsideRecordings(self.explorer, self.layers.originals, get_ready)
        self.guests = GuestLayers(viewer, self.outside, self.layers)
        self.boxing = HeartBoxing(self.explorer, self.outside)
        self.box_layers = HeartBoxLayers(viewer, self.boxing, self.layers, self.guests)
        self.inbox = Inbox(self.outside.open)
        self.building = StudyBuilding(self.dispatch)
        self.training = ModelTraining(self.explorer, self.dispatch)
        self.keeper = SessionKeeper(self.explorer, self.dispatch)
        self._rest = QTimer()
        self._rest.setSingleShot(True)
        self._rest.setInterval(SAVE_AFTER_MS)
        self._rest.timeout.connect(self.keeper.save)
        self.keeper.changed.connect(self._on_keeper_changed)
        self.keeper.failed.connect(show_failure)
        self._windows: list[int] = []
        self._is_open = True
        self.explorer.failed.connect(show_failure)
        self.building.failed.connect(show_failure)
        self.explorer.warning_raised.connect(_show_warning)

    def end_with(self, window: QWidget) -> None:
        """Close the session when this window is destroyed."""
        if id(window) not in self._windows:
            self._windows.append(id(window))
            window.destroyed.connect(self.close)

    def close(self) -> None:
        """Stop timers and threads; Qt's objects end here, on the GUI's thread."""
        if self._is_open:
            self._is_open = False
            self.keeper.close()
            self.dispatch.close()
            self.training.close()
            self.explorer.close()
            self.building.close()
            with suppress(RuntimeError):  # when the program ends, Qt may have taken its objects before
                self._rest.stop()
                self.path_layers.close()
                self.change_layers.close()
                self.playback.close()
                self.group_layers.close()
                self.inbox.close()
                for ours in (
                    self.dispatch,
                    self.path_layers,
                    self.change_layers,
                    self.playback,
                    self.group_layers,
                    self.inbox,
                    self._rest,
                ):
                    ours.deleteLater()

    def _on_keeper_changed(self) -> None:
        if self._is_open:  # a dock that goes after the session may end a gesture
            self._rest.start()


_SESSIONS: WeakKeyDictionary[Any, ViewerSession] = WeakKeyDictionary()


def real_viewer(viewer: Any) -> ViewerModel:
    """Return the viewer behind the proxy that plugins are handed."""
    return getattr(viewer, "__wrapped__", viewer)


def session_of(viewer: Any) -> ViewerSession:
    """Session of a viewer, made when first asked for."""
    real = real_viewer(viewer)
    if real not in _SESSIONS:
        _SESSIONS[real] = ViewerSession(real)
    return _SESSIONS[real]


def explorer_of(viewer: Any) -> Explorer:
    """Explorer of a viewer."""
    return session_of(viewer).explorer


def show_failure(error: Exception) -> None:
    """Tell the user of something that could not be done."""
    show_error(str(error) or type(error).__name__)


def _show_warning(message: str) -> None:
    show_warning(message)
