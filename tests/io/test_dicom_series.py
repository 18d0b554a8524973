import random
from pathlib import Path

import numpy as np
import pytest
from dicom_writer import content, enhanced, expected, image, normal, pixels_of, save, stack, zipped

from napari_latent_explorer.data.cine import CineMRI
from napari_latent_explorer.errors import RecordingError
from napari_latent_explorer.io import cine_dicom, dicom_series
from napari_latent_explorer.io.cine_dicom import read_cine_dicom
from napari_latent_explorer.io.dicom_series import scan
from napari_latent_explorer.io.reading import ReadOptions


def frames_at(place: Path, options: ReadOptions | None = None) -> np.ndarray:
    recording = read_cine_dicom(place, options or ReadOptions()).recording
    assert isinstance(recording, CineMRI)
    return recording.frames


def test_magnitude_and_phase_in_one_series_are_told_apart(tmp_path: Path) -> None:
    """As Philips writes flow: both in one series, at the same places and times."""
    magnitude = stack(2, 5, ImageType=["ORIGINAL", "PRIMARY", "M_FFE", "M", "FFE"])
    phase = stack(2, 5, ImageType=["ORIGINAL", "PRIMARY", "PHASE MAP", "P", "PCA"])
    save(tmp_path, random.Random(2).sample(magnitude + phase, 20))
    np.testing.assert_array_equal(frames_at(tmp_path), expected(2, 5))
    assert sorted(series.key for series in scan(tmp_path).series) == ["1.2.3#1", "1.2.3#2"]


def test_echoes_and_sizes_of_one_series_are_told_apart(tmp_path: Path) -> None:
    images = stack(1, 4)
    save(tmp_path, images, "a")
    save(tmp_path, stack(1, 4, EchoNumbers=2), "b")
    save(tmp_path, [image(np.zeros((5, 5), np.uint16), TriggerTime=200 * k) for k in range(4)], "c")
    assert len(scan(tmp_path).series) == 3
    with pytest.raises(RecordingError, match="There are 3 cines"):
        frames_at(tmp_path)


def test_all_slices_in_one_series_numbered_phase_by_phase(tmp_path: Path) -> None:
    """As GE and others may number a stack; the numbers decide nothing."""
    images = stack(3, 5)
    for number, one in enumerate(images):
        one.InstanceNumber = (number % 5) * 3 + number // 5 + 1
    save(tmp_path, random.Random(3).sample(images, 15))
    np.testing.assert_array_equal(frames_at(tmp_path), expected(3, 5))


def test_slice_locations_decide_nothing(tmp_path: Path) -> None:
    images = stack(3, 4)
    for number, one in enumerate(images):
        one.SliceLocation = [5, -70, 5][number // 4]
    save(tmp_path, images)
    np.testing.assert_array_equal(frames_at(tmp_path), expected(3, 4))


@pytest.mark.parametrize("is_enhanced", [False, True])
def test_pixels_that_are_not_kept_are_read_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, is_enhanced: bool
) -> None:
    images = stack(3, 4)
    place = zipped(tmp_path / "a.zip", [enhanced(images)] if is_enhanced else images)
    monkeypatch.setattr(dicom_series, "KEPT_BYTES", 100)
    found = scan(place)
    kept = [image.pixels.content is not None for series in found.series for image in series.images]
    assert sum(kept) == (0 if is_enhanced else 4)
    np.testing.assert_array_equal(frames_at(place), expected(3, 4))


def test_a_cine_over_the_limit_is_refused_before_it_is_allocated(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    save(tmp_path, stack(3, 4))
    monkeypatch.setattr(cine_dicom, "MAX_RECORDING_BYTES", 3 * 4 * 12 * 4 - 1)
    with pytest.raises(RecordingError, match=r"would take 0\.0 GB"):
        frames_at(tmp_path)
    monkeypatch.setattr(cine_dicom, "MAX_RECORDING_BYTES", 3 * 4 * 12 * 4)
    np.testing.assert_array_equal(frames_at(tmp_path), expected(3, 4))


def test_a_large_file_that_is_something_else_is_not_read_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    save(tmp_path, stack(1))
    (tmp_path / "film.avi").write_bytes(b"RIFF" + bytes(2000))
    monkeypatch.setattr(dicom_series, "_READ_WHOLE_BYTES", 1500)
    found = scan(tmp_path)
    assert [(Path(outcome.file).name, outcome.reason) for outcome in found.others] == [
        ("film.avi", "no DICOM file (2004 bytes).")
    ]
    assert len(found.series) == 1


def test_names_do_not_matter(tmp_path: Path) -> None:
    for number, one in enumerate(stack(2, 4)):
        folder = tmp_path / f"S{number % 3}"
        folder.mkdir(exist_ok=True)
        (folder / f"IM_{number}").write_bytes(content(one))
    np.testing.assert_array_equal(frames_at(tmp_path), expected(2, 4))


def test_trigger_times_of_each_slice_are_ranked_for_themselves(tmp_path: Path) -> None:
    images = [
        image(
            pixels_of(index, frame),
            np.array([10.0, 20.0, 30.0]) + normal() * 10.0 * index,
            TriggerTime=(0.5 + frame) * (150 + 20 * index),
            NominalInterval=5 * (150 + 20 * index),
        )
        for index in range(3)
        for frame in range(5)
    ]
    save(tmp_path, random.Random(5).sample(images, 15))
    reading = read_cine_dicom(tmp_path)
    np.testing.assert_array_equal(reading.recording.frames, expected(3, 5))  # type: ignore[union-attr]
    np.testing.assert_allclose(reading.recording.frame_times_ms, (0.5 + np.arange(5)) * 170)  # type: ignore[union-attr]
    assert reading.recording.rr_interval_ms == 850  # type: ignore[union-attr]
