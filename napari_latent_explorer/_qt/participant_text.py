"""A participant in a few lines, for a card beside the pointer: first of all what the colours of the maps show."""

from html import escape

import numpy as np
import pandas as pd

from napari_latent_explorer._qt.numbers import format_value
from napari_latent_explorer.data.cohort import Cohort
from napari_latent_explorer.session.color_sources import color_title
from napari_latent_explorer.session.derived_colors import derived_values
from napari_latent_explorer.session.state import ExplorerState, cohort_of

N_PHENOTYPES = 6


def describe_participant(state: ExplorerState, participant_id: str) -> str:
    """Id, what gives the participant's colour, and phenotypes of a participant of the open study, as rich text."""
    cohort, colored_by = cohort_of(state), state.color_by
    row = int(cohort.rows_of([participant_id])[0])
    names = sorted(cohort.specs, key=lambda name: name != colored_by)[:N_PHENOTYPES]
    lines = [(cohort.specs[name].label or name, phenotype_text(cohort, row, name)) for name in names]
    if not isinstance(colored_by, str):
        lines = [*_color_line(state, participant_id, row), *lines[:-1]]
    rows = "".join(
        f"<tr><td>{escape(title)}&nbsp;&nbsp;</td><td align='right'>{escape(text)}</td></tr>" for title, text in lines
    )
    return f"<b>{escape(participant_id)}</b><table>{rows}</table>"


def _color_line(state: ExplorerState, participant_id: str, row: int) -> list[tuple[str, str]]:
    """Title and text of what colours the maps when it is no phenotype."""
    source = state.color_by
    if source is None or isinstance(source, str):
        names = [group.name for group in state.groups if participant_id in group.participant_ids]
        return [("Groups", ", ".join(names))] if names else []
    values = derived_values(state, source)
    value = np.nan if values is None else float(values[row])
    return [(color_title(source, cohort_of(state).specs), "none" if np.isnan(value) else format_value(value))]


def phenotype_text(cohort: Cohort, row: int, name: str) -> str:
    """Value of one phenotype of the participant in a row, with its unit; ``missing`` where there is none."""
    spec, value = cohort.specs[name], cohort.phenotypes[name].iloc[row]
    if pd.isna(value):
        return "missing"
    return f"{format_value(float(value))} {spec.unit}".rstrip() if spec.kind == "continuous" else str(value)
