"""The simulated table must look like the one that it stands for, and depend on nothing but seed and number."""

from io import StringIO

import numpy as np
import pandas as pd
import pytest

from napari_latent_explorer.errors import TableError
from napari_latent_explorer.simulation.population import PREVALENCE, Population, simulate_population


@pytest.fixture(scope="module")
def population() -> Population:
    return simulate_population(10_000, seed=7)


@pytest.fixture(scope="module")
def table(population: Population) -> pd.DataFrame:
    table = population.to_table()
    cohort = population.cohort()
    return table.assign(
        lvef=cohort.values("lvef"),
        rvef=cohort.values("rvef"),
        bmi=cohort.values("bmi"),
        lvsv=table["lvedv_ml"] - table["lvesv_ml"],
        qtc=table["qt_interval_ms"] / np.sqrt(60.0 / table["heart_rate_bpm"]),
    )


@pytest.mark.parametrize(
    ("column", "mean", "standard_deviation"),
    [
        ("lvm_g", 89.7, 24.8),
        ("lvedv_ml", 144.15, 34.4),
        ("lvesv_ml", 59.6, 21.2),
        ("lvsv", 84.85, 19.3),
        ("rvedv_ml", 152.4, 37.2),
        ("rvesv_ml", 67.6, 22.9),
        ("rvef", 56.4, 6.53),
        ("la_max_volume_ml", 67.9, 21.8),
        ("la_min_volume_ml", 28.8, 15.4),
        ("ra_max_volume_ml", 79.2, 26.5),
        ("ra_min_volume_ml", 46.3, 20.0),
        ("heart_rate_bpm", 59.3, 10.6),
        ("pr_interval_ms", 165.9, 26.3),
        ("qrs_duration_ms", 89.5, 12.2),
        ("qt_interval_ms", 426.1, 32.2),
        ("qtc", 419.1, 20.7),
        ("frontal_axis_deg", 25.7, 36.6),
    ],
)
def test_means_and_spreads_are_those_of_the_reference(
    table: pd.DataFrame, column: str, mean: float, standard_deviation: float
) -> None:
    assert table[column].mean() == pytest.approx(mean, abs=0.12 * standard_deviation)
    assert table[column].std() == pytest.approx(standard_deviation, rel=0.12)


def test_age_and_body_mass_index_have_the_published_quartiles(table: pd.DataFrame) -> None:
    quartiles = [0.25, 0.5, 0.75]
    np.testing.assert_allclose(table["age_years"].quantile(quartiles), [58, 65, 70], atol=0.8)
    np.testing.assert_allclose(table["bmi"].quantile(quartiles), [23.62, 25.98, 28.78], atol=0.3)


@pytest.mark.parametrize(("disease", "prevalence"), PREVALENCE.items())
def test_prevalences_are_the_published_ones(table: pd.DataFrame, disease: str, prevalence: float) -> None:
    tolerance = 4.0 * np.sqrt(prevalence * (1.0 - prevalence) / len(table))
    assert table[f"has_{disease}"].mean() == pytest.approx(prevalence, abs=tolerance)


def test_rare_recordings_are_as_rare_as_meant(table: pd.DataFrame) -> None:
    assert (table["mri_quality"] != "good").mean() == pytest.approx(0.020, abs=0.006)
    assert set(table["mri_quality"]) == {"good", "ghosting", "motion", "wrong_plane"}
    assert (table["ecg_quality"] == "spikes").mean() == pytest.approx(0.015, abs=0.005)
    assert (table["conduction"] == "lbbb").mean() == pytest.approx(0.007, abs=0.0035)
    assert (table["conduction"] == "rbbb").mean() == pytest.approx(0.020, abs=0.006)
    assert table["is_male"].mean() == pytest.approx(0.4839, abs=0.02)


def test_nobody_leaves_the_ranges_that_readers_of_such_tables_accept(table: pd.DataFrame) -> None:
    for column, low, high in [
        ("lvm_g", 20, 400),
        ("rvedv_ml", 20, 500),
        ("lvef", 25, 75),
        ("rvef", 25, 75),
        ("pr_interval_ms", 70, 400),
        ("qrs_duration_ms", 45, 175),
        ("qt_interval_ms", 300, 600),
        ("heart_rate_bpm", 30, 150),
    ]:
        assert table[column].between(low - 1e-9, high + 1e-9).all(), column
    for big, small in [("lvedv_ml", "lvesv_ml"), ("rvedv_ml", "rvesv_ml")]:
        assert (table[big] > table[small]).all()
    for atrium in ("la", "ra"):
        assert (table[f"{atrium}_max_volume_ml"] > table[f"{atrium}_min_volume_ml"]).all()
    assert table.select_dtypes("number").gt(-1e6).all().all()


def difference(table: pd.DataFrame, column: str, condition: str) -> float:
    """Difference of means, with minus without the condition, in standard deviations."""
    with_it, without_it = table.loc[table[condition], column], table.loc[~table[condition], column]
    return float((with_it.mean() - without_it.mean()) / table[column].std())


@pytest.mark.parametrize(
    ("column", "condition", "low", "high"),
    [
        ("lvm_g", "is_male", 1.1, 1.6),
        ("lvedv_ml", "is_male", 1.0, 1.5),
        ("rvef", "is_male", -0.9, -0.4),
        ("qtc", "is_male", -0.8, -0.3),
        ("qrs_duration_ms", "is_male", 0.5, 1.1),
        ("has_diabetes", "is_male", 0.05, 0.3),
        ("has_hypertension", "is_male", 0.1, 0.35),
        ("lvm_g", "has_hypertension", 0.35, 0.8),
        ("age_years", "has_hypertension", 0.4, 0.8),
        ("has_diabetes", "has_hypertension", 0.15, 0.5),
        ("rvef", "has_diabetes", -0.8, -0.3),
        ("bmi", "has_diabetes", 0.6, 1.2),
        ("la_max_volume_ml", "has_atrial_fibrillation", 1.0, 2.5),
        ("lvef", "has_coronary_artery_disease", -1.2, -0.4),
    ],
)
def test_sex_and_diseases_act_in_the_known_direction(
    table: pd.DataFrame, column: str, condition: str, low: float, high: float
) -> None:
    assert low < difference(table, column, condition) < high


def test_heart_grows_with_the_body_and_qt_with_the_cycle(table: pd.DataFrame) -> None:
    area = np.sqrt(table["height_cm"] * table["weight_kg"] / 3600.0)
    assert np.corrcoef(area, table["lvedv_ml"])[0, 1] > 0.5
    assert np.corrcoef(60000.0 / table["heart_rate_bpm"], table["qt_interval_ms"])[0, 1] > 0.6
    assert np.corrcoef(table["lvsv"], table["rvedv_ml"] - table["rvesv_ml"])[0, 1] > 0.9
    assert np.corrcoef(table["age_years"], table["frontal_axis_deg"])[0, 1] < -0.1


def test_fibrillating_atria_hardly_empty(table: pd.DataFrame) -> None:
    kept = table["la_min_volume_ml"] / table["la_max_volume_ml"]
    assert kept[table["has_atrial_fibrillation"]].mean() > kept[~table["has_atrial_fibrillation"]].mean() + 0.25


def test_hypertrophic_cardiomyopathy_thickens_the_septum_and_empties_the_ventricle() -> None:
    healthy = simulate_population(600, seed=3, prevalence={"hypertrophic_cardiomyopathy": 0.0}).to_table()
    thick = simulate_population(600, seed=3, prevalence={"hypertrophic_cardiomyopathy": 1.0}).to_table()
    assert thick["has_hypertrophic_cardiomyopathy"].all()
    assert (thick["septal_asymmetry"] > 0.5).all()
    assert (healthy["septal_asymmetry"] < 0.3).all()
    assert thick["lvm_g"].mean() > 1.35 * healthy["lvm_g"].mean()
    assert (thick["lvesv_ml"] / thick["lvedv_ml"]).mean() < (healthy["lvesv_ml"] / healthy["lvedv_ml"]).mean() - 0.04


def test_a_larger_population_begins_with_the_same_people() -> None:
    assert simulate_population(40, seed=5).factors[:10] == simulate_population(10, seed=5).factors
    assert simulate_population(10, seed=6).factors != simulate_population(10, seed=5).factors


def test_enrichment_keeps_those_who_were_ill_and_their_ids() -> None:
    plain = simulate_population(2000, seed=1).to_table()
    enriched = simulate_population(2000, seed=1, prevalence={"atrial_fibrillation": 0.3}).to_table()
    assert enriched["has_atrial_fibrillation"].mean() == pytest.approx(0.3, abs=0.04)
    assert enriched.loc[plain["has_atrial_fibrillation"], "has_atrial_fibrillation"].all()
    pd.testing.assert_series_equal(plain["participant_id"], enriched["participant_id"])


@pytest.mark.parametrize("prevalence", [{"flu": 0.1}, {"diabetes": 1.2}])
def test_a_wrong_prevalence_is_refused_by_name(prevalence: dict[str, float]) -> None:
    with pytest.raises(ValueError, match=next(iter(prevalence))):
        simulate_population(3, seed=0, prevalence=prevalence)


def test_the_table_brings_everybody_back_even_through_text(population: Population) -> None:
    table = population.to_table().head(300)
    expected = population.factors[:300]
    assert Population.from_table(table).factors == expected
    text = StringIO(table.to_csv(index=False))
    assert Population.from_table(pd.read_csv(text, float_precision="round_trip")).factors == expected


def test_missing_columns_are_named_together(population: Population) -> None:
    with pytest.raises(TableError, match=r"lvm_g.*heart_offset_rows_mm"):
        Population.from_table(population.to_table().drop(columns=["lvm_g", "heart_offset_rows_mm"]))


def test_the_cohort_tells_what_a_study_would_know(population: Population) -> None:
    cohort = population.cohort()
    assert len(cohort) == 10_000
    assert cohort.participant_ids[0] == "SIM000001"
    assert set(cohort.availability) == {"mri", "ecg"}
    assert all(mask.all() for mask in cohort.availability.values())
    assert not any("quality" in name for name in cohort.specs)
    assert cohort.specs["lvm"].title == "LV mass (g)"
    np.testing.assert_array_equal(cohort.values("sex"), [person.is_male for person in population.factors])
    first = population.factors[0]
    assert cohort.values("bmi")[0] == pytest.approx(first.bmi_kg_m2)
    assert cohort.values("lvef")[0] == pytest.approx(100 * (1 - first.lvesv_ml / first.lvedv_ml))


def test_only_pr_in_fibrillation_and_unanswered_smoking_are_missing(population: Population) -> None:
    cohort = population.cohort()
    fibrillates = np.array([person.has_atrial_fibrillation for person in population.factors])
    np.testing.assert_array_equal(np.isnan(cohort.values("pr_interval")), fibrillates)
    unanswered = cohort.codes("smoking") < 0
    assert 0.005 < unanswered.mean() < 0.03
    for name in set(cohort.specs) - {"pr_interval", "smoking"}:
        assert np.isfinite(cohort.values(name)).all(), name


def test_an_empty_population_is_a_population() -> None:
    assert len(simulate_population(0, seed=0).cohort()) == 0
