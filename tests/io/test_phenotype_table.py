from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from napari_latent_explorer.errors import TableError
from napari_latent_explorer.io.phenotype_table import import_phenotypes, phenotypes_of

WRITTEN = """id;LVM (g);sex;nyha;remark
001;91,5;M;1;abc
002;<70;F;2;def
003;NA;F;2;
003;NA;F;2;
004;120;M;1;x
004;121;M;1;x
;100;F;1;
"""


@pytest.fixture
def table(tmp_path: Path) -> Path:
    path = tmp_path / "t.csv"
    path.write_text(WRITTEN, "utf-8")
    return path


def test_a_table_becomes_a_cohort(table: Path) -> None:
    found = import_phenotypes(table)
    assert found.participant_ids.tolist() == ["001", "002", "003"]
    cohort = found.cohort({"mri": np.array([True, False, True])})
    np.testing.assert_array_equal(cohort.values("LVM (g)"), [91.5, 70.0, np.nan])
    assert cohort.codes("sex").tolist() == [1, 0, 0]
    assert cohort.specs["LVM (g)"].title == "LVM (g)"
    assert [str(finding).split(" (")[0] for finding in found.id_report.findings] == [
        "1 rows without an id",
        "1 ids with several equal rows",
        "1 ids with several different rows",
    ]


def test_corrected_columns_make_other_phenotypes(table: Path) -> None:
    by_name = {proposal.name: proposal for proposal in import_phenotypes(table).proposals}
    corrected = [
        replace(by_name["LVM (g)"], name="lvm", label="LV mass", missing_codes=("<70",)),
        replace(
            by_name["nyha"], name="NYHA", kind="categorical", categories=("I", "II"), codes=(("1", "I"), ("2", "II"))
        ),
    ]
    found = import_phenotypes(table, columns=corrected)
    assert list(found.specs) == ["lvm", "NYHA"]
    assert found.specs["lvm"].title == "LV mass (g)"
    np.testing.assert_array_equal(found.phenotypes["lvm"], [91.5, np.nan, np.nan])
    assert found.phenotypes["NYHA"].tolist() == ["I", "II", "II"]


def test_real_table_of_patients(realdata: Path) -> None:
    found = import_phenotypes(realdata / "cine" / "sunnybrook_sax" / "scd_patientdata.csv")
    assert len(found.participant_ids) == 45  # as its README says; UTF-8 with BOM
    assert found.id_report.column == "PatientID"
    assert not found.id_report.findings
    assert {name: spec.kind for name, spec in found.specs.items()} == {
        "Gender": "binary",
        "Age": "continuous",
        "Pathology": "categorical",
    }
    assert found.specs["Pathology"].categories == (
        "Heart failure with infarct", "Heart failure without infarct", "Hypertrophy", "Normal",
    )  # fmt: skip


def test_what_was_noticed_while_reading_is_told(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_bytes("id,größe\na,1.5\nb,2.5\n".encode("cp1252"))
    assert "was read as cp1252" in import_phenotypes(path).notes[0]


def test_the_visit_that_is_taken_is_told() -> None:
    table = pd.DataFrame({"eid": ["1", "2"], "50-0.0": ["170", "180"], "50-2.0": ["169", "179"]})
    assert "values of the imaging (2) visit are taken" in phenotypes_of(table).notes[0]
    assert "values of the baseline (0) visit" in phenotypes_of(table, instance=0).notes[0]
    assert not phenotypes_of(table.rename(columns={"eid": "id", "50-0.0": "a", "50-2.0": "b"})).notes


@pytest.mark.parametrize(
    ("written", "message"),
    [
        ("id,age\n", "no row can be used"),
        ("id,age\n,50\n", "no row can be used"),
        ("id,age\n1,50\n1,51\n", "no row can be used"),
        ("a,age\n1,50\n", "which column holds the participant ids"),
    ],
)
def test_tables_of_nobody(tmp_path: Path, written: str, message: str) -> None:
    path = tmp_path / "t.csv"
    path.write_text(written, "utf-8")
    with pytest.raises(TableError, match=message) as refusal:
        import_phenotypes(path)
    assert str(path) in str(refusal.value)


def test_a_table_of_ids_alone() -> None:
    found = phenotypes_of(pd.DataFrame({"id": ["a", "b"]}))
    assert (len(found.cohort()), dict(found.specs)) == (2, {})
