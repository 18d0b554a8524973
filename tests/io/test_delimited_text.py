import csv
import io
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from napari_latent_explorer.errors import TableError
from napari_latent_explorer.io.delimited_text import read_delimited_text
from napari_latent_explorer.io.table_facts import facts_of

SIMPLE = "id,sex,note\n001,M,a b\n002,F,\n"


def cells(content: bytes) -> list[list[str]]:
    table = read_delimited_text(content, "t.csv")
    return [list(table.columns), *([str(cell) for cell in row] for row in table.itertuples(index=False))]


def test_every_cell_is_the_text_that_stands_in_the_file() -> None:
    assert cells(SIMPLE.encode()) == [["id", "sex", "note"], ["001", "M", "a b"], ["002", "F", ""]]
    exact = "id,x\n9007199254740993,0.10\n"
    assert cells(exact.encode())[1] == ["9007199254740993", "0.10"]


@pytest.mark.parametrize("separator", [",", "\t", ";", "|"])
@pytest.mark.parametrize("line_end", ["\n", "\r\n", "\r"])
def test_separators_and_line_ends(separator: str, line_end: str) -> None:
    written = line_end.join(["id" + separator + "LVM (g)", "007" + separator + "91", "008" + separator + "72"])
    assert cells(written.encode()) == [["id", "LVM (g)"], ["007", "91"], ["008", "72"]]


def test_decimal_commas_do_not_make_commas_the_separator() -> None:
    assert cells(b"id;a;b\n1;2,5;3,5\n2;1,5;4,5\n")[1] == ["1", "2,5", "3,5"]
    assert facts_of(read_delimited_text(b"id;a\n1;2,5\n", "t.csv")).has_decimal_comma


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "cp1252", "latin-1"])
def test_encodings(encoding: str) -> None:
    written = "id,größe\nå1,17\n"
    assert cells(written.encode(encoding)) == [["id", "größe"], ["å1", "17"]]


def test_an_encoding_that_had_to_be_guessed_is_said() -> None:
    assert (
        facts_of(read_delimited_text("id,größe\n1,2\n".encode("cp1252"), "t.csv"))
        .notes[0]
        .startswith("t.csv is not UTF-8; it was read as cp1252")
    )
    assert not facts_of(read_delimited_text("id,größe\n1,2\n".encode(), "t.csv")).notes


def test_quoted_cells_may_hold_separators_quotes_and_line_ends() -> None:
    written = 'id,text\n1,"a, ""b""\nc"\n2,d\n'
    assert cells(written.encode())[1:] == [["1", 'a, "b"\nc'], ["2", "d"]]
    assert cells(b'id,height\n1,5" 3\n2,6"\n3,6"\n')[1] == ["1", '5" 3']  # inches, in the middle of a cell


def test_columns_without_a_name_are_called_by_their_place() -> None:
    assert cells(b",age,\n1,50,x\n")[0] == ["column 1", "age", "column 3"]


@pytest.mark.parametrize("written", [b"id,age\n", b"id,age", b"\n\nid,age\n\n"])
def test_a_table_may_have_no_rows(written: bytes) -> None:
    assert cells(written) == [["id", "age"]]


@pytest.mark.parametrize(
    ("written", "message"),
    [
        (b"", "t.csv is empty"),
        (b" \n\n", "t.csv is empty"),
        (b"id,age\n1,50\n2\n", "Line 3 of t.csv has 1 cells, its header 2"),
        (b"id,age\n1,50,3\n", "Line 2 of t.csv has 3 cells, its header 2"),
        (b'id,age\n1,"5\n0"\n2,3,4\n', "Line 4 of t.csv has 3 cells"),  # the quoted line end counts as a line
        (b"id,age,id\n1,2,3\n", "1 column names occur more than once, e.g. 'id' in columns 1, 3"),
        (b"id,age\n1,5\x000\n", "NUL byte in line 2"),
        (b'id,age\n1,"50\n2,60\n', "quote .* in line 2 of t.csv is never closed"),
    ],
)
def test_what_is_wrong_is_named_with_its_line(written: bytes, message: str) -> None:
    with pytest.raises(TableError, match=message):
        read_delimited_text(written, "t.csv")


def test_more_columns_than_anybody_has_are_refused() -> None:
    header = ",".join(f"c{number}" for number in range(100_001))
    with pytest.raises(TableError, match="has 100001 columns; at most 100000"):
        read_delimited_text(header.encode(), "t.csv")


def test_a_cell_longer_than_pythons_csv_takes() -> None:
    assert cells(b"id,x\n1," + b"x" * 200_000 + b"\n")[1] == ["1", "x" * 200_000]
    with pytest.raises(TableError, match=r"first line of t\.csv is no header"):
        read_delimited_text(b"x" * 200_000 + b",y\n1,2\n", "t.csv")


def test_thousands_of_columns() -> None:
    header = ",".join(f"{number}-0.0" for number in range(20_000))
    table = read_delimited_text(f"{header}\n{','.join(['7'] * 20_000)}\n".encode(), "t.csv")
    assert table.shape == (1, 20_000)
    assert table.iloc[0, 19_999] == "7"


CELL = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0\r"), max_size=12)


@given(rows=st.lists(st.tuples(CELL, CELL, CELL), max_size=6), separator=st.sampled_from(",;\t|"))
def test_what_python_writes_comes_back(rows: list[tuple[str, str, str]], separator: str) -> None:
    stream = io.StringIO()
    writer = csv.writer(stream, delimiter=separator, quoting=csv.QUOTE_ALL, lineterminator="\n")
    writer.writerows([("id", "first column", "second"), *rows])
    table = read_delimited_text(stream.getvalue().encode(), "t.csv")
    assert [tuple(row) for row in table.itertuples(index=False)] == rows


@given(st.binary(max_size=400))
def test_no_bytes_do_more_than_be_refused(content: bytes) -> None:
    with suppress(TableError):
        assert len(read_delimited_text(content, "t.csv").columns) > 0
