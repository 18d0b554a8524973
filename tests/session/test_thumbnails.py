"""Small pictures of recordings: what they show, and whose are made."""

import threading
from types import MappingProxyType

import numpy as np
import pytest
from psygnal.testing import assert_emitted_once

from napari_latent_explorer.data.cine import CineLabels, CineMRI
from napari_latent_explorer.data.ecg import ECG, LEAD_NAMES
from napari_latent_explorer.errors import StudyError
from napari_latent_explorer.session.thumbnails import N_KEPT, SIDE_PX, Thumbnails, beat_thumbnail, cine_thumbnail

ROWS, COLUMNS = slice(60, 100), slice(120, 180)


def bright_box_cine(n_frames=50):
    """Make a cine whose first frame is dark and last bright, with a brighter box in the middle slice."""
    frames = np.broadcast_to(np.linspace(0, 500, n_frames)[:, None, None, None], (n_frames, 3, 200, 240)).copy()
    frames[:, 1, ROWS, COLUMNS] += 1000
    times = np.arange(n_frames) * 20.0
    return CineMRI(frames, (8.0, 2.0, 1.0), times, np.eye(4), "sa", n_frames * 20.0)


def box_labels(n_frames=50):
    labels = np.zeros((n_frames, 3, 200, 240), np.uint8)
    labels[:, 1, ROWS, COLUMNS] = 1
    return CineLabels(labels, MappingProxyType({0: "background", 1: "LV_blood_pool"}))


def test_a_heart_is_cut_out_by_its_labels_with_a_margin():
    shown = cine_thumbnail(bright_box_cine(), box_labels())
    assert shown.frames.dtype == np.uint8
    is_box = shown.frames[0] > 128
    rows, columns = (np.flatnonzero(is_box.any(axis=axis)) for axis in (1, 0))
    assert (len(rows), len(columns)) == (40, 60)
    assert shown.frames.shape[1:] == (40 + 2 * 10, 60 + 2 * 15)
    assert (rows[0], columns[0]) == (10, 15)
    assert shown.aspect == 2.0


def test_without_labels_the_whole_slice_is_shown_small_enough():
    shown = cine_thumbnail(bright_box_cine())
    assert max(shown.frames.shape[1:]) <= SIDE_PX
    assert shown.frames.shape[1:] == (67, 80)  # each third pixel


def test_frames_go_through_the_whole_beat():
    cine = bright_box_cine()
    shown = cine_thumbnail(cine)
    background = shown.frames[:, 0, 0].astype(int)
    assert len(shown.frames) == 20
    assert background[0] < 5
    assert (np.diff(background) > 0).all()
    assert shown.rr_interval_ms == cine.rr_interval_ms


def test_a_heart_without_contrast_can_be_shown():
    cine = bright_box_cine(2)
    flat = CineMRI(np.zeros((2, 1, 5, 5)), cine.spacing_mm, cine.frame_times_ms, np.eye(4), "sa", 40.0)
    assert not cine_thumbnail(flat).frames.any()


def test_the_beat_is_lead_two_or_the_first_there_is():
    signal = np.arange(12 * 600, dtype=np.float32).reshape(12, 600)
    shown = beat_thumbnail(ECG(signal, LEAD_NAMES, 500.0, "median"))
    np.testing.assert_array_equal(shown.signal_mv, signal[1])
    assert (shown.lead_name, shown.duration_ms) == ("II", 1200.0)
    assert beat_thumbnail(ECG(signal[:1], ("V1",), 500.0, "median")).lead_name == "V1"


class OpenableStudy:
    """Lets somebody hold up the reading; knows how often it was asked, and has no ECG."""

    def __init__(self):
        self.may_read = threading.Event()
        self.asked = []

    def cine(self, participant_id):
        self.asked.append(participant_id)
        assert self.may_read.wait(10)
        return bright_box_cine(4)

    def labels(self, participant_id):
        raise StudyError("no labels")

    def ecg(self, participant_id):
        raise StudyError("no ECG")


@pytest.fixture
def thumbnails():
    thumbnails = Thumbnails()
    yield thumbnails
    thumbnails.close()


def test_only_the_first_and_the_last_of_a_quick_pointer_are_read(thumbnails):
    study, made = OpenableStudy(), []
    thumbnails.made.connect(lambda thumbnail: made.append(thumbnail.participant_id))
    for number in range(9):
        thumbnails.request(study, f"P{number}", ("mri",))
    study.may_read.set()
    assert thumbnails.wait(10)
    assert made[-1] == "P8"
    assert set(study.asked) <= {"P0", "P1", "P8"}


def test_what_was_made_is_kept_and_what_is_lacking_is_none(thumbnails):
    study = OpenableStudy()
    study.may_read.set()
    thumbnails.request(study, "P1", ("mri", "ecg"))
    assert thumbnails.wait(10)
    with assert_emitted_once(thumbnails.made) as tester:
        thumbnails.request(study, "P1", ("mri", "ecg"))
    (thumbnail,) = tester.mock.call_args.args
    assert thumbnail.cine is not None
    assert thumbnail.beat is None
    assert study.asked == ["P1"]
    other = OpenableStudy()
    other.may_read.set()
    thumbnails.request(other, "P1", ("mri", "ecg"))
    assert thumbnails.wait(10)
    assert other.asked == ["P1"]  # of another study nothing is known


def test_a_fault_of_the_program_is_told(thumbnails, monkeypatch):
    study, errors = OpenableStudy(), []
    thumbnails.failed.connect(errors.append)
    monkeypatch.setattr(study, "cine", lambda participant_id: 1 / 0)
    thumbnails.request(study, "P1", ("mri",))
    assert thumbnails.wait(10)
    assert [type(error) for error in errors] == [ZeroDivisionError]


def test_the_oldest_are_forgotten(thumbnails):
    study = OpenableStudy()
    study.may_read.set()
    for number in [*range(N_KEPT + 1), 0, N_KEPT]:
        thumbnails.request(study, f"P{number}", ("mri",))
        assert thumbnails.wait(10)
    assert len(study.asked) == N_KEPT + 2
    assert study.asked[-1] == "P0"
