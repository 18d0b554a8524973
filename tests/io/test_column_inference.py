import pandas as pd
import pytest

from napari_latent_explorer.io.column_inference import propose_column
from napari_latent_explorer.io.column_proposal import ColumnProposal
from napari_latent_explorer.io.column_values import ColumnValues
from napari_latent_explorer.io.table_facts import ColumnFacts


def propose(name: str, cells: list[object], facts: ColumnFacts | None = None) -> ColumnProposal:
    return propose_column(name, ColumnValues.of(pd.Series(cells, dtype=object)), facts or ColumnFacts())


@pytest.mark.parametrize(
    ("name", "cells", "kind", "unit"),
    [
        ("LVM (g)", ["91.5", "70", "120.25"], "continuous", "g"),
        ("lvedv_ml", [150, 160.5, None], "continuous", "ml"),
        ("x", ["12,5", "3,25"], "continuous", ""),
        ("crp", ["<5", "7", "12"], "continuous", ""),
        ("children", [0, 1, 2, 3] * 5, "categorical", ""),
        ("children", [0, 1, 2, 3] * 4, "continuous", ""),  # four times each is too seldom
        ("grade (mm)", [0, 1, 2, 3] * 5, "continuous", "mm"),
        ("af", [0, 1, 0, 1, None], "binary", ""),
        ("af", ["yes", "no"], "binary", ""),
        ("af", ["ja", "nein"], "binary", ""),
        ("af", [True, False], "binary", ""),
        ("sex", ["M", "F"], "binary", ""),
        ("scanner", ["A", "B"] * 3, "binary", ""),
        ("site", ["A", "B", "C"] * 2, "categorical", ""),
        ("site", ["A", "B", "C"], "text", ""),
        ("visit", ["2019-03-01", "2020-01-01"], "date", ""),
        ("visit", ["01.03.2019", "02.03.2019"], "date", ""),
        ("nothing", ["", None, "NA"], "empty", ""),
        ("Accession number", [10001, 10002, 10003], "id", ""),
        ("OriginalID", ["SC-1", "SC-2"], "text", ""),
        ("original id", ["SC-1", "SC-2", "SC-3"], "id", ""),
        ("constant", [1, 1, 1], "continuous", ""),
        ("constant", ["a", "a", "a"], "text", ""),
    ],
)
def test_kinds(name: str, cells: list[object], kind: str, unit: str) -> None:
    proposal = propose(name, cells)
    assert (proposal.kind, proposal.unit) == (kind, unit)
    kept = kind in ("continuous", "binary", "categorical") and name != "constant"
    assert proposal.is_kept == kept
    assert proposal.note


@pytest.mark.parametrize(
    ("name", "cells", "categories"),
    [
        ("af", ["Yes", "No"], ("No", "Yes")),
        ("af", ["present", "absent"], ("absent", "present")),
        ("af", [1, 0], ("no", "yes")),
        ("status", [2, 1, 1, 2], ("1", "2")),
        ("sex", [1, 0], ("0", "1")),  # who is female is not guessed
        ("Sex", [2, 1], ("1", "2")),
        ("sex", ["w", "m"], ("w", "m")),
        ("gender", ["Male", "Female"], ("Female", "Male")),
        ("nyha", [10, 9, 2] * 6, ("2", "9", "10")),
        ("site", ["b", "C", "a"] * 2, ("a", "b", "C")),
        ("site", ["a", "A", "b", "c"] * 2, ("a", "b", "c")),
    ],
)
def test_categories_and_their_order(name: str, cells: list[object], categories: tuple[str, ...]) -> None:
    assert propose(name, cells).categories == categories


def test_spellings_that_differ_in_case_are_one_category() -> None:
    proposal = propose("site", ["a", "A", "b", "c"] * 2)
    assert dict(proposal.codes) == {"A": "a"}
    assert "letter case" in proposal.note


def test_codes_of_no_and_yes() -> None:
    assert dict(propose("af", [0, 1]).codes) == {"0": "no", "1": "yes"}


@pytest.mark.parametrize(
    ("cells", "missing", "doubtful"),
    [
        ([55, 61, -9, 70, -9], ("-9",), ()),  # the only negative number
        ([55, 61, -9, -99, 70], ("-9", "-99"), ()),
        ([-3, 61, -9, 70], (), ("-9",)),  # other negative numbers: it may be one of them
        ([55, 61, 999, 70], (), ("999",)),
        ([55, 61, 99, 70], (), ()),  # an age of 99 is none too far
        ([950, 961, 999, 970], (), ()),
        ([55, 61, "refused", *range(20)], ("refused",), ()),
    ],
)
def test_codes_that_mean_or_may_mean_missing(
    cells: list[object], missing: tuple[str, ...], doubtful: tuple[str, ...]
) -> None:
    proposal = propose("x", cells)
    assert proposal.kind == "continuous"
    assert (proposal.missing_codes, proposal.doubtful_codes) == (missing, doubtful)
    for code in (*missing, *doubtful):
        assert f"{code} (" in proposal.note  # each with its count


def test_words_that_may_mean_missing_are_shown_and_kept() -> None:
    proposal = propose("stage", ["I", "II", "unknown"] * 3)
    assert proposal.categories == ("I", "II", "unknown")
    assert proposal.doubtful_codes == ("unknown",)
    assert "may mean missing, but taken as a category: unknown (3)" in proposal.note


def test_limits_are_said() -> None:
    assert "limits, taken as the number itself: <5 (2)" in propose("crp", ["<5", "<5", "7"]).note


def test_too_many_words_among_the_numbers_are_text() -> None:
    assert propose("x", [1, 2, 3, "a", "b", "c"]).kind == "text"


def test_the_files_own_labels_and_missing_codes_come_first() -> None:
    labels = (("0", "never"), ("1", "previous"), ("2", "current"))
    facts = ColumnFacts("Smoking status", labels, ("9",))
    proposal = propose("smok", [0, 2, 9, 1.0], facts)
    assert (proposal.kind, proposal.label) == ("categorical", "Smoking status")
    assert proposal.categories == ("never", "previous", "current")
    assert dict(proposal.codes) == dict(labels)
    assert proposal.missing_codes == ("9",)
    assert "missing by the table's own word: 9" in proposal.note


def test_labels_of_some_numbers_only_are_doubtful_codes() -> None:
    proposal = propose("age", [50, 60.5, 999], ColumnFacts(value_labels=(("999", "not asked"),)))
    assert proposal.kind == "continuous"
    assert proposal.doubtful_codes == ("999",)


def test_labels_that_occur_twice_are_told_apart() -> None:
    facts = ColumnFacts(value_labels=(("1", "other"), ("2", "other"), ("3", "third")))
    assert propose("x", [1, 2, 3], facts).categories == ("other (1)", "other (2)", "third")
