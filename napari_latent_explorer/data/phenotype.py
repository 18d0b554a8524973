"""What one column of a cohort's table means."""

from dataclasses import dataclass
from typing import Literal

from napari_latent_explorer.errors import TableError

PhenotypeKind = Literal["continuous", "binary", "categorical"]


@dataclass(frozen=True, slots=True)
class PhenotypeSpec:
    """Name, kind, unit and categories of one phenotype.

    Attributes
    ----------
    name
        Column name in the table; the key everywhere in the program.
    kind
        `continuous` (numbers with a unit), `binary` (two categories, the second is the positive one) or `categorical`.
    label
        What is shown to people, e.g. ``LV mass``; the name if empty.
    unit
        Unit of a continuous phenotype, e.g. ``g``; empty when it has none.
    categories
        Labels of a binary or categorical phenotype in their order.
    missing_codes
        Values of the source table that meant "missing" (they are NaN in the cohort).
    description
        One plain sentence for a tooltip.
    """

    name: str
    kind: PhenotypeKind
    label: str = ""
    unit: str = ""
    categories: tuple[str, ...] = ()
    missing_codes: tuple[str, ...] = ()
    description: str = ""

    def __post_init__(self) -> None:
        if self.kind == "binary" and len(self.categories) != 2:
            raise TableError(
                f"Phenotype {self.name!r} is binary but has {len(self.categories)} categories {self.categories}; "
                "give exactly two, the positive one last, or make it categorical."
            )
        if self.kind == "continuous" and self.categories:
            raise TableError(f"Phenotype {self.name!r} is continuous and cannot have categories {self.categories}.")

    @property
    def title(self) -> str:
        """Label with unit, as it stands on an axis, e.g. ``LV mass (g)``."""
        label = self.label or self.name
        return f"{label} ({self.unit})" if self.unit else label
