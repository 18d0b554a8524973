"""Where networks run and in which number format.

bfloat16 halves the memory traffic, but only some CPUs compute with it; others emulate it slowly. So it is measured,
not guessed.
"""

import time
from contextlib import AbstractContextManager
from dataclasses import dataclass

import torch

from napari_latent_explorer.modeling.training_config import PrecisionName
from napari_latent_explorer.nn.blocks import lay_out_channels_last


@dataclass(frozen=True, slots=True)
class Precision:
    """A device and whether the networks compute in bfloat16 there."""

    device: torch.device
    uses_bfloat16: bool

    @classmethod
    def choose(cls, name: PrecisionName, device: torch.device | None = None) -> "Precision":
        """Settle ``auto`` for the device, which is a GPU when there is one."""
        device = device or torch.device("cuda" if torch.cuda.is_available() else "cpu")
        if name == "auto":
            return cls(device, _is_bfloat16_faster(device))
        return cls(device, name == "bfloat16")

    def autocast(self) -> AbstractContextManager[object]:
        """Context in which networks compute in this precision."""
        return torch.autocast(self.device.type, dtype=torch.bfloat16, enabled=self.uses_bfloat16)

    def __str__(self) -> str:
        return f"{self.device.type}, {'bfloat16' if self.uses_bfloat16 else 'float32'}"


def _is_bfloat16_faster(device: torch.device) -> bool:
    """Whether a convolution of the networks' kind takes less time in bfloat16."""
    if device.type == "cuda":
        return bool(torch.cuda.is_bf16_supported())
    if device.type != "cpu":
        return False
    return _convolution_s(torch.bfloat16) < 0.8 * _convolution_s(torch.float32)


def _convolution_s(dtype: torch.dtype) -> float:
    with torch.random.fork_rng(devices=[]), torch.inference_mode():
        layer = torch.nn.Conv2d(48, 32, 3, padding=1).to(dtype)
        lay_out_channels_last(layer)
        x = torch.zeros(8, 48, 48, 48, dtype=dtype).contiguous(memory_format=torch.channels_last)
        times = []
        for _ in range(5):
            start = time.perf_counter()
            layer(x)
            times.append(time.perf_counter() - start)
    return min(times)
