import gzip
import io
import zipfile
from pathlib import Path

import h5py
import numpy as np
import pandas as pd
import pytest

from napari_latent_explorer.errors import RecordingError
from napari_latent_explorer.io.foreign_files import describe_foreign
from napari_latent_explorer.io.formats import read_place


def zipped(*names: str) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        for name in names:
            archive.writestr(name, "x")
    return stream.getvalue()


def saved(write: str) -> bytes:
    stream = io.BytesIO()
    getattr(pd.DataFrame({"id": ["a"], "age": [3]}), write)(stream)
    return stream.getvalue()


def hdf5() -> bytes:
    stream = io.BytesIO()
    with h5py.File(stream, "w") as root:
        root["x"] = np.zeros(3)
    return stream.getvalue()


@pytest.mark.parametrize(
    ("name", "content", "expected"),
    [
        ("a.bed", b"\x6c\x1b\x01\xff", "a PLINK bed file: genotypes, not a recording"),
        ("a.bin", b"\x6c\x1b\x10\xe8", "a PLINK 2 pgen file: genotypes"),
        ("a.bed", b"This is not", "named like PLINK bed and does not begin like it"),
        ("a.fam", b"f i 0 0 1 2\n", "a PLINK fam file: people of genotypes"),
        ("a.bim", b"1\trs1\t0\t5\tA\tC\n1\trs2\t0\t6\tA\tC\n", "a PLINK bim file: variants"),
        ("a.vcf.gz", gzip.compress(b"##fileformat=VCFv4.2\n", mtime=0), "packed by gzip and no NIfTI file"),
        ("a.txt", b"CHROM GENPOS ID BETA\n1 2 a 0.3\n", "summary statistics of an association"),
        ("a.csv", b"eid,31-0.0\n1000001,1\n1000002,0\n", "a table; give it as the table of phenotypes"),
        ("a.parquet", saved("to_parquet"), "a Parquet file: a table; give it as the table of phenotypes"),
        ("a.xlsx", saved("to_excel"), "an Office file: a table"),
        ("a.zip", zipped("a.txt"), "a zip archive without DICOM files"),
        ("a.pdf", b"%PDF-1.7 ...", "a PDF document"),
        ("scan.dcm", b"\x89PNG\r\n\x1a\n" + bytes(40), "a PNG picture without geometry or time"),
        ("a.hd5", hdf5(), "an HDF5 file without the groups of ml4h"),
        ("a.hd5", b"version https://git-lfs.github.com/spec/v1\n", r"git lfs pull"),
        ("a.nii.gz", b"<!DOCTYPE html><html>log in</html>", "a web page"),
        ("a.json", b'{"a": 1}', "JSON"),
        ("a.dcm", b"", r"empty \(0 bytes\)"),
        ("a.txt", b"   \n\n", "blank"),
        ("a.pkl", b"\x80\x04abc", "no known format"),
        ("a.txt", "Häuser und Straßen".encode() * 300, "a text of no known format"),
        ("a", bytes(range(256)) * 20, "of no known format"),
    ],
)
def test_the_refusal_says_what_a_file_is(tmp_path: Path, name: str, content: bytes, expected: str) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(RecordingError, match=expected) as refusal:
        read_place(path)
    assert name in str(refusal.value)


def test_the_refusal_of_a_folder_says_what_is_in_it(tmp_path: Path) -> None:
    assert describe_foreign(tmp_path) == "it is an empty folder"
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / "a.bed").write_bytes(b"\x6c\x1b\x01")
    with pytest.raises(
        RecordingError, match=r"a folder with one file and no recording .* of a\.bed, it is a PLINK bed"
    ):
        read_place(tmp_path)


def test_looking_never_raises(tmp_path: Path) -> None:
    assert "cannot be looked at" in describe_foreign(tmp_path / "absent")
    assert "cannot be looked at" in describe_foreign(Path("a\0b"))
