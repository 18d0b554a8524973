"""Placing a heart box: where it begins, how it moves, and what using it does."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from napari_latent_explorer.data.cine import CineLabels, CineMRI
from napari_latent_explorer.data.cohort import Cohort
from napari_latent_explorer.data.heart_box import HeartBox
from napari_latent_explorer.errors import BundleError, StudyError
from napari_latent_explorer.io.study import Study
from napari_latent_explorer.io.study_writer import StudyWriter
from napari_latent_explorer.session.heart_boxing import HeartBoxing, model_view
from napari_latent_explorer.session.originals import Originals
from napari_latent_explorer.session.outside_recordings import OutsideRecording, OutsideRecordings

NAMES = {0: "background", 1: "LV_cavity"}


def make_cine(row: int = 60, column: int = 90) -> CineMRI:
    """Make a picture of 120 x 160 in which a disc around a place beats."""
    rows, columns = np.mgrid[:120, :160]
    distance = np.hypot(rows - row, columns - column)
    beats = [(distance < radius) * 200.0 for radius in (30, 26, 20, 26)]
    times = np.arange(4) * 200.0
    return CineMRI(np.array(beats)[:, None], (8.0, 1.5, 1.5), times, np.eye(4), "la_2ch", 800.0, "drawn")


def make_labels(row: int, column: int) -> CineLabels:
    frames = np.zeros((4, 1, 120, 160), np.uint8)
    frames[:, :, row - 10 : row + 10, column - 8 : column + 8] = 1
    return CineLabels(frames, NAMES)


@pytest.fixture(scope="module")
def stored(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Write a study of four: no box, a box from motion, one from labels, one who has no cine."""
    root = tmp_path_factory.mktemp("boxes") / "study"
    ids = np.array(["P0", "P1", "P2", "P3"])
    has_cine = np.array([True, True, True, False])
    cohort = Cohort(ids, pd.DataFrame(index=range(4)), {}, {"mri": has_cine, "ecg": ~has_cine})
    writer = StudyWriter.create(root, cohort)
    motion, labelled = HeartBox(30, 60, 60, 60, source="motion"), HeartBox(50, 80, 20, 16, source="labels")
    from napari_latent_explorer.data.ecg import ECG, LEAD_NAMES

    writer.add_participant("P0", make_cine())
    writer.add_participant("P1", make_cine(), heart_box=motion)
    writer.add_participant("P2", make_cine(), make_labels(60, 88), heart_box=labelled)
    writer.add_participant("P3", ecg=ECG(np.zeros((12, 600)), LEAD_NAMES, 500.0, "median"))
    writer.finish()
    return root


@pytest.fixture
def boxing(explorer: Any) -> HeartBoxing:
    return HeartBoxing(explorer, OutsideRecordings(explorer, Originals(explorer)))


@pytest.fixture
def of_study(empty_explorer: Any, stored: Path) -> HeartBoxing:
    boxing = HeartBoxing(empty_explorer, OutsideRecordings(empty_explorer, Originals(empty_explorer)))
    empty_explorer.open(Study.open(stored))
    return boxing


def settle(boxing: HeartBoxing) -> None:
    assert boxing._explorer.jobs.wait(20.0)


def bring(boxing: HeartBoxing, labels: CineLabels | None = None) -> OutsideRecording:
    recording = OutsideRecording(Path("dropped"), make_cine(), labels)
    boxing._on_outside_opened(recording)
    return recording


def test_without_labels_the_box_is_where_something_moves(boxing: HeartBoxing) -> None:
    bring(boxing)
    boxing.place()
    settle(boxing)
    assert boxing.box is not None
    assert boxing.box.source == "motion"
    assert np.allclose(boxing.box.middle, (60, 90), atol=4)


def test_with_labels_it_is_around_them(boxing: HeartBoxing) -> None:
    bring(boxing, make_labels(40, 50))
    boxing.place()
    settle(boxing)
    assert boxing.box == HeartBox(30, 42, 20, 16, "centred", "labels")


def test_where_nothing_moves_it_is_in_the_middle(boxing: HeartBoxing) -> None:
    still = CineMRI(np.ones((2, 1, 50, 200)), (8.0, 1.5, 1.5), np.arange(2.0), np.eye(4), "sa", 800.0)
    boxing._on_outside_opened(OutsideRecording(Path("still"), still))
    boxing.place()
    settle(boxing)
    assert boxing.box == HeartBox(0, 52, 50, 96, source="motion")


def test_a_box_stays_inside_the_picture_and_can_be_taken_back(boxing: HeartBoxing) -> None:
    boxing.move(HeartBox(0, 0, 5, 5))
    assert boxing.box is None  # none was placed
    bring(boxing)
    boxing.place()
    settle(boxing)
    found = boxing.box
    boxing.move(HeartBox(100, 150, 96, 96))
    assert boxing.box == HeartBox(100, 150, 20, 10)
    boxing.set_rule("published")
    assert boxing.box == HeartBox(100, 150, 20, 10, "published")
    boxing.reset()
    assert boxing.box == found


def test_another_heart_takes_the_box_away(boxing: HeartBoxing) -> None:
    bring(boxing)
    boxing.place()
    settle(boxing)
    bring(boxing)
    assert boxing.box is None


def test_a_box_of_a_participant_is_kept_as_drawn_by_hand(of_study: HeartBoxing, stored: Path) -> None:
    said: list[str] = []
    of_study.used.connect(said.append)
    of_study.show("P1")
    settle(of_study)
    assert of_study.box == HeartBox(30, 60, 60, 60, source="motion")
    of_study.move(HeartBox(20, 50, 70, 80))
    of_study.use()
    settle(of_study)
    study = Study.open(stored)
    assert study.heart_box("P1") == HeartBox(20, 50, 70, 80, source="by hand")
    assert "P1" in said[0]
    assert "encoded again" in said[0]
    study.set_heart_box("P1", None)


def test_next_walks_those_without_a_sure_box_and_says_when_nobody_is_left(of_study: HeartBoxing, stored: Path) -> None:
    said, seen = [], []
    of_study.used.connect(said.append)
    for _ in range(3):
        of_study.show_next_without()
        settle(of_study)
        seen.append(of_study.subject.participant_id if of_study.subject is not None else "")
        assert of_study.box is not None  # placed at once
    assert seen == ["P0", "P1", "P0"]
    study = Study.open(stored)
    for one in ("P0", "P1"):
        study.set_heart_box(one, HeartBox(1, 2, 30, 30))
    of_study.show_next_without()
    settle(of_study)
    assert "Nobody is left" in said[-1]
    for one in ("P0", "P1"):
        study.set_heart_box(one, None)


def test_a_stranger_and_a_participant_without_cine_have_no_box(of_study: HeartBoxing) -> None:
    with pytest.raises(StudyError):
        of_study.show("nobody")
    of_study.show("P3")
    settle(of_study)
    assert of_study.subject is None
    with pytest.raises(StudyError, match="No cine is shown"):
        of_study.place()


def test_a_study_without_boxes_refuses(boxing: HeartBoxing) -> None:
    with pytest.raises(StudyError, match="nothing to crop"):
        boxing.show_next_without()
    boxing._explorer.show_participant("P05")
    settle(boxing)
    boxing.place()
    settle(boxing)
    with pytest.raises(StudyError, match="nothing to crop"):
        boxing.use()


def test_a_recording_from_outside_is_encoded_again_with_its_box(boxing: HeartBoxing) -> None:
    bring(boxing)
    boxing.place()
    settle(boxing)
    loaded: list[Any] = []
    boxing._explorer.recording_loaded.connect(loaded.append)
    boxing.move(HeartBox(20, 30, 40, 40))
    boxing.use()
    settle(boxing)
    assert "heart box" in loaded[0].rule
    middle = loaded[0].prepared.affine @ [0, 47.5, 47.5, 1]
    np.testing.assert_allclose(middle[1:3], (39.5, 49.5), atol=0.01)  # the affine is the identity: mm are pixels


def test_without_a_model_there_is_nothing_to_encode_with(empty_explorer: Any) -> None:
    boxing = HeartBoxing(empty_explorer, OutsideRecordings(empty_explorer, Originals(empty_explorer)))
    bring(boxing)
    boxing.place()
    settle(boxing)
    with pytest.raises(BundleError, match="Open a model"):
        boxing.use()


def test_what_the_model_sees_follows_the_rule() -> None:
    box = HeartBox(10, 20, 31, 41)
    assert model_view(HeartBox(10, 20, 31, 41, "published"), (1.5, 1.5)) == (10.0, 20.0, 96.0, 96.0)
    row, column, n_rows, n_columns = model_view(box, (1.8, 0.9))
    assert (n_rows, n_columns) == (96.0, 192.0)
    assert (row + (n_rows - 1) / 2, column + (n_columns - 1) / 2) == box.middle
