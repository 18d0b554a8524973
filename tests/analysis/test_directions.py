import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LinearRegression

from napari_latent_explorer.analysis.directions import (
    direction_between,
    phenotype_direction,
    principal_direction,
)
from napari_latent_explorer.analysis.readers import fit_readers, measure_effects
from napari_latent_explorer.data.cohort import Cohort
from napari_latent_explorer.data.latents import LatentSpace
from napari_latent_explorer.data.phenotype import PhenotypeSpec
from napari_latent_explorer.data.progress import finish
from napari_latent_explorer.errors import StudyError, TableError

N, LATENT_DIM = 3_000, 12
GRAMS_PER_SEX = 25.0


@pytest.fixture(scope="module")
def loadings() -> np.ndarray:
    """Latent change ``(latent_dim, 2)`` per gram, and from female to male."""
    rng = np.random.default_rng(5)
    return np.column_stack([rng.normal(0, 0.05, LATENT_DIM), rng.normal(0, 0.8, LATENT_DIM)])


@pytest.fixture(scope="module")
def people(loadings: np.ndarray) -> tuple[LatentSpace, Cohort]:
    """Men have heavier hearts; latents hold mass and sex each in its own way, age in none."""
    rng = np.random.default_rng(1)
    male = rng.integers(0, 2, N)
    mass = 80 + GRAMS_PER_SEX * male + rng.normal(0, 12, N)
    values = loadings @ np.stack([mass, male]) + rng.normal(0, 0.15, (LATENT_DIM, N))
    table = pd.DataFrame(
        {
            "lvm": np.where(np.arange(N) % 50, mass, np.nan),
            "age": rng.normal(60, 8, N),
            "sex": pd.Categorical.from_codes(male, ["female", "male"]),
            "smoking": pd.Categorical.from_codes(rng.integers(0, 3, N), ["never", "previous", "current"]),
        }
    )
    specs = [
        PhenotypeSpec("lvm", "continuous", "LV mass", "g"),
        PhenotypeSpec("age", "continuous", "Age", "years"),
        PhenotypeSpec("sex", "binary", "Sex", categories=("female", "male")),
        PhenotypeSpec("smoking", "categorical", "Smoking", categories=("never", "previous", "current")),
    ]
    ids = np.array([f"P{number}" for number in range(N)])
    return LatentSpace(values.T, ids, "mri", "f"), Cohort(ids, table, {spec.name: spec for spec in specs})


@pytest.mark.parametrize("method", ["regression", "means"])
def test_a_direction_among_people_of_one_sex_is_what_mass_alone_does(
    people: tuple[LatentSpace, Cohort], loadings: np.ndarray, method: str
) -> None:
    direction = phenotype_direction(*people, "lvm", ["sex", "smoking"], method)
    if method == "means":  # its groups differ in mass by less among people of one sex than in all
        direction_in_all = phenotype_direction(*people, "lvm", (), method)
        assert np.corrcoef(direction.vector, loadings[:, 0])[0, 1] > 0.999
        assert np.corrcoef(direction_in_all.vector, loadings[:, 0])[0, 1] < 0.95
    else:
        np.testing.assert_allclose(direction.vector, loadings[:, 0], atol=6 * 0.15 / 12 / np.sqrt(N))
    assert (direction.unit, direction.phenotype) == ("g", "lvm")


def test_without_covariates_it_is_sklearns_regression_of_latents_and_goes_with_sex(
    people: tuple[LatentSpace, Cohort], loadings: np.ndarray
) -> None:
    latents, cohort = people
    known = np.isfinite(cohort.values("lvm"))
    peer = LinearRegression().fit(cohort.values("lvm")[known, None], latents.values[known])
    direction = phenotype_direction(latents, cohort, "lvm")
    np.testing.assert_allclose(direction.vector, peer.coef_[:, 0], rtol=1e-4)
    share_of_sex = np.cov(cohort.values("sex")[known], cohort.values("lvm")[known])[0, 1] / np.var(
        cohort.values("lvm")[known]
    )
    np.testing.assert_allclose(direction.vector, loadings @ [1.0, share_of_sex], atol=2e-3)
    assert direction.spread == pytest.approx(np.nanstd(cohort.values("lvm")))


def test_means_without_covariates_are_those_of_both_halves(people: tuple[LatentSpace, Cohort]) -> None:
    latents, cohort = people
    mass = cohort.values("lvm")
    heavy, light = mass > np.nanmedian(mass), mass <= np.nanmedian(mass)
    step = latents.values[heavy].mean(axis=0) - latents.values[light].mean(axis=0)
    step /= mass[heavy].mean() - mass[light].mean()
    np.testing.assert_allclose(phenotype_direction(latents, cohort, "lvm", (), "means").vector, step, rtol=1e-3)
    sex = cohort.codes("sex")
    step = latents.values[sex == 1].mean(axis=0) - latents.values[sex == 0].mean(axis=0)
    for method in ("means", "regression"):
        np.testing.assert_allclose(phenotype_direction(latents, cohort, "sex", (), method).vector, step, rtol=1e-3)


def test_a_walk_of_one_gram_reads_as_one_gram_and_moves_sex_only_if_nothing_is_held(
    people: tuple[LatentSpace, Cohort],
) -> None:
    latents, cohort = people
    plain = finish(measure_effects(latents, cohort, lambda some: phenotype_direction(some, cohort, "lvm")))
    held = finish(measure_effects(latents, cohort, lambda some: phenotype_direction(some, cohort, "lvm", ["sex"])))
    plainly = {effect.phenotype.name: effect for effect in plain}
    alone = {effect.phenotype.name: effect for effect in held}
    assert set(plainly) == {"lvm", "age", "sex"}
    assert plainly["lvm"].per_unit == pytest.approx(1.0, abs=0.05)
    assert alone["lvm"].low < 1.0 < alone["lvm"].high + 0.05
    mass, sex = cohort.values("lvm"), cohort.values("sex")
    known = np.isfinite(mass)
    slope = np.cov(sex[known], mass[known])[0, 1] / np.var(mass[known])
    assert plainly["sex"].low < slope < plainly["sex"].high
    assert plainly["sex"].is_sure
    # Not nothing: who reads sex from noisy latents takes some of it from mass.
    assert abs(alone["sex"].per_unit) < 0.05 * plainly["sex"].per_unit
    assert not plainly["age"].is_sure
    spreads = np.nanstd(mass) / sex.std()
    assert plainly["sex"].per_spread == pytest.approx(plainly["sex"].per_unit * spreads, rel=0.05)


def test_intervals_of_nothing_leave_out_zero_about_once_in_twenty() -> None:
    rng = np.random.default_rng(3)
    ids = np.array([f"P{number}" for number in range(400)])
    names = [f"luck {number}" for number in range(60)]
    table = pd.DataFrame({name: rng.normal(size=400) for name in ["mass", *names]})
    cohort = Cohort(ids, table, {name: PhenotypeSpec(name, "continuous") for name in table.columns})
    latents = LatentSpace(rng.normal(size=(400, 5)) + table["mass"].to_numpy()[:, None], ids, "mri", "f")
    effects = finish(measure_effects(latents, cohort, lambda some: phenotype_direction(some, cohort, "mass")))
    n_sure = sum(effect.is_sure for effect in effects if effect.phenotype.name != "mass")
    assert n_sure <= 9  # 3 expected of 60; 10 and more by chance once in 600


def test_what_stands_still_does_and_the_own_effect_stays(people: tuple[LatentSpace, Cohort]) -> None:
    readers = fit_readers(*people)
    names = [spec.name for spec in readers.targets]
    direction = phenotype_direction(*people, "lvm")
    held = readers.without(direction, ["sex", "age"])
    before = dict(zip(names, readers.changes(direction), strict=True))
    after = dict(zip(names, readers.changes(held), strict=True))
    assert after["lvm"] == pytest.approx(before["lvm"], rel=1e-4)
    assert abs(after["sex"]) < 1e-4 * abs(before["sex"])
    # The nearest of all such steps: any other one that moves the same is farther, in Mahalanobis' sense.
    inverse = np.linalg.inv(np.cov(people[0].values, rowvar=False))
    blind = np.linalg.svd(readers.weights.T)[2][len(names) :]
    lengths = [vector @ inverse @ vector for vector in held.vector + np.vstack([0 * blind[:1], 0.01 * blind])]
    assert len(lengths) > 5
    other = held.vector + 0.02 * blind
    scale = [direction.vector @ inverse @ vector / (vector @ inverse @ vector) for vector in [held.vector, *other]]
    distances = [
        (direction.vector - factor * vector) @ inverse @ (direction.vector - factor * vector)
        for factor, vector in zip(scale, [held.vector, *other], strict=True)
    ]
    assert np.argmin(distances) == 0


def test_readers_are_one_ridge_regression_for_each_phenotype(people: tuple[LatentSpace, Cohort]) -> None:
    readers = fit_readers(*people)
    column = [spec.name for spec in readers.targets].index("age")
    peer = LinearRegression().fit(people[0].values, people[1].values("age"))
    assert np.abs(readers.weights[:, column]).max() <= np.abs(peer.coef_).max() * 1.01
    mass = [spec.name for spec in readers.targets].index("lvm")
    known = np.isfinite(people[1].values("lvm"))
    peer = LinearRegression().fit(people[0].values[known], people[1].values("lvm")[known])
    np.testing.assert_allclose(readers.weights[:, mass], peer.coef_, atol=0.02 * np.abs(peer.coef_).max())


def test_principal_components_are_sklearns(people: tuple[LatentSpace, Cohort]) -> None:
    from sklearn.decomposition import PCA

    latents = people[0]
    peer = PCA(4).fit(latents.values)
    for number in range(4):
        direction = principal_direction(latents, number)
        length = np.sqrt(peer.explained_variance_[number])
        assert np.linalg.norm(direction.vector) == pytest.approx(length, rel=1e-3)
        assert abs(direction.vector @ peer.components_[number]) == pytest.approx(length, rel=1e-3)
        assert direction.vector[np.abs(direction.vector).argmax()] > 0
    with pytest.raises(StudyError, match="no principal component 13"):
        principal_direction(latents, 12)


def test_a_direction_between_two_vectors_ends_at_the_second(people: tuple[LatentSpace, Cohort]) -> None:
    latents = people[0]
    start, end = latents.values[:2]
    direction = direction_between(latents, start, end, "A to B")
    np.testing.assert_allclose(direction.moved(start, 1.0), end, rtol=1e-5)
    shares = (latents.values - latents.mean) @ (end - start) / ((end - start) @ (end - start))
    assert direction.spread == pytest.approx(shares.std(), rel=1e-4)
    with pytest.raises(StudyError, match="two different vectors"):
        direction_between(latents, start, start, "nowhere")


def test_refusals_say_what_to_do(people: tuple[LatentSpace, Cohort]) -> None:
    latents, cohort = people
    with pytest.raises(TableError, match="not 'smoking'"):
        phenotype_direction(latents, cohort, "smoking")
    with pytest.raises(TableError, match="cannot be adjusted for itself"):
        phenotype_direction(latents, cohort, "lvm", ["lvm"])
    with pytest.raises(TableError, match="no phenotype 'height'"):
        phenotype_direction(latents, cohort, "lvm", ["height"])
    few = LatentSpace(latents.values[:15], latents.participant_ids[:15], "mri", "f")
    with pytest.raises(StudyError, match="needs 21 participants"):
        phenotype_direction(few, cohort, "lvm", ["sex"])
    readers = fit_readers(latents, cohort)
    with pytest.raises(TableError, match="cannot stand still"):
        readers.without(phenotype_direction(latents, cohort, "lvm"), ["lvm"])
    with pytest.raises(TableError, match="No predictor of 'smoking'"):
        readers.without(phenotype_direction(latents, cohort, "lvm"), ["smoking"])
    twin = cohort.phenotypes.assign(lvm2=cohort.phenotypes["lvm"])
    specs = {**cohort.specs, "lvm2": PhenotypeSpec("lvm2", "continuous")}
    twins = Cohort(cohort.participant_ids, twin, specs)
    with pytest.raises(StudyError, match="does not vary among people who are alike"):
        phenotype_direction(latents, twins, "lvm", ["lvm2"])
    with pytest.raises(StudyError, match="Nothing is left of LV mass"):
        fit_readers(latents, twins).without(phenotype_direction(latents, twins, "lvm"), ["lvm2"])
    with pytest.raises(StudyError, match="need 80 participants"):
        finish(measure_effects(few, cohort, lambda some: phenotype_direction(some, cohort, "lvm")))
