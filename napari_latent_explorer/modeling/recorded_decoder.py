"""Decoding on a CUDA card as one recorded graph: one call starts the hundred small kernels that the networks are.

The hard idea: a graph knows addresses, not tensors. It reads the latent vector from where that lay when the graph was
recorded, and writes to the same places each time. So the vector is copied in, and what was drawn is copied out, through
page-locked memory, before the next vector may come.

Not chosen: what `torch.compile` makes needs a C compiler on the user's machine.

References
----------
PyTorch documentation, CUDA semantics, "CUDA Graphs": warm-up on a side stream, then capture.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from napari_latent_explorer.modeling.bundle import Decoded, ModelBundle

N_WARM_UP = 3

Drawn = tuple[Tensor | None, Tensor | None, Tensor | None]
Record = Callable[[Callable[[], Drawn]], tuple[Drawn, Callable[[], object]]]
"""From what draws to the tensors that hold what was drawn, and what draws into them again."""


def record_graph(draw: Callable[[], Drawn]) -> tuple[Drawn, Callable[[], object]]:
    """Record what `draw` does on the card; other threads may use the card meanwhile."""
    stream: torch.cuda.Stream = torch.cuda.Stream()  # type: ignore[no-untyped-call]
    stream.wait_stream(torch.cuda.current_stream())
    with torch.cuda.stream(stream):
        for _ in range(N_WARM_UP):
            draw()
    torch.cuda.current_stream().wait_stream(stream)
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph, stream=stream, capture_error_mode="thread_local"):
        drawn = draw()
    return drawn, graph.replay


class RecordedDecoder:
    """Decodes one vector at a time by a recording of a bundle's networks; several together by the networks themselves.

    Parameters
    ----------
    bundle
        Lies on the card, in the number format to compute in.
    record
        How its networks are recorded.
    """

    def __init__(self, bundle: ModelBundle, record: Record = record_graph) -> None:
        self._bundle = bundle
        self._is_on_card = bundle.device.type == "cuda"
        with torch.inference_mode():
            self._latent = torch.zeros(1, bundle.latent_dim, device=bundle.device, dtype=bundle.network.log_scale.dtype)
            self._drawn, self._replay = record(lambda: bundle.draw(self._latent))
            self._landed = [
                None if one is None else torch.empty(one.shape, dtype=one.dtype, pin_memory=self._is_on_card)
                for one in self._drawn
            ]

    @torch.inference_mode()
    def draw(self, latents: NDArray[np.floating[Any]]) -> None:
        """Decode one vector ``(1, latent_dim)`` and leave it where it is drawn; returns when that is done."""
        self._latent.copy_(torch.from_numpy(np.array(latents, dtype=np.float32)))
        self._replay()
        self._wait()

    @torch.inference_mode()
    def decode(
        self, latents: NDArray[np.floating[Any]], *, with_labels: bool = False, with_ecg: bool = True
    ) -> Decoded:
        """Decode latents ``(n, latent_dim)``, as `ModelBundle.decode` does."""
        if latents.shape != self._latent.shape:
            return self._bundle.decode(latents, with_labels=with_labels, with_ecg=with_ecg)
        self._latent.copy_(torch.from_numpy(np.array(latents, dtype=np.float32)))
        self._replay()
        for landed, drawn in zip(self._landed, self._drawn, strict=True):
            if landed is not None and drawn is not None:
                landed.copy_(drawn, non_blocking=True)
        self._wait()
        cine, labels, ecg_mv = (None if landed is None else landed.numpy().copy() for landed in self._landed)
        return Decoded(cine, labels if with_labels else None, ecg_mv if with_ecg else None)

    def _wait(self) -> None:
        if self._is_on_card:
            torch.cuda.current_stream().synchronize()
