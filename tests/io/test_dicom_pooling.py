from pathlib import Path
from typing import Any

import numpy as np
import pytest
from dicom_writer import expected, image, normal, pixels_of, save, stack
from pydicom.dataset import Dataset

from napari_latent_explorer.errors import RecordingError
from napari_latent_explorer.io.cine_dicom import read_cine_dicom
from napari_latent_explorer.io.reading import Reading, ReadOptions


def read(folder: Path, **options: Any) -> Reading:
    return read_cine_dicom(folder, ReadOptions(**options))


def frames_of(reading: Reading) -> np.ndarray:
    return np.asarray(reading.recording.frames)  # type: ignore[union-attr]


def altered(images: list[Dataset], brighter: int = 0, **facts: Any) -> list[Dataset]:
    """Write other facts, other image UIDs and a brighter signal into images."""
    changed = []
    for one in images:
        position = np.array(one.ImagePositionPatient, dtype=float)
        pixels = np.frombuffer(one.PixelData, np.uint16).reshape(one.Rows, one.Columns) + np.uint16(brighter)
        own = {
            name: one.get(name) for name in ("TriggerTime", "NominalInterval", "InstanceNumber", "SeriesInstanceUID")
        }
        changed.append(image(pixels, position, **{**own, **facts}))
    return changed


def test_series_of_single_slices_are_one_stack(tmp_path: Path) -> None:
    save(tmp_path, reversed(stack(5, is_series_per_slice=True)))
    reading = read(tmp_path)
    np.testing.assert_array_equal(frames_of(reading), expected(5))
    assert reading.recording.spacing_mm[0] == pytest.approx(10.0, abs=1e-5)  # type: ignore[union-attr]
    assert len(reading.outcomes) == 20
    assert all(outcome.is_used for outcome in reading.outcomes)


@pytest.mark.parametrize(
    "facts",
    [{"StudyInstanceUID": "1.7"}, {"FrameOfReferenceUID": "1.7"}, {"PixelSpacing": [2.5, 1.5]}],
    ids=["study", "frame of reference", "spacing"],
)
def test_slices_of_something_else_are_not_pooled(tmp_path: Path, facts: dict[str, Any]) -> None:
    whole = stack(6, is_series_per_slice=True)
    save(tmp_path, [*whole[:12], *altered(whole[12:], **facts)])
    with pytest.raises(RecordingError, match="There are 2 cines"):
        read(tmp_path)


def test_two_parallel_series_are_no_stack(tmp_path: Path) -> None:
    save(tmp_path, stack(2, is_series_per_slice=True))
    with pytest.raises(RecordingError, match="There are 2 cines"):
        read(tmp_path)


def test_series_at_nearly_the_same_place_are_no_stack(tmp_path: Path) -> None:
    save(tmp_path, stack(3, step_mm=2.0, is_series_per_slice=True))
    with pytest.raises(RecordingError, match="There are 3 cines"):
        read(tmp_path)


@pytest.mark.parametrize("order", ["repetition first", "repetition last"])
def test_the_latest_of_repeated_acquisitions_is_used_and_noted(tmp_path: Path, order: str) -> None:
    first = stack(4, is_series_per_slice=True, AcquisitionDate="20200101", AcquisitionTime="101500")
    again = altered(first[4:8], 7, AcquisitionDate="20200101", AcquisitionTime="102000", SeriesInstanceUID="1.2.77")
    save(tmp_path, again + first if order == "repetition first" else first + again)
    reading = read(tmp_path)
    wanted = expected(4)
    wanted[:, 1] += 7
    np.testing.assert_array_equal(frames_of(reading), wanted)
    assert any("was taken 2 times; series 1.2.77" in note and "then the latest" in note for note in reading.notes)
    unused = [outcome for outcome in reading.outcomes if not outcome.is_used]
    assert len(unused) == 4
    assert all("a repeated acquisition" in outcome.reason for outcome in unused)


def test_a_repetition_that_was_broken_off_does_not_replace_the_whole_one(tmp_path: Path) -> None:
    first = stack(4, is_series_per_slice=True, AcquisitionTime="101500")
    again = altered(first[4:7], 7, AcquisitionTime="102000", SeriesInstanceUID="1.2.77")
    save(tmp_path, first + again)
    np.testing.assert_array_equal(frames_of(read(tmp_path)), expected(4))


def test_what_was_computed_does_not_replace_what_was_measured(tmp_path: Path) -> None:
    measured = stack(4, is_series_per_slice=True, AcquisitionTime="101500")
    facts = {"ImageType": ["DERIVED", "SECONDARY", "M"], "SeriesInstanceUID": "1.2.88", "AcquisitionTime": "110000"}
    save(tmp_path, measured)
    save(tmp_path, altered(measured, 7, SeriesDescription="cine_segmented_sax_inlinevf", **facts), "derived")
    reading = read(tmp_path)
    np.testing.assert_array_equal(frames_of(reading), expected(4))
    assert any("not series 1.2.88 (cine_segmented_sax_inlinevf)" in note for note in reading.notes)
    assert sum(outcome.is_used for outcome in reading.outcomes) == 16
    assert len(reading.outcomes) == 32


def test_a_copied_stack_of_fewer_slices_is_not_used(tmp_path: Path) -> None:
    whole = stack(5, is_series_per_slice=True)
    save(tmp_path, whole)
    save(tmp_path, altered(whole[4:16], 7, SeriesInstanceUID="1.2.88"), "part")
    np.testing.assert_array_equal(frames_of(read(tmp_path)), expected(5))


def test_a_slice_between_the_others_is_left_out_of_the_stack(tmp_path: Path) -> None:
    between = np.array([10.0, 20.0, 30.0]) + normal() * 25.0
    extra = [
        image(pixels_of(9, k), between, SeriesInstanceUID="1.2.99", TriggerTime=200 * k, NominalInterval=800)
        for k in range(4)
    ]
    save(tmp_path, [*stack(5, is_series_per_slice=True), *extra])
    with pytest.raises(RecordingError, match="There are 2 cines"):
        read(tmp_path)
    reading = read(tmp_path, imaging_plane="sa")
    np.testing.assert_array_equal(frames_of(reading), expected(5))
    assert any("lies off the even steps of the stack" in note for note in reading.notes)


def test_a_missing_slice_refuses_the_stack_with_the_positions(tmp_path: Path) -> None:
    images = stack(6, is_series_per_slice=True)
    save(tmp_path, images[:8] + images[12:])
    with pytest.raises(RecordingError, match=r"do not lie at even steps: \[0.0, 10.0, 30.0, 40.0, 50.0\] mm"):
        read(tmp_path)


def test_one_of_the_pooled_series_can_be_asked_for(tmp_path: Path) -> None:
    save(tmp_path, stack(5, is_series_per_slice=True))
    reading = read(tmp_path, series="1.2.12")
    np.testing.assert_array_equal(frames_of(reading)[:, 0], expected(5)[:, 2])
    assert frames_of(reading).shape[1] == 1
    assert sum(outcome.is_used for outcome in reading.outcomes) == 4


def test_repetitions_within_one_series_are_told_apart_by_their_number(tmp_path: Path) -> None:
    first = stack(3, AcquisitionNumber=1)
    again = altered(first[:4], 7, AcquisitionNumber=2, AcquisitionTime="102000")
    save(tmp_path, first + again)
    wanted = expected(3)
    wanted[:, 0] += 7
    np.testing.assert_array_equal(frames_of(read(tmp_path)), wanted)
