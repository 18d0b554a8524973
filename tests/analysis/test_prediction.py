from collections.abc import Sequence

import numpy as np
import pandas as pd
import pytest

from napari_latent_explorer.analysis.prediction import PredictorTable, fit_predictors
from napari_latent_explorer.data.cohort import Cohort
from napari_latent_explorer.data.latents import LatentSpace
from napari_latent_explorer.data.phenotype import PhenotypeSpec
from napari_latent_explorer.data.progress import finish
from napari_latent_explorer.errors import StudyError, TableError

N, LATENT_DIM = 600, 16
NOISE_SD = 5.0


def make_study() -> tuple[Cohort, dict[str, LatentSpace]]:
    """Mass is in MRI latents, rate in ECG latents, sex in both a little; noise in neither; all numbers have noise."""
    rng = np.random.default_rng(0)
    mass, rate, maleness = rng.normal(size=(3, N))
    mri, ecg = rng.normal(size=(2, N, LATENT_DIM))
    mri[:, 0], ecg[:, 0] = mass, rate
    mri[:, 1], ecg[:, 1] = maleness + rng.normal(size=(2, N))
    noise = rng.normal(size=(4, N))
    table = pd.DataFrame(
        {
            "lvm": 100 + 10 * mass + NOISE_SD * noise[0],
            "heart_rate": np.where(np.arange(N) < 550, 60 + 10 * rate + NOISE_SD * noise[1], np.nan),
            "sex": pd.Categorical.from_codes((maleness > 0).astype(int), ["female", "male"]),
            "luck": noise[2],
            "rare": pd.Categorical.from_codes((np.arange(N) < 4).astype(int), ["no", "yes"]),
            "smoking": pd.Categorical.from_codes(rng.integers(0, 3, N), ["never", "previous", "current"]),
        }
    )
    specs = [
        PhenotypeSpec("lvm", "continuous", "LV mass", "g"),
        PhenotypeSpec("heart_rate", "continuous", "Heart rate", "bpm"),
        PhenotypeSpec("sex", "binary", "Sex", categories=("female", "male")),
        PhenotypeSpec("luck", "continuous", "Luck"),
        PhenotypeSpec("rare", "binary", "Rare disease", categories=("no", "yes")),
        PhenotypeSpec("smoking", "categorical", "Smoking", categories=("never", "previous", "current")),
    ]
    ids = np.array([f"P{i}" for i in range(N)])
    cohort = Cohort(ids, table, {spec.name: spec for spec in specs})
    return cohort, {"mri": LatentSpace(mri, ids, "mri", "f"), "ecg": LatentSpace(ecg, ids, "ecg", "f")}


@pytest.fixture(scope="module")
def study() -> tuple[Cohort, dict[str, LatentSpace]]:
    return make_study()


@pytest.fixture(scope="module")
def predictors(study: tuple[Cohort, dict[str, LatentSpace]]) -> PredictorTable:
    cohort, latents = study
    return finish(fit_predictors(latents, cohort))


def column(table: PredictorTable, target: str) -> int:
    return [spec.name for spec in table.targets].index(target)


def scores(table: PredictorTable, target: str) -> dict[str, float]:
    return {row: table.scores[number][column(table, target)].value for number, row in enumerate(table.rows)}


def test_each_row_predicts_what_its_latents_hold(predictors: PredictorTable) -> None:
    best = 100 / (100 + NOISE_SD**2)  # share of the variance that is not noise
    lvm, rate = scores(predictors, "lvm"), scores(predictors, "heart_rate")
    assert lvm["MRI"] == pytest.approx(best, abs=0.05)
    assert lvm["ECG"] == pytest.approx(0.0, abs=0.06)
    assert lvm["MRI + ECG"] == pytest.approx(best, abs=0.05)
    assert rate["ECG"] == pytest.approx(best, abs=0.05)
    assert rate["MRI"] == pytest.approx(0.0, abs=0.06)


def test_two_weak_views_of_the_same_are_better_together(predictors: PredictorTable) -> None:
    sex = scores(predictors, "sex")
    assert 0.7 < sex["MRI"] < sex["MRI + ECG"]
    assert 0.7 < sex["ECG"] < sex["MRI + ECG"]


def test_chance_is_not_predicted_and_its_interval_holds_zero(predictors: PredictorTable) -> None:
    for row in predictors.scores:
        score = row[column(predictors, "luck")]
        assert score.value < 0.03
        assert score.low < 0.0 < score.high or score.high < 0.0


def test_scores_agree_with_sklearn_cross_validation(
    study: tuple[Cohort, dict[str, LatentSpace]], predictors: PredictorTable
) -> None:
    from sklearn.linear_model import LogisticRegression, RidgeCV
    from sklearn.model_selection import KFold, cross_val_predict, cross_val_score
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    cohort, latents = study
    folds = KFold(5, shuffle=True, random_state=1)
    ridge = make_pipeline(StandardScaler(), RidgeCV(np.logspace(-1, 5, 19)))
    held_out = cross_val_predict(ridge, latents["mri"].values, cohort.values("lvm"), cv=folds)
    expected = 1 - ((held_out - cohort.values("lvm")) ** 2).mean() / cohort.values("lvm").var()
    assert scores(predictors, "lvm")["MRI"] == pytest.approx(expected, abs=0.01)
    areas = [
        cross_val_score(
            make_pipeline(StandardScaler(), LogisticRegression(C=inverse_penalty)),
            latents["mri"].values,
            cohort.values("sex"),
            cv=folds,
            scoring="roc_auc",
        ).mean()
        for inverse_penalty in (1e-3, 1e-2, 1e-1, 1.0)
    ]
    assert scores(predictors, "sex")["MRI"] == pytest.approx(max(areas), abs=0.02)


def test_predictions_are_in_the_phenotypes_unit_with_the_interval_of_one_person(
    study: tuple[Cohort, dict[str, LatentSpace]], predictors: PredictorTable
) -> None:
    vector = np.zeros(LATENT_DIM)
    vector[0] = 2.0
    table = predictors.predict({"mri": vector, "ecg": vector})
    lvm = column(predictors, "lvm")
    assert table.values[0, lvm] == pytest.approx(120.0, abs=2.0)
    assert table.values[1, lvm] == pytest.approx(100.0, abs=2.0)
    assert table.high[0, lvm] - table.low[0, lvm] == pytest.approx(2 * 1.96 * NOISE_SD, rel=0.1)
    assert table.high[1, lvm] - table.low[1, lvm] == pytest.approx(2 * 1.96 * np.hypot(10, NOISE_SD), rel=0.1)


def test_the_intervals_hold_new_people_as_often_as_they_say(predictors: PredictorTable) -> None:
    rng = np.random.default_rng(7)
    lvm, hits = column(predictors, "lvm"), 0
    for _ in range(400):
        mri, ecg = rng.normal(size=(2, LATENT_DIM))
        truth = 100 + 10 * mri[0] + NOISE_SD * rng.normal()
        table = predictors.predict({"mri": mri, "ecg": ecg})
        hits += table.low[0, lvm] <= truth <= table.high[0, lvm]
    assert hits / 400 == pytest.approx(0.95, abs=0.03)


def test_probabilities_grow_with_what_they_are_of(predictors: PredictorTable) -> None:
    sex = column(predictors, "sex")
    female, male = np.zeros((2, LATENT_DIM))
    female[1], male[1] = -3.0, 3.0
    unlikely = predictors.predict({"mri": female, "ecg": female})
    likely = predictors.predict({"mri": male, "ecg": male})
    assert (unlikely.high[:, sex] < 0.3).all()
    assert (likely.low[:, sex] > 0.7).all()
    assert ((likely.low[:, sex] < likely.values[:, sex]) & (likely.values[:, sex] < likely.high[:, sex])).all()


def test_what_cannot_be_fit_is_nan_and_says_so(predictors: PredictorTable) -> None:
    rare = column(predictors, "rare")
    table = predictors.predict({"mri": np.zeros(LATENT_DIM), "ecg": np.zeros(LATENT_DIM)})
    assert np.isnan(table.values[:, rare]).all()
    score = predictors.scores[0][rare]
    assert (score.metric, score.n_participants) == ("auroc", 0)
    assert np.isnan(score.value)


def test_missing_outcomes_are_left_out_and_counted(predictors: PredictorTable) -> None:
    assert predictors.scores[1][column(predictors, "heart_rate")].n_participants == 550
    assert predictors.scores[1][column(predictors, "lvm")].n_participants == N


def test_a_row_without_its_vector_is_nan(predictors: PredictorTable) -> None:
    table = predictors.predict({"mri": np.zeros(LATENT_DIM)})
    lvm = column(predictors, "lvm")
    assert np.isfinite(table.values[:, lvm]).tolist() == [True, False, False]


def test_the_same_seed_gives_the_same_table(study: tuple[Cohort, dict[str, LatentSpace]]) -> None:
    cohort, latents = study
    first, again = (finish(fit_predictors({"mri": latents["mri"]}, cohort, ["lvm"], seed=3)) for _ in range(2))
    assert first.rows == ("MRI",)
    assert first.scores == again.scores


def test_only_those_with_latents_count(study: tuple[Cohort, dict[str, LatentSpace]]) -> None:
    cohort, latents = study
    few = latents["ecg"].aligned_to(cohort.participant_ids[100:300][::-1])
    table = finish(fit_predictors({"mri": latents["mri"], "ecg": few}, cohort, ["lvm"]))
    assert [row[0].n_participants for row in table.scores] == [N, 200, 200]
    assert table.scores[2][0].value == pytest.approx(0.8, abs=0.1)


@pytest.mark.parametrize("targets", [["smoking"], ["weight"]])
def test_targets_that_cannot_be_predicted_are_named(
    study: tuple[Cohort, dict[str, LatentSpace]], targets: Sequence[str]
) -> None:
    cohort, latents = study
    with pytest.raises(TableError, match=targets[0]):
        finish(fit_predictors(latents, cohort, targets))


def test_without_latents_there_is_nothing_to_predict_from(study: tuple[Cohort, dict[str, LatentSpace]]) -> None:
    with pytest.raises(StudyError, match="encode it first"):
        finish(fit_predictors({}, study[0]))
