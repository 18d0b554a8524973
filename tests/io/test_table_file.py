import gzip
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from napari_latent_explorer.errors import TableError
from napari_latent_explorer.io import table_file
from napari_latent_explorer.io.table_file import read_table_file

TABLE = b"id,age\n001,50\n"


@pytest.mark.parametrize("name", ["t.csv", "t.dat", "t.xlsx", "no suffix"])
def test_text_is_recognised_by_its_content(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_bytes(TABLE)
    assert read_table_file(tmp_path / name).iloc[0].tolist() == ["001", "50"]


def test_gzipped_text(tmp_path: Path) -> None:
    (tmp_path / "t.csv.gz").write_bytes(gzip.compress(TABLE))
    assert read_table_file(tmp_path / "t.csv.gz").iloc[0].tolist() == ["001", "50"]


@pytest.mark.parametrize("n_bytes", [1, 12, 25])
def test_cut_gzip_is_one_message(tmp_path: Path, n_bytes: int) -> None:
    path = tmp_path / "t.csv.gz"
    path.write_bytes(gzip.compress(TABLE)[:-n_bytes])
    with pytest.raises(TableError, match=r"t\.csv\.gz is (a damaged gzip file|empty)"):
        read_table_file(path)


def test_a_gzip_bomb_is_stopped_at_the_limit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(table_file, "MAX_TABLE_BYTES", 1 << 22)
    path = tmp_path / "bomb.csv.gz"
    path.write_bytes(gzip.compress(b"id,age\n" + b"1,2\n" * 5_000_000))
    with pytest.raises(TableError, match=r"bomb\.csv\.gz is larger than"):
        read_table_file(path)


def test_every_format_gives_the_same_participants(tmp_path: Path) -> None:
    frame = pd.DataFrame({"id": ["001", "x 2"], "age": [50.5, np.nan]})
    frame.to_csv(tmp_path / "t.csv", index=False)
    frame.to_parquet(tmp_path / "t.parquet")
    frame.to_excel(tmp_path / "t.xlsx", index=False)
    frame.to_stata(tmp_path / "t.dta", write_index=False)
    for path in sorted(tmp_path.iterdir()):
        table = read_table_file(path)
        assert list(table.columns) == ["id", "age"], path
        assert table["id"].tolist() == ["001", "x 2"], path
        assert float(table["age"].iloc[0]) == 50.5, path


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "is empty"),
        (b"\xd0\xcf\x11\xe0" + b"\0" * 600, r"old Excel \.xls, or encrypted"),
        (b"PK\x03\x04 no archive", "is a damaged archive"),
        (b"PAR1 and nothing else PAR1", "is a damaged Parquet file"),
        (b"$FL2@(#) SPSS and nothing else", "is a damaged SPSS file"),
        (b"<stata_dta><header>", "is a damaged Stata file"),
        (b"\x72\x01\x01\x00", "is a damaged Stata file"),
        (b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", "NUL byte"),
    ],
)
def test_what_is_no_table_is_one_message(tmp_path: Path, content: bytes, message: str) -> None:
    path = tmp_path / "t.csv"
    path.write_bytes(content)
    with pytest.raises(TableError, match=message) as refusal:
        read_table_file(path)
    assert str(path) in str(refusal.value)


def test_missing_files_and_folders(tmp_path: Path) -> None:
    with pytest.raises(TableError, match="There is no file"):
        read_table_file(tmp_path / "nowhere.csv")
    with pytest.raises(TableError, match="is a folder"):
        read_table_file(tmp_path)
