"""A curve arrives in Qt point by point as it was."""

import numpy as np

from napari_latent_explorer._qt.polyline import bent, make_polyline


def test_points_arrive_as_they_were():
    x, y = np.random.default_rng(0).normal(size=(2, 600))
    polygon = make_polyline(x, y)
    arrived = [(point.x(), point.y()) for point in map(polygon.at, range(600))]
    assert arrived == list(zip(x.tolist(), y.tolist(), strict=True))


def test_a_curve_of_no_points_is_empty():
    assert make_polyline(np.zeros(0), np.zeros(0)).isEmpty()


def test_a_thinned_curve_is_the_same_to_a_sixth_of_a_pixel_and_far_shorter():
    x = np.arange(600) * 0.3
    y = 40.0 * np.exp(-0.5 * np.square((x - 90.0) / 3.0)) + 6.0 * np.exp(-0.5 * np.square((x - 140.0) / 12.0))
    few_x, few_y = bent(x, y)
    assert len(few_x) < 0.5 * len(x)
    assert np.abs(np.interp(x, few_x, few_y) - y).max() < 1 / 6
    assert few_x[[0, -1]].tolist() == x[[0, -1]].tolist()
    assert y.max() in few_y


def test_curves_of_few_points_are_kept():
    for n_points in range(4):
        points = np.arange(float(n_points))
        assert bent(points, points)[0].tolist() == points[[0, -1][: min(n_points, 2)]].tolist()
