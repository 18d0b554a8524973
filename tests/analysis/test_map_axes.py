"""How well a straight axis separates two categories: closed forms, another implementation, and nothing from nothing."""

from math import erf

import numpy as np
import pandas as pd
import pytest

from napari_latent_explorer.analysis.map_axes import best_axis
from napari_latent_explorer.analysis.projection import Projection
from napari_latent_explorer.data.cohort import Cohort
from napari_latent_explorer.data.phenotype import PhenotypeSpec
from napari_latent_explorer.errors import StudyError, TableError

N = 4000


def make(coordinates, codes):
    """Put people of two sexes, -1 for unknown, on a map."""
    ids = np.array([f"P{number:04}" for number in range(len(codes))])
    table = pd.DataFrame(
        {"sex": pd.Categorical.from_codes(codes, ["female", "male"]), "age": np.arange(len(codes)) * 1.0}
    )
    specs = {
        "sex": PhenotypeSpec("sex", "binary", "Sex", categories=("female", "male")),
        "age": PhenotypeSpec("age", "continuous", "Age", "years"),
    }
    return Projection(coordinates, ids, "mri", "tsne", {}, "0"), Cohort(ids, table, specs)


def two_clouds(rng, distance, angle):
    """Two round clouds of standard deviation 1 whose centres are so far apart in that direction."""
    codes = rng.integers(0, 2, N)
    axis = np.array([np.cos(angle), np.sin(angle)])
    return rng.normal(size=(N, 2)) + distance * codes[:, None] * axis + 5.0, codes, axis


@pytest.mark.parametrize("distance", [0.5, 1.0, 2.0])
def test_of_two_normal_clouds_it_is_phi_of_distance_over_root_two(distance):
    coordinates, codes, axis = two_clouds(np.random.default_rng(1), distance, 2.0)
    found = best_axis(*make(coordinates, codes), "sex")
    assert found.score.value == pytest.approx(0.5 + 0.5 * erf(distance / 2.0), abs=0.012)
    assert found.score.low < found.score.value < found.score.high
    assert found.direction @ axis > 0.98
    assert np.linalg.norm(found.direction) == pytest.approx(1.0)


def test_the_axis_is_that_of_sklearns_discriminant_where_the_clouds_are_not_round():
    from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
    from sklearn.metrics import roc_auc_score

    rng = np.random.default_rng(2)
    coordinates, codes, _ = two_clouds(rng, 1.0, 0.3)
    coordinates = coordinates @ np.array([[3.0, 1.0], [0.0, 0.4]])
    found = best_axis(*make(coordinates, codes), "sex")
    theirs = LinearDiscriminantAnalysis().fit(coordinates, codes)
    expected = theirs.coef_[0] / np.linalg.norm(theirs.coef_)
    np.testing.assert_allclose(found.direction, expected, atol=1e-5)
    assert found.score.value == pytest.approx(roc_auc_score(codes, coordinates @ expected), abs=0.005)
    positions = found.positions(coordinates)
    assert positions[codes == 0].mean() == pytest.approx(-positions[codes == 1].mean(), abs=1e-4)


def test_of_a_phenotype_that_the_map_knows_nothing_of_it_is_one_half_and_never_surely_more():
    rng = np.random.default_rng(3)
    values = []
    for _ in range(20):
        few = 60  # with whom the best axis of all would score 0.58 on the people that chose it
        score = best_axis(*make(rng.normal(size=(few, 2)), np.arange(few) % 2), "sex").score
        values.append(score.value)
    assert np.mean(values) == pytest.approx(0.5, abs=0.06)


def test_who_has_no_value_or_no_place_has_no_part_in_it():
    coordinates, codes, _ = two_clouds(np.random.default_rng(4), 1.0, 0.0)
    whole = best_axis(*make(coordinates, codes), "sex")
    without = codes.copy()
    without[:500] = -1
    coordinates[500:900] = np.nan
    found = best_axis(*make(coordinates, without), "sex")
    assert found.score.n_participants == N - 900
    assert found.direction @ whole.direction > 0.99


def test_it_asks_for_two_categories_with_people_in_both():
    projection, cohort = make(np.zeros((30, 2)), np.zeros(30, int))
    with pytest.raises(TableError, match="'age' is no binary phenotype; these are: sex"):
        best_axis(projection, cohort, "age")
    with pytest.raises(StudyError, match="Only 0 on the mri map have Sex 'male'"):
        best_axis(projection, cohort, "sex")
