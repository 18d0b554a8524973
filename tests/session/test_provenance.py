"""What is said of where files come from, and that nobody is named in it."""

from datetime import UTC, datetime, timedelta

from napari_latent_explorer.session.filters import CategoryFilter
from napari_latent_explorer.session.provenance import provenance_of, without_names


def test_it_says_study_model_filters_who_was_left_out_and_when(explorer):
    explorer.exclude(["P01", "P03"], "motion")
    explorer.exclude(["P05"], "spikes")
    explorer.set_filter(CategoryFilter("sex", frozenset({"male"})))
    explorer.select(["P07"])
    said = provenance_of(explorer.state)
    assert said["Study"] == f"'Memory', fingerprint {explorer.cohort.fingerprint}"
    assert said["Latents"] == "model linear0"
    assert said["Filters"] == "Sex: male"
    assert said["Excluded"] == "2 (motion); 1 (spikes)"
    assert timedelta() <= datetime.now(UTC) - datetime.fromisoformat(said["Date"]) < timedelta(minutes=1)
    assert "not for clinical use" in said["Program"]
    assert "P0" not in " ".join(said.values())


def test_each_fact_is_one_line_whatever_a_reason_holds(explorer):
    explorer.exclude(["P01"], "two\nlines")
    assert provenance_of(explorer.state)["Excluded"] == "1 (two lines)"


def test_names_are_taken_out_wherever_they_stand(explorer):
    text = "P01 (P02), nearest to the mean: P03; scan of Smith.dcm, not P99"
    assert without_names(text, explorer.state, ["Smith.dcm", ""]) == (
        "a participant (a participant), nearest to the mean: a participant; scan of a recording, not P99"
    )
