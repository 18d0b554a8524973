"""What a bundle says about itself, in the vocabulary of MONAI bundles' ``metadata.json``.

References
----------
MONAI Bundle Specification, https://docs.monai.io/en/stable/mb_specification.html.
"""

from collections.abc import Mapping
from typing import Any

from napari_latent_explorer.data.cine import LA_4CH_CLASSES
from napari_latent_explorer.data.ecg import LEAD_NAMES
from napari_latent_explorer.modeling.preprocessing_spec import (
    ECG_UNIT_UV,
    PIXEL_SPACING_MM,
    QRS_ONSET_MS,
    SAMPLING_RATE_HZ,
)
from napari_latent_explorer.nn.autoencoder import AutoencoderConfig

SIMULATION_WARNING = (
    "This model was trained on simulated hearts only. On recordings of real people its latents, reconstructions and "
    "predictions show how the program works, not the state of a heart."
)

PREPROCESSING: Mapping[str, Any] = {
    "mri": {
        "spacing_mm": PIXEL_SPACING_MM,
        "first_frame": "R peak",
        "cycle": "frames spread evenly over one RR interval",
        "intensity": "z-scored per participant over all frames and pixels",
        "imaging_plane": "la_4ch",
    },
    "ecg": {
        "lead_names": list(LEAD_NAMES),
        "sampling_rate_hz": SAMPLING_RATE_HZ,
        "unit_uv": ECG_UNIT_UV,
        "qrs_onset_ms": QRS_ONSET_MS,
        "kind": "median beat",
    },
}
"""Grids and units of the model's inputs, as they stand in ``preprocessing.json``."""


def describe_model(
    config: AutoencoderConfig, *, is_simulated: bool, data_source: str, n_participants: int
) -> dict[str, Any]:
    """Contents of ``metadata.json``."""
    modalities = " and ".join({"mri": "long-axis cine MRI", "ecg": "12-lead ECG"}[name] for name in config.coders)
    return {
        "schema": "https://github.com/Project-MONAI/MONAI-extra-test-data/releases/download/0.8.1/meta_schema_20240725.json",
        "version": "0.1.0",
        "changelog": {"0.1.0": "first training"},
        "name": "Cross-modal autoencoder of heart recordings"
        if len(config.coders) > 1
        else f"{modalities} autoencoder",
        "task": f"Latent representation and reconstruction of {modalities}",
        "description": f"Autoencoder with {config.latent_dim} latents, trained on {n_participants} participants.",
        "intended_use": "Exploring latent spaces in research and teaching; not for diagnosis or treatment.",
        "data_source": data_source,
        "data_type": "zarr",
        "warning": SIMULATION_WARNING if is_simulated else "",
        "references": [
            "Radhakrishnan A. et al. Cross-modal autoencoder framework learns holistic representations of "
            "cardiovascular state. Nat. Commun. 14, 2436 (2023)."
        ],
        "network_data_format": {"inputs": _inputs(config), "outputs": _outputs(config)},
    }


def _inputs(config: AutoencoderConfig) -> dict[str, Any]:
    return {name: _recording(config, name) for name in config.coders}


def _outputs(config: AutoencoderConfig) -> dict[str, Any]:
    outputs: dict[str, Any] = {f"{name}_reconstruction": _recording(config, name) for name in config.coders}
    outputs["latent"] = {
        "type": "feature", "format": "latent", "num_channels": config.latent_dim, "spatial_shape": [],
        "dtype": "float32", "value_range": [],
    }  # fmt: skip
    if config.labels is not None and config.mri is not None:
        values = config.labels.label_values
        outputs["labels"] = {
            "type": "image", "format": "segmentation", "modality": "MR", "num_channels": config.mri.n_channels,
            "spatial_shape": list(config.mri.space), "dtype": "uint8", "value_range": [min(values), max(values)],
            "channel_def": {str(value): LA_4CH_CLASSES.get(value, f"class {value}") for value in values},
        }  # fmt: skip
    return outputs


def _recording(config: AutoencoderConfig, modality: str) -> dict[str, Any]:
    coder = config.mri if modality == "mri" else config.ecg
    assert coder is not None
    names = LEAD_NAMES if modality == "ecg" else tuple(f"frame {i}" for i in range(coder.n_channels))
    return {
        "type": "image" if modality == "mri" else "signal",
        "format": "magnitude" if modality == "mri" else "waveform",
        "modality": "MR" if modality == "mri" else "ECG",
        "num_channels": coder.n_channels,
        "spatial_shape": list(coder.space),
        "dtype": "float32",
        "value_range": [],
        "is_patch_data": False,
        "channel_def": {str(i): name for i, name in enumerate(names)},
    }
