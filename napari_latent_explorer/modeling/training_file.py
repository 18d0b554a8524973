"""Settings of a training in a JSON file: any fields of `TrainingConfig`, each in the place of the preset's."""

import json
from pathlib import Path
from typing import Any

from napari_latent_explorer.errors import TrainingError, reason_of
from napari_latent_explorer.modeling.training_config import TrainingConfig

_MAX_BYTES = 1 << 20


def read_training_config(path: Path, preset: TrainingConfig) -> TrainingConfig:
    """Take `preset` with the entries of a JSON file in the place of its own.

    Raises
    ------
    TrainingError
        When the file cannot be read, is no JSON object, or has names or values that no training has.
    """
    try:
        return TrainingConfig.from_dict(preset.to_dict() | _read_object(path))
    except TrainingError as refusal:
        raise TrainingError(
            f"Cannot train as {path} says. {refusal} Expected a JSON object with fields of TrainingConfig, e.g. "
            '{"epochs_joint": 20, "train_fraction": 0.8}.'
        ) from refusal


def _read_object(path: Path) -> dict[str, Any]:
    try:
        with path.open("rb") as stream:
            content = stream.read(_MAX_BYTES + 1)
        if len(content) > _MAX_BYTES:
            raise TrainingError("It is longer than 1 MB.")
        values = json.loads(content, object_pairs_hook=_without_repetition)
    except (OSError, ValueError, RecursionError) as damage:
        raise TrainingError(f"It cannot be read as JSON ({reason_of(damage)}).") from damage
    if not isinstance(values, dict):
        raise TrainingError(f"It holds a {type(values).__name__}.")
    return values


def _without_repetition(entries: list[tuple[str, Any]]) -> dict[str, Any]:
    names = [name for name, _ in entries]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise TrainingError(f"It has more than one entry of: {', '.join(twice)}.")
    return dict(entries)
