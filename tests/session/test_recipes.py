import numpy as np
import pytest
from memory_study import LinearBundle, decode_linearly, make_study

from napari_latent_explorer.errors import LatentExplorerError, StudyError
from napari_latent_explorer.session.explorer import Explorer
from napari_latent_explorer.session.filters import CategoryFilter, MapFilter, RangeFilter
from napari_latent_explorer.session.groups import overlaps
from napari_latent_explorer.session.json_fields import JsonFields
from napari_latent_explorer.session.recipe_exchange import (
    has_participants,
    recipe_from_fields,
    recipe_from_text,
    recipe_to_dict,
    recipe_to_text,
)

WOMEN = CategoryFilter("sex", frozenset({"female"}))
EVERYWHERE = ((-1e6, -1e6), (1e6, -1e6), (1e6, 1e6), (-1e6, 1e6))


@pytest.fixture
def other():
    """Make another explorer, of a study with 60 people of whom 40 have the same ids."""
    explorer = Explorer(decode_fn=decode_linearly)
    explorer.open(make_study(60), LinearBundle())
    explorer.jobs.cancel_all()
    yield explorer
    explorer.close()


def right_half(explorer: Explorer, modality: str = "mri") -> MapFilter:
    corners = ((0.0, -1e6), (1e6, -1e6), (1e6, 1e6), (0.0, 1e6))
    return MapFilter(modality, corners, explorer.projections[modality].fingerprint)


def test_a_group_by_filters_gives_in_another_study_who_passes_there(explorer: Explorer, other: Explorer) -> None:
    explorer.set_filter(WOMEN)
    explorer.set_filter(RangeFilter("age", 30, 100))
    group = explorer.create_group("Older women")
    assert group.participant_ids.tolist() == ["P30", "P32", "P34", "P36", "P38"]
    again = other.rerun_recipe(group.recipe, "Theirs")
    assert again.participant_ids.tolist() == [f"P{i}" for i in range(30, 60, 2)]
    assert again.recipe.describe() == group.recipe.describe() == "Sex: female; Age 30 to 100 years"
    assert other.active_group is again


def test_who_is_excluded_there_is_not_in_the_group(explorer: Explorer, other: Explorer) -> None:
    explorer.set_filter(RangeFilter("age", 0, 2))
    other.exclude(["P01"], "motion")
    again = other.rerun_recipe(explorer.create_group().recipe)
    assert again.participant_ids.tolist() == ["P00", "P02"]


def test_a_lasso_is_remembered_and_gives_the_same_people_again(explorer: Explorer) -> None:
    explorer.set_filter(WOMEN)
    explorer.select_inside(right_half(explorer))
    group = explorer.create_group("Right")
    assert group.recipe.origin == "lassos"
    assert group.recipe.describe() == "Sex: female; lasso on the MRI map"
    explorer.clear_filters()
    explorer.clear_selection()
    again = explorer.rerun_recipe(group.recipe)
    np.testing.assert_array_equal(again.participant_ids, group.participant_ids)


def test_a_lasso_means_nothing_on_the_map_of_another_study(explorer: Explorer, other: Explorer) -> None:
    explorer.select_inside(right_half(explorer))
    recipe = explorer.create_group().recipe
    with pytest.raises(StudyError, match=r"does not fit this study.*it was drawn on map"):
        other.rerun_recipe(recipe)
    assert other.groups == ()


def test_a_selection_that_lassos_alone_do_not_explain_is_by_hand(explorer: Explorer) -> None:
    explorer.select_inside(right_half(explorer))
    explorer.set_filter(RangeFilter("age", 15, 25))  # shrinks the selection for good
    explorer.clear_filters()
    assert explorer.create_group().recipe.origin == "by hand"
    explorer.select_inside(right_half(explorer))
    explorer.select([str(explorer.selection[0])], "toggle")
    assert explorer.create_group().recipe.origin == "by hand"


def test_a_group_by_hand_needs_its_people_in_the_other_study(explorer: Explorer, other: Explorer) -> None:
    other.select(["P50", "P51", "P02"])
    recipe = other.create_group().recipe
    with pytest.raises(StudyError, match="lacks 2 participants who were chosen by hand, P50, P51"):
        explorer.rerun_recipe(recipe)
    other.select(["P02", "P04"])
    again = explorer.rerun_recipe(other.create_group().recipe)
    assert again.participant_ids.tolist() == ["P02", "P04"]


def test_all_that_the_other_study_lacks_is_named(explorer: Explorer) -> None:
    small = make_study(20)
    small.people.phenotypes.drop(columns=["lvef"], inplace=True)
    specs = {name: spec for name, spec in small.people.specs.items() if name not in ("lvef", "diabetes")}
    object.__setattr__(small.people, "specs", specs)
    other = Explorer(decode_fn=decode_linearly)
    other.open(small)
    other.jobs.cancel_all()
    explorer.set_filter(RangeFilter("lvef", 60, 90))
    explorer.set_filter(CategoryFilter("diabetes", frozenset({"yes"})))
    with pytest.raises(StudyError, match=r"no phenotype 'lvef'.*no phenotype 'diabetes'"):
        other.rerun_recipe(explorer.create_group().recipe)
    other.close()


@pytest.mark.parametrize(
    ("kind", "members"),
    [
        ("union", ["P00", "P01", "P02", "P03", "P04"]),
        ("intersection", ["P02"]),
        ("difference", ["P00", "P01"]),
        ("complement", [f"P{number:02}" for number in range(5, 40)]),
    ],
)
def test_groups_are_put_together(explorer: Explorer, kind, members) -> None:
    explorer.create_group("A", ["P02", "P00", "P01"])
    explorer.create_group("B", ["P02", "P03", "P04"])
    group = explorer.combine_groups(kind, ["A", "B"], "Both")
    assert group.participant_ids.tolist() == members
    again = explorer.rerun_recipe(group.recipe)
    assert again.participant_ids.tolist() == members
    joint = {"union": "A or B", "intersection": "A and B", "difference": "A without B", "complement": "not in A or B"}
    assert group.recipe.describe() == joint[kind]


def test_what_cannot_be_put_together_is_refused(explorer: Explorer) -> None:
    explorer.create_group("A", ["P00"])
    explorer.create_group("B", ["P01"])
    for kind, names, words in (
        ("intersection", ["A", "B"], "has nobody in it"),
        ("union", ["A"], "at least two"),
        ("union", ["A", "C"], "no group 'C'"),
        ("complement", [], "needs a group"),
        ("xor", ["A", "B"], "Unknown set operation"),
    ):
        with pytest.raises(LatentExplorerError, match=words):
            explorer.combine_groups(kind, names)
    assert [group.name for group in explorer.groups] == ["A", "B"]


def test_overlaps_count_who_is_in_both(explorer: Explorer) -> None:
    assert overlaps((), explorer.cohort).shape == (0, 0)
    explorer.create_group("A", ["P00", "P01", "P02"])
    explorer.create_group("B", ["P02", "P03"])
    table = overlaps(explorer.groups, explorer.cohort)
    assert table.loc["A"].to_dict() == {"A": 3, "B": 1}
    assert table.loc["B"].to_dict() == {"A": 1, "B": 2}


def test_a_member_is_in_a_group_once_and_in_the_cohorts_order(explorer: Explorer) -> None:
    assert explorer.create_group("A", ["P05", "P01", "P05"]).participant_ids.tolist() == ["P01", "P05"]


def test_strangers_and_reasons_that_say_nothing_are_refused(explorer: Explorer) -> None:
    with pytest.raises(StudyError, match="no participant P98, P99"):
        explorer.exclude(["P00", "P98", "P99"], "motion")
    with pytest.raises(StudyError, match="Say why"):
        explorer.exclude(["P00"], "  ")
    with pytest.raises(StudyError, match="no participant P99"):
        explorer.restore_excluded(["P99"])
    with pytest.raises(StudyError, match="no participant P99"):
        explorer.create_group("A", ["P99"])
    assert len(explorer.excluded) == len(explorer.groups) == 0


def test_recipes_come_back_from_json(explorer: Explorer) -> None:
    explorer.set_filter(WOMEN)
    explorer.select_inside(right_half(explorer))
    explorer.create_group("A")
    explorer.create_group("B", ["P00", "P01"])
    explorer.combine_groups("union", ["A", "B"], "C")
    explorer.create_group("D", ["P08"])
    group = explorer.combine_groups("difference", ["C", "D"])
    problems: list[str] = []
    again = recipe_from_fields(JsonFields(recipe_to_dict(group.recipe), "", problems))
    assert problems == []
    assert recipe_to_dict(again) == recipe_to_dict(group.recipe)
    made = explorer.rerun_recipe(again)
    np.testing.assert_array_equal(made.participant_ids, group.participant_ids)


def test_a_complement_is_of_who_was_visible_and_keeps_to_the_filters_elsewhere(explorer: Explorer) -> None:
    explorer.create_group("A", ["P00", "P02"])
    explorer.set_filter(WOMEN)
    explorer.exclude(["P04"], "motion")
    group = explorer.combine_groups("complement", ["A"], "Rest")
    assert group.participant_ids.tolist() == [f"P{number:02}" for number in range(6, 40, 2)]
    explorer.clear_filters()
    explorer.restore_excluded()
    again = explorer.rerun_recipe(group.recipe)
    assert again.participant_ids.tolist() == [f"P{number:02}" for number in range(4, 40, 2)]


def test_a_recipe_goes_through_text_into_another_study(explorer: Explorer) -> None:
    explorer.set_filter(WOMEN)
    explorer.create_group('A; "b"')
    explorer.create_group("B", ["P00", "P01"])
    group = explorer.combine_groups("complement", ["B"], "C")
    for made, has_ids in ((explorer.groups[0], False), (explorer.groups[1], True), (group, True)):
        name, recipe = recipe_from_text(recipe_to_text(made.name, made.recipe))
        assert name == made.name
        assert has_participants(recipe) == has_participants(made.recipe) == has_ids
        np.testing.assert_array_equal(explorer.rerun_recipe(recipe).participant_ids, made.participant_ids)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "holds no recipe"),
        ("[" * 100_000, "holds no recipe"),
        ('{"schema": "another", "version": 1}', "holds no recipe"),
        ('{"schema": "napari-latent-explorer/recipe", "version": 1, "name": 3}', "damaged: name must be a text"),
    ],
    ids=["nothing", "deep", "another schema", "damaged"],
)
def test_text_that_is_no_recipe_is_refused(text: str, words: str) -> None:
    with pytest.raises(LatentExplorerError, match=words):
        recipe_from_text(text)
