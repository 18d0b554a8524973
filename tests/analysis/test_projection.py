import numpy as np
import pytest

from napari_latent_explorer.analysis.projection import Projection, fit_pca, fit_tsne
from napari_latent_explorer.analysis.trust import neighbour_preservation
from napari_latent_explorer.data.latents import LatentSpace
from napari_latent_explorer.data.progress import finish
from napari_latent_explorer.errors import StudyError

N_CLUSTERS, N_EACH, LATENT_DIM = 4, 60, 32
CLUSTERS = np.repeat(np.arange(N_CLUSTERS), N_EACH)


def make_latents(seed: int = 0) -> LatentSpace:
    rng = np.random.default_rng(seed)
    centres = rng.normal(size=(N_CLUSTERS, LATENT_DIM)) * 4.0
    values = centres[CLUSTERS] + rng.normal(size=(len(CLUSTERS), LATENT_DIM))
    return LatentSpace(values, np.array([f"P{i:03}" for i in range(len(values))]), "mri", "f")


@pytest.fixture(scope="module")
def latents() -> LatentSpace:
    return make_latents()


@pytest.fixture(scope="module")
def tsne(latents: LatentSpace) -> Projection:
    return finish(fit_tsne(latents))


def nearest_cluster_accuracy(coordinates: np.ndarray) -> float:
    distances = np.linalg.norm(coordinates[:, None] - coordinates[None], axis=2)
    np.fill_diagonal(distances, np.inf)
    return float((CLUSTERS[distances.argmin(axis=1)] == CLUSTERS).mean())


def test_tsne_keeps_clusters_together(tsne: Projection) -> None:
    assert nearest_cluster_accuracy(tsne.coordinates) > 0.99
    assert nearest_cluster_accuracy(np.random.default_rng(0).normal(size=(240, 2))) < 0.5


def test_tsne_is_centred_and_the_same_each_time(latents: LatentSpace, tsne: Projection) -> None:
    np.testing.assert_allclose(tsne.coordinates.mean(axis=0), 0.0, atol=1e-4)
    np.testing.assert_array_equal(finish(fit_tsne(latents)).coordinates, tsne.coordinates)


def test_tsne_says_what_it_was_told_and_of_which_bundle_it_is(tsne: Projection) -> None:
    assert (tsne.name, tsne.method, tsne.bundle_fingerprint) == ("mri", "tsne", "f")
    assert tsne.parameters["perplexity"] == 30.0
    assert tsne.parameters["seed"] == 0


def test_a_fit_reports_and_can_be_stopped(latents: LatentSpace) -> None:
    work = fit_tsne(latents)
    reports = [next(work) for _ in range(4)]
    work.close()
    assert [report.done for report in reports] == [0, 0, 50, 100]
    assert {report.total for report in reports} == {750}


def test_trust_is_high_on_a_good_map_and_chance_on_a_shuffled_one(latents: LatentSpace, tsne: Projection) -> None:
    assert tsne.trust is not None
    shuffled = np.random.default_rng(0).permutation(tsne.coordinates)
    by_chance = finish(neighbour_preservation(latents.values, shuffled))
    assert by_chance.mean() == pytest.approx(15 / 239, abs=0.02)
    assert tsne.trust.mean() > 3 * by_chance.mean()


def test_trust_agrees_with_sorting_all_distances(latents: LatentSpace, tsne: Projection) -> None:
    from scipy.spatial.distance import cdist

    values, places = latents.values.astype(float), tsne.coordinates.astype(float)
    in_space = cdist(values, values).argsort(axis=1)[:, 1:16]
    on_map = cdist(places, places).argsort(axis=1)[:, 1:16]
    expected = [len(set(a) & set(b)) / 15 for a, b in zip(in_space.tolist(), on_map.tolist(), strict=True)]
    np.testing.assert_allclose(finish(neighbour_preservation(latents.values, tsne.coordinates)), expected, atol=1e-6)


def test_trust_of_a_map_that_is_the_space_is_one_although_points_coincide() -> None:
    values = np.random.default_rng(0).normal(size=(50, 2)).astype(np.float32)
    np.testing.assert_array_equal(finish(neighbour_preservation(values, values)), 1.0)
    finish(neighbour_preservation(np.zeros((50, 2), np.float32), np.zeros((50, 2), np.float32)))


def test_participants_are_placed_on_themselves_and_nobody_moves(latents: LatentSpace, tsne: Projection) -> None:
    before = tsne.coordinates.copy()
    np.testing.assert_allclose(tsne.place(latents.values, latents), tsne.coordinates, atol=1e-3)
    np.testing.assert_array_equal(tsne.coordinates, before)


def test_new_people_of_a_cluster_are_placed_in_it(latents: LatentSpace, tsne: Projection) -> None:
    means = np.stack([latents.values[cluster == CLUSTERS].mean(axis=0) for cluster in range(N_CLUSTERS)])
    places = tsne.place(means, latents)
    for cluster, place in enumerate(places):
        nearest = np.linalg.norm(tsne.coordinates - place, axis=1).argmin()
        assert CLUSTERS[nearest] == cluster


def test_placing_does_not_depend_on_the_order_of_latents(latents: LatentSpace, tsne: Projection) -> None:
    shuffled = latents.aligned_to(np.random.default_rng(0).permutation(latents.participant_ids))
    vector = latents.values[:2].mean(axis=0)
    np.testing.assert_allclose(tsne.place(vector, shuffled), tsne.place(vector, latents), rtol=1e-4)


def test_pca_agrees_with_sklearn_up_to_sign(latents: LatentSpace) -> None:
    from sklearn.decomposition import PCA

    expected = PCA(2, svd_solver="full").fit_transform(latents.values.astype(float))
    np.testing.assert_allclose(np.abs(fit_pca(latents).coordinates), np.abs(expected), rtol=1e-3, atol=1e-3)


def test_pca_of_one_dimension_lies_on_a_line() -> None:
    line = LatentSpace(np.arange(5.0)[:, None], np.array(list("abcde")), "mri", "f")
    coordinates = fit_pca(line).coordinates
    np.testing.assert_allclose(coordinates, [[-2, 0], [-1, 0], [0, 0], [1, 0], [2, 0]], atol=1e-6)


def test_a_projection_comes_back_as_it_was_stored(tsne: Projection) -> None:
    arrays, meta = tsne.to_arrays()
    back = Projection.from_arrays("mri", "f", arrays, meta)
    np.testing.assert_array_equal(back.coordinates, tsne.coordinates)
    np.testing.assert_array_equal(back.participant_ids, tsne.participant_ids)
    assert back.trust is not None
    assert dict(back.parameters) == dict(tsne.parameters)


def test_what_is_no_map_is_refused(tsne: Projection) -> None:
    with pytest.raises(StudyError, match="lacks coordinates, participant_ids"):
        Projection.from_arrays("mri", "f", {}, {})
    with pytest.raises(StudyError, match=r"shape \(3, 3\)"):
        Projection(np.zeros((3, 3)), np.array(["a", "b", "c"]), "mri", "pca", {}, "f")
    few = LatentSpace(np.zeros((5, 2)), np.array(list("abcde")), "mri", "f")
    with pytest.raises(StudyError, match="at least 10"):
        finish(fit_tsne(few))
