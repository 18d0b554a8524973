"""Where a probe can begin, and where that is as each modality sees it.

A vector is of one modality. The encoders share a space, but what they put there of one person can lie apart, so what is
asked of another modality (its predictions, its map) is asked of the same people's vectors there, taken as far from
these as the probe was moved.
"""

import operator
from collections.abc import Mapping
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from napari_latent_explorer.analysis.representative import representative
from napari_latent_explorer.data.latents import LatentSpace
from napari_latent_explorer.errors import LatentExplorerError, StudyError
from napari_latent_explorer.session.groups import Group
from napari_latent_explorer.session.probe import ProbeState
from napari_latent_explorer.session.state import ExplorerState, latents_of


def mean_probe(state: ExplorerState, modality: str | None = None) -> ProbeState:
    """At the mean of all participants, of the first modality there is if None; StudyError without latents."""
    latents = latents_of(state, modality)
    mean = latents.mean
    return ProbeState(mean, mean, f"mean of all participants, {latents.modality.upper()}")


def participant_probe(state: ExplorerState, participant_id: str, modality: str | None = None) -> ProbeState:
    """At the vector of one participant; StudyError when they were not encoded."""
    latents = latents_of(state, modality)
    if participant_id not in latents:
        raise StudyError(f"Participant {participant_id} has no {latents.modality} latents.")
    vector = latents.of([participant_id])[0]
    return ProbeState(vector, vector, f"{participant_id}, {latents.modality.upper()}")


def group_probe(group: Group) -> ProbeState | None:
    """At the vector that stands for a group; None when no member has latents."""
    if group.representative is None:
        return None
    vector = group.representative.vector
    return ProbeState(vector, vector, f"{group.name}, {group.representative.label}")


def is_same_origin(probe: ProbeState, other: ProbeState) -> bool:
    """Whether two probes began at the same vector of the same name, wherever they were moved to."""
    return probe.label == other.label and np.array_equal(probe.origin, other.origin)


def renamed_probe(probe: ProbeState, group: Group, renamed: Group) -> ProbeState:
    """Take up the new name of a group, if that is where the probe began."""
    before, after = group_probe(group), group_probe(renamed)
    if before is None or after is None or not is_same_origin(probe, before):
        return probe
    return replace(probe, label=after.label)


def counterparts(state: ExplorerState, origin: NDArray[np.float32]) -> Mapping[str, NDArray[np.float32]]:
    """Vector ``(latent_dim,)`` of whom a probe began at, in each modality of the study.

    Known for the vector of one participant, of the active group, and for the mean of all. What none of them has, as a
    recording from outside the study, is taken for a vector of every modality.
    """
    return {name: _counterpart(state, origin, space) for name, space in state.latents.items()}


class Counterparts:
    """Remembers the `counterparts` of the last origin, which is asked for at each step that a probe moves."""

    def __init__(self) -> None:
        self._asked: tuple[object, ...] = ()
        self._known: Mapping[str, NDArray[np.float32]] = {}

    def of(self, state: ExplorerState, origin: NDArray[np.float32]) -> Mapping[str, NDArray[np.float32]]:
        """Find the vectors ``(latent_dim,)`` of whom a probe began at, or return them if nothing has changed."""
        asked = (origin, state.latents, state.active_group)
        if len(self._asked) != len(asked) or any(map(operator.is_not, asked, self._asked)):
            self._asked, self._known = asked, counterparts(state, origin)
        return self._known


def _counterpart(state: ExplorerState, origin: NDArray[np.float32], wanted: LatentSpace) -> NDArray[np.float32]:
    for space in state.latents.values():
        if origin.size != space.latent_dim:
            continue
        rows = np.flatnonzero(space.values[:, 0] == origin[0])
        same = rows[(space.values[rows] == origin).all(axis=1)]
        if len(same) and (participant_id := str(space.participant_ids[same[0]])) in wanted:
            return np.asarray(wanted.of([participant_id])[0])
        if np.array_equal(origin, space.mean):
            return wanted.mean
    group = state.active_group
    chosen = group.representative if group is not None else None
    if group is not None and chosen is not None and np.array_equal(origin, chosen.vector):
        return _group_counterpart(group, wanted)
    return origin


def group_counterparts(latents: Mapping[str, LatentSpace], group: Group) -> Mapping[str, NDArray[np.float32]]:
    """Vector ``(latent_dim,)`` that stands for a group in each modality; its participant's own where there is one."""
    return {name: _group_counterpart(group, space) for name, space in latents.items()}


def _group_counterpart(group: Group, wanted: LatentSpace) -> NDArray[np.float32]:
    chosen = group.representative
    if chosen is None:
        raise LatentExplorerError(f"Nothing stands for {group.name}: no member has latents.")
    if chosen.participant_id is not None and chosen.participant_id in wanted:
        return np.asarray(wanted.of([chosen.participant_id])[0])
    members = wanted.known(group.participant_ids)
    return representative(wanted, members, chosen.method).vector if len(members) else chosen.vector


def modality_of(origin: NDArray[np.float32], origins: Mapping[str, NDArray[np.float32]]) -> str:
    """Modality of the vector that a probe began at, by its `counterparts`; the first where all have the same."""
    return next((name for name, vector in origins.items() if np.array_equal(vector, origin)), next(iter(origins)))
