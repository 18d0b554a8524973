"""The star in the middle: what the user is doing with one study.

All mutable state of the program is here, and `Explorer` is its only writer. Views never meet each other: each calls
methods here and listens to signals here. The hard part is that one wish changes several things (a filter shrinks the
selection, which changes counts and colours) and yet each view should hear of it once. So every method works inside
`batch()`: changes are only noted, and when the outermost batch ends, each signal that is due is emitted once, in the
order of `_SIGNALS`, after the new `view_state` is in place.
"""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import MappingProxyType
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from psygnal import Signal

from napari_latent_explorer.analysis.prediction import PredictorTable, fit_predictors
from napari_latent_explorer.analysis.projection import Projection, fit_tsne
from napari_latent_explorer.analysis.representative import (
    REPRESENTATIVE_METHODS,
    Representative,
    RepresentativeMethod,
    representative,
)
from napari_latent_explorer.data.arrays import read_only
from napari_latent_explorer.data.cohort import Cohort
from napari_latent_explorer.data.latents import LatentSpace
from napari_latent_explorer.errors import BundleError, LatentExplorerError, StudyError, TableError
from napari_latent_explorer.session.coloring import CATEGORY_COLORS
from napari_latent_explorer.session.decode_service import Bundle, DecodeFunction, DecodeService, decode_vector
from napari_latent_explorer.session.dispatch import Dispatch, inline
from napari_latent_explorer.session.filters import Binning, Filter, bin_phenotype
from napari_latent_explorer.session.groups import Group, free_color, free_name
from napari_latent_explorer.session.jobs import Job, Jobs
from napari_latent_explorer.session.opening import NOTHING_ENCODED, Encoded, ExplorableStudy, read_encoded
from napari_latent_explorer.session.probe import LatentProbe
from napari_latent_explorer.session.recordings import (
    LoadedRecording,
    ShownParticipant,
    read_and_encode,
    read_participant,
)
from napari_latent_explorer.session.view_state import EMPTY_VIEW_STATE, ViewState, resolve

SelectionMode = Literal["replace", "add", "subtract", "toggle"]
NO_IDS: NDArray[np.str_] = read_only(np.zeros(0, np.str_))

_SIGNALS = (
    "study_changed",
    "projections_changed",
    "predictors_changed",
    "filters_changed",
    "selection_changed",
    "groups_changed",
    "active_group_changed",
    "color_by_changed",
)
_CHANGES_VIEW_STATE = frozenset(_SIGNALS) - {"projections_changed", "predictors_changed", "active_group_changed"}


class Explorer:
    """One study being explored; no Qt, no napari.

    Parameters
    ----------
    dispatch
        Brings results of workers to the thread that owns this object; inline by default, for scripts.
    decode_fn
        How vectors are decoded; by default by the bundle.

    Attributes
    ----------
    probe
        The vector that the user moves; each of its changes is decoded.
    decode
        Emits `decoded` with recordings and predictions of the probe's vector.
    jobs
        Long work that runs now.
    """

    study_changed = Signal(description="Another study or bundle: everything is new.")
    projections_changed = Signal()
    predictors_changed = Signal()
    filters_changed = Signal(description="Filters, or who is excluded.")
    selection_changed = Signal()
    groups_changed = Signal()
    active_group_changed = Signal()
    color_by_changed = Signal()
    view_state_changed = Signal(ViewState, description="Once per change or batch, after the signals above.")
    current_participant_changed = Signal(object, description="Participant id or None; recordings follow.")
    participant_shown = Signal(ShownParticipant, description="The current participant's recordings are here.")
    recording_loaded = Signal(LoadedRecording, description="A file from outside the study was read and encoded.")
    warning_raised = Signal(str, description="Something that the user must know.")
    failed = Signal(Exception, description="Work that the user asked for has failed.")

    def __init__(self, dispatch: Dispatch = inline, decode_fn: DecodeFunction = decode_vector) -> None:
        self.probe = LatentProbe()
        self.decode = DecodeService(decode_fn, dispatch)
        self.jobs = Jobs(dispatch)
        self.probe.vector_changed.connect(self.decode.request)
        self.decode.failed.connect(self.failed.emit)
        self.jobs.failed.connect(self.failed.emit)
        self._batch_depth = 0
        self._due: set[str] = set()
        self._representative_method: RepresentativeMethod = "nearest"
        self._forget_study()

    def _forget_study(self) -> None:
        self._study: ExplorableStudy | None = None
        self._cohort: Cohort | None = None
        self._binnings: Mapping[str, Binning] = {}
        self._bundle: Bundle | None = None
        self._encoded: Encoded = NOTHING_ENCODED
        self._predictors: PredictorTable | None = None
        self._filters: dict[str, Filter] = {}
        self._selection = NO_IDS
        self._excluded: dict[str, str] = {}
        self._groups: dict[str, Group] = {}
        self._active_group: str | None = None
        self._color_by: str | None = None
        self._current_participant: str | None = None
        self._view_state = EMPTY_VIEW_STATE

    # ---- what it holds ----

    @property
    def study(self) -> ExplorableStudy | None:
        """The open study."""
        return self._study

    @property
    def cohort(self) -> Cohort | None:
        """Its participants."""
        return self._cohort

    @property
    def binnings(self) -> Mapping[str, Binning]:
        """Bars of each phenotype's chart."""
        return self._binnings

    @property
    def bundle(self) -> Bundle | None:
        """The model that decodes; None when only maps can be shown."""
        return self._bundle

    @property
    def latents(self) -> Mapping[str, LatentSpace]:
        """Latents per modality."""
        return self._encoded.latents

    @property
    def projections(self) -> Mapping[str, Projection]:
        """Map per modality."""
        return self._encoded.projections

    @property
    def predictors(self) -> PredictorTable | None:
        """Predictors of phenotypes from latents; None until they are fit."""
        return self._predictors

    @property
    def filters(self) -> tuple[Filter, ...]:
        """At most one per phenotype, in the order in which they were first set."""
        return tuple(self._filters.values())

    @property
    def selection(self) -> NDArray[np.str_]:
        """Ids of the selected participants, in the cohort's order; all visible."""
        return self._selection

    @property
    def excluded(self) -> Mapping[str, str]:
        """Reason for each excluded participant."""
        return MappingProxyType(self._excluded)

    @property
    def groups(self) -> tuple[Group, ...]:
        """In the order of their making."""
        return tuple(self._groups.values())

    @property
    def active_group(self) -> Group | None:
        """The one group that the probe began from."""
        return self._groups[self._active_group] if self._active_group is not None else None

    @property
    def representative_method(self) -> RepresentativeMethod:
        """How a group's representative is chosen."""
        return self._representative_method

    @property
    def color_by(self) -> str | None:
        """Phenotype that colours the maps; None for the groups' colours."""
        return self._color_by

    @property
    def current_participant(self) -> str | None:
        """Whose own recordings are shown."""
        return self._current_participant

    @property
    def view_state(self) -> ViewState:
        """What is to be seen now."""
        return self._view_state

    # ---- one change, one emission ----

    @contextmanager
    def batch(self) -> Iterator[None]:
        """Within it changes are only noted; each signal that is due is emitted once when the outermost ends."""
        self._batch_depth += 1
        try:
            yield
        finally:
            self._batch_depth -= 1
            if self._batch_depth == 0:
                self._emit_due()

    def _emit_due(self) -> None:
        due, self._due = self._due, set()
        if not due:
            return
        changes_view_state = bool(due & _CHANGES_VIEW_STATE)
        if changes_view_state:
            self._view_state = resolve(self)
        for name in _SIGNALS:
            if name in due:
                signal: Any = getattr(self, name)
                signal.emit()
        if changes_view_state:
            self.view_state_changed.emit(self._view_state)

    # ---- study and bundle ----

    def open(self, study: ExplorableStudy, bundle: Bundle | None = None) -> None:
        """Explore `study` with the latents and maps that `bundle` made of it; everything else is forgotten.

        Without a bundle the maps of the only one that encoded the study are shown, and nothing can be decoded until
        `set_bundle`. Predictors are fit by a job.
        """
        cohort = study.cohort()
        fingerprint = bundle.fingerprint if bundle is not None else _only_fingerprint(study)
        encoded = read_encoded(study, cohort, fingerprint) if fingerprint else NOTHING_ENCODED
        self.jobs.cancel_all()
        with self.batch():
            self._forget_study()
            self._study, self._cohort, self._encoded = study, cohort, encoded
            self._binnings = {name: bin_phenotype(cohort, name) for name in cohort.specs}
            self._due.update(_SIGNALS)
        self.current_participant_changed.emit(None)
        self.probe.clear()
        self.set_bundle(bundle)
        if not encoded.latents:
            self.warning_raised.emit(f"{study.name} has no latents of this model yet; encode it to see its maps.")
        self.fit_predictors()

    def set_bundle(self, bundle: Bundle | None) -> None:
        """Decode with `bundle`, which must be the one that encoded the open study.

        Raises
        ------
        BundleError
            When the latents in use were made by another bundle.
        """
        made_by = {space.bundle_fingerprint for space in self.latents.values()}
        if bundle is not None and made_by - {bundle.fingerprint}:
            raise BundleError(
                f"The latents in use were made by bundle {', '.join(sorted(made_by))}, not by {bundle.fingerprint}. "
                "Encode the study with this bundle, then open both together."
            )
        self._bundle = bundle
        self.decode.set_bundle(bundle)
        self.decode.set_predictors(self._predictors)
        if bundle is not None and bundle.warning:
            self.warning_raised.emit(bundle.warning)
        if self.probe.is_set:
            self.decode.request(self.probe.vector)
        elif self.latents:
            self.probe_mean()

    def fit_predictors(self) -> Job[PredictorTable] | None:
        """Start the job that fits predictors of the phenotypes; None without latents."""
        if self._cohort is None or not self.latents:
            return None
        latents, cohort = dict(self.latents), self._cohort
        return self.jobs.start("Fit predictors", lambda: fit_predictors(latents, cohort), self._set_predictors)

    def fit_projection(self, modality: str, seed: int = 0) -> Job[Projection]:
        """Start the job that fits the t-SNE map of one modality."""
        latents = self._latents_of(modality)
        name = f"Fit the {modality.upper()} map"
        return self.jobs.start(name, lambda: fit_tsne(latents, seed), self._set_projection)

    def _set_predictors(self, predictors: PredictorTable) -> None:
        with self.batch():
            self._predictors = predictors
            self.decode.set_predictors(predictors)
            self._due.add("predictors_changed")
        if self.probe.is_set:
            self.decode.request(self.probe.vector)

    def _set_projection(self, projection: Projection) -> None:
        with self.batch():
            maps = {**self.projections, projection.name: projection}
            self._encoded = Encoded(self.latents, MappingProxyType(maps))
            self._due.add("projections_changed")

    # ---- filters, exclusion, selection, colour ----

    def set_filter(self, chosen: Filter) -> None:
        """Filter by one phenotype; replaces its former filter. TableError when the study cannot be filtered so."""
        chosen.mask(self._open_cohort())  # raises before anything has changed
        if self._filters.get(chosen.phenotype) != chosen:
            self._set_filters({**self._filters, chosen.phenotype: chosen})

    def remove_filter(self, phenotype: str) -> None:
        """Filter by this phenotype no longer; nothing happens if there is none."""
        if phenotype in self._filters:
            self._set_filters({name: chosen for name, chosen in self._filters.items() if name != phenotype})

    def clear_filters(self) -> None:
        """Remove all filters."""
        if self._filters:
            self._set_filters({})

    def exclude(self, participant_ids: Iterable[str], reason: str) -> None:
        """Leave these out of everything from now on, e.g. for a bad scan; `restore_excluded` brings them back."""
        added = {str(one): reason for one in participant_ids if self._excluded.get(str(one)) != reason}
        self._open_cohort().rows_of(added)
        if added:
            self._set_excluded({**self._excluded, **added})

    def restore_excluded(self, participant_ids: Iterable[str] | None = None) -> None:
        """Bring back these excluded participants, or all."""
        restored = set(self._excluded if participant_ids is None else map(str, participant_ids))
        if restored & set(self._excluded):
            self._set_excluded({one: why for one, why in self._excluded.items() if one not in restored})

    def select(self, participant_ids: Iterable[str], mode: SelectionMode = "replace") -> None:
        """Change the selection by these participants; only visible ones can be selected.

        Parameters
        ----------
        participant_ids
            Ids of the cohort.
        mode
            ``replace``: these. ``add``, ``subtract``: these too, without these. ``toggle``: each of these changes sides.
        """
        cohort = self._open_cohort()
        touched = np.zeros(len(cohort), dtype=np.bool_)
        touched[cohort.rows_of(map(str, participant_ids))] = True
        before = self._selected_mask(cohort)
        after = {
            "replace": touched,
            "add": before | touched,
            "subtract": before & ~touched,
            "toggle": before ^ touched,
        }
        self._set_selection(after[mode])

    def clear_selection(self) -> None:
        """Select nobody."""
        self.select(())

    def set_color_by(self, phenotype: str | None) -> None:
        """Colour the maps by a phenotype, or by the groups if None."""
        if phenotype is not None and phenotype not in self._open_cohort().specs:
            raise TableError(f"The study has no phenotype {phenotype!r} to colour by.")
        if phenotype != self._color_by:
            with self.batch():
                self._color_by = phenotype
                self._due.add("color_by_changed")

    def visible_ids(self) -> NDArray[np.str_]:
        """Ids of the participants who pass all filters and are not excluded."""
        cohort = self._open_cohort()
        return read_only(cohort.participant_ids[self._visible_mask(cohort)])

    def _set_filters(self, filters: dict[str, Filter]) -> None:
        with self.batch():
            self._filters = filters
            self._due.add("filters_changed")
            self._set_selection(self._selected_mask(self._open_cohort()))

    def _set_excluded(self, excluded: dict[str, str]) -> None:
        with self.batch():
            self._excluded = excluded
            self._due.add("filters_changed")
            self._set_selection(self._selected_mask(self._open_cohort()))

    def _set_selection(self, mask: NDArray[np.bool_]) -> None:
        cohort = self._open_cohort()
        ids = read_only(cohort.participant_ids[mask & self._visible_mask(cohort)])
        if not np.array_equal(ids, self._selection):
            with self.batch():
                self._selection = ids
                self._due.add("selection_changed")

    def _selected_mask(self, cohort: Cohort) -> NDArray[np.bool_]:
        mask = np.zeros(len(cohort), dtype=np.bool_)
        mask[cohort.rows_of(self._selection.tolist())] = True
        return mask

    def _visible_mask(self, cohort: Cohort) -> NDArray[np.bool_]:
        mask = np.ones(len(cohort), dtype=np.bool_)
        mask[cohort.rows_of(self._excluded)] = False
        for chosen in self.filters:
            mask &= chosen.mask(cohort)
        return mask

    # ---- groups ----

    def create_group(self, name: str | None = None, participant_ids: Iterable[str] | None = None) -> Group:
        """Make a group of these participants, or of the selected, or, if nobody is, of the visible; it becomes active.

        Raises
        ------
        LatentExplorerError
            When it would be empty or the name is taken.
        """
        cohort = self._open_cohort()
        ids, recipe = self._members(participant_ids)
        cohort.rows_of(ids)
        if not ids:
            raise LatentExplorerError("A group needs participants, but no participant passes the filters.")
        name = free_name(self._groups) if name is None else self._checked_name(name)
        color = free_color([group.color for group in self.groups], CATEGORY_COLORS)
        group = Group(name, color, np.array(ids), recipe, self._representative_of(ids))
        with self.batch():
            self._groups[name] = group
            self._due.add("groups_changed")
            self.set_active_group(name)
        return group

    def remove_group(self, name: str) -> None:
        """Forget a group; its members stay as they are."""
        self._checked_group(name)
        with self.batch():
            del self._groups[name]
            self._due.add("groups_changed")
            if self._active_group == name:
                self._active_group = None
                self._due.add("active_group_changed")

    def rename_group(self, name: str, new_name: str) -> None:
        """Give a group another name."""
        self._checked_group(name)
        if new_name == name:
            return
        self._checked_name(new_name)
        with self.batch():
            self._groups = {
                new_name if key == name else key: _replaced(group, name=new_name) if key == name else group
                for key, group in self._groups.items()
            }
            self._due.add("groups_changed")
            if self._active_group == name:
                self._active_group = new_name
                self._due.add("active_group_changed")

    def set_active_group(self, name: str | None) -> None:
        """Make a group the active one; the probe begins at its representative."""
        group = self._checked_group(name) if name is not None else None
        with self.batch():
            if name != self._active_group:
                self._active_group = name
                self._due.add("active_group_changed")
        if group is not None and group.representative is not None:
            self.probe.set_origin(group.representative.vector, f"{group.name}, {group.representative.label}")

    def set_representative_method(self, method: RepresentativeMethod) -> None:
        """Choose how groups are represented; the probe follows the active group."""
        if method not in REPRESENTATIVE_METHODS:
            raise LatentExplorerError(f"Unknown representative {method!r}; choose {', '.join(REPRESENTATIVE_METHODS)}.")
        if method == self._representative_method:
            return
        self._representative_method = method
        with self.batch():
            self._groups = {
                name: _replaced(group, representative=self._representative_of(group.participant_ids.tolist()))
                for name, group in self._groups.items()
            }
            self._due.add("groups_changed")
            self.set_active_group(self._active_group)

    def _members(self, participant_ids: Iterable[str] | None) -> tuple[list[str], str]:
        """Ids of a group to be made, and how it was made in words."""
        cohort = self._open_cohort()
        if participant_ids is not None:
            return [str(participant_id) for participant_id in participant_ids], "chosen by id"
        filters = "; ".join(chosen.describe(cohort.specs[chosen.phenotype]) for chosen in self.filters)
        if len(self._selection):
            return self._selection.tolist(), "; ".join(filter(None, [filters, "selected on the map"]))
        return self.visible_ids().tolist(), filters or "all participants"

    def _representative_of(self, participant_ids: list[str]) -> Representative | None:
        if not self.latents:
            return None
        latents = self.latents[next(iter(self.latents))]
        known = set(latents.participant_ids.tolist())
        ids = [participant_id for participant_id in participant_ids if participant_id in known]
        return representative(latents, ids, self._representative_method) if ids else None

    def _checked_group(self, name: str) -> Group:
        if name not in self._groups:
            raise LatentExplorerError(f"There is no group {name!r}; there are {', '.join(self._groups) or 'none'}.")
        return self._groups[name]

    def _checked_name(self, name: str) -> str:
        if not name.strip() or name in self._groups:
            raise LatentExplorerError(f"A group cannot be called {name!r}: names must be unique and not empty.")
        return name

    # ---- probe, participants, recordings ----

    def probe_mean(self, modality: str | None = None) -> None:
        """Begin the probe at the mean of all participants."""
        latents = self._latents_of(modality)
        self.probe.set_origin(latents.mean, f"mean of all participants, {latents.modality.upper()}")

    def probe_participant(self, participant_id: str, modality: str | None = None) -> None:
        """Begin the probe at the vector of one participant."""
        latents = self._latents_of(modality)
        if participant_id not in set(latents.participant_ids.tolist()):
            raise StudyError(f"Participant {participant_id} has no {latents.modality} latents.")
        self.probe.set_origin(latents.of([participant_id])[0], f"{participant_id}, {latents.modality.upper()}")

    def participant_at(self, modality: str, row: int) -> str:
        """Id of the participant who is point `row` of a map."""
        return str(self.projections[modality].participant_ids[row])

    def show_participant(self, participant_id: str) -> Job[ShownParticipant]:
        """Make a participant the current one and start the job that reads their recordings."""
        self._open_cohort().rows_of([participant_id])
        study = self._study
        assert study is not None
        if participant_id != self._current_participant:
            self._current_participant = participant_id
            self.current_participant_changed.emit(participant_id)
        return self.jobs.start(
            "Read participant", lambda: read_participant(study, participant_id), self.participant_shown.emit
        )

    def load_recording(self, path: str | Path) -> Job[LoadedRecording]:
        """Start the job that reads a cine or an ECG from a file and encodes it; then the probe begins at its vector."""
        bundle = self._bundle
        if bundle is None:
            raise BundleError("A recording can only be encoded with a model; open a bundle first.")
        return self.jobs.start("Load recording", lambda: read_and_encode(Path(path), bundle), self._on_recording_loaded)

    def close(self) -> None:
        """Cancel the jobs and stop the decoder's thread; the explorer is of no use afterwards."""
        self.jobs.cancel_all()
        self.decode.close()

    def _on_recording_loaded(self, recording: LoadedRecording) -> None:
        self.recording_loaded.emit(recording)
        if recording.warning:
            self.warning_raised.emit(recording.warning)
        self.probe.set_origin(recording.vector, f"{recording.path.name}, {recording.modality.upper()}")

    def _open_cohort(self) -> Cohort:
        if self._cohort is None:
            raise StudyError("No study is open; open one first.")
        return self._cohort

    def _latents_of(self, modality: str | None) -> LatentSpace:
        """Latents of a modality, or of the first there is."""
        chosen = modality if modality is not None else next(iter(self.latents), "mri")
        if chosen not in self.latents:
            raise StudyError(f"The study has no {chosen} latents of this model; encode it first.")
        return self.latents[chosen]


def _replaced(group: Group, **changes: Any) -> Group:
    from dataclasses import replace

    return replace(group, **changes)


def _only_fingerprint(study: ExplorableStudy) -> str | None:
    fingerprints = list(study.latent_fingerprints())
    return str(fingerprints[0]) if len(fingerprints) == 1 else None
