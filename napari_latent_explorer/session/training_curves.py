"""A training as numbers to be drawn: curves of the loss, what a folder tells of a run, and how long it will take.

Pure functions and frozen values; who trains keeps the mutable part (`model_training`).
"""

from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from napari_latent_explorer.data.arrays import read_only
from napari_latent_explorer.data.progress import Progress
from napari_latent_explorer.errors import TrainingError, reason_of
from napari_latent_explorer.modeling.training_reports import (
    STAGE_TITLES,
    Reconstructions,
    TrainingPlan,
    TrainingStep,
)
from napari_latent_explorer.modeling.training_request import TrainingRequest

CurveKind = Literal["train", "valid", "steps"]
TrainingRow = Mapping[str, float]
"""Numbers of one epoch by name."""
Histories = Mapping[str, Sequence[TrainingRow]]
"""Rows of the training curve by stage, in the order of the stages."""

CURVE_FILE, BUNDLE_FILE, WORK_FOLDER = "training_curve.csv", "weights.safetensors", "work"
PASS_COSTS: Mapping[str, float] = {"mri": 29.0, "ecg": 5.0, "joint": 38.0, "labels": 40.0}
"""Relative time of a pass in each stage on a CPU; only until the stage itself has been measured."""


@dataclass(frozen=True, slots=True, eq=False)
class LossCurve:
    """One line of the chart.

    Attributes
    ----------
    part
        Which part of the loss: ``mri``, ``ecg``, ``contrastive``, ...
    kind
        Mean over the training participants of an epoch, over the validation participants after it, or single steps.
    n_passes, losses
        ``(n,)`` passes made, and the value; finite and above 0.
    """

    part: str
    kind: CurveKind
    n_passes: NDArray[np.float64]
    losses: NDArray[np.float64]


def curves_of(rows: Sequence[Mapping[str, float]], steps: Sequence[TrainingStep]) -> tuple[LossCurve, ...]:
    """Make the curves of one stage from its epochs and its steps so far; parts in the order of the first report."""
    first: Mapping[str, float] = rows[0] if rows else {}
    parts = [name.removeprefix("train_") for name in first if name.startswith("train_")]
    parts += [name for name in (steps[0].losses if steps else ()) if name not in parts]
    curves = []
    for part in parts:
        points: dict[CurveKind, list[tuple[float, float]]] = {
            "steps": [(step.n_passes, step.losses[part]) for step in steps if part in step.losses],
            "train": [(row["epoch"], row[f"train_{part}"]) for row in rows if f"train_{part}" in row],
            "valid": [(row["epoch"], row[f"valid_{part}"]) for row in rows if f"valid_{part}" in row],
        }
        curves += [_curve(part, kind, found) for kind, found in points.items() if found]
    return tuple(curve for curve in curves if len(curve.losses))


def _curve(part: str, kind: CurveKind, points: list[tuple[float, float]]) -> LossCurve:
    values = np.array(points, dtype=np.float64)
    values = values[np.isfinite(values).all(axis=1) & (values[:, 1] > 0)]  # the axis is logarithmic
    return LossCurve(part, kind, read_only(values[:, 0]), read_only(values[:, 1]))


@dataclass(frozen=True, slots=True, eq=False)
class PastTraining:
    """What a folder tells of the run in it.

    Attributes
    ----------
    request
        Its settings; None when nothing was begun from a window there.
    histories
        Its training curve; of an interrupted run, as far as it came.
    reconstructions
        After the last epoch; None before the first.
    is_finished
        Whether there is a whole model.
    """

    request: TrainingRequest | None
    histories: Histories
    reconstructions: Reconstructions | None
    is_finished: bool


def is_finished(folder: Path) -> bool:
    """Whether a folder holds a whole model, and no checkpoints of one that is being made."""
    return (folder / BUNDLE_FILE).is_file() and not (folder / WORK_FOLDER).is_dir()


def read_past(folder: Path) -> Generator[Progress, None, PastTraining]:
    """Read what there is of a run.

    Raises
    ------
    TrainingError
        When a file of it is damaged.
    """
    yield Progress(0, 0, f"Looking at {folder.name}")
    request = TrainingRequest.load(folder)
    return PastTraining(request, _read_curve(folder), Reconstructions.load(folder), is_finished(folder))


def _read_curve(folder: Path) -> dict[str, tuple[Mapping[str, float], ...]]:
    path = folder / CURVE_FILE
    if not path.is_file():
        return {}
    try:
        table = pd.read_csv(path)
        return {
            str(stage): tuple(
                {str(name): float(value) for name, value in row.items() if pd.notna(value)}
                for row in rows.drop(columns="stage").to_dict("records")
            )
            for stage, rows in table.groupby("stage", sort=False)
            if stage in STAGE_TITLES
        }
    except (OSError, ValueError, KeyError, TypeError) as damage:
        raise TrainingError(
            f"The training curve {path} cannot be read: {reason_of(damage)}. It is written anew after the next epoch."
        ) from damage


@dataclass(frozen=True, slots=True)
class Pace:
    """How fast a training goes, measured between two of its steps.

    Attributes
    ----------
    samples_per_s
        Participants per second.
    left_s
        Seconds to the end, of all stages; at most, where a schedule may stop before.
    """

    samples_per_s: float
    left_s: float


def pace_of(plan: TrainingPlan, then: TrainingStep, now: TrainingStep, n_samples: int, elapsed_s: float) -> Pace | None:
    """Measure the pace between two steps of one stage; None when there is nothing to measure.

    Stages to come that no time bounds are taken for as fast as this one, by `PASS_COSTS`.

    Parameters
    ----------
    plan
        All stages.
    then, now
        Two reports.
    n_samples, elapsed_s
        Participants and seconds of training between them.
    """
    passes = now.n_passes - then.n_passes
    names = [planned.stage for planned in plan.stages]
    if passes <= 0 or elapsed_s <= 0 or now.stage != then.stage or now.stage not in names:
        return None
    place = names.index(now.stage)
    own, own_cost = plan.stages[place], _cost(now.stage)
    pass_s = elapsed_s / passes
    left_s = (1.0 - now.progress) * (own.n_passes * pass_s if own.budget_s is None else own.budget_s)
    for later in plan.stages[place + 1 :]:
        by_passes_s = later.n_passes * pass_s * _cost(later.stage) / own_cost
        left_s += by_passes_s if later.budget_s is None else later.budget_s
    return Pace(n_samples / elapsed_s, left_s)


def _cost(stage: str) -> float:
    return PASS_COSTS[stage.partition("_")[0]]
