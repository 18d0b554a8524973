"""Writing scores: each table as Parquet, the chief ones as Markdown to paste, all of them as a page to read."""

import io
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from napari_latent_explorer._cli.evaluation_page import evaluation_page
from napari_latent_explorer.data.phenotype import PhenotypeSpec
from napari_latent_explorer.io.atomic import write_file

if TYPE_CHECKING:
    from napari_latent_explorer.modeling.evaluation import EvaluationResult

PAGE = "scores.md"
REPORT = "report.html"
MODELS = ("unimodal", "cross-modal")
PREDICTED = ("unimodal", "supervised", "cross-modal")
LATENTS = {"mri": "MRI", "ecg": "ECG"}
DECODED = {"mri": ("cine", ".3f", "standard deviations"), "ecg": ("ECG", ".0f", "µV")}
"""Name of a decoded recording, how its error is written, and in which unit."""


def write_scores(result: "EvaluationResult", specs: Mapping[str, PhenotypeSpec], output: Path) -> Path:
    """Write a ``.parquet`` per table, ``scores.md`` and ``report.html`` into `output`; return the report's path."""
    output.mkdir(parents=True, exist_ok=True)
    for name, table in result.tables.items():
        content = io.BytesIO()
        table.to_parquet(content, index=False)
        write_file(output / f"{name}.parquet", content.getvalue())
    write_file(output / PAGE, scores_page(result, specs).encode())
    report = output / REPORT
    write_file(report, evaluation_page(result.tables, result.notes, specs, "How good the shared latents are").encode())
    return report


def scores_page(result: "EvaluationResult", specs: Mapping[str, PhenotypeSpec]) -> str:
    """Every table in Markdown, under what it is of."""
    tables = result.tables
    parts = [" ".join(note for note in result.notes if note)]
    if len(tables.get("findings", ())):
        parts += ["What the paper finds, and what holds here.", findings_table(tables["findings"])]
    parts += [
        "Reconstruction: root mean square error (less is better), and the share of the mean recording's squared error "
        "that is removed.",
        reconstruction_table(tables["reconstruction"]),
    ]
    if len(tables.get("prediction", ())):
        parts += [
            "Phenotypes predicted by kernel regression (NTK), R2 or AUROC, from one modality by unimodal autoencoder, "
            "supervised network and cross-modal autoencoder; 95 % interval of the last.",
            prediction_table(tables["prediction"], specs),
        ]
    else:
        parts += [
            "Phenotypes predicted from latents by a linear model, in cross-validation: R2 or AUROC with 95 % interval.",
            phenotype_table(tables["phenotypes"], specs),
        ]
    parts += [
        "Retrieval of a person's MRI by their ECG: how often it is among the first.",
        retrieval_table(tables["retrieval"]),
    ]
    segmentation = tables["segmentation"]
    if len(segmentation):
        parts += ["Segmentation of decoded cines: Dice, 1 is best.", segmentation_table(segmentation)]
    return "\n\n".join(parts) + "\n"


def markdown(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return a Markdown table; the first column is text, the others are numbers."""
    lines = [header, ["---", *["---:"] * (len(header) - 1)], *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def reconstruction_table(table: pd.DataFrame) -> str:
    """One row per model and latent, two columns per decoded recording."""
    header = ["decoded from"]
    columns: dict[str, dict[str, list[str]]] = {}
    for recording, (name, digits, unit) in DECODED.items():
        header += [f"{name} ({unit})", "removed"]
        for row in table[table["decoded"] == recording].to_dict("records"):
            source = f", {LATENTS[row['latents']]} latent" if row["latents"] else " of these people"
            cells = [format(row["rmse"], digits), f"{100 * row['explained']:.0f} %"]
            columns.setdefault(f"{row['model']}{source}", {})[recording] = cells
    rows = [[name, *[cell for one in DECODED for cell in cells.get(one, ["", ""])]] for name, cells in columns.items()]
    return markdown(header, rows)


def phenotype_table(table: pd.DataFrame, specs: Mapping[str, PhenotypeSpec]) -> str:
    """One row per phenotype, one column per latents and model; phenotypes that could not be scored are left out."""
    scored = table.dropna(subset=["value"])
    cells = {
        (row["phenotype"], row["latents"], row["model"]): f"{row['value']:.2f} ({row['low']:.2f} to {row['high']:.2f})"
        for row in scored.to_dict("records")
    }
    columns = [(latents, model) for latents in LATENTS for model in MODELS]
    header = ["phenotype", "score", *[f"{LATENTS[latents]}, {model}" for latents, model in columns]]
    rows = [
        [specs[name].title, metric, *[cells.get((name, *column), "") for column in columns]]
        for name, metric in dict(zip(scored["phenotype"], scored["metric"], strict=True)).items()
    ]
    return markdown(header, rows)


def findings_table(table: pd.DataFrame) -> str:
    """One row per finding; text throughout."""
    header = ["figure", "the paper finds", "here", "holds", "not for"]
    rows = [
        [str(row[name]) for name in ("figure", "finding", "here", "holds", "exceptions")] for row in _records(table)
    ]
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def prediction_table(table: pd.DataFrame, specs: Mapping[str, PhenotypeSpec]) -> str:
    """One row per phenotype, for each modality one column per kind of latents that there are."""
    kernel = table[table["regression"] == "NTK"].dropna(subset=["value"])
    cells = {(row["phenotype"], row["latents"], row["model"]): row for row in _records(kernel)}
    columns = [
        (latents, model)
        for latents in LATENTS
        for model in PREDICTED
        if any(key[1:] == (latents, model) for key in cells)
    ]
    header = ["phenotype", "score", *[f"{LATENTS[latents]}, {model}" for latents, model in columns]]
    rows = []
    for name, metric in dict(zip(kernel["phenotype"], kernel["metric"], strict=True)).items():
        found = [cells.get((name, *column)) for column in columns]
        rows.append([specs[name].title, metric, *["" if row is None else _prediction(row) for row in found]])
    return markdown(header, rows)


def _prediction(row: Mapping[Any, Any]) -> str:
    value = f"{row['value']:.2f}"
    return f"{value} ({row['low']:.2f} to {row['high']:.2f})" if row["model"] == MODELS[1] else value


def _records(table: pd.DataFrame) -> list[dict[Any, Any]]:
    """Rows of a table."""
    rows: list[dict[Any, Any]] = table.to_dict("records")
    return rows


def retrieval_table(table: pd.DataFrame) -> str:
    """One row per model and comparison, beside chance."""
    tops = [column for column in table.columns if column.startswith("top_")]
    header = ["model", "among", *[column.replace("_", " ") for column in tops], "median rank"]
    rows = [
        [
            f"{row['model']}, {row['comparison']}" if row["comparison"] else row["model"],
            str(row["n_gallery"]),
            *[f"{100 * row[column]:.1f} %" for column in tops],
            f"{row['median_rank']:g}",
        ]
        for row in table.to_dict("records")
    ]
    return markdown(header, rows)


def segmentation_table(table: pd.DataFrame) -> str:
    """One row per structure, one column per latents."""
    dice = {(row["structure"], row["latents"]): f"{row['dice']:.2f}" for row in table.to_dict("records")}
    latents = [name for name in LATENTS if (table["latents"] == name).any()]
    structures = table.sort_values("label")["structure"].unique()
    rows = [[name.replace("_", " "), *[dice.get((name, one), "") for one in latents]] for name in structures]
    return markdown(["structure", *[f"from {LATENTS[name]} latent" for name in latents]], rows)
