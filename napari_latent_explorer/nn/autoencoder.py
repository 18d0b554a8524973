"""The cross-modal autoencoder: two encoders into one latent space, two decoders out of it, and a label head.

At test time there is no merging: the latent of either modality alone is decoded to both.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal

import torch
from torch import Tensor, nn

from napari_latent_explorer.nn.cine import COMPACT_CINE, PUBLISHED_CINE, LabelHead, LabelHeadConfig
from napari_latent_explorer.nn.coder import MAX_SIZE, CoderConfig, Decoder, Encoder
from napari_latent_explorer.nn.ecg import COMPACT_ECG, PUBLISHED_ECG

PresetName = Literal["published", "compact"]
Modality = Literal["mri", "ecg"]
MODALITIES: tuple[Modality, ...] = ("mri", "ecg")


@dataclass(frozen=True, slots=True)
class AutoencoderConfig:
    """Everything that settles the shape of the network.

    Attributes
    ----------
    latent_dim
        Length of a latent vector.
    mri, ecg
        Widths of each modality's encoder and decoder; None for an autoencoder of the other modality alone.
    labels
        The label head on the cine decoder; None for none.
    """

    latent_dim: int = 256
    mri: CoderConfig | None = COMPACT_CINE
    ecg: CoderConfig | None = COMPACT_ECG
    labels: LabelHeadConfig | None = None

    def __post_init__(self) -> None:
        if not 0 < self.latent_dim <= MAX_SIZE:
            raise ValueError(f"a latent vector has {self.latent_dim} numbers; 1 to {MAX_SIZE} are possible")

    @classmethod
    def preset(cls, name: PresetName, labels: LabelHeadConfig | None = None) -> "AutoencoderConfig":
        """Make a preset: ``published`` has the widths of the released networks, ``compact`` trains on a desktop CPU."""
        if name == "published":
            return cls(256, PUBLISHED_CINE, PUBLISHED_ECG, labels)
        return cls(256, COMPACT_CINE, COMPACT_ECG, labels)

    @property
    def coders(self) -> dict[Modality, CoderConfig]:
        """Configurations of the modalities that the network has."""
        both: dict[Modality, CoderConfig | None] = {"mri": self.mri, "ecg": self.ecg}
        return {modality: coder for modality, coder in both.items() if coder is not None}

    def only(self, modality: Modality) -> "AutoencoderConfig":
        """Describe the autoencoder of the same size for one modality alone, without labels."""
        mri, ecg = (coder if modality == name else None for name, coder in (("mri", self.mri), ("ecg", self.ecg)))
        return AutoencoderConfig(self.latent_dim, mri, ecg)

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return asdict(self)

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> "AutoencoderConfig":
        """Inverse of `to_dict`; KeyError or TypeError when a field is missing or unknown."""
        labels = values["labels"]
        return cls(
            latent_dim=int(values["latent_dim"]),
            mri=CoderConfig.from_dict(values["mri"]) if values["mri"] else None,
            ecg=CoderConfig.from_dict(values["ecg"]) if values["ecg"] else None,
            labels=LabelHeadConfig.from_dict(labels) if labels else None,
        )


class CrossModalAutoencoder(nn.Module):
    """Encoders and decoders of the modalities in `config`, keyed by ``mri`` and ``ecg``."""

    def __init__(self, config: AutoencoderConfig, initial_log_scale: float = 0.0) -> None:
        super().__init__()
        self.config = config
        coders = config.coders
        self.encoders = nn.ModuleDict({name: Encoder(coder, config.latent_dim) for name, coder in coders.items()})
        self.decoders = nn.ModuleDict({name: Decoder(coder, config.latent_dim) for name, coder in coders.items()})
        self.label_head: LabelHead | None = None
        if config.labels is not None and config.mri is not None:
            channels = (config.mri.encoder_blocks[-1], *config.mri.decoder_blocks)
            self.label_head = LabelHead(channels, config.labels)
        self.log_scale = nn.Parameter(torch.tensor(initial_log_scale))

    def encode(self, modality: str, x: Tensor) -> Tensor:
        """Encode recordings ``(batch, n_channels, *space)`` to latents ``(batch, latent_dim)``."""
        z: Tensor = self.encoders[modality](x)
        return z

    def decode(self, modality: str, z: Tensor) -> Tensor:
        """Decode latents ``(batch, latent_dim)`` of either modality to recordings of `modality`."""
        x: Tensor = self.decoders[modality](z)
        return x

    @property
    def _cine_decoder(self) -> Decoder:
        decoder = self.decoders["mri"]
        assert isinstance(decoder, Decoder)
        return decoder

    def cine_feature_maps(self, z: Tensor) -> list[Tensor]:
        """Decode to the maps from which the cine is drawn, from coarse to fine."""
        return self._cine_decoder.feature_maps(z)

    def decode_cine(self, z: Tensor, frames: Tensor | None = None) -> tuple[Tensor, Tensor | None]:
        """Decode cine ``(batch, frame, row, column)`` and class scores ``(batch, frame, class, row, column)``.

        The scores are of the given `frames` only if any are given, and None without a label head.
        """
        maps = self.cine_feature_maps(z)
        cine: Tensor = self._cine_decoder.output(maps[-1])
        return cine, None if self.label_head is None else self.label_head(maps, frames)

    def decode_cine_and_classes(self, z: Tensor, *, with_classes: bool = True) -> tuple[Tensor, Tensor | None]:
        """Decode cine and class number ``(batch, frame, row, column)`` of each pixel; None without a label head."""
        if not with_classes or self.label_head is None:
            return self.decode("mri", z), None
        cine, scores = self.decode_cine(z)
        assert scores is not None
        return cine, scores.max(dim=2).indices  # twice as fast as argmax

    def decode_labels(self, z: Tensor) -> Tensor:
        """Name each decoded pixel by its class number ``(batch, frame, row, column)``.

        Raises
        ------
        ValueError
            When the network has no label head.
        """
        _, classes = self.decode_cine_and_classes(z)
        if classes is None:
            raise ValueError("This autoencoder has no label head.")
        return classes
