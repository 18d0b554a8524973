"""A column taken for another kind: nothing is lost silently, and what cannot be is said."""

import pandas as pd
import pytest

from napari_latent_explorer.errors import TableError
from napari_latent_explorer.io.column_conversion import phenotype_column
from napari_latent_explorer.io.column_correction import as_kind
from napari_latent_explorer.io.phenotype_columns import propose_columns


def proposal(table: pd.DataFrame, name: str):
    return next(one for one in propose_columns(table, "id") if name in one.sources)


def make_table(**columns: list[object]) -> pd.DataFrame:
    n_rows = len(next(iter(columns.values())))
    return pd.DataFrame({"id": [f"P{row}" for row in range(n_rows)], **columns}).astype(str)


def test_whole_numbers_that_count_become_continuous() -> None:
    table = make_table(children=[0, 1, 2, 3] * 10)
    drafted = proposal(table, "children")
    assert drafted.kind == "categorical"
    corrected = as_kind(table, drafted, "continuous")
    assert (corrected.kind, corrected.categories, corrected.is_kept) == ("continuous", (), True)
    assert phenotype_column(table, corrected).tolist()[:4] == [0.0, 1.0, 2.0, 3.0]


def test_texts_among_numbers_are_listed_as_missing() -> None:
    table = make_table(troponin=["0.5", "1.5", "not done"] * 4 + ["haemolysed"] * 3)
    corrected = as_kind(table, proposal(table, "troponin"), "continuous")
    assert set(corrected.missing_codes) == {"not done", "haemolysed"}
    assert corrected.n_missing == 7


def test_numbers_become_categories_in_their_order() -> None:
    table = make_table(site=["11002", "9001", "11010"] * 10)
    corrected = as_kind(table, proposal(table, "site"), "categorical")
    assert corrected.categories == ("9001", "11002", "11010")
    assert phenotype_column(table, corrected).tolist()[:3] == ["11002", "9001", "11010"]


def test_a_column_that_was_not_kept_is_kept_then() -> None:
    table = make_table(colour=[f"shade {number}" for number in range(20)] * 1)
    drafted = proposal(table, "colour")
    assert not drafted.is_kept
    assert as_kind(table, drafted, "categorical").is_kept


def test_labels_that_were_known_stay() -> None:
    table = make_table(flag=["0", "1"] * 10)
    drafted = proposal(table, "flag")
    assert drafted.categories == ("no", "yes")
    numbers = as_kind(table, drafted, "continuous")
    assert phenotype_column(table, numbers).tolist()[:2] == [0.0, 1.0]
    categories = as_kind(table, drafted, "categorical")
    assert categories.categories == ("no", "yes")
    assert phenotype_column(table, categories).tolist()[:2] == ["no", "yes"]


@pytest.mark.parametrize(
    ("values", "kind", "words"),
    [
        ([f"word {number}" for number in range(40)], "continuous", "no numbers"),
        ([f"word {number}" for number in range(40)], "categorical", "40 different values"),
        (["a", "b", "c"] * 10, "binary", "3 different values"),
        (["a"] * 10, "categorical", "1 different values"),
    ],
)
def test_what_cannot_be_is_said(values: list[object], kind: str, words: str) -> None:
    table = make_table(column=values)
    with pytest.raises(TableError, match=words):
        as_kind(table, proposal(table, "column"), kind)  # type: ignore[arg-type]


def test_a_diagnosis_of_two_columns_stays_a_yes_or_no() -> None:
    table = pd.DataFrame({"eid": ["1", "2"], "131350-0.0": ["2010-01-01", ""], "53-2.0": ["2015-01-01"] * 2})
    (drafted,) = [one for one in propose_columns(table, "eid") if one.rule == "before"]
    with pytest.raises(TableError, match="yes or no"):
        as_kind(table, drafted, "continuous")
