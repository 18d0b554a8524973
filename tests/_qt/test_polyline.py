"""A curve arrives in Qt point by point as it was."""

import numpy as np

from napari_latent_explorer._qt.polyline import make_polyline


def test_points_arrive_as_they_were():
    x, y = np.random.default_rng(0).normal(size=(2, 600))
    polygon = make_polyline(x, y)
    arrived = [(point.x(), point.y()) for point in map(polygon.at, range(600))]
    assert arrived == list(zip(x.tolist(), y.tolist(), strict=True))


def test_a_curve_of_no_points_is_empty():
    assert make_polyline(np.zeros(0), np.zeros(0)).isEmpty()
