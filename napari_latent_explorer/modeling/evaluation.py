"""How good a bundle is on people whom it has not learned from, beside unimodal and supervised ones and chance.

One table per question, in the units of the recordings where there are any:

- ``reconstruction``: error of cine and ECG decoded from each latent, against the mean image and the mean ECG of the
  same people (which knows them, so this comparison is rather too hard than too easy); ``ssim`` by frame and
  ``ecg_correlation`` by lead.
- ``retrieval`` and ``retrieval_curve``: how often one modality finds the other of the same person (Fig. 2b). Unimodal
  latents live in unrelated spaces, where the cosine can only be at chance; so in the first table both kinds are also
  compared after a ridge map from ECG to MRI latents, fitted on other people.
- ``phenotypes``: R2 and AUROC of a linear prediction from latents, by cross-validation among all held-out people.
- ``prediction`` and ``gain``: the same in the paper's three parts (``people``), also by kernel regression and from
  supervised networks (Fig. 2c).
- ``mixing`` and ``joint_map``: whether both modalities mix on one map (Fig. 2a).
- ``translation`` and ``translation_people``: mass and volumes measured on decoded cines (Fig. 3c); ``examples`` and
  ``ecg_examples``: pictures of simulated people (Fig. 3a and 3b).
- ``segmentation``: Dice per structure of the label head.
"""

import hashlib
import io
import zipfile
from collections.abc import Generator, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from napari_latent_explorer.analysis.mixing import joint_map
from napari_latent_explorer.analysis.retrieval import retrieve
from napari_latent_explorer.data.latents import LatentSpace
from napari_latent_explorer.data.phenotype import PhenotypeSpec
from napari_latent_explorer.data.progress import Progress
from napari_latent_explorer.errors import StudyError
from napari_latent_explorer.io.atomic import write_file
from napari_latent_explorer.io.study import Study
from napari_latent_explorer.modeling.bundle import ModelBundle
from napari_latent_explorer.modeling.held_out import load_baselines, split_study
from napari_latent_explorer.modeling.phenotype_prediction import LabelledSplit, outcomes_of, predict_phenotypes
from napari_latent_explorer.modeling.reconstruction_scores import ReconstructionScores
from napari_latent_explorer.modeling.recording_cache import fill_cache
from napari_latent_explorer.modeling.scores import fit_linear_map, phenotype_score, retrieval_ranks
from napari_latent_explorer.modeling.supervised import SupervisedModel, train_supervised
from napari_latent_explorer.modeling.tensors import Tensors, read_tensors
from napari_latent_explorer.modeling.trained_model import TrainedModel
from napari_latent_explorer.modeling.translation import measure_translations
from napari_latent_explorer.modeling.translation_examples import can_be_shown, translation_examples

GALLERY_SIZE = 500
TOP = (1, 5, 10)
CURVE_GALLERY_SIZE = 5_000
CURVE_TOP = (1, 2, 5, 10, 20, 50, 100, 200, 500)
N_MAPPED = 500
"""People whose two latents are put on one map, as in the paper."""
MIN_PARTICIPANTS = 20
MIN_SUPERVISED = 100
"""People to learn from, below whom no supervised network is trained."""
CHUNK = 32
MODEL = "cross-modal"
BASELINE = "unimodal"
SUPERVISED = "supervised"
VARIATIONAL = "VAE"

Latents = dict[tuple[str, str], NDArray[np.float32]]
"""Latents ``(n, latent_dim)`` by model and modality."""


@dataclass(frozen=True, slots=True, eq=False)
class EvaluationResult:
    """Tables by name, and in plain words what they are of."""

    tables: Mapping[str, pd.DataFrame]
    notes: tuple[str, ...]

    def with_tables(self, tables: Mapping[str, pd.DataFrame]) -> "EvaluationResult":
        """Return the same with further tables."""
        return EvaluationResult(MappingProxyType({**self.tables, **tables}), self.notes)


@dataclass(frozen=True, slots=True)
class EvaluationConfig:
    """What to measure, and how thoroughly.

    Attributes
    ----------
    seed
        Settles parts of the people, folds, bootstrap samples and the weights of supervised networks.
    max_decoded
        At most so many people whose recordings are decoded, and who are in the galleries and folds.
    max_mapped
        At most so many people to fit the map between unimodal latents on.
    max_people
        At most so many people to encode for the paper's predictions.
    depth
        Hidden layers of the kernel's network.
    supervised_minutes
        Longest training of each supervised network; 0 for none.
    """

    seed: int = 0
    max_decoded: int = 1000
    max_mapped: int = 2000
    max_people: int = 50_000
    depth: int = 1
    supervised_minutes: float = 0.0


def evaluate(
    study: Study,
    bundle: TrainedModel,
    config: EvaluationConfig | None = None,
    *,
    baselines: Mapping[str, TrainedModel] | None = None,
    work: Path | None = None,
) -> Generator[Progress, None, EvaluationResult]:
    """Score a bundle on the participants of a study that it has not learned from and who have both recordings.

    Parameters
    ----------
    study, bundle
        On whom, and what.
    config
        What to measure.
    baselines
        Unimodal bundles by modality; those beside the bundle, if None.
    work
        Folder for latents, recordings and checkpoints of supervised networks, from which a stopped evaluation goes on;
        without it no network is trained.

    Raises
    ------
    StudyError
        When there are too few people to score on.
    """
    config = config or EvaluationConfig()
    models: dict[tuple[str, str], TrainedModel] = {(MODEL, modality): bundle for modality in bundle.modalities}
    found = load_baselines(bundle) if baselines is None else baselines
    models |= {(BASELINE, modality): baseline for modality, baseline in found.items()}
    if baselines is None:
        models |= {(VARIATIONAL, modality): vae for modality, vae in load_baselines(bundle, "_vae").items()}
    people = split_study(study, bundle, config.seed)
    if len(people.scored) < MIN_PARTICIPANTS:
        raise StudyError(
            f"The study {study.path} has {len(people.scored)} participants with MRI and ECG that this bundle has not "
            f"learned from; at least {MIN_PARTICIPANTS} are needed to score it."
        )
    everybody, learned = people.scored[: config.max_people], people.learned[: config.max_mapped]
    n, total = min(config.max_decoded, len(everybody)), len(everybody) + len(learned)
    reconstruction = ReconstructionScores(bundle.label_names, bundle.preprocessing.get("ecg", {}).get("lead_names", ()))
    latents = yield from _encode(study, models, everybody[:n], Progress(0, total, "scoring"), reconstruction, work)
    rest = yield from _encode(study, models, everybody[n:], Progress(n, total, "encoding"), None, work)
    everybodys = {key: np.concatenate([part, rest[key]]) if key in rest else part for key, part in latents.items()}
    begin = Progress(len(everybody), total, "fitting the map")
    map_latents = yield from _encode(study, models, learned, begin, None, work)
    if not len(learned):
        map_latents = {key: values[: config.max_mapped] for key, values in rest.items()}
    yield Progress(total, total, "predicting phenotypes")
    tables = {
        "reconstruction": reconstruction.table(),
        "ssim": reconstruction.ssim_table(),
        "ecg_correlation": reconstruction.correlation_table(),
        "phenotypes": _phenotypes(study, everybody[:n], latents, config.seed),
        "retrieval": _retrieval(latents, map_latents),
        "retrieval_curve": _retrieval_curve(everybodys, everybody, config.seed),
        "segmentation": reconstruction.segmentation_table(),
    }
    tables |= yield from _mixing(latents, everybody[:n], config.seed)
    more, note = yield from _paper_predictions(study, bundle, everybodys, everybody, config, work)
    n_mapped = max((len(values) for values in map_latents.values()), default=0)
    sizes = f"Scored on {n} people; the map between latents was fitted on {n_mapped} others."
    return EvaluationResult(MappingProxyType(tables | more), (people.rule, sizes, note))


def _encode(
    study: Study,
    models: Mapping[tuple[str, str], TrainedModel],
    participant_ids: NDArray[np.str_],
    begin: Progress,
    reconstruction: ReconstructionScores | None,
    work: Path | None,
) -> Generator[Progress, None, Latents]:
    """Latents of all models, and on the way, what they decode to; recordings are kept for one chunk only.

    What is only encoded is kept in `work`, so that a stopped evaluation need not read these recordings again.
    """
    parts: dict[tuple[str, str], list[NDArray[np.float32]]] = {key: [] for key in models}
    spec = next(model.input_spec for (kind, _), model in models.items() if kind == MODEL)
    for start in range(0, len(participant_ids), CHUNK):
        chunk = participant_ids[start : start + CHUNK]
        kept = None if work is None or reconstruction is not None else work / "latents" / _name_of(study, models, chunk)
        encoded = None if kept is None else _kept_latents(kept, list(models), len(chunk))
        if encoded is None:
            tensors = read_tensors(study, chunk.tolist(), spec)
            encoded = {key: model.encode(key[1], tensors.of(key[1])) for key, model in models.items()}
            if reconstruction is not None:
                _decode_into(reconstruction, models, tensors, encoded)
            if kept is not None:
                content = io.BytesIO()
                np.savez(content, *encoded.values())
                write_file(kept, content.getvalue())
        for key, values in encoded.items():
            parts[key].append(values)
        yield Progress(begin.done + start + len(chunk), begin.total, begin.message)
    return {key: np.concatenate(values) for key, values in parts.items() if values}


def _name_of(study: Study, models: Mapping[tuple[str, str], TrainedModel], participant_ids: NDArray[np.str_]) -> str:
    """File name for the latents of these people by these models."""
    of = [study.fingerprint, *(model.fingerprint for model in models.values()), *participant_ids.tolist()]
    return hashlib.sha256("\n".join(of).encode()).hexdigest()[:24] + ".npz"


def _kept_latents(file: Path, keys: list[tuple[str, str]], n: int) -> Latents | None:
    """Take what an earlier evaluation has kept; None if it has not, or the file is damaged."""
    try:
        with np.load(file) as arrays:
            found = [arrays[f"arr_{i}"] for i in range(len(keys))]
    except (OSError, KeyError, ValueError, zipfile.BadZipFile):
        return None
    return dict(zip(keys, found, strict=True)) if all(len(values) == n for values in found) else None


def _decode_into(
    scores: ReconstructionScores, models: Mapping[tuple[str, str], TrainedModel], tensors: Tensors, encoded: Latents
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
    for model in (MODEL, BASELINE, VARIATIONAL):
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


def _retrieval_curve(latents: Latents, participant_ids: NDArray[np.str_], seed: int) -> pd.DataFrame:
    """Both directions among all held-out people, with intervals and chance."""
    rows = []
    ids = participant_ids[:CURVE_GALLERY_SIZE]
    top = tuple(k for k in CURVE_TOP if k <= len(ids))
    for model in (MODEL, BASELINE, VARIATIONAL):
        if not {(model, "mri"), (model, "ecg")} <= set(latents):
            continue
        spaces = {one: LatentSpace(latents[model, one][: len(ids)], ids, one, "") for one in ("mri", "ecg")}
        for query, key in (("ecg", "mri"), ("mri", "ecg")):
            found = retrieve(spaces[query], spaces[key], top, seed)
            for i, k in enumerate(top):
                interval = {"accuracy": found.accuracy[i], "low": found.low[i], "high": found.high[i]}
                row = {"model": model, "query": query, "key": key, "n_gallery": len(ids), "k": k}
                rows.append(row | interval | {"chance": found.chance[i], "median_rank": found.median_rank})
    columns = ["model", "query", "key", "n_gallery", "k", "accuracy", "low", "high", "chance", "median_rank"]
    return pd.DataFrame(rows, columns=columns)


def _mixing(
    latents: Latents, participant_ids: NDArray[np.str_], seed: int
) -> Generator[Progress, None, dict[str, pd.DataFrame]]:
    ids = participant_ids[:N_MAPPED]
    maps, shares = [], []
    for model in (MODEL, BASELINE, VARIATIONAL):
        if {(model, "mri"), (model, "ecg")} <= set(latents):
            mri, ecg = latents[model, "mri"][: len(ids)], latents[model, "ecg"][: len(ids)]
            points, share = yield from joint_map(mri, ecg, ids, seed)
            maps.append(points.assign(model=model))
            shares.append(share.assign(model=model))
    if not maps:
        return {}
    return {"joint_map": pd.concat(maps, ignore_index=True), "mixing": pd.concat(shares, ignore_index=True)}


def _paper_predictions(
    study: Study,
    bundle: TrainedModel,
    latents: Latents,
    participant_ids: NDArray[np.str_],
    config: EvaluationConfig,
    work: Path | None,
) -> Generator[Progress, None, tuple[dict[str, pd.DataFrame], str]]:
    """Predictions in the paper's three parts, supervised networks among them, and translated cines."""
    cohort = study.cohort().subset(participant_ids)
    specs = tuple(spec for spec in cohort.specs.values() if spec.kind != "categorical")
    split = LabelledSplit.of(len(participant_ids))
    outcomes = outcomes_of(specs, {spec.name: cohort.values(spec.name) for spec in specs}, split)
    inputs: dict[tuple[str, str], NDArray[np.floating]] = dict(latents)
    tables = {"people": split.table(participant_ids)}
    note = f"The paper's parts have {len(split.train)}, {len(split.valid)} and {len(split.test)} people."
    wanted = config.supervised_minutes > 0 and work is not None
    if wanted and len(split.train) < MIN_SUPERVISED:
        note += f" No supervised network was trained: that takes {MIN_SUPERVISED} people to learn from."
    elif wanted and not isinstance(bundle, ModelBundle):
        note += " No supervised network was trained: the widths of the model's encoders are not known."
    elif wanted and isinstance(bundle, ModelBundle) and specs and np.isfinite(outcomes).any():
        assert work is not None
        for modality in bundle.modalities:
            network, embedded = yield from _supervised(
                study, bundle, modality, participant_ids, outcomes, specs, split, config, work
            )
            inputs[SUPERVISED, modality] = embedded
            note += f" The supervised {modality} network was trained for {network.epochs} epochs."
            if modality == "mri" and {"mri", "ecg"} <= set(bundle.modalities):
                recordings = yield from fill_cache(study, "mri", participant_ids, work, bundle.input_spec)
                vectors = {one: latents[MODEL, one] for one in ("mri", "ecg")}
                truth = {spec.name: cohort.values(spec.name) for spec in specs}
                scores, people = yield from measure_translations(
                    bundle, network, recordings, split.test, vectors, truth, participant_ids, config.seed
                )
                tables |= {"translation": scores, "translation_people": people}
                if can_be_shown(study):
                    tested = participant_ids[split.test].tolist()
                    shown = {
                        one: {m: vectors[m][row] for m in vectors} for one, row in zip(tested, split.test, strict=True)
                    }
                    tables |= translation_examples(study, bundle, people, shown)
    if specs:
        scores, gains = yield from predict_phenotypes(
            inputs, outcomes, specs, split, depth=config.depth, seed=config.seed
        )
        tables |= {"prediction": scores, "gain": gains}
    return tables, note


def _supervised(
    study: Study,
    bundle: ModelBundle,
    modality: str,
    participant_ids: NDArray[np.str_],
    outcomes: NDArray[np.float64],
    specs: tuple[PhenotypeSpec, ...],
    split: LabelledSplit,
    config: EvaluationConfig,
    work: Path,
) -> Generator[Progress, None, tuple[SupervisedModel, NDArray[np.float32]]]:
    """Train the network of one modality, and embed everybody by it."""
    recordings = yield from fill_cache(study, modality, participant_ids, work, bundle.input_spec)
    network = bundle.network.config
    coder = network.coders[modality]
    model = yield from train_supervised(
        coder, network.latent_dim, recordings, outcomes, specs, split, work / f"supervised_{modality}.pt",
        max_minutes=config.supervised_minutes, seed=config.seed,
    )  # fmt: skip
    parts = []
    for rows in np.array_split(np.arange(len(participant_ids)), max(1, len(participant_ids) // 64)):
        parts.append(model.embed(recordings.batch(rows)))
        yield Progress(int(rows[-1]) + 1, len(participant_ids), f"embedding {modality} by the supervised network")
    return model, np.concatenate(parts)
