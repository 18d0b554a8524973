"""How good a bundle is on people whom it has not learned from, beside unimodal ones of the same size and chance.

Four tables, in the units of the recordings where there are any:

- ``reconstruction``: error of cine and ECG decoded from each latent, against the mean image and the mean ECG of the
same people
  (which knows them, so this comparison is rather too hard than too easy).
- ``phenotypes``: R2 and AUROC of a linear prediction from latents, by cross-validation among the held-out people.
- ``retrieval``: how often the ECG finds the MRI of the same person. Unimodal latents live in unrelated spaces, where
the cosine can
  only be at chance; so both kinds are also compared after a ridge map from ECG to MRI latents, fitted on other people.
- ``segmentation``: Dice per structure of the label head.
"""

from collections.abc import Generator, Mapping
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from napari_latent_explorer.data.progress import Progress
from napari_latent_explorer.errors import StudyError
from napari_latent_explorer.io.study import Study
from napari_latent_explorer.modeling.bundle import ModelBundle
from napari_latent_explorer.modeling.held_out import load_baselines, split_study
from napari_latent_explorer.modeling.reconstruction_scores import ReconstructionScores
from napari_latent_explorer.modeling.scores import fit_linear_map, phenotype_score, retrieval_ranks
from napari_latent_explorer.modeling.tensors import Tensors, read_tensors

GALLERY_SIZE = 500
TOP = (1, 5, 10)
MIN_PARTICIPANTS = 20
CHUNK = 32
MODEL = "cross-modal"
BASELINE = "unimodal"

Latents = dict[tuple[str, str], NDArray[np.float32]]
"""Latents ``(n, latent_dim)`` by model and modality."""


@dataclass(frozen=True, slots=True, eq=False)
class EvaluationResult:
    """Tables by name, and in plain words what they are of."""

    tables: Mapping[str, pd.DataFrame]
    notes: tuple[str, ...]


def evaluate(
    study: Study,
    bundle: ModelBundle,
    *,
    baselines: Mapping[str, ModelBundle] | None = None,
    seed: int = 0,
    max_participants: int = 1000,
    max_map_participants: int = 2000,
) -> Generator[Progress, None, EvaluationResult]:
    """Score a bundle on the participants of a study that it has not learned from and who have both recordings.

    Parameters
    ----------
    study, bundle
        On whom, and what.
    baselines
        Unimodal bundles by modality; those beside the bundle, if None.
    seed
        Settles who is in the gallery, folds and bootstrap samples.
    max_participants, max_map_participants
        At most so many people to score on, and to fit the map between unimodal latents on.

    Raises
    ------
    StudyError
        When there are too few people to score on.
    """
    models = {(MODEL, modality): bundle for modality in bundle.modalities}
    found = load_baselines(bundle) if baselines is None else baselines
    models |= {(BASELINE, modality): baseline for modality, baseline in found.items()}
    people = split_study(study, bundle, seed)
    if len(people.scored) < MIN_PARTICIPANTS:
        raise StudyError(
            f"The study {study.path} has {len(people.scored)} participants with MRI and ECG that this bundle has not "
            f"learned from; at least {MIN_PARTICIPANTS} are needed to score it."
        )
    scored, mapped = people.scored[:max_participants], people.others(max_participants)[:max_map_participants]
    total = len(scored) + len(mapped)
    reconstruction = ReconstructionScores(bundle.label_names)
    latents = yield from _encode(study, models, scored, Progress(0, total, "scoring"), reconstruction)
    map_latents = yield from _encode(study, models, mapped, Progress(len(scored), total, "fitting the map"), None)
    yield Progress(total, total, "predicting phenotypes")
    tables = {
        "reconstruction": reconstruction.table(),
        "phenotypes": _phenotypes(study, scored, latents, seed),
        "retrieval": _retrieval(latents, map_latents),
        "segmentation": reconstruction.segmentation_table(),
    }
    sizes = f"Scored on {len(scored)} people; the map between latents was fitted on {len(mapped)} others."
    return EvaluationResult(MappingProxyType(tables), (people.rule, sizes))


def _encode(
    study: Study,
    models: Mapping[tuple[str, str], ModelBundle],
    participant_ids: NDArray[np.str_],
    begin: Progress,
    reconstruction: ReconstructionScores | None,
) -> Generator[Progress, None, Latents]:
    """Latents of all models, and on the way, what they decode to; recordings are kept for one chunk only."""
    parts: dict[tuple[str, str], list[NDArray[np.float32]]] = {key: [] for key in models}
    for start in range(0, len(participant_ids), CHUNK):
        chunk = participant_ids[start : start + CHUNK]
        tensors = read_tensors(study, chunk.tolist())
        encoded = {key: model.encode(key[1], tensors.of(key[1])) for key, model in models.items()}
        for key, values in encoded.items():
            parts[key].append(values)
        if reconstruction is not None:
            _decode_into(reconstruction, models, tensors, encoded)
        yield Progress(begin.done + start + len(chunk), begin.total, begin.message)
    return {key: np.concatenate(values) for key, values in parts.items() if values}


def _decode_into(
    scores: ReconstructionScores, models: Mapping[tuple[str, str], ModelBundle], tensors: Tensors, encoded: Latents
) -> None:
    scores.add_recordings(tensors)
    for (kind, modality), latents in encoded.items():
        decoded = models[kind, modality].decode(latents, with_labels=kind == MODEL)
        scores.add_decoded(kind, modality, tensors, decoded)


def _phenotypes(study: Study, participant_ids: NDArray[np.str_], latents: Latents, seed: int) -> pd.DataFrame:
    cohort = study.cohort().subset(participant_ids)
    rows = []
    for (model, modality), values in latents.items():
        for name, spec in cohort.specs.items():
            if spec.kind == "categorical":
                continue
            is_binary = spec.kind == "binary"
            score = phenotype_score(values, cohort.values(name), is_binary=is_binary, seed=seed)
            rows.append(
                {
                    "model": model,
                    "latents": modality,
                    "phenotype": name,
                    "metric": "AUROC" if is_binary else "R2",
                    "value": score.value,
                    "low": score.low,
                    "high": score.high,
                }
            )
    return pd.DataFrame(rows)


def _retrieval(latents: Latents, map_latents: Latents) -> pd.DataFrame:
    """ECG to MRI among the first `GALLERY_SIZE` scored people, who are in random order."""
    rows = []
    for model in (MODEL, BASELINE):
        if not {(model, "mri"), (model, "ecg")} <= set(latents):
            continue
        queries, keys = latents[model, "ecg"][:GALLERY_SIZE], latents[model, "mri"][:GALLERY_SIZE]
        rows.append(_retrieval_row(model, "cosine", retrieval_ranks(queries, keys)))
        if (model, "ecg") in map_latents:
            center = map_latents[model, "mri"].mean(axis=0)
            matrix, offset = fit_linear_map(map_latents[model, "ecg"], map_latents[model, "mri"])
            ranks = retrieval_ranks(queries @ matrix + offset - center, keys - center)
            rows.append(_retrieval_row(model, "cosine after ridge map", ranks))
    n = min(GALLERY_SIZE, *(len(values) for values in latents.values()))
    chance = {"model": "chance", "comparison": "", "n_gallery": n, "median_rank": (n + 1) / 2}
    rows.append(chance | {f"top_{k}": min(1.0, k / n) for k in TOP})
    return pd.DataFrame(rows)


def _retrieval_row(model: str, comparison: str, ranks: NDArray[np.int64]) -> dict[str, object]:
    row = {"model": model, "comparison": comparison, "n_gallery": len(ranks), "median_rank": float(np.median(ranks))}
    return row | {f"top_{k}": float(np.mean(ranks <= k)) for k in TOP}
