import json
import os
import random
import re
import shutil
import signal
import subprocess
import sys
import time
import zipfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from ukb_writer import cine_of, ecg_of, people, write_people, write_table

from napari_latent_explorer.building.build import build_study
from napari_latent_explorer.building.plan import BuildConfig, StudyPlan, plan_study
from napari_latent_explorer.data.progress import finish
from napari_latent_explorer.errors import StudyError
from napari_latent_explorer.io import recording_store
from napari_latent_explorer.io.study import Study
from napari_latent_explorer.simulation.factors import ParticipantFactors

N = 6


@pytest.fixture(scope="module")
def hearts() -> tuple[ParticipantFactors, ...]:
    return people(N)


@pytest.fixture(scope="module")
def bulk(tmp_path_factory: pytest.TempPathFactory, hearts: Sequence[ParticipantFactors]) -> Path:
    folder = tmp_path_factory.mktemp("ukb")
    write_people(folder / "bulk", hearts[:1])
    write_people(folder / "bulk", hearts[1:], has_other_planes=False)
    write_table(folder / "people.csv", hearts)
    return folder / "bulk"


def config(bulk: Path, output: Path, **more: object) -> BuildConfig:
    return BuildConfig(output, bulk.parent / "people.csv", "eid", cine=bulk, ecg=bulk, **more)  # type: ignore[arg-type]


def plan(bulk: Path, output: Path, **more: object) -> StudyPlan:
    return finish(plan_study(config(bulk, output, **more)))


def content(folder: Path) -> dict[str, bytes]:
    """Every byte of every file of a study."""
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.fixture(scope="module")
def built(bulk: Path, tmp_path_factory: pytest.TempPathFactory) -> Study:
    return finish(build_study(plan(bulk, tmp_path_factory.mktemp("built") / "study"), n_workers=2)).study


def test_pixels_voltages_and_phenotypes_come_back_as_they_were(
    built: Study, hearts: Sequence[ParticipantFactors]
) -> None:
    cohort = built.cohort()
    assert cohort.participant_ids.tolist() == [one.participant_id for one in hearts]
    assert {name: mask.all() for name, mask in cohort.availability.items()} == {"mri": True, "ecg": True}
    assert cohort.values("age").tolist() == [round(one.age_years) for one in hearts]
    for one in hearts:
        cine, expected = built.cine(one.participant_id), cine_of(one)
        np.testing.assert_array_equal(cine.frames, expected.frames)
        assert cine.frames.dtype == np.uint16
        np.testing.assert_allclose(cine.affine, expected.affine, atol=1e-5)
        np.testing.assert_allclose(cine.frame_times_ms, expected.frame_times_ms, atol=1e-3)
        assert cine.imaging_plane == "la_4ch"
        np.testing.assert_array_equal(built.ecg(one.participant_id).signal_mv, ecg_of(one).signal_mv)
        assert built.ecg(one.participant_id).kind == "median"
    assert not built.has_labels
    assert built.cine(hearts[0].participant_id).source == f"{hearts[0].participant_id}_20208_2_0.zip"


def test_the_report_has_a_row_for_every_file(built: Study, bulk: Path) -> None:
    table = pd.read_parquet(built.path / "report.parquet")
    assert set(table["file"].str.partition("!")[0]) == {path.name for path in bulk.iterdir()}
    whole = table[~table["file"].str.contains("!")]
    assert set(whole["outcome"]) == {"used"}
    assert whole["n_bytes"].tolist() == [(bulk / name).stat().st_size for name in whole["file"]]
    members = table[table["file"].str.contains("!") & (table["participant_id"] == "1000001")]
    with zipfile.ZipFile(bulk / "1000001_20208_2_0.zip") as archive:
        assert members["n_files"].sum() == len(archive.namelist())
    assert members[members["outcome"] == "used"]["n_files"].sum() == 50
    page = (built.path / "report.html").read_text("utf-8")
    assert f"<b>{N}</b><span>participants</span>" in page
    assert "report.parquet" in page


def test_one_process_many_or_none_make_the_same_bytes(built: Study, bulk: Path, tmp_path: Path) -> None:
    for n_workers in (0, 1):
        other = finish(build_study(plan(bulk, tmp_path / str(n_workers), name=built.name), n_workers=n_workers)).study
        assert content(other.path) == content(built.path)


@pytest.mark.slow
def test_a_cluster_makes_the_same_bytes(built: Study, bulk: Path, tmp_path: Path) -> None:
    import distributed

    options = {"dashboard_address": ":0", "silence_logs": 50}
    with distributed.LocalCluster(2, processes=True, threads_per_worker=1, **options) as cluster:
        work = build_study(plan(bulk, tmp_path / "out", name=built.name), scheduler=cluster.scheduler_address)
        assert content(finish(work).study.path) == content(built.path)


def test_stopped_anywhere_it_goes_on_to_the_same_bytes(built: Study, bulk: Path, tmp_path: Path) -> None:
    found = plan(bulk, tmp_path / "out", name=built.name)
    for n_steps in range(1, 20, 3):
        work = build_study(found, n_workers=0)
        try:
            for _ in range(n_steps):
                next(work)
        except StopIteration:
            break
        work.close()
    assert content(tmp_path / "out") == content(built.path)


def test_damaged_files_cost_themselves_only_and_are_named(bulk: Path, tmp_path: Path) -> None:
    root = tmp_path / "bulk"
    shutil.copytree(bulk, root)
    shutil.copy(bulk.parent / "people.csv", tmp_path)
    whole = (root / "1000001_20208_2_0.zip").read_bytes()
    (root / "1000001_20208_2_0.zip").write_bytes(whole[: len(whole) // 2])
    (root / "1000002_20205_2_0.xml").write_bytes(b"")
    (root / "1000003_20208_2_0.zip").write_bytes(b"hello")
    (root / "1000003_20205_2_0.xml").write_bytes(b"<html/>")
    (root / "1000004_20205_2_0.xml").unlink()
    result = finish(build_study(plan(root, tmp_path / "out"), n_workers=2))
    has = result.study.cohort().availability
    assert (~has["mri"]).nonzero()[0].tolist() == [0, 2]
    assert (~has["ecg"]).nonzero()[0].tolist() == [1, 2, 3]
    table = pd.read_parquet(result.study.path / "report.parquet")
    failed = table[table["outcome"] == "failed"].set_index("file")["reason"]
    assert failed.index.tolist() == [
        *("1000001_20208_2_0.zip", "1000002_20205_2_0.xml"),
        *("1000003_20208_2_0.zip", "1000003_20205_2_0.xml"),
    ]
    assert "1000001_20208_2_0.zip is damaged" in failed.iloc[0]
    assert "empty" in failed.iloc[1]
    assert not any(str(tmp_path) in reason for reason in failed)
    assert result.counts["failed"] == 4
    page = result.report.read_text("utf-8")
    assert "<b>1</b><span>with nothing readable</span>" in page
    assert "1000003_20205_2_0.xml" in page


def test_names_and_contents_cannot_act_on_the_page(bulk: Path, tmp_path: Path) -> None:
    root = tmp_path / "bulk"
    shutil.copytree(bulk, root)
    shutil.copy(bulk.parent / "people.csv", tmp_path)
    (root / "<script>alert(1)<&>.xml").write_bytes(b"x")
    (root / "1000001_20205_2_0.xml").write_text("<img src=x onerror=alert(1)>")
    page = finish(build_study(plan(root, tmp_path / "out", name="<b>&amp;"), n_workers=0)).report.read_text("utf-8")
    assert "&lt;script&gt;alert(1)&lt;&amp;&gt;.xml" in page
    assert "<h1>&lt;b&gt;&amp;amp;</h1>" in page
    assert not re.search(r"<script|<img|onerror=|https?://|url\(|@import", page.replace("&lt;", ""))


def test_a_fault_of_the_program_costs_one_participant_and_a_full_disk_everybody(
    bulk: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write = recording_store.write_recordings

    def faulty(root: Path, row: int, *recordings: object, **facts: object) -> None:
        if row == 1 and any(recordings):
            raise ValueError("who would have thought")
        if row == 3 and is_full:
            raise StudyError("No space left")
        write(root, row, *recordings, **facts)  # type: ignore[arg-type]

    monkeypatch.setattr(recording_store, "write_recordings", faulty)
    is_full = True
    with pytest.raises(StudyError, match="No space left"):
        finish(build_study(plan(bulk, tmp_path / "out"), n_workers=0))
    is_full = False
    study = finish(build_study(plan(bulk, tmp_path / "out"), n_workers=0)).study
    assert study.cohort().availability["mri"].tolist() == [True, False, *[True] * (N - 2)]
    table = pd.read_parquet(study.path / "report.parquet")
    reasons = table.loc[table["outcome"] == "failed", "reason"].tolist()
    assert len(reasons) == 2
    assert all("please report it: ValueError: who would have thought" in reason for reason in reasons)


@pytest.mark.slow
def test_who_crashes_or_hangs_the_reader_costs_themselves_only(
    bulk: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The reader is replaced in the processes by one that dies of, or never returns from, two of the people."""
    bad = tmp_path / "site" / "sitecustomize.py"
    bad.parent.mkdir()
    bad.write_text(
        "import os, sys\n"
        "class Finder:\n"
        "    def find_spec(self, name, path=None, target=None):\n"
        "        if name == 'napari_latent_explorer.building.participant':\n"
        "            sys.meta_path.remove(self)\n"
        "            import napari_latent_explorer.io.formats as formats\n"
        "            read = formats.read_place\n"
        "            def wild(place, *rest):\n"
        "                if '1000002_20205' in str(place): os.abort()\n"
        "                while '1000005_20208' in str(place): pass\n"
        "                return read(place, *rest)\n"
        "            formats.read_place = wild\n"
        "sys.meta_path.insert(0, Finder())\n"
    )
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(bad.parent), os.environ.get("PYTHONPATH", "")]))
    result = finish(build_study(plan(bulk, tmp_path / "out"), n_workers=2, time_limit_s=15.0))
    has = result.study.cohort().availability
    for mask in has.values():
        assert (~mask).nonzero()[0].tolist() == [1, 4]
    table = pd.read_parquet(result.study.path / "report.parquet")
    reasons = table[table["outcome"] == "failed"].groupby("participant_id")["reason"].first()
    assert "ended by signal SIGABRT" in reasons["1000002"]
    assert "took longer than 15 s and was given up" in reasons["1000005"]
    assert result.counts["failed"] == 4


def test_going_on_with_other_arguments_or_files_is_refused(bulk: Path, tmp_path: Path) -> None:
    work = build_study(plan(bulk, tmp_path / "out"), n_workers=0)
    for _ in range(4):
        next(work)
    work.close()
    with pytest.raises(StudyError, match=r"begun in another way \(crop_rule differ\)"):
        finish(build_study(plan(bulk, tmp_path / "out", crop_rule="none"), n_workers=0))
    other = bulk.parent / "fewer.csv"
    write_table(other, people(N - 1))
    with pytest.raises(StudyError, match=r"begun in another way \(table differ\)"):
        finish(build_study(finish(plan_study(BuildConfig(tmp_path / "out", other, "eid", cine=bulk, ecg=bulk)))))
    table = bulk.parent / "people.csv"
    before = table.read_text()
    try:
        table.write_text(before.replace(",0,", ",1,", 1))
        with pytest.raises(StudyError, match="table or folders have changed since"):
            finish(build_study(plan(bulk, tmp_path / "out"), n_workers=0))
    finally:
        table.write_text(before)
    finish(build_study(plan(bulk, tmp_path / "out"), n_workers=0))
    with pytest.raises(StudyError, match="already holds a study"):
        finish(build_study(plan(bulk, tmp_path / "out"), n_workers=0))


def test_a_study_inside_the_folder_that_it_is_built_from_is_not_read_itself(bulk: Path, tmp_path: Path) -> None:
    root = tmp_path / "bulk"
    shutil.copytree(bulk, root)
    shutil.copy(bulk.parent / "people.csv", tmp_path)
    study = finish(build_study(plan(root, root / "study"), n_workers=0)).study
    assert len(study.cohort()) == N
    again = plan(root, root / "study")
    assert again.unused == ()


def test_a_series_that_is_named_shows_what_is_said_of_it(bulk: Path, tmp_path: Path) -> None:
    root = tmp_path / "bulk"
    root.mkdir()
    shutil.copy(bulk / "1000001_20208_2_0.zip", root)
    for plane, shown in (("la_4ch", "la_4ch"), (None, "la_2ch")):
        asked = BuildConfig(tmp_path / str(plane), cine=root, series="CINE_segmented_LAX_2Ch", imaging_plane=plane)
        study = finish(build_study(finish(plan_study(asked)), n_workers=0)).study
        assert study.cine("1000001").imaging_plane == shown
        np.testing.assert_array_equal(study.cine("1000001").frames, cine_of(people(1)[0]).frames[:, :, ::-1])


def test_heart_boxes_are_stored_by_the_rule_that_was_chosen(bulk: Path, tmp_path: Path) -> None:
    study = finish(build_study(plan(bulk, tmp_path / "a", crop_rule="published"), n_workers=0)).study
    box = study.heart_box("1000001")
    assert box is not None
    assert (box.rule, box.source) == ("published", "motion")
    page = (study.path / "report.html").read_text("utf-8")
    assert f"{N} from what moves" in page
    study = finish(build_study(plan(bulk, tmp_path / "b", crop_rule="none"), n_workers=0)).study
    assert study.heart_box("1000001") is None


def command(bulk: Path, output: Path) -> list[str]:
    words = ["study", "create", output, "--table", bulk.parent / "people.csv", "--id-column", "eid"]
    words += ["--cine", bulk, "--ecg", bulk, "--workers", "2", "--name", "killed"]
    return [sys.executable, "-m", "napari_latent_explorer", *map(str, words)]


@pytest.mark.slow
@pytest.mark.skipif(os.name == "nt", reason="SIGKILL is POSIX")
def test_killed_at_ten_random_moments_it_ends_with_the_same_bytes(tmp_path: Path) -> None:
    hearts = people(24)
    bulk = tmp_path / "bulk"
    write_people(bulk, hearts, has_other_planes=False)
    write_table(tmp_path / "people.csv", hearts)
    (bulk / "1000007_20205_2_0.xml").write_bytes(b"")
    subprocess.run(command(bulk, tmp_path / "whole"), check=True, capture_output=True)
    rng = random.Random(0)
    stages = []
    for n_before in sorted(rng.sample(range(25), 10)):
        # a random moment after so many people were written: while one is read, or between, or at the end
        with subprocess.Popen(command(bulk, tmp_path / "killed"), start_new_session=True, **_QUIET) as process:
            while process.poll() is None and n_written(tmp_path / "killed") < n_before:
                time.sleep(0.002)
            time.sleep(rng.uniform(0.0, 0.2))
            assert process.poll() is None
            os.killpg(process.pid, signal.SIGKILL)
        stages.append(n_written(tmp_path / "killed"))
    subprocess.run(command(bulk, tmp_path / "killed"), check=True, capture_output=True)
    print(f"\nkilled ten times, with {stages} of 24 participants written")
    whole, killed = content(tmp_path / "whole"), content(tmp_path / "killed")
    assert killed.keys() == whole.keys()
    assert [name for name in whole if whole[name] != killed[name]] == []


def n_written(study: Path) -> int:
    return len(list((study / "recordings.zarr").glob("0*")))


_QUIET = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}


def test_the_manifest_says_what_was_asked_for(built: Study, bulk: Path) -> None:
    manifest = json.loads((built.path / "manifest.json").read_text("utf-8"))
    assert manifest["provenance"]["asked"]["cine"] == str(bulk)
    assert manifest["provenance"]["instance"] == 2
    assert manifest["modalities"] == ["mri", "ecg"]
