"""Whatever a user does, in whatever order: a reference of Python sets and loops agrees with the session.

After each action counts, masks and groups equal those of the reference; undo goes back through every step to bit-equal
states and redo forth again; a session that is saved reopens to the same state, and the script that is written repeats
it. The reference knows nothing of the code that it is held against: it looks at the table's rows one by one.
"""

import json
from dataclasses import fields, is_dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from memory_study import FINGERPRINT, LinearBundle, MemoryStudy, decode_linearly, make_study

from napari_latent_explorer.analysis.map_space import MAP_KINDS, MapKind
from napari_latent_explorer.analysis.projection import Projection
from napari_latent_explorer.errors import LatentExplorerError
from napari_latent_explorer.session.change_choice import ChangeChoice
from napari_latent_explorer.session.color_sources import ColorBy, Predicted, Trust, Unusual
from napari_latent_explorer.session.explorer import Explorer
from napari_latent_explorer.session.filters import AnyOf, CategoryFilter, MapFilter, Not, RangeFilter
from napari_latent_explorer.session.history import UNDOABLE, Moment
from napari_latent_explorer.session.path_choice import PathEnd
from napari_latent_explorer.session.session_document import RESTORED, session_from_dict, session_to_dict
from napari_latent_explorer.session.session_file import write_session

N = 12
IDS = [f"P{i:02}" for i in range(N)]
NAMES = [f"Group {letter}" for letter in "ABCDE"]
COLORS = [None, "age", "sex", Unusual("mri"), Unusual("ecg"), Trust("mri"), Predicted("lvef", "MRI + ECG")]
people = st.lists(st.sampled_from(IDS), min_size=1, max_size=6, unique=True)
PHASES = (Phase.explicit, Phase.reuse, Phase.generate)
"""Making a failure of many actions small takes longer than reading it."""
modes = st.sampled_from(["replace", "add", "subtract", "toggle"])
ages = st.tuples(st.integers(0, N), st.integers(0, N)).map(sorted)


def same(one: Any, other: Any) -> bool:
    """Whether two values are equal to the last bit, whatever they are made of."""
    if isinstance(one, np.ndarray):
        return one.dtype == other.dtype and one.tobytes() == other.tobytes()
    if isinstance(one, tuple):
        return len(one) == len(other) and all(map(same, one, other))
    if is_dataclass(one):
        names = [field.name for field in fields(one)]
        return type(one) is type(other) and all(same(getattr(one, name), getattr(other, name)) for name in names)
    return bool(one == other)


def fields_of(moment: Moment, names: tuple[str, ...] = UNDOABLE) -> tuple[Any, ...]:
    excluded = dict(moment.state.excluded)
    probe = moment.probe
    state = tuple(getattr(moment.state, name) for name in names if name != "excluded")
    return (excluded, state, (probe.origin, probe.vector, probe.label, probe.locked))


class Reference:
    """The same wishes, answered by looking at each participant."""

    def __init__(self) -> None:
        self.tests: dict[str, Any] = {}
        self.excluded: dict[str, str] = {}
        self.selected: set[int] = set()
        self.groups: dict[str, set[int]] = {}
        self.compared: tuple[str | None, str | None] = (None, None)
        self.color_by: ColorBy | None = None
        self.map_kind: MapKind = "tsne"

    def copy(self) -> "Reference":
        other = Reference()
        other.tests, other.excluded = dict(self.tests), dict(self.excluded)
        other.selected, other.groups = set(self.selected), {name: set(rows) for name, rows in self.groups.items()}
        other.compared, other.color_by, other.map_kind = self.compared, self.color_by, self.map_kind
        return other

    def passes(self, row: int, but: str = "") -> bool:
        return IDS[row] not in self.excluded and all(test(row) for key, test in self.tests.items() if key != but)

    def visible(self) -> set[int]:
        return {row for row in range(N) if self.passes(row)}

    def pick(self, rows: set[int], mode: str) -> None:
        rows = rows & self.visible()
        self.selected = {
            "replace": rows,
            "add": self.selected | rows,
            "subtract": self.selected - rows,
            "toggle": self.selected ^ rows,
        }[mode]

    def shrink(self) -> None:
        self.selected &= self.visible()


def rows_of(ids: Any) -> set[int]:
    return {IDS.index(str(who)) for who in ids}


def study_with_maps() -> MemoryStudy:
    """Make a study that holds a map of MRI of each kind, all different."""
    study = make_study(N)
    latents = study.spaces["mri", FINGERPRINT]
    places = np.random.default_rng(1).normal(size=(len(MAP_KINDS), N, 2)).astype(np.float32)
    for kind, coordinates in zip(MAP_KINDS, places, strict=True):
        trust = np.linspace(0, 1, N, dtype=np.float32)
        made = Projection(coordinates, latents.participant_ids, "mri", kind, {}, FINGERPRINT, trust, 0.9)
        study.maps[made.key, FINGERPRINT] = made.to_arrays()
    return study


def open_window(study: MemoryStudy) -> Explorer:
    """Open the study in a new explorer; what colours need is measured at once, so that no worker comes in between."""
    explorer = Explorer(decode_fn=decode_linearly)
    explorer.open(study, LinearBundle())
    explorer.jobs.cancel_all()
    for modality in explorer.latents:
        assert explorer.measure_unusualness(modality).wait(20.0)
    assert explorer.jobs.wait(20.0)
    return explorer


class Session(RuleBasedStateMachine):
    """One user at one study."""

    @initialize()
    def open(self) -> None:
        self.study = study_with_maps()
        self.explorer = open_window(self.study)
        self.reference = Reference()
        self.past = [(fields_of(self.explorer.moment()), self.reference.copy())]
        self.future: list[Any] = []

    def teardown(self) -> None:
        if hasattr(self, "explorer"):
            self.explorer.close()

    def did(self) -> None:
        """Remember where a step, if it was one, has led."""
        now = fields_of(self.explorer.moment())
        if not same(now, self.past[-1][0]):
            self.past.append((now, self.reference.copy()))
            self.future = []

    # ---- wishes

    @rule(ends=ages, has_missing=st.booleans())
    def brush_ages(self, ends: list[int], has_missing: bool) -> None:
        low, high = ends
        self.explorer.set_filter(RangeFilter("age", low, high, has_missing))
        self.reference.tests["age"] = lambda row: low <= row <= high
        self.reference.shrink()
        self.did()

    @rule(steps=st.lists(ages, min_size=1, max_size=4))
    def drag_ages(self, steps: list[list[int]]) -> None:
        self.explorer.begin_gesture()
        for low, high in steps:
            self.explorer.set_filter(RangeFilter("age", low, high))
            self.reference.tests["age"] = lambda row, low=low, high=high: low <= row <= high
            self.reference.shrink()
        self.explorer.end_gesture()
        self.did()

    @rule(sex=st.sampled_from(["female", "male"]), is_without=st.booleans())
    def choose_sex(self, sex: str, is_without: bool) -> None:
        chosen = CategoryFilter("sex", frozenset({sex}))
        self.explorer.set_filter(Not(chosen) if is_without else chosen)
        wanted = (["female", "male"].index(sex) == 0) != is_without
        self.reference.tests["sex"] = lambda row: (row % 2 == 0) == wanted
        self.reference.shrink()
        self.did()

    @rule(low=st.integers(50, 62))
    def say_either(self, low: int) -> None:
        either = AnyOf((CategoryFilter("diabetes", frozenset({"yes"})), RangeFilter("lvef", low, 100)))
        self.explorer.set_filter(either)
        # LV EF is 50 + row and known above row 5; every fourth is diabetic; of row 3 that is not known.
        self.reference.tests[either.key] = lambda row: row % 4 == 0 or (row > 5 and 50 + row >= low)
        self.reference.shrink()
        self.did()

    @rule(key=st.sampled_from(["age", "sex", "sentence", "map:mri"]))
    def take_filter_away(self, key: str) -> None:
        self.explorer.remove_filter(key)
        self.reference.tests.pop(key, None)
        self.did()

    @rule()
    def clear_filters(self) -> None:
        self.explorer.clear_filters()
        self.reference.tests = {}
        self.did()

    @rule(ids=people, reason=st.sampled_from(["motion", "wrong plane"]))
    def exclude(self, ids: list[str], reason: str) -> None:
        self.explorer.exclude(ids, reason)
        self.reference.excluded.update(dict.fromkeys(ids, reason))
        self.reference.shrink()
        self.did()

    @rule(ids=st.none() | people)
    def bring_back(self, ids: list[str] | None) -> None:
        self.explorer.restore_excluded(ids)
        for who in list(self.reference.excluded) if ids is None else ids:
            self.reference.excluded.pop(who, None)
        self.did()

    @rule(ids=people, mode=modes)
    def select(self, ids: list[str], mode: Any) -> None:
        self.explorer.select(ids, mode)
        self.reference.pick(rows_of(ids), mode)
        self.did()

    def rectangle(self, low: float, high: float) -> tuple[MapFilter, set[int]]:
        """Lasso around everything between two places along the first axis of the map."""
        projection = self.explorer.projections["mri"]
        x = projection.coordinates[:, 0].astype(float)
        ends = np.quantile(x, [low, high]) + np.array([-1e-6, 1e-6])
        corners = tuple((float(ends[i]), float(y)) for i, y in ((0, -1e6), (1, -1e6), (1, 1e6), (0, 1e6)))
        inside = {row for row in range(N) if ends[0] < x[row] < ends[1]}
        return MapFilter("mri", corners, projection.fingerprint), inside

    @rule(low=st.sampled_from([0.0, 0.25, 0.5]), size=st.sampled_from([0.2, 0.45]), mode=modes)
    def draw_lasso(self, low: float, size: float, mode: Any) -> None:
        area, inside = self.rectangle(low, low + size)
        self.explorer.select_inside(area, mode)
        self.reference.pick(inside, mode)
        self.did()

    @rule(low=st.sampled_from([0.0, 0.3]))
    def filter_by_lasso(self, low: float) -> None:
        area, inside = self.rectangle(low, low + 0.6)
        self.explorer.set_filter(area)
        self.reference.tests[area.key] = inside.__contains__
        self.reference.shrink()
        self.did()

    @rule()
    def select_nobody(self) -> None:
        self.explorer.clear_selection()
        self.reference.selected = set()
        self.did()

    @rule(name=st.none() | st.sampled_from(NAMES), ids=st.none() | people)
    def make_group(self, name: str | None, ids: list[str] | None) -> None:
        rows = rows_of(ids) if ids is not None else self.reference.selected or self.reference.visible()
        try:
            group = self.explorer.create_group(name, ids)
        except LatentExplorerError:
            assert not rows or name in self.reference.groups
            return
        self.reference.groups[group.name] = set(rows)
        self.did()

    @precondition(lambda self: len(self.reference.groups) > 1)
    @rule(kind=st.sampled_from(["union", "intersection", "difference", "complement"]), data=st.data())
    def combine(self, kind: Any, data: Any) -> None:
        names = data.draw(st.lists(st.sampled_from(sorted(self.reference.groups)), min_size=2, max_size=3, unique=True))
        first, *others = (self.reference.groups[name] for name in names)
        rows = {
            "union": first.union(*others),
            "intersection": first.intersection(*others),
            "difference": first.difference(*others),
            "complement": self.reference.visible().difference(first, *others),
        }[kind]
        try:
            group = self.explorer.combine_groups(kind, names)
        except LatentExplorerError:
            assert not rows
            return
        self.reference.groups[group.name] = rows
        self.did()

    @precondition(lambda self: self.reference.groups)
    @rule(data=st.data())
    def make_again(self, data: Any) -> None:
        """Whatever made a group gives the same people again, as long as the same are excluded."""
        name = data.draw(st.sampled_from([group.name for group in self.explorer.groups]))
        recipe = next(group.recipe for group in self.explorer.groups if group.name == name)
        try:
            again = self.explorer.rerun_recipe(recipe)
        except LatentExplorerError:
            assert self.reference.excluded or self.reference.groups
            return
        rows = rows_of(again.participant_ids)
        if recipe.origin in ("by hand", "by id"):
            assert rows == rows_of(recipe.participant_ids)
        elif recipe.origin != "groups":
            assert not {IDS[row] for row in rows} & self.reference.excluded.keys()
        self.reference.groups[again.name] = rows
        self.did()

    @precondition(lambda self: self.reference.groups)
    @rule(data=st.data(), what=st.sampled_from(["remove", "rename", "activate", "colour"]))
    def change_group(self, data: Any, what: str) -> None:
        name = data.draw(st.sampled_from(sorted(self.reference.groups)))
        if what == "remove":
            self.explorer.remove_group(name)
            del self.reference.groups[name]
            first, second = self.reference.compared
            self.reference.compared = (None, None) if name == first else (first, None if name == second else second)
        elif what == "rename":
            new = f"{name}'" + "'" * sum(name in other for other in self.reference.groups)
            self.explorer.rename_group(name, new)
            self.reference.groups = {new if n == name else n: rows for n, rows in self.reference.groups.items()}
            first, second = (new if n == name else n for n in self.reference.compared)
            self.reference.compared = (first, second)
        elif what == "activate":
            self.explorer.set_active_group(name)
        else:
            self.explorer.set_group_color(name, (0.1, 0.2, 0.3, 1.0))
        self.did()

    @rule(data=st.data(), is_by_ranks=st.booleans())
    def compare(self, data: Any, is_by_ranks: bool) -> None:
        first, second = (data.draw(st.none() | st.sampled_from(NAMES)) for _ in range(2))
        try:
            self.explorer.set_compared(first, second)
        except LatentExplorerError:
            assert first == second or {first, second} - self.reference.groups.keys() - {None}
            return
        self.reference.compared = (first, second if first else None)
        self.did()
        self.explorer.set_number_test("mann-whitney" if is_by_ranks else "welch")
        self.did()

    @rule(source=st.sampled_from(COLORS))
    def color(self, source: ColorBy | None) -> None:
        self.explorer.set_color_by(source)
        self.reference.color_by = source
        self.did()

    @rule(kind=st.sampled_from(list(MAP_KINDS)))
    def choose_kind_of_map(self, kind: MapKind) -> None:
        """A lasso stays the one that was drawn, whichever map is shown."""
        self.explorer.set_map_kind(kind)
        self.reference.map_kind = kind
        self.did()

    @precondition(lambda self: self.reference.groups)
    @rule(data=st.data(), has_originals=st.booleans())
    def look_side_by_side(self, data: Any, has_originals: bool) -> None:
        names = data.draw(st.lists(st.sampled_from(sorted(self.reference.groups)), max_size=3, unique=True))
        self.explorer.show_side_by_side(names, has_originals)
        assert self.explorer.state.side_by_side.names == tuple(names)
        self.did()

    @rule(method=st.sampled_from(["nearest", "mean", "median", "medoid"]))
    def represent(self, method: Any) -> None:
        self.explorer.set_representative_method(method)
        self.did()

    @rule(moves=st.lists(st.tuples(st.integers(0, 5), st.floats(-3, 3, width=32)), min_size=1, max_size=4))
    def drag_dot(self, moves: list[tuple[int, float]]) -> None:
        self.explorer.begin_gesture()
        for dim, value in moves:
            self.explorer.probe.move(dim, value)
        self.explorer.end_gesture()
        self.did()

    @rule(who=st.sampled_from([None, *IDS]))
    def begin_probe(self, who: str | None) -> None:
        if who is None:
            self.explorer.probe_mean()
        else:
            self.explorer.probe_participant(who)
        self.did()

    @rule(data=st.data(), kind=st.sampled_from(["linear", "spherical"]), share=st.floats(0.0, 1.0))
    def go_on_path(self, data: Any, kind: Any, share: float) -> None:
        ends = [PathEnd("participant", who) for who in ("P00", "P05")]
        ends += [PathEnd("group", name) for name in sorted(self.reference.groups)]
        ends += self.explorer.probe_ends()
        start, end = (data.draw(st.sampled_from(ends)) for _ in range(2))
        try:
            self.explorer.set_path(start, end, kind)
        except LatentExplorerError:
            assert start == end
            return
        self.did()
        self.explorer.move_on_path(share)
        self.did()

    @rule()
    def leave_path(self) -> None:
        self.explorer.clear_path()
        self.did()

    @rule(dim=st.integers(0, 5), is_locked=st.booleans())
    def lock(self, dim: int, is_locked: bool) -> None:
        self.explorer.probe.set_locked(dim, is_locked)
        self.did()

    @rule()
    def reset_probe(self) -> None:
        self.explorer.probe.reset()
        self.did()

    @rule(has_difference=st.booleans(), has_start=st.booleans())
    def look_at_changes(self, has_difference: bool, has_start: bool) -> None:
        self.explorer.show_change(ChangeChoice(has_difference, has_start))  # no step

    @rule(ids=people)
    def do_several_at_once(self, ids: list[str]) -> None:
        with self.explorer.batch():
            self.explorer.clear_filters()
            self.explorer.select(ids)
            self.explorer.probe_participant(ids[0])
        self.reference.tests = {}
        self.reference.pick(rows_of(ids), "replace")
        self.did()

    # ---- back and forth

    @rule(n=st.integers(1, 5))
    def undo(self, n: int) -> None:
        for _ in range(n):
            assert self.explorer.can_undo == (len(self.past) > 1)
            assert bool(self.explorer.undo_text) == self.explorer.can_undo
            self.explorer.undo()
            if len(self.past) > 1:
                self.future.append(self.past.pop())
            self.reference = self.past[-1][1].copy()
            assert same(fields_of(self.explorer.moment()), self.past[-1][0])

    @rule(n=st.integers(1, 5))
    def redo(self, n: int) -> None:
        for _ in range(n):
            assert self.explorer.can_redo == bool(self.future)
            self.explorer.redo()
            if self.future:
                self.past.append(self.future.pop())
            self.reference = self.past[-1][1].copy()
            assert same(fields_of(self.explorer.moment()), self.past[-1][0])

    @rule()
    def undo_all_and_redo_all(self) -> None:
        for former, _ in reversed(self.past[:-1]):
            self.explorer.undo()
            assert same(fields_of(self.explorer.moment()), former)
        assert not self.explorer.can_undo
        for later, _ in self.past[1:]:
            self.explorer.redo()
            assert same(fields_of(self.explorer.moment()), later)

    @rule()
    def save_and_reopen(self) -> None:
        now = self.explorer.moment()
        written = json.loads(json.dumps(session_to_dict(now), allow_nan=False))
        fresh = open_window(study_with_maps())
        again = session_from_dict(written, fresh.state, "here")
        fresh.close()
        assert same(fields_of(again, RESTORED), fields_of(now, RESTORED))

    @rule()
    def go_on_in_another_window(self) -> None:
        """A session that is opened is one step there, and whatever is done then goes on from it."""
        with TemporaryDirectory() as folder:
            file = Path(folder) / "session.json"
            write_session(file, self.explorer.moment())
            self.explorer.close()
            self.explorer = open_window(self.study)
            beginning = fields_of(self.explorer.moment())
            assert self.explorer.open_session(file).wait(20.0)
        assert self.explorer.jobs.wait(20.0)
        self.past, self.future = [(beginning, Reference())], []
        assert same(fields_of(self.explorer.moment()), self.past[-1][0]) != self.explorer.can_undo
        self.did()

    @rule()
    def repeat_by_script(self) -> None:
        namespace: dict[str, Any] = {"__name__": "script"}
        exec(compile(self.explorer.script(), "script", "exec"), namespace)
        fresh = open_window(self.study)
        namespace["repeat"](fresh)
        fresh.close()
        ours, theirs = self.explorer.moment(), fresh.moment()
        lassos = {"selection_lassos": ours.state.selection_lassos}  # how it came about may be said in other words
        theirs = replace(theirs, state=replace(theirs.state, **lassos))
        assert same(fields_of(theirs), fields_of(ours))

    # ---- what must hold

    @invariant()
    def agrees(self) -> None:
        if not hasattr(self, "explorer"):
            return
        state, view = self.explorer.state, self.explorer.view_state
        assert set(np.flatnonzero(view.visible_mask)) == self.reference.visible()
        assert set(np.flatnonzero(view.selected_mask)) == self.reference.selected
        assert rows_of(state.selection) == self.reference.selected
        assert dict(state.excluded) == self.reference.excluded
        assert [group.name for group in state.groups] == list(self.reference.groups)
        assert [rows_of(group.participant_ids) for group in state.groups] == list(self.reference.groups.values())
        assert (state.comparison.name_a, state.comparison.name_b) == self.reference.compared
        assert set(state.side_by_side.names) <= self.reference.groups.keys()
        assert (state.color_by, state.map_kind) == (self.reference.color_by, self.reference.map_kind)
        assert state.projections["mri"].method == self.reference.map_kind
        counted = [row for row in range(N) if self.reference.passes(row, but="sex")]
        assert view.bars["sex"].filtered.tolist() == [sum(row % 2 == sex for row in counted) for sex in (0, 1)]
        assert (view.n_visible, view.n_selected) == (len(self.reference.visible()), len(self.reference.selected))
        assert view.n_total == N - len(self.reference.excluded)
        assert {space.bundle_fingerprint for space in state.latents.values()} == {FINGERPRINT}


Session.TestCase.settings = settings(
    max_examples=6, stateful_step_count=30, deadline=None, phases=PHASES, suppress_health_check=list(HealthCheck)
)
TestSession = Session.TestCase


class LongSession(Session):
    """The same for 200 actions."""


LongSession.TestCase.settings = settings(
    max_examples=30, stateful_step_count=200, deadline=None, phases=PHASES, suppress_health_check=list(HealthCheck)
)
TestLongSession = pytest.mark.slow(LongSession.TestCase)
