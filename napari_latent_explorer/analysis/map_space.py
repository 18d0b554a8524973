"""The space whose neighbours a map shows: the latents themselves, with equal scales, or those of both modalities.

A latent direction along which people differ much outweighs the others in every distance. On equal scales (whitened)
each of the first principal components counts the same, so a recording that is unusual along a weak one, a damaged one
say, stands apart. A vector is brought to the space in the same way as the participants were, so that it can be placed
on the map among its neighbours there.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal
from weakref import WeakKeyDictionary

import numpy as np
from numpy.typing import ArrayLike, NDArray

from napari_latent_explorer.analysis.blas import apply_matrix, one_blas_thread
from napari_latent_explorer.data.arrays import read_only
from napari_latent_explorer.data.latents import LatentSpace
from napari_latent_explorer.errors import StudyError

MapKind = Literal["tsne", "whitened_tsne", "pca"]
MAP_KINDS: Final[Mapping[MapKind, str]] = {"tsne": "t-SNE", "whitened_tsne": "t-SNE, equal scales", "pca": "PCA"}
"""What each kind is called."""

JOINT: Final = "joint"
MAP_NAMES: Final[Mapping[str, str]] = {"mri": "MRI", "ecg": "ECG", JOINT: "joint"}
"""What the map of each modality, and of both, is called."""

N_PCA_COMPONENTS = 50
ROWS_PER_STEP = 8_192
LEAST_SHARE_OF_SPREAD = 1e-5
"""Components that spread less than this share of the first are numerical noise, which whitening would blow up."""


def map_key(name: str, kind: str) -> str:
    """Under which key a map is held and stored: t-SNE maps, the usual kind, under the bare name."""
    return name if kind == "tsne" else f"{name}_{kind}"


@dataclass(frozen=True, slots=True, eq=False)
class WhitenedSpace:
    """Latents as principal components that all spread alike.

    Attributes
    ----------
    scores
        ``(n_participants, n_components)`` with mean 0 and standard deviation 1.
    mean, axes
        ``(latent_dim,)`` and ``(latent_dim, n_components)``: scores are ``(values - mean) @ axes``.
    """

    scores: LatentSpace
    mean: NDArray[np.float64]
    axes: NDArray[np.float64]

    def bring(self, vectors: ArrayLike) -> NDArray[np.float32]:
        """Scores ``(m, n_components)`` of latent vectors ``(m, latent_dim)``."""
        return np.asarray(apply_matrix(np.asarray(vectors, np.float64) - self.mean, self.axes), np.float32)


_WHITENED: "WeakKeyDictionary[LatentSpace, WhitenedSpace]" = WeakKeyDictionary()


def is_whitened(latents: LatentSpace) -> bool:
    """Whether `whitened` has the answer at hand."""
    return latents in _WHITENED


def whitened(latents: LatentSpace) -> WhitenedSpace:
    """Put the latents on equal scales; made once for each and kept as long as they are."""
    if (known := _WHITENED.get(latents)) is not None:
        return known
    mean = latents.values.mean(axis=0, dtype=np.float64)
    axes, spread = principal_axes(latents.values, N_PCA_COMPONENTS)
    is_real = spread > LEAST_SHARE_OF_SPREAD * spread.max(initial=0.0)
    axes = axes[:, is_real] / spread[is_real]
    scores = ((latents.values - mean) @ axes).astype(np.float32)
    space = LatentSpace(scores, latents.participant_ids, latents.modality, latents.bundle_fingerprint)
    made = _WHITENED[latents] = WhitenedSpace(space, read_only(mean), read_only(axes))
    return made


def principal_axes(
    values: NDArray[np.float32], n_components: int, dtype: type[np.floating] = np.float64
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Find the axes ``(latent_dim, n_components)`` along which values vary most, and their standard deviations.

    Each axis has its largest loading positive, so that the same values always give the same axes.

    Parameters
    ----------
    values
        ``(n, latent_dim)``.
    n_components
        So many axes, or as many as there are.
    dtype
        Of the products: float32 is twice as fast, and enough for the one or two main axes.
    """
    mean = values.mean(axis=0, dtype=np.float64).astype(dtype)
    squares = np.zeros((values.shape[1], values.shape[1]))
    with one_blas_thread():
        for start in range(0, len(values), ROWS_PER_STEP):
            centred = values[start : start + ROWS_PER_STEP] - mean
            squares += centred.T @ centred
        variances, axes = np.linalg.eigh(squares / max(len(values), 1))
    axes, variances = axes[:, ::-1][:, :n_components], variances[::-1][:n_components]
    signs = np.sign(np.take_along_axis(axes, np.abs(axes).argmax(axis=0)[None], axis=0))
    return axes * signs, np.sqrt(np.maximum(variances, 0.0))


@dataclass(frozen=True, slots=True, eq=False)
class JointSpace:
    """Vectors of both modalities of the same people side by side, for a map of the two together.

    An average would hide what one modality alone shows: a damaged ECG of a person with a good MRI. Side by side, two
    people are near when they are near in both. Each modality is divided by its own spread, so that neither outweighs
    the other.

    Attributes
    ----------
    latents
        ``(n_participants_with_both, sum of latent_dims)``, called ``joint``.
    scales
        For each modality, in the order of the columns, the root of its total variance over these people.
    """

    latents: LatentSpace
    scales: Mapping[str, float]

    def bring(self, vectors: Mapping[str, ArrayLike]) -> NDArray[np.float32]:
        """Joint vector ``(sum of latent_dims,)`` of one vector per modality."""
        return np.concatenate([np.asarray(vectors[name], np.float32) / scale for name, scale in self.scales.items()])


def joint_space(latents: Mapping[str, LatentSpace]) -> JointSpace:
    """Put the modalities' vectors of the people who have them all side by side; StudyError when nobody has two."""
    spaces = list(latents.values())
    others = [set(space.participant_ids.tolist()) for space in spaces[1:]]
    ids = [one for one in spaces[0].participant_ids.tolist() if all(one in known for known in others)] if spaces else []
    if len(spaces) < 2 or not ids:
        raise StudyError(
            f"A joint map needs people with both MRI and ECG latents; the study has {', '.join(latents) or 'none'}. "
            "Encode both modalities of it."
        )
    parts = {name: space.of(ids) for name, space in latents.items()}
    scales = {name: float(np.sqrt(part.var(axis=0, dtype=np.float64).sum())) or 1.0 for name, part in parts.items()}
    values = np.concatenate([part / np.float32(scales[name]) for name, part in parts.items()], axis=1)
    joint = LatentSpace(values, np.array(ids, np.str_), JOINT, spaces[0].bundle_fingerprint)
    return JointSpace(joint, scales)
