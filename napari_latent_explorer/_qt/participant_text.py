"""A participant in a few lines, for a card beside the pointer."""

from html import escape

import pandas as pd

from napari_latent_explorer._qt.numbers import format_value
from napari_latent_explorer.data.cohort import Cohort

N_PHENOTYPES = 6


def describe_participant(cohort: Cohort, participant_id: str, first: str | None = None) -> str:
    """Id and phenotypes of a participant as rich text; `first` names the phenotype that comes on top."""
    row = int(cohort.rows_of([participant_id])[0])
    names = sorted(cohort.specs, key=lambda name: name != first)[:N_PHENOTYPES]
    lines = "".join(
        f"<tr><td>{escape(cohort.specs[name].label or name)}&nbsp;&nbsp;</td>"
        f"<td align='right'>{escape(phenotype_text(cohort, row, name))}</td></tr>"
        for name in names
    )
    return f"<b>{escape(participant_id)}</b><table>{lines}</table>"


def phenotype_text(cohort: Cohort, row: int, name: str) -> str:
    """Value of one phenotype of the participant in a row, with its unit; ``missing`` where there is none."""
    spec, value = cohort.specs[name], cohort.phenotypes[name].iloc[row]
    if pd.isna(value):
        return "missing"
    return f"{format_value(float(value))} {spec.unit}".rstrip() if spec.kind == "continuous" else str(value)
