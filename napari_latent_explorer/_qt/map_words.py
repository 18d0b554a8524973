"""What is said of the maps: which, how to read them, how far they can be trusted."""

from collections.abc import Mapping

import numpy as np

from napari_latent_explorer.analysis.map_space import MAP_KINDS, MAP_NAMES, MapKind
from napari_latent_explorer.analysis.projection import Projection
from napari_latent_explorer.analysis.trust import N_TRUST_NEIGHBOURS

TSNE_SAYS = (
    "Neighbours on a t-SNE map have similar latent vectors. Distances between clusters, the sizes of clusters and the "
    "empty space between them mean nothing."
)
KIND_SAYS: Mapping[str, str] = {
    "tsne": TSNE_SAYS,
    "whitened_tsne": TSNE_SAYS
    + " On equal scales each latent direction counts the same, so unusual recordings stand apart, and what most "
    "people differ by shows less.",
    "pca": "The two directions in which the latent vectors vary most. All other directions are left out.",
}
JOINT_SAYS = "On the joint map people are near whose MRI and ECG are both similar."


def map_title(name: str) -> str:
    """Name a map, e.g. ``MRI map``."""
    words = f"{MAP_NAMES[name]} map"
    return words[0].upper() + words[1:]


def full_title(projection: Projection, wanted: MapKind, is_awaited: bool) -> str:
    """Say which map it is, of which kind, and whether another is on its way."""
    title = f"{map_title(projection.name)}, {projection.kind_title}"
    if projection.method == wanted:
        return title
    return f"{title} until {MAP_KINDS[wanted]} is ready" if is_awaited else f"{title}; no {MAP_KINDS[wanted]} yet"


def explain(projection: Projection) -> str:
    """Say how to read a map, and how far it can be trusted."""
    says = KIND_SAYS.get(projection.method, "")
    if projection.name == "joint":
        says = f"{JOINT_SAYS} {says}"
    n, k = len(projection.participant_ids), projection.parameters.get("n_trust_neighbours", N_TRUST_NEIGHBOURS)
    if projection.trust is not None and n > 1:
        says += (
            f" Of each participant's {k} nearest latent neighbours, {np.nanmean(projection.trust):.0%} are among the "
            f"{k} nearest here (by chance {min(k / (n - 1), 1.0):.1%})."
        )
    if projection.trustworthiness is not None:
        says += (
            f" Trustworthiness {projection.trustworthiness:.2f}: 1 when all who are near here are near in latent "
            "space, about 0.5 by chance."
        )
    return says


def trust_line(projections: Mapping[str, Projection]) -> str:
    """Say how far the maps can be trusted, in a line; empty when it was not measured."""
    parts = [
        f"{MAP_NAMES[name]} {np.nanmean(one.trust):.0%}, {one.trustworthiness:.2f}"
        for name, one in projections.items()
        if one.trust is not None and one.trustworthiness is not None
    ]
    return f"Neighbours kept, trustworthiness: {'; '.join(parts)}" if parts else ""
