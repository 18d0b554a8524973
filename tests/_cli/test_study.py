import json
import shutil

import pytest
from typer.testing import CliRunner

from napari_latent_explorer._cli.app import app
from napari_latent_explorer.io.formats import read_recording
from napari_latent_explorer.io.study import Study


def invoke(*words):
    return CliRunner().invoke(app, [str(word) for word in words])


@pytest.fixture(scope="module")
def study_folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("cli") / "hearts"
    result = invoke("study", "simulate", folder, "--participants", 3, "--seed", 5, "--workers", 1)
    assert result.exit_code == 0, result.stderr
    assert f"{folder}: 3 participants. Next: napari-latent-explorer train {folder}" in result.stdout
    return folder


def test_simulated_study_holds_everyones_recordings(study_folder):
    study = Study.open(study_folder)
    assert len(study.cohort()) == 3
    for participant_id in study.cohort().participant_ids:
        assert study.cine(participant_id).frames.shape == (50, 1, 96, 96)
        assert study.ecg(participant_id).signal_mv.shape == (12, 600)


def test_no_recordings_writes_factors_only(tmp_path):
    folder = tmp_path / "light"
    assert invoke("study", "simulate", folder, "--participants", 3, "--no-recordings").exit_code == 0
    assert not (folder / "recordings.zarr").exists()
    assert Study.open(folder).factors_table() is not None


def test_info_says_people_recordings_and_phenotypes_with_units(study_folder):
    printed = invoke("study", "info", study_folder).stdout
    assert "3 participants" in printed
    assert "mri: 3 recordings" in printed
    assert "LV mass (g)" in printed


def test_exported_recordings_can_be_read(study_folder, tmp_path):
    participant_id = str(Study.open(study_folder).cohort().participant_ids[1])
    result = invoke("study", "export", "recording", study_folder, participant_id, tmp_path)
    assert result.exit_code == 0, result.stderr
    assert read_recording(tmp_path / "cine_dicom").imaging_plane == "la_4ch"
    assert read_recording(tmp_path / "ecg_wfdb" / "ecg").lead_names[0] == "I"
    assert not [path for path in tmp_path.rglob("*") if path.is_file() and participant_id.encode() in path.read_bytes()]


def test_a_study_is_not_written_over(study_folder):
    result = invoke("study", "simulate", study_folder, "--participants", 3)
    assert result.exit_code == 2
    assert "already holds a study" in result.stderr.replace("\n", " ")


@pytest.mark.parametrize("words", [("study", "info"), ("train", "--output", "out"), ("project",)])
def test_missing_study_is_one_message(tmp_path, words):
    nowhere = tmp_path / "nowhere"
    bundle = [nowhere] if words[0] == "project" else []
    result = invoke(*words, nowhere, *bundle)
    assert result.exit_code == 2
    assert result.stderr.startswith("Error: Cannot open the study")
    assert "study simulate" in result.stderr


def test_half_written_study_says_how_to_go_on(study_folder, tmp_path):
    half = tmp_path / "half"
    half.mkdir()
    manifest = (study_folder / "manifest.json").read_text("utf-8")
    (half / "manifest.json").write_text(manifest.replace('"is_complete": true', '"is_complete": false'), "utf-8")
    result = invoke("study", "info", half)
    assert result.exit_code == 2
    assert "half-written" in result.stderr
    assert "goes on where it stopped" in result.stderr.replace("\n", " ")


def test_help_names_the_units():
    printed = " ".join(invoke("study", "simulate", "--help").stdout.split())
    for unit in ("mm", "Hz", "mV", "ml", "ms", "MB"):
        assert unit in printed


def test_names_in_a_study_act_neither_on_rich_nor_on_the_terminal(study_folder, tmp_path):
    hostile = "[/bold][link=http://x]\x1b[2J\u202e<b>"
    folder = tmp_path / "study"
    shutil.copytree(study_folder, folder)
    manifest = json.loads((folder / "manifest.json").read_text("utf-8"))
    (folder / "manifest.json").write_text(json.dumps({**manifest, "name": hostile}), "utf-8")
    specs = json.loads((folder / "phenotypes.json").read_text("utf-8"))
    (folder / "phenotypes.json").write_text(json.dumps([{**specs[0], "label": hostile}, *specs[1:]]), "utf-8")
    result = invoke("study", "info", folder)
    assert result.exit_code == 0, result.output
    assert r"[/bold][link=http://x]\x1b[2J\u202e<b>" in result.stdout.splitlines()[0]
    assert "\x1b[2J" not in result.stdout
    assert "\u202e" not in result.stdout
