"""The cross-modal autoencoder: encoders into one latent space, decoders out of it, and a label head.

There is one encoder and one decoder per modality: cine MRI and ECG, and any others by a name of their own. At test time
there is no merging: the latent of any modality alone is decoded to all.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
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
    others
        Name and widths of each further modality.
    is_probabilistic
        Whether encoders give a distribution over latents, as in a variational autoencoder, of which the mean is the
        latent. The paper's do not.
    """

    latent_dim: int = 256
    mri: CoderConfig | None = COMPACT_CINE
    ecg: CoderConfig | None = COMPACT_ECG
    labels: LabelHeadConfig | None = None
    others: tuple[tuple[str, CoderConfig], ...] = ()
    is_probabilistic: bool = False

    def __post_init__(self) -> None:
        names = [*MODALITIES, *(name for name, _ in self.others)]
        if len(set(names)) < len(names) or not all(name.isidentifier() for name in names):
            raise ValueError(f"modalities {names} are not different plain names")
        if not 0 < self.latent_dim <= MAX_SIZE:
            raise ValueError(f"a latent vector has {self.latent_dim} numbers; 1 to {MAX_SIZE} are possible")

    @classmethod
    def preset(cls, name: PresetName, labels: LabelHeadConfig | None = None) -> "AutoencoderConfig":
        """Make a preset: ``published`` has the widths of the released networks, ``compact`` trains on a desktop CPU."""
        if name == "published":
            return cls(256, PUBLISHED_CINE, PUBLISHED_ECG, labels)
        return cls(256, COMPACT_CINE, COMPACT_ECG, labels)

    @property
    def coders(self) -> dict[str, CoderConfig]:
        """Configurations of the modalities that the network has."""
        every: dict[str, CoderConfig | None] = {"mri": self.mri, "ecg": self.ecg, **dict(self.others)}
        return {modality: coder for modality, coder in every.items() if coder is not None}

    def only(self, modality: str) -> "AutoencoderConfig":
        """Describe the autoencoder of the same size for one modality alone, without labels."""
        mri, ecg = (coder if modality == name else None for name, coder in (("mri", self.mri), ("ecg", self.ecg)))
        others = tuple((name, coder) for name, coder in self.others if name == modality)
        return replace(self, mri=mri, ecg=ecg, labels=None, others=others)

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON; `others` and `is_probabilistic` only where they say something.

        A bundle's fingerprint is made from these values, so those of networks without either must stay what they were.
        """
        values = asdict(self)
        others = {name: coder.to_dict() for name, coder in self.others}
        del values["others"], values["is_probabilistic"]
        if others:
            values["others"] = others
        if self.is_probabilistic:
            values["is_probabilistic"] = True
        return values

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> "AutoencoderConfig":
        """Inverse of `to_dict`; KeyError or TypeError when a field is missing or unknown."""
        labels = values["labels"]
        return cls(
            latent_dim=int(values["latent_dim"]),
            mri=CoderConfig.from_dict(values["mri"]) if values["mri"] else None,
            ecg=CoderConfig.from_dict(values["ecg"]) if values["ecg"] else None,
            labels=LabelHeadConfig.from_dict(labels) if labels else None,
            others=tuple((str(name), CoderConfig.from_dict(each)) for name, each in values.get("others", {}).items()),
            is_probabilistic=bool(values.get("is_probabilistic", False)),
        )


class CrossModalAutoencoder(nn.Module):
    """Encoders and decoders of the modalities in `config`, keyed by their names."""

    def __init__(self, config: AutoencoderConfig, initial_log_scale: float = 0.0) -> None:
        super().__init__()
        self.config = config
        coders = config.coders
        self.encoders = nn.ModuleDict(
            {
                name: Encoder(coder, config.latent_dim, is_probabilistic=config.is_probabilistic)
                for name, coder in coders.items()
            }
        )
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

    def encode_distribution(self, modality: str, x: Tensor) -> tuple[Tensor, Tensor | None]:
        """Encode to mean and log-variance ``(batch, latent_dim)``; the variance is None of deterministic encoders."""
        encoder = self.encoders[modality]
        assert isinstance(encoder, Encoder)
        return encoder.distribution(x)

    def decode(self, modality: str, z: Tensor) -> Tensor:
        """Decode latents ``(batch, latent_dim)`` of any modality to recordings of `modality`."""
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
        maps = self.cine_feature_maps(z)
        return self._cine_decoder.output(maps[-1]), self.label_head.classes(maps)

    def decode_labels(self, z: Tensor) -> Tensor:
        """Name each decoded pixel by its class number ``(batch, frame, row, column)``.

        The operations are those that every program knows, for networks that are exported.

        Raises
        ------
        ValueError
            When the network has no label head.
        """
        _, scores = self.decode_cine(z)
        if scores is None:
            raise ValueError("This autoencoder has no label head.")
        return scores.max(dim=2).indices  # twice as fast as argmax
