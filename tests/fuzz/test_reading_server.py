"""The watch over readers sees what it is there to see."""

from pathlib import Path

import pytest
from damage import Edit, cut, damaged, dicom_elements, edits_of
from fuzzing import FuzzRun
from hypothesis import given, settings
from hypothesis import strategies as st
from misbehaving import DEEDS
from reading_server import ReadingServer
from seeds import Seed, dicom_image

DEEDS_BY_NAME = {deed.__name__: kind for kind, deeds in DEEDS.items() for deed in deeds}


@pytest.mark.parametrize("deed", [deed for deed, kind in DEEDS_BY_NAME.items() if kind != "hang"])
def test_every_misdeed_is_noticed(deed: str, server: ReadingServer, tmp_path: Path) -> None:
    path = tmp_path / "input" / "ecg.dat"
    path.parent.mkdir()
    path.write_bytes(b"x")
    assert server.ask(f"misbehaving {deed}", path).kind == DEEDS_BY_NAME[deed]
    assert server.ask("any recording", path).kind == "refused"  # the next input is not harmed


@pytest.mark.slow
def test_waiting_for_ever_is_noticed_after_ten_seconds(server: ReadingServer, tmp_path: Path) -> None:
    (tmp_path / "ecg.dat").write_bytes(b"x")
    verdict = server.ask("misbehaving _wait_for_ever", tmp_path / "ecg.dat")
    assert verdict.kind == "hang"
    assert 10 <= verdict.seconds < 30
    assert "_wait_for_ever" in verdict.message


def test_a_failure_is_kept_described_and_made_small(server: ReadingServer, tmp_path: Path) -> None:
    run = FuzzRun(server, "misbehaving _raise_other", [Seed("one", {"a.dat": b"content"}, "a.dat")], tmp_path)
    run.run(20)
    assert len(run.failures) == 1
    assert "KeyError" in run.report()
    assert "one: ()" in run.report()  # no edit is needed for it
    assert run.tally.kinds["other error"] == run.tally.kinds.total()
    assert "other" in run.tally.line("one")
    assert (tmp_path / "failures" / "00" / "a.dat").read_bytes() == b"content"


def test_edits_know_where_dicom_elements_are() -> None:
    content = dicom_image("1.2.840.10008.1.2.1", 16)
    elements = dicom_elements(content)
    assert sum(head + length for _, head, length in elements) == len(content) - 132
    assert content[elements[-1][0] :][:4] == b"\xe0\x7f\x10\x00"


@settings(max_examples=100, derandomize=True)
@given(st.data())
def test_edits_fit_whatever_they_meet(data: st.DataObject) -> None:
    files = {"a.dcm": dicom_image("1.2.840.10008.1.2.1", 4), "b.csv": b"I,II\n1,2\n3,4\n"}
    edits = data.draw(edits_of(files))
    assert damaged(files, edits).keys() == files.keys()
    assert damaged(files, (Edit("b.csv", cut, (3,)),))["b.csv"] == b"I,I"
