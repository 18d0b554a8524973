"""What is drawn as discs, and what as an image."""

import numpy as np
import pytest

from napari_latent_explorer._vispy.draw_plan import EVERYWHERE, HIDDEN, PLAIN, SELECTED, plan_drawing
from napari_latent_explorer._vispy.point_grid import PointGrid, Rectangle

POINTS = np.random.default_rng(0).uniform(size=(10_000, 2))
GRID = PointGrid(POINTS)
WHOLE = Rectangle(-0.1, -0.1, 1.1, 1.1)


def kinds_of(n_selected, n_plain):
    kinds = np.full(len(POINTS), HIDDEN, np.uint8)
    kinds[: n_selected + n_plain] = PLAIN
    kinds[:n_selected] = SELECTED
    return kinds


@pytest.mark.parametrize(
    ("n_selected", "n_plain", "most_points", "n_image_sheets"),
    [
        (0, 10_000, 10_000, 0),
        (0, 10_000, 9_999, 2),
        (1_000, 9_000, 9_999, 2),
        (1_000, 9_000, 999, 3),
        (1_000, 4_000, 5_000, 1),
        (0, 0, 10_000, 0),
    ],
)
def test_the_budget_is_spent_from_the_top(n_selected, n_plain, most_points, n_image_sheets):
    kinds = kinds_of(n_selected, n_plain)
    plan = plan_drawing(GRID, kinds, WHOLE, 300.0, most_points)
    assert plan.n_image_sheets == n_image_sheets
    for kind, rows in zip(range(n_image_sheets, 3), plan.rows, strict=True):
        np.testing.assert_array_equal(np.sort(rows), np.flatnonzero(kinds == kind))


def test_who_comes_near_sees_points_again():
    kinds = kinds_of(0, len(POINTS))
    near = Rectangle(0.4, 0.4, 0.5, 0.5)
    plan = plan_drawing(GRID, kinds, near, 3000.0, 1_000)
    assert plan.n_image_sheets == 0
    in_view = np.flatnonzero(((POINTS > 0.4) & (POINTS < 0.5)).all(axis=1))
    assert np.isin(in_view, plan.rows[PLAIN]).all()
    assert len(plan.rows[PLAIN]) < 1_000


def test_a_plan_suffices_within_its_area_and_an_image_at_its_magnification():
    kinds, near = kinds_of(0, len(POINTS)), Rectangle(0.4, 0.4, 0.5, 0.5)
    moved, zoomed = Rectangle(0.41, 0.39, 0.51, 0.49), Rectangle(0.42, 0.42, 0.48, 0.48)
    with_discs, with_image = (plan_drawing(GRID, kinds, near, 3000.0, most) for most in (1_000, 10))
    assert with_discs.suffices_for(moved, 3000.0)
    assert with_discs.suffices_for(zoomed, 5000.0)
    assert with_image.suffices_for(moved, 3000.0)
    assert not with_image.suffices_for(zoomed, 5000.0)
    assert not with_discs.suffices_for(WHOLE, 3000.0)


def test_all_points_in_view_need_no_second_plan():
    plan = plan_drawing(GRID, kinds_of(0, len(POINTS)), WHOLE, 300.0, 10)
    assert plan.area == EVERYWHERE
    up, across = plan.image_shape
    assert (up, across) == pytest.approx((1.02 * 300 / 2, 1.02 * 300 / 2), abs=1)
    assert plan.unit_per_pixel[0] * across == pytest.approx(plan.image_area.width)
