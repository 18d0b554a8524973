import os
import pickle
import zipfile
from pathlib import Path

import pytest

from napari_latent_explorer.errors import RecordingError
from napari_latent_explorer.io.source_file import SourceFile, files_of


def test_files_of_a_folder_are_found_with_its_subfolders(tmp_path: Path) -> None:
    for name in ("b/2", "b/1", "a", ".hidden", ".git/x", "b/.DS_Store"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(name)
    files = files_of(tmp_path)
    assert [str(file.path.relative_to(tmp_path)) for file in files] == ["a", "b/1", "b/2"]
    assert [file.read() for file in files] == [b"a", b"b/1", b"b/2"]


def test_members_of_an_archive_look_like_files(tmp_path: Path) -> None:
    path = tmp_path / "1000_20208_2_0.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("b/image.DCM", b"0123456789")
        archive.writestr("manifest.csv", b"x")
        archive.writestr("__MACOSX/._image.DCM", b"y")
    image, manifest = files_of(path)
    assert str(image) == f"{path}!b/image.DCM"
    assert (image.name, image.suffix, image.n_bytes, manifest.name) == ("image.DCM", ".dcm", 10, "manifest.csv")
    assert image.read() == b"0123456789"
    assert image.head(4) == b"0123"
    with image.open() as stream:
        stream.seek(5)
        assert stream.read() == b"56789"
    assert pickle.loads(pickle.dumps(image)) == image


def test_a_file_is_itself(tmp_path: Path) -> None:
    path = tmp_path / "image.IMA"
    path.write_bytes(b"0123456789")
    assert files_of(path) == (SourceFile(path),)
    assert (SourceFile(path).suffix, SourceFile(path).n_bytes, SourceFile(path).head(3)) == (".ima", 10, b"012")
    with SourceFile(path).open() as stream:
        assert stream.read() == b"0123456789"


def test_a_file_over_the_limit_is_refused(tmp_path: Path) -> None:
    (tmp_path / "x").write_bytes(b"0123456789")
    assert SourceFile(tmp_path / "x").read(10) == b"0123456789"
    with pytest.raises(RecordingError, match="x has 10 bytes; at most 9 are read"):
        SourceFile(tmp_path / "x").read(9)
    with pytest.raises(RecordingError, match="x has 10 bytes; at most 9 are read"):
        SourceFile(tmp_path / "x").open(9)


@pytest.mark.parametrize("name", ["nowhere", "a\0b", "x" * 5000])
def test_what_is_not_there_is_named(tmp_path: Path, name: str) -> None:
    for look in (files_of, lambda path: SourceFile(path).read(), lambda path: SourceFile(path).open()):
        with pytest.raises(RecordingError, match=name[:3] if "\0" not in name else "a"):
            look(tmp_path / name)
    assert SourceFile(tmp_path / name).n_bytes == 0


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no named pipes")
def test_a_pipe_is_passed_over_and_never_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    assert files_of(tmp_path) == ()
    with pytest.raises(RecordingError, match="not a regular file"):
        SourceFile(tmp_path / "pipe").read()


def test_links_to_folders_do_not_go_in_circles(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("a")
    (tmp_path / "again").symlink_to(tmp_path)
    (tmp_path / "link").symlink_to(tmp_path / "a")
    assert [file.name for file in files_of(tmp_path)] == ["a", "link"]


def test_any_name_can_be_shown(tmp_path: Path) -> None:
    path = Path(os.fsdecode(os.fsencode(tmp_path) + b"/h\xf6r\x1bz.dcm"))
    try:
        path.write_text("x")
    except OSError:
        pytest.skip("this file system refuses such names")
    (file,) = files_of(tmp_path)
    assert file.read() == b"x"
    assert str(file).endswith(r"h\xf6r\x1bz.dcm")
    str(file).encode("utf-8")
