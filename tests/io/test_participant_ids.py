from collections import Counter

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from napari_latent_explorer.io.participant_ids import IdMatch, id_texts, match_ids, usable_rows


@pytest.mark.parametrize(
    ("cell", "text"),
    [
        ("001", "001"),
        (" 7 ", "7"),
        (1000001.0, "1000001"),
        ("1000001.0", "1000001"),
        (9007199254740993, "9007199254740993"),
        (np.int64(5), "5"),
        ("5.5", "5.5"),
        ("", None),
        ("NA", None),
        (None, None),
        (float("nan"), None),
        (pd.NA, None),
    ],
)
def test_ids_are_names(cell: object, text: str | None) -> None:
    assert id_texts(pd.Series([cell], dtype=object)).tolist() == [text]


def test_equal_rows_become_one_and_different_rows_nobody() -> None:
    table = pd.DataFrame(
        {
            "id": ["a", "b", "b", "c", "c", None, " a", "d"],
            "age": [50, 60, 60, 70, 71, 80, 50, np.nan],
            "note": [None, "x", "x", "y", "y", "z", None, ""],
        }
    )
    rows, ids, report = usable_rows(table, "id")
    assert ids.tolist() == ["a", "b", "d"]
    assert rows.tolist() == [0, 1, 7]
    assert (report.n_rows, report.n_participants) == (8, 3)
    found = {finding.what: (finding.n, finding.examples) for finding in report.findings}
    assert found == {
        "rows without an id": (1, ("row 6",)),
        "ids with several equal rows": (2, ("a", "b")),
        "ids with several different rows": (1, ("c",)),
    }
    assert "1 ids with several different rows (e.g. c): left out" in str(report)


def test_a_clean_table_has_no_findings() -> None:
    rows, ids, report = usable_rows(pd.DataFrame({"id": ["2", "1"], "x": [1, 2]}), "id")
    assert (rows.tolist(), ids.tolist(), report.findings) == ([0, 1], ["2", "1"], ())


@given(st.lists(st.tuples(st.sampled_from(["a", "b", "c", ""]), st.integers(0, 1)), max_size=12))
def test_each_row_is_accounted_for(rows: list[tuple[str, int]]) -> None:
    table = pd.DataFrame(rows, columns=["id", "x"])
    kept, ids, report = usable_rows(table, "id")
    values: dict[str, set[int]] = {}
    for name, x in rows:
        values.setdefault(name, set()).add(x)
    unambiguous = {name for name, seen in values.items() if name and len(seen) == 1}
    assert set(ids.tolist()) == unambiguous
    assert len(ids) == len(unambiguous)
    assert [table["id"][row] for row in kept] == ids.tolist()
    counted = Counter({finding.what: finding.n for finding in report.findings})
    assert counted["rows without an id"] == sum(not name for name, _ in rows)
    assert counted["ids with several different rows"] == sum(bool(n) and len(v) > 1 for n, v in values.items())


def test_ids_of_a_table_and_of_files() -> None:
    match = match_ids(["001", "b", "3", "e"], ["1", "B", "c", "3"])
    assert match.matched == (("001", "1"), ("b", "B"), ("3", "3"))
    assert (match.only_in_table, match.only_in_files) == (("e",), ("c",))
    assert match.notes == ("2 ids were matched although they are not spelt alike (e.g. 001 and 1, b and B).",)
    assert [str(finding) for finding in match.findings()] == [
        "1 ids of the table without a recording (e.g. e): kept, without recordings",
        "1 ids of recordings that the table lacks (e.g. c): left out; add them to the table",
    ]


def test_an_id_that_could_mean_several_is_not_guessed() -> None:
    match = match_ids(["01", "1", "7"], ["001", "7"])
    assert match.matched == (("7", "7"),)
    assert (match.only_in_table, match.only_in_files) == (("01", "1"), ("001",))
    assert match.notes == ("1 ids could mean several and were not matched (01 or 1 and 001).",)


def test_an_equal_id_wins_over_a_similar_one() -> None:
    assert match_ids(["01", "1"], ["1"]).matched == (("1", "1"),)
    assert match_ids(["1"], ["1", "001"]) == IdMatch((("1", "1"),), (), ("001",))


IDS = st.lists(st.text("01ab", min_size=1, max_size=3), max_size=8)


@given(IDS, IDS)
def test_nobody_is_lost_or_taken_twice(table: list[str], found: list[str]) -> None:
    match = match_ids(table, found)
    mine, theirs = zip(*match.matched, strict=True) if match.matched else ((), ())
    assert sorted([*mine, *match.only_in_table]) == sorted(set(table))
    assert sorted([*theirs, *match.only_in_files]) == sorted(set(found))
