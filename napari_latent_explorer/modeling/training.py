"""Training a cross-modal autoencoder on a study: one call from recordings to a bundle.

In the folder of the run:

    weights.safetensors, config.json, ...   the bundle
    training_curve.csv                      one row per epoch of every stage, after each epoch
    baselines/mri, baselines/ecg            bundles of the unimodal autoencoders that the cross-modal one began with, or
                                            of others with as many passes as it had in all
    baselines/mri_vae, baselines/ecg_vae    bundles of plain variational autoencoders, if asked for
    work/                                   model inputs and checkpoints, removed at the end unless asked to stay

The unimodal autoencoders come first; their weights are where the cross-modal stage begins, which adds the merged
reconstruction and the contrastive term. Last, the label head learns to name what the finished decoder
draws. Called again after a stop, training goes on where it was. Started by ``torchrun``, the processes share
each batch (see `processes`), and the first one writes.
"""

import json
import shutil
from collections.abc import Callable, Generator, Mapping
from contextlib import ExitStack
from copy import deepcopy
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray

from napari_latent_explorer.data.progress import Progress
from napari_latent_explorer.errors import TrainingError
from napari_latent_explorer.io.atomic import write_file
from napari_latent_explorer.io.study import Study
from napari_latent_explorer.modeling.bundle import ModelBundle
from napari_latent_explorer.modeling.bundle_metadata import PREPROCESSING, describe_model
from napari_latent_explorer.modeling.dataset import build_model_inputs, load_model_inputs
from napari_latent_explorer.modeling.held_out import BASELINES
from napari_latent_explorer.modeling.inputs import ModelInputs, class_weights
from napari_latent_explorer.modeling.objectives import CrossModalObjective, LabelObjective, Objective, UnimodalObjective
from napari_latent_explorer.modeling.precision import Precision
from napari_latent_explorer.modeling.processes import ALONE, Processes, joined_processes
from napari_latent_explorer.modeling.reconstruction import N_SHOWN, reconstruct
from napari_latent_explorer.modeling.stage import History, Stage
from napari_latent_explorer.modeling.tensorboard_log import check_tensorboard, tensorboard_log
from napari_latent_explorer.modeling.training_config import (
    MAIN_STAGES,
    STAGES,
    StageName,
    TrainingConfig,
    modality_of,
)
from napari_latent_explorer.modeling.training_reports import (
    PlannedStage,
    Reconstructions,
    TrainingEpoch,
    TrainingPlan,
    TrainingWatch,
)
from napari_latent_explorer.nn.autoencoder import MODALITIES, AutoencoderConfig, CrossModalAutoencoder
from napari_latent_explorer.nn.blocks import lay_out_channels_last
from napari_latent_explorer.nn.cine import LabelHeadConfig

CURVE_FILE = "training_curve.csv"
WORK = "work"
PRECISION_FILE = "precision.json"
MIN_PAIRS = 4
MAX_VALIDATION = 256


def train(
    study: Study,
    config: TrainingConfig,
    output: str | Path,
    *,
    resume: bool = True,
    keep_work: bool = False,
    n_workers: int | None = None,
    log_folder: Path | None = None,
    watch: TrainingWatch | None = None,
) -> Generator[Progress, None, ModelBundle]:
    """Train on a study and save bundle, baselines and training curve in `output`.

    Parameters
    ----------
    study
        Participants with MRI and ECG.
    config
        How to train.
    output
        Folder of the run.
    resume
        Go on from checkpoints in `output`; otherwise they are removed first.
    keep_work
        Keep model inputs and checkpoints.
    n_workers
        Processes that read recordings.
    log_folder
        If given, every epoch is written there for TensorBoard too, which must be installed.
    watch
        If given, told of the plan, of steps and epochs, and of how a few validation participants are reconstructed.

    Raises
    ------
    TrainingError
        When there are too few pairs, the loss is not finite, or checkpoints are of another configuration.
    StudyError
        When recordings cannot be read or there is no space.
    """
    root = Path(output).expanduser().absolute()
    if log_folder is not None:
        check_tensorboard()
    with joined_processes() as processes:
        if processes.is_first and not resume and (root / WORK).exists():
            shutil.rmtree(root / WORK)
        inputs = yield from _inputs(study, root / WORK / "inputs", n_workers, processes)
        run = TrainingRun.prepare(study, inputs, config, root, processes, log_folder, watch)
        bundle = yield from run.run()
        processes.wait()
        if processes.is_first and not keep_work:
            shutil.rmtree(root / WORK)
    return bundle


def _inputs(
    study: Study, folder: Path, n_workers: int | None, processes: Processes
) -> Generator[Progress, None, ModelInputs]:
    """Model inputs, made by the first process while the others wait."""
    if processes.is_first:
        yield from build_model_inputs(study, folder, n_workers)
    processes.wait()
    return load_model_inputs(folder, study.cohort().participant_ids)


@dataclass(frozen=True, slots=True, eq=False)
class TrainingRun:
    """A run with its participants divided.

    Attributes
    ----------
    study, inputs, config, root
        What to train on, how, and where to.
    rows
        Rows of the inputs to ``train`` on, to ``valid``ate on and that are held out as ``test``.
    precision
        Device and number format.
    processes
        This process among those that train together.
    log_folder
        Where TensorBoard's logs go; None for none.
    watch
        Who is told of what happens; None for nobody.
    """

    study: Study
    inputs: ModelInputs
    config: TrainingConfig
    root: Path
    rows: dict[str, NDArray[np.intp]]
    precision: Precision
    processes: Processes = ALONE
    log_folder: Path | None = None
    watch: TrainingWatch | None = None

    @classmethod
    def prepare(
        cls,
        study: Study,
        inputs: ModelInputs,
        config: TrainingConfig,
        root: Path,
        processes: Processes = ALONE,
        log_folder: Path | None = None,
        watch: TrainingWatch | None = None,
    ) -> "TrainingRun":
        """Divide the participants at random by the configuration's seed and shares."""
        cohort = study.cohort()
        shares = {"train": config.train_fraction, "valid": config.valid_fraction}
        parts = cohort.split(shares | {"test": 1.0 - sum(shares.values())}, config.seed)
        rows = {name: cohort.rows_of(ids.tolist()) for name, ids in parts.items()}
        rows["valid"] = rows["valid"][:MAX_VALIDATION]
        pairs = {name: len(np.intersect1d(part, inputs.rows_with("joint"))) for name, part in rows.items()}
        if min(pairs["train"], pairs["valid"]) < MIN_PAIRS:
            raise TrainingError(
                f"The study {study.path} has {pairs['train']} participants with both MRI and ECG to train on and "
                f"{pairs['valid']} to validate on; at least {MIN_PAIRS} of each are needed."
            )
        is_first = processes.is_first
        precision = _settled_precision(config, root / WORK / PRECISION_FILE) if is_first else None
        precision = processes.from_first(precision)
        assert precision is not None
        return cls(study, inputs, config, root, rows, precision, processes, log_folder, watch)

    def run(self) -> Generator[Progress, None, ModelBundle]:
        """All stages in order."""
        torch.manual_seed(self.config.seed)
        network = self._network()
        if self.watch is not None:
            self.watch.on_plan(self._plan(network))
        histories: dict[StageName, History] = {}
        beginnings = {
            modality: CrossModalAutoencoder(network.config.only(modality)) for modality in network.config.coders
        }
        for modality, unimodal in beginnings.items():
            _copy_weights(network, unimodal, modality)
        untrained = {modality: deepcopy(unimodal) for modality, unimodal in beginnings.items()}
        for modality in MODALITIES:
            if self.config.epochs(modality) > 0:
                unimodal = beginnings[modality]
                yield from self._run_stage(modality, unimodal, histories)
                self._save(self._bundle(unimodal, histories[modality]), BASELINES, modality)
                _copy_weights(unimodal, network, modality)
        yield from self._run_stage("joint", network, histories)
        if network.label_head is not None:
            yield from self._run_stage("labels", network, histories)
        bundle = self._bundle(network, histories["joint"])
        yield from self._run_baselines(untrained, histories)
        if self.processes.is_first:
            self._write_curve(histories)
        self._save(bundle)
        return bundle

    def _plan(self, network: CrossModalAutoencoder) -> TrainingPlan:
        names = [name for name in STAGES if name != "labels" or network.label_head is not None]
        stages = [PlannedStage(name, self.config.epochs(name), self.config.budget_s(name)) for name in names]
        return TrainingPlan(tuple(stage for stage in stages if stage.n_passes))

    def _run_baselines(
        self, untrained: dict[str, CrossModalAutoencoder], histories: dict[StageName, History]
    ) -> Generator[Progress, None, None]:
        """Train the unimodal networks that are to be compared with after as many passes as the cross-modal one had."""
        for name in STAGES:
            if name in MAIN_STAGES or self.config.epochs(name) == 0:
                continue
            modality = modality_of(name)
            network = untrained[modality]
            if name.endswith("_vae"):
                torch.manual_seed(self.config.seed)
                network = CrossModalAutoencoder(replace(network.config, is_probabilistic=True))
            yield from self._run_stage(name, network, histories)
            folder = modality if name.endswith("_baseline") else name
            self._save(self._bundle(network, histories[name]), BASELINES, folder)

    def _save(self, bundle: ModelBundle, *folders: str) -> None:
        if self.processes.is_first:
            bundle.save(self.root.joinpath(*folders))

    def _network(self) -> CrossModalAutoencoder:
        has_labels = self.config.epochs_labels > 0 and bool(self.inputs.has_labels[self.rows["train"]].any())
        labels = LabelHeadConfig() if has_labels else None
        config = AutoencoderConfig.preset(self.config.preset, labels)
        if self.config.gelu == "exact" and config.mri is not None:
            config = replace(config, mri=replace(config.mri, activation="gelu_exact"))
        config = replace(config, is_probabilistic=self.config.is_probabilistic)
        return CrossModalAutoencoder(config, self.config.initial_log_scale)

    def _run_stage(
        self, name: StageName, network: CrossModalAutoencoder, histories: dict[StageName, History]
    ) -> Generator[Progress, None, None]:
        """Train a stage to its end; its history is in `histories`, and in the training curve, from the beginning."""
        network.to(self.precision.device)
        lay_out_channels_last(network)
        pairs = "joint" if name == "joint" else modality_of(name)
        learned = "any" if name == "joint" and self.config.uses_unpaired else pairs
        stage = Stage(
            name,
            network,
            self._objective(name, network),
            np.intersect1d(self.rows["train"], self.inputs.rows_with(learned)),
            np.intersect1d(self.rows["valid"], self.inputs.rows_with(pairs)),
            self.inputs.participant_ids,
            self.config,
            self.root / WORK / f"checkpoint_{name}.pt",
            self.processes,
        )
        stage.resume()
        if stage.note:
            yield Progress(0, 1, stage.note)
        yield Progress(0, 1, f"{name}: {len(stage.train_rows)} participants ({self.precision})")
        histories[name] = stage.state.history
        stage.on_epoch.append(lambda row: self._write_curve(histories))
        with ExitStack() as logs:
            if self.log_folder is not None and self.processes.is_first:
                log = tensorboard_log(self.log_folder / name, stage.state.epoch)
                stage.on_epoch.append(logs.enter_context(log))
            if self.watch is not None and self.processes.is_first:
                _let_watch(stage, self.watch, self._shown(stage))
            yield from stage.run()

    def _shown(self, stage: Stage) -> Callable[[int], Reconstructions] | None:
        """Reconstruct a few participants with both recordings after an epoch; None for the label head, not the same."""
        rows = np.intersect1d(self.rows["valid"], self.inputs.rows_with("joint"))[:N_SHOWN]
        ids = self.inputs.participant_ids
        if stage.name == "labels":
            return None
        return lambda epoch: reconstruct(stage.network, self.inputs, rows, ids, self.precision, stage.name, epoch)

    def _objective(self, name: StageName, network: CrossModalAutoencoder) -> Objective:
        if name == "joint":
            return CrossModalObjective(self.inputs, self.config, self.precision)
        if name == "labels":
            labels = network.config.labels
            assert labels is not None
            weights = class_weights(self.inputs, self.rows["train"], labels.label_values)
            return LabelObjective(self.inputs, self.config, self.precision, weights)
        return UnimodalObjective(self.inputs, modality_of(name), self.precision, self.config)

    # ------------------------------------------------------------------------------------------------------- results

    def _bundle(self, network: CrossModalAutoencoder, history: History) -> ModelBundle:
        """Wrap a trained network with what is known of it."""
        factors = self.study.factors_table()
        metadata = describe_model(
            network.config,
            is_simulated=factors is not None,
            data_source=f"study {self.study.name!r} ({self.study.fingerprint})",
            n_participants=len(self.rows["train"]),
        )
        held_out = self.inputs.participant_ids[self.rows["test"]].tolist()
        training = {
            "config": self.config.to_dict(),
            "seed": self.config.seed,
            "n_processes": self.processes.size,
            "study_fingerprint": self.study.fingerprint,
            "study_provenance": dict(self.study.manifest.provenance),
            "precision": str(self.precision),
            "torch": str(torch.__version__),
            "epochs": len(history),
            "last_epoch": history[-1],
            "held_out_ids": held_out,
        }
        network.cpu()
        bundle = ModelBundle(network, metadata, PREPROCESSING, {}, training)
        statistics: dict[str, NDArray[np.float32]] = {}
        for modality in bundle.modalities:
            latents = self._latents(bundle, modality)
            statistics |= {f"{modality}_mean": latents.mean(axis=0), f"{modality}_std": latents.std(axis=0)}
        return ModelBundle(network, metadata, PREPROCESSING, statistics, training)

    def _latents(self, bundle: ModelBundle, modality: str) -> NDArray[np.float32]:
        rows = np.intersect1d(self.rows["train"], self.inputs.rows_with(modality))[:1000]
        batches = [rows[i : i + 64] for i in range(0, len(rows), 64)]
        return np.concatenate([bundle.encode(modality, self.inputs.batch(modality, part).numpy()) for part in batches])

    def _write_curve(self, histories: dict[StageName, History]) -> None:
        tables = [pd.DataFrame(histories[name]).assign(stage=name) for name in STAGES if name in histories]
        curve = pd.concat(tables, ignore_index=True)
        first = ["stage", "epoch"]
        curve = curve[first + [column for column in curve.columns if column not in first]]
        write_file(self.root / CURVE_FILE, curve.to_csv(index=False, float_format="%.6g").encode())


def _let_watch(stage: Stage, watch: TrainingWatch, shown: Callable[[int], Reconstructions] | None) -> None:
    """Tell of each step and epoch of a stage."""

    def tell(row: Mapping[str, float]) -> None:
        if shown is not None:
            watch.on_reconstructions(shown(int(row["epoch"])))
        watch.on_epoch(TrainingEpoch(stage.name, row))

    stage.on_step = watch.on_step
    stage.on_epoch.append(tell)


def _settled_precision(config: TrainingConfig, file: Path) -> Precision:
    """Choose the precision once per run: ``auto`` measures, and another measurement could choose otherwise."""
    device = Precision.choose("float32").device
    settled = json.loads(file.read_text()) if file.is_file() else {}
    if settled.get("asked") == config.precision and settled.get("device") == device.type:
        return Precision(device, bool(settled["uses_bfloat16"]))
    precision = Precision.choose(config.precision, device)
    content = {"asked": config.precision, "device": device.type, "uses_bfloat16": precision.uses_bfloat16}
    write_file(file, json.dumps(content).encode())
    return precision


def _copy_weights(source: CrossModalAutoencoder, target: CrossModalAutoencoder, modality: str) -> None:
    """Copy encoder and decoder of one modality."""
    target.encoders[modality].load_state_dict(source.encoders[modality].state_dict())
    target.decoders[modality].load_state_dict(source.decoders[modality].state_dict())
