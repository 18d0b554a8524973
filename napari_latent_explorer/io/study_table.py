"""The tables of a study: participants with their phenotypes, what the columns mean, who has which recording.

Phenotypes lie in ``participants.parquet`` (numbers as float64, categories as their labels, missing as null) and their
meaning in ``phenotypes.json``; ``availability.parquet`` is written when the recordings are complete.
"""

import json
from collections.abc import Mapping
from dataclasses import asdict
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from napari_latent_explorer.data.cohort import Cohort
from napari_latent_explorer.data.phenotype import PhenotypeSpec
from napari_latent_explorer.errors import StudyError, TableError, reason_of
from napari_latent_explorer.io.atomic import write_file

PARTICIPANTS_FILE = "participants.parquet"
PHENOTYPES_FILE = "phenotypes.json"
AVAILABILITY_FILE = "availability.parquet"
FACTORS_FILE = "factors.parquet"
ID_COLUMN = "participant_id"


def write_cohort(root: Path, cohort: Cohort) -> None:
    """Write the participants' table and its specs into the folder `root`."""
    if ID_COLUMN in cohort.specs:
        raise TableError(f"A phenotype cannot be called {ID_COLUMN!r}; that column holds the ids. Rename it.")
    columns: dict[str, Any] = {ID_COLUMN: cohort.participant_ids.astype(object)}
    for name, spec in cohort.specs.items():
        column = cohort.phenotypes[name]
        columns[name] = column.to_numpy(np.float64) if spec.kind == "continuous" else column.astype(object)
    write_table(root / PARTICIPANTS_FILE, pd.DataFrame(columns))
    specs = [asdict(spec) for spec in cohort.specs.values()]
    write_file(root / PHENOTYPES_FILE, (json.dumps(specs, indent=2) + "\n").encode())


def read_cohort(root: Path, availability: Mapping[str, NDArray[np.bool_]], n_participants: int | None = None) -> Cohort:
    """Read the participants' table of the study in `root`.

    Parameters
    ----------
    root
        Folder of the study.
    availability
        Who has which recording.
    n_participants
        Rows that count, from the first; those after them are of an addition that is not finished. None for all.

    Raises
    ------
    StudyError
        When a table is missing or damaged, or holds values that its spec does not know.
    """
    specs = _read_specs(root / PHENOTYPES_FILE)
    table = read_table(root / PARTICIPANTS_FILE).iloc[:n_participants]
    missing = [name for name in (ID_COLUMN, *specs) if name not in table.columns]
    if missing:
        raise StudyError(
            f"{root / PARTICIPANTS_FILE} lacks the columns {', '.join(missing)} that {PHENOTYPES_FILE} names. "
            "Create the study again."
        )
    try:
        columns = {name: _typed(table[name], spec) for name, spec in specs.items()}
        ids = table[ID_COLUMN].to_numpy().astype(np.str_)
        return Cohort(ids, pd.DataFrame(columns, index=range(len(ids))), specs, availability)
    except (TableError, ValueError, TypeError) as misfit:
        raise StudyError(f"Cannot use {root / PARTICIPANTS_FILE}: {misfit}") from misfit


def write_table(path: Path, table: pd.DataFrame) -> None:
    """Write `table` as Parquet, atomically."""
    content = BytesIO()
    table.to_parquet(content, index=False)
    write_file(path, content.getvalue())


def read_table(path: Path) -> pd.DataFrame:
    """Read a Parquet table; `StudyError` when it is missing or damaged."""
    try:
        return pd.read_parquet(path)
    except FileNotFoundError as absence:
        raise StudyError(f"The study lacks {path}. Create it again.") from absence
    except (OSError, ValueError) as damage:
        raise StudyError(f"Cannot read {path}: {reason_of(damage)}. Create the study again.") from damage


def _typed(column: "pd.Series[Any]", spec: PhenotypeSpec) -> "pd.Series[Any]":
    if spec.kind == "continuous":
        return column.astype(np.float64)
    strangers = sorted(set(column.dropna()) - set(spec.categories))
    if strangers:
        raise TableError(f"phenotype {spec.name!r} holds {strangers[:3]}, expected one of {list(spec.categories)}.")
    return pd.Series(pd.Categorical(column, categories=list(spec.categories)), name=spec.name)


def _read_specs(path: Path) -> dict[str, PhenotypeSpec]:
    try:
        specs = [_spec(**entry) for entry in json.loads(path.read_text("utf-8"))]
    except (OSError, ValueError, TypeError, KeyError, RecursionError, TableError) as damage:
        raise StudyError(f"Cannot read {path}: {reason_of(damage)}. Create the study again.") from damage
    return {spec.name: spec for spec in specs}


def _spec(**entry: Any) -> PhenotypeSpec:
    lists = {key: tuple(entry[key]) for key in ("categories", "missing_codes")}
    return PhenotypeSpec(**{**entry, **lists})
