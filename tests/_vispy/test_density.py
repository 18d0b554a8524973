"""The density image, against numpy's histogram."""

import numpy as np
import pytest

from napari_latent_explorer._vispy.density import POINTS_PER_STEP, DensitySheet, paint_density
from napari_latent_explorer._vispy.point_grid import PointGrid, Rectangle

AREA, SHAPE = Rectangle(0.0, -1.0, 4.0, 1.0), (20, 40)
RED, BLUE = (1.0, 0.0, 0.0, 1.0), (0.0, 0.0, 1.0, 1.0)


def paint(points, rgba, kinds, sheets):
    work = paint_density(points, rgba, kinds, PointGrid(points).rows_near(AREA), sheets, AREA, SHAPE)
    n_steps = 0
    while True:
        try:
            next(work)
        except StopIteration as end:
            return end.value, n_steps
        n_steps += 1


def test_counts_are_those_of_a_histogram():
    rng = np.random.default_rng(0)
    points = rng.normal(size=(200_000, 2)) * (1.0, 0.4) + (2.0, 0.0)
    points[:100] = np.nan
    image, n_steps = paint(points, np.tile(RED, (200_000, 1)), np.ones(200_000, np.uint8), [DensitySheet(1, 0.8)])
    edges = [np.linspace(AREA.bottom, AREA.top, SHAPE[0] + 1), np.linspace(AREA.left, AREA.right, SHAPE[1] + 1)]
    counts = np.histogram2d(points[100:, 1], points[100:, 0], edges)[0]
    share = np.log1p(counts) / np.log1p(counts.max())
    expected = np.where(counts > 0, 0.8 * (0.35 + 0.65 * share), 0.0)
    np.testing.assert_allclose(image[..., 3] / 255, expected, atol=0.0021)
    np.testing.assert_array_equal(image[..., 0], image[..., 3])
    assert not image[..., 1:3].any()
    assert n_steps >= 199_900 // POINTS_PER_STEP  # whoever waits for it can do something else in between


def test_a_pixel_has_the_mean_colour_of_its_points():
    points = np.tile([[2.05, 0.05]], (4, 1))
    image, _ = paint(points, np.array([RED, RED, RED, BLUE]), np.zeros(4, np.uint8), [DensitySheet(0, 1.0)])
    (line,), (column,) = np.nonzero(image[..., 3])
    assert (line, column) == (10, 20)
    np.testing.assert_allclose(image[line, column] / 255, (0.75, 0.0, 0.25, 1.0), atol=0.003)


def test_upper_sheets_cover_lower_ones_by_their_opacity():
    points = np.tile([[2.05, 0.05]], (2, 1))
    sheets = [DensitySheet(0, 1.0, (0.0, 1.0, 0.0, 1.0)), DensitySheet(1, 0.5)]
    image, _ = paint(points, np.tile(RED, (2, 1)), np.array([0, 1], np.uint8), sheets)
    np.testing.assert_allclose(image[10, 20] / 255, (0.5, 0.5, 0.0, 1.0), atol=0.003)


@pytest.mark.parametrize("points", [np.empty((0, 2)), np.array([[99.0, 99.0]])])
def test_without_points_it_is_empty(points):
    image, _ = paint(points, np.empty((len(points), 4)), np.zeros(len(points), np.uint8), [DensitySheet(0, 1.0)])
    assert image.shape == (*SHAPE, 4)
    assert not image.any()
