import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from napari_latent_explorer.data.cohort import Cohort
from napari_latent_explorer.data.phenotype import PhenotypeSpec
from napari_latent_explorer.errors import StudyError, TableError
from napari_latent_explorer.io import study_table as tables


def make_cohort() -> Cohort:
    specs = {
        "age": PhenotypeSpec("age", "continuous", "Age", "years", missing_codes=("-9",)),
        "smoking": PhenotypeSpec("smoking", "categorical", categories=("never", "previous", "current")),
    }
    smoking = pd.Categorical(["current", None, "never"], categories=["never", "previous", "current"])
    table = pd.DataFrame({"age": [50.5, np.nan, 70.0], "smoking": smoking})
    return Cohort(np.array(["007", "é", "a b"]), table, specs)


def test_a_cohort_comes_back_with_its_missing_values_and_specs(tmp_path: Path) -> None:
    cohort = make_cohort()
    tables.write_cohort(tmp_path, cohort)
    back = tables.read_cohort(tmp_path, {"mri": np.array([True, False, True])})
    assert back.participant_ids.tolist() == ["007", "é", "a b"]
    assert dict(back.specs) == dict(cohort.specs)
    np.testing.assert_array_equal(back.values("age"), [50.5, np.nan, 70.0])
    assert back.codes("smoking").tolist() == [2, -1, 0]  # the unused category keeps its place
    assert back.availability["mri"].tolist() == [True, False, True]


def test_a_value_that_its_spec_does_not_know_is_named(tmp_path: Path) -> None:
    tables.write_cohort(tmp_path, make_cohort())
    table = tables.read_table(tmp_path / tables.PARTICIPANTS_FILE)
    tables.write_table(tmp_path / tables.PARTICIPANTS_FILE, table.assign(smoking="pipe"))
    with pytest.raises(StudyError, match=r"phenotype 'smoking' holds \['pipe'\]"):
        tables.read_cohort(tmp_path, {})
    tables.write_table(tmp_path / tables.PARTICIPANTS_FILE, table.drop(columns="smoking"))
    with pytest.raises(StudyError, match="lacks the columns smoking"):
        tables.read_cohort(tmp_path, {})


@pytest.mark.parametrize("specs", [3, [1], [{"name": "age"}], [{"name": "x", "kind": "binary"}], "no"])
def test_rubbish_in_the_specs_is_an_error_for_people(tmp_path: Path, specs: object) -> None:
    (tmp_path / tables.PHENOTYPES_FILE).write_text(json.dumps(specs), "utf-8")
    with pytest.raises(StudyError, match=r"Cannot read .*phenotypes\.json"):
        tables.read_cohort(tmp_path, {})


def test_the_column_of_the_ids_is_taken(tmp_path: Path) -> None:
    spec = PhenotypeSpec(tables.ID_COLUMN, "continuous")
    with pytest.raises(TableError, match="cannot be called 'participant_id'"):
        tables.write_cohort(tmp_path, Cohort(np.array(["a"]), pd.DataFrame({spec.name: [1.0]}), {spec.name: spec}))


def test_people_of_whom_nothing_is_known_but_their_id_are_a_cohort_too(tmp_path: Path) -> None:
    tables.write_cohort(tmp_path, Cohort(np.array(["b", "a"]), pd.DataFrame(index=range(2)), {}))
    back = tables.read_cohort(tmp_path, {})
    assert back.participant_ids.tolist() == ["b", "a"]
    assert dict(back.specs) == {}
    assert back.subset(["a"]).participant_ids.tolist() == ["a"]


def test_rows_of_an_unfinished_addition_do_not_count(tmp_path: Path) -> None:
    tables.write_cohort(tmp_path, make_cohort())
    back = tables.read_cohort(tmp_path, {"mri": np.array([True, False])}, 2)
    assert back.participant_ids.tolist() == ["007", "é"]
    assert back.codes("smoking").tolist() == [2, -1]
