"""The star in the middle: what the user is doing with one study.

Views never meet each other: each calls methods here and listens to signals here. What can be done is here; what there
is, and how its changes are told, is in `StateHolder`; where the probe is put, in `ProbePlacing`.
"""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path

from psygnal import Signal

from napari_latent_explorer.analysis.map_space import MapKind
from napari_latent_explorer.analysis.phenotype_comparison import NumberTest
from napari_latent_explorer.analysis.prediction import PredictorTable, fit_predictors
from napari_latent_explorer.analysis.projection import Projection
from napari_latent_explorer.analysis.representative import RepresentativeMethod
from napari_latent_explorer.analysis.unusualness import Unusualness
from napari_latent_explorer.data.progress import finish
from napari_latent_explorer.errors import BundleError, StudyError
from napari_latent_explorer.session import grouping, opening, probing
from napari_latent_explorer.session import state as changes
from napari_latent_explorer.session.change_choice import ChangeChoice
from napari_latent_explorer.session.change_survey import ChangeSurvey
from napari_latent_explorer.session.color_sources import ColorBy
from napari_latent_explorer.session.decode_service import Bundle, DecodeFunction, DecodeService
from napari_latent_explorer.session.decoded_origin import DecodedOrigin
from napari_latent_explorer.session.dispatch import Dispatch, forward, inline
from napari_latent_explorer.session.exports import participants_mask, write_participants
from napari_latent_explorer.session.filters import Filter, MapFilter
from napari_latent_explorer.session.gauge import Gauge
from napari_latent_explorer.session.groups import RGBA, Group, find_group
from napari_latent_explorer.session.history import Moment
from napari_latent_explorer.session.jobs import Job, Jobs
from napari_latent_explorer.session.map_jobs import MapJobs
from napari_latent_explorer.session.opening import ExplorableStudy, OpenedStudy, load_bundle, read_study
from napari_latent_explorer.session.probe_pace import ProbePace
from napari_latent_explorer.session.probe_placing import ProbePlacing
from napari_latent_explorer.session.recipes import GroupRecipe, SetOperationKind
from napari_latent_explorer.session.recordings import (
    LoadedRecording,
    ShownParticipant,
    read_and_encode,
    read_participant,
)
from napari_latent_explorer.session.script_log import script_of
from napari_latent_explorer.session.selection import SelectionMode
from napari_latent_explorer.session.session_document import RESTORED
from napari_latent_explorer.session.session_file import load_session, save_session
from napari_latent_explorer.session.side_by_side_choice import SideBySideChoice
from napari_latent_explorer.session.state import ExplorerState
from napari_latent_explorer.session.thumbnails import Thumbnails


class Explorer(ProbePlacing):
    """One study being explored; no Qt, no napari.

    Parameters
    ----------
    dispatch
        Brings results of workers to the thread that owns this object; inline by default, for scripts.
    decode_fn
        How vectors are decoded; by default by the bundle.

    Attributes
    ----------
    decode
        Emits `decoded` with recordings and predictions of the probe's vector.
    jobs
        Long work that runs now; methods that need time start one and return it.
    thumbnails
        Small pictures of participants' recordings.
    pace
        Says when to show where the probe is.
    gauge
        Says how far the probe is from the people that the model has seen, once it was asked to watch.
    decoded_origin, change_survey
        What was decoded where the probe began, and which structures have changed since.
    """

    participant_shown = Signal(ShownParticipant, description="The current participant's recordings are here.")
    recording_loaded = Signal(LoadedRecording, description="A file from outside the study was read and encoded.")
    warning_raised = Signal(str, description="Something that the user must know.")
    failed = Signal(Exception, description="Work that the user asked for has failed.")

    def __init__(self, dispatch: Dispatch = inline, decode_fn: DecodeFunction | None = None) -> None:
        super().__init__()
        self.decode = DecodeService(decode_fn, dispatch)
        self.jobs = Jobs(dispatch)
        self._map_jobs = MapJobs(self, self.jobs, self._set)
        self.thumbnails = Thumbnails(dispatch)
        self.probe.vector_changed.connect(self.decode_probe)
        self.pace = ProbePace(self.probe, self.decode, dispatch)
        self.gauge = Gauge(self, dispatch)
        self.decoded_origin = DecodedOrigin(self)
        self.change_survey = ChangeSurvey(self, dispatch)
        for worker in (self.decode, self.jobs, self.thumbnails, self.gauge, self.change_survey):
            forward(worker.failed, self.failed)
        forward(self.decode.slowed, self.warning_raised)

    # ---- study and bundle

    def open(self, study: ExplorableStudy, bundle: Bundle | None = None) -> None:
        """Explore `study` with the latents and maps that `bundle` made of it; all that was before is forgotten.

        Without a bundle the newest latents are shown, and nothing is decoded until `set_bundle`.
        """
        self._show_study(finish(read_study(study, bundle)), bundle)
        if self.latents:
            self.fit_predictors()

    def _show_study(self, found: OpenedStudy, bundle: Bundle | None) -> None:
        self.jobs.cancel_all()
        self.decode.set_bundle(None)
        with self._first_step():
            self.probe.clear()
            self._set(changes.opened(found, self.representative_method))
            for problem in found.encoded.problems:
                self.warning_raised.emit(problem)
            if found.encoded.latents:
                self.probe_mean()
            if bundle is not None:
                self.set_bundle(bundle)

    def open_folder(self, study_folder: str | Path, bundle_folder: str | Path | None = None) -> Job[OpenedStudy]:
        """Start the job that opens a study from disk; its maps show first, then jobs fit others and load the bundle."""

        def on_opened(found: OpenedStudy) -> None:
            self._show_study(found, None)
            self.jobs.start("Paint the maps", opening.wait_for_picture, on_painted)

        def on_painted(_: None) -> None:
            self._begin_work()
            if bundle_folder is not None:
                self.jobs.start("Load model", lambda: load_bundle(Path(bundle_folder)), self._on_bundle_loaded)

        return self.jobs.start("Open study", lambda: opening.read_study_folder(Path(study_folder)), on_opened)

    def set_bundle(self, bundle: Bundle | None) -> None:
        """Decode with `bundle`; BundleError unless it is the one that made the latents in use."""
        if bundle is not None:
            changes.check_made_by(self._state, bundle)
        self.decode.set_bundle(bundle)
        self.decode.set_predictors(self.predictors)
        self._set(replace(self._state, bundle=bundle))
        if bundle is not None and bundle.warning:
            self.warning_raised.emit(bundle.warning)
        self.decode_probe()

    def fit_predictors(self) -> Job[PredictorTable]:
        """Start the job that fits predictors of the phenotypes."""
        latents, cohort = self.latents, changes.cohort_of(self._state)
        return self.jobs.start("Fit predictors", lambda: fit_predictors(latents, cohort), self._on_predictors_fit)

    def fit_projection(self, name: str, kind: MapKind | None = None, seed: int = 0) -> Job[Projection]:
        """Start the job that fits a map, ``mri``, ``ecg`` or ``joint``, of the wanted kind if None, and keeps it."""
        return self._map_jobs.fit(name, kind, seed)

    def fit_missing_maps(self, names: Iterable[str] | None = None) -> list[Job[Projection]]:
        """Start the jobs that fit the maps of these names, of each modality if None, which lack the wanted kind."""
        return self._map_jobs.fit_missing(names)

    def measure_unusualness(self, modality: str) -> Job[Unusualness]:
        """Start the job that measures how unusual each participant's recording of a modality is."""
        return self._map_jobs.measure_unusualness(modality)

    def set_map_kind(self, kind: MapKind) -> None:
        """Show maps of another kind; those that were not fit yet stay as they are until they are: `fit_missing_maps`.

        Raises StudyError when there is no such kind.
        """
        self._set(changes.with_map_kind(self._state, kind))

    def close(self) -> None:
        """Stop all work and its threads; the explorer is of no use afterwards."""
        self.jobs.close()
        self.thumbnails.close()
        self.decode.close()
        self.pace.close()
        self.gauge.close()
        self.change_survey.close()

    def _on_bundle_loaded(self, bundle: Bundle) -> None:
        try:
            self.set_bundle(bundle)
        except BundleError:  # the newest latents are of another bundle than the one asked for
            if (study := self.study) is not None:
                self.jobs.start(
                    "Open study", lambda: read_study(study, bundle), lambda found: self._show_encoded(found, bundle)
                )

    def _show_encoded(self, found: OpenedStudy, bundle: Bundle) -> None:
        self._show_study(found, bundle)
        self._begin_work()

    def _begin_work(self) -> None:
        if self.latents:
            self.fit_predictors()
            self.fit_missing_maps()

    def _on_predictors_fit(self, predictors: PredictorTable) -> None:
        self.decode.set_predictors(predictors)
        self._set(replace(self._state, predictors=predictors))
        self.decode_probe()

    # ---- filters, exclusion, selection, colour

    def set_filter(self, chosen: Filter) -> None:
        """Filter by it instead of the filter that had its key; TableError or StudyError when the study cannot be."""
        self._set(changes.with_filter(self._state, chosen))

    def remove_filter(self, key: str) -> None:
        """Take the filter of this key away, e.g. of a phenotype; nothing happens if there is none."""
        self._set(changes.without_filters(self._state, [key]))

    def clear_filters(self) -> None:
        """Remove all filters."""
        self._set(changes.without_filters(self._state))

    def exclude(self, participant_ids: Iterable[str], reason: str) -> None:
        """Leave these out of everything from now on, e.g. for a bad scan; `restore_excluded` brings them back.

        Raises StudyError for strangers, all of them named, and when no reason is given.
        """
        self._set(changes.with_excluded(self._state, participant_ids, reason))

    def restore_excluded(self, participant_ids: Iterable[str] | None = None) -> None:
        """Bring back these excluded participants, or all."""
        self._set(changes.without_excluded(self._state, participant_ids))

    def select(self, participant_ids: Iterable[str], mode: SelectionMode = "replace") -> None:
        """Change the selection by these participants (see `changed_selection`); only visible ones can be selected."""
        self._set(changes.with_selected(self._state, participant_ids, mode))

    def select_inside(self, area: MapFilter, mode: SelectionMode = "replace") -> None:
        """Change the selection by who is visible inside a lasso; StudyError when it was drawn on another map."""
        self._set(changes.with_selected_inside(self._state, area, mode))

    def clear_selection(self) -> None:
        """Select nobody."""
        self._set(changes.without_selection(self._state))

    def set_color_by(self, source: ColorBy | None) -> None:
        """Colour the maps by a phenotype, by what was derived from latents (see `color_sources`), or by the groups.

        Raises TableError or StudyError when the study lacks it. How unusual recordings are is measured by a job first.
        """
        self._set(changes.with_color_by(self._state, source))

    # ---- groups and probe

    def create_group(
        self,
        name: str | None = None,
        participant_ids: Iterable[str] | None = None,
        recipe: GroupRecipe | None = None,
    ) -> Group:
        """Make a group of these participants, or of the selected, or else of the visible; the probe begins there.

        `recipe` tells how these participants were found, where that is known.
        """
        return self._add_group(grouping.with_group(self._state, name, participant_ids, recipe))

    def combine_groups(self, kind: SetOperationKind, names: Sequence[str], name: str | None = None) -> Group:
        """Make a group of groups (see `recipes.SetOperation`); the probe begins there."""
        return self._add_group(grouping.with_groups_combined(self._state, kind, names, name))

    def rerun_recipe(self, recipe: GroupRecipe, name: str | None = None) -> Group:
        """Make the group that a recipe, perhaps of another study, gives here; StudyError names what is lacking."""
        return self._add_group(grouping.with_recipe_rerun(self._state, recipe, name))

    def remove_group(self, name: str) -> None:
        """Forget a group; its members stay as they are, and so does the probe."""
        self._set(grouping.without_group(self._state, name))

    def rename_group(self, name: str, new_name: str) -> None:
        """Give a group another name, which the probe takes up; LatentExplorerError when it is taken or empty."""
        group = find_group(self.groups, name)
        with self._one_step():
            self._set(grouping.with_group_renamed(self._state, name, new_name))
            self.probe.restore(probing.renamed_probe(self.probe.state, group, find_group(self.groups, new_name)))

    def set_group_color(self, name: str, color: RGBA) -> None:
        """Give a group another colour, red, green, blue and alpha in 0..1."""
        self._set(grouping.with_group_color(self._state, name, color))

    def set_active_group(self, name: str | None) -> None:
        """Make a group the active one; the probe begins at its representative."""
        with self._one_step():
            self._set(grouping.with_active_group(self._state, name))
            if name is not None:
                self._probe_group(find_group(self.groups, name))

    def set_representative_method(self, method: RepresentativeMethod) -> None:
        """Choose how groups are represented; the probe follows the active group."""
        if method != self.representative_method:
            was_on_path = self.path_share is not None
            with self._one_step():
                self._set(grouping.with_representative_method(self._state, method))
                if was_on_path:
                    self._go_on_path(self._state)
                elif self.active_group is not None:
                    self._probe_group(self.active_group)

    def set_compared(self, name_a: str | None = None, name_b: str | None = None) -> None:
        """Compare a group with another, or with the rest if None; without both the choice is open (see `comparison`).

        Raises LatentExplorerError when there is no such group, or both are the same.
        """
        self._set(changes.with_compared(self._state, name_a, name_b))

    def set_number_test(self, number_test: NumberTest) -> None:
        """Choose how a comparison tests continuous phenotypes."""
        self._set(changes.with_number_test(self._state, number_test))

    def show_side_by_side(self, names: Sequence[str], has_originals: bool = False) -> None:
        """Show the hearts of these groups in the place of the probe's, until the probe is moved or begins elsewhere.

        Raises LatentExplorerError when they are too many, or nothing can be reconstructed of one.
        """
        self._set(changes.with_side_by_side(self._state, SideBySideChoice(tuple(names), has_originals)))

    def show_change(self, chosen: ChangeChoice) -> None:
        """Choose what is shown of the change from where the probe began; looking at it is no step of the history."""
        if chosen != self.change:
            self._set(replace(self._state, change=chosen))

    def _add_group(self, state: ExplorerState) -> Group:
        with self._one_step():
            self._set(state)
            self._probe_group(self.groups[-1])
        return self.groups[-1]

    def decode_probe(self, *_: object) -> None:
        """Ask for recordings and predictions of the probe's vector."""
        self.decode.request(self.probe.vector, self.probe_counterparts if self.latents else None)

    # ---- what was done, on disk

    def save_session(self, path: str | Path) -> Job[Path]:
        """Start the job that writes all that was done with the study to a file; `open_session` brings it back."""
        file, moment = Path(path), self.moment()
        return self.jobs.start("Save session", lambda: save_session(file, moment), lambda _: None)

    def open_session(self, path: str | Path) -> Job[Moment]:
        """Start the job that brings back what a session file of this study holds; it is one step, and can be undone."""
        file, state = Path(path), self._state
        return self.jobs.start("Open session", lambda: load_session(file, state), self._on_session_loaded)

    def _on_session_loaded(self, moment: Moment) -> None:
        if moment.state.study is not self.study:
            raise StudyError("Another study was opened while the session was being read. Open the session again.")
        with self._one_step():
            self._set(replace(self._state, **{name: getattr(moment.state, name) for name in RESTORED}))
            self.probe.restore(moment.probe)
        if self.current_participant is not None:
            self.show_participant(self.current_participant)

    def script(self) -> str:
        """Write what was done since the study was opened as a Python script that does it again."""
        return script_of(self.history, self.moment())

    def export_participants(self, path: str | Path, whom: str = "visible", has_ids: bool = False) -> Job[Path]:
        """Start the job that writes phenotypes as CSV, of the ``selected``, the ``visible``, or ``group:`` and a name.

        Raises LatentExplorerError when nobody is in it. Ids of participants are written only when they are asked for.
        """
        file, state, mask = Path(path), self._state, participants_mask(self._state, whom)
        return self.jobs.start(
            "Export participants", lambda: write_participants(file, state, whom, mask, has_ids), lambda _: None
        )

    # ---- recordings

    def participant_at(self, modality: str, row: int) -> str:
        """Id of the participant who is point `row` of a map."""
        return str(self.projections[modality].participant_ids[row])

    def show_participant(self, participant_id: str) -> Job[ShownParticipant]:
        """Make a participant the current one and start the job that reads their recordings."""
        study = self.study
        if study is None or participant_id not in changes.cohort_of(self._state):
            raise StudyError(f"There is no participant {participant_id!r} in an open study.")
        self._set(replace(self._state, current_participant=participant_id))
        tell = self.participant_shown.emit
        return self.jobs.start("Read participant", lambda: read_participant(study, participant_id), tell)

    def load_recording(self, path: str | Path) -> Job[LoadedRecording]:
        """Start the job that reads a cine or an ECG from a file and encodes it; then the probe begins at its vector."""
        if (bundle := self.bundle) is None:
            raise BundleError("A recording can only be encoded by a model; open a bundle first.")
        return self.jobs.start("Load recording", lambda: read_and_encode(Path(path), bundle), self.show_recording)

    def show_recording(self, recording: LoadedRecording) -> None:
        """Begin the probe at the vector of a recording from outside the study, and show that beside it."""
        self.recording_loaded.emit(recording)
        if recording.warning:
            self.warning_raised.emit(recording.warning)
        self.probe.set_origin(recording.vector, f"{recording.path.name}, {recording.modality.upper()}")
