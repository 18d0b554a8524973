"""How prediction grows with people without labels and with labels (Fig. 2d).

For each number *u* of people a cross-modal autoencoder is trained on so many pairs, all with the same wall time; for
each number *v* the MRI's phenotypes are predicted from the ECG's latents of so many labelled people, by kernel
regression, and scored on the same held-out ones. The law is the paper's: the mean R2 is linear in log2 u and log2 v.
Every bundle is kept when it is trained, so the work can be stopped at any time and goes on.
"""

from collections.abc import Generator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from napari_latent_explorer.analysis.scores import r2
from napari_latent_explorer.data.phenotype import PhenotypeSpec
from napari_latent_explorer.data.progress import Progress
from napari_latent_explorer.errors import BundleError, StudyError
from napari_latent_explorer.io.study import Study
from napari_latent_explorer.modeling.bundle import ModelBundle
from napari_latent_explorer.modeling.dataset import build_model_inputs
from napari_latent_explorer.modeling.inputs import ModelInputs
from napari_latent_explorer.modeling.kernel_regression import fit_kernel_regression
from napari_latent_explorer.modeling.paper_findings import MRI_PHENOTYPES
from napari_latent_explorer.modeling.phenotype_prediction import LabelledSplit, outcomes_of
from napari_latent_explorer.modeling.training import TrainingRun
from napari_latent_explorer.modeling.training_config import TrainingConfig

SMALLEST = 64
N_COUNTS = 5
MIN_POINTS = 4


@dataclass(frozen=True, slots=True)
class ScalingConfig:
    """What to vary.

    Attributes
    ----------
    minutes
        Wall time of each training.
    n_unlabelled, n_labelled
        Numbers of people; empty for all there are and up to four halvings, not below `SMALLEST`.
    depth
        Hidden layers of the kernel's network.
    seed
        Settles training and who is in which part.
    """

    minutes: float = 2.0
    n_unlabelled: tuple[int, ...] = ()
    n_labelled: tuple[int, ...] = ()
    depth: int = 1
    seed: int = 0


def training_base(study: Study, bundle: ModelBundle) -> TrainingConfig:
    """How the bundle was trained, so that the same people are held out; in another study half of the people are."""
    found = TrainingConfig.from_dict(bundle.training["config"]) if "config" in bundle.training else TrainingConfig()
    if bundle.training.get("study_fingerprint") == study.fingerprint:
        return found
    return replace(found, train_fraction=0.5, valid_fraction=0.03)


def measure_scaling(
    study: Study, base: TrainingConfig, config: ScalingConfig, folder: Path, n_workers: int | None = None
) -> Generator[Progress, None, dict[str, pd.DataFrame]]:
    """Train for each u and predict for each v.

    Parameters
    ----------
    study
        Who is trained on, and who is held out, by the shares and the seed of `base`.
    base
        How to train; its time, label head and baselines are left out.
    config
        What to vary.
    folder
        For model inputs (about 1 MB per participant) and bundles.
    n_workers
        Processes that read recordings.

    Returns
    -------
    dict
        ``scaling``: one row per u and v; ``scaling_law``: slopes ``a`` of log2 u and ``b`` of log2 v, offset ``c``, and
        the law's ``r2``.

    Raises
    ------
    StudyError
        When there are too few people with or without labels.
    """
    inputs = yield from build_model_inputs(study, folder / "inputs", n_workers)
    base = replace(base, max_minutes=config.minutes, epochs_labels=0, baselines="pretraining", has_vae_baselines=False)
    whole = TrainingRun.prepare(study, inputs, base, folder / "whole")
    pairs = inputs.rows_with("joint")
    random = np.random.default_rng(config.seed)
    pool, held_out = (random.permutation(np.intersect1d(whole.rows[part], pairs)) for part in ("train", "test"))
    split = LabelledSplit.of(len(held_out))
    n_unlabelled = config.n_unlabelled or _halvings(len(pool))
    n_labelled = config.n_labelled or _halvings(len(split.train))
    if not n_unlabelled or not n_labelled or max(n_unlabelled) > len(pool) or max(n_labelled) > len(split.train):
        raise StudyError(
            f"The study {study.path} has {len(pool)} people to train on and {len(split.train)} held-out ones to learn "
            f"phenotypes from; the scaling law needs at least {SMALLEST} of each, or as many as were asked for."
        )
    specs, outcomes = _mri_outcomes(study, inputs.participant_ids[held_out], split, min(n_labelled))
    rows = []
    for number, u in enumerate(n_unlabelled):
        run = replace(whole, root=folder / f"u{u:06d}", rows=whole.rows | {"train": np.sort(pool[:u])})
        bundle = yield from _trained(run, Progress(number, len(n_unlabelled), f"scaling, {u} people without labels"))
        latents = _encode(bundle, inputs, held_out)
        for v in n_labelled:
            yield Progress(number, len(n_unlabelled), f"scaling, {u} people without labels, {v} with")
            scores = yield from _score(latents, outcomes, split.first(v), config.depth)
            each = {f"r2_{spec.name}": score for spec, score in zip(specs, scores, strict=True)}
            rows.append({"n_unlabelled": u, "n_labelled": v, "value": float(np.nanmean(scores))} | each)
    table = pd.DataFrame(rows)
    return {"scaling": table, "scaling_law": pd.DataFrame([fit_law(table)])}


def fit_law(table: pd.DataFrame) -> dict[str, float]:
    """Fit ``value = a log2 u + b log2 v + c``; NaN with fewer than `MIN_POINTS` points or only one u or v."""
    u, v = (np.log2(table[name].to_numpy(np.float64)) for name in ("n_unlabelled", "n_labelled"))
    value = table["value"].to_numpy(np.float64)
    if len(table) < MIN_POINTS or np.ptp(u) == 0 or np.ptp(v) == 0 or not np.isfinite(value).all():
        return {"a": np.nan, "b": np.nan, "c": np.nan, "r2": np.nan, "n_points": len(table)}
    columns = np.stack([u, v, np.ones_like(u)], axis=1)
    slopes, *_ = np.linalg.lstsq(columns, value, rcond=None)
    left = np.sum((value - columns @ slopes) ** 2) / np.sum((value - value.mean()) ** 2)
    a, b, c = map(float, slopes)
    return {"a": a, "b": b, "c": c, "r2": float(1.0 - left), "n_points": len(table)}


def _halvings(n: int) -> tuple[int, ...]:
    return tuple(n >> k for k in reversed(range(N_COUNTS)) if n >> k >= SMALLEST)


def _mri_outcomes(
    study: Study, participant_ids: NDArray[np.str_], split: LabelledSplit, n_least: int
) -> tuple[Sequence[PhenotypeSpec], NDArray[np.float64]]:
    """Phenotypes that even the fewest labelled people suffice for."""
    cohort = study.cohort().subset(participant_ids)
    continuous = [spec for spec in cohort.specs.values() if spec.kind == "continuous"]
    chosen = [spec for spec in continuous if spec.name in MRI_PHENOTYPES] or continuous
    values = {spec.name: cohort.values(spec.name) for spec in chosen}
    least = outcomes_of(chosen, values, split.first(n_least))
    usable = [i for i in range(len(chosen)) if np.isfinite(least[:, i]).any()]
    if not usable:
        raise StudyError(f"The study {study.path} has no continuous phenotype that is known of enough people.")
    return [chosen[i] for i in usable], least[:, usable]


def _trained(run: TrainingRun, prefix: Progress) -> Generator[Progress, None, ModelBundle]:
    """Bundle of this number of people: the kept one, or a new one."""
    try:
        kept = ModelBundle.load(run.root)
    except BundleError:
        kept = None
    if kept is not None and TrainingConfig.from_dict(kept.training["config"]) == run.config:
        return kept
    work = run.run()
    while True:
        try:
            inner = next(work)
        except StopIteration as stop:
            made: ModelBundle = stop.value
            return made
        yield Progress(prefix.done, prefix.total, f"{prefix.message}: {inner.message}")


def _encode(bundle: ModelBundle, inputs: ModelInputs, rows: NDArray[np.intp]) -> NDArray[np.float32]:
    parts = [rows[start : start + 64] for start in range(0, len(rows), 64)]
    return np.concatenate([bundle.encode("ecg", inputs.batch("ecg", part).numpy()) for part in parts])


def _score(
    latents: NDArray[np.float32], outcomes: NDArray[np.float64], split: LabelledSplit, depth: int
) -> Generator[Progress, None, list[float]]:
    """R2 of each phenotype on the people to score on."""
    train, valid, test = split.train, split.valid, split.test
    model = yield from fit_kernel_regression(
        latents[train], outcomes[train], latents[valid], outcomes[valid], depth=depth
    )
    predicted = model.predict(latents[test])
    scores = []
    for column in range(outcomes.shape[1]):
        known = np.isfinite(outcomes[test, column])
        everybody = np.ones((1, int(known.sum())))
        scores.append(float(r2(outcomes[test, column][known], predicted[known, column], everybody)[0]))
    return scores
