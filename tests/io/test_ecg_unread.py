from pathlib import Path

import pytest

from napari_latent_explorer.errors import RecordingError
from napari_latent_explorer.io.ecg_unread import is_unread_ecg, refuse_unread_ecg

SCP_HEAD = bytes.fromhex("6b06 60850000 da55 0000 88000000 14 14") + b"SCPECG" + bytes(100)
"""Record checksum and length, then checksum, number 0, length, versions and mark of section 0 (EN 1064, 5.2-5.3)."""
EDF_HEAD = (
    f"{'0':8}{'X X X X':80}{'Startdate X':80}01.01.0110.00.00{'768':8}{'EDF+C':44}{'10':8}{'1':8}{'2':4}"
).encode()


@pytest.mark.parametrize(
    ("content", "name", "advice"),
    [
        (SCP_HEAD, r"SCP-ECG \(EN 1064\)", "DICOM, HL7 aECG"),
        (EDF_HEAD, "EDF", "edf2mit"),
        (b"\xffBIOSEMI" + EDF_HEAD[8:], "BDF", "WFDB"),
        (b"ISHNE1.0" + bytes(600), "ISHNE Holter", "at rest is needed"),
        (b"@\x20MFR Standard 12 leads ECG        ", "MFER", "DICOM, HL7 aECG"),
        (b"GDF 2.20" + bytes(300), "GDF", "WFDB"),
    ],
)
def test_other_ecgs_are_named_with_a_way_out(tmp_path: Path, content: bytes, name: str, advice: str) -> None:
    path = tmp_path / "a.bin"
    path.write_bytes(content)
    assert is_unread_ecg(path)
    with pytest.raises(RecordingError, match=rf"a\.bin: it is {name}.*, which is not read\. Export it .*{advice}"):
        refuse_unread_ecg(path)


def test_the_header_of_edf_is_as_long_as_its_specification_says() -> None:
    assert len(EDF_HEAD) == 256


@pytest.mark.parametrize("content", [b"", b"0", b"0       " + b"x" * 400, b"SCPECG", bytes(300), b"MFR "])
def test_other_files_are_not_taken_for_one(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "a.bin"
    path.write_bytes(content)
    for place in (path, tmp_path, tmp_path / "none", Path("\0"), Path("y" * 5000)):
        assert not is_unread_ecg(place)
        with pytest.raises(RecordingError):
            refuse_unread_ecg(place)
