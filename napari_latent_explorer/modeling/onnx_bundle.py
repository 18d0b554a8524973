"""A model as a folder of networks in ONNX, so that anybody's encoders and decoders can be explored.

    metadata.json       as in MONAI bundles; `network_data_format` says what goes in and comes out, and in which unit
    mri_encoder.onnx    (n, frame, row, column) z-scored -> (n, latent_dim)
    mri_decoder.onnx    (n, latent_dim) -> (n, frame, row, column)
    mri_labels.onnx     (n, latent_dim) -> (n, frame, row, column) class numbers; may be absent
    ecg_encoder.onnx    (n, lead, sample) -> (n, latent_dim)
    ecg_decoder.onnx    (n, latent_dim) -> (n, lead, sample)

The least that the metadata must say, for a model of both modalities (a model of one leaves the other out)::

    {
      "network_data_format": {
        "inputs": {
          "mri": {"num_channels": 50, "spatial_shape": [96, 96]},
          "ecg": {"num_channels": 12, "spatial_shape": [600], "channel_def": {"0": "I", "1": "II", ...}}
        },
        "outputs": {"latent": {"num_channels": 256}}
      },
      "preprocessing": {
        "mri": {"spacing_mm": 1.8, "intensity": "z-scored per participant over all frames and pixels"},
        "ecg": {"kind": "median beat", "sampling_rate_hz": 500, "qrs_onset_ms": 435, "unit_uv": 1000}
      }
    }

``mri_labels.onnx`` needs ``outputs.labels.channel_def``, from class value to name, in the order of the class numbers.
What else can be stated in ``preprocessing`` stands in `preprocessing_spec`; ``name``, ``intended_use``, ``warning`` and
``training`` (``study_fingerprint`` and ``held_out_ids``: who may be scored) are shown and used where they are there.

The hard idea is that the outside is the same as that of `ModelBundle` whatever the networks inside want: ECGs come in
the clinical order of leads and units of 50 uV, cines z-scored, and are brought to the leads (`channel_def`), the unit
(`unit_uv`) and the signal (`intensity`) that the metadata states, and back. Four leads follow from the eight others by
Einthoven's and Goldberger's laws. What cannot be brought there is refused on loading.
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
from napari_latent_explorer.modeling import bundle_files
from napari_latent_explorer.modeling.bundle import Decoded
from napari_latent_explorer.modeling.bundle_facts import BundleFacts
from napari_latent_explorer.modeling.inputs import Z_SCORE_EPSILON
from napari_latent_explorer.modeling.onnx_network import OnnxNetwork
from napari_latent_explorer.modeling.preprocessing_spec import (
    ECG_UNIT_UV,
    INDEPENDENT_LEADS,
    PreprocessingSpec,
    read_spec,
)

MODALITIES = ("mri", "ecg")
_MAX_LATENT_DIM = 1 << 16
_MAX_VALUES = 1 << 26
_N_SIZES = {"mri": 3, "ecg": 2}

# III, aVR, aVL, aVF from I and II
_DERIVED = {"III": (-1.0, 1.0), "aVR": (-0.5, -0.5), "aVL": (1.0, -0.5), "aVF": (-0.5, 1.0)}


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
    shapes
        Of what the networks take, without the batch: ``mri``, ``ecg`` and ``latent``.
    input_spec
        What recordings are brought to for it.
    """

    networks: Mapping[str, OnnxNetwork]
    metadata: Mapping[str, Any]
    path: Path | None
    shapes: Mapping[str, tuple[int, ...]] = field(repr=False)
    input_spec: PreprocessingSpec

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
        facts = BundleFacts(root / bundle_files.METADATA, metadata)
        shapes = {name: facts.shape_of(name, _N_SIZES[name], _MAX_VALUES) for name in found}
        shapes["latent"] = (facts.size_at("network_data_format.outputs.latent.num_channels", _MAX_LATENT_DIM),)
        leads = facts.leads(shapes["ecg"][0]) if "ecg" in found else LEAD_NAMES
        facts.check_kinds()
        if optional:
            facts.label_names()
        spec = read_spec(facts.mapping_at("preprocessing"), shapes, str(facts.path), lead_names=leads)
        networks = {name: OnnxNetwork(root / f"{name}.onnx") for name in (*wanted, *optional)}
        bundle = cls(networks, metadata, root, shapes, spec)
        bundle._check()
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
        return MappingProxyType(BundleFacts(Path(bundle_files.METADATA), self.metadata).label_names())

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
        expected = self.shapes["mri"] if modality == "mri" else (len(LEAD_NAMES), self.input_spec.ecg.n_samples)
        if batch.shape[1:] != expected:
            raise BundleError(
                f"Cannot encode {modality} tensors of shape {batch.shape}: this model expects (n, "
                f"{', '.join(map(str, expected))})."
            )
        if modality == "ecg":
            batch = batch[:, self._lead_order] / self._ecg_scale
        elif self.input_spec.mri.intensity == "0 to 1":
            batch = _stretched(batch)
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
            cine = self._run("mri_decoder", latents, self.shapes["mri"]).astype(np.float32, copy=False)
            if self.input_spec.mri.intensity != "z-score":
                cine = _z_scored(cine)
            if with_labels and "mri_labels" in self.networks:
                labels = self._label_values(self._run("mri_labels", latents, self.shapes["mri"]))
        if with_ecg and "ecg" in self.modalities:
            signal = self._run("ecg_decoder", latents, self.shapes["ecg"]).astype(np.float32, copy=False)
            ecg_mv = _twelve_leads(signal, self.input_spec.ecg.lead_names) * np.float32(
                self._ecg_scale * ECG_UNIT_UV / 1000.0
            )
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
        """Compare networks and metadata."""
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
    def _lead_order(self) -> NDArray[np.intp]:
        """Place in the clinical order of each lead that the network takes."""
        return np.array([LEAD_NAMES.index(name) for name in self.input_spec.ecg.lead_names], dtype=np.intp)

    @property
    def _ecg_scale(self) -> float:
        """How many of our units one of the network's is: 20 for mV."""
        return self.input_spec.ecg.unit_uv / ECG_UNIT_UV


def _stretched(cines: NDArray[np.floating[Any]]) -> NDArray[np.floating[Any]]:
    """Each cine of ``(n, frame, row, column)`` over 0 to 1; what was z-scored before is the same as what was not."""
    low, high = (end(cines, axis=(1, 2, 3), keepdims=True) for end in (np.min, np.max))
    return np.asarray((cines - low) / np.maximum(high - low, Z_SCORE_EPSILON))


def _z_scored(cines: NDArray[Any]) -> NDArray[np.float32]:
    """Each cine of ``(n, frame, row, column)`` with mean 0 and standard deviation 1."""
    mean, std = (of(cines, axis=(1, 2, 3), keepdims=True, dtype=np.float64) for of in (np.mean, np.std))
    return ((cines - mean) / (std + Z_SCORE_EPSILON)).astype(np.float32)


def _twelve_leads(signal: NDArray[Any], names: tuple[str, ...]) -> NDArray[Any]:
    """``(n, 12, n_samples)`` in the clinical order from ``(n, n_leads, n_samples)``."""
    if len(names) > len(INDEPENDENT_LEADS):
        return signal[:, [names.index(name) for name in LEAD_NAMES]]
    one, two = (signal[:, names.index(name)] for name in ("I", "II"))
    leads = [
        signal[:, names.index(name)] if name in names else _DERIVED[name][0] * one + _DERIVED[name][1] * two
        for name in LEAD_NAMES
    ]
    return np.stack(leads, axis=1)


def _shown(shape: tuple[int | None, ...]) -> str:
    return "(" + ", ".join("any" if n is None else str(n) for n in shape) + ")"


def _read_metadata(root: Path) -> dict[str, Any]:
    path = root / bundle_files.METADATA
    if not path.is_file():
        raise BundleError(f"The networks in {root} come without {path.name}, so nobody knows what they take.")
    return bundle_files.read_json(path)
