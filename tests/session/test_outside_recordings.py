"""Recordings from outside the study: what one drop gives, what a model adds, and how failures are told."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from napari_latent_explorer.data.cine import CineLabels, CineMRI
from napari_latent_explorer.data.ecg import ECG, LEAD_NAMES
from napari_latent_explorer.data.progress import finish
from napari_latent_explorer.errors import RecordingError
from napari_latent_explorer.io.reading import ANY, FileOutcome, Reading
from napari_latent_explorer.modeling.sample import sample_study_path
from napari_latent_explorer.session import outside_recordings
from napari_latent_explorer.session.originals import Originals
from napari_latent_explorer.session.outside_recordings import OutsideRecordings, open_recordings

ECG_HEADER = sample_study_path().parent / "recordings" / "ecg_wfdb" / "ecg.hea"


def make_cine(plane="la_4ch", n_slices=1):
    frames = np.random.default_rng(0).integers(0, 99, (4, n_slices, 8, 8))
    return CineMRI(frames, (8.0, 1.5, 1.5), np.arange(4) * 200.0, np.eye(4), plane, 800.0)


def make_ecg(kind, duration_s=10.0):
    samples = np.random.default_rng(0).normal(size=(12, round(500 * duration_s)))
    return ECG(samples, LEAD_NAMES, 500.0, kind)


@pytest.fixture
def places(monkeypatch):
    """Make what is read at each path: a reading, an error, or a reading for each imaging plane or kind of ECG."""
    held, asked = {}, []

    def read_place(path, options=ANY, modality=None):
        asked.append((Path(path), options))
        found = held[Path(path)]
        if isinstance(found, dict):
            found = found.get(options.imaging_plane or options.ecg_kind, RecordingError(f"{path}: none such"))
        if isinstance(found, Exception):
            raise found
        return found

    monkeypatch.setattr(outside_recordings, "read_place", read_place)
    held["asked"] = asked
    return held


def test_files_that_a_reading_used_are_not_read_again(places):
    files = [Path(f"{number}.dcm") for number in range(3)]
    outcomes = tuple(FileOutcome(str(file), True, "frame") for file in files)
    places[files[0]] = Reading(make_cine(), outcomes=outcomes)
    opened = finish(open_recordings(files))
    assert len(opened.recordings) == 1
    assert [path for path, _ in places["asked"]] == files[:1]


def test_files_that_a_failure_looked_at_are_not_reported_again(places):
    files = [Path("scout_1.dcm"), Path("scout_2.dcm"), Path("good.dcm")]
    looked_at = [FileOutcome(str(file), False, "no trigger time") for file in files[:2]]
    places[files[0]] = RecordingError("no cine", looked_at)
    places[files[2]] = Reading(make_cine())
    opened = finish(open_recordings(files))
    assert [str(failure) for failure in opened.failures] == ["no cine"]
    assert len(opened.recordings) == 1


def test_a_place_with_several_cines_gives_one_for_each_plane(places):
    place = Path("1234567_20208_2_0.zip")
    places[place] = {plane: Reading(make_cine(plane)) for plane in ("la_2ch", "la_4ch")}
    opened = finish(open_recordings([place]))
    assert {recording.cine.imaging_plane for recording in opened.recordings} == {"la_2ch", "la_4ch"}
    assert opened.failures == ()


def test_a_file_with_a_cine_and_an_ecg_gives_both(monkeypatch):
    held = {"mri": make_cine("sa", 2), "ecg": make_ecg("rhythm")}
    monkeypatch.setattr(outside_recordings, "recognise", lambda path, modality: modality)
    monkeypatch.setattr(
        outside_recordings, "read_place", lambda path, options=ANY, modality=None: Reading(held[modality])
    )
    cine, ecg = finish(open_recordings([Path("both.hd5")])).recordings
    assert cine.cine is held["mri"]
    assert ecg.strip is held["ecg"]


def test_a_device_median_and_its_strip_come_together(places):
    place = Path("ecg.xml")
    median, strip = make_ecg("median", 1.2), make_ecg("rhythm")
    places[place] = {None: Reading(median), "rhythm": Reading(strip)}
    (recording,) = finish(open_recordings([place])).recordings
    assert recording.beat is median
    assert recording.strip is strip


def test_contrast_leaves_out_the_brightest_and_covers_a_blank_cine(places):
    bright = np.zeros((4, 1, 50, 50))
    bright[:, :, :, 10:] = 100.0
    bright[0, 0, 0, 0] = 10_000.0
    blank = replace(make_cine(), frames=np.full((4, 1, 8, 8), 7.0))
    places[Path("bright")] = Reading(replace(make_cine(), frames=bright))
    places[Path("blank")] = Reading(blank)
    first, second = finish(open_recordings([Path("bright"), Path("blank")])).recordings
    assert first.contrast_limits == (0.0, 100.0)
    assert first.signal_range == (0.0, 10_000.0)
    assert second.contrast_limits[0] < second.contrast_limits[1]
    assert second.signal_range[0] < second.signal_range[1]


def test_only_the_four_chambers_of_several_planes_and_no_stack_are_encoded(places, explorer):
    places[Path("planes")] = {plane: Reading(make_cine(plane)) for plane in ("la_2ch", "la_4ch", "la_3ch")}
    places[Path("stack")] = Reading(make_cine("sa", n_slices=4))
    opened = finish(open_recordings([Path("planes"), Path("stack")], explorer.bundle))
    assert [one.cine.imaging_plane for one in opened.recordings if one.encoded is not None] == ["la_4ch"]
    assert opened.failures == ()


def test_labels_say_where_the_heart_is_and_go_with_it(places, explorer):
    frames = np.random.default_rng(0).integers(0, 99, (4, 1, 120, 120))
    cine = CineMRI(frames, (8.0, 1.8, 1.8), np.arange(4) * 200.0, np.diag([8.0, 1.8, 1.8, 1.0]), "la_2ch", 800.0)
    classes = np.zeros((4, 1, 120, 120), np.uint8)
    classes[:, :, 60:81, 30:41] = 1
    places[Path("case")] = Reading(cine, CineLabels(classes, {0: "background", 1: "LV_cavity"}))
    (recording,) = finish(open_recordings([Path("case")], explorer.bundle)).recordings
    assert "middle of the labels" in recording.encoded.rule
    shown = recording.encoded.labels.frames
    assert shown.shape == (50, 1, 96, 96)
    np.testing.assert_allclose([axis.mean() for axis in np.nonzero(shown[0, 0])], 47.5, atol=0.6)


def test_what_the_model_refuses_is_still_there_with_the_reason(places, explorer):
    places[Path("short.hea")] = Reading(make_ecg("rhythm", 1.0))
    opened = finish(open_recordings([Path("short.hea")], explorer.bundle))
    assert opened.recordings[0].strip is not None
    assert opened.recordings[0].encoded is None
    assert "shown as it was recorded" in str(opened.failures[0])


def test_an_ecg_without_a_model_is_the_original_until_the_probe_begins_elsewhere(empty_explorer, study):
    originals = Originals(empty_explorer)
    outside = OutsideRecordings(empty_explorer, originals)
    assert outside.open([ECG_HEADER]).wait(20.0)
    assert originals.current.label == "ecg.hea"
    assert originals.current.strip.kind == "rhythm"
    assert originals.current.vectors == ()
    empty_explorer.open(study)
    assert originals.current is None


def test_a_second_drop_does_not_end_the_first(explorer, monkeypatch):
    opened = []
    outside = OutsideRecordings(explorer, Originals(explorer))
    outside.opened.connect(lambda recording: opened.append(recording.path.name))
    monkeypatch.setattr(outside_recordings, "read_place", lambda path, *_, **__: Reading(make_cine("sa", 2)))
    first, second = outside.open([Path("one")]), outside.open([Path("two")])
    assert first.wait(20.0)
    assert second.wait(20.0)
    assert sorted(opened) == ["one", "two"]


def test_several_failures_are_told_once(explorer, monkeypatch):
    errors = []
    explorer.failed.connect(errors.append)

    def refuse(path, *_, **__):
        raise RecordingError(f"{path} is damaged. Get it again.")

    monkeypatch.setattr(outside_recordings, "read_place", refuse)
    paths = [Path(f"{number}.dcm") for number in range(9)]
    assert OutsideRecordings(explorer, Originals(explorer)).open(paths).wait(20.0)
    (error,) = errors
    assert "0.dcm is damaged. Get it again." in str(error)
    assert "5.dcm is damaged" in str(error)
    assert "and 3 more" in str(error)
