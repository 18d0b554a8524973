"""Numbers that colour the maps but are in no table: how unusual, trust, predictions; NaN for whom there is none."""

import numpy as np
from numpy.typing import NDArray

from napari_latent_explorer.session.color_sources import ColorBy, DerivedSource, Predicted, Trust, Unusual, color_title
from napari_latent_explorer.session.coloring import MISSING_COLOR, Coloring, LegendEntry, color_numbers, color_values
from napari_latent_explorer.session.state import ExplorerState, cohort_of

PERCENTILES = (0.0, 100.0)


def coloring_of(state: ExplorerState) -> Coloring:
    """Colour the participants of the open study by what the state says."""
    cohort, source = cohort_of(state), state.color_by
    if source is None or isinstance(source, str):
        return color_values(cohort, source, state.groups)
    values, title = derived_values(state, source), color_title(source, cohort.specs)
    if values is None:
        nothing = np.full(len(cohort), np.nan)
        rgba = color_numbers(nothing, title).rgba
        return Coloring(rgba, (LegendEntry(f"{title}: {_why_none(source)}", MISSING_COLOR),))
    return color_numbers(values, title, PERCENTILES if isinstance(source, Unusual) else None)


def derived_values(state: ExplorerState, source: DerivedSource) -> NDArray[np.float64] | None:
    """Value ``(n_participants,)`` of each participant; None as long as nothing was computed."""
    cohort = cohort_of(state)
    values = np.full(len(cohort), np.nan)
    match source:
        case Unusual(modality):
            if (measured := state.unusualness.get(modality)) is None:
                return None
            values[cohort.rows_of(measured.participant_ids)] = measured.percentiles
        case Trust(name):
            if (shown := state.projections.get(name)) is None or shown.trust is None:
                return None
            values[cohort.rows_of(shown.participant_ids)] = shown.trust
        case Predicted(phenotype, row):
            if (predictors := state.predictors) is None or (found := predictors.held_out_of(phenotype, row)) is None:
                return None
            values[cohort.rows_of(found.participant_ids)] = found.values
    return values


def colored_by(source: ColorBy | None) -> frozenset[str]:
    """Fields of the state that colours are made of, besides the cohort and the source itself."""
    match source:
        case None:
            return frozenset({"groups"})
        case Unusual():
            return frozenset({"unusualness"})
        case Trust():
            return frozenset({"maps", "map_kind"})
        case Predicted():
            return frozenset({"predictors"})
        case _:
            return frozenset()


def _why_none(source: DerivedSource) -> str:
    match source:
        case Trust():
            return "not measured for this map"
        case Predicted():
            return "not predicted"
        case _:
            return "being measured"
