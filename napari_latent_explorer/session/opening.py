"""What an explorer finds in a study that was encoded by a bundle."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Protocol

from napari_latent_explorer.analysis.projection import Projection, fit_pca
from napari_latent_explorer.data.cohort import Cohort
from napari_latent_explorer.data.latents import LatentSpace
from napari_latent_explorer.errors import StudyError
from napari_latent_explorer.session.recordings import Recordings

MODALITIES = ("mri", "ecg")


class ExplorableStudy(Recordings, Protocol):
    """What an explorer asks of a study; `io.study.Study` is one."""

    @property
    def name(self) -> str:
        """For people."""

    def cohort(self) -> Cohort:
        """The participants."""

    def latent_fingerprints(self) -> Any:
        """Fingerprints of the bundles that encoded this study."""

    def latents(self, modality: str, fingerprint: str) -> LatentSpace:
        """Latents of one modality; StudyError when there are none."""

    def projection(self, name: str, fingerprint: str) -> tuple[Any, Any]:
        """Arrays and metadata of a stored map; StudyError when there is none."""


@dataclass(frozen=True, slots=True, eq=False)
class Encoded:
    """Latents and maps of one study by one bundle, per modality; a missing one has no entry."""

    latents: Mapping[str, LatentSpace]
    projections: Mapping[str, Projection]


NOTHING_ENCODED = Encoded(MappingProxyType({}), MappingProxyType({}))


def read_encoded(study: ExplorableStudy, cohort: Cohort, fingerprint: str) -> Encoded:
    """Read latents and stored maps; where no map is stored, the first two principal components serve until one is fit.

    Raises
    ------
    StudyError
        When latents are of people whom the table does not know.
    """
    latents, projections = {}, {}
    for modality in MODALITIES:
        try:
            space = study.latents(modality, fingerprint)
        except StudyError:
            continue
        strangers = [participant_id for participant_id in space.participant_ids.tolist() if participant_id not in cohort]
        if strangers:
            raise StudyError(
                f"The {modality} latents of {study.name} are of {len(strangers)} people who are not in its table, "
                f"e.g. {strangers[0]}. Encode the study again."
            )
        latents[modality] = space
        projections[modality] = _read_projection(study, modality, space)
    return Encoded(MappingProxyType(latents), MappingProxyType(projections))


def _read_projection(study: ExplorableStudy, modality: str, latents: LatentSpace) -> Projection:
    try:
        arrays, meta = study.projection(modality, latents.bundle_fingerprint)
    except StudyError:
        return fit_pca(latents)
    projection = Projection.from_arrays(modality, latents.bundle_fingerprint, arrays, meta)
    if projection.participant_ids.tolist() != latents.participant_ids.tolist():
        return fit_pca(latents)
    return projection
