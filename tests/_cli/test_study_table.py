import pytest
from typer.testing import CliRunner

from napari_latent_explorer._cli.app import app


def invoke(*words):
    return CliRunner().invoke(app, [str(word) for word in words], env={"COLUMNS": "1000"})


@pytest.fixture
def table(tmp_path):
    path = tmp_path / "biobank.csv"
    path.write_text(
        "eid,31-0.0,21003-0.0,21003-2.0,remark,smoker\n1,0,50,58,[bold]x,0\n2,1,51,59,\x1b[2Jy,1\n2,1,51,60,z,1\n,0,52,61,,0\n",
        "utf-8",
    )
    return path


def test_proposals_and_ids_are_shown(table):
    result = invoke("study", "table", table)
    assert result.exit_code == 0, result.stderr
    printed = result.stdout
    assert "4 rows, 1 participants (ids from the column 'eid')" in printed
    assert "1 rows without an id (e.g. row 4): left out" in printed
    assert "1 ids with several different rows (e.g. 2): left out" in printed
    assert "continuous, years" in printed
    assert "female, male" in printed
    assert "of the baseline (0) visit, which is not the wanted one" in printed
    assert "\x1b[2J" not in printed


def test_the_wanted_visit(table):
    printed = invoke("study", "table", table, "--instance", 0).stdout
    assert "of the imaging (2) visit, which is not the wanted one" in printed


def test_columns_are_written_corrected_and_read(table, tmp_path):
    columns = tmp_path / "columns.toml"
    result = invoke("study", "table", table, "--columns-out", columns)
    assert f"Wrote {columns}" in result.stdout
    columns.write_text(
        columns.read_text("utf-8").replace('"female"', '"woman"').replace('"age"', '"age_at_mri"'), "utf-8"
    )
    printed = invoke("study", "table", table, "--columns", columns).stdout
    assert "age_at_mri" in printed
    assert "woman, male" in printed


def test_what_is_wrong_is_one_message(table, tmp_path):
    result = invoke("study", "table", table, "--id-column", "pid")
    assert result.exit_code == 2
    assert result.stderr.startswith(f"Error: Cannot use {table}: The table has no column 'pid' of ids")
    result = invoke("study", "table", tmp_path / "nowhere.csv")
    assert (result.exit_code, result.stderr) == (2, f"Error: There is no file {tmp_path / 'nowhere.csv'}.\n")
