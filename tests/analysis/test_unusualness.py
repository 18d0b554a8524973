"""How unusual a vector is: beside scikit-learn's covariance and scipy's distance, and on who is put far away."""

import numpy as np
import pytest
from scipy.spatial.distance import mahalanobis
from sklearn.covariance import LedoitWolf

from napari_latent_explorer.analysis.unusualness import Unusualness, measure_unusualness
from napari_latent_explorer.data.latents import LatentSpace
from napari_latent_explorer.data.progress import finish
from napari_latent_explorer.errors import StudyError

N, DIM = 200, 30
SPREAD = np.logspace(0.5, -0.5, DIM)


def space_of(values: np.ndarray) -> LatentSpace:
    return LatentSpace(values, np.array([f"P{i:03}" for i in range(len(values))]), "mri", "f")


@pytest.fixture(scope="module")
def latents() -> LatentSpace:
    """Make people who differ much along the first directions, and one who is off along the last, where nobody is."""
    values = np.random.default_rng(0).normal(size=(N, DIM)) * SPREAD
    values[17, -1] += 4.0  # 13 standard deviations there, little more than one along the first
    return space_of(values + 5.0)


@pytest.fixture(scope="module")
def measured(latents: LatentSpace) -> Unusualness:
    return finish(measure_unusualness(latents))


def test_distances_are_those_of_the_shrunk_covariance(latents: LatentSpace, measured: Unusualness) -> None:
    values = latents.values.astype(np.float64)
    fitted = LedoitWolf().fit(values)
    assert measured.shrinkage == pytest.approx(fitted.shrinkage_)
    one = mahalanobis(values[3], fitted.location_, fitted.precision_) ** 2
    assert measured.squared_distance(values[3])[0] == pytest.approx(one, rel=1e-5)


def test_each_participant_is_measured_by_the_others(latents: LatentSpace, measured: Unusualness) -> None:
    values = latents.values.astype(np.float64)
    for row in (0, 17, 120):
        others = LedoitWolf().fit(np.delete(values, row, axis=0))
        expected = others.mahalanobis(values[row : row + 1])[0]
        # Not to more digits: without somebody that far out, covariances are shrunk a little otherwise.
        assert measured.squared_distances[row] == pytest.approx(expected, rel=0.02 if row != 17 else 0.3)
        assert measured.squared_distances[row] > 1.05 * measured.squared_distance(values[row])[0]


def test_who_is_off_where_nobody_differs_is_the_most_unusual_although_not_far(
    latents: LatentSpace, measured: Unusualness
) -> None:
    assert np.linalg.norm(latents.values - latents.values.mean(axis=0), axis=1).argmax() != 17
    assert measured.squared_distances.argmax() == 17
    assert measured.percentiles[17] == 100.0


def test_percentiles_count_who_is_at_most_as_far(latents: LatentSpace, measured: Unusualness) -> None:
    expected = [(measured.squared_distances <= one).mean() * 100 for one in measured.squared_distances]
    np.testing.assert_allclose(measured.percentiles, expected)
    own = measured.squared_distance(latents.values[:5])
    known = [(measured.squared_distances <= one).mean() * 100 for one in own]
    np.testing.assert_allclose(measured.percentile(latents.values[:5]), known)
    assert measured.percentile(latents.mean)[0] == 0.0
    assert measured.percentile(latents.mean + 100.0)[0] == 100.0


def test_fewer_people_than_dimensions_are_no_obstacle(latents: LatentSpace) -> None:
    few = finish(measure_unusualness(space_of(latents.values[:10])))
    assert few.shrinkage > 0.05
    assert np.isfinite(few.squared_distances).all()


def test_two_people_are_no_obstacle(latents: LatentSpace) -> None:
    two = finish(measure_unusualness(space_of(latents.values[:2])))
    assert np.isfinite(two.whitening.astype(np.float32)).all()
    assert np.isfinite(two.squared_distances).all()


def test_a_dimension_in_which_nobody_differs_is_no_obstacle(latents: LatentSpace) -> None:
    values = latents.values.copy()
    values[:, 4] = 7.0
    assert np.isfinite(finish(measure_unusualness(space_of(values))).percentiles).all()


def test_one_person_is_not_unusual_among_nobody(latents: LatentSpace) -> None:
    with pytest.raises(StudyError, match="several participants"):
        finish(measure_unusualness(space_of(latents.values[:1])))
