"""Points in polygons, against a definition of inside."""

import numpy as np
import pytest

from napari_latent_explorer.analysis.polygon import FEWEST_GRIDDED, points_in_polygon

SQUARE = [(0.0, 0.0), (2.0, 0.0), (2.0, 2.0), (0.0, 2.0)]


def test_a_square_holds_what_is_between_its_sides():
    points = np.random.default_rng(0).uniform(-1, 3, (500, 2)).astype(np.float32)
    expected = np.all((points > 0) & (points < 2), axis=1)
    np.testing.assert_array_equal(points_in_polygon(points, SQUARE), expected)


def test_a_lasso_around_a_circle_holds_the_disc():
    angles = np.linspace(0, 2 * np.pi, 720, endpoint=False)
    polygon = np.stack([np.cos(angles), np.sin(angles)], axis=1)
    points = np.random.default_rng(1).uniform(-1.5, 1.5, (2000, 2))
    radius = np.hypot(*points.T)
    clear = np.abs(radius - 1) > 1e-4  # a polygon of 720 sides is that near to its circle
    np.testing.assert_array_equal(points_in_polygon(points, polygon)[clear], (radius < 1)[clear])


def test_where_a_lasso_crosses_itself_the_middle_is_outside():
    pentagram = [(np.sin(4 * np.pi * k / 5), np.cos(4 * np.pi * k / 5)) for k in range(5)]
    assert not points_in_polygon(np.array([[0.0, 0.0]]), pentagram)[0]
    assert points_in_polygon(np.array([[0.0, 0.7]]), pentagram)[0]


def test_direction_does_not_matter():
    points = np.random.default_rng(2).uniform(-1, 3, (100, 2))
    np.testing.assert_array_equal(points_in_polygon(points, SQUARE), points_in_polygon(points, SQUARE[::-1]))


@pytest.mark.parametrize("polygon", [[], [(0, 0)], [(0, 0), (1, 1)], [(0, 0), (1, 1), (2, 2)]])
def test_what_encloses_nothing_holds_nothing(polygon):
    points = np.random.default_rng(3).uniform(0, 2, (50, 2))
    assert not points_in_polygon(points, np.array(polygon, float).reshape(-1, 2)).any()


def test_points_without_a_place_are_outside():
    points = np.array([[np.nan, 1.0], [1.0, np.nan], [1.0, 1.0]])
    assert points_in_polygon(points, SQUARE).tolist() == [False, False, True]


def even_odd(points, polygon):
    """Every point against every edge."""
    odd = np.zeros(len(points), bool)
    for (x0, y0), (x1, y1) in zip(polygon, np.roll(polygon, -1, axis=0), strict=True):
        crosses = (points[:, 1] > min(y0, y1)) & (points[:, 1] <= max(y0, y1))
        with np.errstate(all="ignore"):
            odd ^= crosses & (points[:, 0] < x0 + (points[:, 1] - y0) * ((x1 - x0) / (y1 - y0)))
    return odd


@pytest.mark.parametrize("n", [FEWEST_GRIDDED - 1, FEWEST_GRIDDED, 100_000])
@pytest.mark.parametrize("kind", ["star", "scribble", "sliver", "far", "comb"])
def test_many_points_are_where_each_edge_says(kind, n):
    """Also where cells are thin, where a lasso crosses itself, and where numbers are large beside their differences."""
    rng = np.random.default_rng(n)
    points = rng.normal(size=(n, 2))
    angles = np.linspace(0, 2 * np.pi, 200, endpoint=False)
    ring = np.stack([np.cos(angles), np.sin(angles)], axis=1)
    polygon = {
        "star": ring * (1 + 0.3 * np.sin(7 * angles) + 0.05 * rng.normal(size=200))[:, None],
        "scribble": np.cumsum(rng.normal(size=(300, 2)), axis=0) / 9,
        "sliver": ring * (2.0, 1e-4),
        "far": ring * 0.01 + 1e4,
        "comb": np.array([(x, y) for i in range(60) for x, y in ((i / 20 - 1.5, -1.0), (i / 20 - 1.49, 1.0))]),
    }[kind]
    if kind == "far":
        points = (points * 0.01 + 1e4).astype(np.float32)
    points[:50] = np.nan
    points[50:60] = np.inf
    points[60:260] = rng.permutation(polygon)[: min(200, len(polygon)), :][np.arange(200) % len(polygon)]
    inside = points_in_polygon(points, polygon)
    expected = even_odd(points.astype(np.float64), polygon)
    on_vertex = np.zeros(n, bool)
    on_vertex[60:260] = True  # a point on the line may fall to either side
    np.testing.assert_array_equal(inside[~on_vertex], expected[~on_vertex])
    assert kind == "comb" or inside.sum() > 50
