import os
import zipfile
from pathlib import Path

import pytest

from napari_latent_explorer.data.cine import CineMRI
from napari_latent_explorer.data.ecg import ECG
from napari_latent_explorer.errors import RecordingError
from napari_latent_explorer.io.formats import FORMATS, RecordingFormat, read_place, read_recording, recognise
from napari_latent_explorer.io.reading import Reading, ReadOptions


@pytest.mark.parametrize("name", ["scan.dcm", "scan.hea", "scan.mat", "scan.dat", "scan.xml", "scan", "scan.nii.gz"])
@pytest.mark.parametrize(
    "content", [b"", b"hello\n", b"\x89PNG\r\n" + bytes(400), b"\0" * 128 + b"DICM", bytes(range(256)) * 8]
)
def test_whatever_is_in_a_file_looking_never_raises_and_reading_explains(
    tmp_path: Path, name: str, content: bytes
) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    recognise(path)
    recognise(tmp_path)
    for place in (path, tmp_path):
        with pytest.raises(RecordingError, match="scan|" + tmp_path.name):
            read_recording(place)


@pytest.mark.parametrize("path", ["", "/no/such/file", "a\0b", "x" * 5000])
def test_what_is_not_there_is_not_recognised(path: str) -> None:
    assert recognise(path) is None or path == ""
    with pytest.raises(RecordingError):
        read_recording(path or "/no/such/folder")


def test_an_unknown_file_names_what_is_read(tmp_path: Path) -> None:
    (tmp_path / "x.txt").write_text("x")
    with pytest.raises(RecordingError, match=r"DICOM cine MRI .*WFDB ECG"):
        read_recording(tmp_path / "x.txt")
    assert {entry.modality for entry in FORMATS} == {"mri", "ecg"}


def test_real_recordings_are_recognised_by_what_they_are(realdata: Path) -> None:
    cine, ecg = realdata / "cine" / "siemens_4ch", realdata / "ecg" / "ptb_s0010_re"
    known = {path: recognise(path) for path in (cine, cine / "frame_01.dcm", ecg, ecg / "s0010_re.hea")}
    assert [entry.name for entry in known.values() if entry] == ["DICOM cine MRI"] * 2 + ["WFDB ECG"] * 2
    assert isinstance(read_recording(cine), CineMRI)
    assert isinstance(read_recording(ecg / "s0010_re.dat"), ECG)


def test_a_damaged_archive_is_called_damaged_not_unknown(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr("1.dcm", b"\0" * 128 + b"DICM" + bytes(500))
    whole = (tmp_path / "a.zip").read_bytes()
    (tmp_path / "a.zip").write_bytes(whole[:-30])
    with pytest.raises(RecordingError, match=r"a\.zip is damaged"):
        read_recording(tmp_path / "a.zip")


@pytest.mark.parametrize("root", ["ECG", "Sapphire", "SchillerEDI", "ClinicalDocument", "MortaraEcg"])
def test_an_xml_that_is_not_read_is_named_by_its_root(tmp_path: Path, root: str) -> None:
    (tmp_path / "x.xml").write_text(f'<?xml version="1.0"?><!-- CardiologyXML --><{root} a="RestingECG"><x/></{root}>')
    with pytest.raises(RecordingError, match=rf"x\.xml: it is an XML document of root {root}, and no ECG that is read"):
        read_recording(tmp_path / "x.xml")


def test_real_xml_is_recognised_by_its_root(realdata: Path) -> None:
    files = (
        "philips/129DYPRG.XML",
        "philips/2020-5-18_15-48-11.xml",
        "ge_muse/musePHI_ecg1.xml",
        "hl7_aecg/Example.xml",
    )
    known = [recognise(realdata / "ecg" / name) for name in files]
    assert [entry.name for entry in known if entry] == ["Philips ECG", "Philips ECG", "GE MUSE ECG", "HL7 aECG"]


@pytest.mark.parametrize("is_written", [True, False])
def test_a_reader_that_a_writer_surprises_says_so_and_other_surprises_stay(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, is_written: bool
) -> None:
    file = tmp_path / "a.ecg"
    file.write_bytes(b"whole")
    os.utime(file, (1e9, 1e9))

    def read(path: Path, options: ReadOptions) -> Reading:
        if is_written:
            path.write_bytes(b"half")
        raise IndexError("list index out of range")

    known = RecordingFormat("surprised", "ecg", ("*.ecg",), lambda path: True, read)
    monkeypatch.setattr("napari_latent_explorer.io.formats.recognise", lambda path, modality: known)
    with pytest.raises(RecordingError if is_written else IndexError, match=r"somebody wrote|out of range"):
        read_place(file)
