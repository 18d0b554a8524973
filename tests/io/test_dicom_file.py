import struct
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from dicom_writer import content, group, image
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence

from napari_latent_explorer.errors import RecordingError
from napari_latent_explorer.io.dicom_file import (
    DicomValues,
    NotDicomError,
    looks_like_dicom,
    parse_dicom,
    quiet_pydicom,
)
from napari_latent_explorer.io.source_file import SourceFile

FILE = SourceFile(Path("folder/a.dcm"))
LITTLE, IMPLICIT, BIG = "1.2.840.10008.1.2.1", "1.2.840.10008.1.2", "1.2.840.10008.1.2.2"
DEFLATED = "1.2.840.10008.1.2.1.99"


def parsed(whole: bytes) -> DicomValues:
    with quiet_pydicom():
        return parse_dicom(FILE, whole)


def dataset(**facts: Any) -> Dataset:
    return image(np.zeros((2, 2), np.uint16), **facts)


@pytest.mark.parametrize("syntax", [LITTLE, IMPLICIT, BIG, DEFLATED])
@pytest.mark.parametrize("has_meta", [True, False])
def test_values_are_the_same_however_they_are_written(syntax: str, has_meta: bool) -> None:
    if syntax == DEFLATED and not has_meta:
        pytest.skip("a deflated dataset says so in its meta information")
    facts = {"TriggerTime": "12.5 ", "RRIntervalTimeNominal": 801.25, "InstanceNumber": 7, "PixelSpacing": [1.5, 2.25]}
    values = parsed(content(dataset(**facts), syntax, has_meta))
    assert (values.number("TriggerTime"), values.number("RRIntervalTimeNominal")) == (12.5, 801.25)
    assert (values.integer("InstanceNumber"), values.integer("Rows")) == (7, 2)
    assert values.numbers("PixelSpacing") == (1.5, 2.25)
    assert values.text("SOPClassUID") == "1.2.840.10008.5.1.4.1.1.4"
    assert values.pixels() == ("PixelData", bytes(8))
    assert values.transfer_syntax == syntax


def test_what_is_not_there_is_empty() -> None:
    values = parsed(content(dataset(TriggerTime="")))
    assert values.text("SeriesDescription") == values.described("SeriesDescription") == ""
    assert values.number("TriggerTime") is values.number("HeartRate") is None
    assert values.items("SharedFunctionalGroupsSequence") == ()


def test_values_that_break_the_rules_of_spelling_are_taken_as_spelt() -> None:
    values = parsed(content(dataset()).replace(b"1.2.3\0", b"01.002"))
    assert values.text("SeriesInstanceUID") == "01.002"


@pytest.mark.parametrize(
    ("character_set", "written"),
    [
        ("ISO_IR 100", "K\u00f6rper".encode("latin-1")),
        ("ISO_IR 192", "K\u00f6rper".encode()),
        ("nonsense", b"K\xf6rper"),
    ],
)
def test_descriptions_are_read_in_their_own_character_set(character_set: str, written: bytes) -> None:
    whole = content(dataset(SeriesDescription="PLACEHOLDER"[: len(written)], SpecificCharacterSet="ISO_IR 100"))
    placeholder = "PLACEHOLDER"[: len(written)].encode()
    whole = whole.replace(placeholder, written).replace(b"ISO_IR 100", character_set.ljust(10).encode())
    assert parsed(whole).described("SeriesDescription") == "K\u00f6rper"


def test_a_layer_hides_those_below_it() -> None:
    whole = dataset(SliceThickness=8)
    item = Dataset()
    item.PixelMeasuresSequence = [group(SliceThickness=3)]
    whole.SharedFunctionalGroupsSequence = Sequence([item])
    values = parsed(content(whole))
    (shared,) = values.items("SharedFunctionalGroupsSequence")
    (measures,) = shared.items("PixelMeasuresSequence")
    assert measures.over(values).number("SliceThickness") == 3
    assert measures.over(values).integer("Rows") == 2
    assert values.number("SliceThickness") == 8


@pytest.mark.parametrize(
    ("head", "is_dicom"),
    [
        (b"\0" * 128 + b"DICM", True),
        (b"\x08\0\x05\0CS\x0a\0ISO_IR 100", True),
        (b"\x08\0\x00\0\x04\0\0\0\x10\0\0\0\x08\0\x05\0", True),
        (b"\0\x08\0\x05CS\0\x0aISO_IR 100", True),
        (b"\x08\0\x05\0\xff\xff\xff\xff" + bytes(20), False),
        (b"<?xml version='1.0'?>", False),
        (b"PK\x03\x04" + bytes(200), False),
        (bytes(300), False),
        (b"", False),
    ],
)
def test_files_are_known_by_their_first_bytes(head: bytes, is_dicom: bool) -> None:
    assert looks_like_dicom(head) == is_dicom


def test_what_is_no_dicom_is_said_to_be_none() -> None:
    with pytest.raises(NotDicomError, match=r"a\.dcm is no DICOM file \(5 bytes\)"):
        parsed(b"hello")


def test_a_file_that_ends_within_a_value_is_cut_off() -> None:
    whole = content(dataset(SeriesDescription="a long description"))
    values = parsed(whole[: whole.index(b"long")])
    with pytest.raises(RecordingError, match=r"a\.dcm is cut off within \(0008,103E\)"):
        values.refuse_cut_off()
    parsed(whole).refuse_cut_off()


def test_a_deflated_bomb_is_refused_without_being_inflated() -> None:
    whole = content(dataset(), DEFLATED)
    n_meta = struct.unpack("<L", whole[140:144])[0]
    packing = zlib.compressobj(9, wbits=-zlib.MAX_WBITS)
    bomb = b"".join(packing.compress(bytes(1 << 20)) for _ in range(300)) + packing.flush()
    with pytest.raises(RecordingError, match="would inflate to more than"):
        parsed(whole[: 144 + n_meta] + bomb)


@pytest.mark.parametrize("depth", [50, 20_000])
def test_sequences_in_sequences_without_end_are_read_or_refused(depth: int) -> None:
    item = struct.pack("<HH2sHLHHL", 0x0008, 0x1140, b"SQ", 0, 0xFFFFFFFF, 0xFFFE, 0xE000, 0xFFFFFFFF)
    whole = content(dataset())
    at = whole.index(struct.pack("<HH2s", 0x0018, 0x0050, b"DS"))
    nested = whole[:at] + item * depth + whole[at:]
    try:
        assert parsed(nested).text("SOPClassUID")
    except RecordingError as refusal:
        assert "a.dcm" in str(refusal)  # noqa: PT017
