import tracemalloc
from pathlib import Path
from xml.etree import ElementTree

import pytest

from napari_latent_explorer.errors import RecordingError
from napari_latent_explorer.io.xml_document import MAX_DEPTH, MAX_XML_BYTES, child, number_of, read_xml, xml_root_name


def written(tmp_path: Path, content: bytes) -> Path:
    path = tmp_path / "recording.xml"
    path.write_bytes(content)
    return path


def test_it_reads_what_the_standard_library_reads(realdata: Path) -> None:
    for path in (realdata / "ecg" / "ge_muse" / "musePHI_ecg1.xml", realdata / "ecg" / "hl7_aecg" / "Example.xml"):
        expected = ElementTree.parse(path).getroot()
        pairs = list(zip(read_xml(path).iter(), expected.iter(), strict=True))
        assert len(pairs) > 200
        for ours, theirs in pairs:
            assert ours.tag == theirs.tag.rpartition("}")[2]
            assert (ours.text or "").strip() == (theirs.text or "").strip()


@pytest.mark.parametrize(
    "content",
    [
        b'<?xml version="1.0" encoding="ISO8859-1"?><ecg><name>M\xfcller</name></ecg>',
        b'<?xml version="1.0" encoding="ISO-8859-1"?><ecg><name>M\xfcller</name></ecg>',
        b"<?xml version='1.0' encoding='windows-1252'?>\n<ecg><name>M\xfcller</name></ecg>\n",
        '<?xml version="1.0" encoding="utf-8"?><ecg><name>Müller</name></ecg>'.encode(),
        "<ecg><name>Müller</name></ecg>".encode("utf-8-sig"),
        '<?xml version="1.0" encoding="UTF-16"?><ecg><name>Müller</name></ecg>'.encode("utf-16"),
        '<?xml version="1.0" encoding="UTF-16"?><ecg><name>Müller</name></ecg>'.encode("utf-16-le"),
        '<?xml version="1.0" encoding="UTF-16"?><ecg><name>Müller</name></ecg>'.encode("utf-16-be"),
        "\n <ecg><name>Müller</name></ecg>\0\0".encode(),
        '<?xml version="1.0" encoding="UTF-16"?><ecg><name>Müller</name></ecg>'.encode(),  # a lie
        b'<?xml version="1.0" encoding="utf-8"?><ecg><name>M\xfcller</name></ecg>',  # a lie
        b'<?xml version="1.0" encoding="zlib_codec"?><ecg><name>M\xfcller</name></ecg>',  # no encoding of text
        '<?xml version="1.0" encoding="cp949"?><ecg><name>심전도</name></ecg>'.encode("cp949"),
    ],
)
def test_text_is_read_in_whatever_encoding(tmp_path: Path, content: bytes) -> None:
    path = written(tmp_path, content)
    assert xml_root_name(path) == "ecg"
    name = child(read_xml(path), "name")
    assert name is not None
    assert name.text in ("Müller", "심전도")


def test_prefixes_are_taken_off_declared_or_not(tmp_path: Path) -> None:
    content = b'<hl7:AnnotatedECG xmlns:hl7="urn:x"><v:value xsi:type="PQ" v:unit="uV" unit="mV"/></hl7:AnnotatedECG>'
    root = read_xml(written(tmp_path, content))
    assert (root.tag, root[0].tag, root[0].attrib) == ("AnnotatedECG", "value", {"type": "PQ", "unit": "mV"})
    assert xml_root_name(tmp_path / "recording.xml") == "AnnotatedECG"


BILLION_LAUGHS = b"""<?xml version="1.0"?><!DOCTYPE ecg [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;">
<!ENTITY c "&b;&b;&b;&b;&b;&b;&b;&b;&b;&b;">]><ecg>&c;</ecg>"""


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "empty"),
        (b" \n\0", "empty"),
        (b"hello", "not XML"),
        (b"\x89PNG\r\n\x1a\n" + bytes(range(256)), "not XML"),
        (b"<ecg><lead></ecg>", "not XML"),
        (b"<ecg><lead>1,2,3", "not XML"),
        (b"<ecg/><ecg/>", "not XML"),
        (b"<ecg>\x01</ecg>", "not XML"),
        (b"<ecg a='1' a='2'/>", "not XML"),
        ("<ecg>é</ecg>".encode("utf-16")[:-1], "not XML"),
        ("<ecg/>".encode("utf-32"), "not XML"),
        (b"<ecg>&nbsp;</ecg>", "not XML"),
        (BILLION_LAUGHS, "document type"),
        (b'<!DOCTYPE ecg [<!ENTITY x SYSTEM "file:///etc/passwd">]><ecg>&x;</ecg>', "document type"),
        (b'<!DOCTYPE ecg SYSTEM "http://127.0.0.1:9/x.dtd"><ecg/>', "document type"),
        (b'<!DOCTYPE RestingECG SYSTEM "restecg.dtd" [<!ENTITY x "y">]><RestingECG>&x;</RestingECG>', "document type"),
        (b'<!DOCTYPE RestingECG SYSTEM "restecg.dtd"><RestingECG>&x;</RestingECG>', "entities"),
        (b"<a>" * (MAX_DEPTH + 1) + b"</a>" * (MAX_DEPTH + 1), "deep"),
        (b"<a>" * 1_000_000, "elements"),
        (b"<ecg " + b"".join(b"a%d='' " % number for number in range(700_000)) + b"/>", "attributes"),
    ],
    ids=lambda value: value if isinstance(value, str) else None,
)
def test_what_is_hostile_or_broken_ends_in_one_error_that_names_the_file(
    tmp_path: Path, content: bytes, reason: str
) -> None:
    with pytest.raises(RecordingError, match=r"recording\.xml") as refusal:
        read_xml(written(tmp_path, content))
    assert reason in str(refusal.value)


def test_the_document_type_of_muse_is_passed_over(tmp_path: Path) -> None:
    root = read_xml(written(tmp_path, b'<!DOCTYPE RestingECG SYSTEM "RestECG.dtd">\n<RestingECG><a>1</a></RestingECG>'))
    assert root.findtext("a") == "1"


def test_a_file_that_is_too_large_is_refused_before_it_is_read(tmp_path: Path) -> None:
    path = tmp_path / "recording.xml"
    with path.open("wb") as stream:
        stream.write(b"<ecg>")
        stream.truncate(MAX_XML_BYTES + 1)
    tracemalloc.start()
    try:
        with pytest.raises(RecordingError, match=str(MAX_XML_BYTES)):
            read_xml(path)
        assert tracemalloc.get_traced_memory()[1] < 1_000_000
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize(
    ("content", "name"),
    [
        (
            b"<?xml version='1.0'?><!-- <no/> --><?style x?>\n<!DOCTYPE RestingECG SYSTEM 'restecg.dtd'>\n<RestingECG>",
            "RestingECG",
        ),
        (b"<!DOCTYPE ecg [<!ENTITY x 'y'>]><ecg>", "ecg"),
        (b"<ecg", None),
        (b"<ecg/>", "ecg"),
        (b"hello <ecg>", None),
        (b"", None),
        (b"<!--" + b"x" * 100_000 + b"--><ecg>", None),
    ],
)
def test_the_root_is_named_from_the_first_bytes_alone(tmp_path: Path, content: bytes, name: str | None) -> None:
    assert xml_root_name(written(tmp_path, content)) == name


@pytest.mark.parametrize("path", ["", "/no/such/file", "a\0b", "x" * 5000, "."])
def test_looking_never_raises(path: str) -> None:
    assert xml_root_name(Path(path)) is None
    with pytest.raises(RecordingError):
        read_xml(Path(path))


@pytest.mark.parametrize(
    ("text", "number"),
    [("4.88", 4.88), ("4,88", 4.88), (" -5 ", -5.0), ("2e-3", 0.002), (".5", 0.5), ("5.", 5.0), ("1e15", 1e15)],
)
def test_numbers_are_read_with_point_or_comma(text: str, number: float) -> None:
    assert number_of(text) == number


@pytest.mark.parametrize(
    "text", [None, "", "nan", "inf", "1e400", "1e16", "0x10", "1_0", "5 uV", "1,000.5", "\u0663", "1" * 50_000 + "x"]
)
def test_what_is_no_number_is_none(text: str | None) -> None:
    assert number_of(text) is None
