import errno
import os
import pickle
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any, NoReturn

import numpy as np
import pandas as pd
import pytest

from napari_latent_explorer.data.cine import LA_4CH_CLASSES, CineLabels, CineMRI
from napari_latent_explorer.data.cohort import Cohort
from napari_latent_explorer.data.ecg import ECG, LEAD_NAMES
from napari_latent_explorer.data.phenotype import PhenotypeSpec
from napari_latent_explorer.errors import RecordingError, StudyError, TableError
from napari_latent_explorer.io.study import Study
from napari_latent_explorer.io.study_writer import StudyWriter


def make_cohort(n: int) -> Cohort:
    specs = {"age": PhenotypeSpec("age", "continuous", unit="years")}
    return Cohort(np.array([f"P{i:03d}" for i in range(n)]), pd.DataFrame({"age": np.arange(n) * 1.0}), specs)


def make_recordings(seed: int) -> tuple[CineMRI, CineLabels, ECG]:
    rng = np.random.default_rng(seed)
    frames = rng.integers(0, 255, (20, 1, 96, 96)).astype(np.uint8)
    cine = CineMRI(frames, (8.0, 1.8, 1.8), np.arange(20) * 40.0, np.eye(4), "la_4ch", 800.0)
    ecg = ECG(rng.normal(size=(12, 600)), LEAD_NAMES, 500.0, "median", 435.0)
    return cine, CineLabels(frames % 16, LA_4CH_CLASSES), ecg


def add_all(writer: StudyWriter) -> None:
    for participant_id in writer.remaining_ids():
        writer.add_participant(participant_id, *make_recordings(int(participant_id[1:])))


def test_an_unfinished_study_does_not_open_and_says_how_to_go_on(tmp_path: Path) -> None:
    writer = StudyWriter.create(tmp_path / "study", make_cohort(3))
    writer.add_participant("P001", *make_recordings(1))
    with pytest.raises(StudyError, match=r"half-written: 1 of 3.*again, with the same arguments"):
        Study.open(tmp_path / "study")
    with pytest.raises(StudyError, match="2 of 3 participants have not been added, the first is P000"):
        writer.finish()
    again = StudyWriter.resume(tmp_path / "study")
    assert again.remaining_ids() == ("P000", "P002")
    add_all(again)
    study = again.finish()
    np.testing.assert_array_equal(study.cine("P001").frames, make_recordings(1)[0].frames)
    assert StudyWriter.resume(tmp_path / "study").remaining_ids() == ()


def in_another_process(function: str, *arguments: str | Path) -> "subprocess.Popen[bytes]":
    """Call a function of this file in a fresh interpreter, where this file cannot be imported as a module."""
    script = f"import runpy, sys; runpy.run_path({__file__!r})[{function!r}](*sys.argv[1:])"
    return subprocess.Popen([sys.executable, "-P", "-c", script, *arguments])


def resume_and_write(path: str) -> None:
    add_all(StudyWriter.resume(path))


@pytest.mark.skipif(os.name == "nt", reason="SIGKILL is POSIX")
def test_killed_at_any_moment_it_resumes_to_the_same_study(tmp_path: Path) -> None:
    path = tmp_path / "study"
    StudyWriter.create(path, make_cohort(60))
    process = in_another_process("resume_and_write", path)
    while len(list((path / "recordings.zarr").iterdir())) < 8:
        assert process.poll() is None
        time.sleep(0.005)
    process.send_signal(signal.SIGKILL)
    process.wait()
    writer = StudyWriter.resume(path)
    assert 1 <= len(writer.remaining_ids()) < 60
    assert not list((path / "recordings.zarr").glob(".partial*"))
    add_all(writer)
    study = writer.finish()
    for row in range(60):
        cine, labels, ecg = make_recordings(row)
        np.testing.assert_array_equal(study.cine(f"P{row:03d}").frames, cine.frames)
        np.testing.assert_array_equal(study.labels(f"P{row:03d}").frames, labels.frames)
        np.testing.assert_array_equal(study.ecg(f"P{row:03d}").signal_mv, ecg.signal_mv)


def test_a_kill_while_beginning_leaves_nothing_that_looks_like_a_study(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def killed(*_: Any) -> NoReturn:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr("napari_latent_explorer.io.recording_store.create_store", killed)
        with pytest.raises(KeyboardInterrupt):
            StudyWriter.create(tmp_path / "study", make_cohort(2))
    assert not (tmp_path / "study").exists()
    StudyWriter.create(tmp_path / "study", make_cohort(2))


def test_two_processes_write_one_study(tmp_path: Path) -> None:
    writer = StudyWriter.create(tmp_path / "study", make_cohort(6))
    assert pickle.loads(pickle.dumps(writer)) == writer
    (tmp_path / "writer").write_bytes(pickle.dumps(writer))
    processes = [in_another_process("add_every_second", tmp_path / "writer", start) for start in ("0", "1")]
    assert [process.wait() for process in processes] == [0, 0]
    study = writer.finish()
    np.testing.assert_array_equal(study.ecg("P005").signal_mv, make_recordings(5)[2].signal_mv)


def add_every_second(pickled_writer: str, start: str) -> None:
    writer: StudyWriter = pickle.loads(Path(pickled_writer).read_bytes())
    for participant_id in writer.participant_ids[int(start) :: 2]:
        writer.add_participant(participant_id, *make_recordings(int(participant_id[1:])))


def test_a_full_disk_names_the_place_and_the_space(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    writer = StudyWriter.create(tmp_path / "study", make_cohort(2))

    def full(*_: Any, **__: Any) -> NoReturn:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as patch:
        patch.setattr("zarr.storage._local._put", full)
        with pytest.raises(StudyError, match=r"No space left while writing .*000000: about 0\.4 MB.*MB are free"):
            writer.add_participant("P000", *make_recordings(0))
    assert not list((tmp_path / "study" / "recordings.zarr").glob("*0*"))
    add_all(writer)
    assert writer.finish().ecg("P000").signal_mv.shape == (12, 600)


def test_a_place_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    with pytest.raises(StudyError, match="Cannot write"):
        StudyWriter.create(tmp_path / "file" / "study", make_cohort(1))


def test_what_is_there_already_is_never_overwritten(tmp_path: Path) -> None:
    StudyWriter.create(tmp_path / "study", make_cohort(1))
    with pytest.raises(StudyError, match="already holds a study"):
        StudyWriter.create(tmp_path / "study", make_cohort(1))
    (tmp_path / "other").mkdir()
    StudyWriter.create(tmp_path / "other", make_cohort(1))
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "thesis.txt").write_text("x")
    with pytest.raises(StudyError, match="not an empty folder"):
        StudyWriter.create(tmp_path / "full", make_cohort(1))


def test_misuse_is_explained(tmp_path: Path) -> None:
    writer = StudyWriter.create(tmp_path / "study", make_cohort(2))
    cine, _, ecg = make_recordings(0)
    writer.add_participant("P000", cine, ecg=ecg)
    with pytest.raises(StudyError, match=r"written to the study .* already"):
        writer.add_participant("P000", cine)
    with pytest.raises(StudyError, match="no participant 'X'"):
        writer.add_participant("X", cine)
    with pytest.raises(RecordingError, match="must be equal"):
        writer.add_participant("P001", cine, CineLabels(np.zeros((1, 1, 2, 2)), {}))
    with pytest.raises(StudyError, match="needs the table of factors"):
        StudyWriter.create(tmp_path / "b", make_cohort(2), recording_source="simulation")
    with pytest.raises(StudyError, match="3 rows of factors for 2"):
        StudyWriter.create(tmp_path / "b", make_cohort(2), factors=pd.DataFrame({"seed": [1, 2, 3]}))
    clash = Cohort(
        np.array(["a"]),
        pd.DataFrame({"participant_id": [1.0]}),
        {"participant_id": PhenotypeSpec("participant_id", "continuous")},
    )
    with pytest.raises(TableError, match="holds the ids"):
        StudyWriter.create(tmp_path / "b", clash)


def test_what_made_it_is_kept(tmp_path: Path) -> None:
    StudyWriter.create(tmp_path / "study", make_cohort(1), provenance={"seed": 3, "n_participants": 1})
    assert dict(StudyWriter.resume(tmp_path / "study").manifest.provenance) == {"seed": 3, "n_participants": 1}
