"""Names and kinds of files that no recording should have, and files that change while they are read."""

import os
import shutil
import socket
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from reading_server import ReadingServer
from seeds import Seed, dicom_stack, recordings

DICOM = "DICOM cine MRI"
NAMES = {
    "line end": b"a\nERROR all is lost.dcm",
    "escape": b"a\x1b[2J\x1b]0;owned\x07.dcm",
    "backspace": b"a\x08\x08\x08b.dcm",
    "right to left": "a\u202excod.dcm".encode(),
    "invisible": "a\u200b\u2066.dcm".encode(),
    "no UTF-8": b"caf\xe9\xff.dcm",
    "surrogate": b"\xed\xa0\x80.dcm",
    "255 bytes": b"n" * 251 + b".dcm",
    "spaces and quotes": b" a 'b' \"c\" `d` $e %f {g}.dcm",
    "markup": b"<img src=x onerror=alert(1)>&amp;[red].dcm",
    "option": b"--help -rf *.dcm",
    "path of Windows": b"C:\\a\\..\\b.dcm",
    "archive": b"a.zip!b.dcm",
    "no suffix": b"nul",
}


def write_stack(folder: Path, first: bytes) -> Path:
    """A whole stack; its first file is called `first`."""
    folder.mkdir(exist_ok=True)
    for k, content in enumerate(dicom_stack()):
        place = os.path.join(os.fsencode(folder), first if k == 0 else b"%d.dcm" % k)
        with open(place, "wb") as stream:
            stream.write(content)
    return folder


@pytest.mark.parametrize("name", NAMES)
def test_a_whole_recording_is_read_whatever_its_files_are_called(
    name: str, server: ReadingServer, tmp_path: Path
) -> None:
    folder = write_stack(tmp_path / "stack", NAMES[name])
    verdict = server.ask(DICOM, folder)
    assert verdict.kind == "read", verdict
    verdict = server.ask(DICOM, folder / os.fsdecode(NAMES[name]))
    assert verdict.kind == "read", verdict


@pytest.mark.parametrize("name", NAMES)
def test_a_damaged_file_of_such_a_name_is_named_harmlessly(name: str, server: ReadingServer, tmp_path: Path) -> None:
    folder = write_stack(tmp_path / "stack", NAMES[name])
    place = os.path.join(os.fsencode(folder), NAMES[name])
    with open(place, "rb") as stream:
        content = stream.read()
    for k, damaged in enumerate((content[:600], content[:-100], content[:132])):
        with open(place, "wb") as stream:
            stream.write(damaged)
        verdict = server.ask(DICOM, folder)
        assert verdict.is_fine, (k, verdict)
        assert "\n" not in verdict.message.replace("\n  ", "")


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
def test_every_format_takes_such_names(name: str, server: ReadingServer, tmp_path: Path) -> None:
    """As folders, so that files which name each other still find each other."""
    for number, whole in enumerate(recordings(None)):
        parent = os.path.join(os.fsencode(tmp_path), b"%d" % number)
        place = whole.write(Path(os.fsdecode(os.path.join(parent, NAMES[name].removesuffix(b".dcm")))))
        plain = whole.write(tmp_path / f"{number}p" / "plain")
        expected, verdict = server.ask("any recording", plain), server.ask("any recording", place)
        assert verdict.is_fine, (whole.name, verdict)
        assert verdict.kind == expected.kind or b":" in NAMES[name], (whole.name, verdict)


# --------------------------------------------------------------------------------------------- what is no plain file


@pytest.fixture
def stack(tmp_path: Path) -> Path:
    return write_stack(tmp_path / "stack", b"0.dcm")


def test_a_pipe_does_not_block(stack: Path, server: ReadingServer) -> None:
    os.mkfifo(stack / "pipe.dcm")
    os.mkfifo(stack / "ecg.hea")
    for place in (stack, stack / "pipe.dcm", stack / "ecg.hea"):
        for target in (DICOM, "WFDB ECG", "any recording", "table of phenotypes", "columns file"):
            verdict = server.ask(target, place)
            assert verdict.is_fine, (place, target, verdict)


def test_a_device_does_not_flow(tmp_path: Path, server: ReadingServer) -> None:
    stack = write_stack(tmp_path / "stack", b"0.dcm")
    for name in ("zero.dcm", "zero.hea", "zero.xml", "zero.csv", "zero.nii.gz", "zero.npy", "zero.hd5"):
        (stack / name).symlink_to("/dev/zero")
    for place in (stack, *stack.glob("zero.*"), Path("/dev/zero"), Path("/dev/null")):
        verdict = server.ask("any recording", place)
        assert verdict.is_fine or verdict.kind == "reached out", (place, verdict)
        assert verdict.seconds < 5


def test_a_socket_is_passed_over(server: ReadingServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    stack = write_stack(tmp_path / "s", b"0.dcm")
    monkeypatch.chdir(stack)  # the name of a socket must be short
    with socket.socket(socket.AF_UNIX) as one:
        one.bind("socket.dcm")
        assert server.ask(DICOM, stack).kind in ("read", "refused")


def test_links_to_files_are_files_and_links_to_folders_are_not_followed(server: ReadingServer, tmp_path: Path) -> None:
    elsewhere = write_stack(tmp_path / "elsewhere", b"0.dcm")
    stack = tmp_path / "stack"
    stack.mkdir()
    (stack / "folder").symlink_to(elsewhere)
    assert server.ask(DICOM, stack).kind == "refused"
    (stack / "loop").symlink_to(stack)
    (stack / "nowhere.dcm").symlink_to(tmp_path / "nothing")
    (stack / "itself.dcm").symlink_to(stack / "itself.dcm")
    verdict = server.ask(DICOM, stack)
    assert verdict.kind == "refused", verdict


@pytest.mark.skipif(os.name != "posix" or os.geteuid() == 0, reason="the superuser may read everything")
def test_what_may_not_be_read_is_named(stack: Path, refusal: Callable[..., str]) -> None:
    (stack / "0.dcm").chmod(0)
    refusal(stack, "0.dcm", DICOM)
    stack.chmod(0)
    refusal(stack, "stack", DICOM)
    stack.chmod(0o700)


def test_a_deep_folder_is_searched_without_recursion(server: ReadingServer, tmp_path: Path) -> None:
    deep = tmp_path
    for _ in range(300):
        deep = deep / "d"
    deep.mkdir(parents=True)
    write_stack(deep / "stack", b"0.dcm")
    verdict = server.ask(DICOM, tmp_path / "d")
    assert verdict.is_fine, verdict


@pytest.mark.slow
def test_a_hundred_thousand_tiny_files_are_refused_in_seconds(refusal: Callable[..., str], tmp_path: Path) -> None:
    folder = tmp_path / "many"
    folder.mkdir()
    for k in range(100_050):
        os.close(os.open(folder / f"{k}.dcm", os.O_CREAT | os.O_WRONLY))
    try:
        refusal(folder, "files", DICOM)
    finally:
        shutil.rmtree(folder)


@pytest.fixture
def changing(tmp_path: Path) -> Iterator[Callable[[Seed], Path]]:
    """Write a recording whose files shrink and grow until the test ends."""
    stop, threads = threading.Event(), []

    def change(place: Path, contents: dict[Path, bytes]) -> None:
        while not stop.is_set():
            for path, content in contents.items():
                path.write_bytes(content[: len(content) // 2])
            time.sleep(0.001)
            for path, content in contents.items():
                path.write_bytes(content + content)
            time.sleep(0.001)

    def start(whole: Seed) -> Path:
        folder = tmp_path / whole.name.replace(" ", "_")
        place = whole.write(folder)
        contents = {folder / name: content for name, content in whole.files.items()}
        threads.append(threading.Thread(target=change, args=(place, contents)))
        threads[-1].start()
        return place

    yield start
    stop.set()
    for thread in threads:
        thread.join()


@pytest.mark.slow
def test_files_that_change_while_they_are_read(changing: Callable[[Seed], Path], server: ReadingServer) -> None:
    for whole in recordings(None):
        place = changing(whole)
        for _ in range(5):
            verdict = server.ask("any recording", place)
            assert verdict.is_fine, (whole.name, verdict)
