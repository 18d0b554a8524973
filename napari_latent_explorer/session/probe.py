"""A point in latent space that the user moves: where it began, how far each dimension was taken, and a walk from there.

The hard idea: a walk along a direction moves all dimensions a little, and must not be lost among those that were moved
one by one. So the probe remembers where it would be without the walk, and adds the walk to that; each is taken back
without the other, and to the last bit.
"""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import ArrayLike, NDArray
from psygnal import Signal

from napari_latent_explorer.analysis.directions import Direction
from napari_latent_explorer.data.arrays import read_only
from napari_latent_explorer.errors import LatentExplorerError


@dataclass(frozen=True, slots=True, eq=False)
class Walk:
    """A way along a direction.

    Attributes
    ----------
    direction
        Which way.
    amount
        How far, in the direction's unit; not 0.
    base
        ``(latent_dim,)`` float32, read-only: where the probe would be without it.
    """

    direction: Direction
    amount: float
    base: NDArray[np.float32]

    @property
    def text(self) -> str:
        """For people, e.g. ``LV mass +10 g predicted``: a phenotype's own unit is what is read from the vector."""
        direction = self.direction
        predicted = " predicted" if direction.phenotype is not None and direction.unit else ""
        return f"{direction.name} {self.amount:+.3g} {direction.unit}".rstrip() + predicted


@dataclass(frozen=True, slots=True, eq=False)
class ProbeState:
    """Where a probe began and where it is.

    Attributes
    ----------
    origin, vector
        ``(latent_dim,)`` float32, read-only; both empty while the probe is nowhere.
    label
        What the origin is, for people.
    walk
        The part of the vector that is a walk; None without one.
    locked
        Dimensions that stay when they, or all, are moved or taken back; a walk and a path move all the same.
    """

    origin: NDArray[np.float32]
    vector: NDArray[np.float32]
    label: str
    walk: Walk | None = None
    locked: frozenset[int] = frozenset()

    @property
    def base(self) -> NDArray[np.float32]:
        """Where the probe would be without its walk, ``(latent_dim,)``."""
        return self.vector if self.walk is None else self.walk.base


NOWHERE = ProbeState(read_only(np.zeros(0, np.float32)), read_only(np.zeros(0, np.float32)), "")


def walked(state: ProbeState, direction: Direction, amount: float) -> ProbeState:
    """Where a probe is that goes so far along a direction, in the place of any other walk."""
    if amount == 0:
        return replace(state, vector=state.base, walk=None)
    vector = read_only(direction.moved(state.base, amount))
    return replace(state, vector=vector, walk=Walk(direction, amount, state.base))


class LatentProbe:
    """An origin plus offsets; each change emits `vector_changed` once, setting what is already there emits nothing."""

    vector_changed = Signal(object, description="The new vector (latent_dim,), read-only.")
    locks_changed = Signal(description="Other dimensions are locked.")
    origin_changed = Signal(description="The probe begins elsewhere; all offsets are gone. `vector_changed` follows.")

    def __init__(self) -> None:
        self._state = NOWHERE

    @property
    def state(self) -> ProbeState:
        """All of the following in one frozen value."""
        return self._state

    @property
    def is_set(self) -> bool:
        """Whether there is an origin to move from."""
        return self._state.origin.size > 0

    @property
    def origin(self) -> NDArray[np.float32]:
        """Vector ``(latent_dim,)`` where the probe began; empty before `set_origin`."""
        return self._state.origin

    @property
    def label(self) -> str:
        """What the origin is, for people."""
        return self._state.label

    @property
    def vector(self) -> NDArray[np.float32]:
        """Where the probe is, ``(latent_dim,)``; empty before `set_origin`."""
        return self._state.vector

    @property
    def offsets(self) -> NDArray[np.float32]:
        """How far each dimension was moved, ``(latent_dim,)``."""
        return np.asarray(self.vector - self.origin)

    @property
    def base(self) -> NDArray[np.float32]:
        """Where the probe would be without its walk, ``(latent_dim,)``."""
        return self._state.base

    @property
    def moved_dims(self) -> NDArray[np.intp]:
        """Dimensions that were moved by themselves, whatever a walk adds to them."""
        return np.flatnonzero(self.base != self.origin)

    @property
    def walk(self) -> Walk | None:
        """The walk that is a part of the vector; None without one."""
        return self._state.walk

    @property
    def locked(self) -> frozenset[int]:
        """Dimensions that stay when they, or all, are moved or taken back; a walk and a path move all the same."""
        return self._state.locked

    def set_locked(self, dim: int, is_locked: bool) -> None:
        """Lock or unlock a dimension."""
        locked = self.locked | {dim} if is_locked else self.locked - {dim}
        if locked != self.locked:
            self._state = replace(self._state, locked=locked)
            self.locks_changed.emit()

    @property
    def moves_text(self) -> str:
        """What was moved, for people, e.g. ``LV mass +10 g predicted, 2 dimensions moved``; empty at the origin."""
        n_moved = len(self.moved_dims)
        walked = [] if self.walk is None else [self.walk.text]
        return ", ".join([*walked, *[f"{n_moved} dimension{'s' * (n_moved != 1)} moved"] * (n_moved > 0)])

    def set_origin(self, vector: ArrayLike, label: str) -> None:
        """Begin at `vector` ``(latent_dim,)``; forgets all offsets, but no locks. A copy is kept."""
        origin = np.array(vector, dtype=np.float32)
        if origin.ndim != 1 or origin.size == 0 or not np.isfinite(origin).all():
            raise LatentExplorerError(f"The probe needs one finite latent vector; this one has shape {origin.shape}.")
        began = read_only(origin)
        self._state = ProbeState(began, began, label, locked=self.locked)
        self.origin_changed.emit()
        self.vector_changed.emit(began)

    def clear(self) -> None:
        """Forget the origin and the locks; the probe is nowhere. `vector_changed` is not emitted."""
        before, self._state = self._state, NOWHERE
        if before.locked:
            self.locks_changed.emit()
        if before.origin.size:
            self.origin_changed.emit()

    def restore(self, state: ProbeState) -> None:
        """Be again where a former `state` was; tells what differs."""
        before, self._state = self._state, state
        if state.locked != before.locked:
            self.locks_changed.emit()
        if state.label != before.label or not np.array_equal(state.origin, before.origin):
            self.origin_changed.emit()
            self.vector_changed.emit(state.vector)
        elif state.walk is not before.walk or not np.array_equal(state.vector, before.vector):
            self.vector_changed.emit(state.vector)

    def move(self, dim: int, value: float) -> None:
        """Put dimension `dim` at `value` (not by a step: to that value); nothing happens when it is locked.

        Raises
        ------
        LatentExplorerError
            When there is no such dimension or the value is not finite.
        """
        self._check(dim)
        if not np.isfinite(value):
            raise LatentExplorerError(f"Latent dimension {dim} cannot be {value}.")
        if dim in self.locked:
            return
        moved, walk = self.vector.copy(), self.walk
        moved[dim] = value
        if walk is not None:
            base = walk.base.copy()
            base[dim] = np.float32(value) - np.float32(walk.amount) * walk.direction.vector[dim]
            walk = replace(walk, base=read_only(base))
        self._set_vector(moved, walk)

    def move_to(self, vector: ArrayLike) -> None:
        """Put all dimensions but the locked at `vector` ``(latent_dim,)``, keeping the origin; a walk ends there."""
        moved = np.array(vector, dtype=np.float32)
        if moved.shape != self.vector.shape or not np.isfinite(moved).all():
            raise LatentExplorerError(f"The probe moves in {self.vector.size} dimensions, got shape {moved.shape}.")
        self._set_vector(self._kept(moved), None)

    def walk_along(self, direction: Direction, amount: float) -> None:
        """Go `amount` units of a direction from where the probe would be without a walk; 0 ends the walk.

        Raises
        ------
        LatentExplorerError
            When the direction has another number of dimensions, or the amount is not finite.
        """
        if direction.vector.shape != self.vector.shape:
            raise LatentExplorerError(
                f"The probe has {self.vector.size} dimensions, and {direction.name} has {direction.vector.size}."
            )
        if not np.isfinite(amount):
            raise LatentExplorerError(f"A walk along {direction.name} cannot be {amount} long.")
        after = walked(self._state, direction, float(amount))
        self._set_vector(after.vector, after.walk)

    def end_walk(self) -> None:
        """Take the walk back, and leave what was moved otherwise."""
        self._set_vector(self.base, None)

    def reset(self, dim: int | None = None) -> None:
        """Take one dimension back, or all and the walk too; a walk stays when one dimension is taken back."""
        if dim is None:
            self._set_vector(self._kept(self.origin), None)
            return
        self._check(dim)
        if dim in self.locked:
            return
        base = self.base.copy()
        base[dim] = self.origin[dim]
        walk = None if self.walk is None else replace(self.walk, base=read_only(base))
        self._set_vector(base if walk is None else walk.direction.moved(base, walk.amount), walk)

    def _kept(self, vector: NDArray[np.float32]) -> NDArray[np.float32]:
        """`vector`, but where dimensions are locked what they are without the walk."""
        locked = [dim for dim in self.locked if dim < vector.size]
        if not locked:
            return vector
        vector = vector.copy()
        vector[locked] = self.base[locked]
        return vector

    def _check(self, dim: int) -> None:
        if not 0 <= dim < self.vector.size:
            raise LatentExplorerError(f"There is no latent dimension {dim}; the probe has {self.vector.size}.")

    def _set_vector(self, vector: NDArray[np.float32], walk: Walk | None) -> None:
        if walk is not self.walk or not np.array_equal(vector, self.vector):
            self._state = replace(self._state, vector=read_only(vector), walk=walk)
            self.vector_changed.emit(self.vector)
