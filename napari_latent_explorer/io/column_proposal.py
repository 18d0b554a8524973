"""What one phenotype would be made of: its source columns, its meaning, and why it was taken for that.

A proposal says everything that turns its source columns into one phenotype, so that a corrected proposal gives the
corrected table; what is only shown (note, counts, examples) decides nothing.
"""

from dataclasses import dataclass
from typing import Literal

from napari_latent_explorer.data.phenotype import PhenotypeKind, PhenotypeSpec
from napari_latent_explorer.errors import TableError

ColumnKind = Literal["continuous", "binary", "categorical", "date", "text", "id", "empty"]
"""A phenotype's kind, or why a column cannot be one."""

ColumnRule = Literal["first", "mean", "any", "ever", "before"]
"""How the source columns of one proposal become one value per participant.

| rule | value |
|---|---|
| first | the first that is not missing |
| mean | the mean of those that are not missing |
| any | the last category if any is of it, else the first if any is known (answers of which several may be given) |
| ever | the last category if there is a date, else the first |
| before | the last category if the date is not after that of the last source, else the first; missing without that |
"""

PHENOTYPE_KINDS: tuple[PhenotypeKind, ...] = ("continuous", "binary", "categorical")


@dataclass(frozen=True, slots=True)
class ColumnProposal:
    """What one phenotype would be made of, and why.

    Attributes
    ----------
    sources
        Columns of the file.
    name
        Name of the phenotype in the study.
    kind
        What it is taken for; only the kinds of `PHENOTYPE_KINDS` can be kept.
    is_kept
        Whether it becomes a phenotype.
    note
        Why it was taken for that, in words.
    label, unit, description
        As in `PhenotypeSpec`.
    categories
        Labels in their order, of a binary or categorical one.
    codes
        ``(value in the file, label)`` of each value that is not its own label.
    missing_codes
        Values of the file that mean "missing" and are taken so.
    doubtful_codes
        Values that may mean "missing" and are NOT taken so unless they are moved to `missing_codes`.
    rule
        How several source columns become one value.
    n_missing, n_distinct
        Participants' rows without a value, and different values, once the above is applied.
    examples
        A few values as they stand in the file.
    """

    sources: tuple[str, ...]
    name: str
    kind: ColumnKind
    is_kept: bool = True
    note: str = ""
    label: str = ""
    unit: str = ""
    description: str = ""
    categories: tuple[str, ...] = ()
    codes: tuple[tuple[str, str], ...] = ()
    missing_codes: tuple[str, ...] = ()
    doubtful_codes: tuple[str, ...] = ()
    rule: ColumnRule = "first"
    n_missing: int = 0
    n_distinct: int = 0
    examples: tuple[str, ...] = ()

    @property
    def spec(self) -> PhenotypeSpec:
        """The phenotype that it makes.

        Raises
        ------
        TableError
            When its kind cannot be kept, or does not fit its categories.
        """
        if self.kind not in PHENOTYPE_KINDS:
            raise TableError(f"The column {self.name!r} is taken for {self.kind} and cannot become a phenotype.")
        return PhenotypeSpec(
            self.name, self.kind, self.label, self.unit, self.categories, self.missing_codes, self.description
        )
