"""Zip archives made to escape, to explode or to be two things at once."""

import io
import struct
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from reading_server import ReadingServer
from seeds import dicom_stack, zipped

Maker = Callable[[], bytes]


def _with_name(name: str) -> bytes:
    files = {f"{k}.dcm": content for k, content in enumerate(dicom_stack())}
    return zipped({**files, name: b"x"})


def _nested(levels: int = 6) -> bytes:
    content = bytes(10_000_000)
    for _ in range(levels):
        content = zipped({f"{k}.zip": content for k in range(10)})
    return content


def _one_member(n_bytes: int) -> bytes:
    return zipped({"0.dcm": b"\0" * 128 + b"DICM" + bytes(n_bytes)})


def _overlapping(n_members: int = 300) -> bytes:
    """One deflated member, named `n_members` times by the central directory."""
    whole = zipped({"0.dcm": bytes(3_000_000)})
    start = whole.index(b"PK\x01\x02")
    end = whole.rindex(b"PK\x05\x06")
    entry = whole[start:end]
    entries = b"".join(entry.replace(b"0.dcm", f"{k:05d}".encode()) for k in range(n_members))
    tail = struct.pack("<4s4H2LH", b"PK\x05\x06", 0, 0, n_members, n_members, len(entries), start, 0)
    return whole[:start] + entries + tail


def _lying_size(claimed: int) -> bytes:
    whole = bytearray(zipped({"0.dcm": b"\0" * 128 + b"DICM" + bytes(50_000)}))
    struct.pack_into("<L", whole, whole.rindex(b"PK\x01\x02") + 24, claimed)
    return bytes(whole)


def _symbolic_link() -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        entry = zipfile.ZipInfo("0.dcm")
        entry.external_attr = 0o120777 << 16
        archive.writestr(entry, "/etc/passwd")
        for k, content in enumerate(dicom_stack(), 1):
            archive.writestr(f"{k}.dcm", content)
    return stream.getvalue()


def _encrypted() -> bytes:
    whole = bytearray(_with_name("a.dcm"))
    for mark, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        whole[whole.index(mark) + offset] |= 1
    return bytes(whole)


def _other_method() -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_LZMA) as archive:
        archive.writestr("0.dcm", b"\0" * 128 + b"DICM" + bytes(1000))
    return stream.getvalue()


def _many_members(n_members: int) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        for k in range(n_members):
            archive.writestr(f"{k}", b"")
    return stream.getvalue()


ATTACKS: dict[str, tuple[Maker, str]] = {
    "slip upwards": (lambda: _with_name("../../evil.dcm"), "name leads out"),
    "slip from the root": (lambda: _with_name("/etc/evil.dcm"), "name leads out"),
    "slip by drive": (lambda: _with_name("C:evil.dcm"), "name leads out"),
    "slip by backslash": (lambda: _with_name("..\\evil.dcm"), "name leads out"),
    "nested bombs": (_nested, "refused|no DICOM"),
    "one great member": (lambda: _one_member(400_000_000), "would unpack to"),
    "one member under the ratio's notice": (lambda: _one_member(15_000_000), "damaged|whole|lacks|refused|says"),
    "overlapping members": (_overlapping, "would unpack to|refused"),
    "a size that is too small": (lambda: _lying_size(1000), "damaged"),
    "a size that is too large": (lambda: _lying_size(2**32 - 2), "would unpack to|damaged"),
    "symbolic link": (_symbolic_link, "symbolic link"),
    "encrypted": (_encrypted, "encrypted"),
    "packed by LZMA": (_other_method, "packed by method"),
    "too many members": (lambda: _many_members(100_100), "100100 members|directory"),
    "a directory that ends early": (lambda: _with_name("a")[:-30], "damaged|no known format"),
    "nothing but its end": (lambda: b"PK\x05\x06" + bytes(18), "holds no|no DICOM|empty|no file"),
}


@pytest.mark.slow
@pytest.mark.parametrize("name", ATTACKS)
def test_hostile_archives_are_refused_for_what_they_are(name: str, refusal: Callable[..., str], tmp_path: Path) -> None:
    make, expected = ATTACKS[name]
    path = tmp_path / "1000001_20208_2_0.zip"
    path.write_bytes(make())
    refusal(path, expected, "DICOM cine MRI")
    assert [found.name for found in tmp_path.parent.rglob("evil*")] == []


def test_an_honest_archive_is_read(server: ReadingServer, tmp_path: Path) -> None:
    path = tmp_path / "1000001_20208_2_0.zip"
    path.write_bytes(zipped({f"series/{k}.dcm": content for k, content in enumerate(dicom_stack())}))
    verdict = server.ask("any recording", path)
    assert verdict.kind == "read", verdict
