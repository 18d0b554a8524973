"""The grid of groups: no two overlap, words have room, and all fits the canvas."""

import itertools

import pytest

from napari_latent_explorer._napari.group_places import GAP_PX, LINE_PX, place_groups

SIDE_MM = (172.8, 180.0)
CANVASES = [(504, 525), (1000, 1600), (300, 1200), (900, 300)]


@pytest.mark.parametrize("canvas_px", CANVASES, ids=str)
@pytest.mark.parametrize("n_groups", [1, 2, 3, 7, 12])
@pytest.mark.parametrize("has_second_row", [False, True], ids=["one heart", "two hearts"])
def test_all_hearts_and_words_lie_on_the_canvas_and_none_on_another(canvas_px, n_groups, has_second_row) -> None:
    n_lines = 3
    places = place_groups(n_groups, SIDE_MM, canvas_px, n_lines, has_second_row)
    zoom, (row, column) = places.px_per_mm, places.center_mm
    hearts = [(corner, n_lines) for corner in places.corners_mm]
    if has_second_row:
        hearts += [((corner[0] + places.second_row_mm, corner[1]), 1) for corner in places.corners_mm]
    boxes_px = [
        (
            (top - row) * zoom + canvas_px[0] / 2 - lines * LINE_PX,
            (top - row + SIDE_MM[0]) * zoom + canvas_px[0] / 2,
            (left - column) * zoom + canvas_px[1] / 2,
            (left - column + SIDE_MM[1]) * zoom + canvas_px[1] / 2,
        )
        for (top, left), lines in hearts
    ]
    for top, bottom, left, right in boxes_px:
        assert top >= 0
        assert bottom <= canvas_px[0]
        assert left >= 0
        assert right <= canvas_px[1]
    for one, other in itertools.combinations(boxes_px, 2):
        is_apart = one[1] <= other[0] or other[1] <= one[0] or one[3] <= other[2] or other[3] <= one[2]
        assert is_apart, (one, other)


def test_the_columns_follow_the_canvas() -> None:
    assert place_groups(3, SIDE_MM, (300, 1200), 2).n_columns == 3
    assert place_groups(3, SIDE_MM, (1200, 300), 2).n_columns == 1
    assert place_groups(12, SIDE_MM, (900, 1200), 2).n_columns == 4


def test_a_lower_heart_has_room_for_its_caption() -> None:
    places = place_groups(2, SIDE_MM, (600, 600), 2, has_second_row=True)
    assert (places.second_row_mm - SIDE_MM[0]) * places.px_per_mm == pytest.approx(LINE_PX + GAP_PX)
