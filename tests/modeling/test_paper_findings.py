"""Findings on tables whose order is known."""

import pandas as pd
import pytest

from napari_latent_explorer.data.phenotype import PhenotypeSpec
from napari_latent_explorer.modeling.paper_findings import paper_findings

SPECS = {
    "lvm": PhenotypeSpec("lvm", "continuous", "LV mass", "g"),
    "rvedv": PhenotypeSpec("rvedv", "continuous", "RV end-diastolic volume", "ml"),
    "pr_interval": PhenotypeSpec("pr_interval", "continuous", "PR interval", "ms"),
    "age": PhenotypeSpec("age", "continuous", "Age", "years"),
    "diabetes": PhenotypeSpec("diabetes", "binary", "Diabetes", categories=("no", "yes")),
}


def gain(latents, phenotype, value, half=0.05, than="unimodal"):
    score = {"value": value, "low": value - half, "high": value + half, "metric": "R2"}
    return {"model": "cross-modal", "than": than, "latents": latents, "phenotype": phenotype} | score


def by_finding(tables):
    found = paper_findings(tables, SPECS)
    return {row["finding"].partition(":")[0]: row for row in found.to_dict("records")}


def test_each_task_counts_its_own_phenotypes_and_modalities_and_names_the_exceptions() -> None:
    gains = [
        gain("ecg", "lvm", 0.2),
        gain("ecg", "rvedv", 0.02),
        gain("mri", "lvm", -0.3),  # the paper does not ask what MRIs say of themselves
        gain("mri", "pr_interval", 0.4),
        gain("ecg", "pr_interval", -0.4),
        gain("ecg", "age", -0.2),
        gain("mri", "age", 0.1),
        gain("ecg", "diabetes", -0.01),
        gain("mri", "diabetes", float("nan")),
    ]
    found = by_finding({"gain": pd.DataFrame(gains)})
    from_ecg = found["MRI phenotypes from ECG"]
    assert (from_ecg["here"], from_ecg["holds"]) == ("2 of 2 better, 1 surely better, 0 surely worse", "yes")
    assert found["ECG phenotypes from MRI"]["here"] == "1 of 1 better, 1 surely better, 0 surely worse"
    age = found["other continuous phenotypes from either"]
    assert (age["holds"], age["exceptions"]) == ("in part", "Age from ECG (-0.200)")
    assert age["here"] == "1 of 2 better, 1 surely better, 1 surely worse"
    diabetes = found["yes-or-no phenotypes from either"]
    assert (diabetes["holds"], diabetes["here"]) == ("no", "0 of 1 better, 0 surely better, 0 surely worse")


@pytest.mark.parametrize(("own", "holds"), [(0.45, "yes"), (0.22, "in part"), (0.12, "no")])
def test_mixing_must_be_beyond_the_interval(own: float, holds: str) -> None:
    shares = [
        {
            "model": model,
            "space": "latents",
            "share": share,
            "low": share - 0.05,
            "high": share + 0.05,
            "well_mixed": 0.5,
        }
        for model, share in (("cross-modal", own), ("unimodal", 0.1))
    ]
    found = paper_findings({"mixing": pd.DataFrame(shares)}, SPECS).iloc[0]
    assert found["holds"] == holds
    assert found["here"].startswith(f"{own:.0%} of")


def test_retrieval_is_compared_in_both_directions_with_unimodal_and_chance() -> None:
    rows = [
        {"model": model, "query": query, "key": key, "n_gallery": 4100, "k": 10, "accuracy": value}
        | {"low": value - 0.01, "high": value + 0.01, "chance": 10 / 4100}
        for (query, key), own in ((("ecg", "mri"), 0.2), (("mri", "ecg"), 0.012))
        for model, value in (("cross-modal", own), ("unimodal", 0.003))
    ]
    found = paper_findings({"retrieval_curve": pd.DataFrame(rows)}, SPECS)
    assert found["holds"].tolist() == ["yes", "no"]
    assert found["here"][0] == "among the first 10 of 4,100: 20.0% (19.0% to 21.0%), unimodal 0.3%, chance 0.2%"


@pytest.mark.parametrize(("a", "b", "holds"), [(0.02, 0.01, "yes"), (0.01, 0.02, "in part"), (-0.01, 0.0, "no")])
def test_the_law_asks_what_people_without_labels_are_worth(a: float, b: float, holds: str) -> None:
    law = pd.DataFrame([{"a": a, "b": b, "c": 0.0, "r2": 0.9, "n_points": 25}])
    assert paper_findings({"scaling_law": law}, SPECS)["holds"].tolist() == [holds]


def test_translated_cines_are_judged_by_quarters_and_by_correlation() -> None:
    truth = pd.Series(range(40), dtype=float) + 60
    people = pd.DataFrame({"phenotype": "lvm", "participant_id": [f"P{k}" for k in range(40)], "truth": truth})
    people = people.assign(original=truth, reconstructed=truth + 5, translated=160 - truth)
    scores = pd.DataFrame(
        {"phenotype": "lvm", "cine": ["reconstructed", "translated"], "compared_with": "original"}
        | {"correlation": [1.0, -1.0], "low": [0.9, -1.0], "high": [1.0, -0.9], "n": 40}
    )
    found = paper_findings({"translation_people": people, "translation": scores}, SPECS)
    assert found["figure"].tolist() == ["3a", "3c"]
    assert found["holds"].tolist() == ["in part", "in part"]
    assert found["here"][0] == "original 94 and 64; reconstructed 100 and 70; translated 66 and 96"


def test_what_was_not_measured_is_left_out() -> None:
    assert paper_findings({}, SPECS).empty
