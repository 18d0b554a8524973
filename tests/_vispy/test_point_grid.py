"""Points found by their place, against a look at all of them."""

import numpy as np
import pytest

from napari_latent_explorer._vispy.point_grid import PointGrid, Rectangle


def inside(points, area):
    x, y = points.T
    return np.flatnonzero((x >= area.left) & (x <= area.right) & (y >= area.bottom) & (y <= area.top))


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_everybody_in_an_area_is_found_and_few_others(dtype):
    rng = np.random.default_rng(0)
    points = (rng.normal(size=(20_000, 2)) * (40, 3) + (-500, 7)).astype(dtype)
    points[:50] = np.nan
    grid = PointGrid(points)
    assert grid.n_placed == 19_950
    for _ in range(20):
        (left, bottom), (width, height) = rng.uniform((-620, -2), (-400, 12)), rng.uniform((1, 0.1), (90, 6))
        area = Rectangle(left, bottom, left + width, bottom + height)
        found, wanted = grid.rows_near(area), inside(points, area)
        assert np.isin(wanted, found).all()
        one_cell = (np.nanmax(points, axis=0) - np.nanmin(points, axis=0)) / 200
        across, up = one_cell.tolist()
        around = Rectangle(left - across, bottom - up, left + width + across, bottom + height + up)
        assert np.isin(found, inside(points, around)).all()
        assert len(np.unique(found)) == len(found)


def test_rows_come_from_bottom_to_top():
    points = np.random.default_rng(1).uniform(size=(5_000, 2))
    y = points[PointGrid(points).rows_near(Rectangle(0, 0, 1, 1)), 1]
    assert len(y) == 5_000
    assert (np.diff(np.maximum.accumulate(y) - y) < 0.01).all()
    assert (np.maximum.accumulate(y) - y).max() < 0.01


def test_bounds_are_those_of_the_points_that_have_a_place():
    grid = PointGrid(np.array([[1.0, 5.0], [np.nan, 0.0], [3.0, 4.0]]))
    assert grid.bounds == Rectangle(1.0, 4.0, 3.0, 5.0)


@pytest.mark.parametrize("points", [np.empty((0, 2)), np.full((3, 2), np.nan), np.array([[2.0, 2.0]])])
def test_few_points_or_none(points):
    grid = PointGrid(points)
    assert len(grid.rows_near(Rectangle(0, 0, 4, 4))) == grid.n_placed
    assert len(grid.rows_near(Rectangle(10, 10, 14, 14))) == 0


def test_rectangles_grow_meet_and_hold_each_other():
    one = Rectangle(0, 0, 4, 2)
    assert one.grown(0.5) == Rectangle(-2, -1, 6, 3)
    assert one.common_with(Rectangle(3, -1, 9, 1)) == Rectangle(3, 0, 4, 1)
    assert one.common_with(Rectangle(7, 0, 9, 1)).width == 0
    assert one.grown(0.5).holds(one)
    assert not one.holds(one.grown(0.5))
