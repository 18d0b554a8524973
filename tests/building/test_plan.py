import os
import time
from pathlib import Path

import pytest

from napari_latent_explorer.building.plan import BuildConfig, StudyPlan, plan_study
from napari_latent_explorer.data.progress import finish
from napari_latent_explorer.errors import StudyError, TableError


def lay_out(root: Path, *names: str) -> Path:
    """Empty files: planning looks at names only."""
    for name in names:
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    return root


def table_of(root: Path, *ids: str) -> Path:
    path = root / "people.csv"
    path.write_text("eid,age\n" + "".join(f"{one},{50 + row}\n" for row, one in enumerate(ids)))
    return path


def plan(root: Path, *ids: str, **config: object) -> StudyPlan:
    table = table_of(root, *ids) if ids else None
    id_column = "eid" if ids else None
    return finish(plan_study(BuildConfig(root / "out", table, id_column, **config)))  # type: ignore[arg-type]


def matched(found: StudyPlan, root: Path) -> dict[str, tuple[str | None, str | None]]:
    def short(path: Path | None) -> str | None:
        return None if path is None else path.relative_to(root).as_posix()

    return {one.participant_id: (short(one.cine), short(one.ecg)) for one in found.participants}


def reasons(found: StudyPlan) -> dict[str, str]:
    return {file.path.name: file.reason for file in found.unused}


def test_the_biobanks_names_say_whose_what_and_which_visit(tmp_path: Path) -> None:
    bulk = lay_out(
        tmp_path / "bulk",
        *("1000001_20208_2_0.zip", "1000001_20208_2_1.zip", "1000001_20208_3_0.zip", "1000001_20209_2_0.zip"),
        *("1000001_20205_2_0.xml", "1000002_20205_2_0.xml", "1000003_20208_3_0.zip", "1000009_20208_2_0.zip"),
        *("1000001_20207_2_0.zip", "1000001_6025_0_0.xml", "notes.docx", ".DS_Store"),
    )
    found = plan(tmp_path, "1000002", "1000001", "1000003", cine=bulk, ecg=bulk)
    assert matched(found, bulk) == {
        "1000002": (None, "1000002_20205_2_0.xml"),
        "1000001": ("1000001_20208_2_0.zip", "1000001_20205_2_0.xml"),
    }
    assert found.participants[1].related == (bulk / "1000001_20209_2_0.zip",)
    assert (found.instance, found.n_hidden) == (2, 1)
    assert found.without_recording == ("1000003",)
    assert found.cohort.participant_ids.tolist() == ["1000002", "1000001"]
    assert found.cohort.values("age").tolist() == [50.0, 51.0]
    assert (found.n_with("mri"), found.n_with("ecg"), found.n_with_both()) == (1, 2, 1)
    why = reasons(found)
    assert why["1000001_20208_2_1.zip"] == "another recording of the same person comes first by name"
    assert why["1000001_20208_3_0.zip"].startswith("visit 3; visit 2 is taken")
    assert why["1000009_20208_2_0.zip"] == "its id has no row in the table"
    assert why["1000001_20207_2_0.zip"] == "field 20207 (scout images): they are not read"
    assert why["1000001_6025_0_0.xml"] == "field 6025 (ECG during exercise): they are not read"
    assert why["notes.docx"].startswith("its name is not one of ECGs (")
    assert "geometry only" in why["1000001_20209_2_0.zip"]
    said = " ".join(found.warnings)
    assert "Recordings of visit 2 are taken, the lowest imaging visit that there is; 2 files of other visits" in said
    assert "1 of 3 participants of the table have no recording and are left out (e.g. 1000003)" in said
    assert "1 files are of people who have no row in the table (e.g. 1000009_20208_2_0.zip)" in said


def test_another_visit_or_plane_is_taken_when_asked_for(tmp_path: Path) -> None:
    bulk = lay_out(
        tmp_path / "bulk",
        *("1000001_20208_2_0.zip", "1000001_20208_3_0.zip", "1000001_20209_3_0.zip", "1000001_20205_3_0.xml"),
    )
    found = plan(tmp_path, cine=bulk, ecg=bulk, instance=3)
    assert matched(found, bulk) == {"1000001": ("1000001_20208_3_0.zip", "1000001_20205_3_0.xml")}
    stacks = plan(tmp_path, cine=bulk, instance=3, imaging_plane="sa")
    assert matched(stacks, bulk) == {"1000001": ("1000001_20209_3_0.zip", None)}
    assert stacks.participants[0].related == ()
    assert "not the plane that is wanted" in reasons(stacks)["1000001_20208_3_0.zip"]
    assert reasons(stacks)["1000001_20205_3_0.xml"].endswith("they were not asked for here")


def test_an_id_counts_as_a_whole_word_of_a_name_and_the_longest_one(tmp_path: Path) -> None:
    cine = lay_out(
        tmp_path / "cine",
        *("scan_12_of_P-3.zip", "P-31.zip", "xP-3.zip", "12.zip", "p-4_second.zip", "a/P-5 (copy).zip", "7_and_8.zip"),
        "P-6/deep/series.zip",
    )
    found = plan(tmp_path, "P-3", "P-31", "P-4", "12", "P-5", "P-6", "7", "8", cine=cine)
    assert matched(found, cine) == {
        "P-3": ("scan_12_of_P-3.zip", None),
        "P-31": ("P-31.zip", None),
        "P-4": ("p-4_second.zip", None),
        "12": ("12.zip", None),
        "P-5": ("a/P-5 (copy).zip", None),
        "P-6": ("P-6/deep/series.zip", None),
    }
    assert reasons(found)["xP-3.zip"] == "no id of the table stands in its name or in those of its folders"
    assert reasons(found)["7_and_8.zip"] == "its name holds several ids of the table: 7 and 8"


def test_folders_of_images_belong_to_the_person_whose_id_the_folder_has(tmp_path: Path) -> None:
    cine = lay_out(
        tmp_path / "cine",
        *(f"P1/cine_4ch/{name}" for name in ("IM0001", "IM0002", "1.2.840.113.7")),
        *("P1/cine_2ch/7.dcm", "P2/7.dcm", "P2/8.ima", "stray.dcm", "P3_enhanced.dcm", "P2/DICOMDIR"),
    )
    found = plan(tmp_path, "P1", "P2", "P3", "7", cine=cine)
    assert matched(found, cine) == {"P1": ("P1", None), "P2": ("P2", None), "P3": ("P3_enhanced.dcm", None)}
    assert reasons(found).keys() == {"stray.dcm"}  # the reader of P2 tells of its DICOMDIR


def test_loose_images_of_one_person_are_one_recording(tmp_path: Path) -> None:
    cine = lay_out(tmp_path / "cine", *(f"P{person}_{number:02d}.dcm" for person in (1, 2) for number in range(20)))
    found = plan(tmp_path, "P1", "P2", cine=cine)
    assert matched(found, cine) == {"P1": ("P1_00.dcm", None), "P2": ("P2_00.dcm", None)}
    assert found.unused == ()


def test_several_recordings_of_one_person_are_settled_by_name_and_reported(tmp_path: Path) -> None:
    ecg = lay_out(tmp_path / "ecg", "P1_10.xml", "P1_2.xml", "P1_1/b.xml")
    found = plan(tmp_path, "P1", ecg=ecg)
    assert matched(found, ecg) == {"P1": (None, "P1_1/b.xml")}
    assert set(reasons(found).values()) == {"another recording of the same person comes first by name"}


def test_the_data_of_a_header_is_no_recording_by_itself(tmp_path: Path) -> None:
    ecg = lay_out(tmp_path / "ecg", "P1.hea", "P1.dat", "P1.xyz", "P2.HEA", "P2.mat", "P3.dat")
    found = plan(tmp_path, "P1", "P2", "P3", ecg=ecg)
    assert matched(found, ecg) == {"P1": (None, "P1.hea"), "P2": (None, "P2.HEA"), "P3": (None, "P3.dat")}
    assert found.unused == ()


def test_without_a_table_the_names_say_who_there_is(tmp_path: Path) -> None:
    cine = lay_out(tmp_path / "cine", "P10/a/1", "P10/b/1", "P2/a/1", "P3.zip", "cases/P4/P4_4d.nii.gz")
    ecg = lay_out(tmp_path / "ecg", "P10.xml", "P2/ecg.xml", "P3/ecg.xml")
    found = plan(tmp_path, cine=cine, ecg=ecg)
    assert matched(found, tmp_path) == {
        "P2": ("cine/P2", "ecg/P2/ecg.xml"),
        "P3": ("cine/P3.zip", "ecg/P3/ecg.xml"),
        "P4": ("cine/cases/P4/P4_4d.nii.gz", None),
        "P10": ("cine/P10", "ecg/P10.xml"),
    }
    assert dict(found.cohort.specs) == {}


def test_without_a_table_a_text_is_somebodys_only_if_it_holds_an_ecg(tmp_path: Path) -> None:
    ecg = lay_out(tmp_path / "ecg", "README.txt", "P1.xml")
    (ecg / "people.csv").write_text("id,age\n1,50\n")
    (ecg / "P2.csv").write_text("# sampling_rate_hz: 500\nI (mV),II (mV)\n" + "0.1,0.2\n" * 5000)
    found = plan(tmp_path, ecg=ecg)
    assert matched(found, ecg).keys() == {"P1", "P2"}
    assert reasons(found) == {"README.txt": "it holds no ECG", "people.csv": "it holds no ECG"}
    cine = lay_out(tmp_path / "cine", "P1.zip", "README.txt")
    assert [file.path.name for file in plan(tmp_path, cine=cine).unused] == ["README.txt"]


def test_a_pattern_finds_ids_anywhere_in_the_path_and_in_the_tables_spelling(tmp_path: Path) -> None:
    cine = lay_out(tmp_path / "cine", "SCD0000101/1.dcm", "SCD0000101/2.dcm", "SCD0000145/1.dcm", "other/1.dcm")
    ecg = lay_out(tmp_path / "ecg", "visit1/ecg-00101-a.xml")
    found = plan(tmp_path, "101", "102", cine=cine, ecg=ecg, id_pattern=r"(?:SCD|ecg-)(?P<id>\d+)")
    assert matched(found, tmp_path) == {"101": ("cine/SCD0000101", "ecg/visit1/ecg-00101-a.xml")}
    assert {file.reason for file in found.unused} == {
        "its id has no row in the table",
        "the id pattern does not match its path",
    }


@pytest.mark.parametrize(
    ("pattern", "message"),
    [
        (r"(?P<id>\d+", "is no regular expression: missing \\)"),
        (r"(\d+)", "has no group 'id'"),
        ("a" * 501, "has 501 characters; at most 500"),
        ("(?P<id>" + "(" * 300 + ")" * 300 + ")", "has 608 characters"),
    ],
)
def test_a_pattern_that_cannot_be_used_is_refused_at_once(tmp_path: Path, pattern: str, message: str) -> None:
    with pytest.raises(StudyError, match=message):
        plan(tmp_path, cine=lay_out(tmp_path / "cine", "a.zip"), id_pattern=pattern)


def test_a_pattern_that_never_ends_is_stopped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("napari_latent_explorer.building.id_pattern.TIME_LIMIT_S", 1.0)
    cine = lay_out(tmp_path / "cine", "a" * 60 + "!.zip")
    start = time.monotonic()
    with pytest.raises(StudyError, match="takes longer than 1 s"):
        plan(tmp_path, cine=cine, id_pattern="(?P<id>(a+)+)$")
    assert time.monotonic() - start < 5


def test_links_that_go_round_come_to_an_end_and_odd_things_are_named(tmp_path: Path) -> None:
    cine = lay_out(tmp_path / "cine", "P1.zip", "sub/P2.zip", ".hidden/P3.zip", "__MACOSX/P4.zip")
    (cine / "sub" / "round").symlink_to(cine, target_is_directory=True)
    (cine / "nowhere.zip").symlink_to(cine / "gone.zip")
    os.mkfifo(cine / "pipe.zip")
    elsewhere = lay_out(tmp_path / "elsewhere", "P5.zip")
    (cine / "link").symlink_to(elsewhere, target_is_directory=True)
    found = plan(tmp_path, cine=cine)
    assert matched(found, cine).keys() == {"P1", "P2", "P5"}
    assert reasons(found) == {
        "round": "a link to a folder that is looked through already",
        "nowhere.zip": "a link that leads nowhere",
        "pipe.zip": "no regular file",
    }
    assert found.n_hidden == 2


def test_names_that_are_no_utf8_survive_and_can_be_shown(tmp_path: Path) -> None:
    root = tmp_path / "cine"
    root.mkdir()
    odd = os.fsencode(root) + b"/P1_M\xfcller.zip"
    with open(odd, "wb"):
        pass
    with open(os.fsencode(root) + b"/M\xfcller.zip", "wb"):
        pass
    found = plan(tmp_path, "P1", "P2", cine=root)
    place = found.participants[0].cine
    assert place is not None
    assert os.fsencode(place) == odd
    assert len(found.unused) == 1
    with pytest.raises(StudyError, match=r"\(such as .*M\\xfcller\.zip"):
        plan(tmp_path, "P2", cine=root)


def test_when_nobody_matches_both_sides_are_shown_and_the_way_out(tmp_path: Path) -> None:
    cine = lay_out(tmp_path / "cine", "scan-a.zip")
    message = r"such as scan-a\.zip.*1 files: no id of the table stands.*ids such as e\.g\. P1, P2.*id pattern"
    with pytest.raises(StudyError, match=message):
        plan(tmp_path, "P1", "P2", cine=cine)
    empty = tmp_path / "empty"
    empty.mkdir()
    with pytest.raises(StudyError, match="There is no file in"):
        plan(tmp_path, cine=empty)


def test_what_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(StudyError, match=r"There is no folder .*nowhere"):
        plan(tmp_path, cine=tmp_path / "nowhere")
    with pytest.raises(StudyError, match="none was given"):
        plan(tmp_path)
    cine = lay_out(tmp_path / "cine", "P1.zip")
    with pytest.raises(TableError, match=r"people\.csv.*'id'"):
        finish(plan_study(BuildConfig(tmp_path / "out", table_of(tmp_path, "P1"), "id", cine=cine)))


def test_cines_and_ecgs_that_share_nobody_are_warned_about(tmp_path: Path) -> None:
    cine, ecg = lay_out(tmp_path / "cine", "1.zip"), lay_out(tmp_path / "ecg", "1_ecg.xml")
    assert "Nobody has both a cine and an ECG (1.zip and 1_ecg.xml)" in " ".join(
        plan(tmp_path, cine=cine, ecg=ecg).warnings
    )


@pytest.mark.slow
def test_tens_of_thousands_of_files_are_planned_in_seconds(tmp_path: Path) -> None:
    cine = tmp_path / "bulk"
    ids = [str(1_000_000 + i) for i in range(10_000)]
    for start in range(0, len(ids), 1000):
        folder = cine / f"part{start}"
        folder.mkdir(parents=True)
        for one in ids[start : start + 1000]:
            os.close(os.open(folder / f"{one}_20208_2_0.zip", os.O_CREAT))
            os.close(os.open(folder / f"ecg {one} rest.xml", os.O_CREAT))
    table = table_of(tmp_path, *ids)
    start_s, longest_s = time.process_time(), 0.0  # of this process, whatever else the machine does
    work = plan_study(BuildConfig(tmp_path / "out", table, "eid", cine=cine, ecg=cine))
    while True:
        step_s = time.process_time()
        try:
            next(work)
        except StopIteration as stop:
            found = stop.value
            break
        finally:
            longest_s = max(longest_s, time.process_time() - step_s)
    total_s = time.process_time() - start_s
    print(f"\n20,000 files in {total_s:.1f} s, longest step {longest_s:.2f} s")
    assert (found.n_with_both(), len(found.unused)) == (10_000, 0)
    assert total_s < 8
    assert longest_s < 1
