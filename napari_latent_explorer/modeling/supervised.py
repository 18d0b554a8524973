"""Networks that learn phenotypes end to end: the bundle's encoder, from random weights, and one linear layer.

They are what the shared latents have to be better than (Fig. 2c), and the one of the MRI is the judge of translated
MRIs (Fig. 3c). One network per modality learns all phenotypes together: log-cosh for standardised numbers and
cross-entropy for yes or no, people without a value left out. Rate, halving and end are the paper's (halve after an
epoch without improvement, stop after the third time); a limit of time may end it sooner. Each epoch follows from (seed,
modality, epoch) and is kept, so a training that was stopped goes on.
"""

import math
import time
import zlib
from collections.abc import Generator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from napari_latent_explorer.data.phenotype import PhenotypeSpec
from napari_latent_explorer.data.progress import Progress
from napari_latent_explorer.errors import TrainingError
from napari_latent_explorer.modeling.checkpoint import read_checkpoint, write_checkpoint
from napari_latent_explorer.modeling.phenotype_prediction import LabelledSplit
from napari_latent_explorer.modeling.recording_cache import RecordingCache
from napari_latent_explorer.nn.blocks import lay_out_channels_last
from napari_latent_explorer.nn.coder import CoderConfig, Encoder
from napari_latent_explorer.nn.losses import log_cosh

MAX_EPOCHS = 100
MAX_DECAYS = 3
LEARNING_RATE = 1e-3
BATCH = 16
GRADIENT_NORM = 1.0


class SupervisedNetwork(nn.Module):
    """Encoder and last layer: recordings to latents ``(batch, latent_dim)`` to outputs ``(batch, n_targets)``."""

    def __init__(self, coder: CoderConfig, latent_dim: int, n_targets: int) -> None:
        super().__init__()
        self.encoder = Encoder(coder, latent_dim)
        self.last = nn.Linear(latent_dim, n_targets)
        lay_out_channels_last(self)

    def forward(self, x: Tensor) -> Tensor:
        """Predict standardised numbers and logits."""
        outputs: Tensor = self.last(self.encoder(x))
        return outputs


@dataclass(frozen=True, slots=True, eq=False)
class SupervisedModel:
    """A trained network.

    Attributes
    ----------
    modality
        What it takes.
    network
        In evaluation mode.
    specs
        What its outputs are.
    offset, unit
        ``(n_targets,)``; numbers are outputs times `unit` plus `offset`.
    epochs
        Epochs that it was trained for.
    """

    modality: str
    network: SupervisedNetwork
    specs: tuple[PhenotypeSpec, ...]
    offset: NDArray[np.float64]
    unit: NDArray[np.float64]
    epochs: int

    @torch.inference_mode()
    def embed(self, x: Tensor) -> NDArray[np.float32]:
        """Input of the last layer ``(n, latent_dim)``, as numbers to regress on."""
        device = self.network.last.weight.device
        return self.network.encoder(x.to(device)).float().cpu().numpy()  # type: ignore[no-any-return]

    @torch.inference_mode()
    def predict(self, x: Tensor) -> NDArray[np.float64]:
        """Values ``(n, n_targets)`` of numbers in their units, and logits."""
        outputs = self.network(x.to(self.network.last.weight.device)).double().cpu().numpy()
        return np.asarray(outputs * self.unit + self.offset)


@dataclass(slots=True)
class _State:
    epoch: int = 0
    elapsed_s: float = 0.0
    rate_factor: float = 1.0
    n_decays: int = 0
    best_loss: float = math.inf


def train_supervised(
    coder: CoderConfig,
    latent_dim: int,
    recordings: RecordingCache,
    outcomes: NDArray[np.float64],
    specs: Sequence[PhenotypeSpec],
    split: LabelledSplit,
    checkpoint: Path,
    *,
    max_minutes: float | None,
    seed: int = 0,
    max_epochs: int = MAX_EPOCHS,
) -> Generator[Progress, None, SupervisedModel]:
    """Train on ``split.train`` until ``split.valid`` no longer improves, or time is over.

    Parameters
    ----------
    coder, latent_dim
        Shape of the encoder.
    recordings, outcomes, specs, split
        Inputs and targets ``(n, n_targets)`` of the same rows; columns without any value are left out.
    checkpoint
        File for the state after each epoch.
    max_minutes
        Wall time at most, at least one epoch; None for no limit.
    seed
        Settles weights and order.
    max_epochs
        At most so many passes.

    Raises
    ------
    TrainingError
        When the loss is not finite, or every checkpoint is damaged.
    """
    run = _Run(coder, latent_dim, recordings, outcomes, specs, split, checkpoint, seed)
    run.resume()
    while not run.is_finished(max_minutes, max_epochs):
        yield from run.train_epoch(max_minutes)
    return run.model()


class _Run:
    def __init__(
        self,
        coder: CoderConfig,
        latent_dim: int,
        recordings: RecordingCache,
        outcomes: NDArray[np.float64],
        specs: Sequence[PhenotypeSpec],
        split: LabelledSplit,
        checkpoint: Path,
        seed: int,
    ) -> None:
        usable = np.flatnonzero(np.isfinite(outcomes[split.train]).any(axis=0))
        self.specs = tuple(specs[column] for column in usable.tolist())
        self.is_binary = np.array([spec.kind == "binary" for spec in self.specs])
        known = outcomes[:, usable]
        self.offset = np.where(self.is_binary, 0.0, np.nanmean(known[split.train], axis=0))
        self.unit = np.where(self.is_binary, 1.0, np.nanstd(known[split.train], axis=0))
        self.targets = torch.from_numpy(((known - self.offset) / self.unit).astype(np.float32))
        self.recordings, self.split, self.checkpoint, self.seed = recordings, split, checkpoint, seed
        self.device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(zlib.crc32(f"{seed}/{recordings.modality}".encode()))
            self.network = SupervisedNetwork(coder, latent_dim, len(self.specs)).to(self.device)
        self.optimizer = torch.optim.Adam(self.network.parameters(), lr=LEARNING_RATE)
        self.state = _State()
        self.best: dict[str, Tensor] = {}
        names = ",".join(spec.name for spec in self.specs)
        people = f"{len(split.train)}/{len(split.valid)}/{len(recordings.values)}"
        self.key = f"{recordings.modality} {seed} {coder} {latent_dim} {people} {names}"

    def resume(self) -> None:
        """Go on from the checkpoint when it is of the same task."""
        found = read_checkpoint(self.checkpoint)
        if found is None or found.content.get("key") != self.key:
            return
        self.network.load_state_dict(found.content["network"])
        self.optimizer.load_state_dict(found.content["optimizer"])
        self.best, self.state = found.content["best"], _State(**found.content["state"])

    def is_finished(self, max_minutes: float | None, max_epochs: int) -> bool:
        """Whether time, epochs or improvements are over."""
        state = self.state
        is_late = max_minutes is not None and state.epoch > 0 and state.elapsed_s >= 60.0 * max_minutes
        return is_late or state.n_decays >= MAX_DECAYS or state.epoch >= max_epochs

    def train_epoch(self, max_minutes: float | None) -> Generator[Progress, None, None]:
        """One pass, validation, checkpoint; time that is over ends the pass early."""
        started = time.monotonic()
        random = torch.Generator().manual_seed(
            zlib.crc32(f"{self.seed}/{self.recordings.modality}/{self.state.epoch}".encode())
        )
        order = self.split.train[torch.randperm(len(self.split.train), generator=random).numpy()]
        for group in self.optimizer.param_groups:
            group["lr"] = LEARNING_RATE * self.state.rate_factor
        self.network.train()
        for start in range(0, len(order), BATCH):
            elapsed_s = self.state.elapsed_s + time.monotonic() - started
            if max_minutes is not None and start and elapsed_s >= 60.0 * max_minutes:
                break
            self._step(order[start : start + BATCH])
            message = f"supervised {self.recordings.modality}, epoch {self.state.epoch + 1}"
            if self.state.epoch:
                message += f": validation {self.state.best_loss:.4f} at best"
            yield Progress(start, len(order), message)
        self._finish_epoch(started)

    def _step(self, rows: NDArray[np.intp]) -> None:
        loss = self._loss(rows)
        if loss is None:
            return
        if not math.isfinite(float(loss.detach())):
            raise TrainingError(
                f"The loss of the supervised {self.recordings.modality} network is not finite in epoch "
                f"{self.state.epoch + 1}. Look at the phenotypes of the study for absurd values."
            )
        self.optimizer.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        nn.utils.clip_grad_norm_(self.network.parameters(), GRADIENT_NORM)
        self.optimizer.step()

    def _loss(self, rows: NDArray[np.intp]) -> Tensor | None:
        """Mean over the targets of their loss over the people who have a value; None when nobody has any."""
        outputs = self.network(self.recordings.batch(rows).to(self.device))
        targets = self.targets[torch.from_numpy(rows)].to(self.device)
        losses = []
        for column, is_binary in enumerate(self.is_binary):
            known = torch.isfinite(targets[:, column])
            if known.any():
                truth, found = targets[known, column], outputs[known, column]
                cross_entropy = nn.functional.binary_cross_entropy_with_logits
                losses.append(cross_entropy(found, truth) if is_binary else log_cosh(truth, found))
        return torch.stack(losses).mean() if losses else None

    @torch.no_grad()
    def _validate(self) -> float:
        self.network.eval()
        rows = self.split.valid
        parts = [rows[start : start + 64] for start in range(0, len(rows), 64)]
        losses = [(float(loss), len(part)) for part in parts if (loss := self._loss(part)) is not None]
        return sum(loss * n for loss, n in losses) / sum(n for _, n in losses)

    def _finish_epoch(self, started: float) -> None:
        state, loss = self.state, self._validate()
        if loss < state.best_loss:
            state.best_loss = loss
            self.best = {name: value.detach().clone() for name, value in self.network.state_dict().items()}
        else:
            state.rate_factor *= 0.5
            state.n_decays += 1
        state.epoch += 1
        state.elapsed_s += time.monotonic() - started
        content: dict[str, Any] = {
            "key": self.key,
            "state": {name: getattr(state, name) for name in _State.__slots__},
            "network": self.network.state_dict(),
            "best": self.best,
            "optimizer": self.optimizer.state_dict(),
        }
        write_checkpoint(self.checkpoint, content)

    def model(self) -> SupervisedModel:
        """Network with the best weights."""
        self.network.load_state_dict(self.best)
        self.network.eval().requires_grad_(requires_grad=False)
        return SupervisedModel(
            self.recordings.modality, self.network, self.specs, self.offset, self.unit, self.state.epoch
        )
