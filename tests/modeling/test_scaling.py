from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch

from napari_latent_explorer.data.progress import finish
from napari_latent_explorer.errors import StudyError
from napari_latent_explorer.modeling.recordings import create_simulated_study
from napari_latent_explorer.modeling.scaling import ScalingConfig, _halvings, fit_law, measure_scaling
from napari_latent_explorer.modeling.training_config import TrainingConfig

torch.set_num_threads(1)


def test_law_is_found_again() -> None:
    grid = [(u, v) for u in (64, 256, 1024) for v in (64, 128, 2048)]
    table = pd.DataFrame(grid, columns=["n_unlabelled", "n_labelled"])
    table["value"] = 0.0158 * np.log2(table["n_unlabelled"]) + 0.007 * np.log2(table["n_labelled"]) - 0.1
    law = fit_law(table)
    assert [law[name] for name in "abc"] == pytest.approx([0.0158, 0.007, -0.1])
    assert law["r2"] == pytest.approx(1.0)
    table["value"] += np.random.default_rng(0).normal(scale=0.05, size=9)
    assert fit_law(table)["r2"] < 0.9
    assert np.isnan(fit_law(table.head(3))["a"])


def test_numbers_of_people_are_halvings_of_all() -> None:
    assert _halvings(63) == ()
    assert _halvings(64) == (64,)
    assert _halvings(1500) == (93, 187, 375, 750, 1500)
    assert _halvings(5600) == (350, 700, 1400, 2800, 5600)


@pytest.mark.slow
def test_each_number_of_people_is_trained_once(tmp_path: Path) -> None:
    study = finish(create_simulated_study(tmp_path / "study", 130, 5, stored=False))
    base = TrainingConfig(
        train_fraction=0.2, valid_fraction=0.05, epochs_mri=1, epochs_ecg=1, batch_size=4, batch_size_joint=4
    )
    config = ScalingConfig(0.01, (8, 16), (20, 60))
    tables = finish(measure_scaling(study, base, config, tmp_path / "work", n_workers=1))
    table = tables["scaling"]
    assert table[["n_unlabelled", "n_labelled"]].to_numpy().tolist() == [[8, 20], [8, 60], [16, 20], [16, 60]]
    assert table["value"].tolist() == table.filter(like="r2_").mean(axis=1).tolist()
    assert set(tables["scaling_law"]) == {"a", "b", "c", "r2", "n_points"}
    # kept bundles are taken, so the second time gives the very same
    again = finish(measure_scaling(study, base, config, tmp_path / "work", n_workers=1))
    pd.testing.assert_frame_equal(again["scaling"], table)
    with pytest.raises(StudyError, match="26 people to train on"):
        finish(measure_scaling(study, base, ScalingConfig(0.01, (64,), (20,)), tmp_path / "work", n_workers=1))
