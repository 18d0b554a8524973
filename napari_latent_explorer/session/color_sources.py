"""What can colour the maps besides a phenotype or the groups: how unusual a recording is, trust, predictions.

A phenotype is named by a text; these are values of classes of their own, so that no phenotype, whatever it is called,
can be taken for one of them. What they show must be computed first (by a job), so there may be nothing to show yet.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from napari_latent_explorer.analysis.map_space import MAP_NAMES
from napari_latent_explorer.data.phenotype import PhenotypeSpec


@dataclass(frozen=True, slots=True)
class Unusual:
    """How unusual a participant's recording of one modality is: percentile of its distance from the cohort's mean."""

    modality: str


@dataclass(frozen=True, slots=True)
class Trust:
    """How far a participant's place can be trusted on the map of this name that is shown."""

    map_name: str


@dataclass(frozen=True, slots=True)
class Predicted:
    """What models that have not seen a participant predict of a phenotype.

    Attributes
    ----------
    phenotype
        A continuous or binary one; of a binary one it is the probability.
    row
        From what: ``MRI``, ``ECG`` or ``MRI + ECG``.
    """

    phenotype: str
    row: str


DerivedSource = Unusual | Trust | Predicted
ColorBy = str | DerivedSource


def color_title(source: ColorBy, specs: Mapping[str, PhenotypeSpec]) -> str:
    """Say what a colour shows, with its unit."""
    match source:
        case Unusual(modality):
            return f"How unusual the {MAP_NAMES[modality]} is (percentile)"
        case Trust(name):
            return f"Trust in the {MAP_NAMES[name]} map (share of neighbours kept)"
        case Predicted(phenotype, row):
            spec = specs[phenotype]
            what = spec.title
            if spec.kind == "binary":
                what = f"probability of {spec.label or spec.name}: {spec.categories[1]}"
            return f"Predicted {what}, from {row}, held out"
        case phenotype:
            return specs[phenotype].label or phenotype
