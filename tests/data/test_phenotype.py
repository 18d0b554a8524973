from dataclasses import FrozenInstanceError

import pytest

from napari_latent_explorer.data.phenotype import PhenotypeSpec
from napari_latent_explorer.errors import TableError


@pytest.mark.parametrize(
    ("label", "unit", "title"), [("", "", "lvm"), ("LV mass", "", "LV mass"), ("LV mass", "g", "LV mass (g)")]
)
def test_the_title_has_what_is_known(label: str, unit: str, title: str) -> None:
    assert PhenotypeSpec("lvm", "continuous", label, unit).title == title


@pytest.mark.parametrize("categories", [(), ("yes",), ("no", "yes", "perhaps")])
def test_binary_means_two_categories(categories: tuple[str, ...]) -> None:
    with pytest.raises(TableError, match=rf"'diabetes' is binary but has {len(categories)} categories.*exactly two"):
        PhenotypeSpec("diabetes", "binary", categories=categories)


def test_a_number_has_no_categories() -> None:
    with pytest.raises(TableError, match=r"'age' is continuous and cannot have categories \('old',\)"):
        PhenotypeSpec("age", "continuous", categories=("old",))


def test_specs_are_values() -> None:
    spec = PhenotypeSpec("sex", "binary", categories=("female", "male"))
    assert spec == PhenotypeSpec("sex", "binary", categories=("female", "male"))
    assert len({spec, PhenotypeSpec("sex", "categorical", categories=("female", "male"))}) == 2
    with pytest.raises(FrozenInstanceError):
        spec.unit = "g"  # type: ignore[misc]
