"""All that a study needs to be explored with a model: latents and maps of each modality, kept in the study."""

from collections.abc import Generator
from pathlib import Path

import numpy as np

from napari_latent_explorer.analysis.projection import Projection, fit_tsne
from napari_latent_explorer.data.latents import LatentSpace
from napari_latent_explorer.data.progress import Progress
from napari_latent_explorer.errors import BundleError
from napari_latent_explorer.io.study import Study
from napari_latent_explorer.modeling.encoding import encode_study
from napari_latent_explorer.modeling.trained_model import load_model


def encode_and_project(study: Study, bundle_folder: Path) -> Generator[Progress, None, dict[str, str]]:
    """Encode every recording and lay out every map that is not there yet; stopped and called again, it goes on.

    Returns
    -------
    dict
        Id and reason of each participant with a recording that cannot be brought to the model's grid.

    Raises
    ------
    BundleError
        When study and bundle have no modality in common, or the bundle is damaged.
    StudyError
        When there is no space, or the study cannot be written.
    """
    bundle = load_model(bundle_folder)
    modalities = [name for name in study.modalities if name in bundle.modalities]
    if not modalities:
        raise BundleError(f"The model {bundle_folder} and the study {study.path} have no modality in common.")
    skipped: dict[str, str] = {}
    for modality in modalities:
        latents = yield from encode_study(study, bundle, modality, skipped=skipped)
        study.save_latents(latents)
        if not _has_map_of(study, latents):
            projection = yield from fit_tsne(latents)
            study.save_projection(modality, bundle.fingerprint, *projection.to_arrays())
    return skipped


def _has_map_of(study: Study, latents: LatentSpace) -> bool:
    """Whether there is a map of just these participants; an older one may lack some."""
    if not study.has_projection(latents.modality, latents.bundle_fingerprint):
        return False
    arrays, meta = study.projection(latents.modality, latents.bundle_fingerprint)
    projection = Projection.from_arrays(latents.modality, latents.bundle_fingerprint, arrays, meta)
    return bool(np.array_equal(projection.participant_ids, latents.participant_ids))
