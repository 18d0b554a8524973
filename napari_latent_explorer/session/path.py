"""Where a chosen path leads: its ends looked up, and the probe's place on it as each modality sees it.

The hard idea: two people differ in each modality in its own way. So every modality has a path of its own, between
that modality's vectors of the same two ends, and all are gone the same share of the way.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import get_args

import numpy as np
from numpy.typing import NDArray

from napari_latent_explorer.analysis.interpolation import LatentPath, PathKind
from napari_latent_explorer.errors import LatentExplorerError, StudyError
from napari_latent_explorer.session.groups import RGBA, find_group
from napari_latent_explorer.session.path_choice import NO_PATH, PathChoice, PathEnd
from napari_latent_explorer.session.probe import ProbeState
from napari_latent_explorer.session.probing import group_counterparts
from napari_latent_explorer.session.state import ExplorerState, latents_of

Seen = Mapping[str, NDArray[np.float32]]
"""Vector ``(latent_dim,)`` of each modality."""


@dataclass(frozen=True, slots=True, eq=False)
class EndPlace:
    """Where an end lies.

    Attributes
    ----------
    title
        Whom it stands for, for people.
    color
        Of the group; None for others.
    vector
        ``(latent_dim,)`` that is decoded.
    seen
        The same as each modality sees it.
    """

    title: str
    color: RGBA | None
    vector: NDArray[np.float32]
    seen: Seen


@dataclass(frozen=True, slots=True, eq=False)
class ProbePath:
    """A path whose ends are known.

    Attributes
    ----------
    start, end
        Where it begins and ends.
    main
        What the probe goes along, and what is decoded.
    by_modality
        What each modality goes along, for predictions and maps.
    """

    start: EndPlace
    end: EndPlace
    main: LatentPath
    by_modality: Mapping[str, LatentPath]

    @property
    def title(self) -> str:
        """From where to where."""
        return f"{self.start.title} to {self.end.title}"

    def seen_at(self, share: float) -> Seen:
        """Vectors at a share of the way, as each modality sees it."""
        return {name: path.at(share) for name, path in self.by_modality.items()}

    def place(self, share: float) -> ProbeState:
        """Where the probe is at a share of the way; it begins at the start."""
        return ProbeState(self.main.start, self.main.at(share), self.title)

    def is_at(self, probe: ProbeState, share: float) -> bool:
        """Whether a probe is there."""
        return np.array_equal(probe.origin, self.main.start) and np.array_equal(probe.vector, self.main.at(share))


def with_path(state: ExplorerState, chosen: PathChoice) -> ExplorerState:
    """Choose a path.

    Raises
    ------
    LatentExplorerError
        When an end cannot be found or has no latents, both are the same, or the share does not lie on it.
    """
    if chosen.start == chosen.end and chosen.start is not None:
        raise LatentExplorerError(f"A path goes from one place to another; both ends are {chosen.start.name}.")
    if not 0.0 <= chosen.share <= 1.0:
        raise LatentExplorerError(f"A path goes from 0 to 1; {chosen.share} does not lie on it.")
    if chosen.kind not in get_args(PathKind):
        raise LatentExplorerError(f"A path is {' or '.join(get_args(PathKind))}, not {chosen.kind!r}.")
    changed = state if chosen == state.path else replace(state, path=chosen)
    path_of(changed)  # raises
    return changed


def without_path(state: ExplorerState) -> ExplorerState:
    """Choose no path."""
    return state if state.path == NO_PATH else replace(state, path=NO_PATH)


def path_of(state: ExplorerState) -> ProbePath | None:
    """Look up the path that is chosen; None without one.

    Raises
    ------
    LatentExplorerError
        When an end cannot be found, or its vector is not of the model in use.
    """
    if state.path.ends is None:
        return None
    start, end = (place_of(state, chosen) for chosen in state.path.ends)
    center, kind = latents_of(state).mean, state.path.kind
    by_modality = {
        name: LatentPath(start.seen[name], end.seen[name], space.mean, kind)
        for name, space in state.latents.items()
        if name in start.seen and name in end.seen
    }
    main = LatentPath(start.vector, end.vector, center, kind)
    return ProbePath(start, end, main, MappingProxyType(by_modality))


def is_on_path(state: ExplorerState, probe: ProbeState) -> bool:
    """Whether a probe is where the chosen path has it."""
    path = path_of(state)
    return path is not None and path.is_at(probe, state.path.share)


def place_of(state: ExplorerState, end: PathEnd) -> EndPlace:
    """Look an end up; LatentExplorerError when it cannot be found or has no latents."""
    if end.kind == "point":
        seen = {name: np.array(vector, np.float32) for name, vector in end.seen}
        return EndPlace(end.name, None, np.array(end.vector, np.float32), seen)
    if end.kind == "group":
        group = find_group(state.groups, end.name)
        if group.representative is None:
            raise LatentExplorerError(f"No path goes to {end.name}: no member has latents.")
        return EndPlace(group.name, group.color, group.representative.vector, group_counterparts(state.latents, group))
    seen = {name: space.of([end.name])[0] for name, space in state.latents.items() if end.name in space}
    if not seen:
        raise StudyError(f"No path goes to participant {end.name}, who has no latents.")
    vector = next(iter(seen.values()))
    return EndPlace(end.name, None, vector, {**dict.fromkeys(state.latents, vector), **seen})


def probe_end(name: str, vector: NDArray[np.float32], seen: Seen) -> PathEnd:
    """Keep a place of the probe, ``(latent_dim,)``, as an end."""
    by_modality = tuple((modality, tuple(one.tolist())) for modality, one in seen.items())
    return PathEnd("point", name, tuple(vector.tolist()), by_modality)
