"""What one step of each training stage computes: a loss to minimise and its parts to report.

An objective takes rows of the model inputs and a generator of random numbers, nothing else; so the same rows with
the same seed give the same loss, which makes validation comparable between epochs and training resumable.

Of several processes, each computes its share of the rows (see `processes`). Its loss is scaled so that the mean over
the processes is the loss of the whole batch, whatever the shares; the mean of their gradients is then its gradient.
"""

from collections.abc import Callable
from dataclasses import dataclass
from itertools import combinations
from typing import Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from napari_latent_explorer.modeling.inputs import ModelInputs
from napari_latent_explorer.modeling.precision import Precision
from napari_latent_explorer.modeling.processes import ALONE, Processes
from napari_latent_explorer.modeling.training_config import TrainingConfig
from napari_latent_explorer.nn.autoencoder import CrossModalAutoencoder
from napari_latent_explorer.nn.fusion import draw_sources, merge
from napari_latent_explorer.nn.losses import (
    IGNORED_CLASS,
    contrastive_loss,
    label_loss,
    log_cosh,
    mean_squared_error,
    standard_normal_divergence,
)

Rows = NDArray[np.intp]
ReconstructionLoss = Callable[[Tensor, Tensor], Tensor]


@dataclass(frozen=True, slots=True)
class Loss:
    """Loss to minimise and its parts by name, all scalars; the parts carry no gradient."""

    total: Tensor
    parts: dict[str, Tensor]


class Recordings(Protocol):
    """Where batches come from; `ModelInputs` is one."""

    def batch(self, modality: str, rows: Rows) -> Tensor:
        """Model tensors ``(batch, channel, *space)`` of the given rows."""

    def has(self, modality: str) -> NDArray[np.bool_]:
        """Whether each row has that modality, ``(n,)``."""


class Objective(Protocol):
    """Loss of a batch."""

    def __call__(
        self, network: CrossModalAutoencoder, rows: Rows, random: torch.Generator, processes: Processes = ALONE
    ) -> Loss:
        """Loss of the participants in `rows`, or of this process's share of them."""

    def monitored(self, network: CrossModalAutoencoder, rows: Rows) -> dict[str, float]:
        """Further numbers to watch on the validation participants."""


@dataclass(frozen=True, slots=True)
class UnimodalObjective:
    """Reconstruction of one modality from its own latent; of a variational one, plus the weighted divergence."""

    inputs: Recordings
    modality: str
    precision: Precision
    config: TrainingConfig

    def __call__(
        self, network: CrossModalAutoencoder, rows: Rows, random: torch.Generator, processes: Processes = ALONE
    ) -> Loss:
        """Total loss and its parts: the modality's own and, with probabilistic encoders, ``divergence``."""
        own = processes.share(len(rows))
        x = self.inputs.batch(self.modality, rows[own.numpy()]).to(self.precision.device)
        noise = draw_noise(network, len(rows), random)
        with self.precision.autocast():
            mean, log_variance = network.encode_distribution(self.modality, x)
            z = sample(mean, log_variance, noise, own)
            reconstruction = network.decode(self.modality, z)
        share = _Share(len(x), len(rows), processes.size)
        total = share.of(reconstruction_loss(self.modality, self.config), x, reconstruction)
        parts = {self.modality: total.detach()}
        if log_variance is not None:
            divergence = share.of(standard_normal_divergence, mean, log_variance)
            parts["divergence"] = divergence.detach()
            total = total + self.config.divergence_weight * divergence
        return Loss(total, parts)

    def monitored(self, network: CrossModalAutoencoder, rows: Rows) -> dict[str, float]:
        """Nothing beyond the loss."""
        return {}


@dataclass(frozen=True, slots=True)
class CrossModalObjective:
    """Every modality's reconstruction from the merged vector, and the contrastive term.

    Takes any number of modalities, those that the network is made of. A participant who lacks some is reconstructed in
    those that are there, and takes no part in contrastive terms of those that are not.
    """

    inputs: Recordings
    config: TrainingConfig
    precision: Precision

    def __call__(
        self, network: CrossModalAutoencoder, rows: Rows, random: torch.Generator, processes: Processes = ALONE
    ) -> Loss:
        """Total loss and its parts: one per modality, ``contrastive``, and ``divergence`` of probabilistic encoders."""
        batch = _CrossModalBatch.encode(self, network, rows, random, processes)
        parts = batch.reconstructions()
        weights = {name: self.config.reconstruction_weight(name) for name in parts}
        parts |= {"contrastive": batch.contrastive()} | batch.divergence()
        weights |= {"contrastive": self.config.contrastive_weight, "divergence": self.config.divergence_weight}
        total = torch.stack([weights[name] * part for name, part in parts.items()]).sum()
        return Loss(total, {name: part.detach() for name, part in parts.items()})

    def monitored(self, network: CrossModalAutoencoder, rows: Rows) -> dict[str, float]:
        """Reconstruction errors from each single modality, and how often the last one finds its own first one first.

        In networks of MRI and ECG that is the MRI that an ECG finds.
        """
        names = tuple(network.config.coders)
        x = {name: self.inputs.batch(name, rows).to(self.precision.device) for name in names}
        with self.precision.autocast():
            z = {name: network.encode(name, x[name]) for name in names}
            decoded = {(to, source): network.decode(to, z[source]) for to in names for source in names}
        losses = {name: reconstruction_loss(name, self.config) for name in names}
        found = {f"{to}_from_{source}": float(losses[to](x[to], y)) for (to, source), y in decoded.items()}
        a, b = (torch.nn.functional.normalize(z[name].float(), dim=1) for name in (names[-1], names[0]))
        found["top_1"] = float(((a @ b.T).argmax(dim=1).cpu() == torch.arange(len(rows))).float().mean())
        return found


@dataclass(frozen=True, slots=True, eq=False)
class _CrossModalBatch:
    """One batch on its way through the network.

    Places are rows of the whole batch; `x[name]` has those of `places[name]`, this process's that have the modality.
    """

    objective: CrossModalObjective
    network: CrossModalAutoencoder
    processes: Processes
    available: Tensor  # (n, n_modalities)
    sources: Tensor  # (n_decoded, latent_dim)
    places: dict[str, Tensor]
    x: dict[str, Tensor]
    distributions: dict[str, tuple[Tensor, Tensor | None]]
    samples: Tensor  # (n_modalities, n, latent_dim), zeros in rows that are not this process's

    @classmethod
    def encode(
        cls,
        objective: CrossModalObjective,
        network: CrossModalAutoencoder,
        rows: Rows,
        random: torch.Generator,
        processes: Processes,
    ) -> "_CrossModalBatch":
        names, inputs = tuple(network.config.coders), objective.inputs
        available = torch.from_numpy(np.stack([inputs.has(name)[rows] for name in names], axis=1))
        n_decoded = max(1, round(objective.config.decoded_share * len(rows)))
        sources = draw_sources(objective.config.fusion, available[:n_decoded], network.config.latent_dim, random)
        noise = {name: draw_noise(network, len(rows), random) for name in names}
        own = processes.share(len(rows))
        places = {name: own[available[own, i]] for i, name in enumerate(names)}
        device = objective.precision.device
        x = {name: inputs.batch(name, rows[places[name].numpy()]).to(device) for name in names}
        with objective.precision.autocast():
            distributions = {name: network.encode_distribution(name, x[name]) for name in names}
        z = {name: sample(*distributions[name], noise[name], places[name]) for name in names}
        samples = torch.stack([_spread(z[name], places[name], len(rows)) for name in names])
        return cls(objective, network, processes, available, sources, places, x, distributions, samples)

    def reconstructions(self) -> dict[str, Tensor]:
        """Loss of each modality from the merged vector or, if so configured, its mean with those from each latent."""
        n_decoded = len(self.sources)
        own = self.processes.share(n_decoded)
        from_merged = {name: merge(self.samples[:, own], self.sources[own]) for name in self.places}
        losses = self._decoded(from_merged, own, self.available[:n_decoded])
        if self.objective.config.reconstruction == "merged":
            return losses
        terms: dict[str, list[Tensor]] = {name: [loss] for name, loss in losses.items()}
        for i in range(len(self.places)):
            has_source = self.available[:n_decoded, i : i + 1]
            alone = dict.fromkeys(self.places, self.samples[i, own])
            for name, loss in self._decoded(alone, own, self.available[:n_decoded] & has_source).items():
                terms[name].append(loss)
        return {name: torch.stack(each).mean() for name, each in terms.items()}

    def _decoded(self, z: dict[str, Tensor], own: Tensor, counted: Tensor) -> dict[str, Tensor]:
        """Loss of each modality decoded from `z` in the rows where `counted` ``(n_decoded, n_modalities)`` says so."""
        losses = {}
        for i, name in enumerate(self.places):
            is_counted = counted[own, i]
            with self.objective.precision.autocast():
                reconstruction = self.network.decode(name, z[name][is_counted])
            here = self.places[name]
            x = self.x[name][torch.isin(here, own[is_counted])]
            share = _Share(len(x), int(counted[:, i].sum()), self.processes.size)
            losses[name] = share.of(reconstruction_loss(name, self.objective.config), x, reconstruction)
        return losses

    def contrastive(self) -> Tensor:
        """Mean over the pairs of modalities, each over the participants of the whole batch who have both."""
        n, network = len(self.available), self.network
        means = torch.stack([_spread(self.distributions[name][0], here, n) for name, here in self.places.items()])
        z = self.processes.gathered(means)
        terms = [network.log_scale * 0.0]
        for a, b in combinations(range(len(z)), 2):
            both = self.available[:, a] & self.available[:, b]
            if both.any():
                variant = self.objective.config.contrastive
                terms.append(contrastive_loss(z[a][both], z[b][both], network.log_scale, variant))
        return torch.stack(terms).sum() / max(1, len(terms) - 1)

    def divergence(self) -> dict[str, Tensor]:
        """Mean over the modalities; nothing for deterministic encoders."""
        terms = []
        for i, (mean, log_variance) in enumerate(self.distributions.values()):
            if log_variance is not None:
                share = _Share(len(mean), int(self.available[:, i].sum()), self.processes.size)
                terms.append(share.of(standard_normal_divergence, mean, log_variance))
        return {"divergence": torch.stack(terms).mean()} if terms else {}


@dataclass(frozen=True, slots=True)
class LabelObjective:
    """Naming each pixel of random frames that the finished autoencoder decodes; trains the label head alone."""

    inputs: ModelInputs
    config: TrainingConfig
    precision: Precision
    class_weights: Tensor

    def __call__(
        self, network: CrossModalAutoencoder, rows: Rows, random: torch.Generator, processes: Processes = ALONE
    ) -> Loss:
        """Weighted cross-entropy, named ``labels``."""
        head, device = network.label_head, self.precision.device
        assert head is not None
        drawn = torch.randperm(head.config.n_frames, generator=random)[: self.config.labelled_frames].sort().values
        own = rows[processes.share(len(rows)).numpy()]
        mri = self.inputs.batch("mri", own).to(device)
        with self.precision.autocast():
            with torch.no_grad():
                maps = network.cine_feature_maps(network.encode("mri", mri))
            scores = head(maps, drawn.to(device))
        classes = self.inputs.class_batch(own, drawn.numpy(), head.config.label_values)
        weight = self.class_weights[classes[classes != IGNORED_CLASS].long()].sum().to(device)
        share = _Share(float(weight), float(processes.total(weight)), processes.size)
        weights = self.class_weights.to(device)
        loss = share.of(lambda x, y: label_loss(y, x, weights), classes.to(device), scores)
        return Loss(loss, {"labels": loss.detach()})

    def monitored(self, network: CrossModalAutoencoder, rows: Rows) -> dict[str, float]:
        """Nothing beyond the loss."""
        return {}


def reconstruction_loss(modality: str, config: TrainingConfig) -> ReconstructionLoss:
    """Squared error, or for the ECG what the configuration says."""
    return log_cosh if modality == "ecg" and config.ecg_loss == "log_cosh" else mean_squared_error


def draw_noise(network: CrossModalAutoencoder, n: int, random: torch.Generator) -> Tensor | None:
    """Draw standard normal numbers ``(n, latent_dim)`` for the whole batch; None for deterministic encoders."""
    if not network.config.is_probabilistic:
        return None
    return torch.randn(n, network.config.latent_dim, generator=random)


def sample(mean: Tensor, log_variance: Tensor | None, noise: Tensor | None, places: Tensor) -> Tensor:
    """Draw a latent by the noise of its places in the batch; without a variance the mean itself."""
    if log_variance is None or noise is None:
        return mean
    return mean + (0.5 * log_variance).exp() * noise[places].to(mean.device)


def _spread(z: Tensor, places: Tensor, n: int) -> Tensor:
    """Put latents at their places among the `n` of the whole batch, zeros elsewhere."""
    empty = torch.zeros(n, z.shape[1], device=z.device)
    return empty.index_copy(0, places.to(z.device), z.float())


@dataclass(frozen=True, slots=True)
class _Share:
    """One process's part of a mean over the whole batch: of `whole` rows, or what else they weigh, it has `own`."""

    own: float
    whole: float
    n_processes: int

    def of(self, loss: ReconstructionLoss, x: Tensor, y: Tensor) -> Tensor:
        """Loss scaled so that its mean over the processes is that of the whole batch; 0 if there is nothing here."""
        if self.own == 0:
            return y.float().sum() * 0.0
        return loss(x, y) * (self.own / self.whole * self.n_processes)
