"""Model tensors of a few participants of a study, read when they are wanted."""

from contextlib import suppress
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from napari_latent_explorer.data.cine import LA_4CH_CLASSES, CineLabels
from napari_latent_explorer.errors import StudyError
from napari_latent_explorer.io.study import Study
from napari_latent_explorer.modeling.preprocessing import PreparedCine, is_on_model_grid, prepare_cine, prepare_ecg
from napari_latent_explorer.modeling.preprocessing_spec import STANDARD, CineSpec, PreprocessingSpec


@dataclass(frozen=True, slots=True, eq=False)
class Tensors:
    """Recordings of `n` participants as the model takes them.

    Attributes
    ----------
    mri
        ``(n, n_frames, n_rows, n_columns)`` float32, z-scored.
    ecg
        ``(n, n_leads, n_samples)`` float32 in model units.
    labels
        ``(n, n_frames, n_rows, n_columns)`` uint8, or None if anybody's are not there or not `names_all_pixels`.
    """

    mri: NDArray[np.float32]
    ecg: NDArray[np.float32]
    labels: NDArray[np.uint8] | None

    def of(self, modality: str) -> NDArray[np.float32]:
        """Tensors of one modality."""
        return self.mri if modality == "mri" else self.ecg


def read_tensors(study: Study, participant_ids: list[str], spec: PreprocessingSpec = STANDARD) -> Tensors:
    """Read the recordings of participants who have both, and prepare them as a model states."""
    cines = [prepare_study_cine(study, participant_id, spec.mri) for participant_id in participant_ids]
    label_maps = [cine.labels.frames[:, 0] for cine in cines if cine.labels and names_all_pixels(cine.labels)]
    return Tensors(
        np.stack([cine.tensor for cine in cines]),
        np.stack([prepare_ecg(study.ecg(participant_id), spec.ecg).tensor for participant_id in participant_ids]),
        np.stack(label_maps) if len(label_maps) == len(cines) else None,
    )


def names_all_pixels(labels: CineLabels) -> bool:
    """Whether a label map can teach the network and be compared with what it says.

    That takes every frame (in an unlabelled one, 0 does not mean background) and the numbers of `LA_4CH_CLASSES`
    (elsewhere, 3 may be a ventricle).
    """
    return labels.labelled_frames is None and dict(labels.names).items() <= dict(LA_4CH_CLASSES).items()


def prepare_study_cine(study: Study, participant_id: str, spec: CineSpec = STANDARD.mri) -> PreparedCine:
    """Cine of one participant on a model's grid, cropped by their heart box, with their labels if they have any."""
    cine, box = study.cine(participant_id), study.heart_box(participant_id)
    labels = None
    if study.has_labels:
        with suppress(StudyError):  # not everybody need have some
            labels = study.labels(participant_id)
    return prepare_cine(cine, labels, heart_box=box, spec=spec)


def prepare_study_tensor(
    study: Study, participant_id: str, modality: str, spec: PreprocessingSpec = STANDARD
) -> NDArray[np.float32]:
    """Tensor of one recording as a model takes it; label maps are read only where they say where the heart is."""
    if modality == "ecg":
        return prepare_ecg(study.ecg(participant_id), spec.ecg).tensor
    cine, box = study.cine(participant_id), study.heart_box(participant_id)
    if spec.mri.crop == "published":
        is_needed = box is None or box.rule != "published"
    else:
        is_needed = box is None and not is_on_model_grid(cine, spec.mri)
    if is_needed and study.has_labels:
        return prepare_study_cine(study, participant_id, spec.mri).tensor
    return prepare_cine(cine, heart_box=box, spec=spec.mri).tensor
