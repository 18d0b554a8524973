"""A model as a folder of networks in ONNX, so that anybody's encoders and decoders can be explored.

    metadata.json       as in MONAI bundles; `network_data_format` says what goes in and comes out, and in which unit
    mri_encoder.onnx    (n, frame, row, column) z-scored -> (n, latent_dim)
    mri_decoder.onnx    (n, latent_dim) -> (n, frame, row, column)
    mri_labels.onnx     (n, latent_dim) -> (n, frame, row, column) class numbers; may be absent
    ecg_encoder.onnx    (n, lead, sample) -> (n, latent_dim)
    ecg_decoder.onnx    (n, latent_dim) -> (n, lead, sample)

The hard idea is that the outside is the same as that of `ModelBundle` whatever the networks inside want: ECGs come in
the clinical order of leads and units of 50 uV, and are brought to the order (`channel_def`) and the unit (`unit_uv`)
that the metadata states, and back. What cannot be brought there, another rate or a lead too few, is refused on loading.
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
from numpy.typing import NDArray

from napari_latent_explorer.data.ecg import LEAD_NAMES
from napari_latent_explorer.errors import BundleError
from napari_latent_explorer.io.lead_names import standard_lead_name
from napari_latent_explorer.modeling import bundle_files
from napari_latent_explorer.modeling.bundle import Decoded
from napari_latent_explorer.modeling.bundle_metadata import ECG_UNIT_UV, SAMPLING_RATE_HZ
from napari_latent_explorer.modeling.onnx_network import OnnxNetwork

MODALITIES = ("mri", "ecg")
_MAX_METADATA_BYTES = 16 << 20


@dataclass(frozen=True, eq=False)
class OnnxBundle:
    """Networks in ONNX with all that is needed to use them; made by `load`.

    Attributes
    ----------
    networks
        By the name of their file without its ending.
    metadata
        Contents of ``metadata.json``.
    path
        Folder that it was loaded from.
    """

    networks: Mapping[str, OnnxNetwork]
    metadata: Mapping[str, Any]
    path: Path | None
    shapes: Mapping[str, tuple[int, ...]] = field(repr=False)

    @classmethod
    def load(cls, path: str | Path) -> "OnnxBundle":
        """Read the networks in the folder `path`.

        Raises
        ------
        BundleError
            When a file is missing, damaged or unsafe, when networks and metadata contradict each other, or when a
            recording cannot be brought to what they want.
        """
        root = Path(path).expanduser().absolute()
        metadata = _read_metadata(root)
        found = [name for name in MODALITIES if (root / f"{name}_encoder.onnx").is_file()]
        wanted = [f"{name}_{part}" for name in found for part in ("encoder", "decoder")]
        missing = [name for name in wanted if not (root / f"{name}.onnx").is_file()]
        if missing or not found:
            raise BundleError(
                f"The folder {root} is no whole model: {' and '.join(missing) or 'mri_encoder or ecg_encoder'} missing "
                "(.onnx). Each modality needs an encoder and a decoder."
            )
        optional = ["mri_labels"] if "mri" in found and (root / "mri_labels.onnx").is_file() else []
        networks = {name: OnnxNetwork(root / f"{name}.onnx") for name in (*wanted, *optional)}
        try:
            shapes = {name: _stated_shape(metadata, name) for name in found}
            latent = (int(metadata["network_data_format"]["outputs"]["latent"]["num_channels"]),)
            bundle = cls(networks, metadata, root, shapes | {"latent": latent})
            bundle._check()
        except (KeyError, TypeError, ValueError, AttributeError) as misfit:
            raise BundleError(
                f"{root / bundle_files.METADATA} does not say what the networks take and give: {misfit!r}. Expected "
                "are network_data_format.inputs.mri or .ecg with num_channels, spatial_shape and channel_def, and "
                "outputs.latent with num_channels, preprocessing.ecg with unit_uv and sampling_rate_hz."
            ) from misfit
        return bundle

    # ------------------------------------------------------------------------------------------------------- facts

    @cached_property
    def fingerprint(self) -> str:
        """Hash of networks and of what goes into them, 16 hexadecimal digits."""
        facts = [self.metadata["network_data_format"], self.preprocessing]
        digest = hashlib.sha256(json.dumps(facts, sort_keys=True).encode())
        for name, network in sorted(self.networks.items()):
            digest.update(f"{name} {network.sha256}".encode())
        return digest.hexdigest()[:16]

    @property
    def latent_dim(self) -> int:
        """Length of a latent vector."""
        return self.shapes["latent"][0]

    @property
    def modalities(self) -> tuple[str, ...]:
        """Modalities that it encodes and decodes."""
        return tuple(name for name in MODALITIES if name in self.shapes)

    @property
    def preprocessing(self) -> Mapping[str, Any]:
        """Grids and units of the inputs, as the metadata states them."""
        return dict(self.metadata.get("preprocessing") or {})

    @property
    def training(self) -> Mapping[str, Any]:
        """How it was trained; empty when unknown."""
        return dict(self.metadata.get("training") or {})

    @property
    def warning(self) -> str:
        """What a user of its output must know."""
        return str(self.metadata.get("warning", ""))

    @cached_property
    def label_names(self) -> Mapping[int, str]:
        """Name of each label value that its label network gives; empty without one."""
        if "mri_labels" not in self.networks:
            return MappingProxyType({})
        names = self.metadata["network_data_format"]["outputs"]["labels"]["channel_def"]
        return MappingProxyType({int(value): str(name) for value, name in names.items() if 0 <= int(value) <= 255})

    # ------------------------------------------------------------------------------------------------------- use

    def encode(self, modality: str, batch: NDArray[np.floating[Any]]) -> NDArray[np.float32]:
        """Latents ``(n, latent_dim)`` of model tensors ``(n, frame, row, column)`` or ``(n, lead, sample)``.

        Raises
        ------
        BundleError
            When there is no encoder of `modality` or the tensors have another shape.
        """
        if modality not in self.modalities:
            raise BundleError(f"This model encodes {' and '.join(self.modalities)}, not {modality!r}.")
        if batch.shape[1:] != self.shapes[modality]:
            raise BundleError(
                f"Cannot encode {modality} tensors of shape {batch.shape}: this model expects (n, "
                f"{', '.join(map(str, self.shapes[modality]))})."
            )
        if modality == "ecg":
            batch = batch[:, self._lead_order] / self._ecg_scale
        return self._run(f"{modality}_encoder", batch, (self.latent_dim,)).astype(np.float32, copy=False)

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
                f"Cannot decode latents of shape {latents.shape}: this model expects (n, {self.latent_dim}). They were "
                "made by another one; encode the study with this one."
            )
        cine = labels = ecg_mv = None
        if "mri" in self.modalities:
            cine = self._run("mri_decoder", latents, self.shapes["mri"])
            if with_labels and "mri_labels" in self.networks:
                labels = self._label_values(self._run("mri_labels", latents, self.shapes["mri"]))
        if with_ecg and "ecg" in self.modalities:
            signal = self._run("ecg_decoder", latents, self.shapes["ecg"])[:, np.argsort(self._lead_order)]
            ecg_mv = signal * np.float32(self._ecg_scale * ECG_UNIT_UV / 1000.0)
        return Decoded(cine, labels, ecg_mv)

    def _run(self, name: str, batch: NDArray[np.floating[Any]], shape: tuple[int, ...]) -> NDArray[Any]:
        values = self.networks[name].run(batch)
        if values.shape != (len(batch), *shape):
            raise BundleError(
                f"The network {self.networks[name].path} gave {values.shape} for {len(batch)} inputs, expected "
                f"{(len(batch), *shape)} by the metadata."
            )
        return values

    def _label_values(self, classes: NDArray[Any]) -> NDArray[np.uint8]:
        values = np.array(list(self.label_names), dtype=np.uint8)
        if classes.size and not 0 <= classes.min() <= classes.max() < len(values):
            raise BundleError(f"The label network gave classes up to {classes.max()}; {len(values)} are named.")
        return values[classes.astype(np.intp)]

    # ----------------------------------------------------------------------------------------------------- checks

    def _check(self) -> None:
        """Compare networks and metadata; what is derived from the metadata is derived here for the first time."""
        if "mri_labels" in self.networks and not self.label_names:
            raise KeyError("labels")
        if "ecg" in self.modalities:
            rate_hz = float(self.preprocessing["ecg"]["sampling_rate_hz"])
            if rate_hz != SAMPLING_RATE_HZ:
                raise BundleError(
                    f"The ECG network of {self.path} takes {rate_hz:g} Hz; recordings are prepared at "
                    f"{SAMPLING_RATE_HZ:g} Hz. Put a resampling in front of it."
                )
            _check_unit(self.path, self._ecg_scale)
            _check_leads(self.path, self._leads)
        problems = []
        for name, network in self.networks.items():
            modality, _, part = name.partition("_")
            ends = (self.shapes[modality], self.shapes["latent"])
            stated = ends if part == "encoder" else ends[::-1]
            for what, has, wants in zip(
                ("takes", "gives"), (network.input_shape, network.output_shape), stated, strict=True
            ):
                if len(has) != len(wants) or any(n not in (None, m) for n, m in zip(has, wants, strict=True)):
                    problems.append(f"{name}.onnx {what} {_shown(has)}, the metadata says {_shown(wants)}")
        if problems:
            raise BundleError(f"The networks in {self.path} do not fit their metadata: {'; '.join(problems)}.")

    @cached_property
    def _leads(self) -> tuple[str, ...]:
        """Leads that the ECG network takes and gives, in its order."""
        stated = self.metadata["network_data_format"]["inputs"]["ecg"]["channel_def"]
        return tuple(standard_lead_name(str(stated[str(number)])) for number in range(self.shapes["ecg"][0]))

    @cached_property
    def _lead_order(self) -> NDArray[np.intp]:
        """Place in the clinical order of each lead that the network takes."""
        return np.array([LEAD_NAMES.index(name) for name in self._leads], dtype=np.intp)

    @cached_property
    def _ecg_scale(self) -> float:
        """How many of our units one of the network's is: 20 for mV."""
        return float(self.preprocessing["ecg"]["unit_uv"]) / ECG_UNIT_UV


def _check_unit(root: Path | None, scale: float) -> None:
    if not 1e-6 <= scale <= 1e6:
        raise BundleError(
            f"The ECG network of {root} states a unit of {scale * ECG_UNIT_UV:g} uV, which is not sensible. In mV, "
            "unit_uv is 1000."
        )


def _check_leads(root: Path | None, leads: tuple[str, ...]) -> None:
    if sorted(leads) != sorted(LEAD_NAMES):
        raise BundleError(
            f"The ECG network of {root} takes the leads {', '.join(leads)}; expected are the twelve leads "
            f"{', '.join(LEAD_NAMES)}, in any order."
        )


def _shown(shape: tuple[int | None, ...]) -> str:
    return "(" + ", ".join("any" if n is None else str(n) for n in shape) + ")"


def _read_metadata(root: Path) -> dict[str, Any]:
    path = root / bundle_files.METADATA
    if not path.is_file():
        raise BundleError(f"The networks in {root} come without {path.name}, so nobody knows what they take.")
    if path.stat().st_size > _MAX_METADATA_BYTES:
        raise BundleError(f"{path} has {path.stat().st_size} bytes; at most {_MAX_METADATA_BYTES} are read.")
    return bundle_files.read_json(path)


def _stated_shape(metadata: Mapping[str, Any], modality: str) -> tuple[int, ...]:
    facts = metadata["network_data_format"]["inputs"][modality]
    shape = (int(facts["num_channels"]), *(int(size) for size in facts["spatial_shape"]))
    if min(shape) < 1 or len(shape) != {"mri": 3, "ecg": 2}[modality]:
        raise ValueError(f"{modality} of the shape {shape}")
    return shape
