import pytest

from napari_latent_explorer.io.ukb_columns import (
    UkbColumn,
    choices,
    is_ukb_table,
    known_proposals,
    ukb_column,
    wanted_visit,
)


@pytest.mark.parametrize(
    ("name", "field", "instance", "array", "title"),
    [
        ("31-0.0", 31, 0, 0, ""),
        ("20002-2.33", 20002, 2, 33, ""),
        ("f.31.0.0", 31, 0, 0, ""),
        ("X31.0.0", 31, 0, 0, ""),
        ("n_21003_2_0", 21003, 2, 0, ""),
        ("ts_53_2_0", 53, 2, 0, ""),
        ("p31", 31, None, 0, ""),
        ("p21003_i2", 21003, 2, 0, ""),
        ("p20002_i2_a5", 20002, 2, 5, ""),
        ("p22009_a3", 22009, None, 3, ""),
        ("participant.p31", 31, None, 0, ""),
        ("LV ejection fraction | Instance 2(participant - p24103_i2)", 24103, 2, 0, "LV ejection fraction"),
        ("Sex(participant - p31)", 31, None, 0, "Sex"),
        ("lv_ejection_fraction_f24103_2_0", 24103, 2, 0, "lv ejection fraction"),
    ],
)
def test_columns(name: str, field: int, instance: int | None, array: int, title: str) -> None:
    assert ukb_column(name) == UkbColumn(name, field, instance, array, title)


@pytest.mark.parametrize(
    "name", ["eid", "sex", "31", "p", "pp31", "p31_", "31-0", "1.5", "f31", "p31_i2_b1", "9999999-0.0"]
)
def test_other_columns(name: str) -> None:
    assert ukb_column(name) is None


@pytest.mark.parametrize(
    ("names", "is_ukb"),
    [
        (["eid", "p31"], True),
        (["participant.eid"], True),
        (["id", "31-0.0"], True),
        (["id", "f.31.0.0"], True),
        (["Participant ID(participant - eid)"], True),
        (["id", "p31", "age"], False),  # could be anybody's
        (["id", "age"], False),
    ],
)
def test_tables(names: list[str], is_ukb: bool) -> None:
    assert is_ukb_table(names) == is_ukb


def columns(*names: str) -> list[UkbColumn]:
    found = [ukb_column(name) for name in names]
    return [column for column in found if column is not None]


def test_the_visit_is_the_wanted_one_else_imaging_else_baseline() -> None:
    assert wanted_visit(columns("50-0.0", "50-2.0", "50-3.0"), None) == 2
    assert wanted_visit(columns("50-0.0", "50-1.0"), None) == 0
    assert wanted_visit(columns("50-0.0", "50-2.0"), 3) == 3


@pytest.mark.parametrize(
    ("visit", "taken", "others"),
    [
        (2, ["50-2.0"], ["50-0.0", "50-3.0"]),
        (1, ["50-0.0"], ["50-2.0", "50-3.0"]),
        (3, ["50-3.0"], ["50-0.0", "50-2.0"]),
    ],
)
def test_the_latest_visit_that_is_not_after_the_wanted_one(visit: int, taken: list[str], others: list[str]) -> None:
    found = list(choices(columns("50-0.0", "50-2.0", "50-3.0"), visit))
    assert [[column.name for column in choice.columns] for choice in found if choice.is_taken] == [taken]
    assert [choice.columns[0].name for choice in found if not choice.is_taken] == others
    assert (found[0].note == "") == (visit != 1)


def test_later_visits_alone_are_not_taken() -> None:
    (choice,) = choices(columns("50-3.0"), 2)
    assert not choice.is_taken
    assert "repeat imaging (3)" in choice.note


def test_arrays_are_in_the_order_of_their_numbers() -> None:
    (choice,) = choices(columns("4080-2.1", "4080-2.0", "4080-2.10", "4080-2.2"), 2)
    assert [column.array for column in choice.columns] == [0, 1, 2, 10]


def test_a_diagnosis_is_dated_by_the_visit_if_the_table_tells_it() -> None:
    (dated, *_) = known_proposals(columns("131350-0.0", "53-0.0", "53-2.0"), 2)
    assert (dated.rule, dated.sources) == ("before", ("131350-0.0", "53-2.0"))
    (ever, *_) = known_proposals(columns("131350-0.0", "53-0.0"), 2)
    assert (ever.rule, ever.sources) == ("ever", ("131350-0.0",))
    assert "also after the visit" in ever.note


def test_medication_is_asked_of_women_and_men_in_two_fields() -> None:
    names = [p.sources for p in known_proposals(columns("6153-2.0", "6153-2.1", "6177-2.0"), 2)]
    assert names == [("6153-2.0", "6153-2.1", "6177-2.0")] * 3
