import datetime
from decimal import Decimal

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from napari_latent_explorer.io.column_values import (
    ColumnValues,
    cell_text,
    code_text,
    coded,
    parse_dates,
    parse_numbers,
)


@pytest.mark.parametrize(
    ("cell", "text"),
    [
        (1, "1"),
        (1.0, "1"),
        (0.1, "0.1"),
        (1e300, "1e+300"),
        (True, "True"),
        (np.bool_(False), "False"),
        (" a ", "a"),
        (None, ""),
        (float("nan"), ""),
        (pd.NaT, ""),
        (datetime.date(2019, 3, 1), "2019-03-01"),
        (datetime.datetime(2019, 3, 1), "2019-03-01"),
        (pd.Timestamp("2019-03-01 10:11:12"), "2019-03-01 10:11:12"),
        (Decimal("1.50"), "1.50"),
        (float("inf"), "inf"),
        ("x" * 1000, "x" * 200 + "…"),
    ],
)
def test_every_cell_has_one_spelling(cell: object, text: str) -> None:
    assert cell_text(cell) == text


@pytest.mark.parametrize(
    ("text", "code"), [("1.0", "1"), ("-3.00", "-3"), ("1.50", "1.50"), ("v1.0", "v1.0"), ("1.", "1"), (".0", ".0")]
)
def test_codes(text: str, code: str) -> None:
    assert code_text(text) == code


def test_codes_are_found_however_they_are_spelt() -> None:
    assert coded(("-9", "-9.0", "9", "a"), ("-9", "a")).tolist() == [True, True, False, True]
    assert coded(("1",), ("1.0",)).tolist() == [True]


@pytest.mark.parametrize(
    ("texts", "numbers"),
    [
        (("1", "-2.5", "+3", ".5", "1e3", "5."), [1, -2.5, 3, 0.5, 1000, 5]),
        (("12,5", "1,234"), [12.5, 1.234]),
        (("1,234", "5,678,901"), [1234, 5678901]),
        (("1,234.5", "2"), [1234.5, 2]),
        (("1.234,5",), [1234.5]),
        (("0,912",), [0.912]),
        (("<5", "> 200", "≤0.3", "<= 7"), [5, 200, 0.3, 7]),
        (("55 %", "12%"), [55, 12]),
        (("a", "", "1_000", "0x10", "1e", "--1", "inf", "nan", "1e999", "1 2"), [np.nan] * 10),
    ],
)
def test_numbers(texts: tuple[str, ...], numbers: list[float]) -> None:
    np.testing.assert_array_equal(parse_numbers(texts), numbers)


def test_a_comma_before_three_digits_is_as_the_file_writes_numbers() -> None:
    assert parse_numbers(("1,234",)).tolist() == [1234]
    assert parse_numbers(("1,234",), prefers_decimal_comma=True).tolist() == [1.234]
    assert parse_numbers(("1,234", "1,234,567"), prefers_decimal_comma=True).tolist() == [1234, 1234567]


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_numbers_are_exact(number: float) -> None:
    assert parse_numbers((repr(number),)).tolist() == [number]
    assert parse_numbers((repr(number).replace(".", ","), "0,5")).tolist()[0] == number


@pytest.mark.parametrize(
    ("texts", "days"),
    [
        (("2019-03-01", "2019-3-1", "2019-03-01 10:00:00", "2019-03-01T10:00"), ["2019-03-01"] * 4),
        (("01.03.2019", "1.3.2019"), ["2019-03-01"] * 2),
        (("01/03/2019",), ["2019-03-01"]),
        (("01/03/2019", "25/03/2019"), ["2019-03-01", "2019-03-25"]),
        (("01/03/2019", "03/25/2019"), ["2019-01-03", "2019-03-25"]),
        (("2019-02-30", "32.01.2019", "2019", "03.2019", "12.5", "0000-01-01"), ["NaT"] * 6),
    ],
)
def test_dates(texts: tuple[str, ...], days: list[str]) -> None:
    np.testing.assert_array_equal(parse_dates(texts), np.array(days, dtype="datetime64[D]"))


@pytest.mark.parametrize("dtype", ["object", "string[pyarrow]", "category"])
def test_values_and_where_they_stand(dtype: str) -> None:
    column = pd.Series(["b", " a ", None, "NA", "b", "n/a", ""], dtype=dtype)
    values = ColumnValues.of(column)
    assert [values.texts[row] if row >= 0 else None for row in values.rows] == ["b", "a", None, None, "b", None, None]
    assert values.counts.tolist() == [2, 1]
    assert values.spread(np.array([10, 20]), -1).tolist() == [10, 20, -1, -1, 10, -1, -1]
    without = values.without({"b"})
    assert (without.texts, without.rows.tolist()) == (("a",), [-1, 0, -1, -1, -1, -1, -1])


def test_values_of_arrow_text() -> None:
    import pyarrow as pa

    column = pd.Series(["1", "1.0", "x", None, "x" * 500], dtype=pd.ArrowDtype(pa.string()))
    values = ColumnValues.of(column)
    assert values.texts == ("1", "1.0", "x", "x" * 200 + "…")
    assert values.rows.tolist() == [0, 1, 2, -1, 3]
