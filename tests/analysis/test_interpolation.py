import numpy as np
import pytest
from scipy.spatial.transform import Rotation, Slerp

from napari_latent_explorer.analysis.interpolation import LatentPath
from napari_latent_explorer.errors import LatentExplorerError

CENTER = np.array([1.0, -2.0, 0.5], np.float32)


def ends() -> tuple[np.ndarray, np.ndarray]:
    first, second = np.array([[3.0, 0.0, 0.0], [0.0, 3.0, 0.0]], np.float32)
    return CENTER + first, CENTER + second


@pytest.mark.parametrize("kind", ["linear", "spherical"])
def test_both_ends_are_exact(kind: str) -> None:
    rng = np.random.default_rng(0)
    start, end, center = rng.normal(size=(3, 256)).astype(np.float32)
    path = LatentPath(start, end, center, kind)
    np.testing.assert_array_equal(path.at(0.0), start)
    np.testing.assert_array_equal(path.at(1.0), end)
    np.testing.assert_array_equal(path.steps(5)[[0, -1]], [start, end])


def test_a_straight_path_is_divided_evenly() -> None:
    start, end = ends()
    np.testing.assert_allclose(LatentPath(start, end, CENTER).at(0.25), 0.75 * start + 0.25 * end, rtol=1e-6)


def test_a_spherical_path_turns_evenly_about_the_center_as_a_rotation_does() -> None:
    start, end = ends()
    path = LatentPath(start, end, CENTER, "spherical")
    turn = Slerp([0, 1], Rotation.from_rotvec([[0, 0, 0], [0, 0, np.pi / 2]]))
    for share in (0.1, 0.5, 0.8):
        np.testing.assert_allclose(path.at(share) - CENTER, turn(share).apply(start - CENTER), atol=1e-5)


def test_the_distance_from_the_center_goes_evenly_between_the_ends() -> None:
    start, end = CENTER + np.array([2.0, 0, 0], np.float32), CENTER + np.array([0, 6.0, 0], np.float32)
    distances = np.linalg.norm(LatentPath(start, end, CENTER, "spherical").steps(5) - CENTER, axis=1)
    np.testing.assert_allclose(distances, [2, 3, 4, 5, 6], rtol=1e-5)


@pytest.mark.parametrize("factor", [1.0, 2.0, -1.0, 0.0])
def test_ends_in_line_with_the_center_have_a_straight_path(factor: float) -> None:
    start = CENTER + np.array([1.0, 2.0, 3.0], np.float32)
    end = (CENTER + factor * (start - CENTER)).astype(np.float32)
    middle = LatentPath(start, end, CENTER, "spherical").at(0.5)
    np.testing.assert_allclose(middle, (start + end) / 2, atol=1e-5)


def test_refusals() -> None:
    start, end = ends()
    with pytest.raises(LatentExplorerError, match="of one length"):
        LatentPath(start, end[:2], CENTER)
    with pytest.raises(LatentExplorerError, match="linear or spherical, not 'cubic'"):
        LatentPath(start, end, CENTER, "cubic")  # type: ignore[arg-type]
    with pytest.raises(LatentExplorerError, match="from 0 to 1"):
        LatentPath(start, end, CENTER).at(1.5)
    with pytest.raises(LatentExplorerError, match="at least two steps"):
        LatentPath(start, end, CENTER).steps(1)
