"""Lines of the script that take the probe from one place to another of the same origin."""

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from napari_latent_explorer.errors import LatentExplorerError
from napari_latent_explorer.session.direction_finding import direction_request
from napari_latent_explorer.session.probe import ProbeState
from napari_latent_explorer.session.state import ExplorerState


def moving_lines(state: ExplorerState, before: ProbeState, after: ProbeState) -> list[str]:
    """Write calls, without the explorer's name, that move the probe as it was moved.

    Single dimensions come first, then the walk, as it is added to them. A walk along a direction that can no longer be
    laid, as its group is gone, is written as the vector it led to.
    """
    if after.walk is before.walk and np.array_equal(after.vector, before.vector):
        return []
    if after.walk is None and np.array_equal(after.vector, after.origin):
        return ["probe.reset()"]
    if after.walk is not None and not _can_walk(state):
        return [f"probe.move_to({vector_source(after.vector)})"]
    base_before, base_after = before.base, after.base
    moved = np.flatnonzero(base_before != base_after)
    lines = []
    if before.walk is not None and (after.walk is None or len(moved)):
        lines.append("probe.end_walk()")
    if len(moved) == 1:
        lines.append(f"probe.move({int(moved[0])}, {float(base_after[moved[0]])!r})")
    elif len(moved):
        lines.append(f"probe.move_to({vector_source(base_after)})")
    if after.walk is not None:
        lines.append(f"walk({after.walk.amount!r})")
    return lines


def locking_lines(before: ProbeState, after: ProbeState) -> tuple[list[str], list[str]]:
    """Write what comes before a probe is moved, so that nothing that moves is locked, and what comes after."""
    moved = {int(dim) for dim in np.flatnonzero(before.base != after.base)}
    freed = {dim for dim in before.locked if dim not in after.locked or dim in moved}
    taken = after.locked - (before.locked - freed)
    return _locks(freed, False), _locks(taken, True)


def _locks(dims: Iterable[int], is_locked: bool) -> list[str]:
    return [f"probe.set_locked({dim}, {is_locked})" for dim in sorted(dims)]


def vector_source(vector: NDArray[np.float32]) -> str:
    """Write a vector as the Python that makes it."""
    return f"np.array({vector.tolist()!r}, np.float32)"


def _can_walk(state: ExplorerState) -> bool:
    try:
        return bool(direction_request(state, state.direction).choice.is_complete)
    except LatentExplorerError:
        return False
