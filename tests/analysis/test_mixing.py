import numpy as np
import pytest

from napari_latent_explorer.analysis.mixing import joint_map, other_share
from napari_latent_explorer.data.progress import finish

RANDOM = np.random.default_rng(0)
IDS = np.array([f"P{i}" for i in range(100)])


def test_same_cloud_is_well_mixed_and_two_clouds_are_not() -> None:
    cloud = RANDOM.normal(size=(400, 3))
    assert other_share(cloud).mean() == pytest.approx(0.5, abs=0.03)
    apart = cloud + np.repeat([0.0, 50.0], 200)[:, None]
    assert other_share(apart).max() == 0.0


def test_a_map_of_both_says_who_is_where() -> None:
    mri = RANDOM.normal(size=(100, 8))
    points, shares = finish(joint_map(mri, 3 * mri + 0.1 * RANDOM.normal(size=mri.shape), IDS))
    assert points.groupby("modality").size().to_dict() == {"ecg": 100, "mri": 100}
    share = shares.set_index("space")
    # lengths do not matter, only directions
    assert share.loc["latents", "share"] == pytest.approx(0.5, abs=0.05)
    assert share.loc["map", "low"] <= share.loc["map", "share"] <= share.loc["map", "high"]
    assert share.loc["map", "well_mixed"] == pytest.approx(100 / 199)
