"""The files of a model bundle: written in one step each, read with every doubt spelled out."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load as load_safetensors
from safetensors.torch import save as save_safetensors
from torch import Tensor

from napari_latent_explorer.errors import BundleError, reason_of
from napari_latent_explorer.io.atomic import write_file

SCHEMA_VERSION = 1
WEIGHTS = "weights.safetensors"
CONFIG = "config.json"
METADATA = "metadata.json"
PREPROCESSING = "preprocessing.json"
STATISTICS = "latent_statistics.safetensors"
FILES = (WEIGHTS, CONFIG, METADATA, PREPROCESSING, STATISTICS)

MAX_JSON_BYTES = 16 << 20
MAX_WEIGHT_BYTES = 1 << 30
"""Most that is read of a file; the published networks have 59 MB."""

_MOST_NAMED = 6
_LFS_POINTER = b"version https://git-lfs"


def write_bundle(
    root: Path,
    weights: dict[str, Tensor],
    statistics: dict[str, Tensor],
    metadata: dict[str, Any],
    preprocessing: dict[str, Any],
    config: dict[str, Any],
) -> None:
    """Write all files; the configuration goes first out of the way and comes last."""
    (root / CONFIG).unlink(missing_ok=True)
    write_file(root / WEIGHTS, save_safetensors(weights))
    write_file(root / STATISTICS, save_safetensors(statistics))
    for name, values in ((METADATA, metadata), (PREPROCESSING, preprocessing), (CONFIG, config)):
        write_file(root / name, (json.dumps(values, indent=2) + "\n").encode())


def read_config(root: Path) -> dict[str, Any]:
    """Contents of ``config.json`` after checking that the folder is a bundle of a version known here."""
    if not root.is_dir():
        raise BundleError(f"There is no model bundle at {root}: no such folder. Train one, or give another path.")
    missing = [name for name in FILES if not (root / name).is_file()]
    if missing:
        raise BundleError(
            f"The folder {root} is not a whole model bundle: {', '.join(missing)} missing. Expected are "
            f"{', '.join(FILES)}; a training run that was stopped goes on when it is started again."
        )
    config = read_json(root / CONFIG)
    version = config.get("schema_version")
    if version != SCHEMA_VERSION:
        raise BundleError(
            f"The model bundle {root} has schema version {version!r}; this program reads version {SCHEMA_VERSION}. "
            "Use a program of the bundle's time, or train again."
        )
    if not isinstance(config.get("training") or {}, dict):
        raise BundleError(f"{root / CONFIG} is damaged: 'training' is no object. Copy the bundle again.")
    if "autoencoder" not in config:
        raise BundleError(f"{root / CONFIG} does not say what network the weights belong to ('autoencoder' missing).")
    return config


def read_bytes(path: Path, most: int) -> bytes:
    """Content of a file, all at once: one that is mapped into memory ends the program when somebody shortens it."""
    try:
        with path.open("rb") as file:
            content = file.read(most + 1)
    except OSError as failure:
        raise BundleError(f"Cannot read {path}: {reason_of(failure)}. Check that it may be read.") from failure
    if len(content) > most:
        raise BundleError(f"{path} has more than {most} bytes, which is not sensible. Choose another file.")
    return content


def read_json(path: Path) -> dict[str, Any]:
    """Contents of a JSON file that holds an object."""
    try:
        values = json.loads(read_bytes(path, MAX_JSON_BYTES).decode("utf-8"))
    except (ValueError, RecursionError) as damage:
        raise BundleError(f"{path} is damaged: not JSON ({reason_of(damage)}). Copy the bundle again.") from damage
    if not isinstance(values, dict):
        raise BundleError(f"{path} is damaged: it holds a {type(values).__name__}, expected an object.")
    return values


def read_tensors(path: Path) -> dict[str, Tensor]:
    """Contents of a safetensors file."""
    content = read_bytes(path, MAX_WEIGHT_BYTES)
    if content.startswith(_LFS_POINTER):
        raise BundleError(f"{path} is a git-LFS pointer, not the file itself. Run `git lfs pull` in its repository.")
    try:
        return load_safetensors(content)
    except SafetensorError as damage:
        raise BundleError(
            f"{path} is damaged or not a safetensors file ({reason_of(damage)}; {len(content)} bytes). Copy the bundle "
            "again."
        ) from damage


def check_weights(root: Path, expected: Mapping[str, Tensor], found: Mapping[str, Tensor]) -> None:
    """Compare names and shapes of weights with the network's; the first differences are named, the rest counted."""
    problems = [f"{name} missing" for name in expected if name not in found]
    problems += [f"{name} unexpected" for name in found if name not in expected]
    problems += [
        f"{name} has shape {tuple(found[name].shape)}, expected {tuple(value.shape)}"
        for name, value in expected.items()
        if name in found and found[name].shape != value.shape
    ]
    problems += [f"{name} is not finite" for name, value in found.items() if not torch.isfinite(value).all()]
    if problems:
        more = f"; and {len(problems) - _MOST_NAMED} more" if len(problems) > _MOST_NAMED else ""
        raise BundleError(
            f"The weights in {root / WEIGHTS} do not fit the network in {CONFIG}: "
            f"{'; '.join(problems[:_MOST_NAMED])}{more}. "
            "The two files are of different bundles; copy both again."
        )
