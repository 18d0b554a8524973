"""How far a map can be trusted, beside scikit-learn and sorting."""

import numpy as np
import pytest
from sklearn.decomposition import PCA
from sklearn.manifold import trustworthiness as sklearn_trustworthiness

from napari_latent_explorer.analysis import trust
from napari_latent_explorer.data.progress import finish

VALUES = np.random.default_rng(0).normal(size=(300, 8)).astype(np.float32) * np.array([3, 2, 1, 1, 1, 1, 1, 1], "f4")
PLACES = PCA(2).fit_transform(VALUES.astype(float)).astype(np.float32)


@pytest.mark.parametrize("k", [1, 5, 15, 40])
def test_trustworthiness_is_that_of_scikit_learn(k: int) -> None:
    ours = finish(trust.trustworthiness(VALUES, PLACES, k))
    assert ours == pytest.approx(sklearn_trustworthiness(VALUES, PLACES, n_neighbors=k), abs=1e-6)  # ours are float32


def test_trustworthiness_is_one_of_the_space_itself_and_a_half_of_a_random_map() -> None:
    assert finish(trust.trustworthiness(VALUES[:, :2], VALUES[:, :2])) == 1.0
    assert finish(trust.trustworthiness(VALUES, np.random.default_rng(1).permutation(PLACES))) == pytest.approx(
        0.5, abs=0.03
    )


def test_a_sample_of_people_gives_nearly_the_trustworthiness_of_all(monkeypatch: pytest.MonkeyPatch) -> None:
    everybody = finish(trust.trustworthiness(VALUES, PLACES))
    monkeypatch.setattr(trust, "MAX_RANKED", 100)
    monkeypatch.setattr(trust, "MAX_DISTANCES_IN_MEMORY", 3_000)  # ten rows in each step
    assert finish(trust.trustworthiness(VALUES, PLACES)) == pytest.approx(everybody, abs=0.02)


def test_few_people_have_a_trustworthiness_too() -> None:
    assert finish(trust.trustworthiness(VALUES[:4], VALUES[:4, :2])) <= 1.0
