"""A trained model as a folder, and the one object that encodes and decodes with it.

    weights.safetensors            parameters, float32 (or float16, to halve the folder); loading executes no code
    config.json                    schema version, network, and how it was trained
    metadata.json                  what it takes and gives, for whom, from what data, in the vocabulary of MONAI bundles
    preprocessing.json             the grids and units that its inputs must have
    latent_statistics.safetensors  mean and standard deviation of the training participants' latents, per modality

Everything is numpy on the outside. A bundle's fingerprint is the hash of its weights and network (and of the inputs
that it must have, where they are not those of our own trainings), so latents, projections and decoded recordings can
say which bundle they are of, and two folders with the same content are the same bundle.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from napari_latent_explorer.data.cine import LA_4CH_CLASSES
from napari_latent_explorer.errors import BundleError, shown_text
from napari_latent_explorer.modeling import bundle_files
from napari_latent_explorer.modeling.bundle_metadata import PREPROCESSING
from napari_latent_explorer.modeling.preprocessing_spec import PreprocessingSpec, read_spec
from napari_latent_explorer.nn.autoencoder import AutoencoderConfig, CrossModalAutoencoder
from napari_latent_explorer.nn.blocks import lay_out_channels_last

BATCH_SIZE = 32
"""Recordings that pass through the network together."""


@dataclass(frozen=True, slots=True, eq=False)
class Decoded:
    """Recordings decoded from `n` latent vectors.

    Attributes
    ----------
    cine
        ``(n, n_frames, n_rows, n_columns)`` float32, z-scored signal; None from a bundle without MRI.
    labels
        ``(n, n_frames, n_rows, n_columns)`` uint8 label values, if asked for.
    ecg_mv
        ``(n, n_leads, n_samples)`` float32 in mV, if asked for.
    """

    cine: NDArray[np.float32] | None
    labels: NDArray[np.uint8] | None
    ecg_mv: NDArray[np.float32] | None


@dataclass(frozen=True, eq=False)
class ModelBundle:
    """A trained network with all that is needed to use it.

    Attributes
    ----------
    network
        On the device where it shall run; it is put in evaluation mode.
    metadata, preprocessing
        Contents of the files of that name.
    latent_statistics
        ``{"mri_mean": (latent_dim,), "mri_std": ..., "ecg_mean": ..., ...}`` of the training participants.
    training
        How it was trained, as plain values; empty when unknown.
    path
        Folder that it was loaded from.
    """

    network: CrossModalAutoencoder
    metadata: Mapping[str, Any]
    preprocessing: Mapping[str, Any]
    latent_statistics: Mapping[str, NDArray[np.float32]] = field(default_factory=dict)
    training: Mapping[str, Any] = field(default_factory=dict)
    path: Path | None = None

    def __post_init__(self) -> None:
        self.network.eval().requires_grad_(requires_grad=False)
        lay_out_channels_last(self.network)

    # ------------------------------------------------------------------------------------------------------- files

    @classmethod
    def load(cls, path: str | Path) -> "ModelBundle":
        """Read the bundle in the folder `path`.

        Raises
        ------
        BundleError
            When a file is missing or damaged, its schema is of another version, or weights do not fit the network.
        """
        root = Path(path).expanduser().absolute()
        config = bundle_files.read_config(root)
        network = _build(root, config["autoencoder"])
        weights = bundle_files.read_tensors(root / bundle_files.WEIGHTS)
        bundle_files.check_weights(root, network.state_dict(), weights)
        network.load_state_dict({name: value.float() for name, value in weights.items()}, assign=True)
        statistics = bundle_files.read_tensors(root / bundle_files.STATISTICS)
        return cls(
            network,
            bundle_files.read_json(root / bundle_files.METADATA),
            bundle_files.read_json(root / bundle_files.PREPROCESSING),
            {name: value.numpy() for name, value in statistics.items()},
            config.get("training") or {},
            root,
        )

    def save(self, path: str | Path) -> None:
        """Write the bundle into the folder `path`, replacing files of another bundle there.

        The configuration is written last, so that a folder with one is whole.
        """
        root = Path(path)
        state = {name: value.detach().cpu().contiguous() for name, value in self.network.state_dict().items()}
        statistics = {name: torch.from_numpy(np.array(value)) for name, value in self.latent_statistics.items()}
        bundle_files.write_bundle(
            root, state, statistics, dict(self.metadata), dict(self.preprocessing), self._config_json()
        )

    def _config_json(self) -> dict[str, Any]:
        return {
            "schema_version": bundle_files.SCHEMA_VERSION,
            "autoencoder": self.network.config.to_dict(),
            "training": dict(self.training),
        }

    # ------------------------------------------------------------------------------------------------------- facts

    @cached_property
    def fingerprint(self) -> str:
        """Hash of weights, network and of preparations other than our own, 16 hexadecimal digits."""
        digest = hashlib.sha256(json.dumps(self.network.config.to_dict(), sort_keys=True).encode())
        for name, value in sorted(self.network.state_dict().items()):
            digest.update(name.encode())
            digest.update(value.detach().cpu().contiguous().numpy().tobytes())
        if any(PREPROCESSING.get(name) != facts for name, facts in self.preprocessing.items()):
            digest.update(json.dumps(dict(self.preprocessing), sort_keys=True).encode())
        return digest.hexdigest()[:16]

    @cached_property
    def input_spec(self) -> PreprocessingSpec:
        """What recordings are brought to for it, by what it states.

        Raises
        ------
        BundleError
            When it states something that cannot be followed.
        """
        shapes = {name: (coder.n_channels, *coder.space) for name, coder in self.network.config.coders.items()}
        source = "this bundle" if self.path is None else str(self.path / bundle_files.PREPROCESSING)
        return read_spec(self.preprocessing, shapes, source, is_native=True)

    @property
    def latent_dim(self) -> int:
        """Length of a latent vector."""
        return self.network.config.latent_dim

    @property
    def modalities(self) -> tuple[str, ...]:
        """Modalities that it encodes and decodes."""
        return tuple(self.network.config.coders)

    @property
    def label_names(self) -> Mapping[int, str]:
        """Name of each label value that its label head gives; empty without a label head."""
        labels = self.network.config.labels
        values = () if labels is None else labels.label_values
        return MappingProxyType({value: LA_4CH_CLASSES.get(value, f"class {value}") for value in values})

    @property
    def warning(self) -> str:
        """What a user of its output must know, e.g. that it has only seen simulated hearts; may be empty."""
        return str(self.metadata.get("warning", ""))

    @property
    def device(self) -> torch.device:
        """Where the network is."""
        return self.network.log_scale.device

    # ------------------------------------------------------------------------------------------------------- use

    @torch.inference_mode()
    def encode(self, modality: str, batch: NDArray[np.floating[Any]]) -> NDArray[np.float32]:
        """Latents ``(n, latent_dim)`` of model tensors ``(n, frame, row, column)`` or ``(n, lead, sample)``.

        Raises
        ------
        BundleError
            When the bundle has no encoder of `modality` or the tensors have another shape.
        """
        self._check_input(modality, batch)
        x = _to_tensor(batch)
        parts = [
            self.network.encode(modality, part.to(self.device)).float().cpu() for part in torch.split(x, BATCH_SIZE)
        ]
        return torch.cat(parts).numpy() if parts else np.zeros((0, self.latent_dim), np.float32)

    @torch.inference_mode()
    def decode(
        self, latents: NDArray[np.floating[Any]], *, with_labels: bool = False, with_ecg: bool = True
    ) -> Decoded:
        """Decode latents ``(n, latent_dim)`` of either modality to cine, labels and ECG.

        Raises
        ------
        BundleError
            When the latents are of another length.
        """
        if latents.ndim != 2 or latents.shape[1] != self.latent_dim:
            raise BundleError(
                f"Cannot decode latents of shape {latents.shape}: this bundle expects (n, {self.latent_dim}). They "
                "were made by another bundle; encode the study with this one."
            )
        z = _to_tensor(latents)
        z = z.to(self.device, self.network.log_scale.dtype)
        parts = [
            [None if drawn is None else drawn.cpu().numpy() for drawn in self.draw(part, with_labels, with_ecg)]
            for part in torch.split(z, BATCH_SIZE)
        ]
        cine, labels, ecg_mv = (_joined([part[i] for part in parts]) for i in range(3))
        return Decoded(cine, labels, ecg_mv)

    def draw(
        self, z: torch.Tensor, with_labels: bool = True, with_ecg: bool = True
    ) -> tuple[torch.Tensor | None, torch.Tensor | None, torch.Tensor | None]:
        """Decode latents ``(n, latent_dim)`` where the network is, in its number format, to the arrays of `Decoded`."""
        cine = labels = ecg_mv = None
        if "mri" in self.modalities:
            pixels, classes = self.network.decode_cine_and_classes(z, with_classes=with_labels)
            cine = pixels.float().contiguous()
            if classes is not None:
                labels = self._label_values.take(classes)  # contiguous, as the cine
        if with_ecg and "ecg" in self.modalities:
            ecg_mv = self.network.decode("ecg", z).float() * (self.preprocessing["ecg"]["unit_uv"] / 1000.0)
        return cine, labels, ecg_mv

    @cached_property
    def _label_values(self) -> torch.Tensor:
        return torch.tensor(list(self.label_names), dtype=torch.uint8, device=self.device)

    def _check_input(self, modality: str, batch: NDArray[Any]) -> None:
        coder = self.network.config.coders.get(modality)
        if coder is None:
            raise BundleError(f"This bundle encodes {' and '.join(self.modalities)}, not {modality!r}.")
        expected = (coder.n_channels, *coder.space)
        if batch.shape[1:] != expected:
            raise BundleError(
                f"Cannot encode {modality} tensors of shape {batch.shape}: this bundle expects (n, "
                f"{', '.join(map(str, expected))}). Prepare the recordings with `modeling.preprocessing`."
            )


def _build(root: Path, values: Mapping[str, Any]) -> CrossModalAutoencoder:
    """Network without storage, for weights to be assigned to."""
    try:
        config = AutoencoderConfig.from_dict(values)
        with torch.device("meta"):
            return CrossModalAutoencoder(config)
    except (KeyError, TypeError, ValueError) as error:
        found = str(error) if isinstance(error, ValueError) else "entries are missing, unknown or of another kind"
        raise BundleError(
            f"{root / bundle_files.CONFIG} does not describe a network that this version knows: "
            f"{shown_text(found, 200)}. Copy the bundle again."
        ) from error


def _to_tensor(array: NDArray[Any]) -> torch.Tensor:
    """Copy to float32; torch would warn of an array that cannot be written."""
    return torch.from_numpy(np.array(array, dtype=np.float32, order="C"))


def _joined(parts: list[NDArray[Any] | None]) -> NDArray[Any] | None:
    present = [part for part in parts if part is not None]
    if len(present) == 1:
        return present[0]
    return np.concatenate(present) if present else None
