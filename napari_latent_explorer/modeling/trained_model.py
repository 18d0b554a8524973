"""What encoding, decoding and evaluation ask of a trained model, whatever it is made of, and how one is opened."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from napari_latent_explorer.modeling import bundle_files
from napari_latent_explorer.modeling.bundle import Decoded, ModelBundle
from napari_latent_explorer.modeling.preprocessing_spec import PreprocessingSpec


class TrainedModel(Protocol):
    """A model of recordings; `ModelBundle` and `onnx_bundle.OnnxBundle` are two."""

    @property
    def path(self) -> Path | None:
        """Folder that it was loaded from."""

    @property
    def metadata(self) -> Mapping[str, Any]:
        """What it says of itself."""

    @property
    def preprocessing(self) -> Mapping[str, Any]:
        """Grids and units of its inputs."""

    @property
    def input_spec(self) -> PreprocessingSpec:
        """What recordings are brought to for it, by what it states; BundleError where that cannot be followed."""

    @property
    def training(self) -> Mapping[str, Any]:
        """How it was trained; empty when unknown."""

    @property
    def fingerprint(self) -> str:
        """Name of exactly these weights."""

    @property
    def latent_dim(self) -> int:
        """Length of a latent vector."""

    @property
    def modalities(self) -> tuple[str, ...]:
        """Modalities that it encodes and decodes."""

    @property
    def label_names(self) -> Mapping[int, str]:
        """Name of each label value that it gives."""

    @property
    def warning(self) -> str:
        """What a user of its output must know."""

    def encode(self, modality: str, batch: NDArray[np.floating[Any]]) -> NDArray[np.float32]:
        """Latents ``(n, latent_dim)`` of model tensors."""

    def decode(
        self, latents: NDArray[np.floating[Any]], *, with_labels: bool = False, with_ecg: bool = True
    ) -> Decoded:
        """Decode latents ``(n, latent_dim)``."""


def load_model(path: str | Path) -> TrainedModel:
    """Open the model in a folder: a bundle of this program, or networks in ONNX with their metadata.

    Raises
    ------
    BundleError
        When the folder holds neither, what it holds is damaged or does not fit, or recordings cannot be prepared as it
        states.
    """
    root = Path(path).expanduser().absolute()
    if not (root / bundle_files.WEIGHTS).exists() and any(root.glob("*.onnx")):
        from napari_latent_explorer.modeling.onnx_bundle import OnnxBundle

        return OnnxBundle.load(root)
    bundle = ModelBundle.load(root)
    _ = bundle.input_spec
    return bundle
