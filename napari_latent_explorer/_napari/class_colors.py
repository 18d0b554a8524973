"""Colours and names of the segmented structures.

Each chamber has a hue: left ventricle orange, right ventricle blue, left atrium violet, right atrium green; walls are
the lighter tone of their cavity. The hues are those of Okabe and Ito, which most colour-blind people tell apart.
"""

from collections.abc import Mapping
from typing import Any

import pandas as pd
from napari.utils.colormaps import DirectLabelColormap

TRANSPARENT = (0.0, 0.0, 0.0, 0.0)
COLORS: Mapping[str, str] = {
    "LV_cavity": "#d55e00",
    "LV_anterolateral_wall": "#e69f00",
    "LV_free_wall": "#e69f00",
    "LV_myocardium": "#e69f00",
    "interventricular_septum": "#f0e442",
    "RV_cavity": "#0072b2",
    "RV_free_wall": "#56b4e9",
    "LA_cavity": "#aa4499",
    "left_atrium": "#aa4499",
    "LA_free_wall": "#cc79a7",
    "interatrial_septum": "#ddaacc",
    "RA_cavity": "#009e73",
    "right_atrium": "#009e73",
    "RA_free_wall": "#66c7a8",
    "crista_terminalis": "#88d4bb",
    "descending_aorta": "#cc3311",
    "ascending_aorta": "#ee7766",
    "aorta": "#cc3311",
    "pulmonary_artery": "#33bbee",
    "thoracic_cavity": "#77778033",
}
OTHER = "#bbbbbb"


def label_colormap(names: Mapping[int, str]) -> DirectLabelColormap:
    """Colours of the label numbers; background and unknown numbers are transparent."""
    colors: dict[int | None, Any] = {number: COLORS.get(name, OTHER) for number, name in names.items()}
    return DirectLabelColormap(color_dict=colors | {None: TRANSPARENT, 0: TRANSPARENT})


def label_table(names: Mapping[int, str]) -> pd.DataFrame:
    """Tabulate number and readable name of each label, as napari's `features` wants them."""
    numbers = sorted(names)
    return pd.DataFrame({"index": numbers, "name": [names[number].replace("_", " ") for number in numbers]})
