"""Undo and redo: the steps between what the user had before and has now.

The hard idea is to keep what changed and nothing else. State and probe are frozen values, so the parts of a moment that
a step left alone are still the same objects in the next one, and a step holds only the others. Filters, colours and
groups are small or shared and are kept as they are; a selection among a million people is not, so it is kept as one bit
per participant (0.1 MB instead of 30), and of the excluded only those who came or went.

A gesture (a dot dragged, a range brushed) changes the state many times and is one step: the view that sees the mouse go
down and up says `begin_gesture` and `end_gesture`.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_latent_explorer.data.arrays import read_only
from napari_latent_explorer.session.groups import Group
from napari_latent_explorer.session.probe import NOWHERE, ProbeState
from napari_latent_explorer.session.selection import mask_of
from napari_latent_explorer.session.state import NO_IDS, ExplorerState, cohort_of, crossfilter_of
from napari_latent_explorer.session.step_text import describe_step

MAX_STEPS = 200
MAX_BYTES = 512 << 20
"""Of what only the history still holds; the oldest steps go first."""

UNDOABLE = (
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
    "color_by",
)
"""Fields of the state that a step changes. The current participant is not among them: looking is not doing."""

_REMOVED = None


@dataclass(frozen=True, slots=True, eq=False)
class Moment:
    """What can be gone back to.

    Attributes
    ----------
    state
        What the user wants; of it only the fields in `UNDOABLE` are gone back to.
    probe
        Where the probe was.
    selected_mask
        ``(n_participants,)`` who is selected, if that is known: the same as the state's ids, and much faster to pack.
    """

    state: ExplorerState
    probe: ProbeState = NOWHERE
    selected_mask: NDArray[np.bool_] | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Step:
    """What one wish of the user changed.

    Attributes
    ----------
    text
        In words, e.g. ``Filter by age 0 to 9 years``.
    before, after
        Value of each changed field of the state, or ``probe``, on both sides, packed by `_packed`.
    n_bytes
        Size of what nobody else holds.
    """

    text: str
    before: Mapping[str, Any]
    after: Mapping[str, Any]
    n_bytes: int


class History:
    """The steps that were done, and those that were undone and can be done again.

    Parameters
    ----------
    max_steps
        The oldest steps beyond so many are forgotten.
    max_bytes
        The oldest steps are forgotten too when all together hold more.
    """

    def __init__(self, max_steps: int = MAX_STEPS, max_bytes: int = MAX_BYTES) -> None:
        self._max_steps = max_steps
        self._max_bytes = max_bytes
        self.clear(Moment(ExplorerState()))

    def clear(self, now: Moment) -> None:
        """Forget all steps; `now` is where the next one begins."""
        self._first = self._now = now
        self._done: list[Step] = []
        self._undone: list[Step] = []
        self._is_in_gesture = False

    @property
    def undo_text(self) -> str:
        """What `undo` would take back; empty when there is nothing."""
        return self._done[-1].text if self._done else ""

    @property
    def redo_text(self) -> str:
        """What `redo` would do again; empty when there is nothing."""
        return self._undone[-1].text if self._undone else ""

    @property
    def n_bytes(self) -> int:
        """Size of what only the history holds."""
        return sum(step.n_bytes for step in (*self._done, *self._undone))

    @property
    def is_in_gesture(self) -> bool:
        """Whether a gesture has begun and not ended."""
        return self._is_in_gesture

    def begin_gesture(self, now: Moment) -> None:
        """From `now` on nothing is a step until `end_gesture`; a gesture that never ended ends here."""
        self.end_gesture(now)
        self._is_in_gesture = True

    def end_gesture(self, now: Moment) -> bool:
        """Make one step of all that changed since the gesture began, if anything did; True if so."""
        self._is_in_gesture = False
        return self.record(now)

    def record(self, now: Moment) -> bool:
        """Make a step from where the last one ended to `now`; False if nothing differs or a gesture goes on.

        What was undone before can then no longer be done again.
        """
        if self._is_in_gesture:
            return False
        before, self._now = self._now, now
        if now.state.cohort is None or not (changed := _changed_fields(before, now)):
            return False
        step = Step(
            describe_step(before.state, before.probe, now.state, now.probe),
            MappingProxyType(_packed(before, now, changed)),
            MappingProxyType(_packed(now, before, changed)),
            _n_bytes(before, now, changed),
        )
        self._done.append(step)
        self._undone = []
        self._forget_oldest()
        return True

    def undo(self, now: Moment) -> Moment:
        """Where `now` was before the last step; `now` itself when there is none."""
        self.end_gesture(now)
        if not self._done:
            return now
        step = self._done.pop()
        self._undone.append(step)
        return _with_fields(now, step.before)

    def redo(self, now: Moment) -> Moment:
        """Where `now` was before the last `undo`; `now` itself when there is none."""
        self.end_gesture(now)
        if not self._undone:
            return now
        step = self._undone.pop()
        self._done.append(step)
        return _with_fields(now, step.after)

    def arrive(self, now: Moment) -> None:
        """Begin the next step from `now`."""
        self._now = now

    def moments(self) -> Iterator[Moment]:
        """Where the oldest step that is remembered began, then where each step ended, up to now."""
        moment = self._first
        yield moment
        for step in self._done:
            moment = _with_fields(moment, step.after)
            yield moment

    def _forget_oldest(self) -> None:
        while len(self._done) > self._max_steps or (len(self._done) > 1 and self.n_bytes > self._max_bytes):
            self._first = _with_fields(self._first, self._done.pop(0).after)


def _changed_fields(before: Moment, after: Moment) -> list[str]:
    changed = [name for name in UNDOABLE if getattr(before.state, name) is not getattr(after.state, name)]
    is_moved = before.probe is not after.probe and not (
        before.probe.label == after.probe.label
        and np.array_equal(before.probe.origin, after.probe.origin)
        and np.array_equal(before.probe.vector, after.probe.vector)
        and before.probe.walk is after.probe.walk
        and before.probe.locked == after.probe.locked
    )
    changed += ["probe"] * is_moved
    return [
        name for name in changed if name in ("groups", "active_group", "probe") or not _is_same(name, before, after)
    ]


def _is_same(name: str, before: Moment, after: Moment) -> bool:
    one, other = getattr(before.state, name), getattr(after.state, name)
    return bool(np.array_equal(one, other)) if name == "selection" else bool(one == other)


def _packed(of: Moment, other: Moment, changed: list[str]) -> dict[str, Any]:
    """Values of the changed fields at one end of a step, made small with the help of the other end."""
    packed = {name: getattr(of.state, name) for name in changed if name != "probe"}
    if "selection" in packed:
        packed["selection"] = _pack_selection(of)
    if "excluded" in packed:
        ours, theirs = of.state.excluded, other.state.excluded
        packed["excluded"] = {
            **dict.fromkeys(theirs.keys() - ours.keys(), _REMOVED),
            **{who: why for who, why in ours.items() if theirs.get(who) != why},
        }
    if "probe" in changed:
        packed["probe"] = of.probe
    return packed


def _with_fields(moment: Moment, packed: Mapping[str, Any]) -> Moment:
    fields = dict(packed)
    probe = fields.pop("probe", moment.probe)
    if "selection" in fields:
        fields["selection"] = _unpack_selection(moment.state, fields["selection"])
    if "excluded" in fields:
        reasons = {**moment.state.excluded, **fields["excluded"]}
        kept = {who: why for who, why in reasons.items() if why is not _REMOVED}
        fields["excluded"] = MappingProxyType(kept)
    return Moment(replace(moment.state, **fields) if fields else moment.state, probe)


def _pack_selection(of: Moment) -> NDArray[np.uint8]:
    """One bit for each row of the cohort."""
    mask = of.selected_mask
    if mask is None:
        mask = mask_of(cohort_of(of.state), of.state.selection)
    return np.packbits(mask)


def _unpack_selection(state: ExplorerState, bits: NDArray[np.uint8]) -> NDArray[np.str_]:
    cohort = cohort_of(state)
    mask = np.unpackbits(bits, count=len(cohort)).astype(np.bool_)
    if not mask.any():
        return NO_IDS
    ids: NDArray[np.str_] = read_only(cohort.participant_ids[mask])
    crossfilter_of(state).remember(ids, mask)
    return ids


def _n_bytes(before: Moment, after: Moment, changed: list[str]) -> int:
    """Size of a step: bits of selections, vectors of the probe, and groups that are on one side only."""
    n_bytes = 0
    if "selection" in changed:
        n_bytes += 2 * (len(cohort_of(after.state)) // 8 + 1)
    if "probe" in changed:
        n_bytes += before.probe.vector.nbytes + after.probe.vector.nbytes
    if "groups" in changed:
        ours, theirs = _arrays_of(before.state.groups), _arrays_of(after.state.groups)
        n_bytes += sum({**ours, **theirs}[place] for place in ours.keys() ^ theirs.keys())
    return n_bytes


def _arrays_of(groups: tuple[Group, ...]) -> dict[int, int]:
    """Size of each group's ids, by where they lie in memory: renamed groups share theirs."""
    return {group.participant_ids.__array_interface__["data"][0]: group.participant_ids.nbytes for group in groups}
