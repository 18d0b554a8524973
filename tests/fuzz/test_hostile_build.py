"""A folder with an attack on every second participant: the study is built from the others, each attack has its line."""

import io
import os
import re
import zipfile
from collections.abc import Generator
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import pandas as pd
import pytest
import test_attacks_archives as archives
import test_attacks_images as images
import test_attacks_xml as xml
from cardiosoft_writer import write_cardiosoft_xml
from seeds import dicom_image, dicom_stack, make_ecg, zipped

from napari_latent_explorer.building.build import BuildResult, build_study
from napari_latent_explorer.building.plan import plan_study
from napari_latent_explorer.building.study_plan import BuildConfig
from napari_latent_explorer.io.formats import read_recording

pytestmark = pytest.mark.slow
Result = TypeVar("Result")

WHOLE_CINE = zipped({f"{k}.dcm": content for k, content in enumerate(dicom_stack())})
WHOLE_ECG = write_cardiosoft_xml(make_ecg("median", 600), None)
MARKUP = "<img src=x onerror=alert(1)>\n\x1b[2J\u202e.dcm"


def _crashing(frame: int) -> bytes:
    stream = dicom_image(images.JPEG_2000, 64, 0, frame)
    where = stream.index(b"\xff\x4f\xff\x51")
    return stream[: where + 40] + bytes(200) + stream[where + 240 :]


def _hostile_names() -> bytes:
    damaged = dicom_image(images.EXPLICIT, 16)[:700]
    return zipped({f"a/{MARKUP}": damaged, "b.dcm": damaged})


CINES: dict[str, bytes] = {
    "slip": archives._with_name("../../../evil.dcm"),
    "absolute": archives._with_name("/tmp/evil.dcm"),
    "bomb": archives._one_member(400_000_000),
    "overlapping": archives._overlapping(),
    "encrypted": archives._encrypted(),
    "link": archives._symbolic_link(),
    "truncated": WHOLE_CINE[:3000],
    "empty": b"",
    "no archive": b"<html>Please log in</html>",
    "no DICOM": zipped({"readme.txt": b"nothing here"}),
    "names": _hostile_names(),
    "rows": zipped({"0.dcm": images.edited(dicom_image(images.EXPLICIT, 16), Rows=65535, Columns=65535)}),
    "deflated": zipped({f"{k}.dcm": images._deflated_bomb(100_000_000, k) for k in range(3)}),
    "codec": zipped({f"{k}.dcm": _crashing(k) for k in range(3)}),
    "nested": zipped(
        {f"{k}.dcm": images._with_elements(c, images._sequence(5000)) for k, c in enumerate(dicom_stack())}
    ),
}
ECGS: dict[str, bytes] = {
    "laughs": xml.with_prologue("CardiologyXML", xml.laughs(), "<y>&a11;</y>"),
    "entity": xml.with_prologue(
        "CardiologyXML", '<!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd">]>', "<y>&a;</y>"
    ),
    "quadratic": xml.with_prologue("CardiologyXML", xml.quadratic(), "<y>" + "&a;" * 5000 + "</y>"),
    "deep": xml.with_prologue("CardiologyXML", "", xml.DEEP),
    "truncated": WHOLE_ECG[: len(WHOLE_ECG) // 2],
    "empty": b"",
    "other XML": b'<?xml version="1.0"?><svg onload="alert(1)"/>',
    "lead names": WHOLE_ECG.replace(b'lead="V1"', b'lead="&lt;script&gt;&#x202e;"'),
    "no numbers": re.sub(rb"(?<=\t)[-\d]", b"x", WHOLE_ECG),
    "UTF-16": WHOLE_ECG.decode("latin-1").encode("utf-16")[:-1001],
}


MAY_BE_READ = {"lead names", "nested", "deflated"}
"""Attacks that do no harm if they are read: what is hostile in them is passed over."""


def finished(steps: Generator[Any, None, Result]) -> Result:
    while True:
        try:
            next(steps)
        except StopIteration as end:
            return end.value


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> tuple[BuildResult, Path, dict[str, str]]:
    """The result, the folder of files, and which files are attacks."""
    root = tmp_path_factory.mktemp("hostile")
    folder, attacked = root / "bulk", {}
    folder.mkdir()
    kinds = [("20208", ".zip", WHOLE_CINE, CINES), ("20205", ".xml", WHOLE_ECG, ECGS)]
    for field, suffix, whole, attacks in kinds:
        hostile = iter(attacks.items())
        for number in range(2 * len(CINES)):
            name = f"{1_000_001 + number}_{field}_2_0{suffix}"
            attack = next(hostile, None) if number % 2 else None
            (folder / name).write_bytes(whole if attack is None else attack[1])
            if attack is not None:
                attacked[name] = attack[0]
    os.mkfifo(folder / "1000031_20205_2_0.xml")
    (folder / os.fsdecode(b"<script>alert(1)</script>\n\xff\x1b[2J.dcm".replace(b"/", b"_"))).write_bytes(b"rubbish")
    (folder / "1000032_20208_2_0.zip").symlink_to("/dev/zero")
    pd.DataFrame({"eid": range(1_000_001, 1_000_033), "lvm": range(32)}).to_csv(root / "table.csv", index=False)
    config = BuildConfig(root / "study", root / "table.csv", "eid", cine=folder, ecg=folder, imaging_plane=None)
    return finished(build_study(finished(plan_study(config)), n_workers=2)), folder, attacked


def test_everybody_whole_is_in_the_study_as_the_reader_reads_them(
    built: tuple[BuildResult, Path, dict[str, str]],
) -> None:
    result, folder, attacked = built
    cohort = result.study.cohort()
    for participant_id in cohort.participant_ids.tolist():
        for field, suffix, modality in (("20208", ".zip", "mri"), ("20205", ".xml", "ecg")):
            name = f"{participant_id}_{field}_2_0{suffix}"
            is_there = bool(cohort.availability[modality][cohort.rows_of([participant_id])[0]])
            if name in attacked or not (folder / name).is_file():
                assert not is_there or attacked.get(name) in MAY_BE_READ, (name, attacked.get(name))
                continue
            assert is_there, name
            kept = result.study.cine(participant_id) if modality == "mri" else result.study.ecg(participant_id)
            expected = read_recording(folder / name)
            pixels = ("frames", "signal_mv")[modality == "ecg"]
            np.testing.assert_array_equal(getattr(kept, pixels), getattr(expected, pixels))


def test_every_attack_has_one_line_that_says_what_it_is(built: tuple[BuildResult, Path, dict[str, str]]) -> None:
    result, _, attacked = built
    report = pd.read_parquet(result.study.path / "report.parquet")
    for name, attack in attacked.items():
        rows = report[report["file"].str.startswith(name) & (report["outcome"] != "used")]
        if attack in MAY_BE_READ:
            continue
        failed = rows[rows["outcome"] == "failed"]
        assert len(failed) == 1, (name, attack, rows.to_dict("records"))
        reason = failed["reason"].iloc[0]
        assert reason.isprintable(), (attack, reason)
        assert 30 < len(reason) <= 700, (attack, reason)
        assert not re.search(r"NoneType|Traceback|object has no|Errno|root:", reason), (attack, reason)


def test_the_page_shows_names_and_runs_none(built: tuple[BuildResult, Path, dict[str, str]]) -> None:
    page = built[0].report.read_text("utf-8")
    body = page[page.index("<body>") :]
    assert not re.search(r"<(img|script|svg)", body, re.IGNORECASE)
    assert not re.search("[\x00-\x08\x0b-\x1f\x7f\u202a-\u202e]", page)
    assert "default-src 'none'" in page


def test_nothing_was_written_anywhere_else(built: tuple[BuildResult, Path, dict[str, str]]) -> None:
    result, folder, _ = built
    found = {path.name for path in folder.parent.iterdir()}
    assert found == {"bulk", "study", "table.csv"}
    assert not Path("/tmp/evil.dcm").exists()
    assert not [path for path in result.study.path.rglob("*") if path.name.startswith((".partial", "evil"))]


def test_an_archive_within_a_folder_of_names_is_quoted_harmlessly(tmp_path: Path) -> None:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        archive.writestr(MARKUP, b"rubbish")
    (tmp_path / "1000001_20208_2_0.zip").write_bytes(stream.getvalue())
    config = BuildConfig(tmp_path / "study", None, None, cine=tmp_path, imaging_plane=None)
    result = finished(build_study(finished(plan_study(config)), n_workers=0))
    assert "\x1b" not in result.report.read_text("utf-8")
