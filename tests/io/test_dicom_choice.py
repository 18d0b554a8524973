from pathlib import Path
from typing import Any

import numpy as np
import pytest
from dicom_writer import expected, image, pixels_of, save, stack, zipped

from napari_latent_explorer.data.cine import CineMRI
from napari_latent_explorer.errors import RecordingError
from napari_latent_explorer.io.cine_dicom import is_cine_dicom, read_cine_dicom
from napari_latent_explorer.io.dicom_series import scan
from napari_latent_explorer.io.reading import FileOutcome, Reading, ReadOptions

FOUR_CHAMBER = [0.9954, 0, 0.0958042, 0.0787602, -0.569348, -0.818315]


def read(place: Path, **options: Any) -> Reading:
    return read_cine_dicom(place, ReadOptions(**options))


def cine_of(reading: Reading) -> CineMRI:
    assert isinstance(reading.recording, CineMRI)
    return reading.recording


def single(orientation: list[float], uid: str, **facts: Any) -> list[Any]:
    return [
        image(
            pixels_of(7, frame),
            TriggerTime=100 * frame,
            NominalInterval=600,
            ImageOrientationPatient=[f"{value:.8f}" for value in orientation],
            SeriesInstanceUID=uid,
            **facts,
        )
        for frame in range(5)
    ]


def outcome_of(outcomes: tuple[FileOutcome, ...], name: str) -> FileOutcome:
    (found,) = (outcome for outcome in outcomes if Path(outcome.file).name == name)
    return found


def test_a_file_stands_for_the_cine_that_it_belongs_to(tmp_path: Path) -> None:
    save(tmp_path, stack(5, is_series_per_slice=True), "sa")
    save(tmp_path, single(FOUR_CHAMBER, "1.2.44"), "la")
    np.testing.assert_array_equal(cine_of(read(tmp_path / "sa0003.dcm")).frames, expected(5))
    assert cine_of(read(tmp_path / "la0001.dcm")).imaging_plane == "la_4ch"


def test_a_broken_file_is_refused_for_what_is_wrong_with_it(tmp_path: Path) -> None:
    save(tmp_path, stack(2))
    (tmp_path / "broken.dcm").write_bytes(b"\0" * 128 + b"DICM" + bytes(50))
    with pytest.raises(RecordingError, match=r"Cannot read .*broken\.dcm as part of a cine: .*broken\.dcm"):
        read(tmp_path / "broken.dcm")


def test_everything_beside_a_cine_is_listed_with_its_reason(tmp_path: Path) -> None:
    save(tmp_path, stack(2))
    save(tmp_path, [image(pixels_of(0, 0), SeriesInstanceUID="1.2.7", SeriesDescription="scout")], "scout")
    save(tmp_path, [image(pixels_of(0, 0), SOPClassUID="1.2.840.10008.5.1.4.1.1.88.11")], "report")
    save(tmp_path, [image(pixels_of(0, 0), SOPClassUID="1.2.840.10008.1.3.10")], "DICOMDIR")
    (tmp_path / "notes.txt").write_text("x")
    (tmp_path / "empty.IMA").write_bytes(b"")
    reading = read(tmp_path)
    outcomes = reading.outcomes
    assert len(outcomes) == 13
    assert outcome_of(outcomes, "0000.dcm") == FileOutcome(
        str(tmp_path / "0000.dcm"), True, "frame 1 of slice 1 of series 1.2.3 (no description)"
    )
    reasons = {
        "scout0000.dcm": "series 1.2.7 (scout) is no cine: no trigger times, nor phases of a noted heart cycle",
        "report0000.dcm": "a report (structured document), no MR image.",
        "DICOMDIR0000.dcm": "an index of other files (DICOMDIR), no MR image.",
        "notes.txt": "no DICOM file (1 bytes).",
        "empty.IMA": "is named like a DICOM file but is none (0 bytes). Copy or export it again.",
    }
    for name, reason in reasons.items():
        assert outcome_of(outcomes, name).reason == reason
        assert not outcome_of(outcomes, name).is_used


def test_a_copied_file_is_passed_over(tmp_path: Path) -> None:
    save(tmp_path, stack(2))
    (tmp_path / "copy.dcm").write_bytes((tmp_path / "0002.dcm").read_bytes())
    reading = read(tmp_path)
    np.testing.assert_array_equal(cine_of(reading).frames, expected(2))
    assert outcome_of(reading.outcomes, "copy.dcm").reason == f"a copy of {tmp_path / '0002.dcm'}"


def test_a_damaged_file_that_may_be_the_missing_frame_refuses_the_cine(tmp_path: Path) -> None:
    images = stack(1, 6, CardiacNumberOfImages=None)
    save(tmp_path, images[:-1])
    (tmp_path / "last.dcm").write_bytes(b"")
    with pytest.raises(RecordingError, match=r"Frames are missing.*1 files beside it, perhaps of it, .*last\.dcm"):
        read(tmp_path)


def test_a_damaged_file_beside_a_cine_that_is_surely_whole_does_not(tmp_path: Path) -> None:
    save(tmp_path, stack(1, 6))
    (tmp_path / "other.dcm").write_bytes(b"")
    reading = read(tmp_path)
    np.testing.assert_array_equal(cine_of(reading).frames, expected(1, 6))
    assert not outcome_of(reading.outcomes, "other.dcm").is_used


def test_the_plane_that_is_wished_for_is_not_made_up(tmp_path: Path) -> None:
    save(tmp_path, stack(3))
    with pytest.raises(RecordingError, match=r"no cine of plane la_4ch in [\s\S]*plane sa, cine"):
        read(tmp_path, imaging_plane="la_4ch")
    assert cine_of(read(tmp_path, assumed_plane="la_4ch")).imaging_plane == "la_4ch"


def test_related_places_tell_planes_apart_and_their_damage_does_not_matter(tmp_path: Path) -> None:
    between = turned_between_planes()
    save(tmp_path / "long", single(between, "1.2.44"))
    assert cine_of(read(tmp_path / "long")).imaging_plane == "unknown"
    sa = zipped(tmp_path / "sa.zip", stack(3, is_series_per_slice=True), {"notes.txt": b"x", "bad.dcm": b"\0" * 200})
    (tmp_path / "broken.zip").write_bytes(b"PK\3\4")
    related = (sa, tmp_path / "broken.zip", tmp_path / "nowhere")
    assert cine_of(read(tmp_path / "long", related=related)).imaging_plane == "la_4ch"


def turned_between_planes() -> list[float]:
    """A plane through the long axis of `stack`, turned so that it could be one plane in one heart, one in another."""
    h = -np.cross(*np.array(stack(1)[0].ImageOrientationPatient, dtype=float).reshape(2, 3))
    e1 = np.cross(h, [0, 0, 1]) / np.linalg.norm(np.cross(h, [0, 0, 1]))
    turn = np.deg2rad(101.0)
    across = np.cos(turn) * e1 + np.sin(turn) * np.cross(h, e1)
    return [*np.cross(across, h), *h]


def test_a_description_is_a_hint_where_geometry_leaves_the_plane_open(tmp_path: Path) -> None:
    between = turned_between_planes()
    save(tmp_path / "a", single(between, "1.2.44", SeriesDescription="cine 4ch"))
    reading = read(tmp_path / "a")
    assert cine_of(reading).imaging_plane == "la_4ch"
    assert any("is a hint by name" in note for note in reading.notes)


def test_a_description_is_not_believed_against_geometry(tmp_path: Path) -> None:
    save(tmp_path, single(FOUR_CHAMBER, "1.2.44", SeriesDescription="cine_2ch"))
    reading = read(tmp_path)
    assert cine_of(reading).imaging_plane == "la_4ch"
    assert any("described as 'cine_2ch' but lies like la_4ch" in note for note in reading.notes)


@pytest.mark.parametrize("is_list", [True, False])
def test_several_places_are_scanned_as_one(tmp_path: Path, is_list: bool) -> None:
    images = stack(4, is_series_per_slice=True)
    zipped(tmp_path / "a.zip", images[:8])
    save(tmp_path / "b", images[8:])
    found = scan([tmp_path / "a.zip", tmp_path / "b", tmp_path / "nowhere"] if is_list else tmp_path)
    assert len(found.series) == 4
    assert len(found.others) == int(is_list)


def test_a_scan_of_nothing_says_so(tmp_path: Path) -> None:
    with pytest.raises(RecordingError, match="There is no file or folder"):
        scan([tmp_path / "nowhere", tmp_path / "neither"])
    assert scan(tmp_path).series == ()


def test_a_refused_archive_in_a_folder_does_not_hide_the_cine_beside_it(tmp_path: Path) -> None:
    save(tmp_path, stack(2))
    (tmp_path / "bad.zip").write_bytes(b"PK\x03\x04" + bytes(50))
    reading = read(tmp_path)
    np.testing.assert_array_equal(cine_of(reading).frames, expected(2))
    assert "is damaged" in outcome_of(reading.outcomes, "bad.zip").reason


@pytest.mark.parametrize("name", ["nothing", "text.txt", "folder"])
def test_what_holds_no_dicom_is_not_recognised(tmp_path: Path, name: str) -> None:
    (tmp_path / "text.txt").write_text("hello")
    (tmp_path / "folder").mkdir()
    assert not is_cine_dicom(tmp_path / name)


def test_files_are_recognised_by_content(tmp_path: Path) -> None:
    save(tmp_path / "deep" / "er", stack(1))
    assert is_cine_dicom(tmp_path)
    assert is_cine_dicom(tmp_path / "deep" / "er" / "0000.dcm")
    assert is_cine_dicom(zipped(tmp_path / "deep" / "a.zip", stack(1)))
