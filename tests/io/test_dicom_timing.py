import random
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from dicom_writer import content, enhanced, expected, image, pixels_of, save, stack
from pydicom.dataset import Dataset

from napari_latent_explorer.data.cine import CineMRI
from napari_latent_explorer.errors import RecordingError
from napari_latent_explorer.io.cine_dicom import read_cine_dicom
from napari_latent_explorer.io.reading import Reading


def read(folder: Path, images: list[Dataset]) -> tuple[CineMRI, Reading]:
    save(folder, random.Random(1).sample(images, len(images)))
    reading = read_cine_dicom(folder)
    assert isinstance(reading.recording, CineMRI)
    return reading.recording, reading


def untimed(n_slices: int = 2, n_frames: int = 5, **facts: Any) -> list[Dataset]:
    images = stack(n_slices, n_frames, **facts)
    for one in images:
        del one.TriggerTime
    return images


def test_the_nominal_trigger_delay_stands_for_the_trigger_time(tmp_path: Path) -> None:
    images = untimed()
    for number, one in enumerate(images):
        one.NominalCardiacTriggerDelayTime = 30.0 + 150.0 * (number % 5)
    cine, reading = read(tmp_path, images)
    np.testing.assert_array_equal(cine.frames, expected(2, 5))
    np.testing.assert_allclose(cine.frame_times_ms, 30.0 + 150.0 * np.arange(5))
    assert any("taken from NominalCardiacTriggerDelayTime" in note for note in reading.notes)


def number_by_philips(one: Dataset, phase: int) -> None:
    block = one.private_block(0x2001, "Philips Imaging DD 001", create=True)
    block.add_new(0x08, "IS", phase)


def number_by_position(one: Dataset, phase: int) -> None:
    one.TemporalPositionIdentifier, one.NumberOfTemporalPositions = phase, 5


@pytest.mark.parametrize("write", [number_by_philips, number_by_position])
def test_numbered_phases_are_even_parts_of_the_heart_cycle(tmp_path: Path, write: Any) -> None:
    images = untimed()
    for number, one in enumerate(images):
        write(one, number % 5 + 1)
    cine, reading = read(tmp_path, images)
    np.testing.assert_array_equal(cine.frames, expected(2, 5))
    np.testing.assert_allclose(cine.frame_times_ms, np.arange(5) * 160.0)
    assert any("the phases' numbers and the heart cycle" in note for note in reading.notes)


def test_times_since_the_start_of_the_series_are_used_where_a_heart_cycle_is_noted(tmp_path: Path) -> None:
    images = untimed()
    for number, one in enumerate(images):
        one.FrameReferenceTime = 5000.0 * (number // 5) + 155.0 * (number % 5)
    cine, _ = read(tmp_path, images)
    np.testing.assert_array_equal(cine.frames, expected(2, 5))
    np.testing.assert_allclose(cine.frame_times_ms, np.arange(5) * 155.0)


def test_images_by_number_are_used_when_there_are_as_many_as_meant(tmp_path: Path) -> None:
    cine, reading = read(tmp_path, untimed(CardiacNumberOfImages=5))
    np.testing.assert_array_equal(cine.frames, expected(2, 5))
    np.testing.assert_allclose(cine.frame_times_ms, np.arange(5) * 160.0)
    assert any("the images' numbers and the heart cycle" in note for note in reading.notes)


def test_equal_trigger_times_give_way_to_what_tells_the_images_apart(tmp_path: Path) -> None:
    images = stack(2, 5, TriggerTime=0)
    for number, one in enumerate(images):
        number_by_position(one, number % 5 + 1)
    cine, _ = read(tmp_path, images)
    np.testing.assert_array_equal(cine.frames, expected(2, 5))


@pytest.mark.parametrize(
    ("facts", "reason"),
    [
        ({"TriggerTime": None}, "no cine: no trigger times, nor phases of a noted heart cycle"),
        ({"TriggerTime": 300}, "no cine: it is gated but has one time per slice"),
        ({"ImageType": ["ORIGINAL", "PRIMARY", "P"]}, "no cine: it shows the phase, not the magnitude"),
        ({"ComplexImageComponent": "PHASE"}, "no cine: it shows the phase"),
        ({"NominalInterval": 250}, "span 600 ms of a heart cycle of 250 ms: more than one heart cycle"),
        ({"NominalInterval": 3000}, "span 600 ms of a heart cycle of 3000 ms: a moment of the cycle"),
    ],
    ids=["no times", "stills", "phase", "phase by component", "several beats", "one moment"],
)
def test_what_is_no_cycle_is_no_cine(tmp_path: Path, facts: dict[str, Any], reason: str) -> None:
    usual = [{"TriggerTime": 200 * frame, "NominalInterval": 800} for frame in range(4)]
    save(tmp_path, [image(pixels_of(0, frame), **{**times, **facts}) for frame, times in enumerate(usual)])
    with pytest.raises(RecordingError, match=reason):
        read_cine_dicom(tmp_path)


def test_t1_maps_are_no_cine(tmp_path: Path) -> None:
    images = stack(1, 8)
    for number, one in enumerate(images):
        one.InversionTime = 100 + 900 * number
    save(tmp_path, images)
    with pytest.raises(RecordingError, match="differ by their inversion time"):
        read_cine_dicom(tmp_path)


def test_a_trigger_time_that_some_images_lack_is_counted(tmp_path: Path) -> None:
    images = stack(1, 6)
    del images[2].TriggerTime
    save(tmp_path, images)
    with pytest.raises(RecordingError, match="TriggerTime is missing in 1 of its 6 images"):
        read_cine_dicom(tmp_path)


def test_times_before_the_r_peak_are_the_end_of_the_cycle(tmp_path: Path) -> None:
    images = stack(1, 5, NominalInterval=500)
    for number, one in enumerate(images):
        one.TriggerTime = 100 * number - 150
    cine, reading = read(tmp_path, images)
    np.testing.assert_allclose(cine.frame_times_ms, [50, 150, 250, 350, 450])
    np.testing.assert_array_equal(cine.frames[:, 0], expected(1, 5)[[2, 3, 4, 0, 1], 0])
    assert any("2 images lie before the R peak (from -150 ms)" in note for note in reading.notes)


@pytest.mark.parametrize(("interval_ms", "first_ms"), [(None, -150), (500, -700)])
def test_times_before_the_r_peak_that_nothing_explains_are_refused(
    tmp_path: Path, interval_ms: int | None, first_ms: int
) -> None:
    images = stack(1, 5, NominalInterval=interval_ms)
    for number, one in enumerate(images):
        one.TriggerTime = first_ms + 100 * number
    save(tmp_path, images)
    with pytest.raises(RecordingError, match="times before the R peak"):
        read_cine_dicom(tmp_path)


def test_a_part_of_the_cycle_is_not_called_the_whole(tmp_path: Path) -> None:
    images = stack(2, 6, NominalInterval=1000)
    for number, one in enumerate(images):
        one.TriggerTime = 20 + 100 * (number % 6)
    cine, reading = read(tmp_path, images)
    assert cine.rr_interval_ms == 1000
    assert any("cover 600 ms of a heart cycle of 1000 ms (60%)" in note for note in reading.notes)


def test_a_cine_that_begins_late_keeps_its_times_and_says_so(tmp_path: Path) -> None:
    images = stack(2, 8, NominalInterval=800)
    for one in images:
        one.TriggerTime = float(one.TriggerTime) + 250
    cine, reading = read(tmp_path, images)
    np.testing.assert_allclose(cine.frame_times_ms, 250 + 100 * np.arange(8))
    assert any(
        "first frame lies 250 ms after the R peak; it does not show end diastole" in note for note in reading.notes
    )


def test_a_slice_with_another_heart_rate_is_noted(tmp_path: Path) -> None:
    images = stack(4, 5, NominalInterval=None)
    for one in images[5:10]:
        one.TriggerTime = float(one.TriggerTime) * 1.5
    cine, reading = read(tmp_path, images)
    np.testing.assert_array_equal(cine.frames, expected(4, 5))
    assert any("heart cycle of 1 of 4 slices" in note for note in reading.notes)


def test_a_noted_heart_cycle_that_is_too_short_gives_way_to_the_times(tmp_path: Path) -> None:
    cine, reading = read(tmp_path, stack(1, 8, NominalInterval=600))
    assert cine.rr_interval_ms == pytest.approx(800)
    assert any("the noted one (600 ms) is shorter than they are" in note for note in reading.notes)


@pytest.mark.parametrize("interval_ms", [0, -5, 60000])
def test_a_noted_heart_cycle_that_cannot_be_is_not_used(tmp_path: Path, interval_ms: int) -> None:
    assert read(tmp_path, stack(1, 8, NominalInterval=interval_ms))[0].rr_interval_ms == pytest.approx(800)


def test_enhanced_files_have_their_times_in_functional_groups(tmp_path: Path) -> None:
    (tmp_path / "enhanced.dcm").write_bytes(content(enhanced(stack(3, 4))))
    reading = read_cine_dicom(tmp_path)
    assert isinstance(reading.recording, CineMRI)
    np.testing.assert_array_equal(reading.recording.frames, expected(3, 4))
    np.testing.assert_allclose(reading.recording.frame_times_ms, np.arange(4) * 200.0)
    assert reading.recording.rr_interval_ms == 800
