from types import SimpleNamespace

import pandas as pd
import torch

from napari_latent_explorer._cli.model_card import model_card
from napari_latent_explorer.data.phenotype import PhenotypeSpec


def model(**training: object) -> SimpleNamespace:
    return SimpleNamespace(
        network=torch.nn.Linear(10, 7),
        metadata={"name": "Hearts", "data_source": "study 'A'", "intended_use": "Research.", "references": ["One."]},
        latent_dim=256,
        fingerprint="abc",
        preprocessing={"mri": {"spacing_mm": 1.8, "imaging_plane": "la_4ch"}},
        training={"held_out_ids": ["P1", "P2"], "config": {"seed": 3, "epochs_joint": 9}} | training,
        warning="Simulated only.",
    )


def result() -> SimpleNamespace:
    reconstruction = [
        {"model": "cross-modal", "latents": source, "decoded": decoded, "rmse": 1.0, "explained": explained}
        for source, decoded, explained in (("ecg", "mri", 0.13), ("mri", "mri", 0.82), ("ecg", "ecg", 0.9))
    ]
    findings = [
        {"figure": "2a", "finding": "They mix", "here": "a bit", "holds": "no", "exceptions": ""},
        {"figure": "2b", "finding": "They find", "here": "often", "holds": "yes", "exceptions": ""},
        {"figure": "2c", "finding": "They gain", "here": "2 of 3", "holds": "in part", "exceptions": "Age"},
    ]
    tables = {
        "reconstruction": pd.DataFrame(reconstruction),
        "findings": pd.DataFrame(findings),
        "phenotypes": pd.DataFrame(columns=["phenotype", "metric", "value", "latents", "model"]),
        "retrieval": pd.DataFrame(columns=["model"]),
        "segmentation": pd.DataFrame(),
    }
    return SimpleNamespace(tables=tables, notes=("Scored on 500 people.",))


SPECS = {"age": PhenotypeSpec("age", "continuous", "Age", "years")}


def test_a_card_states_data_use_limits_and_scores_as_they_are() -> None:
    card = model_card(model(), "B", result(), SPECS)  # type: ignore[arg-type]
    for expected in (
        "# Model card: Hearts",
        "- parameters: 77",
        "- source: study 'A'",
        "- held out, never trained on: 2",
        "- mri, spacing mm: 1.8",
        "- epochs joint: 9",
        "Research. Not for clinical use.",
        "- Simulated only.",
        "one imaging plane, la_4ch",
        "- A cine decoded from the other recording's latent removes 13 % of the mean cine's squared error, one from "
        "its own latent 82 %",
        "does not hold: They mix; a bit.",
        "holds in part: They gain; 2 of 3. Not for: Age.",
        "study 'B'",
        "| 2b | They find | often | yes |  |",
        "Scored on 500 people.",
    ):
        assert expected in card
    assert "An ECG decoded" not in card  # it was not decoded from the MRI's latent
    limits = card[card.index("## Limits") : card.index("## Scores")]
    assert "They find" not in limits


def test_what_a_foreign_model_does_not_state_is_left_out() -> None:
    foreign = SimpleNamespace(metadata={}, latent_dim=16, fingerprint="f", preprocessing={}, training={}, warning="")
    card = model_card(foreign, "B", result(), SPECS)  # type: ignore[arg-type]
    assert "unnamed model" in card
    assert "## Training\n\nNot stated." in card
    assert "parameters" not in card
