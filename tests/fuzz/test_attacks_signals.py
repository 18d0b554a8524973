"""ECGs whose headers lie: names that lead elsewhere, sizes that nobody has, arrays that carry programs."""

import io
import json
import pickle
import struct
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from reading_server import ReadingServer
from seeds import make_ecg

HEADER = "rec 2 500 100\n{file} 16 200/mV 16 0 0 0 0 I\n{file} 16 200/mV 16 0 0 0 0 II\n"


def write_record(folder: Path, header: str, samples: bytes = bytes(400)) -> Path:
    folder.mkdir(exist_ok=True)
    (folder / "rec.hea").write_text(header)
    (folder / "rec.dat").write_bytes(samples)
    return folder / "rec.hea"


@pytest.mark.parametrize(
    "name",
    [
        "../secret.dat", "/etc/passwd", "|id", "~/secret.dat", "s3://bucket/rec.dat", "file:secret.dat",
        "a/../../b.dat", "..\\secret.dat", "\x00.dat", "rec.dat\x1b[2J", "http://127.0.0.1/rec.dat", "A" * 5000, ".",
        "..",
    ],
)  # fmt: skip
def test_a_header_cannot_name_files_elsewhere(name: str, refusal: Callable[..., str], tmp_path: Path) -> None:
    (tmp_path / "secret.dat").write_bytes(bytes(400))
    refusal(
        write_record(tmp_path / "record", HEADER.format(file=name)), "outside|missing|header|name|folder", "WFDB ECG"
    )


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("rec 2", "rec 1000000000"), ("rec 2", "rec -1"), ("rec 2", "rec 0"), (" 500 ", " 0 "), (" 500 ", " -500 "),
        (" 500 ", " nan "), (" 500 ", " inf "), (" 500 ", " 1e308 "), (" 500 ", " 1e-308 "),
        (" 100\n", " 1000000000000\n"), (" 100\n", " -1\n"), (" 100\n", " 0\n"), ("200/mV", "0/mV"),
        ("200/mV", "nan/mV"), ("200/mV", "-1e-308/mV"), ("200/mV", "1e-320/mV"), ("200/mV", "200(99999999999)/mV"),
        (" 16 200", " 0 200"), (" 16 200", " 16x100000 200"), (" 16 200", " 16+-10 200"),
        (" 16 200", " 16+99999999999 200"), (" 16 200", " 16:99999999 200"), (" 16 200", " 516 200"),
        ("rec 2", "rec/2 2"), ("rec 2", "rec/1000000000 2"), ("mV 16", "mV 9999999"),
    ],
)  # fmt: skip
def test_absurd_numbers_in_a_header_are_refused(old: str, new: str, server: ReadingServer, tmp_path: Path) -> None:
    path = write_record(tmp_path / "record", HEADER.format(file="rec.dat").replace(old, new))
    verdict = server.ask("WFDB ECG", path)
    assert verdict.is_fine, verdict
    may_be_overlooked = new in (" -1\n", " 16+-10 200") or old in ("mV 16", "200/mV", " 500 ")
    assert verdict.kind == "refused" or may_be_overlooked, verdict


def test_a_record_that_is_a_segment_of_itself_ends(refusal: Callable[..., str], tmp_path: Path) -> None:
    header = "rec/3 2 500 300\n" + "rec 100\n" * 3
    refusal(write_record(tmp_path / "record", header), "segment|pieces", "WFDB ECG")


def test_a_matlab_file_of_nothing_but_zeros_is_no_bomb(server: ReadingServer, tmp_path: Path) -> None:
    """A compressed matrix of 400 MB in 400 kB."""
    body = (
        struct.pack("<LL", 14, 400_000_048)
        + struct.pack("<LLLL", 6, 8, 6, 0)
        + struct.pack("<LLLL", 5, 8, 2, 200_000_000)
    )
    packer = zlib.compressobj(9)
    packed = packer.compress(body + struct.pack("<LL", 1, 0)[:8] + struct.pack("<LL", 3, 400_000_000))
    packed += b"".join(packer.compress(bytes(1_000_000)) for _ in range(400)) + packer.flush()
    mark = b"MATLAB 5.0 MAT-file".ljust(124) + struct.pack("<HH", 0x0100, 0x4D49)
    (tmp_path / "rec.mat").write_bytes(mark + struct.pack("<LL", 15, len(packed)) + packed)
    (tmp_path / "rec.hea").write_text(
        "rec 2 500 100000000\nrec.mat 16+24 200/mV 16 0 0 0 0 I\nrec.mat 16+24 200/mV 16 0 0 0 0 II\n"
    )
    verdict = server.ask("WFDB ECG", tmp_path / "rec.hea")
    assert verdict.is_fine, verdict


# -------------------------------------------------------------------------------------------------- NumPy's own files


class Program:
    """Leaves a file behind when it is unpickled."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def __reduce__(self) -> tuple[object, ...]:
        return (Path.touch, (self._path,))


def _npy(header: str, data: bytes = b"") -> bytes:
    text = header.encode().ljust(118) + b"\n"
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(text)) + text + data


def _npy2(header: bytes, data: bytes = b"") -> bytes:
    return b"\x93NUMPY\x02\x00" + struct.pack("<I", len(header)) + header + data


def test_no_program_in_an_array_is_run(server: ReadingServer, tmp_path: Path) -> None:
    trace = tmp_path / "trace"
    hostile = np.array([[Program(trace)]], dtype=object)
    np.save(tmp_path / "object.npy", hostile, allow_pickle=True)
    np.savez(tmp_path / "object.npz", signal_mv=hostile, lead_names=hostile, sampling_rate_hz=hostile)
    (tmp_path / "pickle.npy").write_bytes(pickle.dumps(Program(trace)))
    for name in ("object.npy", "object.npz", "pickle.npy"):
        verdict = server.ask("any recording", tmp_path / name)
        assert verdict.kind == "refused", (name, verdict)
    assert not trace.exists()


@pytest.mark.parametrize(
    "header",
    [
        "{'descr': '<f4', 'fortran_order': False, 'shape': (12, 1000000000000)}",
        "{'descr': '<f4', 'fortran_order': False, 'shape': (-12, 5000)}",
        "{'descr': '<f4', 'fortran_order': False, 'shape': (12, 2**40)}",
        "{'descr': '<f4', 'fortran_order': False, 'shape': ()}",
        "{'descr': '<f4', 'fortran_order': False, 'shape': (12, 0)}",
        "{'descr': '<M8[s]', 'fortran_order': False, 'shape': (12, 10)}",
        "{'descr': '<c8', 'fortran_order': False, 'shape': (12, 10)}",
        "{'descr': '|V1000000000', 'fortran_order': False, 'shape': (12, 1000)}",
        "{'descr': '<U250000000', 'fortran_order': False, 'shape': (12, 1)}",
        "{'descr': [('a', '<f4'), ('b', '|O')], 'fortran_order': False, 'shape': (12,)}",
        "{'descr': __import__('os').system('id'), 'fortran_order': False, 'shape': (12, 10)}",
        "{'descr': '<f4', 'fortran_order': 'yes', 'shape': (12, 10)}",
        "((((" * 25,
        "",
    ],
)
def test_arrays_that_lie_about_themselves_are_refused(header: str, refusal: Callable[..., str], tmp_path: Path) -> None:
    path = tmp_path / "ecg.npy"
    path.write_bytes(_npy(header, bytes(480)))
    refusal(path, "ecg.npy")


def test_lead_names_of_characters_that_do_not_exist_are_refused(refusal: Callable[..., str], tmp_path: Path) -> None:
    path = tmp_path / "ecg.npz"
    names = np.full((12, 2), 0x110041, dtype=np.uint32).view("<U2").reshape(12)
    np.savez(path, signal_mv=make_ecg().signal_mv, lead_names=names, sampling_rate_hz=np.array(500.0))
    refusal(path, "characters")


@pytest.mark.parametrize("depth", [5_000, 2_000_000])
def test_a_header_of_brackets_is_refused(depth: int, refusal: Callable[..., str], tmp_path: Path) -> None:
    path = tmp_path / "ecg.npy"
    path.write_bytes(_npy2(b"(" * depth + b")" * depth))
    refusal(path, "ecg.npy")


def test_an_archive_of_arrays_is_no_bomb(refusal: Callable[..., str], tmp_path: Path) -> None:
    path = tmp_path / "ecg.npz"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        array = io.BytesIO()
        np.save(array, np.zeros((12, 8_000_000), np.float32))
        archive.writestr("signal_mv.npy", array.getvalue())
    refusal(path, "bytes|unpack|large|refused|samples|memory|MB|GB")


# ------------------------------------------------------------------------------------------------------------ texts


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(b"", id="empty"),
        pytest.param(b"I,II\n" + b"1,2\n" * 3 + b"1" * 60_000_000, id="one endless line"),
        pytest.param(b",".join([b"I"] * 200_000) + b"\n" + b",".join([b"1"] * 200_000), id="200,000 columns"),
        pytest.param(b'I,II\n"1,2\n' + b"3,4\n" * 100_000, id="open quote"),
        pytest.param(b"I,II\n1,2\n\x00\x00\n", id="null"),
        pytest.param(b"I,II\n" + b"nan,inf\n" * 1000, id="nothing finite"),
        pytest.param(b"I,II\n" + b"1e308,-1e308\n" * 1000, id="huge voltages"),
        pytest.param(b"I,I\n" + b"1,2\n" * 1000, id="one lead twice"),
        pytest.param(b"=cmd|' /C calc'!A0,II\n" + b"=1+1,@SUM(1)\n" * 1000, id="formulas"),
        pytest.param(b"time_ms,I\n" + b"5,1\n" * 1000, id="time stands still"),
        pytest.param(b"time_ms,I\n" + b"".join(b"%d,1\n" % -k for k in range(1000)), id="time runs back"),
        pytest.param("I,II\n".encode("utf-16") + b"\xff", id="half a character"),
        pytest.param(b"\xff\xfe\x00", id="a mark alone"),
        pytest.param(b"I\n" * 2, id="no number"),
        pytest.param(b"1\n" * 1000, id="no name"),
        pytest.param(json.dumps({"I": [1] * 100}).encode(), id="JSON"),
    ],
)
def test_tables_of_voltages_are_refused_or_read(content: bytes, server: ReadingServer, tmp_path: Path) -> None:
    path = tmp_path / "ecg.csv"
    path.write_bytes(content)
    verdict = server.ask("any recording", path)
    assert verdict.is_fine, verdict


@pytest.mark.parametrize(
    "name", ["ecg.xml", "ecg.hea", "ecg.dcm", "ecg.npy", "ecg.npz", "ecg.csv", "ecg.hd5", "cine.nii.gz", "a.zip"]
)
@pytest.mark.parametrize("content", [b"", b"\0", b"\xff" * 1000, b"<" * 100_000, b"\n" * 100_000])
def test_rubbish_under_any_name_is_refused(
    name: str, content: bytes, refusal: Callable[..., str], tmp_path: Path
) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    refusal(path, name)


@pytest.mark.parametrize(
    "name", ["ecg.xml", "ecg.dcm", "ecg.npz", "ecg.csv", "ecg.hd5", "cine.nii", "cine.nii.gz", "a.zip"]
)
def test_a_recording_under_another_formats_name_is_read_or_refused(
    name: str, server: ReadingServer, tmp_path: Path
) -> None:
    np.save(tmp_path / "ecg.npy", make_ecg().signal_mv)
    (tmp_path / "ecg.npy").rename(tmp_path / name)
    verdict = server.ask("any recording", tmp_path / name)
    assert verdict.is_fine, verdict
