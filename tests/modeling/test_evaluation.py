"""The whole way from a study to a scored bundle, small."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from napari_latent_explorer.data.progress import finish
from napari_latent_explorer.errors import StudyError, TrainingError
from napari_latent_explorer.io.study import Study
from napari_latent_explorer.modeling.bundle import ModelBundle
from napari_latent_explorer.modeling.bundle_metadata import PREPROCESSING, describe_model
from napari_latent_explorer.modeling.evaluation import EvaluationConfig, EvaluationResult, evaluate
from napari_latent_explorer.modeling.held_out import load_baselines, split_study
from napari_latent_explorer.modeling.recordings import create_simulated_study
from napari_latent_explorer.modeling.training import CURVE_FILE, train
from napari_latent_explorer.modeling.training_config import TrainingConfig
from napari_latent_explorer.nn.autoencoder import AutoencoderConfig, CrossModalAutoencoder

pytestmark = pytest.mark.slow
CONFIG = TrainingConfig(
    train_fraction=0.3,
    valid_fraction=0.15,
    epochs_mri=1,
    epochs_ecg=1,
    epochs_joint=1,
    epochs_labels=1,
    batch_size=4,
    batch_size_joint=4,
)


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> Study:
    return finish(create_simulated_study(tmp_path_factory.mktemp("evaluation") / "study", 40, 5, stored=False))


@pytest.fixture(scope="module")
def bundle(study: Study, tmp_path_factory: pytest.TempPathFactory) -> ModelBundle:
    folder = tmp_path_factory.mktemp("run")
    made = finish(train(study, CONFIG, folder, n_workers=1))
    loaded = ModelBundle.load(folder)
    assert loaded.fingerprint == made.fingerprint
    return loaded


@pytest.fixture(scope="module")
def result(study: Study, bundle: ModelBundle) -> EvaluationResult:
    return finish(evaluate(study, bundle))


def test_a_run_leaves_a_bundle_its_baselines_and_its_curve(bundle: ModelBundle) -> None:
    assert bundle.path is not None
    curve = pd.read_csv(bundle.path / CURVE_FILE)
    assert curve["stage"].tolist() == ["mri", "ecg", "joint", "labels"]
    assert {modality: baseline.modalities for modality, baseline in load_baselines(bundle).items()} == {
        "mri": ("mri",),
        "ecg": ("ecg",),
    }
    assert not (bundle.path / "work").exists()
    assert bundle.training["config"]["seed"] == 0
    assert set(bundle.latent_statistics) == {"mri_mean", "mri_std", "ecg_mean", "ecg_std"}
    assert "simulated hearts only" in bundle.warning


def test_nobody_is_scored_whom_the_bundle_has_learned_from(study: Study, bundle: ModelBundle, tmp_path: Path) -> None:
    people = split_study(study, bundle, seed=0)
    assert sorted(people.scored) == sorted(bundle.training["held_out_ids"])
    assert not set(people.scored) & set(people.learned)
    assert len(people.scored) + len(people.learned) == 40
    same_people = finish(create_simulated_study(tmp_path / "more", 41, 5, stored=False))
    with pytest.raises(StudyError, match="share people"):
        split_study(same_people, bundle, seed=0)
    strangers = finish(create_simulated_study(tmp_path / "other", 3, 6, stored=False))
    assert len(split_study(strangers, bundle, seed=0).scored) == 3
    with pytest.raises(StudyError, match="at least 20"):
        finish(evaluate(strangers, bundle))


def test_mean_recording_is_scored_as_the_mean_of_the_scored(
    study: Study, bundle: ModelBundle, result: EvaluationResult
) -> None:
    table = result.tables["reconstruction"]
    ecgs = np.stack([study.ecg(str(each)).leads() for each in bundle.training["held_out_ids"]]).astype(np.float64)
    expected = 1000 * np.sqrt(np.mean((ecgs - ecgs.mean(0)) ** 2))
    row = table[(table["model"] == "mean recording") & (table["decoded"] == "ecg")].iloc[0]
    assert row["rmse"] == pytest.approx(expected, rel=1e-4)
    assert row["explained"] == 0.0
    cross = table[(table["model"] == "cross-modal")]
    assert set(zip(cross["latents"], cross["decoded"], strict=True)) == {
        ("mri", "mri"), ("mri", "ecg"), ("ecg", "mri"), ("ecg", "ecg"),
    }  # fmt: skip


def test_tables_hold_what_is_promised(result: EvaluationResult) -> None:
    phenotypes = result.tables["phenotypes"].set_index(["model", "latents", "phenotype"])
    assert phenotypes.loc[("cross-modal", "ecg", "lvm"), "metric"] == "R2"
    assert phenotypes.loc[("unimodal", "mri", "sex"), "metric"] == "AUROC"
    retrieval = result.tables["retrieval"].set_index(["model", "comparison"])
    assert retrieval.loc[("chance", ""), "top_10"] == pytest.approx(10 / 22)
    assert len(retrieval) == 5
    assert retrieval["top_1"].le(retrieval["top_10"]).all()
    assert set(result.tables["segmentation"]["structure"]) >= {"LV_cavity", "RV_cavity", "interventricular_septum"}
    assert "held out" in result.notes[0]
    assert result.tables["people"]["part"].value_counts().to_dict() == {"train": 16, "valid": 3, "test": 3}
    curve = result.tables["retrieval_curve"].set_index(["model", "query", "k"])
    assert curve.loc[("cross-modal", "ecg", 10), "chance"] == pytest.approx(10 / 22)
    assert curve.loc[("unimodal", "mri", 20), "accuracy"] >= curve.loc[("unimodal", "mri", 10), "accuracy"]
    assert set(result.tables["mixing"]["model"]) == {"cross-modal", "unimodal"}
    assert result.tables["ssim"].groupby(["model", "latents"]).size().eq(50).all()
    assert result.tables["ecg_correlation"]["lead"].iloc[:3].tolist() == ["I", "II", "III"]


def test_supervised_networks_are_compared_with_and_judge_translated_cines(tmp_path: Path) -> None:
    study = finish(create_simulated_study(tmp_path / "study", 136, 7, stored=False))
    config = AutoencoderConfig.preset("compact")
    metadata = describe_model(config, is_simulated=True, data_source="nothing", n_participants=0)
    untrained = ModelBundle(CrossModalAutoencoder(config), metadata, PREPROCESSING)
    settings = EvaluationConfig(max_decoded=20, supervised_minutes=0.01)
    found = finish(evaluate(study, untrained, settings, work=tmp_path / "work"))
    prediction = found.tables["prediction"]
    assert set(zip(prediction["model"], prediction["latents"], strict=True)) == {
        ("cross-modal", "mri"), ("cross-modal", "ecg"), ("supervised", "mri"), ("supervised", "ecg"),
    }  # fmt: skip
    assert set(prediction["regression"]) == {"NTK", "ridge", "logistic"}
    assert prediction["n_train"].max() == 102
    assert set(found.tables["gain"]["than"]) == {"supervised"}
    judged = found.tables["translation_people"]
    parts = found.tables["people"].set_index("participant_id")["part"]
    assert set(parts[judged["participant_id"]]) == {"test"}
    assert {"lvm", "rvedv"} <= set(found.tables["translation"]["phenotype"])
    assert "trained for 1 epochs" in found.notes[2]


def test_too_few_participants_to_train_on(tmp_path: Path) -> None:
    tiny = finish(create_simulated_study(tmp_path / "tiny", 5, 5, stored=False))
    with pytest.raises(TrainingError, match="at least 4 of each"):
        finish(train(tiny, CONFIG, tmp_path / "run", n_workers=1))
