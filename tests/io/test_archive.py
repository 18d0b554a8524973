import stat
import struct
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from napari_latent_explorer.errors import RecordingError
from napari_latent_explorer.io.archive import MAX_RATIO, is_archive, members_of, read_member, read_member_head

TEXT = b"what a member holds, " * 40


def write_archive(path: Path, members: dict[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> Path:
    with zipfile.ZipFile(path, "w", method) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return path


def contents_of(path: Path) -> list[bytes]:
    return [read_member(path, member, 10_000) for member in members_of(path)]


def patched(path: Path, old: bytes, new: bytes, count: int = -1) -> Path:
    content = path.read_bytes()
    assert old in content
    path.write_bytes(content.replace(old, new, count))
    return path


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
def test_members_are_read_without_being_extracted(tmp_path: Path, method: int) -> None:
    path = write_archive(tmp_path / "a.zip", {"folder/one.txt": TEXT, "two": b"", "empty/": b""}, method)
    assert is_archive(path)
    one, two = members_of(path)
    assert (one.name, one.n_bytes, two.name) == ("folder/one.txt", len(TEXT), "two")
    assert read_member(path, one, len(TEXT)) == TEXT
    assert read_member(path, two, 10) == b""
    assert read_member_head(path, one, 7) == TEXT[:7]
    assert sorted(file.name for file in tmp_path.rglob("*")) == ["a.zip"]


def test_an_archive_behind_another_file_is_read(tmp_path: Path) -> None:
    path = write_archive(tmp_path / "a.zip", {"one": TEXT})
    path.write_bytes(b"#!/bin/sh\n" * 30 + path.read_bytes())
    assert read_member(path, members_of(path)[0], 10_000) == TEXT


@pytest.mark.parametrize(
    "name",
    ["/etc/passwd", "../x", "a/../../x", "C:/x", "c:x", "a\\b", "..\\x"],
    ids=lambda name: name.replace("/", "|"),
)
def test_names_that_lead_out_are_refused(tmp_path: Path, name: str) -> None:
    path = write_archive(tmp_path / "a.zip", {"good": b"x", "PLACEHOLDER"[: len(name)]: b"x"})
    patched(path, b"PLACEHOLDER"[: len(name)], name.encode())
    with pytest.raises(RecordingError, match=r"a\.zip!.*leads out of the archive"):
        members_of(path)


def test_a_name_that_hides_its_end_is_refused(tmp_path: Path) -> None:
    path = patched(write_archive(tmp_path / "a.zip", {"a.dcmXtxt": b"x"}), b"a.dcmXtxt", b"a.dcm\0txt")
    with pytest.raises(RecordingError, match=r"a\.dcm\\x00txt is refused"):
        members_of(path)


def test_a_repeated_name_is_refused(tmp_path: Path) -> None:
    path = patched(write_archive(tmp_path / "a.zip", {"one": b"1", "two": b"2"}), b"two", b"one")
    with pytest.raises(RecordingError, match=r"a\.zip!one is refused: its name occurs twice"):
        members_of(path)


def test_a_symbolic_link_is_refused(tmp_path: Path) -> None:
    entry = zipfile.ZipInfo("link")
    entry.external_attr = (stat.S_IFLNK | 0o777) << 16
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr(entry, "/etc/passwd")
    with pytest.raises(RecordingError, match=r"a\.zip!link is refused: it is a symbolic link"):
        members_of(tmp_path / "a.zip")


def test_an_encrypted_member_is_refused(tmp_path: Path) -> None:
    path = write_archive(tmp_path / "a.zip", {"one": TEXT})
    content = bytearray(path.read_bytes())
    content[content.index(b"PK\x01\x02") + 8] |= 1
    path.write_bytes(content)
    with pytest.raises(RecordingError, match=r"a\.zip!one is refused: it is encrypted"):
        members_of(path)


def test_unusual_packing_is_refused(tmp_path: Path) -> None:
    path = write_archive(tmp_path / "a.zip", {"one": TEXT}, zipfile.ZIP_LZMA)
    with pytest.raises(RecordingError, match="packed by method 14, expected stored or deflated"):
        members_of(path)


def test_a_bomb_is_refused_by_its_ratio(tmp_path: Path) -> None:
    path = write_archive(tmp_path / "a.zip", {"bomb": bytes(40 << 20)})
    assert path.stat().st_size * MAX_RATIO < 40 << 20
    with pytest.raises(RecordingError, match=r"a\.zip!bomb is refused: it would unpack to 41943040 bytes"):
        members_of(path)


def test_many_small_bombs_are_refused_together(tmp_path: Path) -> None:
    path = write_archive(tmp_path / "a.zip", {f"bomb{k}": bytes(8 << 20) for k in range(4)})
    with pytest.raises(RecordingError, match=r"a\.zip is refused: its members would unpack to 33554432 bytes"):
        members_of(path)


def lie_about_size(path: Path, n_bytes: int) -> None:
    content = bytearray(path.read_bytes())
    struct.pack_into("<L", content, content.index(b"PK\x01\x02") + 24, n_bytes)
    path.write_bytes(content)


@pytest.mark.parametrize(("n_bytes", "found"), [(100, "more than its 100 bytes"), (900, "840 instead of its 900")])
def test_a_size_that_does_not_come_true_is_refused(tmp_path: Path, n_bytes: int, found: str) -> None:
    path = write_archive(tmp_path / "a.zip", {"one": TEXT})
    lie_about_size(path, n_bytes)
    with pytest.raises(RecordingError, match=rf"a\.zip!one is damaged: it unpacks to {found}"):
        read_member(path, members_of(path)[0], 10_000)


def test_a_member_over_the_limit_is_refused_before_it_is_unpacked(tmp_path: Path) -> None:
    path = write_archive(tmp_path / "a.zip", {"one": TEXT})
    with pytest.raises(RecordingError, match="would unpack to 840 bytes, at most 839 are read"):
        read_member(path, members_of(path)[0], 839)


def test_a_wrong_checksum_is_named(tmp_path: Path) -> None:
    path = patched(write_archive(tmp_path / "a.zip", {"one": TEXT}, zipfile.ZIP_STORED), b"what", b"That", 1)
    with pytest.raises(RecordingError, match=r"a\.zip!one is damaged: its checksum is wrong"):
        read_member(path, members_of(path)[0], 10_000)


def test_names_that_are_no_utf8_survive(tmp_path: Path) -> None:
    path = patched(write_archive(tmp_path / "a.zip", {"h_rz": TEXT}), b"h_rz", b"h\xf6rz")
    (member,) = members_of(path)
    assert member.name.startswith("h")
    assert read_member(path, member, 10_000) == TEXT


def cut_end(content: bytes) -> bytes:
    return content[:-30]


def cut_start(content: bytes) -> bytes:
    return content[200:]


def rubbish(content: bytes) -> bytes:
    return b"PK\x03\x04" + bytes(range(256)) * 10


@pytest.mark.parametrize("damage", [cut_end, cut_start, rubbish, lambda _: b"PK\x05\x06", lambda _: b""])
def test_a_damaged_archive_is_named(tmp_path: Path, damage: Callable[[bytes], bytes]) -> None:
    path = write_archive(tmp_path / "a.zip", {f"{k}": TEXT for k in range(5)})
    path.write_bytes(damage(path.read_bytes()))
    with pytest.raises(RecordingError, match=r"a\.zip"):
        contents_of(path)


def test_what_is_no_archive_is_not_recognised(tmp_path: Path) -> None:
    (tmp_path / "a.zip").write_bytes(b"no archive")
    assert not is_archive(tmp_path / "a.zip")
    assert not is_archive(tmp_path / "none.zip")
    assert not is_archive(tmp_path)


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_whatever_bits_flip_only_one_kind_of_error_comes_out(tmp_path: Path, data: st.DataObject) -> None:
    path = write_archive(tmp_path / "a.zip", {"a/one": TEXT, "two": TEXT * 3})
    content = bytearray(path.read_bytes())
    for position in data.draw(st.lists(st.integers(0, len(content) - 1), min_size=1, max_size=4)):
        content[position] ^= data.draw(st.integers(1, 255))
    path.write_bytes(content)
    message = str(path)
    contents = []
    try:
        contents = contents_of(path)
    except RecordingError as refusal:
        message = str(refusal)
    assert str(path) in message
    assert set(contents) <= {TEXT, TEXT * 3, b""}
