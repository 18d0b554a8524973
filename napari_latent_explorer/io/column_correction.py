"""A column taken for something else than was proposed, because a person says so.

| wanted kind | what the values become |
|---|---|
| continuous | numbers; up to 30 other texts become missing codes, and are listed |
| categorical | each value a category, numbers in their order, else alphabetically; labels that were known are kept |
| binary | the same, of two values |
"""

from dataclasses import replace

import numpy as np
import pandas as pd

from napari_latent_explorer.data.phenotype import PhenotypeKind
from napari_latent_explorer.errors import TableError
from napari_latent_explorer.io.column_conversion import column_values, with_counts
from napari_latent_explorer.io.column_inference import MAX_CATEGORIES
from napari_latent_explorer.io.column_proposal import ColumnProposal
from napari_latent_explorer.io.column_values import code_text, parse_numbers

_ONE_VALUE_RULES = ("first", "mean")
_N_SHOWN = 5


def as_kind(table: pd.DataFrame, proposal: ColumnProposal, kind: PhenotypeKind) -> ColumnProposal:
    """Take a column for `kind`, and keep it.

    Parameters
    ----------
    table
        Table as `io.table_file.read_table_file` gives it.
    proposal
        What the column was taken for.
    kind
        What it is.

    Raises
    ------
    TableError
        When its values cannot be that.
    """
    if kind == proposal.kind and proposal.is_kept:
        return proposal
    if proposal.rule not in _ONE_VALUE_RULES:
        raise TableError(
            f"{proposal.name!r} is made of {len(proposal.sources)} columns by the rule {proposal.rule!r}, which gives "
            "a yes or no; its kind cannot be another one."
        )
    draft = replace(proposal, kind=kind, is_kept=True, note=f"taken for {kind} by hand")
    texts = _texts(table, proposal)
    return with_counts(table, _continuous(draft, texts) if kind == "continuous" else _categorical(draft, texts))


def _texts(table: pd.DataFrame, proposal: ColumnProposal) -> tuple[str, ...]:
    """Return the different values of all sources that are not missing codes."""
    missing = {code_text(code) for code in proposal.missing_codes}
    texts = [text for name in proposal.sources for text in column_values(table, name).texts]
    return tuple(dict.fromkeys(text for text in texts if code_text(text) not in missing))


def _continuous(draft: ColumnProposal, texts: tuple[str, ...]) -> ColumnProposal:
    numbers = parse_numbers(texts)
    odd = tuple(text for text, number in zip(texts, numbers, strict=True) if np.isnan(number))
    if len(odd) > MAX_CATEGORIES or len(odd) == len(texts):
        shown = ", ".join(repr(text) for text in odd[:_N_SHOWN])
        raise TableError(f"{draft.name!r} is not continuous: {len(odd)} of its values are no numbers, e.g. {shown}.")
    return replace(draft, categories=(), codes=(), missing_codes=(*draft.missing_codes, *odd))


def _categorical(draft: ColumnProposal, texts: tuple[str, ...]) -> ColumnProposal:
    label_of = {code_text(code): label for code, label in draft.codes}
    spelt = dict.fromkeys(code_text(text) for text in texts)
    numbers = parse_numbers(tuple(spelt))
    ordered = sorted(spelt, key=str.casefold)
    if not np.isnan(numbers).any():
        ordered = [text for _, text in sorted(zip(numbers.tolist(), spelt, strict=True))]
    categories = tuple(dict.fromkeys(label_of.get(text, text) for text in ordered))
    most = 2 if draft.kind == "binary" else MAX_CATEGORIES
    if not 2 <= len(categories) <= most:
        shown = ", ".join(repr(text) for text in categories[:_N_SHOWN])
        expected = "exactly 2" if draft.kind == "binary" else f"2 to {MAX_CATEGORIES}"
        raise TableError(
            f"{draft.name!r} is not {draft.kind}: it has {len(categories)} different values, {expected} are expected "
            f"({shown}). Name those that mean missing in its missing codes, or choose another kind."
        )
    codes = tuple((text, label_of[text]) for text in ordered if text in label_of)
    return replace(draft, unit="", categories=categories, codes=codes)
