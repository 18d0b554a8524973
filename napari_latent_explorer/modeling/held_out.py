"""Who may be used to score a bundle: nobody whom it has learned from."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from napari_latent_explorer.errors import StudyError
from napari_latent_explorer.io.study import Study
from napari_latent_explorer.modeling.bundle import ModelBundle
from napari_latent_explorer.modeling.trained_model import TrainedModel

BASELINES = "baselines"
"""Folder beside a bundle's files with the unimodal autoencoders that it began with."""


@dataclass(frozen=True, slots=True, eq=False)
class StudySplit:
    """Participants with both recordings, in random order.

    Attributes
    ----------
    scored
        Those whom the bundle has not learned from.
    learned
        Those whom it has.
    rule
        How they were told apart, in words.
    """

    scored: NDArray[np.str_]
    learned: NDArray[np.str_]
    rule: str

    def others(self, n_scored: int) -> NDArray[np.str_]:
        """People to fit something on when the first `n_scored` of `scored` are for scoring."""
        return self.learned if len(self.learned) else self.scored[n_scored:]


def split_study(study: Study, bundle: TrainedModel, seed: int) -> StudySplit:
    """Divide a study's participants by what the bundle says of its training.

    Raises
    ------
    StudyError
        When the study is of the same simulated people as the one trained on, cut differently, so that nobody can tell.
    """
    cohort = study.cohort()
    both = np.ones(len(cohort), dtype=bool)
    for modality in ("mri", "ecg"):
        both &= cohort.availability.get(modality, np.zeros(len(cohort), dtype=bool))
    ids = np.random.default_rng(seed).permutation(cohort.participant_ids[both])
    training = bundle.training
    if training.get("study_fingerprint") == study.fingerprint:
        is_held_out = np.isin(ids, training.get("held_out_ids", []))
        rule = "The study is the one trained on; scored are the people who were held out."
        return StudySplit(ids[is_held_out], ids[~is_held_out], rule)
    seeds = (study.manifest.provenance.get("seed"), dict(training.get("study_provenance", {})).get("seed"))
    if seeds[0] is not None and seeds[0] == seeds[1]:
        raise StudyError(
            f"The study {study.path} was simulated with the seed {seeds[0]}, like the one that this bundle was trained "
            "on, so they share people. Score on that study itself, or simulate one with another seed."
        )
    return StudySplit(ids, ids[:0], "The study is not the one trained on; everybody in it can be scored.")


def load_baselines(bundle: TrainedModel, kind: str = "") -> dict[str, ModelBundle]:
    """Unimodal bundles by modality that lie beside a bundle, or of a kind (``_vae``); empty if there are none."""
    if bundle.path is None:
        return {}
    folders = {modality: bundle.path / BASELINES / f"{modality}{kind}" for modality in bundle.modalities}
    return {modality: ModelBundle.load(folder) for modality, folder in folders.items() if folder.is_dir()}
