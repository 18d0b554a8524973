"""What is compared, and that no result outlives what it was made of."""

import numpy as np
import pytest

from napari_latent_explorer.analysis.comparison import compare
from napari_latent_explorer.errors import LatentExplorerError
from napari_latent_explorer.session.comparing import JOB_NAME, Comparing
from napari_latent_explorer.session.filters import AllOf, CategoryFilter, Not, RangeFilter
from napari_latent_explorer.session.group_comparison import Comparison, chosen_by


@pytest.fixture
def comparing(explorer):
    return Comparing(explorer)


@pytest.fixture
def two(explorer):
    """Make the 20 youngest and, with 5 of them, the 25 oldest."""
    ids = explorer.cohort.participant_ids
    explorer.create_group("Young", ids[:20].tolist())
    explorer.create_group("Old", ids[15:].tolist())


def result_of(comparing) -> Comparison:
    job = comparing.start()
    assert job.wait(20.0)
    return comparing.result


def test_without_groups_there_is_nothing_to_compare(comparing):
    assert (comparing.group_a, comparing.request, comparing.start()) == (None, None, None)


def test_the_first_group_is_compared_with_the_rest_and_then_with_the_second(comparing, explorer):
    ids = explorer.cohort.participant_ids
    explorer.create_group("Young", ids[:20].tolist())
    assert (comparing.group_a.name, comparing.group_b) == ("Young", None)
    explorer.create_group("Old", ids[20:].tolist())
    assert (comparing.group_a.name, comparing.group_b.name) == ("Young", "Old")


def test_two_groups_are_compared_as_they_are_without_those_in_both(comparing, explorer, two):
    table = result_of(comparing).table
    ids = explorer.cohort.participant_ids
    assert (table.n_a, table.n_b, table.n_shared) == (15, 20, 5)
    expected = compare(explorer.cohort, ids[:15], ids[20:], "Young", "Old")
    np.testing.assert_array_equal([row.p for row in table.rows], [row.p for row in expected.rows])


def test_two_groups_keep_their_members_whatever_the_filters_but_lose_the_excluded(comparing, explorer, two):
    explorer.set_filter(CategoryFilter("sex", frozenset({"male"})))
    explorer.exclude(["P00", "P39"], "bad scan")
    result = result_of(comparing)
    assert (result.table.n_a, result.table.n_b) == (14, 19)
    assert (result.n_excluded, result.n_hidden) == (2, 0)


def test_against_the_rest_only_the_visible_count_on_both_sides(comparing, explorer, two):
    comparing.choose("Young")
    explorer.set_filter(CategoryFilter("sex", frozenset({"male"})))
    explorer.exclude(["P01"], "bad scan")
    result = result_of(comparing)
    assert (result.table.n_a, result.table.n_b) == (9, 10)
    assert (result.n_excluded, result.n_hidden) == (1, 10)
    assert result.table.name_b == "the rest"


def test_a_result_is_dropped_when_what_it_is_made_of_is_another(comparing, explorer, two):
    comparing.choose("Young")
    result_of(comparing)
    explorer.select(["P01"])
    assert comparing.result is not None
    for change in (
        lambda: explorer.set_filter(RangeFilter("age", 2.0, 30.0)),
        lambda: explorer.exclude(["P05"], "bad scan"),
        lambda: comparing.set_number_test("mann-whitney"),
        lambda: comparing.choose("Young", "Old"),
        comparing.swap,
        lambda: explorer.remove_group("Young"),
    ):
        change()
        assert comparing.result is None
        assert result_of(comparing) is not None


def test_filters_are_no_matter_to_two_groups(comparing, explorer, two):
    result = result_of(comparing)
    explorer.set_filter(RangeFilter("age", 2.0, 30.0))
    assert comparing.result is result
    assert comparing.start() is None


def test_what_comes_late_is_not_taken(comparing, explorer, two):
    request = comparing.request
    job = comparing.start()
    explorer.exclude(["P00"], "bad scan")
    assert job.wait(20.0)
    assert comparing.result is None
    assert not comparing.is_running
    comparing._on_compared(Comparison(request, None, "late", 0, 0))
    assert comparing.result is None


def test_a_job_that_is_cancelled_can_be_started_again(comparing, explorer, two):
    comparing.start()
    explorer.jobs.cancel_all()
    assert explorer.jobs.wait(20.0)
    if comparing.result is None:  # cancelled in time
        assert not comparing.is_running
        assert result_of(comparing).table is not None


def test_the_choice_follows_a_group_that_is_renamed_and_falls_back_when_it_is_removed(comparing, explorer, two):
    comparing.choose("Old", "Young")
    explorer.rename_group("Old", "Elderly")
    assert (comparing.group_a.name, comparing.group_b.name) == ("Elderly", "Young")
    explorer.remove_group("Young")
    assert (comparing.group_a.name, comparing.group_b) == ("Elderly", None)
    explorer.remove_group("Elderly")
    assert comparing.group_a is None


def test_the_choice_is_a_step_that_is_taken_back_and_repeated_by_the_script(comparing, explorer, two, study):
    comparing.choose("Old", "Young")
    comparing.set_number_test("mann-whitney")
    assert explorer.undo_text == "Test numbers by Mann-Whitney U test"
    explorer.undo()
    assert (explorer.undo_text, comparing.number_test) == ("Compare Old with Young", "welch")
    explorer.undo()
    assert (comparing.group_a.name, comparing.group_b.name) == ("Young", "Old")
    explorer.redo()
    explorer.rename_group("Old", "Elderly")
    explorer.remove_group("Young")
    explorer.undo()
    assert (comparing.group_a.name, comparing.group_b.name) == ("Elderly", "Young")
    lines = [line.strip() for line in explorer.script().splitlines()]
    assert "explorer.set_compared('Old', 'Young')" in lines
    namespace = {"__name__": "script"}
    exec(compile(explorer.script(), "script.py", "exec"), namespace)
    explorer.open(study)
    namespace["repeat"](explorer)
    assert (comparing.group_a.name, comparing.group_b.name) == ("Elderly", "Young")


def test_a_choice_that_came_by_undo_is_told_of(comparing, explorer, two):
    comparing.choose("Young")
    told = []
    comparing.changed.connect(lambda: told.append(comparing.group_b))
    explorer.undo()
    assert [group.name for group in told] == ["Old"]


def test_groups_turn_round(comparing, two):
    before = result_of(comparing).table.rows[2].effect.value
    comparing.swap()
    assert (comparing.group_a.name, comparing.group_b.name) == ("Old", "Young")
    assert result_of(comparing).table.rows[2].effect.value == pytest.approx(-before)


def test_no_group_is_compared_with_itself_or_with_a_stranger(comparing, two):
    with pytest.raises(LatentExplorerError, match="cannot be compared with itself"):
        comparing.choose("Old", "Old")
    with pytest.raises(LatentExplorerError, match="no group 'Middle'"):
        comparing.choose("Middle")


def test_where_there_is_no_rest_it_says_what_to_do(comparing, explorer):
    explorer.set_filter(CategoryFilter("sex", frozenset({"male"})))
    explorer.create_group("Men")
    assert "everybody who is visible" in result_of(comparing).problem
    assert "Clear the filters" in comparing.result.problem
    explorer.set_filter(CategoryFilter("sex", frozenset({"female"})))
    assert "Nobody of Men is visible" in result_of(comparing).problem
    explorer.clear_filters()
    assert result_of(comparing).table.n_b == 20
    explorer.remove_group("Men")
    explorer.create_group("All")
    assert "Compare it with another group" in result_of(comparing).problem


def test_groups_of_the_same_people_are_refused_in_words(comparing, explorer):
    for name in ("One", "Two"):
        explorer.create_group(name, ["P01", "P02", "P03"])
    assert "All 3 of One are in Two too" in result_of(comparing).problem


def test_the_phenotypes_that_chose_a_group_are_known_and_have_no_q(comparing, explorer):
    explorer.set_filter(RangeFilter("age", 0.0, 12.0))
    explorer.create_group("Young")
    explorer.clear_filters()
    explorer.create_group("Some", ["P30", "P31", "P32", "P33"])
    table = result_of(comparing).table
    assert table.chosen_by == {"age"}
    assert np.isnan(next(row.q for row in table.rows if row.spec.name == "age"))
    comparing.choose("Some")
    assert result_of(comparing).table.chosen_by == frozenset()


def test_groups_that_were_picked_by_hand_are_known_also_within_others(comparing, explorer):
    explorer.select(["P01", "P02", "P03"])
    explorer.create_group("Picked")
    explorer.clear_selection()
    explorer.create_group("Listed", ["P04", "P05"])
    assert comparing.request.drawn == ("Picked",)
    explorer.combine_groups("union", ["Picked", "Listed"], "Both")
    comparing.choose("Both", "Listed")
    assert comparing.request.drawn == ("Both",)


def test_only_filters_that_matter_are_told_of(comparing, explorer, two):
    result_of(comparing)
    told = []
    comparing.changed.connect(lambda: told.append(comparing.result is None))
    explorer.set_filter(RangeFilter("age", 2.0, 30.0))
    assert told == []
    comparing.choose("Young")
    explorer.set_filter(RangeFilter("age", 2.0, 31.0))
    explorer.exclude(["P20"], "bad scan")
    assert told == [True, True, True]


def test_recipes_of_groups_of_groups_are_looked_through(explorer):
    explorer.set_filter(AllOf((RangeFilter("age", 0.0, 30.0), Not(CategoryFilter("diabetes", frozenset({"yes"}))))))
    explorer.create_group("Young and healthy")
    explorer.clear_filters()
    explorer.set_filter(CategoryFilter("sex", frozenset({"male"})))
    explorer.create_group("Men")
    explorer.combine_groups("intersection", ["Young and healthy", "Men"], "Young men")
    assert chosen_by(explorer.groups[-1].recipe) == {"age", "diabetes", "sex"}


def test_another_study_forgets_all(comparing, explorer, two, study):
    result_of(comparing)
    explorer.open(study)
    assert explorer.jobs.wait(20.0)
    assert (comparing.group_a, comparing.result) == (None, None)


def test_it_tells_when_it_begins_and_ends_under_its_own_name(comparing, two):
    told = []
    comparing.changed.connect(lambda: told.append((comparing.is_running, comparing.result is not None)))
    job = comparing.start()
    assert job.name == JOB_NAME
    assert job.wait(20.0)
    assert told[0] == (True, False)
    assert told[-1] == (False, True)
