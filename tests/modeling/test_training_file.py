import json
from dataclasses import replace
from pathlib import Path

import pytest

from napari_latent_explorer.errors import TrainingError
from napari_latent_explorer.modeling.training_config import TrainingConfig
from napari_latent_explorer.modeling.training_file import read_training_config

COMPACT = TrainingConfig()


def written(folder: Path, content: object) -> Path:
    path = folder / "training.json"
    path.write_text(content if isinstance(content, str) else json.dumps(content), "utf-8")
    return path


def refusal_of(path: Path) -> str:
    with pytest.raises(TrainingError) as refusal:
        read_training_config(path, COMPACT)
    assert str(path) in str(refusal.value)
    return str(refusal.value)


def test_entries_take_the_place_of_the_presets_and_nothing_else_changes(tmp_path: Path) -> None:
    path = written(tmp_path, {"epochs_mri": 4, "epochs_joint": 9, "train_fraction": 0.5, "valid_fraction": 0.25})
    changed = {"epochs_mri": 4, "epochs_joint": 9, "train_fraction": 0.5, "valid_fraction": 0.25}
    for preset in (COMPACT, TrainingConfig.reading("ml4h")):
        assert read_training_config(path, preset) == replace(preset, **changed)


def test_every_field_can_be_written_down(tmp_path: Path) -> None:
    whole = TrainingConfig.reading("paper")
    assert read_training_config(written(tmp_path, whole.to_dict()), COMPACT) == whole
    assert read_training_config(
        written(tmp_path, {"max_minutes": 3, "stage_shares": [1, 0, 1, 0]}), COMPACT
    ) == replace(COMPACT, max_minutes=3.0, stage_shares=(1.0, 0.0, 1.0, 0.0))


def test_all_unknown_names_and_wrong_kinds_are_named_at_once(tmp_path: Path) -> None:
    entries = {
        "epoch": 3,
        "speed": 1,
        "epochs_mri": 2.5,
        "seed": True,
        "learning_rate_mri": "fast",
        "has_vae_baselines": 1,
        "baselines": "none",
        "stage_shares": [0.5, 0.5],
        "steps_per_epoch": [],
        "epochs_ecg": 5,
    }
    said = refusal_of(written(tmp_path, entries))
    assert "unknown entries: epoch, speed" in said
    for words in (
        "epochs_mri: 2.5, expected a whole number",
        "seed: True, expected a whole number",
        "learning_rate_mri: 'fast', expected a number",
        "has_vae_baselines: 1, expected true or false",
        "baselines: 'none', expected 'pretraining' or 'equal_passes'",
        "stage_shares: [0.5, 0.5], expected a list of 4 numbers",
        "steps_per_epoch: [], expected a whole number or null",
    ):
        assert words in said
    assert "epochs_ecg" not in said


@pytest.mark.parametrize(
    ("entries", "words"),
    [
        ({"train_fraction": 0.9, "valid_fraction": 0.2}, "shares 0.9 to train and 0.2 to validate"),
        ({"epochs_joint": 0, "batch_size": 1}, "at least 2 participants.*0 for the cross-modal stage"),
        ({"learning_rate_ecg": 0, "ecg_weight": -1}, "learning_rate_ecg is 0.*ecg_weight is -1"),
        ({"max_minutes": 0}, "max_minutes is 0"),
        ({"stage_shares": [1, 1, 0, 1]}, "share of the time"),
        ({"labelled_frames": 0}, "at least one frame"),
    ],
    ids=["shares", "epochs", "rates", "minutes", "stages", "frames"],
)
def test_values_that_make_no_training_are_refused(tmp_path: Path, entries: dict[str, object], words: str) -> None:
    path = written(tmp_path, entries)
    with pytest.raises(TrainingError, match=words):
        read_training_config(path, COMPACT)
    assert "cannot start" in refusal_of(path)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ('{"seed": 1, "seed": 2}', "more than one entry of: seed"),
        ("[1]", "holds a list"),
        ("{'seed': 1}", "cannot be read as JSON"),
        ('{"learning_rate_mri": NaN}', "expected a number"),
        ('{"learning_rate_mri": 1e999}', "expected a number"),
        ("[" * 100_000, "cannot be read as JSON"),
        ('{"seed": 1' + " " * (1 << 20) + "}", "longer than 1 MB"),
        ("\x00\xff", "cannot be read as JSON"),
    ],
    ids=["twice", "list", "quotes", "nan", "infinite", "nested", "long", "binary"],
)
def test_what_is_no_settings_file_is_refused(tmp_path: Path, content: str, words: str) -> None:
    assert words in refusal_of(written(tmp_path, content))


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    assert "cannot be read" in refusal_of(tmp_path / "absent.json")
    assert "cannot be read" in refusal_of(tmp_path)
