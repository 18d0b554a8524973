"""Spaces that maps are of: equal scales, and both modalities side by side."""

import numpy as np
import pytest
from sklearn.decomposition import PCA

from napari_latent_explorer.analysis.map_space import is_whitened, joint_space, map_key, whitened
from napari_latent_explorer.analysis.projection import Projection, fit_map, fit_map_of
from napari_latent_explorer.analysis.trust import neighbour_preservation
from napari_latent_explorer.data.latents import LatentSpace
from napari_latent_explorer.data.progress import finish
from napari_latent_explorer.errors import StudyError

N, DIM = 250, 60


def space_of(values: np.ndarray, modality: str = "mri", first: int = 0) -> LatentSpace:
    return LatentSpace(values, np.array([f"P{i + first:03}" for i in range(len(values))]), modality, "f")


@pytest.fixture(scope="module")
def latents() -> LatentSpace:
    return space_of(np.random.default_rng(0).normal(size=(N, DIM)) * np.logspace(1, -1, DIM))


def test_whitened_scores_are_those_of_scikit_learn_up_to_sign(latents: LatentSpace) -> None:
    scores = whitened(latents).scores.values
    expected = PCA(50, whiten=True, svd_solver="full").fit_transform(latents.values.astype(float))
    np.testing.assert_allclose(np.abs(scores), np.abs(expected), rtol=0.02, atol=0.02)  # it divides by n - 1
    np.testing.assert_allclose(scores.std(axis=0), 1.0, rtol=1e-4)


def test_vectors_are_brought_to_equal_scales_as_the_participants_were(latents: LatentSpace) -> None:
    space = whitened(latents)
    np.testing.assert_allclose(space.bring(latents.values[:7]), space.scores.values[:7], atol=1e-4)
    assert whitened(latents) is space
    assert is_whitened(latents)
    assert not is_whitened(space_of(latents.values))


def test_directions_without_spread_are_left_out_of_equal_scales() -> None:
    plane = np.random.default_rng(0).normal(size=(40, 2)) @ np.random.default_rng(1).normal(size=(2, 10))
    assert whitened(space_of(plane)).scores.latent_dim == 2


def test_on_a_map_of_equal_scales_participants_lie_on_themselves_and_neighbours_are_those_of_brute_force(
    latents: LatentSpace,
) -> None:
    rng = np.random.default_rng(3)
    places = rng.normal(size=(N, 2)).astype(np.float32)
    projection = Projection(places, latents.participant_ids, "mri", "whitened_tsne", {}, "f")
    np.testing.assert_allclose(projection.place(latents.values[:20], latents), places[:20], atol=1e-3)
    query = latents.values[:2].mean(axis=0)
    scores = PCA(50, whiten=True, svd_solver="full").fit(latents.values.astype(float))
    distances = np.linalg.norm(scores.transform(latents.values) - scores.transform(query[None]), axis=1)
    nearest = distances.argsort()[:10]
    weights = 1 / distances[nearest] ** 2
    np.testing.assert_allclose(
        projection.place(query, latents)[0], weights @ places[nearest] / weights.sum(), rtol=1e-3, atol=1e-4
    )


def test_who_is_off_along_a_weak_direction_stands_apart_on_equal_scales_only() -> None:
    values = np.random.default_rng(0).normal(size=(400, 20)) * np.logspace(1, -0.5, 20)
    values[:12, -1] += 4.0
    off = np.arange(400) < 12

    def share_among_neighbours(points: np.ndarray) -> float:
        distances = np.linalg.norm(points[off][:, None] - points[None], axis=2)
        return float(off[distances.argsort(axis=1)[:, 1:11]].mean())

    assert share_among_neighbours(whitened(space_of(values)).scores.values) > 0.6
    assert share_among_neighbours(values) < 0.3


def test_the_trust_of_a_map_of_equal_scales_is_in_the_space_that_it_shows(latents: LatentSpace) -> None:
    few = latents.aligned_to(latents.participant_ids[:60])
    equal = finish(fit_map(few, "whitened_tsne"))
    assert equal.trust is not None
    in_space = finish(neighbour_preservation(whitened(few).scores.values, equal.coordinates))
    np.testing.assert_array_equal(in_space, equal.trust)
    assert in_space.mean() > finish(neighbour_preservation(few.values, equal.coordinates)).mean()
    assert (equal.key, equal.kind_title) == ("mri_whitened_tsne", "t-SNE, equal scales")


def test_the_joint_space_is_of_who_has_both_with_the_same_weight_for_each() -> None:
    rng = np.random.default_rng(0)
    mri, ecg = space_of(100 * rng.normal(size=(30, 6))), space_of(rng.normal(size=(30, 4)), "ecg", first=10)
    joint = joint_space({"mri": mri, "ecg": ecg})
    assert joint.latents.participant_ids.tolist() == [f"P{i:03}" for i in range(10, 30)]
    assert joint.latents.modality == "joint"
    parts = joint.latents.values[:, :6], joint.latents.values[:, 6:]
    for part in parts:
        assert part.var(axis=0).sum() == pytest.approx(1.0, rel=1e-4)
    vector = joint.bring({"mri": mri.of(["P012"])[0], "ecg": ecg.of(["P012"])[0]})
    np.testing.assert_allclose(vector, joint.latents.of(["P012"])[0], rtol=1e-5)


def test_a_joint_space_of_strangers_is_refused() -> None:
    mri, ecg = space_of(np.ones((3, 2))), space_of(np.ones((3, 2)), "ecg", first=3)
    for latents in ({"mri": mri}, {"mri": mri, "ecg": ecg}, {}):
        with pytest.raises(StudyError, match="both MRI and ECG"):
            joint_space(latents)


def test_the_joint_map_is_fit_of_both_and_pca_is_trusted_too(latents: LatentSpace) -> None:
    ecg = space_of(np.random.default_rng(1).normal(size=(N, 8)), "ecg")
    joint = finish(fit_map_of({"mri": latents, "ecg": ecg}, "pca"))
    assert (joint.name, joint.key) == ("joint", "joint_pca")
    assert joint.trust is not None
    assert joint.trustworthiness is not None
    assert 0.5 < joint.trustworthiness < 1.0


def test_the_usual_kind_has_the_bare_name() -> None:
    assert [map_key("mri", kind) for kind in ("tsne", "whitened_tsne", "pca")] == [
        "mri",
        "mri_whitened_tsne",
        "mri_pca",
    ]
