"""What a training run has told so far: its plan, steps, epochs and last reconstructions.

Kept by `ModelTraining`, which tells views of changes. An epoch that is made again after a stop replaces what was told
of it before.
"""

from collections import deque
from dataclasses import dataclass
from time import monotonic
from typing import Any

from napari_latent_explorer.modeling.training_reports import (
    Reconstructions,
    TrainingEpoch,
    TrainingPlan,
    TrainingStep,
)
from napari_latent_explorer.session.training_curves import (
    Histories,
    LossCurve,
    Pace,
    PastTraining,
    TrainingRow,
    curves_of,
    pace_of,
)

MAX_STEPS = 1000
"""Reports of steps kept per stage; above, every other one is dropped."""
PACE_WINDOW_S = 30.0


@dataclass(frozen=True, slots=True)
class _Mark:
    """A step, when it was told, and how many participants were trained on before it."""

    time_s: float
    step: TrainingStep
    n_samples_before: int


class TrainingRecord:
    """A run as far as it was told.

    Attributes
    ----------
    reconstructions
        The fixed validation participants after the last epoch.
    current_stage
        The stage that was told of last.
    """

    def __init__(self, past: PastTraining | None = None) -> None:
        found = past.histories if past is not None else {}
        self.reconstructions: Reconstructions | None = past.reconstructions if past is not None else None
        self.current_stage: str | None = "joint" if "joint" in found else next(reversed(list(found)), None)
        self._histories: dict[str, list[TrainingRow]] = {stage: list(rows) for stage, rows in found.items()}
        self._steps: dict[str, list[TrainingStep]] = {}
        self._plan: TrainingPlan | None = None
        self._marks: deque[_Mark] = deque()

    @property
    def histories(self) -> Histories:
        """Epochs of each stage."""
        return self._histories

    @property
    def stages(self) -> tuple[str, ...]:
        """Stages that there are losses of, in their order."""
        return tuple(dict.fromkeys((*self._histories, *self._steps)))

    @property
    def pace(self) -> Pace | None:
        """How fast it goes; None before that was measured."""
        if self._plan is None or len(self._marks) < 2:
            return None
        then, now = self._marks[0], self._marks[-1]
        n_samples = now.n_samples_before + now.step.n_samples - then.n_samples_before - then.step.n_samples
        return pace_of(self._plan, then.step, now.step, n_samples, now.time_s - then.time_s)

    def curves(self, stage: str) -> tuple[LossCurve, ...]:
        """Losses of a stage, to be drawn."""
        return curves_of(self._histories.get(stage, ()), self._steps.get(stage, ()))

    def take(self, report: Any) -> None:
        """Remember a report."""
        if isinstance(report, TrainingStep):
            self._take_step(report)
        elif isinstance(report, TrainingEpoch):
            rows = self._histories.setdefault(report.stage, [])
            rows[:] = [row for row in rows if row["epoch"] < report.row["epoch"]] + [report.row]
            self.current_stage = report.stage
        elif isinstance(report, Reconstructions):
            self.reconstructions = report
        elif isinstance(report, TrainingPlan):
            self._plan = report

    def forget_pace(self) -> None:
        """Measure anew, after a rest."""
        self._marks.clear()

    def _take_step(self, step: TrainingStep) -> None:
        steps = self._steps.setdefault(step.stage, [])
        if steps and steps[-1].n_passes >= step.n_passes:
            steps[:] = [former for former in steps if former.n_passes < step.n_passes]
        steps.append(step)
        if len(steps) > MAX_STEPS:
            del steps[1::2]
        self.current_stage = step.stage
        self._mark(step)

    def _mark(self, step: TrainingStep) -> None:
        marks = self._marks
        if marks and (marks[-1].step.stage != step.stage or marks[-1].step.n_passes >= step.n_passes):
            marks.clear()
        n_before = marks[-1].n_samples_before + marks[-1].step.n_samples if marks else 0
        marks.append(_Mark(monotonic(), step, n_before))
        while len(marks) > 2 and marks[-1].time_s - marks[0].time_s > PACE_WINDOW_S:
            marks.popleft()
