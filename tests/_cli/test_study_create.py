import shutil
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner
from ukb_writer import cine_of, people, write_people, write_table

from napari_latent_explorer._cli.app import app
from napari_latent_explorer.io.study import Study


def invoke(*words):
    return CliRunner().invoke(app, [str(word) for word in words])


@pytest.fixture(scope="module")
def given(tmp_path_factory):
    root = tmp_path_factory.mktemp("given")
    write_people(root / "bulk", people(3), has_other_planes=False)
    write_table(root / "people.csv", people(4))
    (root / "bulk" / "1000002_20205_2_0.xml").write_bytes(b"")
    (root / "bulk" / "[bold]odd.xml").write_bytes(b"x")
    return root


def words(given: Path, out: Path):
    return ("study", "create", out, "--table", given / "people.csv", "--cine", given / "bulk", "--ecg", given / "bulk")


def test_a_dry_run_says_what_was_matched_and_writes_nothing(given, tmp_path):
    result = invoke(*words(given, tmp_path / "study"), "--dry-run")
    assert result.exit_code == 0, result.stderr
    assert "3 participants: 3 with a cine, 3 with an ECG, 3 with both" in result.stdout
    assert "1 of 4 participants of the table have no recording and are left out (e.g. 1000004)" in result.stdout
    assert "1 files not used: no id of the table stands in its name" in result.stdout
    assert "[bold]odd.xml" in result.stdout
    assert not (tmp_path / "study").exists()


def test_a_study_is_built_and_told_about(given, tmp_path):
    result = invoke(*words(given, tmp_path / "study"), "--workers", 1, "--name", "Hearts")
    assert result.exit_code == 0, result.stderr
    assert "3 participants with 3 mri and 2 ecg recordings" in result.stdout
    assert f"1 failed. Each with its reason: {tmp_path / 'study' / 'report.html'}" in result.stdout
    study = Study.open(tmp_path / "study")
    assert study.name == "Hearts"
    np.testing.assert_array_equal(study.cine("1000001").frames, cine_of(people(1)[0]).frames)
    info = invoke("study", "info", tmp_path / "study").stdout
    assert "files: 155 used, " in info
    assert "1 failed: Cannot read 1000002_20205_2_0.xml: it is empty (0 bytes)." in info
    assert "heart boxes: 3 from motion" in info


def test_people_are_added(given, tmp_path):
    few = tmp_path / "few"
    few.mkdir()
    for file in (given / "bulk").glob("1000001*"):
        shutil.copy(file, few)
    invoke("study", "create", tmp_path / "study", "--table", given / "people.csv", "--cine", few, "--ecg", few)
    assert len(Study.open(tmp_path / "study").cohort()) == 1
    more = ("--table", given / "people.csv", "--cine", given / "bulk", "--ecg", given / "bulk")
    said = invoke("study", "add", tmp_path / "study", *more, "--dry-run")
    assert "2 participants: 2 with a cine" in said.stdout
    assert len(Study.open(tmp_path / "study").cohort()) == 1
    result = invoke("study", "add", tmp_path / "study", *more, "--workers", 1)
    assert result.exit_code == 0, result.stderr
    assert "3 participants with 3 mri and 2 ecg recordings" in result.stdout
    assert len(Study.open(tmp_path / "study").cohort()) == 3


def test_wrong_input_is_one_message(given, tmp_path):
    result = invoke(*words(given, tmp_path / "study"), "--id-pattern", "(")
    assert result.exit_code == 2
    assert "no regular expression" in result.stderr
    result = invoke("study", "create", tmp_path / "study", "--table", given / "people.csv")
    assert result.exit_code == 2
    assert "none was given" in result.stderr
    result = invoke("study", "add", tmp_path / "nowhere", "--cine", given / "bulk")
    assert result.exit_code == 2
    assert "Cannot open the study" in result.stderr


def test_a_scheduler_that_does_not_answer_is_named(given, tmp_path, monkeypatch):
    monkeypatch.setattr("napari_latent_explorer.modeling.dask_workers._CONNECT_S", 0.5)
    result = invoke(*words(given, tmp_path / "study"), "--scheduler", "tcp://127.0.0.1:1")
    assert result.exit_code == 2
    assert "No Dask scheduler answers" in result.stderr


def test_help_names_the_units():
    for command in ("create", "add"):
        printed = " ".join(invoke("study", command, "--help").stdout.split())
        for unit in ("mm", "mV", "ms"):
            assert unit in printed
