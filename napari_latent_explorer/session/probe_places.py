"""Where the probe lies on each map.

On a plain map the probe's vector is placed among the latents at once. A map on equal scales, or of both modalities,
is of another space: that one is made first, once for all, by a job, and until it is there the probe is on no such map.
"""

from collections.abc import Generator, Mapping

import numpy as np
from numpy.typing import NDArray
from psygnal import Signal

from napari_latent_explorer.analysis.map_space import (
    JOINT,
    MAP_NAMES,
    JointSpace,
    is_whitened,
    joint_space,
    whitened,
)
from napari_latent_explorer.data.latents import LatentSpace
from napari_latent_explorer.data.progress import Progress
from napari_latent_explorer.session.explorer import Explorer


class ProbePlaces:
    """Places the probe on the maps of an explorer.

    Parameters
    ----------
    explorer
        Whose probe and maps.
    """

    changed = Signal(description="The probe can be placed on one more map.")

    def __init__(self, explorer: Explorer) -> None:
        self._explorer = explorer
        self._latents: Mapping[str, LatentSpace] = {}
        self._joint: JointSpace | None = None
        self._in_preparation: set[str] = set()

    def on(self, name: str) -> NDArray[np.float32] | None:
        """Place ``(2,)`` on the map of this name that is shown; None where the probe has none, or not yet."""
        explorer = self._explorer
        projection, latents = explorer.projections.get(name), explorer.latents
        if projection is None or not explorer.probe.is_set:
            return None
        if any(space.latent_dim != explorer.probe.vector.size for space in latents.values()):
            return None
        if latents is not self._latents:
            self._latents, self._joint = latents, None
        space = (self._joint.latents if self._joint else None) if name == JOINT else latents.get(name)
        is_equal_scales = projection.method == "whitened_tsne"
        if space is None or (is_equal_scales and not is_whitened(space)):
            self._prepare(name, is_equal_scales)
            return None
        vectors = explorer.probe_counterparts
        vector = self._joint.bring(vectors) if name == JOINT and self._joint else vectors[name]
        place: NDArray[np.float32] = projection.place(vector[None], space)[0]
        return place

    def _prepare(self, name: str, is_equal_scales: bool) -> None:
        if name in self._in_preparation:
            return
        latents, joint = self._latents, self._joint

        def on_prepared(made: JointSpace | None) -> None:
            if latents is self._latents:
                self._joint = made or self._joint
                self.changed.emit()

        self._in_preparation.add(name)
        job = self._explorer.jobs.start(
            f"Prepare the {MAP_NAMES[name]} map", lambda: _spaces(latents, joint, name, is_equal_scales), on_prepared
        )
        job.ended.connect(lambda: self._in_preparation.discard(name))
        if not job.is_running:
            self._in_preparation.discard(name)


def _spaces(
    latents: Mapping[str, LatentSpace], joint: JointSpace | None, name: str, is_equal_scales: bool
) -> Generator[Progress, None, JointSpace | None]:
    """Make the space that a map is of."""
    yield Progress(0, 2, "Putting the modalities together")
    if name == JOINT and joint is None:
        joint = joint_space(latents)
    yield Progress(1, 2, "Bringing the latents to equal scales")
    if is_equal_scales:
        whitened(joint.latents if name == JOINT and joint is not None else latents[name])
    return joint
