import pytest
from typer.testing import CliRunner

import napari_latent_explorer
from napari_latent_explorer._cli.app import app

COMMANDS = ("demo", "tour", "study", "train", "encode", "project", "evaluate")


def test_help_lists_every_command():
    printed = CliRunner().invoke(app, ["--help"]).stdout
    assert [name for name in COMMANDS if f" {name} " not in printed] == []
    assert "Not for clinical use" in printed


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_explains_itself(command):
    result = CliRunner().invoke(app, [command, "--help"])
    assert result.exit_code == 0
    assert "Usage" in result.stdout


def test_version_is_the_packages():
    assert CliRunner().invoke(app, ["--version"]).stdout.strip() == napari_latent_explorer.__version__


def test_unknown_command_is_refused():
    result = CliRunner().invoke(app, ["trian"])
    assert result.exit_code == 2
    assert "trian" in result.stderr
