import json
import pickle
from pathlib import Path
from typing import Any

import pytest

from napari_latent_explorer.errors import StudyError
from napari_latent_explorer.io.study_manifest import MANIFEST_FILE, VERSION, StudyManifest, path_component

MANIFEST = StudyManifest("Näme", 7, ("ecg",), "simulation", False, True, {"seed": 3, "tags": ["a"]})


def test_it_survives_its_file_and_pickling(tmp_path: Path) -> None:
    MANIFEST.write(tmp_path)
    assert StudyManifest.read(tmp_path) == MANIFEST
    assert pickle.loads(pickle.dumps(MANIFEST)) == MANIFEST


def test_its_provenance_cannot_be_changed_from_outside() -> None:
    provenance = {"seed": 1}
    manifest = StudyManifest("x", 0, provenance=provenance)
    provenance["seed"] = 2
    assert manifest.provenance == {"seed": 1}
    with pytest.raises(TypeError):
        manifest.provenance["seed"] = 3  # type: ignore[index]


def test_all_problems_are_named_at_once() -> None:
    with pytest.raises(
        StudyError,
        match=r"'x' is not valid: n_participants is -1, .*; unknown modalities \['ct'\].*'disk'",
    ):
        StudyManifest("x", -1, ("mri", "ct"), "disk")  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"schema": "other"}, "is not the manifest of a study: its schema is 'other'"),
        ({"version": VERSION + 1}, "reads up to .*pip install --upgrade"),
        ({"version": "1"}, "its version is '1', expected a whole number from 1"),
        ({"version": True}, "its version is True, expected a whole number"),
        ({"version": 0}, "its version is 0, expected a whole number"),
        ({"version": -3}, "its version is -3"),
        ({"version": 1.0}, "its version is 1.0"),
        ({"name": 7}, "its name is 7, expected text"),
        ({"name": None}, "its name is None, expected text"),
        ({"n_participants": True}, "n_participants is True, expected a whole number"),
        ({"n_participants": 7.0}, "n_participants is 7.0, expected a whole number"),
        ({"has_labels": "no"}, "has_labels is 'no', expected true or false"),
        ({"is_complete": 1}, "is_complete is 1, expected true or false"),
        ({"modalities": ["mri", "mri"]}, r"modalities \['mri'\] are named more than once"),
        ({"modalities": [["mri"]]}, "unknown modalities"),
        ({"recording_source": None}, "recording_source is None, expected stored or simulation"),
        ({"recording_source": []}, r"recording_source is \[\], expected stored or simulation"),
        ({"provenance": []}, "is damaged"),
        ({"modalities": "mri"}, "is damaged"),
    ],
)
def test_a_foreign_or_damaged_manifest_is_refused(tmp_path: Path, change: dict[str, Any], message: str) -> None:
    MANIFEST.write(tmp_path)
    content = json.loads((tmp_path / MANIFEST_FILE).read_text("utf-8"))
    (tmp_path / MANIFEST_FILE).write_text(json.dumps({**content, **change}), "utf-8")
    with pytest.raises(StudyError, match=message):
        StudyManifest.read(tmp_path)


@pytest.mark.parametrize("text", ["", ".", "..", "../x", "a/b", "a\\b", ".hidden", "-x", "a\n", "é", "a" * 129])
def test_no_name_leads_elsewhere(text: str) -> None:
    with pytest.raises(StudyError, match="cannot be used as the name of a projection"):
        path_component(text, "the name of a projection")
    assert path_component("a" * 128, "a name") == "a" * 128


def test_a_manifest_nested_without_end_is_refused(tmp_path: Path) -> None:
    (tmp_path / MANIFEST_FILE).write_text("[" * 200_000)
    with pytest.raises(StudyError, match="Cannot read"):
        StudyManifest.read(tmp_path)
