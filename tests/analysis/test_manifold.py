from pathlib import Path

import numpy as np
import pytest
from scipy.stats import chi2
from sklearn.covariance import LedoitWolf

import napari_latent_explorer
from napari_latent_explorer.analysis.manifold import LIMIT_PERCENTILE, Manifold, fit_manifold
from napari_latent_explorer.analysis.unusualness import measure_unusualness
from napari_latent_explorer.data.latents import LatentSpace
from napari_latent_explorer.data.progress import finish
from napari_latent_explorer.errors import StudyError
from napari_latent_explorer.io.study import Study

LATENT_DIM = 40
SAMPLE_STUDY = Path(napari_latent_explorer.__file__).parent / "sample_data" / "study"


def make_mixing() -> np.ndarray:
    """Ten times as wide in some directions as in others, and not along the axes."""
    axes = np.linalg.qr(np.random.default_rng(99).normal(size=(LATENT_DIM, LATENT_DIM)))[0]
    return axes * np.geomspace(5.0, 0.5, LATENT_DIM)


def make_people(n: int, seed: int) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=(n, LATENT_DIM)) @ make_mixing().T + 3.0


def space_of(values: np.ndarray) -> LatentSpace:
    return LatentSpace(values, np.array([f"P{number}" for number in range(len(values))]), "mri", "f")


@pytest.fixture(scope="module")
def manifold() -> Manifold:
    return finish(fit_manifold(space_of(make_people(2_000, 1))))


@pytest.mark.parametrize("n", [150, 600, 2_000])
def test_new_people_of_the_same_kind_are_flagged_once_in_twenty_however_few_were_known(n: int) -> None:
    manifold = finish(fit_manifold(space_of(make_people(n, 1))))
    flagged = [manifold.read(vector).is_outside for vector in make_people(2_000, 2)]
    assert 0.03 < np.mean(flagged) <= 0.06 if n > 150 else np.mean(flagged) < 0.08


def test_vectors_at_twice_the_cohorts_radius_are_flagged(manifold: Manifold) -> None:
    middle = make_people(2_000, 1).mean(axis=0)
    twice = middle + 2.0 * (make_people(1_000, 3) - middle)
    assert np.mean([manifold.read(vector).is_outside for vector in twice]) >= 0.95


def test_percentiles_are_those_of_the_chi_square_distribution(manifold: Manifold) -> None:
    people = make_people(500, 5)
    squared = (np.linalg.solve(make_mixing(), (people - 3.0).T) ** 2).sum(axis=0)
    expected = 100.0 * chi2.cdf(squared, LATENT_DIM)
    found = np.array([manifold.read(vector).percentile for vector in people])
    assert (
        abs((found - expected).mean()) < 1.5
    )  # one by one they differ as a covariance of 2,000 does from the true one
    assert np.corrcoef(found, expected)[0, 1] > 0.98


def test_the_nearest_are_found_as_by_all_distances(manifold: Manifold) -> None:
    values = make_people(2_000, 1).astype(np.float32).astype(np.float64)
    inverse = LedoitWolf().fit(values).precision_
    for vector in make_people(20, 7):
        differences = values - vector
        distances = np.sqrt(np.einsum("ij,jk,ik->i", differences, inverse, differences))
        reading = manifold.read(vector, 3)
        order = np.argsort(distances)[:3]
        assert reading.nearest_ids[0] == f"P{order[0]}"
        np.testing.assert_allclose(reading.nearest_distances, distances[order], rtol=1e-3)


def test_a_participant_is_nearest_to_their_own_vector(manifold: Manifold) -> None:
    reading = manifold.read(make_people(2_000, 1)[17].astype(np.float32))
    assert reading.nearest_ids[0] == "P17"
    assert reading.nearest_distances[0] < 1e-3
    assert reading.usual_distance == pytest.approx(reading.nearest_distances[1], rel=0.6)


def test_an_empty_place_in_the_middle_shows_in_the_distance_to_the_nearest() -> None:
    rng = np.random.default_rng(0)
    ring = rng.normal(size=(800, 6))
    ring /= np.linalg.norm(ring, axis=1, keepdims=True)
    manifold = finish(fit_manifold(space_of(ring)))
    reading = manifold.read(np.zeros(6))
    assert not reading.is_outside
    assert reading.nearest_distances[0] > 2.5 * reading.usual_distance


@pytest.mark.parametrize("n", [0, 1, 9])
def test_among_fewer_than_ten_nothing_is_usual(n: int) -> None:
    with pytest.raises(StudyError, match=f"10 participants and more; {n} have mri latents"):
        finish(fit_manifold(space_of(make_people(n, 0))))


def test_ten_are_enough() -> None:
    reading = finish(fit_manifold(space_of(make_people(10, 0)))).read(make_people(1, 1)[0])
    assert np.isfinite(reading.nearest_distances).all()
    assert 0.0 <= reading.percentile <= 100.0


@pytest.mark.parametrize("modality", ["mri", "ecg"])
def test_the_gauge_holds_on_the_sample_study(modality: str) -> None:
    study = Study.open(SAMPLE_STUDY)
    latents = study.latents(modality, study.latent_fingerprints()[0])
    fold = np.random.default_rng(0).permutation(len(latents.values)) % 5
    new_percentiles, twice_percentiles = [], []
    for held_out in range(5):
        known, new = latents.values[fold != held_out], latents.values[fold == held_out]
        unusualness = finish(measure_unusualness(space_of(known)))
        middle = known.mean(axis=0)
        new_percentiles.append(unusualness.percentile(new))
        twice_percentiles.append(unusualness.percentile(middle + 2.0 * (new - middle)))
    assert np.mean(np.concatenate(new_percentiles) > LIMIT_PERCENTILE) <= 0.06
    assert np.mean(np.concatenate(twice_percentiles) > LIMIT_PERCENTILE) >= 0.95
