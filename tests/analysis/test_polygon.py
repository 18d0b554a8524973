"""Points in polygons, against a definition of inside."""

import numpy as np
import pytest

from napari_latent_explorer.analysis.polygon import points_in_polygon

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
