"""What was done, as a Python script that does it again.

The hard idea: lines are not written down as the user goes, by every method, but read off the moments of the history.
For each step, what was changed is said in calls of the public API, and each call is at once made on a copy of the state
(`_Replay`). So a line stands in the script only because it leads where the user went, and what a call does not bring
about (a selection that a filter shrank and nobody restored) is seen and said by one more.
"""

import dataclasses
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from napari_latent_explorer.analysis.map_space import MapKind
from napari_latent_explorer.errors import LatentExplorerError
from napari_latent_explorer.session import grouping
from napari_latent_explorer.session import path as paths
from napari_latent_explorer.session import state as changes
from napari_latent_explorer.session.color_sources import ColorBy
from napari_latent_explorer.session.comparison_choice import UNCHOSEN, ComparisonChoice
from napari_latent_explorer.session.direction_choice import NO_DIRECTION, DirectionChoice
from napari_latent_explorer.session.filters import Filter
from napari_latent_explorer.session.groups import Group
from napari_latent_explorer.session.history import History, Moment
from napari_latent_explorer.session.moving_lines import locking_lines, moving_lines, vector_source
from napari_latent_explorer.session.path_choice import NO_PATH, PathChoice
from napari_latent_explorer.session.probe import NOWHERE, ProbeState, walked
from napari_latent_explorer.session.probing import group_probe, mean_probe
from napari_latent_explorer.session.side_by_side_choice import ONLY_THE_PROBE, SideBySideChoice
from napari_latent_explorer.session.state import ExplorerState
from napari_latent_explorer.session.step_text import describe_step

_HEAD = '''\
"""Repeats what was done with a study in Latent Explorer. It holds ids of participants: keep it with the study."""

import sys
from pathlib import Path

import numpy as np

from napari_latent_explorer.data.progress import finish
from napari_latent_explorer.session.color_sources import Predicted, Trust, Unusual
from napari_latent_explorer.session.direction_choice import DirectionChoice, NamedVector
from napari_latent_explorer.session.explorer import Explorer
from napari_latent_explorer.session.filters import AllOf, AnyOf, CategoryFilter, MapFilter, Not, RangeFilter
from napari_latent_explorer.session.opening import load_bundle, load_study
from napari_latent_explorer.session.path_choice import PathEnd
from napari_latent_explorer.session.recipes import GroupRecipe, Lasso, SetOperation

STUDY = {study}
BUNDLE = {bundle}


def repeat(explorer: Explorer) -> None:
    """Do in an explorer, in which the study is open, what was done."""
'''
_FOOT = '''

def main() -> None:
    """Open the study and the model, perhaps named on the command line, and repeat."""
    study = sys.argv[1] if len(sys.argv) > 1 else STUDY
    bundle = sys.argv[2] if len(sys.argv) > 2 else BUNDLE
    explorer = Explorer()
    explorer.open(finish(load_study(Path(study))), finish(load_bundle(Path(bundle))) if bundle else None)
    repeat(explorer)
    print(f"{explorer.view_state.n_visible} of {explorer.view_state.n_total} participants pass the filters.")
    for group in explorer.groups:
        print(f"{group.name}: {len(group)} participants, {group.recipe.describe()}")
    explorer.close()


if __name__ == "__main__":
    main()
'''


def script_of(history: History, now: Moment) -> str:
    """Write the script that repeats all steps up to `now`; what was undone is not in it."""
    body: list[str] = []
    before = _beginning(now)
    for moment in [*history.moments(), now]:
        lines = lines_between(before, moment)
        if lines:
            text = describe_step(before.state, before.probe, moment.state, moment.probe)
            body += [f"# {ascii(text)[1:-1]}", *lines]
        before = moment
    if now.state.current_participant is not None:
        body.append(f"explorer.show_participant({now.state.current_participant!a})")
    head = _HEAD.format(study=_path(now.state.study), bundle=_path(now.state.bundle))
    return head + "\n".join(f"    {line}" for line in body or ["pass"]) + "\n" + _FOOT


def _path(of: Any) -> str:
    path = getattr(of, "path", None)
    return ascii(str(path)) if isinstance(path, Path) else "None"


def _beginning(now: Moment) -> Moment:
    """Where `Explorer.open` leaves a study: nothing chosen, the probe at the mean."""
    state = dataclasses.replace(
        now.state,
        filters=(),
        excluded={},
        selection=changes.NO_IDS,
        selection_lassos=(),
        groups=(),
        active_group=None,
        representative_method="nearest",
        comparison=UNCHOSEN,
        map_kind="tsne",
        side_by_side=ONLY_THE_PROBE,
        direction=NO_DIRECTION,
        path=NO_PATH,
        color_by=None,
    )
    return Moment(state, mean_probe(state) if state.latents else NOWHERE)


def lines_between(before: Moment, after: Moment) -> list[str]:
    """Write calls of `Explorer` that lead from one moment to another of the same study."""
    replay = _Replay(before)
    replay.exclude(after.state.excluded)
    replay.filter(after.state.filters)
    replay.represent(after.state.representative_method)
    replay.group(after.state)
    replay.select(after.state)
    replay.compare(after.state.comparison)
    replay.show_maps(after.state.map_kind)
    replay.color(after.state.color_by)
    replay.go(after.state.path, after.probe)
    replay.turn(after.state.direction, after.probe)
    replay.move(after.probe)
    replay.show(after.state.side_by_side)
    return replay.lines


class _Replay:
    """Lines, and the state and probe to which they lead."""

    def __init__(self, before: Moment) -> None:
        self.lines: list[str] = []
        self._state = before.state
        self._probe = before.probe

    def _do(self, state: ExplorerState, line: str) -> None:
        self._state = state
        self.lines.append(f"explorer.{line}")

    def exclude(self, excluded: Mapping[str, str]) -> None:
        restored = [who for who in self._state.excluded if who not in excluded]
        if restored:
            everybody = len(restored) == len(self._state.excluded)
            self._do(
                changes.without_excluded(self._state, restored),
                "restore_excluded()" if everybody else f"restore_excluded({restored!a})",
            )
        new = {who: why for who, why in excluded.items() if self._state.excluded.get(who) != why}
        for reason in dict.fromkeys(new.values()):
            ids = [who for who, why in new.items() if why == reason]
            self._do(changes.with_excluded(self._state, ids, reason), f"exclude({ids!a}, {reason!a})")

    def filter(self, filters: tuple[Filter, ...]) -> None:
        if not filters and self._state.filters:
            self._do(changes.without_filters(self._state), "clear_filters()")
        for former in self._state.filters:
            if former.key not in {chosen.key for chosen in filters}:
                self._do(changes.without_filters(self._state, [former.key]), f"remove_filter({former.key!a})")
        for chosen in filters:
            if chosen not in self._state.filters:
                self._do(changes.with_filter(self._state, chosen), f"set_filter({_source(chosen)})")
        if self._state.filters != filters:  # another order
            self._do(changes.without_filters(self._state), "clear_filters()")
            self.filter(filters)

    def represent(self, method: Any) -> None:
        if method != self._state.representative_method:
            was_on_path = paths.is_on_path(self._state, self._probe)
            self._do(grouping.with_representative_method(self._state, method), f"set_representative_method({method!a})")
            if was_on_path:
                self._place()
            elif self._state.active_group is not None:
                self._begin_at(self._state.active_group)

    def group(self, after: ExplorerState) -> None:
        self._rename(after.groups)
        for former in self._state.groups:
            if former.name not in {group.name for group in after.groups}:
                self._do(grouping.without_group(self._state, former.name), f"remove_group({former.name!a})")
        for number, group in enumerate(after.groups):
            self._make(group, number)
        if _name(self._state.active_group) != _name(after.active_group):
            name = _name(after.active_group)
            self._do(grouping.with_active_group(self._state, name), f"set_active_group({name!a})")
            if self._state.active_group is not None:
                self._begin_at(self._state.active_group)

    def _rename(self, groups: tuple[Group, ...]) -> None:
        """Say which group has another name than before."""
        if len(groups) != len(self._state.groups):
            return
        for former, group in zip(self._state.groups, groups, strict=True):
            if former.name != group.name and former.recipe is group.recipe:
                renamed = grouping.with_group_renamed(self._state, former.name, group.name)
                self._do(renamed, f"rename_group({former.name!a}, {group.name!a})")

    def _make(self, group: Group, number: int) -> None:
        here = next((made for made in self._state.groups if made.name == group.name), None)
        if here is None or not np.array_equal(here.participant_ids, group.participant_ids):
            if here is not None:
                self._do(grouping.without_group(self._state, group.name), f"remove_group({group.name!a})")
            made, line = self._made(group)
            self._do(made, line)
            here = self._state.groups[-1]
            self._begin_at(here)
        if here.color != group.color:
            colored = grouping.with_group_color(self._state, group.name, group.color)
            self._do(colored, f"set_group_color({group.name!a}, {group.color!r})")

    def _made(self, group: Group) -> tuple[ExplorerState, str]:
        """Find the shortest call that makes a group with these members and this recipe."""
        recipe, name, members = group.recipe, group.name, group.participant_ids
        tries: list[tuple[Callable[[], ExplorerState], str]] = [
            (lambda: grouping.with_group(self._state, name), f"create_group({name!a})")
        ]
        operation = recipe.operation
        if operation is not None:
            kind, names = operation.kind, operation.names
            line = f"combine_groups({kind!a}, {list(names)!a}, {name!a})"
            tries.append((lambda: grouping.with_groups_combined(self._state, kind, names, name), line))
        if recipe.origin == "by id":
            ids = members.tolist()
            tries.append((lambda: grouping.with_group(self._state, name, ids), f"create_group({name!a}, {ids!a})"))
        else:
            line = f"rerun_recipe({_source(recipe)}, {name!a})"
            tries.append((lambda: grouping.with_recipe_rerun(self._state, recipe, name), line))
        for make, line in tries:
            try:
                made = make()
            except LatentExplorerError:
                continue
            if _is_same_group(made.groups[-1], group):
                return made, line
        made = grouping.with_group(self._state, name, members.tolist(), recipe)  # other exclusions held at the time
        return made, f"create_group({name!a}, {members.tolist()!a}, {_source(recipe)})"

    def select(self, after: ExplorerState) -> None:
        if np.array_equal(self._state.selection, after.selection):
            return
        if not len(after.selection):
            self._do(changes.without_selection(self._state), "clear_selection()")
            return
        former = self._state.selection_lassos
        new = after.selection_lassos[len(former) :]
        for lassos in (new if after.selection_lassos[: len(former)] == former else (), after.selection_lassos):
            state, lines = self._state, []
            for lasso in lassos:
                state = changes.with_selected_inside(state, lasso.area, lasso.mode)
                lines.append(f"explorer.select_inside({_source(lasso.area)}, {lasso.mode!a})")
            if lassos and np.array_equal(state.selection, after.selection):
                self._state = state
                self.lines += lines
                return
        ids = after.selection.tolist()
        self._do(changes.with_selected(self._state, ids, "replace"), f"select({ids!a})")

    def compare(self, chosen: ComparisonChoice) -> None:
        here = self._state.comparison
        if chosen.number_test != here.number_test:
            line = f"set_number_test({chosen.number_test!a})"
            self._do(changes.with_number_test(self._state, chosen.number_test), line)
        if (chosen.name_a, chosen.name_b) != (here.name_a, here.name_b):
            names = ", ".join(ascii(name) for name in (chosen.name_a, chosen.name_b) if name is not None)
            self._do(changes.with_compared(self._state, chosen.name_a, chosen.name_b), f"set_compared({names})")

    def show_maps(self, kind: MapKind) -> None:
        if kind != self._state.map_kind:
            self._do(changes.with_map_kind(self._state, kind), f"set_map_kind({kind!a})")

    def color(self, color_by: ColorBy | None) -> None:
        if color_by != self._state.color_by:
            self._do(changes.with_color_by(self._state, color_by), f"set_color_by({_source(color_by)})")

    def _begin_at(self, group: Group) -> None:
        begun = group_probe(group)
        if begun is not None:
            self._probe = dataclasses.replace(begun, locked=self._probe.locked)

    def go(self, chosen: PathChoice, probe: ProbeState) -> None:
        here = self._state.path
        if chosen.ends is None and here.ends is not None:
            self._do(paths.without_path(self._state), "clear_path()")
        if chosen.ends is None:
            return
        if chosen.ends != here.ends or chosen.kind != here.kind:
            ends = ", ".join(map(_source, chosen.ends))
            line = f"set_path({ends}, {chosen.kind!a}, {chosen.share!r})"
        elif chosen != here or (
            paths.is_on_path(self._state, probe) and not paths.is_on_path(self._state, self._probe)
        ):
            line = f"move_on_path({chosen.share!r})"
        else:
            return
        self._do(changes.with_probe_alone(paths.with_path(self._state, chosen)), line)
        self._place()

    def _place(self) -> None:
        if (path := paths.path_of(self._state)) is not None:
            self._probe = dataclasses.replace(path.place(self._state.path.share), locked=self._probe.locked)

    def turn(self, choice: DirectionChoice, probe: ProbeState) -> None:
        former, walk = self._state.direction, self._probe.walk
        if choice == former:
            return
        self._do(changes.with_direction(self._state, choice), f"set_direction({_source(choice)})")
        if walk is not None and probe.walk is not None and choice.is_same_subject(former):
            self._probe = walked(self._probe, probe.walk.direction, walk.amount)
        elif walk is not None:
            self._probe = walked(self._probe, walk.direction, 0.0)

    def move(self, probe: ProbeState) -> None:
        if not probe.origin.size:
            return
        n_lines = len(self.lines)
        if not np.array_equal(probe.origin, self._probe.origin) or probe.label != self._probe.label:
            self.lines.append(f"explorer.{self._origin_line(probe)}")
            self._probe = ProbeState(probe.origin, probe.origin, probe.label, locked=self._probe.locked)
        moves = moving_lines(self._state, self._probe, probe)
        if moves or len(self.lines) > n_lines:
            self._state = changes.with_probe_alone(self._state)
        unlocking, locking = locking_lines(self._probe, probe)
        self.lines += [f"explorer.{line}" for line in (*unlocking, *moves, *locking)]

    def show(self, chosen: SideBySideChoice) -> None:
        if chosen != self._state.side_by_side:
            line = f"show_side_by_side({list(chosen.names)!a}{', True' * chosen.has_originals})"
            self._do(changes.with_side_by_side(self._state, chosen), line)

    def _origin_line(self, probe: ProbeState) -> str:
        for modality, latents in self._state.latents.items():
            mean = mean_probe(self._state, modality)
            if probe.label == mean.label and np.array_equal(probe.origin, mean.origin):
                return f"probe_mean({modality!a})"
            who = probe.label.removesuffix(f", {modality.upper()}")
            if who != probe.label and who in latents and np.array_equal(latents.of([who])[0], probe.origin):
                return f"probe_participant({who!a}, {modality!a})"
        active = self._state.active_group
        begun = group_probe(active) if active is not None else None
        is_there = begun is not None and begun.label == probe.label and np.array_equal(begun.origin, probe.origin)
        if active is not None and is_there:
            return f"set_active_group({active.name!a})"
        return f"probe.set_origin({vector_source(probe.origin)}, {probe.label!a})"


def _name(group: Group | None) -> str | None:
    return None if group is None else group.name


def _is_same_group(one: Group, other: Group) -> bool:
    return np.array_equal(one.participant_ids, other.participant_ids) and _source(one.recipe) == _source(other.recipe)


def _source(value: Any) -> str:
    """Write a frozen value as the Python that makes it."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        parts = [
            f"{field.name}={_source(getattr(value, field.name))}"
            for field in dataclasses.fields(value)
            if not _is_default(field, getattr(value, field.name))
        ]
        return f"{type(value).__name__}({', '.join(parts)})"
    if isinstance(value, frozenset):
        return f"frozenset({{{_listed(sorted(value))}}})" if value else "frozenset()"
    if isinstance(value, tuple):
        return f"({_listed(value)}{',' * (len(value) == 1)})"
    if isinstance(value, np.ndarray):
        return f"np.array({value.tolist()!a}, np.str_)"
    if isinstance(value, float | np.floating):
        return repr(float(value)) if np.isfinite(value) else f"float({str(float(value))!r})"
    return ascii(value)


def _listed(values: Iterable[Any]) -> str:
    return ", ".join(map(_source, values))


def _is_default(field: "dataclasses.Field[Any]", value: Any) -> bool:
    if isinstance(value, np.ndarray):
        return value.size == 0
    return field.default is not dataclasses.MISSING and bool(value == field.default)
