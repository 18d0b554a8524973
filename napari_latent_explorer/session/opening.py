"""What is found when a study is opened with a bundle."""

from collections.abc import Generator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from napari_latent_explorer.analysis.map_space import JOINT, MAP_KINDS, map_key
from napari_latent_explorer.analysis.projection import Projection, fit_pca
from napari_latent_explorer.data.cohort import Cohort
from napari_latent_explorer.data.latents import LatentSpace
from napari_latent_explorer.data.progress import Progress
from napari_latent_explorer.errors import StudyError
from napari_latent_explorer.session.decode_service import Bundle
from napari_latent_explorer.session.recordings import Recordings

MODALITIES = ("mri", "ecg")


class ExplorableStudy(Recordings, Protocol):
    """What an explorer asks of a study; `io.study.Study` is one."""

    @property
    def name(self) -> str:
        """For people."""

    def cohort(self) -> Cohort:
        """Read the participants."""

    def latent_fingerprints(self) -> tuple[str, ...]:
        """Fingerprints of the bundles that encoded this study, the newest first."""

    def has_latents(self, modality: str, bundle_fingerprint: str, /) -> bool:
        """Whether there are latents of that modality by that bundle."""

    def latents(self, modality: str, bundle_fingerprint: str, /) -> LatentSpace:
        """Read them."""

    def has_projection(self, name: str, bundle_fingerprint: str, /) -> bool:
        """Whether there is a stored map of that name."""

    def projection(self, name: str, bundle_fingerprint: str, /) -> tuple[dict[str, NDArray[Any]], dict[str, Any]]:
        """Read its arrays and metadata."""


@dataclass(frozen=True, slots=True)
class Encoded:
    """Latents per modality, maps by `Projection.key`, of one study by one bundle, and what was wrong with the rest."""

    latents: dict[str, LatentSpace]
    maps: dict[str, Projection]
    problems: tuple[str, ...]


def read_encoded(study: ExplorableStudy, bundle: Bundle | None) -> Encoded:
    """Read the latents and maps that `bundle`, or else the newest that encoded the study, made of it.

    Where no t-SNE map is stored the first two principal components serve until one is fit. Damaged files are named
    among the problems, and the rest is read.
    """
    fingerprint = bundle.fingerprint if bundle is not None else next(iter(study.latent_fingerprints()), "")
    latents: dict[str, LatentSpace] = {}
    maps: dict[str, Projection] = {}
    problems = []
    for modality in MODALITIES:
        if not fingerprint or not study.has_latents(modality, fingerprint):
            continue
        try:
            latents[modality] = study.latents(modality, fingerprint)
        except StudyError as error:
            problems.append(str(error))
            continue
        problems += _read_maps(study, modality, latents[modality].participant_ids, fingerprint, maps)
        if not {map_key(modality, "tsne"), map_key(modality, "pca")} & maps.keys():
            first = fit_pca(latents[modality])
            maps[first.key] = first
    if len(latents) > 1:
        first, second = (space.participant_ids for space in latents.values())
        problems += _read_maps(study, JOINT, first[np.isin(first, second)], fingerprint, maps)
    if not latents and not problems:
        problems.append(f"{study.name} has not been encoded by this model, so there are no maps. Encode it first.")
    return Encoded(latents, maps, tuple(problems))


def _read_maps(
    study: ExplorableStudy, name: str, ids: NDArray[np.str_], fingerprint: str, maps: dict[str, Projection]
) -> list[str]:
    """Put the stored maps of a name among the others; say what was wrong with some."""
    problems = []
    for key in (map_key(name, kind) for kind in MAP_KINDS):
        if not study.has_projection(key, fingerprint):
            continue
        try:
            arrays, meta = study.projection(key, fingerprint)
            projection = Projection.from_arrays(name, fingerprint, arrays, meta)
            if not np.array_equal(projection.participant_ids, ids):
                raise StudyError(f"The {name} map is not of the participants who are encoded. Project them again.")
            maps[projection.key] = projection
        except StudyError as error:
            problems.append(str(error))
    return problems


def load_study(folder: Path) -> Generator[Progress, None, ExplorableStudy]:
    """Open a study folder and read its table.

    Yields
    ------
    Progress
        Once.
    """
    from napari_latent_explorer.modeling.recordings import open_study

    yield Progress(0, 1, f"Opening {folder.name}")
    study = open_study(folder)
    study.cohort()
    return study


def load_bundle(folder: Path) -> Generator[Progress, None, Bundle]:
    """Load a bundle; torch is first imported here, on the worker.

    Yields
    ------
    Progress
        Before the library and before the weights.
    """
    yield Progress(0, 2, "Loading the network library")
    from napari_latent_explorer.modeling.trained_model import load_model

    yield Progress(1, 2, f"Loading the model {folder.name}")
    return load_model(folder)
