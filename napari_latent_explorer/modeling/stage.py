"""One stage of training: epochs of steps over the participants, with validation, checkpoints and the best weights.

The hard idea is that a stage can be killed at any moment and goes on bit for bit: all randomness of an epoch follows
from (seed, stage, epoch), and weights, optimizer and history are written in one step after each epoch. That holds for a
stage bounded by epochs, on the same machine with the same number of threads and processes. A stage bounded by time
cannot be replayed: its learning rate and its end follow the clock, which no two runs share, so a resumed one takes up
the last finished epoch exactly but then goes another way than the run that was not interrupted would have gone.
"""

import math
import time
import zlib
from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn
from torch.nn.parallel import DistributedDataParallel

from napari_latent_explorer.data.progress import Progress
from napari_latent_explorer.errors import TrainingError
from napari_latent_explorer.modeling.checkpoint import read_checkpoint, write_checkpoint
from napari_latent_explorer.modeling.objectives import Loss, Objective
from napari_latent_explorer.modeling.processes import ALONE, Processes
from napari_latent_explorer.modeling.training_config import StageName, TrainingConfig, modality_of
from napari_latent_explorer.modeling.training_reports import STAGE_TITLES, TrainingStep
from napari_latent_explorer.nn.autoencoder import CrossModalAutoencoder

WARM_UP_STEPS = 50
FINAL_RATE = 0.02
MAX_DECAYS = 3
ML4H_PATIENCE = 64
PROGRESS_UNITS = 1000

History = list[dict[str, float]]


@dataclass(slots=True)
class StageState:
    """What changes while a stage runs; exactly what a checkpoint holds besides weights and optimizer."""

    epoch: int = 0
    step: int = 0
    progress: float = 0.0
    elapsed_s: float = 0.0
    plateau_factor: float = 1.0
    n_decays: int = 0
    n_stale: int = 0
    best_loss: float = math.inf
    history: History = field(default_factory=list)


@dataclass(slots=True)
class Stage:
    """A stage ready to run.

    Attributes
    ----------
    name
        Which stage.
    network
        Trained in place; holds the best weights at the end.
    objective
        Loss of a batch.
    train_rows, valid_rows
        Rows of the model inputs.
    participant_ids
        Id of each row, for messages.
    config
        The run's configuration.
    checkpoint
        File for the state after each epoch; the state after the epoch before it is kept beside it.
    processes
        This process among those that train together.
    on_epoch
        Each is told the numbers of each finished epoch.
    on_step
        Told of each step, if given.
    note
        What `resume` has to say about a damaged checkpoint; empty if nothing.
    """

    name: StageName
    network: CrossModalAutoencoder
    objective: Objective
    train_rows: NDArray[np.intp]
    valid_rows: NDArray[np.intp]
    participant_ids: NDArray[np.str_]
    config: TrainingConfig
    checkpoint: Path
    processes: Processes = ALONE
    on_epoch: list[Callable[[Mapping[str, float]], None]] = field(default_factory=list)
    on_step: Callable[[TrainingStep], None] | None = None
    state: StageState = field(default_factory=StageState)
    best: dict[str, torch.Tensor] = field(default_factory=dict)
    note: str = ""
    optimizer: torch.optim.Optimizer = field(init=False)
    batch_loss: nn.Module = field(init=False)
    epoch_began_s: float = field(init=False, default=0.0)

    def __post_init__(self) -> None:
        parameters = self.network.parameters()
        if self.config.optimizer == "radam":
            self.optimizer = torch.optim.RAdam(parameters, lr=self.peak_rate)
        else:
            self.optimizer = torch.optim.Adam(parameters, lr=self.peak_rate, fused=True)
        self.batch_loss = _BatchLoss(self.network, self.objective, self.processes)
        if self.processes.size > 1:
            self.batch_loss = DistributedDataParallel(self.batch_loss, find_unused_parameters=True)

    # ---------------------------------------------------------------------------------------------------- sizes

    @property
    def batch_size(self) -> int:
        """Participants in a step."""
        return self.config.batch_size_joint if self.name == "joint" else self.config.batch_size

    @property
    def peak_rate(self) -> float:
        """Highest learning rate."""
        config = self.config
        return {
            "mri": config.learning_rate_mri,
            "ecg": config.learning_rate_ecg,
            "joint": config.learning_rate_joint,
            "labels": config.learning_rate_labels,
        }[modality_of(self.name)]

    @property
    def steps_per_epoch(self) -> int:
        """Full batches in the training participants (one smaller batch when there are too few for a full one)."""
        n_full = max(1, len(self.train_rows) // self.batch_size)
        return min(n_full, self.config.steps_per_epoch or n_full)

    @property
    def is_finished(self) -> bool:
        """Whether the stage has had its epochs or its time, or stopped improving."""
        state = self.state
        if self.config.schedule == "plateau" and state.n_decays >= MAX_DECAYS:
            return True
        if self.config.schedule == "ml4h" and state.n_stale >= MAX_DECAYS * ML4H_PATIENCE:
            return True
        if self.config.budget_s(self.name) is None:
            return state.epoch >= self.config.epochs(self.name)
        return state.progress >= 1.0

    # ---------------------------------------------------------------------------------------------------- running

    def run(self) -> Generator[Progress, None, History]:
        """Train to the end, writing a checkpoint after each epoch; returns one row of numbers per epoch."""
        while not self.is_finished:
            self.epoch_began_s = time.monotonic()
            parts = yield from self._train_epoch()
            self._finish_epoch(parts)
            yield self._report(f"validation {self.state.history[-1]['valid_loss']:.4f}")
        self.network.load_state_dict(self.best)
        return self.state.history

    def _train_epoch(self) -> Generator[Progress, None, dict[str, float]]:
        """One pass in random order, or as much of it as time allows; returns the mean of each part of the loss."""
        random = self._generator("train", self.state.epoch)
        order = self.train_rows[torch.randperm(len(self.train_rows), generator=random).numpy()]
        sums: dict[str, float] = {}
        n_steps = 0
        self.network.train()
        while n_steps < self.steps_per_epoch and (n_steps == 0 or self.state.progress < 1.0):
            rows = order[n_steps * self.batch_size : (n_steps + 1) * self.batch_size]
            parts = self._step(rows, random)
            for name, value in parts.items():
                sums[name] = sums.get(name, 0.0) + value
            n_steps += 1
            self.state.progress = self._progress(n_steps)
            if self.on_step is not None:
                n_passes = self.state.epoch + n_steps / self.steps_per_epoch
                self.on_step(TrainingStep(self.name, n_passes, self.state.progress, len(rows), parts))
            yield from self._pausable(", ".join(f"{name} {total / n_steps:.4f}" for name, total in sums.items()))
        return {name: total / n_steps for name, total in sums.items()}

    def _pausable(self, losses: str) -> Generator[Progress, None, None]:
        """Report; the time until whoever drives this training wants the next step is not the training's."""
        before_s = time.monotonic()
        yield self._report(losses)
        self.epoch_began_s += time.monotonic() - before_s

    def _progress(self, n_steps: int) -> float:
        """Part of the stage that is over, in [0, 1]: by time if that is limited, otherwise by steps."""
        budget_s = self.config.budget_s(self.name)
        if budget_s is not None:
            own = min(1.0, (self.state.elapsed_s + time.monotonic() - self.epoch_began_s) / budget_s)
            return self.processes.from_first(own)
        return (self.state.epoch + n_steps / self.steps_per_epoch) / self.config.epochs(self.name)

    def _step(self, rows: NDArray[np.intp], random: torch.Generator) -> dict[str, float]:
        rate = self._rate()
        for group in self.optimizer.param_groups:
            group["lr"] = rate
        loss: Loss = self.batch_loss(rows, random)
        names = tuple(loss.parts)
        means = self.processes.total(torch.stack([loss.parts[name] for name in names])) / self.processes.size
        parts = dict(zip(names, means.tolist(), strict=True))
        if not all(math.isfinite(part) for part in parts.values()):
            raise self._not_finite(rows, parts)
        self.optimizer.zero_grad(set_to_none=True)
        loss.total.backward()  # type: ignore[no-untyped-call]
        for part in (self.network.encoders, self.network.decoders, self.network.label_head):
            if part is not None:
                torch.nn.utils.clip_grad_norm_(part.parameters(), self.config.gradient_norm)
        self.optimizer.step()
        self.state.step += 1
        return parts

    def _rate(self) -> float:
        """Learning rate now."""
        if self.config.schedule != "cosine":
            return self.peak_rate * self.state.plateau_factor
        warm_up = min(1.0, (self.state.step + 1) / WARM_UP_STEPS)
        cosine = 0.5 * (1.0 + math.cos(math.pi * self.state.progress))
        return self.peak_rate * warm_up * (FINAL_RATE + (1.0 - FINAL_RATE) * cosine)

    def _finish_epoch(self, parts: dict[str, float]) -> None:
        state = self.state
        validation = self.processes.from_first(self.validate() if self.processes.is_first else {})
        if not math.isfinite(validation["valid_loss"]):
            raise TrainingError(f"Validation of stage {self.name} after epoch {state.epoch + 1} is not finite.")
        if validation["valid_loss"] < state.best_loss:
            state.best_loss = validation["valid_loss"]
            state.n_stale = 0
            self.best = {name: value.detach().clone() for name, value in self.network.state_dict().items()}
        else:
            state.n_stale += 1
            if self.config.schedule == "plateau" or (
                self.config.schedule == "ml4h" and state.n_stale % ML4H_PATIENCE == 0
            ):
                state.plateau_factor *= 0.5
                state.n_decays += 1
        state.epoch += 1
        state.elapsed_s += time.monotonic() - self.epoch_began_s
        row = {"epoch": float(state.epoch), "learning_rate": self._rate(), "elapsed_s": round(state.elapsed_s, 1)}
        state.history.append(row | {f"train_{name}": value for name, value in parts.items()} | validation)
        if self.processes.is_first:
            self.save_checkpoint()
            for tell in self.on_epoch:
                tell(state.history[-1])

    @torch.no_grad()
    def validate(self) -> dict[str, float]:
        """Loss, its parts and what else the objective watches on the validation participants, by the same draw."""
        self.network.eval()
        random = self._generator("valid", 0)
        size = max(2, self.batch_size)
        batches = [self.valid_rows[i : i + size] for i in range(0, len(self.valid_rows), size)]
        sums: dict[str, float] = {}
        for rows in batches:
            loss = self.objective(self.network, rows, random)
            for name, part in (loss.parts | {"loss": loss.total}).items():
                sums[name] = sums.get(name, 0.0) + float(part) * len(rows) / len(self.valid_rows)
        monitored = self.objective.monitored(self.network, self.valid_rows)
        return {f"valid_{name}": value for name, value in (sums | monitored).items()}

    # ---------------------------------------------------------------------------------------------------- resuming

    def save_checkpoint(self) -> None:
        """Write everything that `resume` needs, in one step."""
        content = {
            "state": {name: getattr(self.state, name) for name in StageState.__slots__},
            "network": self.network.state_dict(),
            "best": self.best,
            "optimizer": self.optimizer.state_dict(),
            "config": self.config.to_dict() | {"stage_shares": list(self.config.stage_shares)},
        }
        write_checkpoint(self.checkpoint, content)

    def resume(self) -> bool:
        """Go on from the newest whole checkpoint if there is one; tells whether there was.

        What is wrong with a newer one that had to be passed over stands in `note`.

        Raises
        ------
        TrainingError
            When every checkpoint is damaged or it was made with another configuration.
        """
        found_checkpoint = read_checkpoint(self.checkpoint) if self.processes.is_first else None
        self.processes.wait()  # the first process puts the one before in the place of a damaged one
        if not self.processes.is_first:
            found_checkpoint = read_checkpoint(self.checkpoint)
        if found_checkpoint is None:
            return False
        content, self.note = found_checkpoint.content, found_checkpoint.note
        found = TrainingConfig.from_dict(content["config"])
        if found != self.config:
            raise TrainingError(
                f"The checkpoint {self.checkpoint} was made with another configuration. Train with the same options as "
                "before, or into another folder."
            )
        self.network.load_state_dict(content["network"])
        self.optimizer.load_state_dict(content["optimizer"])
        self.best = content["best"]
        self.state = StageState(**content["state"])
        return True

    # ---------------------------------------------------------------------------------------------------- messages

    def _generator(self, purpose: str, epoch: int) -> torch.Generator:
        seed = zlib.crc32(f"{self.config.seed}/{self.name}/{purpose}/{epoch}".encode())
        return torch.Generator().manual_seed(seed)

    def _report(self, losses: str) -> Progress:
        message = f"{STAGE_TITLES[self.name]}, epoch {self.state.epoch + 1}: {losses}"
        return Progress(min(PROGRESS_UNITS, int(PROGRESS_UNITS * self.state.progress)), PROGRESS_UNITS, message)

    def _not_finite(self, rows: NDArray[np.intp], parts: dict[str, float]) -> TrainingError:
        bad = ", ".join(f"{name} = {value}" for name, value in parts.items() if not math.isfinite(value))
        return TrainingError(
            f"The loss of stage {self.name} is not finite ({bad}) in epoch {self.state.epoch + 1}, step "
            f"{self.state.step + 1}; the batch was {', '.join(self.participant_ids[rows].tolist())}. Look at these "
            "recordings, or lower the learning rate and train again; the last checkpoint is kept."
        )


class _BatchLoss(nn.Module):
    """An objective as a module's forward pass, which is where `DistributedDataParallel` hooks in."""

    def __init__(self, network: CrossModalAutoencoder, objective: Objective, processes: Processes) -> None:
        super().__init__()
        self.network = network
        self.objective = objective
        self.processes = processes

    def forward(self, rows: NDArray[np.intp], random: torch.Generator) -> Loss:
        """Loss of this process's share of the rows."""
        return self.objective(self.network, rows, random, self.processes)
