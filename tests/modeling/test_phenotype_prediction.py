import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LogisticRegression

from napari_latent_explorer.data.phenotype import PhenotypeSpec
from napari_latent_explorer.data.progress import finish
from napari_latent_explorer.modeling.phenotype_prediction import (
    LabelledSplit,
    _logistic,
    outcomes_of,
    predict_phenotypes,
)

SPECS = (
    PhenotypeSpec("mass", "continuous", "Mass", "g"),
    PhenotypeSpec("size", "continuous", "Size", "ml"),
    PhenotypeSpec("ill", "binary", "Ill", categories=("no", "yes")),
    PhenotypeSpec("rare", "binary", "Rare", categories=("no", "yes")),
)


@pytest.fixture(scope="module")
def tables() -> tuple[pd.DataFrame, pd.DataFrame]:
    random = np.random.default_rng(0)
    n = 800
    factor = random.normal(size=(n, 3))
    values = {
        "mass": 100 + 20 * factor[:, 0],
        "size": np.abs(factor[:, 1]) + 0.1 * random.normal(size=n),
        "ill": (factor[:, 0] + random.normal(size=n) > 1.5).astype(float),
        "rare": np.r_[1.0, np.zeros(n - 1)],
    }
    values["size"][::7] = np.nan
    latents = {
        ("cross-modal", "ecg"): factor @ random.normal(size=(3, 8)) + 0.1 * random.normal(size=(n, 8)),
        ("unimodal", "ecg"): factor[:, 1:] @ random.normal(size=(2, 8)) + 0.1 * random.normal(size=(n, 8)),
    }
    split = LabelledSplit.of(n)
    return finish(predict_phenotypes(latents, outcomes_of(SPECS, values, split), SPECS, split))


def test_parts_are_the_papers_and_disjoint() -> None:
    split = LabelledSplit.of(4218)
    assert (len(split.train), len(split.valid)) == (3164, 527)
    assert len(split.test) == 527
    assert sorted(np.concatenate([split.train, split.valid, split.test])) == list(range(4218))
    table = split.table(np.array([f"P{i}" for i in range(4218)]))
    assert table["participant_id"].is_unique
    assert table["part"].value_counts().to_dict() == {"train": 3164, "valid": 527, "test": 527}
    assert len(split.first(64).train) == 64


def test_what_is_in_the_latents_is_found_and_a_bent_relation_by_the_kernel_only(
    tables: tuple[pd.DataFrame, pd.DataFrame],
) -> None:
    scores = tables[0].set_index(["model", "phenotype", "regression"])["value"]
    assert scores["cross-modal", "mass", "ridge"] > 0.9
    assert scores["cross-modal", "mass", "NTK"] > 0.9
    assert scores["unimodal", "mass", "ridge"] < 0.1
    assert scores["cross-modal", "size", "NTK"] > 0.5
    assert scores["cross-modal", "size", "ridge"] < 0.15
    assert scores["cross-modal", "ill", "logistic"] > 0.75
    assert abs(scores["unimodal", "ill", "NTK"] - 0.5) < 0.2
    assert "rare" not in set(tables[0]["phenotype"])
    counts = tables[0].set_index("phenotype")[["n_train", "n_test"]]
    assert counts.loc["mass"].iloc[0].tolist() == [600, 100]
    assert counts.loc["size"].iloc[0].tolist() == [514, 85]
    assert tables[0].eval("low <= value <= high").all()


def test_gains_are_differences_of_the_same_people(tables: tuple[pd.DataFrame, pd.DataFrame]) -> None:
    scores = tables[0].set_index(["model", "phenotype", "regression"])["value"]
    gains = tables[1].set_index("phenotype")
    expected = scores["cross-modal", "mass", "NTK"] - scores["unimodal", "mass", "NTK"]
    assert gains.loc["mass", "value"] == pytest.approx(expected)
    assert gains.loc["mass", "low"] > 0.5
    assert gains.loc["size", "low"] < 0.1


def test_classes_weigh_as_in_the_paper() -> None:
    random = np.random.default_rng(1)
    x = random.normal(size=(300, 4))
    y = (x[:, 0] + random.normal(size=300) > 1.8).astype(float)
    n, r = 300, y.sum()
    found = _logistic(x, y, x, y, x)
    candidates = [
        LogisticRegression(C=c, max_iter=2000, tol=1e-3)
        .fit(x, y, sample_weight=np.where(y == 1, n / r, n / (n - r)))
        .decision_function(x)
        for c in (1e-5, 1e-4, 1e-3, 1e-2)
    ]
    assert min(np.abs(found - one).max() for one in candidates) < 1e-3
