import numpy as np
import pytest

from napari_latent_explorer.analysis.retrieval import retrieve
from napari_latent_explorer.data.latents import LatentSpace
from napari_latent_explorer.errors import StudyError


def space(values: np.ndarray, modality: str, first: int = 0) -> LatentSpace:
    return LatentSpace(values, np.array([f"P{first + i}" for i in range(len(values))]), modality, "f")


def test_the_same_directions_are_found_whatever_their_length() -> None:
    values = np.random.default_rng(0).normal(size=(50, 8))
    result = retrieve(space(values, "ecg"), space(values * 7.0, "mri"))
    assert result.ranks.tolist() == [1] * 50
    assert result.accuracy.tolist() == [1.0, 1.0, 1.0]
    assert result.chance.tolist() == [0.02, 0.1, 0.2]


def test_unrelated_vectors_reach_chance() -> None:
    rng = np.random.default_rng(0)
    n = 1_000
    result = retrieve(space(rng.normal(size=(n, 8)), "ecg"), space(rng.normal(size=(n, 8)), "mri"), top=(100,))
    assert result.accuracy[0] == pytest.approx(0.1, abs=0.03)
    assert result.low[0] < 0.1 < result.high[0]
    assert result.median_rank == pytest.approx((n + 1) / 2, rel=0.1)


def test_ranks_agree_with_sorting_cosine_distances() -> None:
    from scipy.spatial.distance import cdist

    rng = np.random.default_rng(1)
    keys = rng.normal(size=(60, 5))
    queries = keys + rng.normal(size=(60, 5))
    order = cdist(queries, keys, "cosine").argsort(axis=1)
    expected = [order[row].tolist().index(row) + 1 for row in range(60)]
    assert retrieve(space(queries, "ecg"), space(keys, "mri")).ranks.tolist() == expected


def test_equal_keys_earn_nothing() -> None:
    result = retrieve(space(np.ones((20, 3)), "ecg"), space(np.ones((20, 3)), "mri"))
    assert result.ranks.tolist() == [20] * 20


def test_the_interval_is_that_of_a_proportion() -> None:
    rng = np.random.default_rng(2)
    keys = rng.normal(size=(400, 6))
    result = retrieve(space(keys + 1.2 * rng.normal(size=keys.shape), "ecg"), space(keys, "mri"), top=(10,))
    share = result.accuracy[0]
    half_width = 1.96 * np.sqrt(share * (1 - share) / 400)
    assert 0.1 < share < 0.9
    assert result.high[0] - result.low[0] == pytest.approx(2 * half_width, rel=0.15)


def test_only_those_with_both_are_asked_in_whatever_order() -> None:
    values = np.random.default_rng(3).normal(size=(30, 4))
    keys = space(values[10:], "mri", first=10)
    shuffled = keys.aligned_to(keys.participant_ids[::-1])
    result = retrieve(space(values[:20], "ecg"), shuffled)
    assert result.participant_ids.tolist() == [f"P{i}" for i in range(10, 20)]
    assert result.ranks.tolist() == [1] * 10


def test_spaces_that_cannot_be_compared_are_refused() -> None:
    with pytest.raises(StudyError, match="one shared space"):
        retrieve(space(np.ones((3, 2)), "ecg"), space(np.ones((3, 4)), "mri"))
    with pytest.raises(StudyError, match="No participant has both"):
        retrieve(space(np.ones((3, 2)), "ecg"), space(np.ones((3, 2)), "mri", first=5))
