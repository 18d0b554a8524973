"""The docks as napari opens them: each gets the session of its viewer and follows its theme.

napari passes the viewer to classes only, hence one small class per dock.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any
from weakref import ref

from qtpy.QtCore import QEvent, QObject, QTimer
from qtpy.QtWidgets import QSizePolicy, QWidget

from napari_latent_explorer._napari.explorers import ViewerSession, explorer_of, real_viewer, session_of, show_failure
from napari_latent_explorer._napari.places import BUILD, open_dock
from napari_latent_explorer._napari.themes import ThemeFollower
from napari_latent_explorer._napari.workspace import open_study_folder, open_workspace
from napari_latent_explorer._qt.cohort_dock import QtCohortDock
from napari_latent_explorer._qt.compare_dock import QtCompareDock
from napari_latent_explorer._qt.ecg_dock import QtEcgDock
from napari_latent_explorer._qt.groups_dock import QtGroupsDock
from napari_latent_explorer._qt.heart_box_dock import QtHeartBoxDock
from napari_latent_explorer._qt.history_bar import add_undo_keys
from napari_latent_explorer._qt.listening import listen
from napari_latent_explorer._qt.map_dock import QtMapDock
from napari_latent_explorer._qt.path_dock import QtPathDock
from napari_latent_explorer._qt.predictions_dock import QtPredictionsDock
from napari_latent_explorer._qt.probe_dock import QtProbeDock
from napari_latent_explorer._qt.study_builder_dock import QtStudyBuilderDock
from napari_latent_explorer._qt.theme import Theme
from napari_latent_explorer._qt.training_dock import QtTrainingDock


class CohortWidget(QtCohortDock):
    """Phenotypes and filters."""

    def __init__(self, napari_viewer: Any) -> None:
        super().__init__(explorer_of(napari_viewer))
        _adopt(self, self.set_theme, napari_viewer)
        viewer = ref(real_viewer(napari_viewer))
        self.build_requested.connect(lambda: open_dock(viewer(), BUILD))
        self.history.set_last_session(session_of(napari_viewer).keeper.last_session)


class MapWidget(QtMapDock):
    """The two maps."""

    def __init__(self, napari_viewer: Any) -> None:
        super().__init__(explorer_of(napari_viewer))
        _adopt(self, self.set_theme, napari_viewer)
        add_undo_keys(self, explorer_of(napari_viewer))


class GroupsWidget(QtGroupsDock):
    """Groups and their representatives."""

    def __init__(self, napari_viewer: Any) -> None:
        super().__init__(explorer_of(napari_viewer))
        _adopt(self, self.set_theme, napari_viewer)
        add_undo_keys(self, explorer_of(napari_viewer))


class CompareWidget(QtCompareDock):
    """Two groups in every phenotype."""

    def __init__(self, napari_viewer: Any) -> None:
        session = session_of(napari_viewer)
        super().__init__(session.explorer, session.comparing)
        _adopt(self, self.set_theme, napari_viewer)
        add_undo_keys(self, explorer_of(napari_viewer))


class ProbeWidget(QtProbeDock):
    """Latent dimensions and directions."""

    def __init__(self, napari_viewer: Any) -> None:
        session = session_of(napari_viewer)
        super().__init__(session.explorer, session.direction_walk)
        _adopt(self, self.set_theme, napari_viewer)
        add_undo_keys(self, session.explorer)


class PathWidget(QtPathDock):
    """The path; its hearts go with the viewer's time slider."""

    def __init__(self, napari_viewer: Any) -> None:
        session = session_of(napari_viewer)
        super().__init__(session.explorer, session.survey)
        _adopt(self, self.set_theme, napari_viewer)
        add_undo_keys(self, session.explorer)
        session.playback.time_changed.connect(self.set_cine_time)
        session.playback.tell_time()


class PredictionsWidget(QtPredictionsDock):
    """Predicted phenotypes."""

    def __init__(self, napari_viewer: Any) -> None:
        super().__init__(explorer_of(napari_viewer))
        _adopt(self, self.set_theme, napari_viewer)
        add_undo_keys(self, explorer_of(napari_viewer))


class EcgWidget(QtEcgDock):
    """ECG, its cursor tied to the viewer's time slider."""

    def __init__(self, napari_viewer: Any) -> None:
        session = session_of(napari_viewer)
        super().__init__(session.explorer, session.layers.originals, session.side_by_side)
        _adopt(self, self.set_theme, napari_viewer)
        add_undo_keys(self, explorer_of(napari_viewer))
        playback = session.playback
        playback.time_changed.connect(self.set_cine_time)
        playback.playing_changed.connect(self.set_playing)
        self.play_toggled.connect(playback.set_playing)
        self.open_requested.connect(session.inbox.put)
        self.cine_time_requested.connect(playback.go_to)
        self.set_playing(playback.is_playing)
        playback.tell_time()


class StudyBuilderWidget(QtStudyBuilderDock):
    """A study from one's own files."""

    def __init__(self, napari_viewer: Any) -> None:
        session = session_of(napari_viewer)
        super().__init__(session.building)
        _adopt(self, self.set_theme, napari_viewer)
        viewer = ref(real_viewer(napari_viewer))
        self.open_requested.connect(lambda folder: _open_study(viewer(), folder))


class TrainingWidget(QtTrainingDock):
    """A model trained on the open study."""

    def __init__(self, napari_viewer: Any) -> None:
        session = session_of(napari_viewer)
        super().__init__(session.training)
        _adopt(self, self.set_theme, napari_viewer)
        viewer = ref(real_viewer(napari_viewer))
        self.open_requested.connect(lambda folder: _open_study(viewer(), folder))
        listen(self, session.training.encoded, lambda: _open_docks(viewer()))


class HeartBoxWidget(QtHeartBoxDock):
    """The heart box by hand."""

    def __init__(self, napari_viewer: Any) -> None:
        session = session_of(napari_viewer)
        super().__init__(session.explorer, session.boxing)
        _adopt(self, self.set_theme, napari_viewer)
        self.failed.connect(show_failure)


def _open_study(viewer: Any, folder: Path) -> None:
    if viewer is not None:
        open_study_folder(viewer, folder)


def _open_docks(viewer: Any) -> None:
    if viewer is not None:
        open_workspace(viewer)


def _adopt(widget: QWidget, set_theme: Callable[[Theme], None], napari_viewer: Any) -> None:
    """Tie a dock to the viewer's theme, and its end and the session's to Qt's."""
    # Else napari adds a stretch below, which takes more of the room with each dock that was opened before.
    widget.setSizePolicy(widget.sizePolicy().horizontalPolicy(), QSizePolicy.Policy.Expanding)
    ThemeFollower(widget, set_theme, real_viewer(napari_viewer))
    _DockKeeper(widget, session_of(napari_viewer))


class _DockKeeper(QObject):
    """Sees where napari puts a widget: into a window, with which the session ends, or nowhere, when its dock is closed.

    A widget that is nowhere is destroyed at once: nobody else would do so on the right thread (see `_qt.listening`).
    """

    def __init__(self, widget: QWidget, session: ViewerSession) -> None:
        super().__init__(widget)
        self._session = session
        widget.installEventFilter(self)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Look after the widget when its parent has changed; never takes the event."""
        if event.type() == QEvent.Type.ParentChange:
            QTimer.singleShot(0, self._look)
        return False

    def _look(self) -> None:
        widget = self.parent()
        if isinstance(widget, QWidget) and widget.parentWidget() is None:
            widget.deleteLater()
        elif isinstance(widget, QWidget):
            self._session.end_with(widget.window())
