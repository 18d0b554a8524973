from types import SimpleNamespace

import pandas as pd
import pytest

from napari_latent_explorer._cli.scores import write_scores
from napari_latent_explorer.data.phenotype import PhenotypeSpec

SPECS = {
    "lvm": PhenotypeSpec("lvm", "continuous", "LV mass", "g"),
    "diabetes": PhenotypeSpec("diabetes", "binary", "Diabetes", categories=("no", "yes")),
}


def reconstruction(model, latents, decoded, rmse, explained):
    unit = {"mse": rmse**2, "mse_low": 0.9 * rmse**2, "mse_high": 1.1 * rmse**2, "unit": "uV"}
    return {"model": model, "latents": latents, "decoded": decoded, "rmse": rmse, "explained": explained} | unit


def phenotype(model, latents, name, metric, value):
    return {
        "model": model,
        "latents": latents,
        "phenotype": name,
        "metric": metric,
        "value": value,
        "low": value - 0.1,
        "high": value + 0.1,
    }


@pytest.fixture
def result():
    """Scores as an evaluation gives them; nobody of those scored has diabetes."""
    nan = float("nan")
    tables = {
        "reconstruction": pd.DataFrame(
            [
                reconstruction("mean recording", "", "mri", 0.7, 0.0),
                reconstruction("cross-modal", "ecg", "mri", 0.35, 0.75),
                reconstruction("mean recording", "", "ecg", 80.0, 0.0),
                reconstruction("unimodal", "ecg", "ecg", 20.0, 0.9375),
            ]
        ),
        "phenotypes": pd.DataFrame(
            [
                phenotype("cross-modal", "mri", "lvm", "R2", 0.8),
                phenotype("unimodal", "ecg", "lvm", "R2", 0.4),
                phenotype("cross-modal", "mri", "diabetes", "AUROC", nan),
            ]
        ),
        "retrieval": pd.DataFrame(
            [
                {"model": "cross-modal", "comparison": "cosine", "n_gallery": 500, "median_rank": 12.5, "top_1": 0.104},
                {"model": "chance", "comparison": "", "n_gallery": 500, "median_rank": 250.5, "top_1": 0.002},
            ]
        ),
        "segmentation": pd.DataFrame(
            [
                {"latents": "mri", "label": 11, "structure": "LV_cavity", "dice": 0.911},
                {"latents": "ecg", "label": 11, "structure": "LV_cavity", "dice": 0.7},
                {"latents": "mri", "label": 9, "structure": "RV_cavity", "dice": 0.85},
            ]
        ),
    }
    return SimpleNamespace(tables=tables, notes=("Scored on 500 people.",))


@pytest.fixture
def rows(result, tmp_path):
    report = write_scores(result, SPECS, tmp_path / "scores")
    return (report.parent / "scores.md").read_text("utf-8").splitlines()


def test_reconstruction_stands_beside_the_mean(rows):
    assert "| decoded from | cine (standard deviations) | removed | ECG (µV) | removed |" in rows
    assert "| mean recording of these people | 0.700 | 0 % | 80 | 0 % |" in rows
    assert "| cross-modal, ECG latent | 0.350 | 75 % |  |  |" in rows
    assert "| unimodal, ECG latent |  |  | 20 | 94 % |" in rows


def test_phenotypes_have_units_intervals_and_a_column_for_each_model(rows):
    assert "| phenotype | score | MRI, unimodal | MRI, cross-modal | ECG, unimodal | ECG, cross-modal |" in rows
    assert "| LV mass (g) | R2 |  | 0.80 (0.70 to 0.90) | 0.40 (0.30 to 0.50) |  |" in rows
    assert not [row for row in rows if "Diabetes" in row]


def test_retrieval_stands_beside_chance(rows):
    assert "| cross-modal, cosine | 500 | 10.4 % | 12.5 |" in rows
    assert "| chance | 500 | 0.2 % | 250.5 |" in rows


def test_segmentation_is_in_the_order_of_labels(rows):
    first = rows.index("| structure | from MRI latent | from ECG latent |") + 2
    assert rows[first:] == ["| RV cavity | 0.85 |  |", "| LV cavity | 0.91 | 0.70 |"]


def test_tables_are_kept_with_every_digit(result, tmp_path):
    write_scores(result, SPECS, tmp_path)
    kept = pd.read_parquet(tmp_path / "retrieval.parquet")
    assert kept["top_1"].tolist() == [0.104, 0.002]
    assert {path.stem for path in tmp_path.glob("*.parquet")} == set(result.tables)
