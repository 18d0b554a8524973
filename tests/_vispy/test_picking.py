"""The nearest point, against all distances."""

import numpy as np

from napari_latent_explorer._vispy.picking import nearest_point


def test_nearest_candidate_within_the_radius():
    points = np.random.default_rng(4).uniform(0, 1, (300, 2))
    candidates = np.arange(0, 300, 2)
    distance = np.hypot(*(points - (0.5, 0.5)).T)
    expected = int(candidates[np.argmin(distance[candidates])])
    assert nearest_point(points, (0.5, 0.5), candidates, 1.0) == expected
    assert nearest_point(points, (5.0, 5.0), candidates, 1.0) is None
    assert nearest_point(points, (0.5, 0.5), candidates[:0], 1.0) is None
