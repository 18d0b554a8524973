"""Where hearts of several groups lie, so that each is as large as the canvas lets it be.

The hard idea: pictures have millimetres and words have pixels. How many columns fit best, and how far apart rows must
be for the words between them, both follow from the zoom at which all of it fills the canvas; so that zoom is computed
first, for each number of columns, and the one that shows the hearts largest is taken; a single row may be a little
smaller, for hearts on one level are easier to compare.
"""

from dataclasses import dataclass, replace

GAP_MM = 10.0
GAP_PX = 6.0
LINE_PX = 16.5
"""Height of a line of captions."""
CHARACTER_PX = 6.9
"""Width of a character of captions, on average."""
FILLED = 0.97
"""Of the canvas."""
LEAST_PX_PER_MM = 0.05
ONE_ROW_WORTH = 0.85
"""Of the largest zoom."""


@dataclass(frozen=True, slots=True)
class GroupPlaces:
    """A grid of groups; a group may have two hearts, one below the other.

    Attributes
    ----------
    corners_mm
        Row and column of the upper left corner of each group's upper heart.
    second_row_mm
        From an upper heart's corner down to that of the lower one.
    center_mm
        Row and column of the middle of all of it, words included.
    px_per_mm
        Zoom at which it fills the canvas.
    n_columns
        How many groups stand beside each other.
    """

    corners_mm: tuple[tuple[float, float], ...]
    second_row_mm: float
    center_mm: tuple[float, float]
    px_per_mm: float
    n_columns: int


def place_groups(
    n_groups: int,
    side_mm: tuple[float, float],
    canvas_px: tuple[int, int],
    n_lines: int,
    has_second_row: bool = False,
) -> GroupPlaces:
    """Lay out some groups.

    Parameters
    ----------
    n_groups
        At least one.
    side_mm
        Height and width of a heart's picture.
    canvas_px
        Height and width of the canvas.
    n_lines
        Of words above each upper heart; above a lower one there is one.
    has_second_row
        Whether each group has a lower heart.
    """
    words_px = n_lines * LINE_PX + GAP_PX + (LINE_PX + GAP_PX if has_second_row else 0.0)
    zooms = [
        _zoom(columns, -(-n_groups // columns), side_mm, canvas_px, words_px, 1 + has_second_row)
        for columns in range(1, n_groups + 1)
    ]
    n_columns = n_groups if zooms[-1] > ONE_ROW_WORTH * max(zooms) else 1 + zooms.index(max(zooms))
    zoom = zooms[n_columns - 1]
    second_mm = side_mm[0] + (LINE_PX + GAP_PX) / zoom
    step_mm = ((1 + has_second_row) * side_mm[0] + words_px / zoom, side_mm[1] + GAP_MM)
    corners = tuple((number // n_columns * step_mm[0], number % n_columns * step_mm[1]) for number in range(n_groups))
    n_rows = -(-n_groups // n_columns)
    above_mm = (n_lines * LINE_PX + GAP_PX) / zoom
    center = (n_rows * step_mm[0] / 2 - above_mm, (n_columns * step_mm[1] - GAP_MM) / 2)
    return GroupPlaces(corners, second_mm, center, zoom, n_columns)


def moved(places: GroupPlaces, right_mm: float) -> GroupPlaces:
    """Move all of it to the right."""
    corners = tuple((row, column + right_mm) for row, column in places.corners_mm)
    return replace(places, corners_mm=corners, center_mm=(places.center_mm[0], places.center_mm[1] + right_mm))


def _zoom(
    n_columns: int,
    n_rows: int,
    side_mm: tuple[float, float],
    canvas_px: tuple[int, int],
    words_px: float,
    n_hearts: int,
) -> float:
    """Pixels per millimetre at which so many columns and rows fill the canvas in height or in width."""
    height, width = (FILLED * size for size in canvas_px)
    by_width = width / (n_columns * side_mm[1] + (n_columns - 1) * GAP_MM)
    by_height = (height - n_rows * words_px) / (n_rows * n_hearts * side_mm[0])
    return max(LEAST_PX_PER_MM, min(by_width, by_height))
