from pathlib import Path
from typing import Any

import numpy as np
import pytest
from dicom_writer import expected, image, normal, pixels_of, save, stack

from napari_latent_explorer.data.cine import CineMRI
from napari_latent_explorer.errors import RecordingError
from napari_latent_explorer.io.cine_dicom import read_cine_dicom
from napari_latent_explorer.io.reading import Reading


def cine_of(reading: Reading) -> CineMRI:
    assert isinstance(reading.recording, CineMRI)
    return reading.recording


def test_an_outermost_slice_with_fewer_frames_is_left_out_and_noted(tmp_path: Path) -> None:
    images = stack(5, 6)
    save(tmp_path, images[2:])
    reading = read_cine_dicom(tmp_path)
    np.testing.assert_array_equal(cine_of(reading).frames, expected(5, 6)[:, 1:])
    (note,) = (note for note in reading.notes if "outermost" in note)
    assert "has 4 frames instead of 6 and is left out: volumes do not count it" in note
    assert sum(outcome.is_used for outcome in reading.outcomes) == 24
    assert {outcome.reason for outcome in reading.outcomes if not outcome.is_used} == {
        "an outermost slice with 4 frames instead of 6"
    }


@pytest.mark.parametrize("slice_index", [1, 2, 3])
def test_a_slice_with_fewer_frames_in_the_middle_refuses_the_stack(tmp_path: Path, slice_index: int) -> None:
    images = stack(5, 6)
    del images[6 * slice_index]
    save(tmp_path, images)
    counts = [6] * 5
    counts[slice_index] = 5
    with pytest.raises(RecordingError, match=f"different numbers of frames: \\[{', '.join(map(str, counts))}\\]"):
        read_cine_dicom(tmp_path)


def test_too_many_outermost_slices_with_fewer_frames_refuse_the_stack(tmp_path: Path) -> None:
    images = stack(5, 6)
    save(tmp_path, images[1:-1])
    with pytest.raises(RecordingError, match=r"different numbers of frames: \[5, 6, 6, 6, 5\]"):
        read_cine_dicom(tmp_path)


@pytest.mark.parametrize("n_slices", [1, 4])
def test_a_gap_that_the_scanner_left_is_noted(tmp_path: Path, n_slices: int) -> None:
    times = [0, 40, 80, 120, 240, 280, 320]
    images = [
        image(
            pixels_of(index, frame),
            np.array([10.0, 20.0, 30.0]) + normal() * 10.0 * index,
            TriggerTime=time,
            InstanceNumber=7 * index + frame + 1,
            CardiacNumberOfImages=7,
            NominalInterval=900,
        )
        for index in range(n_slices)
        for frame, time in enumerate(times)
    ]
    save(tmp_path, images)
    reading = read_cine_dicom(tmp_path)
    np.testing.assert_array_equal(cine_of(reading).frame_times_ms, times)
    assert any("frames between 120 and 240 ms, while no file is missing" in note for note in reading.notes)


@pytest.mark.parametrize(
    "facts", [{"CardiacNumberOfImages": 8}, {}], ids=["the scanner meant to take more", "numbers of images are missing"]
)
def test_a_gap_that_all_slices_share_because_files_are_missing_is_refused(
    tmp_path: Path, facts: dict[str, Any]
) -> None:
    images = stack(3, 8, **facts)
    save(tmp_path, [one for number, one in enumerate(images) if number % 8 != 4])
    with pytest.raises(RecordingError, match=r"Frames are missing between .*\(300 ms\) and .*\(500 ms\)"):
        read_cine_dicom(tmp_path)


def test_a_gap_in_one_slice_is_refused(tmp_path: Path) -> None:
    images = stack(3, 8)
    images[12].TriggerTime = 355
    images[13].TriggerTime = 560
    save(tmp_path, images)
    with pytest.raises(RecordingError, match="Frames are missing between"):
        read_cine_dicom(tmp_path)


def test_slices_that_are_shifted_against_each_other_are_refused(tmp_path: Path) -> None:
    images = stack(4)
    sideways = np.array(images[0].ImageOrientationPatient[:3], dtype=float)
    for number, one in enumerate(images):
        position = np.array(one.ImagePositionPatient, dtype=float) + sideways * 6.0 * (number // 4)
        one.ImagePositionPatient = [f"{value:.5f}" for value in position]
    save(tmp_path, images)
    with pytest.raises(RecordingError, match=r"even steps: .*and shifted sideways"):
        read_cine_dicom(tmp_path)


def test_a_slight_shift_goes_into_the_affine_and_not_into_the_step(tmp_path: Path) -> None:
    images = stack(4)
    sideways = np.array(images[0].ImageOrientationPatient[:3], dtype=float)
    for number, one in enumerate(images):
        position = np.array(one.ImagePositionPatient, dtype=float) + sideways * 2.0 * (number // 4)
        one.ImagePositionPatient = [f"{value:.5f}" for value in position]
    save(tmp_path, images)
    reading = read_cine_dicom(tmp_path)
    assert cine_of(reading).spacing_mm[0] == pytest.approx(10.0, abs=1e-4)
    np.testing.assert_allclose(cine_of(reading).affine[:3, 0], normal() * 10.0 + sideways * 2.0, atol=1e-4)
    assert any("shifted by 2.0 mm against the one before" in note for note in reading.notes)
