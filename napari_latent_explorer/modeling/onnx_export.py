"""A bundle written as networks in ONNX, which any other program can run; see `onnx_bundle` for the files.

The batch stays open in each network. Weights lie inside the files, so that each can be moved alone.
"""

import json
import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from napari_latent_explorer.errors import BundleError
from napari_latent_explorer.io.atomic import write_file
from napari_latent_explorer.modeling import bundle_files
from napari_latent_explorer.modeling.bundle import ModelBundle
from napari_latent_explorer.modeling.bundle_metadata import describe_model
from napari_latent_explorer.nn.autoencoder import CrossModalAutoencoder


class _LabelNetwork(nn.Module):
    """Latent to class numbers."""

    def __init__(self, network: CrossModalAutoencoder) -> None:
        super().__init__()
        self.network = network

    def forward(self, z: Tensor) -> Tensor:
        return self.network.decode_labels(z)


def export_onnx(bundle: ModelBundle, folder: Path) -> list[Path]:
    """Write encoders, decoders and the label head of a bundle into `folder`; the metadata comes last.

    Raises
    ------
    BundleError
        When onnx and onnxscript are not installed, or the folder holds a bundle of another kind.
    """
    if (folder / bundle_files.WEIGHTS).exists():
        raise BundleError(f"{folder} holds a bundle with {bundle_files.WEIGHTS}. Export into another folder.")
    (folder / bundle_files.METADATA).unlink(missing_ok=True)
    for stale in folder.glob("*.onnx"):
        stale.unlink()
    written = []
    for name, (network, example) in _networks(bundle).items():
        path = folder / f"{name}.onnx"
        write_file(path, _to_onnx(network, example))
        written.append(path)
    write_file(folder / bundle_files.METADATA, (json.dumps(_metadata(bundle), indent=2) + "\n").encode())
    return [*written, folder / bundle_files.METADATA]


def _networks(bundle: ModelBundle) -> dict[str, tuple[nn.Module, Tensor]]:
    """Networks by the name of their file, each with an example of its input."""
    latent = torch.zeros(2, bundle.latent_dim, device=bundle.device)
    networks: dict[str, tuple[nn.Module, Tensor]] = {}
    for name, coder in bundle.network.config.coders.items():
        recording = torch.zeros(2, coder.n_channels, *coder.space, device=bundle.device)
        networks[f"{name}_encoder"] = bundle.network.encoders[name], recording
        networks[f"{name}_decoder"] = bundle.network.decoders[name], latent
    if bundle.label_names and "mri" in bundle.modalities:
        networks["mri_labels"] = _LabelNetwork(bundle.network).eval(), latent
    return networks


def _to_onnx(network: nn.Module, example: Tensor) -> bytes:
    try:
        import onnx  # noqa: F401
        import onnxscript  # noqa: F401
    except ImportError as missing:
        raise BundleError(
            f"Writing ONNX needs onnx and onnxscript, and {missing.name} is not installed. Install them: "
            "pip install 'napari-latent-explorer[onnx]'"
        ) from missing
    with _quiet():
        program = torch.onnx.export(
            network, (example,), dynamo=True, input_names=["input"], output_names=["output"],
            dynamic_shapes=({0: torch.export.Dim("batch")},), external_data=False, verbose=False,
        )  # fmt: skip
    assert program is not None
    content: bytes = program.model_proto.SerializeToString()
    return content


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep back what torch's exporter says of libraries that nobody needs here."""
    logger = logging.getLogger("torch.onnx")
    level = logger.level
    logger.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logger.setLevel(level)


def _metadata(bundle: ModelBundle) -> dict[str, Any]:
    config = bundle.network.config
    facts = describe_model(config, is_simulated=bool(bundle.warning), data_source="unknown", n_participants=0)
    formats = facts["network_data_format"]
    units = {"mri": "z-score over all frames and pixels", "ecg": f"{bundle.preprocessing['ecg']['unit_uv']:g} uV"}
    for name in config.coders:
        formats["inputs"][name]["units"] = formats["outputs"][f"{name}_reconstruction"]["units"] = units[name]
    return {
        **facts,
        **bundle.metadata,
        "network_data_format": formats,
        "preprocessing": dict(bundle.preprocessing),
        "training": dict(bundle.training),
        "exported_from": bundle.fingerprint,
    }
