import re
from collections import defaultdict
from pathlib import Path
from typing import Any

import numpy as np
import pydicom
import pytest
from numpy.typing import NDArray
from pydicom.dataset import FileDataset, FileMetaDataset

from napari_latent_explorer.data.cine import CineMRI
from napari_latent_explorer.errors import RecordingError
from napari_latent_explorer.io.cine_dicom import read_cine_dicom
from napari_latent_explorer.io.dicom_series import scan
from napari_latent_explorer.io.reading import ReadOptions

ROW_DIRECTION = np.array([1.0, 0.0, 0.0])
COLUMN_DIRECTION = np.array([0.0, 0.6, -0.8])
NORMAL = np.cross(ROW_DIRECTION, COLUMN_DIRECTION)


def write_image(path: Path, pixels: NDArray[np.uint16], position_mm: NDArray[np.float64], **facts: Any) -> None:
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID = pydicom.uid.MRImageStorage
    meta.MediaStorageSOPInstanceUID = pydicom.uid.generate_uid()
    meta.TransferSyntaxUID = pydicom.uid.ExplicitVRLittleEndian
    dataset = FileDataset(str(path), {}, file_meta=meta, preamble=b"\0" * 128)
    dataset.SOPClassUID, dataset.SOPInstanceUID = meta.MediaStorageSOPClassUID, meta.MediaStorageSOPInstanceUID
    dataset.Rows, dataset.Columns = pixels.shape
    dataset.SamplesPerPixel, dataset.PhotometricInterpretation = 1, "MONOCHROME2"
    dataset.BitsAllocated, dataset.BitsStored, dataset.HighBit, dataset.PixelRepresentation = 16, 16, 15, 0
    dataset.PixelData = pixels.tobytes()
    dataset.ImagePositionPatient = [f"{value:.6f}" for value in position_mm]
    dataset.ImageOrientationPatient = [*ROW_DIRECTION.tolist(), *COLUMN_DIRECTION.tolist()]
    dataset.PixelSpacing, dataset.SliceThickness = [2.0, 1.5], 8
    dataset.SeriesInstanceUID = "1.2.3"
    for name, value in facts.items():
        setattr(dataset, name, value)
    dataset.save_as(path, enforce_file_format=True)


def cine_at(place: Path, **options: Any) -> CineMRI:
    cine = read_cine_dicom(place, ReadOptions(**options)).recording
    assert isinstance(cine, CineMRI)
    return cine


def pixels_of(slice_index: int, frame: int) -> NDArray[np.uint16]:
    return np.full((3, 4), 100 * slice_index + frame, dtype=np.uint16) + np.arange(4, dtype=np.uint16) * 1000


def write_stack(folder: Path, n_slices: int = 3, n_frames: int = 4, **facts: Any) -> None:
    """Files in random order of name; each slice has its own heart rate; the slice location lies."""
    names = iter(np.random.default_rng(0).permutation(n_slices * n_frames))
    folder.mkdir(exist_ok=True)
    for index in range(n_slices):
        for frame in range(n_frames):
            write_image(
                folder / f"{next(names)}.dcm",
                pixels_of(index, frame),
                np.array([10.0, 20.0, 30.0]) + NORMAL * 10.0 * index,
                TriggerTime=(0.5 + frame) * (200 + index),
                SliceLocation=-6.7 * index,
                **{"NominalInterval": 800 + 4 * index, **facts},
            )


def test_slices_and_frames_are_placed_by_geometry_and_trigger_time(tmp_path: Path) -> None:
    write_stack(tmp_path)
    cine = cine_at(tmp_path)
    expected = np.array([[pixels_of(index, frame) for index in range(3)] for frame in range(4)])
    np.testing.assert_array_equal(cine.frames, expected)
    assert cine.frames.dtype == np.uint16
    assert cine.rr_interval_ms == 804
    np.testing.assert_allclose(cine.frame_times_ms, (0.5 + np.arange(4)) * 201)
    np.testing.assert_allclose(cine.spacing_mm, (10.0, 2.0, 1.5), atol=1e-5)


def test_the_affine_takes_an_index_to_patient_millimetres(tmp_path: Path) -> None:
    write_stack(tmp_path)
    point = cine_at(tmp_path).affine @ [2, 1, 3, 1]
    expected = np.array([10, 20, 30]) + 2 * 10 * NORMAL + 1 * 2.0 * COLUMN_DIRECTION + 3 * 1.5 * ROW_DIRECTION
    np.testing.assert_allclose(point[:3], expected, atol=1e-5)


def test_rescale_is_applied(tmp_path: Path) -> None:
    write_stack(tmp_path, 1, RescaleSlope="2.5", RescaleIntercept="-10")
    cine = cine_at(tmp_path)
    assert cine.frames.dtype == np.float32
    np.testing.assert_allclose(cine.frames[2, 0], pixels_of(0, 2) * 2.5 - 10)


def test_without_a_noted_interval_the_cycle_follows_from_the_trigger_times(tmp_path: Path) -> None:
    write_stack(tmp_path, 1, NominalInterval=None)
    assert cine_at(tmp_path).rr_interval_ms == pytest.approx(800)
    write_stack(tmp_path, 1, NominalInterval=None, HeartRate=60)
    assert cine_at(tmp_path).rr_interval_ms == pytest.approx(1000)


def test_several_cines_are_listed_and_one_can_be_chosen(tmp_path: Path) -> None:
    write_stack(tmp_path / "a", 1, SeriesDescription="2CH")
    write_stack(tmp_path / "b", 2, SeriesInstanceUID="1.2.4", SeriesDescription="SAX")
    with pytest.raises(RecordingError, match=r"There are 2 cines[\s\S]*1\.2\.3 \(2CH: 4 images[\s\S]*1\.2\.4 \(SAX"):
        read_cine_dicom(tmp_path)
    assert cine_at(tmp_path, series="1.2.4").frames.shape[1] == 2
    assert cine_at(tmp_path, series="2CH").frames.shape[1] == 1
    assert cine_at(tmp_path / "b" / "0.dcm").frames.shape[1] == 2
    with pytest.raises(RecordingError, match="no cine 'other'"):
        cine_at(tmp_path, series="other")


def test_one_series_with_two_orientations_is_two_cines(tmp_path: Path) -> None:
    write_stack(tmp_path / "a", 1)
    write_stack(tmp_path / "b", 1, ImageOrientationPatient=[0, 1, 0, 0, 0, -1])
    assert [series.key for series in scan(tmp_path).series] == ["1.2.3#1", "1.2.3#2"]
    assert cine_at(tmp_path, series="1.2.3#2").affine[:3, 2].tolist() == [0, 1.5, 0]


def test_the_plane_can_be_overruled(tmp_path: Path) -> None:
    write_stack(tmp_path, 1)
    assert cine_at(tmp_path, assumed_plane="la_2ch").imaging_plane == "la_2ch"


def remove_one(folder: Path) -> None:
    next(iter(sorted(folder.glob("*.dcm")))).unlink()


def repeat_one(folder: Path) -> None:
    dataset = pydicom.dcmread(folder / "0.dcm")
    dataset.SOPInstanceUID = dataset.file_meta.MediaStorageSOPInstanceUID = pydicom.uid.generate_uid()
    dataset.save_as(folder / "again.dcm")


def move_one_slice(folder: Path) -> None:
    for path in folder.glob("*.dcm"):
        dataset = pydicom.dcmread(path)
        if float(dataset.SliceLocation) == 0:
            dataset.ImagePositionPatient = [10, 20, 25]
            dataset.save_as(path)


def truncate_one(folder: Path) -> None:
    path = folder / "0.dcm"
    path.write_bytes(path.read_bytes()[:-10])


def truncate_header(folder: Path) -> None:
    path = folder / "0.dcm"
    path.write_bytes(path.read_bytes()[:300])


def empty_one(folder: Path) -> None:
    (folder / "0.dcm").write_bytes(b"")


def text_in_one(folder: Path) -> None:
    (folder / "0.dcm").write_text("this is no image\n" * 20)


def rubbish_in_one(folder: Path) -> None:
    (folder / "0.dcm").write_bytes(b"\0" * 128 + b"DICM" + bytes(range(256)) * 4)


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (remove_one, "different numbers of frames"),
        (repeat_one, r"(0|again)\.dcm and .*(0|again)\.dcm show the same slice at the same trigger time"),
        (move_one_slice, "do not lie at even steps"),
        (truncate_one, r"0\.dcm"),
        (truncate_header, r"0\.dcm"),
        (empty_one, r"0\.dcm is named like a DICOM file but is none \(0 bytes\)"),
        (text_in_one, r"0\.dcm is named like a DICOM file but is none"),
        (rubbish_in_one, r"0\.dcm"),
    ],
)
def test_damage_is_named(tmp_path: Path, damage: Any, message: str) -> None:
    write_stack(tmp_path)
    damage(tmp_path)
    with pytest.raises(RecordingError, match=message):
        read_cine_dicom(tmp_path)


def test_missing_and_repeated_frames_of_one_slice_are_named(tmp_path: Path) -> None:
    write_stack(tmp_path, 1, 6)
    by_time = sorted(tmp_path.glob("*.dcm"), key=lambda path: float(pydicom.dcmread(path).TriggerTime))
    repeat_one(tmp_path)
    with pytest.raises(RecordingError, match="same slice at the same trigger time"):
        read_cine_dicom(tmp_path)
    (tmp_path / "again.dcm").unlink()
    by_time[2].unlink()
    with pytest.raises(RecordingError, match=f"missing between {by_time[1]} .*{by_time[3]}"):
        read_cine_dicom(tmp_path)


@pytest.mark.parametrize("name", ["ImagePositionPatient", "PixelSpacing", "ImageOrientationPatient"])
def test_images_without_geometry_are_refused(tmp_path: Path, name: str) -> None:
    write_stack(tmp_path, **{name: None})
    with pytest.raises(RecordingError, match=f"lacks {name}"):
        read_cine_dicom(tmp_path)


def test_a_folder_without_dicom_says_so(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("x")
    with pytest.raises(RecordingError, match=r"holds no MR images \(1 files; .*notes\.txt: no DICOM file"):
        read_cine_dicom(tmp_path)
    with pytest.raises(RecordingError, match="There is no"):
        read_cine_dicom(tmp_path / "nowhere")


def test_the_four_chamber_cine_of_a_siemens_scanner(realdata: Path) -> None:
    cine = cine_at(realdata / "cine" / "siemens_4ch")
    assert cine.frames.shape == (25, 1, 208, 256)
    np.testing.assert_allclose(cine.spacing_mm, (6.0, 1.40625, 1.40625))
    assert cine.rr_interval_ms == 876
    np.testing.assert_allclose(cine.frame_times_ms[[0, -1]], [0, 840.96], atol=0.01)
    assert cine.imaging_plane == "la_4ch"


def test_the_short_axis_stack_of_a_ge_scanner_steps_along_its_normal(realdata: Path) -> None:
    cine = cine_at(realdata / "cine" / "sunnybrook_sax" / "SCD0000101")
    assert cine.frames.shape == (20, 12, 256, 256)
    np.testing.assert_allclose(cine.spacing_mm, (10.0, 1.367188, 1.367188), atol=1e-3)
    assert cine.imaging_plane == "sa"
    assert 700 < cine.rr_interval_ms < 800


def test_scouts_are_refused_and_ignored_beside_a_cine(realdata: Path) -> None:
    folder = realdata / "cine" / "sunnybrook_sax"
    with pytest.raises(RecordingError, match=r"no cine .*scouts and stills have none[\s\S]*SCOUT"):
        read_cine_dicom(folder / "SCD0000101_scout")
    assert cine_at(folder).frames.shape == (20, 12, 256, 256)


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("emri_small.dcm", "10 frames and does not describe them .*neither where they lie nor their cardiac timing"),
        ("philips_enhanced_fmri_IM-0001-9600-0001.dcm", "no cine: no trigger times, nor phases of a noted heart cycle"),
    ],
)
def test_multi_frame_files_of_brains_are_refused_for_want_of_cardiac_timing(
    realdata: Path, name: str, reason: str
) -> None:
    with pytest.raises(RecordingError, match=reason):
        read_cine_dicom(realdata / "dicom_other" / name)


def contoured_volumes_ml(folder: Path) -> dict[tuple[str, int], float]:
    """Volume within the expert's contours by kind and frame, by the geometry that the reader gives back."""
    reading = read_cine_dicom(folder / "SCD0000101")
    assert isinstance(reading.recording, CineMRI)
    slice_mm, row_mm, column_mm = reading.recording.spacing_mm
    places = {Path(outcome.file).stem: re.findall(r"\d+", outcome.reason)[:2] for outcome in reading.outcomes}
    volumes: dict[tuple[str, int], float] = defaultdict(float)
    for path in (folder / "contours_SC-HF-I-1").rglob("*contour-manual.txt"):
        _, _, number, kind, _ = path.stem.split("-")
        frame = int(places[str(int(number))][0])
        column, row = np.loadtxt(path).T
        area_px = 0.5 * abs(float(column @ np.roll(row, 1) - row @ np.roll(column, 1)))
        volumes[kind, frame] += area_px * row_mm * column_mm * slice_mm / 1000.0
    return volumes


def test_an_experts_contours_give_the_documented_volumes_through_this_geometry(realdata: Path) -> None:
    volumes = contoured_volumes_ml(realdata / "cine" / "sunnybrook_sax")
    (end_diastole,) = (frame for kind, frame in volumes if kind == "ocontour")
    (end_systole,) = (frame for kind, frame in volumes if kind == "icontour" and frame != end_diastole)
    edv_ml, esv_ml = volumes["icontour", end_diastole], volumes["icontour", end_systole]
    assert edv_ml == pytest.approx(191.3, rel=0.005)
    assert esv_ml == pytest.approx(141.3, rel=0.005)
    assert 100 * (edv_ml - esv_ml) / edv_ml == pytest.approx(26.2, rel=0.005)
    assert 1.05 * (volumes["ocontour", end_diastole] - edv_ml) == pytest.approx(116.7, rel=0.005)
