"""The one frozen state of an explorer, and how its changes are told.

One wish can change several things (a filter shrinks the selection, which changes counts and colours), and yet each view
should hear of it once. So a change only puts the next frozen `ExplorerState` in place of the last; when the outermost
`batch()` ends, old and new state are compared field by field, the new `ViewState` is made, and each signal whose field
has changed is emitted once. That table, from field to signal, is `_SIGNAL_OF`; there is no other place where state and
signals meet. The outermost `batch()` is one step of the history too, with what the probe did meanwhile.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import numpy as np
from numpy.typing import NDArray
from psygnal import Signal, SignalInstance

from napari_latent_explorer.analysis.map_space import MapKind
from napari_latent_explorer.analysis.prediction import PredictorTable
from napari_latent_explorer.analysis.projection import Projection
from napari_latent_explorer.analysis.representative import RepresentativeMethod
from napari_latent_explorer.analysis.unusualness import Unusualness
from napari_latent_explorer.data.cohort import Cohort
from napari_latent_explorer.data.latents import LatentSpace
from napari_latent_explorer.modeling.walk_calibration import WalkCalibration
from napari_latent_explorer.session.change_choice import ChangeChoice
from napari_latent_explorer.session.color_sources import ColorBy
from napari_latent_explorer.session.comparison_choice import ComparisonChoice
from napari_latent_explorer.session.decode_service import Bundle
from napari_latent_explorer.session.derived_colors import colored_by
from napari_latent_explorer.session.direction_choice import DirectionChoice
from napari_latent_explorer.session.filters import Filter
from napari_latent_explorer.session.groups import Group
from napari_latent_explorer.session.history import History, Moment
from napari_latent_explorer.session.opening import ExplorableStudy
from napari_latent_explorer.session.path_choice import PathChoice
from napari_latent_explorer.session.probe import LatentProbe
from napari_latent_explorer.session.side_by_side_choice import SideBySideChoice
from napari_latent_explorer.session.state import ExplorerState, with_probe_alone, with_standing_filters
from napari_latent_explorer.session.view_state import ViewState, resolve

_SIGNAL_OF = {
    "study": "study_changed",
    "bundle": "bundle_changed",
    "maps": "projections_changed",
    "map_kind": "projections_changed",
    "predictors": "predictors_changed",
    "filters": "filters_changed",
    "excluded": "filters_changed",
    "selection": "selection_changed",
    "groups": "groups_changed",
    "active_group": "active_group_changed",
    "comparison": "comparison_changed",
    "side_by_side": "side_by_side_changed",
    "direction": "direction_changed",
    "calibrations": "calibrations_changed",
    "path": "path_changed",
    "change": "change_choice_changed",
    "color_by": "color_by_changed",
}
"""Which signal tells that a field of the state is another one; they are emitted in this order."""

_SEEN = {"cohort", "filters", "excluded", "selection", "groups", "color_by"}
"""Fields that the view state is made of, besides what colours are made of."""


class StateHolder:
    """Holds an `ExplorerState` and a probe, tells what has changed, and goes back to what was before.

    `Explorer` says what can be done to them.

    Attributes
    ----------
    probe
        The vector that the user moves.
    history
        What can be undone and done again.
    """

    study_changed = Signal(description="Another study: everything is new.")
    bundle_changed = Signal(description="Another model decodes, or none.")
    projections_changed = Signal(description="There is another map, or another kind of map is wanted.")
    predictors_changed = Signal()
    filters_changed = Signal(description="Filters, or who is excluded.")
    selection_changed = Signal()
    groups_changed = Signal(description="Groups or their representatives.")
    active_group_changed = Signal()
    comparison_changed = Signal(description="Other groups are to be compared, or in another way.")
    side_by_side_changed = Signal(description="Other groups are to be shown side by side, or none.")
    path_changed = Signal(description="Another path, or another place on it.")
    direction_changed = Signal(description="The probe is to walk another way.")
    change_choice_changed = Signal(description="More or less of the change from the origin is to be shown.")
    calibrations_changed = Signal(description="It was measured what one more walk changes of decoded hearts.")
    color_by_changed = Signal()
    view_state_changed = Signal(ViewState, description="Once per change or batch, after the signals above.")
    current_participant_changed = Signal(object, description="Participant id or None; recordings follow.")

    history_changed = Signal(description="There is another step to undo or to do again.")

    def __init__(self) -> None:
        self.probe = LatentProbe()
        self.history = History()
        self._state = self._told_state = ExplorerState()
        self._view_state = resolve(self._state)
        self._batch_depth = 0
        self._step_depth = 0
        self.probe.vector_changed.connect(self._on_probe_vector_changed)
        self.probe.locks_changed.connect(self._record)

    @property
    def state(self) -> ExplorerState:
        """All of the following in one frozen value."""
        return self._state

    @property
    def study(self) -> ExplorableStudy | None:
        """The open study."""
        return self._state.study

    @property
    def cohort(self) -> Cohort | None:
        """Its participants."""
        return self._state.cohort

    @property
    def bundle(self) -> Bundle | None:
        """The model that decodes; None when only maps can be shown."""
        return self._state.bundle

    @property
    def latents(self) -> Mapping[str, LatentSpace]:
        """Latents per modality."""
        return self._state.latents

    @property
    def maps(self) -> Mapping[str, Projection]:
        """All maps of all kinds, by `Projection.key`."""
        return self._state.maps

    @property
    def map_kind(self) -> MapKind:
        """Which kind of map is wanted."""
        return self._state.map_kind

    @property
    def projections(self) -> Mapping[str, Projection]:
        """The map of each modality, and of both, that is shown now."""
        return self._state.projections

    @property
    def predictors(self) -> PredictorTable | None:
        """Predictors of phenotypes from latents; None until they are fit."""
        return self._state.predictors

    @property
    def unusualness(self) -> Mapping[str, Unusualness]:
        """How unusual each participant's vector is, per modality, as far as it was measured."""
        return self._state.unusualness

    @property
    def calibrations(self) -> Mapping[str, WalkCalibration]:
        """What walks change of decoded hearts, as far as it was measured, by `WalkCalibration.key`."""
        return self._state.calibrations

    @property
    def filters(self) -> tuple[Filter, ...]:
        """At most one per key, in the order in which they were first set."""
        return self._state.filters

    @property
    def excluded(self) -> Mapping[str, str]:
        """Reason for each excluded participant."""
        return self._state.excluded

    @property
    def selection(self) -> NDArray[np.str_]:
        """Ids of the selected participants, in the cohort's order; all visible."""
        return self._state.selection

    @property
    def groups(self) -> tuple[Group, ...]:
        """In the order of their making."""
        return self._state.groups

    @property
    def active_group(self) -> Group | None:
        """The one group that the probe began from."""
        return self._state.active_group

    @property
    def representative_method(self) -> RepresentativeMethod:
        """How a group's representative is chosen."""
        return self._state.representative_method

    @property
    def comparison(self) -> ComparisonChoice:
        """Which groups are compared, and how."""
        return self._state.comparison

    @property
    def side_by_side(self) -> SideBySideChoice:
        """Which groups' hearts are shown in the place of the probe's."""
        return self._state.side_by_side

    @property
    def path(self) -> PathChoice:
        """Which path the probe was sent along, and how far."""
        return self._state.path

    @property
    def direction(self) -> DirectionChoice:
        """Which way the probe walks."""
        return self._state.direction

    @property
    def change(self) -> ChangeChoice:
        """What is shown of the change from where the probe began."""
        return self._state.change

    @property
    def color_by(self) -> ColorBy | None:
        """What colours the maps: a phenotype's name, or what was derived from latents; None for the groups' colours."""
        return self._state.color_by

    @property
    def current_participant(self) -> str | None:
        """Whose own recordings are shown."""
        return self._state.current_participant

    @property
    def view_state(self) -> ViewState:
        """What is to be seen now."""
        return self._view_state

    # ---- one change, one emission

    @contextmanager
    def batch(self) -> Iterator[None]:
        """Within it changes are only noted; each signal that is due is emitted once when the outermost ends."""
        with self._one_step():
            self._batch_depth += 1
            try:
                yield
            finally:
                self._batch_depth -= 1
                if self._batch_depth == 0:
                    self._tell()

    def _set(self, state: ExplorerState) -> None:
        with self.batch():
            self._state = state

    def _tell(self) -> None:
        """Emit what has changed since the last time."""
        before, after = self._told_state, self._state
        self._told_state = after
        changed = {name for name in ExplorerState.__slots__ if getattr(before, name) is not getattr(after, name)}
        is_seen = bool(changed & (_SEEN | colored_by(after.color_by)))
        if is_seen:
            self._view_state = resolve(after, (before, self._view_state))
        for signal_name in dict.fromkeys(_SIGNAL_OF[name] for name in _SIGNAL_OF if name in changed):
            signal: SignalInstance = getattr(self, signal_name)
            signal.emit()
        if is_seen:
            self.view_state_changed.emit(self._view_state)
        if after.current_participant != before.current_participant:
            self.current_participant_changed.emit(after.current_participant)

    # ---- undo and redo

    @property
    def can_undo(self) -> bool:
        """Whether there is a step to take back."""
        return bool(self.history.undo_text)

    @property
    def can_redo(self) -> bool:
        """Whether there is an undone step to do again."""
        return bool(self.history.redo_text)

    @property
    def undo_text(self) -> str:
        """What `undo` takes back, in words; empty when there is nothing."""
        return self.history.undo_text

    @property
    def redo_text(self) -> str:
        """What `redo` does again, in words; empty when there is nothing."""
        return self.history.redo_text

    def undo(self) -> None:
        """Take the last step back; nothing happens when there is none."""
        self.go_to(self.history.undo(self.moment()))

    def redo(self) -> None:
        """Do again what was undone last; nothing happens when there is nothing."""
        self.go_to(self.history.redo(self.moment()))

    def begin_gesture(self) -> None:
        """Take all that changes until `end_gesture` for one step, e.g. while a dot is dragged."""
        self.history.begin_gesture(self.moment())

    def end_gesture(self) -> None:
        """End the gesture; nothing happens when none had begun."""
        if self.history.is_in_gesture and self.history.end_gesture(self.moment()):
            self.history_changed.emit()

    def moment(self) -> Moment:
        """Return what can be gone back to from now on."""
        return Moment(self._state, self.probe.state, self._view_state.selected_mask)

    def go_to(self, moment: Moment) -> None:
        """Be at a moment of this study's history; filters on a map that is no longer there are left out."""
        self._step_depth += 1
        try:
            self._set(with_standing_filters(moment.state))
            self.probe.restore(moment.probe)
        finally:
            self._step_depth -= 1
            self.history.arrive(self.moment())
            self.history_changed.emit()

    @contextmanager
    def _one_step(self) -> Iterator[None]:
        """Make one step of all that changes within."""
        self._step_depth += 1
        try:
            yield
        finally:
            self._step_depth -= 1
            self._record()

    @contextmanager
    def _first_step(self) -> Iterator[None]:
        """Let the history begin where this ends."""
        self._step_depth += 1
        try:
            yield
        finally:
            self._step_depth -= 1
            self.history.clear(self.moment())
            self.history_changed.emit()

    def _record(self) -> None:
        if self._step_depth == 0 and self.history.record(self.moment()):
            self.history_changed.emit()

    def _on_probe_vector_changed(self) -> None:
        if self._step_depth == 0 and self._state.side_by_side.names:  # whoever moves the probe looks at it
            self._set(with_probe_alone(self._state))
        self._record()
