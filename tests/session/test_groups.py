from napari_latent_explorer.session.coloring import CATEGORY_COLORS
from napari_latent_explorer.session.groups import free_color, free_name


def test_names_are_taken_in_turn_and_gaps_are_filled() -> None:
    assert free_name([]) == "Group A"
    assert free_name(["Group A", "Group C"]) == "Group B"
    assert free_name([f"Group {chr(ord('A') + i)}" for i in range(26)]) == "Group 27"


def test_colours_are_taken_in_turn_and_then_the_least_used() -> None:
    assert free_color([], CATEGORY_COLORS) == CATEGORY_COLORS[0]
    assert free_color(CATEGORY_COLORS[:2], CATEGORY_COLORS) == CATEGORY_COLORS[2]
    assert free_color([*CATEGORY_COLORS, CATEGORY_COLORS[0]], CATEGORY_COLORS) == CATEGORY_COLORS[1]
