from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from napari_latent_explorer.errors import TableError
from napari_latent_explorer.io.column_conversion import phenotype_column, with_counts
from napari_latent_explorer.io.column_proposal import ColumnProposal

PRESSURE = ColumnProposal(("a", "b"), "pressure", "continuous", missing_codes=("-9",))
ANSWER = ColumnProposal(
    ("a", "b"), "af", "binary", categories=("no", "yes"), codes=(("1", "no"), ("4", "yes")), missing_codes=("-3",),
    rule="any",
)  # fmt: skip


def converted(proposal: ColumnProposal, **columns: list[object]) -> list[object]:
    table = pd.DataFrame({name: pd.Series(cells, dtype=object) for name, cells in columns.items()})
    column = phenotype_column(table, proposal)
    return [None if pd.isna(value) else value for value in column.tolist()]


def test_first_and_mean_of_several_readings() -> None:
    columns = {"a": ["120", "", "-9", "NA"], "b": ["130", "110", "100", "-9.0"]}
    assert converted(PRESSURE, **columns) == [120.0, 110.0, 100.0, None]
    assert converted(replace(PRESSURE, rule="mean"), **columns) == [125.0, 110.0, 100.0, None]


def test_one_of_several_answers() -> None:
    columns = {"a": ["4", "1", "1", "-3", "", "1|4", '["1","4"]', "No"], "b": ["", "4", "1", "", "", "", "", ""]}
    assert converted(ANSWER, **columns) == ["yes", "yes", "no", None, None, "yes", "yes", "no"]


def test_labels_and_codes_in_any_spelling() -> None:
    proposal = replace(ANSWER, rule="first")
    assert converted(proposal, a=["1.0", 4, "YES", "no", "-3.0"], b=[None] * 5) == ["no", "yes", "yes", "no", None]


def test_events_ever_and_before_a_visit() -> None:
    event = replace(ANSWER, sources=("event", "visit"), codes=(), missing_codes=("1900-01-01",), rule="before")
    days = ["2015-01-01", "2016-05-05", "2018-01-01", "", "1900-01-01", "2015-01-01"]
    visits = ["2016-05-05"] * 5 + [""]
    assert converted(event, event=days, visit=visits) == ["yes", "yes", "no", "no", None, None]
    ever = replace(event, sources=("event",), rule="ever")
    assert converted(ever, event=days) == ["yes", "yes", "yes", "no", None, "yes"]
    assert converted(replace(ever, missing_codes=()), event=days)[4] == "yes"


def test_numbers_are_floats_and_categories_keep_their_order() -> None:
    table = pd.DataFrame({"a": ["1", "2"], "b": ["", ""], "c": ["z", "y"]})
    assert phenotype_column(table, PRESSURE).dtype == np.float64
    ordered = ColumnProposal(("c",), "c", "categorical", categories=("z", "y", "x"))
    assert phenotype_column(table, ordered).cat.categories.tolist() == ["z", "y", "x"]


@pytest.mark.parametrize(
    ("proposal", "cell", "why"),
    [
        (PRESSURE, "high", "is not a number"),
        (ANSWER, "5", "neither among its codes and categories nor a missing code"),
        (ANSWER, "1|5", "neither among its codes"),
        (replace(ANSWER, rule="ever"), "soon", "is not a date"),
    ],
)
def test_a_value_that_nobody_named_is_never_lost(proposal: ColumnProposal, cell: str, why: str) -> None:
    table = pd.DataFrame({"a": ["", cell, cell], "b": ["", "", ""]})
    with pytest.raises(
        TableError, match=rf"1 values do not fit its kind .* '{cell.replace('|', '.')}' \(first in row 2\)"
    ):
        phenotype_column(table, proposal)
    with pytest.raises(TableError, match=why):
        phenotype_column(table, proposal)


def test_columns_that_the_table_lacks_are_named() -> None:
    with pytest.raises(TableError, match="'pressure' is made of columns that the table lacks: b"):
        phenotype_column(pd.DataFrame({"a": ["1"]}), PRESSURE)


def test_counts_are_of_what_comes_out() -> None:
    table = pd.DataFrame({"a": ["120", "-9", "130", "120"], "b": [""] * 4})
    counted = with_counts(table, PRESSURE)
    assert (counted.n_missing, counted.n_distinct, counted.examples) == (1, 2, ("120", "-9", "130"))
    text = with_counts(table, replace(PRESSURE, kind="text", is_kept=False))
    assert (text.n_missing, text.n_distinct) == (0, 3)
