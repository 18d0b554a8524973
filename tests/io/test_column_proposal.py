import pytest

from napari_latent_explorer.data.phenotype import PhenotypeSpec
from napari_latent_explorer.errors import TableError
from napari_latent_explorer.io.column_proposal import ColumnProposal


def test_the_phenotype_that_a_proposal_makes() -> None:
    proposal = ColumnProposal(
        ("a",), "lvm", "continuous", label="LV mass", unit="g", missing_codes=("-9",), description="Weighed."
    )
    assert proposal.spec == PhenotypeSpec("lvm", "continuous", "LV mass", "g", (), ("-9",), "Weighed.")


@pytest.mark.parametrize("kind", ["date", "text", "id", "empty"])
def test_other_kinds_make_none(kind: str) -> None:
    with pytest.raises(TableError, match=f"'x' is taken for {kind} and cannot become a phenotype"):
        _ = ColumnProposal(("x",), "x", kind).spec  # type: ignore[arg-type]
