"""All that a user has done with a study, as plain JSON values, and back.

What can be computed is not written: who stands for a group follows from its members, and bars from the study. What
comes back may be of another study, of another version, damaged or made to do harm, so each value is checked, and
nothing is changed before all of it has been read; what is wrong is named at once.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from datetime import UTC, datetime
from types import MappingProxyType
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from napari_latent_explorer import __version__
from napari_latent_explorer.analysis.map_space import MAP_KINDS, MapKind
from napari_latent_explorer.analysis.phenotype_comparison import NUMBER_TESTS
from napari_latent_explorer.analysis.representative import REPRESENTATIVE_METHODS
from napari_latent_explorer.data.arrays import read_only
from napari_latent_explorer.data.cohort import Cohort
from napari_latent_explorer.errors import LatentExplorerError, StudyError
from napari_latent_explorer.session.calibration_exchange import calibration_to_dict, calibrations_from_fields
from napari_latent_explorer.session.change_choice import NO_CHANGE_SHOWN, ChangeChoice
from napari_latent_explorer.session.color_exchange import color_from_fields, color_to_json
from napari_latent_explorer.session.comparison_choice import UNCHOSEN, ComparisonChoice
from napari_latent_explorer.session.direction_exchange import (
    direction_from_fields,
    direction_to_dict,
    walk_from_fields,
    walk_to_dict,
)
from napari_latent_explorer.session.filter_exchange import filter_to_dict
from napari_latent_explorer.session.grouping import representative_of
from napari_latent_explorer.session.groups import Group
from napari_latent_explorer.session.history import Moment
from napari_latent_explorer.session.json_fields import MOST_NAMED, JsonFields
from napari_latent_explorer.session.path_exchange import path_from_fields, path_to_dict
from napari_latent_explorer.session.probe import NOWHERE, ProbeState
from napari_latent_explorer.session.recipe_exchange import (
    filters_from_fields,
    lassos_from_fields,
    lassos_to_list,
    recipe_from_fields,
    recipe_to_dict,
)
from napari_latent_explorer.session.recipes import named
from napari_latent_explorer.session.selection import mask_of
from napari_latent_explorer.session.side_by_side_choice import MAX_GROUPS, ONLY_THE_PROBE, SideBySideChoice
from napari_latent_explorer.session.state import NO_IDS, ExplorerState, cohort_of

SCHEMA: Final = "napari-latent-explorer/session"
VERSION: Final = 2
READABLE_VERSIONS: Final = (1, 2)
"""Version 1 had no choice of what is compared."""

RESTORED: Final = (
    "filters",
    "excluded",
    "selection",
    "selection_lassos",
    "groups",
    "active_group",
    "representative_method",
    "comparison",
    "map_kind",
    "side_by_side",
    "direction",
    "path",
    "change",
    "calibrations",
    "color_by",
    "current_participant",
)
"""Fields of the state that a session holds."""


def session_to_dict(moment: Moment) -> dict[str, Any]:
    """Write a moment of the open study; StudyError when none is open."""
    state, probe = moment.state, moment.probe
    cohort = cohort_of(state)
    return {
        "schema": SCHEMA,
        "version": VERSION,
        "program": __version__,
        "saved": datetime.now(UTC).isoformat(timespec="seconds"),
        "study": {
            "name": state.study.name if state.study is not None else "",
            "n_participants": len(cohort),
            "fingerprint": cohort.fingerprint,
            "participants": cohort.fingerprints[""],
            "phenotypes": {name: digest for name, digest in cohort.fingerprints.items() if name},
            "bundle": latents_fingerprint(state),
        },
        "filters": [filter_to_dict(chosen) for chosen in state.filters],
        "excluded": dict(state.excluded),
        "selection": {
            "participants": state.selection.tolist(),
            "lassos": lassos_to_list(state.selection_lassos),
        },
        "groups": [_group_to_dict(group) for group in state.groups],
        "active_group": state.active_group.name if state.active_group is not None else None,
        "representative_method": state.representative_method,
        "comparison": asdict(state.comparison),
        "map_kind": state.map_kind,
        "side_by_side": {
            "names": list(state.side_by_side.names),
            "has_originals": state.side_by_side.has_originals,
        },
        "path": path_to_dict(state.path),
        "direction": direction_to_dict(state.direction),
        "change": asdict(state.change),
        "calibrations": [calibration_to_dict(one) for one in state.calibrations.values()],
        "color_by": color_to_json(state.color_by),
        "current_participant": state.current_participant,
        "probe": None if not probe.origin.size else _probe_to_dict(probe),
    }


def _group_to_dict(group: Group) -> dict[str, Any]:
    return {
        "name": group.name,
        "color": list(group.color),
        "participants": group.participant_ids.tolist(),
        "recipe": recipe_to_dict(group.recipe, group.participant_ids),
    }


def _probe_to_dict(probe: ProbeState) -> dict[str, Any]:
    return {
        "label": probe.label,
        "origin": probe.origin.tolist(),
        "vector": probe.vector.tolist(),
        "walk": walk_to_dict(probe.walk),
        "locked": sorted(probe.locked),
    }


def latents_fingerprint(state: ExplorerState) -> str:
    """Bundle whose latents are in use; empty when there are none."""
    return next((latents.bundle_fingerprint for latents in state.latents.values()), "")


def session_from_dict(data: object, state: ExplorerState, place: str) -> Moment:
    """Make the moment of the open study that `session_to_dict` wrote.

    Parameters
    ----------
    data
        What was read.
    state
        The open study; what its user has done so far has no part in the result.
    place
        Where it was read, for messages.

    Raises
    ------
    StudyError
        When no study is open, the session is of another study, model or version, or anything in it is wrong.
    """
    problems: list[str] = []
    fields = JsonFields(data, "", problems)
    _check_version(fields, place)
    _check_study(fields.child("study"), state, place)
    moment = _read(fields, state)
    if problems:
        more = f"; and {len(problems) - MOST_NAMED} more" if len(problems) > MOST_NAMED else ""
        raise StudyError(
            f"The session {place} is damaged and was not opened: {'; '.join(problems[:MOST_NAMED])}{more}. "
            "Open an older one of the same folder."
        )
    return moment


def _check_version(fields: JsonFields, place: str) -> None:
    if fields.raw("schema") != SCHEMA:
        raise StudyError(
            f"{place} is not a session of this program: its schema is {fields.raw('schema')!r}, expected {SCHEMA!r}. "
            "Choose a file that 'Save session' wrote."
        )
    version = fields.raw("version")
    if type(version) is not int or version not in READABLE_VERSIONS:
        raise StudyError(
            f"The session {place} is of version {version!r}; this program reads version "
            f"{' and '.join(map(str, READABLE_VERSIONS))}. "
            "Open it with the program that wrote it, or a newer one."
        )


def _check_study(fields: JsonFields, state: ExplorerState, place: str) -> None:
    """Refuse the session of another study, saying what differs."""
    cohort = cohort_of(state)
    name, n = fields.text("name"), fields.count("n_participants")
    phenotypes, bundle = fields.text_map("phenotypes"), fields.text("bundle")
    ours = {spec: digest for spec, digest in cohort.fingerprints.items() if spec}
    differences = []
    if fields.text("participants") != cohort.fingerprints[""]:
        differences.append(f"other participants ({n:,} there, {len(cohort):,} here)")
    differences += [
        f"{words} {named(sorted(names))}"
        for words, names in (
            ("no phenotype", phenotypes.keys() - ours.keys()),
            ("new phenotypes", ours.keys() - phenotypes.keys()),
            ("other values of", {spec for spec in ours.keys() & phenotypes.keys() if ours[spec] != phenotypes[spec]}),
        )
        if names
    ]
    if bundle != latents_fingerprint(state):
        differences.append(f"latents of model {latents_fingerprint(state) or 'none'} instead of {bundle or 'none'}")
    if differences:
        here = state.study.name if state.study is not None else ""
        raise StudyError(
            f"The session {place} is of the study {name!r} and does not fit the open study {here!r}, which has "
            f"{'; '.join(differences)}. Open the study of the session, with its model, then the session."
        )


def _read(fields: JsonFields, state: ExplorerState) -> Moment:
    cohort = cohort_of(state)
    method: Any = fields.one_of("representative_method", REPRESENTATIVE_METHODS)
    excluded = fields.text_map("excluded")
    _note_strangers(fields, "excluded", list(excluded), cohort)
    for reason in excluded.values():
        if not reason.strip():
            fields.note("excluded", "participants with a reason each", reason)
    state = replace(
        state,
        filters=_filters(fields, state),
        excluded=MappingProxyType({who: why for who, why in excluded.items() if who in cohort}),
        selection=NO_IDS,
        selection_lassos=(),
        groups=(),
        active_group=None,
        representative_method=method,
        map_kind=_map_kind(fields),
        color_by=color_from_fields(fields, state),
        current_participant=_participant(fields, cohort),
    )
    chosen = fields.child("selection")
    selected = _mask(chosen, "participants", cohort)
    if not fields.problems:  # filters that do not fit would raise
        selected &= _visible(state)
    groups = tuple(_groups(fields, state))
    active = fields.text_or_none("active_group")
    by_name: Mapping[str | None, Group | None] = {None: None, **{group.name: group for group in groups}}
    if active not in by_name:
        fields.note("active_group", "the name of a group", active)
    state = replace(
        state,
        selection=read_only(cohort.participant_ids[selected]) if selected.any() else NO_IDS,
        selection_lassos=lassos_from_fields(chosen, "lassos"),
        groups=groups,
        active_group=by_name.get(active),
        comparison=_comparison(fields, groups),
        side_by_side=_side_by_side(fields, groups),
        direction=direction_from_fields(fields, state),
        change=_change(fields),
        calibrations=calibrations_from_fields(fields, state.calibrations),
    )
    state = replace(state, path=path_from_fields(fields, state))
    return Moment(state, NOWHERE if fields.is_null("probe") else _probe(fields.child("probe"), state))


def _visible(state: ExplorerState) -> NDArray[np.bool_]:
    """Who passes all filters and is not excluded; asks the filters themselves, for this may be another thread."""
    mask = ~mask_of(cohort_of(state), state.excluded)
    for chosen in state.filters:
        mask &= chosen.mask(cohort_of(state), state.maps)
    return mask


def _filters(fields: JsonFields, state: ExplorerState) -> Any:
    filters = filters_from_fields(fields, "filters")
    if len({chosen.key for chosen in filters}) < len(filters):
        fields.note("filters", "at most one of each key", [chosen.key for chosen in filters])
    for chosen in filters:
        try:
            chosen.mask(cohort_of(state), state.maps)
        except LatentExplorerError as error:
            fields.problems.append(str(error).rstrip("."))
    return filters


def _map_kind(fields: JsonFields) -> MapKind:
    kind: Any = "tsne" if fields.is_null("map_kind") else fields.one_of("map_kind", MAP_KINDS)  # older files have none
    chosen: MapKind = kind
    return chosen


def _participant(fields: JsonFields, cohort: Cohort) -> str | None:
    participant_id = fields.text_or_none("current_participant")
    if participant_id is not None:
        _note_strangers(fields, "current_participant", [participant_id], cohort)
    return participant_id


def _groups(fields: JsonFields, state: ExplorerState) -> list[Group]:
    cohort = cohort_of(state)
    groups: list[Group] = []
    for entry in fields.children("groups"):
        name, color = entry.text("name"), entry.numbers("color")
        members = _mask(entry, "participants", cohort)
        ids: NDArray[np.str_] = read_only(cohort.participant_ids[members])
        if not name.strip() or name in [group.name for group in groups]:
            entry.note("name", "unique and not empty", name)
        if len(color) != 4 or not all(0.0 <= part <= 1.0 for part in color):
            entry.note("color", "four numbers in 0..1", color)
            color = [0.0] * 4
        if not members.any():
            entry.note("participants", "at least one participant", entry.raw("participants"))
        recipe = recipe_from_fields(entry.child("recipe"), ids)
        red, green, blue, alpha = color
        stands = representative_of(state, ids) if len(ids) else None
        groups.append(Group(name, (red, green, blue, alpha), ids, recipe, stands))
    return groups


def _comparison(document: JsonFields, groups: tuple[Group, ...]) -> ComparisonChoice:
    if document.raw("version") == 1:
        return UNCHOSEN
    fields = document.child("comparison")
    number_test: Any = fields.one_of("number_test", NUMBER_TESTS)
    name_a, name_b = fields.text_or_none("name_a"), fields.text_or_none("name_b")
    names = {group.name for group in groups}
    if not {name_a, name_b} <= {None, *names}:
        fields.note("name_a", "like name_b, null or the name of a group", f"{name_a} and {name_b}")
    elif name_b is not None and (name_a is None or name_a == name_b):
        fields.note("name_b", "another group than name_a, and null when that is", name_b)
    return ComparisonChoice(name_a, name_b, number_test)


def _side_by_side(document: JsonFields, groups: tuple[Group, ...]) -> SideBySideChoice:
    if document.is_null("side_by_side"):  # before there was such a choice
        return ONLY_THE_PROBE
    fields = document.child("side_by_side")
    names, has_originals = fields.texts("names"), fields.flag("has_originals")
    known = {group.name for group in groups if group.representative is not None}
    if not known.issuperset(names) or len(set(names)) < len(names) or len(names) > MAX_GROUPS:
        fields.note("names", f"at most {MAX_GROUPS} different groups with latents", names)
        return ONLY_THE_PROBE
    return SideBySideChoice(tuple(names), has_originals)


def _change(document: JsonFields) -> ChangeChoice:
    if document.is_null("change"):  # before there was such a choice
        return NO_CHANGE_SHOWN
    fields = document.child("change")
    return ChangeChoice(fields.flag("has_difference"), fields.flag("has_start"))


def _probe(fields: JsonFields, state: ExplorerState) -> ProbeState:
    origin, vector = fields.numbers("origin"), fields.numbers("vector")
    sizes = {latents.latent_dim for latents in state.latents.values()} or {len(origin)}
    if not origin or len(origin) != len(vector) or len(origin) not in sizes:
        fields.note("vector", f"as long as the origin and {sizes} numbers", f"{len(vector)} for {len(origin)}")
    with np.errstate(over="ignore"):
        began, here = np.array(origin, np.float32), np.array(vector, np.float32)
    if not (np.isfinite(began).all() and np.isfinite(here).all()):
        fields.note("vector", "within the range of float32", "larger numbers")
    probe = ProbeState(read_only(began), read_only(here), fields.text("label"), locked=_locked(fields, len(origin)))
    return replace(probe, walk=walk_from_fields(fields, probe))


def _locked(fields: JsonFields, n_dims: int) -> frozenset[int]:
    if fields.is_null("locked"):  # before locks were kept
        return frozenset()
    dims = fields.numbers("locked")
    if not all(dim.is_integer() and 0 <= dim < n_dims for dim in dims):
        fields.note("locked", f"numbers of dimensions, 0 to {n_dims - 1}", dims)
        return frozenset()
    return frozenset(map(int, dims))


def _mask(fields: JsonFields, name: str, cohort: Cohort) -> NDArray[np.bool_]:
    ids = fields.texts(name)
    _note_strangers(fields, name, ids, cohort)
    return mask_of(cohort, [participant_id for participant_id in ids if participant_id in cohort])


def _note_strangers(fields: JsonFields, name: str, participant_ids: Sequence[str], cohort: Cohort) -> None:
    strangers = [participant_id for participant_id in participant_ids if participant_id not in cohort]
    if strangers:
        fields.note(name, "participants of the study", f"{len(strangers)} who are not: {named(strangers)}")
