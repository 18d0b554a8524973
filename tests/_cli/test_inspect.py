from typer.testing import CliRunner

from napari_latent_explorer._cli.app import app


def invoke(*words):
    return CliRunner().invoke(app, [str(word) for word in words])


def test_each_recording_is_one_line_and_refusals_are_no_failure(tmp_path):
    (tmp_path / "a.csv").write_text("# sampling_rate_hz: 500\nI (mV),II (mV)\n" + "0.1,0.2\n" * 5000)
    (tmp_path / "b.xml").write_bytes(b"\x1b[31m")
    result = invoke("inspect", tmp_path)
    assert result.exit_code == 0
    lines = result.stdout.splitlines()
    assert lines[0].startswith(
        f"{tmp_path / 'a.csv'}: ECG table: rhythm, 6 leads (I II III aVR aVL aVF) x 5000 samples"
    )
    assert lines[1].startswith(f"{tmp_path / 'b.xml'}: refused: ")
    assert lines[2:] == ["1 recordings, 1 refused"]
    assert "\x1b" not in result.stdout


def test_a_path_that_is_not_there_is_an_error(tmp_path):
    result = invoke("inspect", tmp_path / "nowhere")
    assert result.exit_code == 2
    assert "There is no folder" in result.stderr
