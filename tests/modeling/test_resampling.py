import numpy as np
import pytest

from napari_latent_explorer.errors import RecordingError
from napari_latent_explorer.modeling.resampling import cycle_matrix, nearest_samples, space_matrix


def test_the_same_grid_is_the_identity() -> None:
    np.testing.assert_array_equal(space_matrix(7, 3.0, 1.0, 7), np.eye(7))
    np.testing.assert_allclose(cycle_matrix(np.arange(5) * 20.0, 100.0, 5), np.eye(5))
    nearest, is_inside = nearest_samples(7, 3.0, 1.0, 7)
    assert nearest.tolist() == list(range(7))
    assert is_inside.all()


@pytest.mark.parametrize("step", [0.3, 1.0, 1.3, 2.7])
def test_a_ramp_stays_a_ramp_and_outside_is_zero(step: float) -> None:
    weights = space_matrix(101, 52.3, step, 9)
    wanted = 52.3 + (np.arange(9) - 4) * step
    np.testing.assert_allclose(weights @ np.arange(101.0), wanted, rtol=2e-3)
    np.testing.assert_allclose(weights.sum(axis=1), 1.0)
    assert not space_matrix(10, 40.0, step, 5).any()


def test_shrinking_does_not_skip_samples() -> None:
    stripes = np.tile([0.0, 1.0], 60)
    np.testing.assert_allclose(space_matrix(120, 60.0, 2.0, 20) @ stripes, 0.5)


def test_the_cycle_repeats() -> None:
    times_ms = np.array([10.0, 60.0, 110.0, 160.0])
    matrix = cycle_matrix(times_ms, 200.0, 20)
    np.testing.assert_allclose(matrix.sum(axis=1), 1.0)
    np.testing.assert_allclose(matrix[1], [1, 0, 0, 0], atol=1e-12)
    np.testing.assert_allclose(matrix[0], [0.8, 0, 0, 0.2])  # 0 ms lies between 160 - 200 and 10 ms
    wave = np.cos(2 * np.pi * np.arange(40) * 5.0 / 200.0)
    again = cycle_matrix(np.arange(40) * 5.0, 200.0, 50) @ wave
    np.testing.assert_allclose(again, np.cos(2 * np.pi * np.arange(50) / 50), atol=5e-3)


def test_frames_longer_than_the_cycle_are_refused() -> None:
    with pytest.raises(RecordingError, match="last 300 ms and the heart cycle 250 ms"):
        cycle_matrix(np.arange(4) * 100.0, 250.0, 50)
