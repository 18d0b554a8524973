import errno

import pytest
import typer
from typer.testing import CliRunner

from napari_latent_explorer._cli.errors import Commands
from napari_latent_explorer.errors import BundleError, StudyError


def run_command_that_raises(error):
    app = typer.Typer(cls=Commands)

    @app.command()
    def fail():
        raise error

    @app.command()
    def other():
        pass

    return CliRunner().invoke(app, ["fail"])


@pytest.mark.parametrize("error", [StudyError("No study at [bold]x; make one."), BundleError("Bundle y does not fit.")])
def test_wrong_input_is_one_message_and_status_2(error):
    result = run_command_that_raises(error)
    assert result.exit_code == 2
    assert result.stdout == ""
    assert result.stderr == f"Error: {error}\n"


def test_full_disk_is_named_with_its_place():
    result = run_command_that_raises(OSError(errno.ENOSPC, "No space left on device", "out/table.parquet"))
    assert result.exit_code == 2
    assert "no space left on the disk (out/table.parquet)" in result.stderr
    assert "Free some" in result.stderr


def test_forbidden_place_is_named():
    result = run_command_that_raises(PermissionError(errno.EACCES, "Permission denied", "/forbidden"))
    assert result.exit_code == 2
    assert result.stderr == "Error: Permission denied (/forbidden).\n"


def test_a_fault_of_the_program_keeps_its_traceback():
    result = run_command_that_raises(ZeroDivisionError("ours"))
    assert result.exit_code == 1
    assert isinstance(result.exception, ZeroDivisionError)
