import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from napari_latent_explorer.modeling.scores import (
    area_under_curve,
    dice,
    fit_linear_map,
    phenotype_score,
    r_squared,
    retrieval_ranks,
)

RANDOM = np.random.default_rng(0)


def test_area_under_curve_is_sklearns_also_with_ties() -> None:
    y = RANDOM.integers(0, 2, 200)
    predicted = np.round(RANDOM.normal(size=200) + y, 1)
    assert area_under_curve(y, predicted) == pytest.approx(roc_auc_score(y, predicted))
    assert np.isnan(area_under_curve(np.ones(5), np.arange(5.0)))


def test_r_squared_is_zero_for_the_mean_and_one_for_the_truth() -> None:
    y = RANDOM.normal(size=50)
    assert r_squared(y, np.full(50, y.mean())) == pytest.approx(0.0)
    assert r_squared(y, y) == 1.0


def test_phenotype_score_finds_what_is_linear_in_the_latents_and_nothing_else() -> None:
    latents = RANDOM.normal(size=(400, 10))
    number = latents @ RANDOM.normal(size=10) + RANDOM.normal(size=400)
    number[:20] = np.nan
    found = phenotype_score(latents, number, is_binary=False, seed=0)
    assert found.low < found.value < found.high
    assert found.value > 0.7
    noise = phenotype_score(latents, RANDOM.normal(size=400), is_binary=False, seed=0)
    assert noise.value < 0.1
    binary = phenotype_score(latents, (latents[:, 0] > 0).astype(float), is_binary=True, seed=0)
    assert binary.value > 0.9
    assert np.isnan(phenotype_score(latents, np.zeros(400), is_binary=True, seed=0).value)


def test_ranks_count_from_one_and_ties_count_against() -> None:
    keys = np.eye(4)
    np.testing.assert_array_equal(retrieval_ranks(keys, 5 * keys), [1, 1, 1, 1])
    np.testing.assert_array_equal(retrieval_ranks(np.roll(keys, 1, axis=0), keys), [4, 4, 4, 4])
    assert retrieval_ranks(np.ones((4, 4)), np.ones((4, 4))).tolist() == [4, 4, 4, 4]


def test_linear_map_recovers_a_linear_relation() -> None:
    source = RANDOM.normal(size=(300, 5))
    matrix = RANDOM.normal(size=(5, 5))
    found, offset = fit_linear_map(source, source @ matrix + 3.0)
    np.testing.assert_allclose(found, matrix, atol=1e-2)
    np.testing.assert_allclose(offset, 3.0, atol=1e-2)


def test_dice_of_known_overlap() -> None:
    truth, found = np.zeros((4, 4), np.uint8), np.zeros((4, 4), np.uint8)
    truth[:, :2], found[:, 1:3] = 9, 9
    assert dice(truth, found, 9) == pytest.approx(0.5)
    assert dice(truth, truth, 9) == 1.0
    assert np.isnan(dice(truth, found, 11))
