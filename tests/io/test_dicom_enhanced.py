from pathlib import Path
from typing import Any

import numpy as np
import pytest
from dicom_writer import content, enhanced, expected, group, normal, pixels_of, save, stack
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence

from napari_latent_explorer.data.cine import CineMRI
from napari_latent_explorer.errors import RecordingError
from napari_latent_explorer.io.cine_dicom import read_cine_dicom
from napari_latent_explorer.io.reading import Reading


def cine_of(reading: Reading) -> CineMRI:
    assert isinstance(reading.recording, CineMRI)
    return reading.recording


def test_frames_in_any_order_are_placed_by_their_groups(tmp_path: Path) -> None:
    images = stack(3, 5)
    order = np.random.default_rng(0).permutation(len(images))
    (tmp_path / "a.dcm").write_bytes(content(enhanced([images[index] for index in order])))
    reading = read_cine_dicom(tmp_path)
    cine = cine_of(reading)
    np.testing.assert_array_equal(cine.frames, expected(3, 5))
    np.testing.assert_allclose(cine.spacing_mm, (10.0, 2.0, 1.5), atol=1e-5)
    np.testing.assert_allclose(cine.affine @ [2, 0, 0, 1], [*(np.array([10, 20, 30]) + 20 * normal()), 1], atol=1e-5)
    (outcome,) = reading.outcomes
    assert outcome.is_used
    assert outcome.reason == "all frames of series 1.2.3 (no description)"


def test_one_enhanced_file_per_slice_is_a_stack(tmp_path: Path) -> None:
    images = stack(4, 5, is_series_per_slice=True)
    save(tmp_path, [enhanced(images[5 * index : 5 * index + 5]) for index in range(4)])
    np.testing.assert_array_equal(cine_of(read_cine_dicom(tmp_path)).frames, expected(4, 5))


def test_a_frames_own_groups_go_before_the_shared_ones(tmp_path: Path) -> None:
    images = stack(1, 3)
    whole = enhanced(images)
    whole.SharedFunctionalGroupsSequence[0].PixelValueTransformationSequence = [
        group(RescaleSlope=2, RescaleIntercept=0)
    ]
    whole.PerFrameFunctionalGroupsSequence[1].PixelValueTransformationSequence = [
        group(RescaleSlope=10, RescaleIntercept=5)
    ]
    (tmp_path / "a.dcm").write_bytes(content(whole))
    frames = cine_of(read_cine_dicom(tmp_path)).frames[:, 0]
    for frame, (slope, intercept) in enumerate([(2, 0), (10, 5), (2, 0)]):
        np.testing.assert_allclose(frames[frame], pixels_of(0, frame) * slope + intercept)


def converted(images: list[Dataset]) -> Dataset:
    """Pack as a converter does: what it could not assign stays as it was, in a sequence of its own."""
    whole = enhanced(images)
    whole.SOPClassUID = "1.2.840.10008.5.1.4.1.1.4.4"
    for frame, one in zip(whole.PerFrameFunctionalGroupsSequence, images, strict=True):
        del frame.CardiacSynchronizationSequence
        frame.UnassignedPerFrameConvertedAttributesSequence = [group(TriggerTime=one.TriggerTime)]
    whole.SharedFunctionalGroupsSequence[0].UnassignedSharedConvertedAttributesSequence = [
        group(NominalInterval=images[0].NominalInterval)
    ]
    return whole


def test_converted_files_keep_trigger_times_among_what_was_not_assigned(tmp_path: Path) -> None:
    (tmp_path / "a.dcm").write_bytes(content(converted(stack(2, 5))))
    cine = cine_of(read_cine_dicom(tmp_path))
    np.testing.assert_array_equal(cine.frames, expected(2, 5))
    np.testing.assert_allclose(cine.frame_times_ms, np.arange(5) * 160.0)
    assert cine.rr_interval_ms == 800


def test_temporal_positions_are_phases_only_where_a_heart_cycle_is_noted(tmp_path: Path) -> None:
    whole = enhanced(stack(1, 4))
    for number, frame in enumerate(whole.PerFrameFunctionalGroupsSequence):
        del frame.CardiacSynchronizationSequence
        frame.FrameContentSequence = [group(TemporalPositionIndex=number + 1)]
    (tmp_path / "a.dcm").write_bytes(content(whole))
    with pytest.raises(RecordingError, match="no trigger times, nor phases of a noted heart cycle"):
        read_cine_dicom(tmp_path)
    whole.SharedFunctionalGroupsSequence[0].CardiacSynchronizationSequence = [group(RRIntervalTimeNominal=1000.0)]
    (tmp_path / "a.dcm").write_bytes(content(whole))
    np.testing.assert_allclose(cine_of(read_cine_dicom(tmp_path)).frame_times_ms, np.arange(4) * 250.0)


def without_groups(whole: Dataset) -> None:
    del whole.PerFrameFunctionalGroupsSequence


def with_fewer_groups(whole: Dataset) -> None:
    whole.PerFrameFunctionalGroupsSequence = Sequence(list(whole.PerFrameFunctionalGroupsSequence)[:-1])


def without_a_position(whole: Dataset) -> None:
    del whole.PerFrameFunctionalGroupsSequence[3].PlanePositionSequence


def with_too_few_pixels(whole: Dataset) -> None:
    whole.PixelData = whole.PixelData[:-2]


@pytest.mark.parametrize(
    ("damage", "found"),
    [
        (without_groups, "8 frames and does not describe them"),
        (with_fewer_groups, "claims 8 frames and describes 7"),
        (without_a_position, "lacks ImagePositionPatient"),
        (with_too_few_pixels, "190 of 192 bytes of pixels"),
    ],
)
def test_damage_is_named(tmp_path: Path, damage: Any, found: str) -> None:
    whole = enhanced(stack(2, 4))
    damage(whole)
    (tmp_path / "a.dcm").write_bytes(content(whole))
    with pytest.raises(RecordingError, match=rf"a\.dcm.*{found}"):
        read_cine_dicom(tmp_path)
