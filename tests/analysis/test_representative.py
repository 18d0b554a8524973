import numpy as np
import pytest

from napari_latent_explorer.analysis import representative as module
from napari_latent_explorer.analysis.representative import representative
from napari_latent_explorer.data.latents import LatentSpace
from napari_latent_explorer.errors import LatentExplorerError


@pytest.fixture
def latents() -> LatentSpace:
    """Three in a row, one far away, one outside of every group."""
    values = np.array([[0.0, 0.0], [1.0, 0.0], [3.0, 0.0], [20.0, 8.0], [-5.0, -5.0]])
    return LatentSpace(values, np.array(["a", "b", "c", "d", "z"]), "mri", "f")


GROUP = ["d", "a", "c", "b"]


def test_mean_and_median_are_per_dimension_and_nobodys(latents: LatentSpace) -> None:
    mean = representative(latents, GROUP, "mean")
    assert mean.vector.tolist() == [6.0, 2.0]
    median = representative(latents, GROUP, "median")
    assert median.vector.tolist() == [2.0, 0.0]
    assert mean.participant_id is median.participant_id is None


def test_nearest_is_a_member_nearest_to_the_mean(latents: LatentSpace) -> None:
    nearest = representative(latents, GROUP, "nearest")
    assert nearest.participant_id == "c"  # 3 from (6, 2) is nearer than 20
    assert nearest.vector.tolist() == [3.0, 0.0]
    assert nearest.label == "nearest to the mean: c"


def test_medoid_has_the_smallest_sum_of_distances(latents: LatentSpace) -> None:
    assert representative(latents, GROUP, "medoid").participant_id == "b"


def test_medoid_agrees_with_all_pairs(latents: LatentSpace, monkeypatch: pytest.MonkeyPatch) -> None:
    from scipy.spatial.distance import cdist

    values = np.random.default_rng(0).normal(size=(300, 5)).astype(np.float32)
    ids = np.array([f"P{i}" for i in range(300)])
    space = LatentSpace(values, ids, "mri", "f")
    best = ids[cdist(values, values).sum(axis=1).argmin()]
    assert representative(space, ids, "medoid").participant_id == best
    monkeypatch.setattr(module, "MAX_MEDOID_CANDIDATES", 30)  # a tenth of them are enough to find it
    assert representative(space, ids, "medoid").participant_id == best


def test_a_single_member_represents_itself(latents: LatentSpace) -> None:
    for method in module.REPRESENTATIVE_METHODS:
        assert representative(latents, ["d"], method).vector.tolist() == [20.0, 8.0]


def test_an_empty_group_and_an_unknown_method_are_refused(latents: LatentSpace) -> None:
    with pytest.raises(LatentExplorerError, match="without participants"):
        representative(latents, [])
    with pytest.raises(LatentExplorerError, match="choose nearest, mean, median, medoid"):
        representative(latents, GROUP, "mode")  # type: ignore[arg-type]
