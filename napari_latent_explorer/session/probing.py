"""Where a probe can begin."""

from napari_latent_explorer.errors import StudyError
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
