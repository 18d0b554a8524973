import os
from pathlib import Path

import pytest

from napari_latent_explorer.building.outcomes import ReportRow, Shortener, kind_of_reason, rows_of_files
from napari_latent_explorer.building.participant import read_rows
from napari_latent_explorer.building.report import MAX_REASONS, ReportSummary, read_report
from napari_latent_explorer.errors import StudyError
from napari_latent_explorer.io import recording_store
from napari_latent_explorer.io.reading import FileOutcome


def test_files_have_a_row_each_and_members_of_an_archive_one_per_fate(tmp_path: Path) -> None:
    archive, file = tmp_path / "a.zip", tmp_path / "b!" / "c.dcm"
    file.parent.mkdir()
    file.write_bytes(b"12345")
    outcomes = [
        *(FileOutcome(f"{archive}!{number}.dcm", True, f"frame {number} of slice 1") for number in range(1, 4)),
        FileOutcome(f"{archive}!m.csv", False, "no DICOM file (17 bytes)"),
        FileOutcome(str(file), False, f"not asked for: see {file}"),
    ]
    rows = rows_of_files("P1", "mri", outcomes, archive, Shortener(str(tmp_path)))
    assert [(row.file, row.outcome, row.n_files, row.n_bytes) for row in rows] == [
        ("b!/c.dcm", "skipped", 1, 5),
        ("a.zip!1.dcm", "used", 3, 0),
        ("a.zip!m.csv", "skipped", 1, 0),
    ]
    assert rows[0].reason == "not asked for: see b!/c.dcm"
    assert rows[1].notes == "And 2 more like it; the last is a.zip!3.dcm."
    assert ReportRow.from_json("P1", rows[1].to_json()) == rows[1]


def test_paths_are_short_and_every_text_can_be_shown(tmp_path: Path) -> None:
    root = os.fsdecode(os.fsencode(tmp_path) + b"/M\xfcller")
    shorten = Shortener(root)
    assert shorten(f"Cannot read {root}/x/1.dcm:\nit ends.") == "Cannot read x/1.dcm: it ends."
    odd = os.fsdecode(os.fsencode(root) + b"/\x1b[31m\xff")
    assert shorten(odd) == "\\x1b[31m\\xff"


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("frame 1 of series 1.2.3", "frame 22 of series 1.2.840.4"),
        ("x/1.dcm is damaged", "y/2.dcm is damaged"),
        ("series 'a' is no cine", "series 'b' is no cine"),
    ],
)
def test_reasons_that_say_the_same_are_of_one_kind(one: str, other: str) -> None:
    assert kind_of_reason(one) == kind_of_reason(other)
    assert kind_of_reason(one) != kind_of_reason("it is empty")


def test_the_summary_stays_small_whatever_the_files_say() -> None:
    summary = ReportSummary()
    words = [chr(97 + i) + chr(97 + j) for i in range(26) for j in range(26)]
    for number in range(2000):
        reason = f"{words[number % 600]} is wrong"
        summary.count([ReportRow(str(number), "ecg", f"{number}.xml", "failed", reason)])
    assert len(summary.reasons) <= MAX_REASONS + 1
    assert sum(one.n_files for one in summary.reasons.values()) == 2000
    assert len(summary.troubled) == 200
    assert summary.outcomes() == {"used": 0, "skipped": 0, "failed": 2000}


@pytest.mark.parametrize("outcomes", [3, [3], [["mri"]], [[1] * 20], {"a": 1}])
def test_a_damaged_account_of_files_is_named(tmp_path: Path, outcomes: object) -> None:
    recording_store.create_store(tmp_path)
    recording_store.write_recordings(tmp_path, 0, facts={"participant_id": "P1", "outcomes": outcomes})
    with pytest.raises(StudyError, match="account of the files of row 0"):
        read_rows(tmp_path, 0)


def test_a_report_that_is_none_is_named(tmp_path: Path) -> None:
    with pytest.raises(StudyError, match="lacks"):
        read_report(tmp_path)
