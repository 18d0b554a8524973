import sys

import pytest
from typer.testing import CliRunner

from napari_latent_explorer._cli import viewer
from napari_latent_explorer._cli.app import app


def invoke(*words):
    return CliRunner().invoke(app, [str(word) for word in words])


@pytest.fixture
def virtual_commands(monkeypatch):
    """Commands that would have run under a virtual display; there is no real one."""
    commands = []
    monkeypatch.setattr(viewer, "is_display_at_hand", lambda: False)
    monkeypatch.setattr(viewer, "missing_packages", tuple)
    monkeypatch.setattr(viewer, "run_under_virtual_display", lambda command, **_: commands.append(command) or 0)
    return commands


def test_demo_without_a_display_is_a_tour(virtual_commands, tmp_path):
    result = invoke("demo", "--output", tmp_path)
    assert result.exit_code == 0
    assert "No display here" in result.stdout
    assert virtual_commands == [
        [sys.executable, "-P", "-m", "napari_latent_explorer", "tour", "--output", str(tmp_path)],
    ]


def test_tour_hands_ones_own_recordings_on(virtual_commands, tmp_path):
    header = tmp_path / "record.hea"
    header.touch()
    assert invoke("tour", "--cine", tmp_path, "--ecg", header).exit_code == 0
    assert virtual_commands[0][-4:] == ["--cine", str(tmp_path), "--ecg", str(header)]


def test_a_failed_tour_fails(virtual_commands, monkeypatch):
    monkeypatch.setattr(viewer, "run_under_virtual_display", lambda command, **_: 3)
    assert invoke("tour").exit_code == 3


def test_missing_system_libraries_are_named_in_a_line_to_paste(virtual_commands, monkeypatch):
    monkeypatch.setattr(viewer, "missing_packages", lambda: ("xvfb", "libegl1"))
    result = invoke("tour")
    assert result.exit_code == 2
    assert "apt-get install -y --no-install-recommends xvfb libegl1" in result.stderr
    assert virtual_commands == []


def test_missing_files_are_all_named(virtual_commands):
    result = invoke("tour", "--cine", "no-cine", "--ecg", "no-ecg")
    assert result.exit_code == 2
    assert "--cine no-cine, --ecg no-ecg" in result.stderr


def test_study_and_bundle_belong_together(virtual_commands, tmp_path):
    result = invoke("tour", "--study", tmp_path)
    assert result.exit_code == 2
    assert "--bundle" in result.stderr
