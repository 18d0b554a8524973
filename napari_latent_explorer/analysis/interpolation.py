"""A path from one latent vector to another.

The hard idea: in many dimensions the middle of a straight line between two people lies nearer to the cohort's mean than
people do. A spherical path turns about that mean and keeps the distance from it (it goes evenly from the one end's to
the other's), so that its middle is as unusual as its ends.

References
----------
Shoemake K (1985), Animating rotation with quaternion curves, SIGGRAPH: the formula, here about the cohort's mean.
"""

from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

from napari_latent_explorer.data.arrays import read_only
from napari_latent_explorer.errors import LatentExplorerError

PathKind = Literal["linear", "spherical"]
STRAIGHT = 1e-6
"""Angle in radians below which, or that near to a half turn, a spherical path is the straight one."""


@dataclass(frozen=True, slots=True, eq=False)
class LatentPath:
    """From `start` to `end`.

    Attributes
    ----------
    start, end, center
        ``(latent_dim,)``; `center` is what a spherical path turns about, the cohort's mean.
    kind
        ``linear`` or ``spherical``.
    """

    start: NDArray[np.float32]
    end: NDArray[np.float32]
    center: NDArray[np.float32]
    kind: PathKind = "linear"

    def __post_init__(self) -> None:
        for name in ("start", "end", "center"):
            object.__setattr__(self, name, read_only(getattr(self, name), np.float32))
        shapes = {self.start.shape, self.end.shape, self.center.shape}
        if len(shapes) > 1 or self.start.ndim != 1:
            raise LatentExplorerError(f"A path's ends and center are vectors of one length, not of {sorted(shapes)}.")
        if self.kind not in get_args(PathKind):
            raise LatentExplorerError(f"A path is {' or '.join(get_args(PathKind))}, not {self.kind!r}.")

    def at(self, share: float) -> NDArray[np.float32]:
        """Vector ``(latent_dim,)`` at a share of the way, 0 at the start and 1 at the end, both exact."""
        if not 0.0 <= share <= 1.0:
            raise LatentExplorerError(f"A path goes from 0 to 1; {share} does not lie on it.")
        if share in (0.0, 1.0):
            return self.end if share else self.start
        start, end = self.start.astype(np.float64), self.end.astype(np.float64)
        if self.kind == "linear":
            return ((1.0 - share) * start + share * end).astype(np.float32)
        return self._turned(start - self.center, end - self.center, share)

    def _turned(self, start: NDArray[np.float64], end: NDArray[np.float64], share: float) -> NDArray[np.float32]:
        lengths = np.linalg.norm(start), np.linalg.norm(end)
        cosine = float(start @ end / (lengths[0] * lengths[1])) if min(lengths) > 0 else 1.0
        angle = float(np.arccos(np.clip(cosine, -1.0, 1.0)))
        if angle < STRAIGHT or np.pi - angle < STRAIGHT:
            moved = (1.0 - share) * start + share * end
        else:
            first, second = np.sin((1.0 - share) * angle), np.sin(share * angle)
            unit = (first * start / lengths[0] + second * end / lengths[1]) / np.sin(angle)
            moved = ((1.0 - share) * lengths[0] + share * lengths[1]) * unit
        return np.asarray((self.center + moved).astype(np.float32))

    def steps(self, n_steps: int) -> NDArray[np.float32]:
        """Vectors ``(n_steps, latent_dim)``, evenly from the start to the end, both of them among them."""
        if n_steps < 2:
            raise LatentExplorerError(f"A path has at least two steps, its ends; got {n_steps}.")
        return np.stack([self.at(float(share)) for share in np.linspace(0.0, 1.0, n_steps)])
