"""Where the probe is put: at a mean, a participant, a group, or somewhere on the way from one of these to another.

The hard idea: a vector is of one modality, but predictions and maps of the other are wanted too. So each place of the
probe has counterparts, one per modality. Off a path they are the origin's, taken as far as the probe was moved; on a
path each modality goes between its own ends.
"""

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from napari_latent_explorer.analysis.interpolation import PathKind
from napari_latent_explorer.errors import LatentExplorerError, StudyError
from napari_latent_explorer.session import path as paths
from napari_latent_explorer.session import probing
from napari_latent_explorer.session import state as changes
from napari_latent_explorer.session.groups import Group
from napari_latent_explorer.session.path import ProbePath
from napari_latent_explorer.session.path_choice import PathChoice, PathEnd
from napari_latent_explorer.session.probe import ProbeState
from napari_latent_explorer.session.probe_walking import ProbeWalking
from napari_latent_explorer.session.state import ExplorerState


class ProbePlacing(ProbeWalking):
    """The part of an explorer that puts the probe somewhere; `LatentProbe` itself moves it from there."""

    def __init__(self) -> None:
        super().__init__()
        self._counterparts = probing.Counterparts()
        self._found_path: tuple[tuple[object, ...], ProbePath | None] = ((), None)

    def probe_mean(self, modality: str | None = None) -> None:
        """Begin the probe at the mean of all participants, of the first modality there is if None."""
        self._begin_at(probing.mean_probe(self._state, modality))

    def probe_participant(self, participant_id: str, modality: str | None = None) -> None:
        """Begin the probe at the vector of one participant; StudyError when they were not encoded."""
        self._begin_at(probing.participant_probe(self._state, participant_id, modality))

    @property
    def probe_counterparts(self) -> Mapping[str, NDArray[np.float32]]:
        """Where the probe is as each modality sees it, ``(latent_dim,)``; see `probing.counterparts`."""
        path, share = self.probe_path, self.path_share
        if path is not None and share is not None:
            return path.seen_at(share)
        return {name: origin + self.probe.offsets for name, origin in self._probe_origins().items()}

    @property
    def probe_modality(self) -> str:
        """Modality of the vector that the probe began at; the first there is for one of no participant."""
        return probing.modality_of(self.probe.origin, self._probe_origins())

    def _probe_origins(self) -> Mapping[str, NDArray[np.float32]]:
        return self._counterparts.of(self._state, self.probe.origin)

    # ---- path

    @property
    def probe_path(self) -> ProbePath | None:
        """The path that is chosen, its ends looked up; None without one."""
        state = self._state
        now = (state.path.start, state.path.end, state.path.kind, state.groups, state.latents)
        before, path = self._found_path
        if not _are_same(now, before):
            path = paths.path_of(state)
            self._found_path = (now, path)
        return path

    @property
    def probe_text(self) -> str:
        """How the probe came from its origin to where it is, e.g. ``40 % of the way``; empty while it is there."""
        share = self.path_share
        return self.probe.moves_text if share is None else f"{100 * share:.0f} % of the way"

    @property
    def path_share(self) -> float | None:
        """How far along the path the probe is; None when it is elsewhere."""
        path, share = self.probe_path, self._state.path.share
        return share if path is not None and path.is_at(self.probe.state, share) else None

    def set_path(self, start: PathEnd, end: PathEnd, kind: PathKind = "linear", share: float = 0.0) -> None:
        """Send the probe along a path, from its start to a share of the way to its end.

        Raises LatentExplorerError when an end cannot be found, has no latents, or is also the other one.
        """
        self._go_on_path(paths.with_path(self._state, PathChoice(start, end, kind, share)))

    def move_on_path(self, share: float) -> None:
        """Put the probe at a share of the way; LatentExplorerError when no path is chosen or it does not lie on it."""
        if self._state.path.ends is None:
            raise LatentExplorerError("No path is chosen; choose its two ends first.")
        self._go_on_path(paths.with_path(self._state, replace(self._state.path, share=share)))

    def clear_path(self) -> None:
        """Choose no path; the probe stays where it is."""
        self._set(paths.without_path(self._state))

    def probe_ends(self) -> tuple[PathEnd, PathEnd]:
        """Where the probe began and where it is, as ends of a path; StudyError when it is nowhere."""
        if not self.probe.is_set:
            raise StudyError("The probe is nowhere yet; click a participant or make a group first.")
        origins = probing.counterparts(self._state, self.probe.origin)
        return (
            paths.probe_end(self.probe.label, self.probe.origin, origins),
            paths.probe_end(f"{self.probe.label}, moved", self.probe.vector, self.probe_counterparts),
        )

    def _go_on_path(self, state: ExplorerState) -> None:
        with self.batch():
            self._state = changes.with_probe_alone(state)
            if (path := self.probe_path) is not None:
                self.probe.restore(replace(path.place(state.path.share), locked=self.probe.locked))

    def _probe_group(self, group: Group) -> None:
        if (begun := probing.group_probe(group)) is not None:
            self.probe.set_origin(begun.origin, begun.label)

    def _begin_at(self, begun: ProbeState) -> None:
        with self._one_step():
            self._set(changes.with_probe_alone(self._state))
            self.probe.set_origin(begun.origin, begun.label)


def _are_same(some: tuple[object, ...], others: tuple[object, ...]) -> bool:
    return len(some) == len(others) and all(one is other for one, other in zip(some, others, strict=True))
