"""What the user wants, as one frozen value, and how it changes.

Each function here takes a state and returns the next; one that changes nothing returns the very same object, field by
field, so that whoever compares two states by identity sees exactly what happened. What must hold together is held
together here: a selection never has invisible participants, a removed group is not the active one.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_latent_explorer.analysis.map_space import MAP_KINDS, MAP_NAMES, MapKind, map_key
from napari_latent_explorer.analysis.phenotype_comparison import NUMBER_TESTS, NumberTest
from napari_latent_explorer.analysis.prediction import ROW_MODALITIES, PredictorTable
from napari_latent_explorer.analysis.projection import Projection
from napari_latent_explorer.analysis.representative import RepresentativeMethod
from napari_latent_explorer.analysis.unusualness import Unusualness
from napari_latent_explorer.data.arrays import read_only
from napari_latent_explorer.data.cohort import Cohort
from napari_latent_explorer.data.latents import LatentSpace
from napari_latent_explorer.errors import BundleError, LatentExplorerError, StudyError, TableError
from napari_latent_explorer.modeling.walk_calibration import WalkCalibration
from napari_latent_explorer.session.change_choice import NO_CHANGE_SHOWN, ChangeChoice
from napari_latent_explorer.session.color_sources import ColorBy, Predicted, Trust, Unusual
from napari_latent_explorer.session.comparison_choice import UNCHOSEN, ComparisonChoice
from napari_latent_explorer.session.crossfilter import Crossfilter
from napari_latent_explorer.session.decode_service import Bundle
from napari_latent_explorer.session.direction_choice import NO_DIRECTION, DirectionChoice
from napari_latent_explorer.session.filters import Filter, MapFilter
from napari_latent_explorer.session.groups import Group, find_group
from napari_latent_explorer.session.opening import ExplorableStudy, OpenedStudy
from napari_latent_explorer.session.path_choice import NO_PATH, PathChoice
from napari_latent_explorer.session.recipes import Lasso, named
from napari_latent_explorer.session.selection import SelectionMode, changed_selection, mask_of
from napari_latent_explorer.session.side_by_side_choice import MAX_GROUPS, ONLY_THE_PROBE, SideBySideChoice

NO_IDS: NDArray[np.str_] = read_only(np.zeros(0, np.str_))
NOTHING: Mapping[str, Any] = MappingProxyType({})


@dataclass(frozen=True, slots=True, eq=False)
class ExplorerState:
    """Everything that an explorer holds but the probe and running work.

    Attributes
    ----------
    study, cohort, crossfilter
        The open study, its participants, and what finds who of them passes filters and counts their charts.
    bundle
        The model that decodes; None when only maps can be shown.
    latents
        Per modality, as far as the study has them.
    maps
        All maps of all kinds, by `Projection.key`; those that are shown are `projections`.
    map_kind
        Which kind of map is wanted.
    predictors
        None until they are fit.
    unusualness
        How unusual each participant's vector is, per modality, as far as it was measured.
    calibrations
        What walks change of decoded hearts, as far as it was measured, by `WalkCalibration.key`.
    filters
        At most one per key, in the order in which they were first set.
    excluded
        Reason for each excluded participant.
    selection
        ``(n_selected,)`` ids, in the cohort's order; all visible.
    selection_lassos
        The lassos that made the selection, in the order in which they were drawn; empty when anything else had a part.
    groups, active_group
        In the order of their making; the active one is that which the probe began from.
    representative_method
        How a group's representative is chosen.
    comparison
        Which groups are compared, and how.
    side_by_side
        Which groups' hearts are shown in the place of the probe's.
    path
        Which path the probe was sent along, and how far.
    direction
        Which way the probe walks.
    change
        What is shown of the change from where the probe began.
    color_by
        What colours the maps: a phenotype's name, or what was derived from latents; None for the groups' colours.
    current_participant
        Whose own recordings are shown.
    """

    study: ExplorableStudy | None = None
    cohort: Cohort | None = None
    crossfilter: Crossfilter | None = None
    bundle: Bundle | None = None
    latents: Mapping[str, LatentSpace] = field(default_factory=lambda: NOTHING)
    maps: Mapping[str, Projection] = field(default_factory=lambda: NOTHING)
    map_kind: MapKind = "tsne"
    predictors: PredictorTable | None = None
    unusualness: Mapping[str, Unusualness] = field(default_factory=lambda: NOTHING)
    calibrations: Mapping[str, WalkCalibration] = field(default_factory=lambda: NOTHING)
    filters: tuple[Filter, ...] = ()
    excluded: Mapping[str, str] = field(default_factory=lambda: NOTHING)
    selection: NDArray[np.str_] = field(default_factory=lambda: NO_IDS)
    selection_lassos: tuple[Lasso, ...] = ()
    groups: tuple[Group, ...] = ()
    active_group: Group | None = None
    representative_method: RepresentativeMethod = "nearest"
    comparison: ComparisonChoice = UNCHOSEN
    side_by_side: SideBySideChoice = ONLY_THE_PROBE
    direction: DirectionChoice = NO_DIRECTION
    path: PathChoice = NO_PATH
    change: ChangeChoice = NO_CHANGE_SHOWN
    color_by: ColorBy | None = None
    current_participant: str | None = None

    @property
    def projections(self) -> Mapping[str, Projection]:
        """The map of each modality, and of both, that is shown: of the wanted kind, or what there is until it is."""
        kinds = (self.map_kind, "pca", *MAP_KINDS)
        found = {
            name: [self.maps[key] for kind in kinds if (key := map_key(name, kind)) in self.maps] for name in MAP_NAMES
        }
        return MappingProxyType({name: maps[0] for name, maps in found.items() if maps})


def opened(found: OpenedStudy, representative_method: RepresentativeMethod) -> ExplorerState:
    """State of a study that was just opened."""
    return ExplorerState(
        study=found.study,
        cohort=found.cohort,
        crossfilter=found.crossfilter,
        latents=MappingProxyType(found.encoded.latents),
        maps=MappingProxyType(found.encoded.maps),
        representative_method=representative_method,
    )


def check_made_by(state: ExplorerState, bundle: Bundle) -> None:
    """Raise BundleError when the latents in use were made by another bundle."""
    others = {latents.bundle_fingerprint for latents in state.latents.values()} - {bundle.fingerprint}
    if others:
        raise BundleError(
            f"The latents in use were made by bundle {', '.join(others)}, not by {bundle.fingerprint}. "
            "Encode the study with this bundle, then open both together."
        )


def cohort_of(state: ExplorerState) -> Cohort:
    """Return the open study's participants; StudyError when none is open."""
    if state.cohort is None:
        raise StudyError("No study is open; open one first.")
    return state.cohort


def crossfilter_of(state: ExplorerState) -> Crossfilter:
    """Return what finds who of the open study passes filters; StudyError when none is open."""
    if state.crossfilter is None:
        raise StudyError("No study is open; open one first.")
    return state.crossfilter


def latents_of(state: ExplorerState, modality: str | None = None) -> LatentSpace:
    """Return the latents of a modality, or of the first there is; StudyError when there are none."""
    chosen = modality if modality is not None else next(iter(state.latents), "mri")
    if chosen not in state.latents:
        raise StudyError(f"The study has no {chosen} latents of this model; encode it first.")
    return state.latents[chosen]


def check_known(state: ExplorerState, participant_ids: Iterable[str] | None) -> None:
    """Raise StudyError that names those who are not in the open study."""
    cohort = cohort_of(state)
    strangers = [str(participant_id) for participant_id in participant_ids or () if str(participant_id) not in cohort]
    if strangers:
        raise StudyError(f"The study has no participant {named(strangers)}.")


# ---- filters, exclusion, selection, colour, comparison ----


def with_filter(state: ExplorerState, chosen: Filter) -> ExplorerState:
    """Filter by it instead of the filter that had its key; TableError or StudyError when the study cannot be."""
    if chosen in state.filters:
        return state
    by_key = {former.key: former for former in state.filters}
    state = replace(state, filters=tuple({**by_key, chosen.key: chosen}.values()))
    visible_of(state)  # raises
    return _visible_only(state)


def without_filters(state: ExplorerState, keys: Iterable[str] | None = None) -> ExplorerState:
    """Take away the filters of these keys, or all."""
    removed = {chosen.key for chosen in state.filters} if keys is None else set(keys)
    kept = tuple(chosen for chosen in state.filters if chosen.key not in removed)
    return state if len(kept) == len(state.filters) else replace(state, filters=kept)


def with_projection(state: ExplorerState, projection: Projection) -> ExplorerState:
    """Put a map in the place of the one of its name and kind; filters that were drawn on the former go with it."""
    maps = MappingProxyType({**state.maps, projection.key: projection})
    return with_standing_filters(replace(state, maps=maps))


def with_map_kind(state: ExplorerState, kind: MapKind) -> ExplorerState:
    """Show maps of another kind; StudyError when there is no such kind."""
    if kind not in MAP_KINDS:
        raise StudyError(f"There is no kind of map {kind!r}; choose one of {', '.join(MAP_KINDS)}.")
    return state if kind == state.map_kind else replace(state, map_kind=kind)


def missing_maps(state: ExplorerState, names: Iterable[str]) -> list[tuple[str, MapKind]]:
    """Name and kind of each map that must be fit to show these; PCA first, where there is nothing to show meanwhile."""
    missing: list[tuple[str, MapKind]] = []
    for name in names:
        if name not in state.projections and state.map_kind != "pca":
            missing.append((name, "pca"))
        if map_key(name, state.map_kind) not in state.maps:
            missing.append((name, state.map_kind))
    return missing


def with_standing_filters(state: ExplorerState) -> ExplorerState:
    """Take away the filters that were drawn on maps which are no longer there."""
    kept = tuple(chosen for chosen in state.filters if _stands(chosen, cohort_of(state), state.maps))
    return state if len(kept) == len(state.filters) else replace(state, filters=kept)


def _stands(chosen: Filter, cohort: Cohort, projections: Mapping[str, Projection]) -> bool:
    try:
        chosen.mask(cohort, projections)
    except StudyError:
        return False
    return True


def with_excluded(state: ExplorerState, participant_ids: Iterable[str], reason: str) -> ExplorerState:
    """Leave these participants out of everything; StudyError for strangers, or when no reason is given."""
    ids = [str(participant_id) for participant_id in participant_ids]
    check_known(state, ids)
    if not (reason := reason.strip()):
        raise StudyError("Say why these participants are excluded, e.g. 'motion'.")
    if all(state.excluded.get(participant_id) == reason for participant_id in ids):
        return state
    return _visible_only(replace(state, excluded=MappingProxyType({**state.excluded, **dict.fromkeys(ids, reason)})))


def without_excluded(state: ExplorerState, participant_ids: Iterable[str] | None = None) -> ExplorerState:
    """Bring back these excluded participants, or all; StudyError for strangers."""
    check_known(state, participant_ids := None if participant_ids is None else list(participant_ids))
    restored = set(state.excluded) if participant_ids is None else set(map(str, participant_ids))
    kept = {participant_id: why for participant_id, why in state.excluded.items() if participant_id not in restored}
    return state if len(kept) == len(state.excluded) else replace(state, excluded=MappingProxyType(kept))


def with_selected(state: ExplorerState, participant_ids: Iterable[str], mode: SelectionMode) -> ExplorerState:
    """Change the selection by these participants; the invisible among them are left out."""
    cohort = cohort_of(state)
    touched = mask_of(cohort, participant_ids)
    return _with_selection(state, changed_selection(_selected(state), touched, mode))


def with_selected_inside(state: ExplorerState, area: MapFilter, mode: SelectionMode) -> ExplorerState:
    """Change the selection by who is visible inside a lasso; StudyError when it was drawn on another map."""
    cohort = cohort_of(state)
    touched = area.mask(cohort, state.maps) & visible_of(state)
    is_by_lassos = mode == "replace" or len(state.selection) == len(state.selection_lassos) == 0
    former = () if mode == "replace" else state.selection_lassos
    lassos = (*former, Lasso(area, mode)) if is_by_lassos or former else ()
    return _with_selection(state, changed_selection(_selected(state), touched, mode), lassos)


def without_selection(state: ExplorerState) -> ExplorerState:
    """Select nobody."""
    return replace(state, selection=NO_IDS, selection_lassos=()) if len(state.selection) else state


def with_color_by(state: ExplorerState, source: ColorBy | None) -> ExplorerState:
    """Colour by a phenotype, by what was derived from latents, or by the groups if None.

    Raises
    ------
    TableError
        When the study lacks the phenotype, or it is one that cannot be predicted.
    StudyError
        When it lacks the latents or the map.
    """
    if source is not None:
        check_color_source(state, source)
    return state if source == state.color_by else replace(state, color_by=source)


def check_color_source(state: ExplorerState, source: ColorBy) -> None:
    """Raise TableError or StudyError when the study cannot be coloured by it."""
    specs = cohort_of(state).specs
    match source:
        case Unusual(modality):
            latents_of(state, modality)
        case Trust(name):
            if name not in state.projections:
                raise StudyError(f"The study has no {name} map whose trust could colour it.")
        case Predicted(phenotype, row):
            if phenotype not in specs or specs[phenotype].kind == "categorical":
                raise TableError(f"The study has no continuous or binary phenotype {phenotype!r} to predict.")
            if row not in ROW_MODALITIES:
                raise TableError(f"Nothing is predicted from {row!r}; choose {', '.join(ROW_MODALITIES)}.")
            for modality in ROW_MODALITIES[row]:
                latents_of(state, modality)
        case phenotype:
            if phenotype not in specs:
                raise TableError(f"The study has no phenotype {phenotype!r} to colour by.")


def with_compared(state: ExplorerState, name_a: str | None, name_b: str | None) -> ExplorerState:
    """Compare a group with another, or with the rest if None; or, if both are None, leave the choice open.

    Raises
    ------
    LatentExplorerError
        When there is no such group, or both are the same.
    """
    for name in (name_a, name_b):
        if name is not None:
            find_group(state.groups, name)
    if name_a == name_b and name_a is not None:
        raise LatentExplorerError(f"{name_a} cannot be compared with itself. Choose another group, or the rest.")
    return with_comparison(state, replace(state.comparison, name_a=name_a, name_b=name_a and name_b))


def with_number_test(state: ExplorerState, number_test: NumberTest) -> ExplorerState:
    """Choose how continuous phenotypes are tested; LatentExplorerError when there is no such test."""
    if number_test not in NUMBER_TESTS:
        raise LatentExplorerError(f"There is no test {number_test!r}; there are {', '.join(NUMBER_TESTS)}.")
    return with_comparison(state, replace(state.comparison, number_test=number_test))


def with_comparison(state: ExplorerState, comparison: ComparisonChoice) -> ExplorerState:
    """Compare what a choice says."""
    return state if comparison == state.comparison else replace(state, comparison=comparison)


def with_side_by_side(state: ExplorerState, chosen: SideBySideChoice) -> ExplorerState:
    """Show the hearts of these groups.

    Raises
    ------
    LatentExplorerError
        When there is no such group, one is named twice or has nobody with latents, or they are too many.
    """
    twice = sorted({name for name in chosen.names if chosen.names.count(name) > 1})
    if twice or len(chosen.names) > MAX_GROUPS:
        found = f"{named(twice)} named twice" if twice else f"{len(chosen.names)} groups named"
        raise LatentExplorerError(f"At most {MAX_GROUPS} different groups are shown side by side; {found}.")
    empty = [group.name for group in chosen.pick(state.groups) if group.representative is None]
    if empty:
        raise LatentExplorerError(f"Nothing can be reconstructed of {named(empty)}: no member has latents.")
    return state if chosen == state.side_by_side else replace(state, side_by_side=chosen)


def with_direction(state: ExplorerState, chosen: DirectionChoice) -> ExplorerState:
    """Walk another way."""
    return state if chosen == state.direction else replace(state, direction=chosen)


def with_probe_alone(state: ExplorerState) -> ExplorerState:
    """Show the probe's heart again."""
    return with_side_by_side(state, replace(state.side_by_side, names=()))


def visible_of(state: ExplorerState) -> NDArray[np.bool_]:
    """Mask ``(n_participants,)`` of who passes all filters and is not excluded."""
    return crossfilter_of(state).visible_mask(state.filters, state.excluded, state.maps)


def _selected(state: ExplorerState) -> NDArray[np.bool_]:
    return crossfilter_of(state).mask_of(state.selection)


def _visible_only(state: ExplorerState) -> ExplorerState:
    return _with_selection(state, _selected(state), state.selection_lassos) if len(state.selection) else state


def _with_selection(state: ExplorerState, mask: NDArray[np.bool_], lassos: tuple[Lasso, ...] = ()) -> ExplorerState:
    mask = mask & visible_of(state)
    if np.array_equal(mask, _selected(state)):
        return state
    selection = read_only(cohort_of(state).participant_ids[mask]) if mask.any() else NO_IDS
    crossfilter_of(state).remember(selection, mask)
    return replace(state, selection=selection, selection_lassos=lassos if len(selection) else ())
