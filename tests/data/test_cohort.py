import numpy as np
import pandas as pd
import pytest

from napari_latent_explorer.data.cohort import Cohort
from napari_latent_explorer.data.phenotype import PhenotypeSpec
from napari_latent_explorer.errors import TableError

SPECS = {
    "sex": PhenotypeSpec("sex", "binary", categories=("female", "male")),
    "smoking": PhenotypeSpec("smoking", "categorical", categories=("never", "previous", "current")),
    "lvm": PhenotypeSpec("lvm", "continuous", "LV mass", "g"),
}


def make_cohort() -> Cohort:
    table = pd.DataFrame(
        {
            "sex": pd.Categorical(["male", None, "female", "male"], categories=["female", "male"]),
            "smoking": pd.Categorical(["never", "current", None, "never"], categories=["never", "previous", "current"]),
            "lvm": [100.0, np.nan, 80.0, 120.0],
        }
    )
    return Cohort(np.array(["a", "b", "c", "d"]), table, SPECS, {"mri": np.array([True, False, True, True])})


def test_rows_follow_the_ids_through_every_subset() -> None:
    cohort = make_cohort()
    part = cohort.subset(["d", "a"])
    assert part.rows_of(["a", "d"]).tolist() == [1, 0]
    assert part.values("lvm").tolist() == [120, 100]
    assert part.availability["mri"].tolist() == [True, True]
    assert "b" in cohort
    assert "b" not in part
    with pytest.raises(KeyError):
        part.rows_of(["b"])


def test_missing_values_are_nan_as_numbers_and_minus_one_as_codes() -> None:
    cohort = make_cohort()
    np.testing.assert_array_equal(cohort.values("sex"), [1, np.nan, 0, 1])
    assert cohort.codes("smoking").tolist() == [0, 2, -1, 0]
    with pytest.raises(ValueError, match="read-only"):
        cohort.values("lvm")[0] = 1.0


def test_a_split_is_disjoint_whole_and_repeatable() -> None:
    n = 101
    cohort = Cohort(np.array([f"p{i}" for i in range(n)]), pd.DataFrame(index=range(n)), {})
    parts = cohort.split({"train": 0.7, "valid": 0.2, "test": 0.1}, seed=3)
    assert [len(part) for part in parts.values()] == [71, 20, 10]
    assert sorted(np.concatenate(list(parts.values()))) == sorted(cohort.participant_ids)
    again = cohort.split({"train": 0.7, "valid": 0.2, "test": 0.1}, seed=3)
    assert all(np.array_equal(parts[name], again[name]) for name in parts)
    assert not np.array_equal(parts["train"], cohort.split({"train": 0.7, "valid": 0.3}, seed=4)["train"])
    with pytest.raises(TableError, match="must sum to 1"):
        cohort.split({"train": 0.5}, seed=0)


def test_every_misfit_is_named_at_once() -> None:
    with pytest.raises(TableError) as failure:
        Cohort(np.array(["a", "a"]), pd.DataFrame({"lvm": [1.0]}), SPECS, {"mri": np.array([True])})
    for part in ("1 participant ids occur more than once, e.g. a", "1 rows", "sex, smoking", "who has 'mri'"):
        assert part in str(failure.value)


def test_a_binary_phenotype_has_two_categories_and_a_number_none() -> None:
    with pytest.raises(TableError, match="exactly two"):
        PhenotypeSpec("sex", "binary", categories=("female",))
    with pytest.raises(TableError, match="cannot have categories"):
        PhenotypeSpec("lvm", "continuous", categories=("a",))
    assert SPECS["lvm"].title == "LV mass (g)"
    assert SPECS["sex"].title == "sex"


def test_rows_of_a_read_only_array_are_looked_up_once() -> None:
    """Of one that can change they are looked up each time."""
    cohort = make_cohort()
    ids = cohort.participant_ids[::-1]
    assert cohort.rows_of(ids) is cohort.rows_of(ids)
    assert cohort.rows_of(ids).tolist() == list(range(len(cohort)))[::-1]
    changing = cohort.participant_ids[:2].copy()
    assert cohort.rows_of(changing).tolist() == [0, 1]
    changing[0] = changing[1]
    assert cohort.rows_of(changing).tolist() == [1, 1]
