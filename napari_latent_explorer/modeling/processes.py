"""Several processes, started by ``torchrun``, that train one network together: each has its share of every batch.

    torchrun --nproc-per-node 2 -m napari_latent_explorer train STUDY --output BUNDLE

The hard idea is that the number of processes must not change what is learned. Order of participants, fusion masks and
noise follow from the seed and the place in the *whole* batch, so every process draws all of them and takes its rows;
latents are gathered before the contrastive term, so that the whole batch supplies its negatives; and each process
weights its part of a mean by its part of the rows. What remains is the rounding of sums taken in another order.

CPUs talk through gloo, NVIDIA GPUs (one per process) through NCCL. Tests cover gloo alone. All processes must see the
same files; only the first one writes.
"""

import os
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, TypeVar

import torch
from torch import Tensor, distributed

Value = TypeVar("Value")

PATIENCE = timedelta(days=1)
"""How long the others wait while the first prepares the inputs of a large study."""


@dataclass(frozen=True, slots=True)
class Processes:
    """One process among those that train together.

    Attributes
    ----------
    rank
        Its number, from 0.
    size
        How many there are.
    """

    rank: int = 0
    size: int = 1

    @property
    def is_first(self) -> bool:
        """Whether this process is the one that writes and speaks."""
        return self.rank == 0

    def share(self, n: int) -> Tensor:
        """Places of this process's rows in a batch of `n`: every `size`-th."""
        return torch.arange(n)[self.rank :: self.size]

    def gathered(self, x: Tensor) -> Tensor:
        """Join tensors in which each process has filled its own rows and left zeros elsewhere; gradients flow back."""
        if self.size == 1:
            return x
        joined: Tensor = _Sum.apply(x)  # type: ignore[no-untyped-call]
        return joined

    def total(self, x: Tensor) -> Tensor:
        """Sum of `x` over the processes, without gradient."""
        total = x.detach().clone()
        if self.size > 1:
            distributed.all_reduce(total)
        return total

    def from_first(self, value: Value) -> Value:
        """Value of the first process, for decisions that all must take alike."""
        if self.size == 1:
            return value
        values: list[Any] = [value]
        distributed.broadcast_object_list(values, src=0)
        found: Value = values[0]
        return found

    def wait(self) -> None:
        """Go on when all have come here."""
        self.from_first(None)


ALONE = Processes()


@contextmanager
def joined_processes() -> Iterator[Processes]:
    """Join the processes that ``torchrun`` has started, as its environment variables tell; otherwise be alone."""
    size = int(os.environ.get("WORLD_SIZE", "1"))
    if size == 1 or "RANK" not in os.environ:
        yield ALONE
        return
    local_size, local_rank = (int(os.environ.get(name, "0")) for name in ("LOCAL_WORLD_SIZE", "LOCAL_RANK"))
    has_gpus = torch.cuda.is_available() and torch.cuda.device_count() >= max(1, local_size)
    if has_gpus:
        torch.cuda.set_device(local_rank)
    distributed.init_process_group("nccl" if has_gpus else "gloo", timeout=PATIENCE)
    try:
        with warnings.catch_warnings():  # of 1x1 convolutions, whose axes of length 1 have no stride that matters
            warnings.filterwarnings("ignore", message="Grad strides do not match bucket view strides")
            yield Processes(distributed.get_rank(), distributed.get_world_size())
    finally:
        distributed.destroy_process_group()


class _Sum(torch.autograd.Function):
    """Sum over the processes, whose gradient is the sum of their gradients."""

    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        """Add the others' tensors."""
        joined = x.clone()
        distributed.all_reduce(joined)
        return joined

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> Tensor:
        """Add the others' gradients."""
        joined = gradients[0].contiguous().clone()
        distributed.all_reduce(joined)
        return joined
