import io
from contextlib import suppress

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from napari_latent_explorer.errors import TableError
from napari_latent_explorer.io import parquet_table
from napari_latent_explorer.io.column_values import ColumnValues
from napari_latent_explorer.io.parquet_table import read_parquet_table
from napari_latent_explorer.io.table_facts import facts_of


def written(table: pa.Table, **options: object) -> io.BytesIO:
    stream = io.BytesIO()
    pq.write_table(table, stream, **options)
    return stream


def texts(table: pa.Table, name: str) -> list[str | None]:
    values = ColumnValues.of(read_parquet_table(written(table), "t.parquet")[name])
    return [values.texts[row] if row >= 0 else None for row in values.rows]


@pytest.mark.parametrize(
    ("array", "expected"),
    [
        (pa.array([9007199254740993, None, -1], pa.int64()), ["9007199254740993", None, "-1"]),
        (pa.array([1.5, None, 3.0]), ["1.5", None, "3"]),
        (pa.array([True, None, False]), ["True", None, "False"]),
        (pa.array(["001", None, " é "]), ["001", None, "é"]),
        (pa.array(["b", "a", "b"]).dictionary_encode(), ["b", "a", "b"]),
        (pa.array([18000, None], pa.date32()), ["2019-04-14", None]),
        (pa.array([None, None], pa.null()), [None, None]),
        (pa.array([1, 2], pa.uint8()), ["1", "2"]),
    ],
)
def test_types(array: pa.Array, expected: list[str | None]) -> None:
    assert texts(pa.table({"x": array}), "x") == expected


def test_pandas_index_of_ids_is_a_column() -> None:
    stream = io.BytesIO()
    pd.DataFrame({"age": [50]}, index=pd.Index(["007"], name="eid")).to_parquet(stream)
    assert set(read_parquet_table(stream, "t.parquet").columns) == {"eid", "age"}


def test_nested_columns_are_left_out_and_named() -> None:
    table = read_parquet_table(written(pa.table({"id": ["a"], "list": [[1, 2]]})), "t.parquet")
    assert list(table.columns) == ["id"]
    assert "left out: list" in facts_of(table).notes[0]


def test_a_text_repeated_a_million_times_stays_small() -> None:
    long = pa.DictionaryArray.from_arrays(pa.array([0] * 300_000, pa.int32()), pa.array(["x" * 100_000]))
    stream = written(pa.table({"id": pa.array(range(300_000)), "text": long}))
    assert stream.tell() < 4_000_000
    table = read_parquet_table(stream, "t.parquet")  # 30 GB, were each text written out
    assert table["text"].memory_usage(deep=True) < 4_000_000


def test_more_cells_than_the_limit_are_refused_unread(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parquet_table, "MAX_CELLS", 1000)
    with pytest.raises(TableError, match="announces 501 rows of 2 columns; at most 1000 cells"):
        read_parquet_table(written(pa.table({"id": range(501), "x": range(501)})), "t.parquet")


def test_columns_called_alike_are_refused() -> None:
    with pytest.raises(TableError, match=r"occur more than once, e\.g\. 'x'"):
        read_parquet_table(written(pa.table([pa.array([1]), pa.array([2])], names=["x", "x"])), "t.parquet")


@pytest.mark.parametrize("step", [3, 7, 11])
def test_flipped_bytes_are_read_or_refused(step: int) -> None:
    whole = bytearray(written(pa.table({"id": ["a", "b"], "x": [1.0, 2.0]})).getvalue())
    for place in range(0, len(whole), step):
        damaged = bytearray(whole)
        damaged[place] ^= 0xFF
        with suppress(TableError):
            assert len(read_parquet_table(io.BytesIO(damaged), "t.parquet")) < 1000
