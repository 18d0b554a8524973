from pathlib import Path

import pytest
from ukb_writer import people, write_people

from napari_latent_explorer.building.inspection import inspect_path


def test_every_real_recording_has_the_numbers_of_its_documentation(realdata: Path) -> None:
    found = [(one.path.relative_to(realdata).as_posix(), one.text) for one in inspect_path(realdata) if one.is_read]
    for path, numbers in (
        ("cine/siemens_4ch", "25 frames x 1 slices of 208 x 256 pixels (uint16), 1.406 x 1.406 mm"),
        ("cine/siemens_4ch", "0 to 841 ms of 876 ms, plane la_4ch"),
        ("cine/sunnybrook_sax/SCD0000101", "20 frames x 12 slices of 256 x 256 pixels"),
        ("cine/sunnybrook_sax/SCD0000101", "10 mm between slices"),
        ("ecg/ptb_s0010_re/s0010_re.hea", "15 leads (I II III aVR aVL aVF V1 V2 V3 V4 V5 V6 X Y Z) x 38400 samples"),
        ("ecg/ptbxl_00001_lr/00001_lr.hea", "x 1000 samples at 100 Hz"),
        ("ecg/cinc2021/HR06000.hea", "x 5000 samples at 500 Hz"),
        ("ecg/dicom/anonymous_ecg.dcm", "rhythm, 12 leads (I II III aVR aVL aVF V1 V2 V3 V4 V5 V6) x 10000 samples"),
        ("ecg/dicom/anonymous_ecg.dcm", "median, 12 leads (I II III aVR aVL aVF V1 V2 V3 V4 V5 V6) x 1200 samples"),
        ("ecg/hl7_aecg/Example.xml", "x 5000 samples at 500 Hz"),
        ("ecg/ge_muse/musePHI_ecg1.xml", "median, 12 leads (I II III aVR aVL aVF V1 V2 V3 V4 V5 V6) x 600 samples"),
    ):
        assert any(where == path and numbers in text for where, text in found), (path, numbers)
    refused = {one.path.name for one in inspect_path(realdata / "cine") if not one.is_read}
    assert refused == {"SCD0000101_scout"}


@pytest.mark.parametrize("is_folder", [False, True])
def test_each_cine_of_an_archive_has_its_line(tmp_path: Path, is_folder: bool) -> None:
    write_people(tmp_path, people(1))
    place = tmp_path if is_folder else tmp_path / "1000001_20208_2_0.zip"
    cines = [one.text for one in inspect_path(place) if "cine" in one.text]
    assert len(cines) == 3
    assert sorted(text.rpartition("plane ")[2] for text in cines) == ["la_2ch.", "la_3ch.", "la_4ch."]
