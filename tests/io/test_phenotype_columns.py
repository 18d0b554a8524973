import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from napari_latent_explorer.errors import TableError
from napari_latent_explorer.io.column_proposal import ColumnProposal
from napari_latent_explorer.io.phenotype_columns import find_id_column, propose_columns

BIOBANK = pd.DataFrame(
    {
        "eid": ["1000011", "1000022", "1000033", "1000044"],
        "31-0.0": ["1", "0", "0", ""],
        "21003-0.0": ["50", "51", "52", "53"],
        "21003-2.0": ["58", "59", "60", "61"],
        "4080-2.0": ["120", "", "140", ""],
        "4080-2.1": ["130", "131", "", ""],
        "6150-2.0": ["4", "-7", "-3", "1"],
        "6150-2.1": ["1", "", "", ""],
        "131350-0.0": ["2012-01-01", "2018-01-01", "", "1900-01-01"],
        "53-2.0": ["2016-01-01"] * 4,
        "20116-2.0": ["0", "-3", "2", "1"],
        "21000-0.0": ["1001", "3001", "-1", "5"],
        "30690-0.0": ["5.5", "5.1", "", "6.0"],
        "20002-2.0": ["1065", "1065", "", ""],
        "20002-2.1": ["", "1111", "", ""],
        "904-2.0": ["3", "2", "-3", "5.5"],
        "24103-3.0": ["55", "56", "57", "58"],
        "my_score": ["1.5", "2.5", "3.5", "4.5"],
    }
)


def by_name(table: pd.DataFrame, instance: int | None = None) -> dict[str, ColumnProposal]:
    return {proposal.name: proposal for proposal in propose_columns(table, "eid", instance)}


def test_fields_of_uk_biobank_are_known() -> None:
    found = by_name(BIOBANK)
    assert found["sex"].categories == ("female", "male")
    assert (found["age"].sources, found["age"].unit) == (("21003-2.0",), "years")
    assert (found["systolic_pressure"].rule, found["systolic_pressure"].n_missing) == ("mean", 1)
    assert found["atrial_fibrillation"].n_missing == 1  # reported, but nobody knows when
    assert found["ethnic_background"].n_missing == 1
    assert found["my_score"].kind == "continuous"
    kept = [name for name, proposal in found.items() if proposal.is_kept]
    assert kept == [
        "sex", "age", "ethnic_background", "systolic_pressure", "smoking", "heart_attack_diagnosed", "angina_diagnosed",
        "stroke_diagnosed", "hypertension_diagnosed", "atrial_fibrillation", "cholesterol", "field_904", "my_score",
    ]  # fmt: skip


def test_every_column_is_in_a_proposal_with_its_reason() -> None:
    found = propose_columns(BIOBANK, "eid")
    assert {source for proposal in found for source in proposal.sources} == set(BIOBANK.columns) - {"eid"}
    assert all(proposal.note for proposal in found)


def test_other_visits_are_shown_but_not_kept() -> None:
    found = by_name(BIOBANK)
    assert not found["age_visit_0"].is_kept
    assert "baseline (0)" in found["age_visit_0"].note
    assert not found["lvef_visit_3"].is_kept
    assert "of the baseline (0) visit, the latest before the wanted one" in found["cholesterol"].note
    baseline = by_name(BIOBANK, instance=0)
    assert baseline["age"].sources == ("21003-0.0",)
    assert not baseline["systolic_pressure_visit_2"].is_kept


def test_unknown_fields_with_several_values_need_a_rule() -> None:
    found = by_name(BIOBANK)["field_20002"]
    assert not found.is_kept
    assert "2 values a visit; to keep it, choose a rule" in found.note
    assert by_name(BIOBANK)["field_904"].missing_codes == ("-3",)


def test_exports_with_labels_instead_of_codes() -> None:
    table = pd.DataFrame(
        {
            "participant.eid": ["1", "2", "3"],
            "participant.p31": ["Male", "Female", "Female"],
            "participant.p20116_i2": ["Current", "Prefer not to answer", "Never"],
            "participant.p6150_i2": ["Heart attack|High blood pressure", "None of the above", "Prefer not to answer"],
            "participant.p21000_i0": ["British", "Any other Asian background", "Do not know"],
        }
    )
    found = {proposal.name: proposal for proposal in propose_columns(table, "participant.eid")}
    assert all("does not hold" not in proposal.note for proposal in found.values())
    assert (found["smoking"].n_missing, found["smoking"].n_distinct) == (1, 2)
    assert (found["hypertension_diagnosed"].n_missing, found["hypertension_diagnosed"].n_distinct) == (1, 2)
    assert (found["ethnic_background"].n_missing, found["ethnic_background"].n_distinct) == (1, 2)


def test_a_field_with_other_values_is_taken_as_any_column() -> None:
    table = pd.DataFrame({"eid": ["1", "2"], "31-0.0": ["weiblich", "männlich"]})
    (sex,) = propose_columns(table, "eid")
    assert (sex.name, sex.kind, sex.categories) == ("sex", "binary", ("weiblich", "männlich"))
    assert "does not hold what it should" in sex.note


def test_names_that_occur_again_are_numbered() -> None:
    table = pd.DataFrame({"eid": ["1", "2"], "31-0.0": ["0", "1"], "sex": ["f", "m"], "participant_id": ["1.5", "2.5"]})
    assert [proposal.name for proposal in propose_columns(table, "eid")] == ["sex", "sex (2)", "participant_id (2)"]


@pytest.mark.parametrize(
    ("names", "found"),
    [
        (["age", "eid"], "eid"),
        (["participant_id", "id"], "participant_id"),
        (["PatientID", "OriginalID"], "PatientID"),
        (["Subject ID", "age"], "Subject ID"),
        (["participant.eid", "participant.p31"], "participant.eid"),
        (["age", "IID"], "IID"),
    ],
)
def test_the_column_of_ids(names: list[str], found: str) -> None:
    assert find_id_column(pd.DataFrame(columns=names)) == found


@pytest.mark.parametrize(
    ("names", "why"), [(["age", "sex"], "no column is called"), (["subject", "patient"], "several")]
)
def test_a_doubtful_column_of_ids_is_asked_for(names: list[str], why: str) -> None:
    with pytest.raises(TableError, match=why):
        find_id_column(pd.DataFrame(columns=names))


def test_a_wrong_column_of_ids_is_named() -> None:
    with pytest.raises(TableError, match="no column 'pid' of ids; it has 'eid', '31-0"):
        propose_columns(BIOBANK, "pid")


CELL = st.one_of(
    st.text(max_size=6), st.sampled_from(["1", "2,5", "<3", "NA", "-9", "yes", "2019-01-01", "1|2"]), st.floats(),
    st.integers(), st.none(), st.booleans(), st.dates(), st.binary(max_size=3),
)  # fmt: skip
COLUMN_NAME = st.one_of(
    st.sampled_from(
        ["31-0.0", "4080-2.0", "6150-2.1", "131350-0.0", "53-2.0", "p21003_i2", "99999-1.0", "sex", "x (g)"]
    ),
    st.text(min_size=1, max_size=6),
)


@given(st.data(), st.lists(COLUMN_NAME, min_size=1, max_size=4, unique=True), st.integers(0, 6))
def test_any_table_is_proposed_and_converted(data: st.DataObject, names: list[str], n_rows: int) -> None:
    from napari_latent_explorer.io.phenotype_table import phenotypes_of

    cells = {name: data.draw(st.lists(CELL, min_size=n_rows, max_size=n_rows)) for name in names}
    table = pd.DataFrame({name: pd.Series(column, dtype=object) for name, column in cells.items()})
    table.insert(0, "eid", [str(row) for row in range(n_rows)])
    if n_rows == 0:
        with pytest.raises(TableError, match="no row can be used"):
            phenotypes_of(table, "eid")
        return
    found = phenotypes_of(table, "eid")
    assert {source for proposal in found.proposals for source in proposal.sources} == set(names) - {"eid"}
    assert len(found.cohort()) == n_rows
