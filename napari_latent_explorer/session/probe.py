"""A point in latent space that the user moves: where it began, and how far each dimension was taken from there."""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import ArrayLike, NDArray
from psygnal import Signal

from napari_latent_explorer.data.arrays import read_only
from napari_latent_explorer.errors import LatentExplorerError


@dataclass(frozen=True, slots=True, eq=False)
class ProbeState:
    """Where a probe began and where it is.

    Attributes
    ----------
    origin, vector
        ``(latent_dim,)`` float32, read-only; both empty while the probe is nowhere.
    label
        What the origin is, for people.
    """

    origin: NDArray[np.float32]
    vector: NDArray[np.float32]
    label: str


NOWHERE = ProbeState(read_only(np.zeros(0, np.float32)), read_only(np.zeros(0, np.float32)), "")


class LatentProbe:
    """An origin plus offsets; each change emits `vector_changed` once, setting what is already there emits nothing."""

    vector_changed = Signal(object, description="The new vector (latent_dim,), read-only.")
    origin_changed = Signal(description="The probe begins elsewhere; all offsets are gone. `vector_changed` follows.")

    def __init__(self) -> None:
        self._state = NOWHERE

    @property
    def state(self) -> ProbeState:
        """Origin, vector and label in one frozen value."""
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
    def moved_dims(self) -> NDArray[np.intp]:
        """Dimensions that are not at their origin."""
        return np.flatnonzero(self.vector != self.origin)

    def set_origin(self, vector: ArrayLike, label: str) -> None:
        """Begin at `vector` ``(latent_dim,)``; forgets all offsets. A copy is kept."""
        origin = np.array(vector, dtype=np.float32)
        if origin.ndim != 1 or origin.size == 0 or not np.isfinite(origin).all():
            raise LatentExplorerError(f"The probe needs one finite latent vector; this one has shape {origin.shape}.")
        began = read_only(origin)
        self._state = ProbeState(began, began, label)
        self.origin_changed.emit()
        self.vector_changed.emit(began)

    def clear(self) -> None:
        """Forget the origin; the probe is nowhere. Emits `origin_changed` only."""
        if self.is_set:
            self._state = NOWHERE
            self.origin_changed.emit()

    def restore(self, state: ProbeState) -> None:
        """Be again where a former `state` was; tells what differs."""
        before, self._state = self._state, state
        if state.label != before.label or not np.array_equal(state.origin, before.origin):
            self.origin_changed.emit()
            self.vector_changed.emit(state.vector)
        elif not np.array_equal(state.vector, before.vector):
            self.vector_changed.emit(state.vector)

    def move(self, dim: int, value: float) -> None:
        """Put dimension `dim` at `value` (not by a step: to that value).

        Raises
        ------
        LatentExplorerError
            When there is no such dimension or the value is not finite.
        """
        if not 0 <= dim < self.vector.size:
            raise LatentExplorerError(f"There is no latent dimension {dim}; the probe has {self.vector.size}.")
        if not np.isfinite(value):
            raise LatentExplorerError(f"Latent dimension {dim} cannot be {value}.")
        moved = self.vector.copy()
        moved[dim] = value
        self._set_vector(moved)

    def move_to(self, vector: ArrayLike) -> None:
        """Put all dimensions at once at `vector` ``(latent_dim,)``, keeping the origin."""
        moved = np.array(vector, dtype=np.float32)
        if moved.shape != self.vector.shape or not np.isfinite(moved).all():
            raise LatentExplorerError(f"The probe moves in {self.vector.size} dimensions, got shape {moved.shape}.")
        self._set_vector(moved)

    def reset(self, dim: int | None = None) -> None:
        """Take one dimension, or all, back to the origin."""
        if dim is None:
            self._set_vector(self.origin)
        else:
            self.move(dim, float(self.origin[dim]))

    def _set_vector(self, vector: NDArray[np.float32]) -> None:
        if not np.array_equal(vector, self.vector):
            self._state = replace(self._state, vector=read_only(vector))
            self.vector_changed.emit(self.vector)
