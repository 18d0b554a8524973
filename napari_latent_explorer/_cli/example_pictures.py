"""The part of an evaluation's page that shows people: frames with outlines, and one lead of their ECGs."""

from base64 import b64encode
from collections.abc import Mapping
from html import escape
from typing import Any

import numpy as np
import pandas as pd

from napari_latent_explorer._cli.svg_charts import legend, line_chart
from napari_latent_explorer.data.phenotype import PhenotypeSpec

_RED = (230, 60, 50)


def example_pictures(pictures: pd.DataFrame, ecgs: pd.DataFrame, specs: Mapping[str, PhenotypeSpec]) -> str:
    """One row of pictures per person, and one lead of their ECGs below all.

    Parameters
    ----------
    pictures, ecgs
        Tables ``examples`` and ``ecg_examples`` of an evaluation.
    specs
        What the phenotypes are.
    """
    parts = [
        "<p>End-diastolic frames of simulated people from the highest and the lowest quarter, chosen by rank: the "
        "original, the one drawn from the ECG (translated) and the one drawn from the MRI (reconstructed). Outlined in "
        "red is what the phenotype is of; below each stands what a network trained on originals measures.</p>"
    ]
    for phenotype, people in pictures.groupby("phenotype", sort=False):
        spec = specs[str(phenotype)]
        parts.append(f"<h3>{escape(spec.label)}</h3>")
        for (_, quarter), rows in people.groupby(["participant_id", "quarter"], sort=False):
            cells = "".join(_picture(r, spec.unit) for r in rows.to_dict("records"))
            said = f"{quarter} quarter, truth {rows['truth'].iloc[0]:.0f} {spec.unit}"
            parts.append(f'<div class="person"><p class="note">{escape(said)}</p><div class="row">{cells}</div></div>')
    parts.append("<h3>The same people's ECGs</h3>" + _ecg_examples(ecgs))
    return "".join(parts)


def _picture(row: Mapping[Any, Any], unit: str) -> str:
    measured = f"{row['cine']}: {row['measured']:.0f} {unit}"
    source = f"data:image/png;base64,{b64encode(_png(row)).decode()}"
    return f'<figure><img alt="{escape(measured)}" src="{source}"><figcaption>{escape(measured)}</figcaption></figure>'


def _png(row: Mapping[Any, Any]) -> bytes:
    """Grey picture with the outline in red, each pixel drawn twice as large."""
    import imageio.v3 as imageio

    size = (row["n_rows"], row["n_columns"])
    picture = np.repeat(np.frombuffer(row["image"], np.uint8).reshape(size)[..., None], 3, axis=2)
    if row["outline"]:
        picture[np.frombuffer(row["outline"], np.bool_).reshape(size)] = _RED
    return imageio.imwrite("<bytes>", picture.repeat(2, axis=0).repeat(2, axis=1), extension=".png")


def _ecg_examples(table: pd.DataFrame) -> str:
    names = list(dict.fromkeys(table["ecg"]))
    charts = []
    for (quarter, _), rows in table.groupby(["quarter", "participant_id"], sort=False):
        series = [
            (names.index(r["ecg"]), [(2.0 * k, mv, mv, mv) for k, mv in enumerate(r["signal_mv"])])
            for r in rows.to_dict("records")
        ]
        title = f"Lead {rows['lead'].iloc[0]}, {rows['phenotype'].iloc[0].upper()} in the {quarter} quarter"
        charts.append(line_chart(title, series, "ms", "mV"))
    return f'<div class="side">{"".join(charts)}</div>{legend(names)}'
