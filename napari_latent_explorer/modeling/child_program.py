"""The program that `child_task` runs: trains, or encodes a study and lays out its maps, and tells of it in JSON.

| task | parameters | result |
| --- | --- | --- |
| ``train`` | study, output, request (`TrainingRequest.to_dict`) | fingerprint |
| ``encode`` | study, bundle | n_skipped, first_skipped |

Reports are thinned here: nobody sees more than ten in a second, and a small network makes hundreds of steps.
"""

import json
import os
import sys
import threading
import traceback
from collections.abc import Generator, Mapping
from dataclasses import asdict
from pathlib import Path
from time import monotonic
from typing import IO, Any

from napari_latent_explorer.data.progress import Progress
from napari_latent_explorer.errors import LatentExplorerError, shown_text
from napari_latent_explorer.modeling.training_reports import (
    Reconstructions,
    TrainingEpoch,
    TrainingPlan,
    TrainingStep,
)

TELL_EVERY_S = 0.1
_NICENESS = 5
Events = IO[str]


class PipeWatch:
    """Tells a training's reports as events; a `TrainingWatch`. Steps that come too fast are told as one, by their mean.

    Parameters
    ----------
    events
        Where lines of JSON go.
    folder
        Where reconstructions go.
    """

    def __init__(self, events: Events, folder: Path) -> None:
        self._events, self._folder = events, folder
        self._waiting: list[TrainingStep] = []
        self._told_s = 0.0

    def on_plan(self, plan: TrainingPlan) -> None:
        """Tell the stages."""
        tell(self._events, "plan", **asdict(plan))

    def on_step(self, step: TrainingStep) -> None:
        """Tell the mean of the steps since the last telling, if that was long enough ago."""
        if self._waiting and self._waiting[0].stage != step.stage:
            self._waiting = []
        self._waiting.append(step)
        if monotonic() - self._told_s >= TELL_EVERY_S:
            self._tell_steps()

    def on_epoch(self, epoch: TrainingEpoch) -> None:
        """Tell the row."""
        if self._waiting:
            self._tell_steps()
        tell(self._events, "epoch", stage=epoch.stage, row=dict(epoch.row))

    def on_reconstructions(self, reconstructions: Reconstructions) -> None:
        """Put them beside the run."""
        reconstructions.save(self._folder)
        tell(self._events, "reconstructions")

    def _tell_steps(self) -> None:
        steps, last = self._waiting, self._waiting[-1]
        means = {name: sum(step.losses[name] for step in steps) / len(steps) for name in last.losses}
        self._told_s, self._waiting = monotonic(), []
        tell(
            self._events,
            "step",
            stage=last.stage,
            n_passes=last.n_passes,
            progress=last.progress,
            n_samples=sum(step.n_samples for step in steps),
            losses=means,
        )


def tell(events: Events, event: str, **fields: Any) -> None:
    """Write one event."""
    events.write(json.dumps({"event": event, **fields}) + "\n")
    events.flush()


def work_on(task: Mapping[str, Any], events: Events) -> Generator[Progress, None, dict[str, Any]]:
    """Do a task; returns its result, plain values."""
    from napari_latent_explorer.modeling.recordings import open_study

    yield Progress(0, 0, "Opening the study")
    study = open_study(task["study"])
    if task["name"] == "encode":
        from napari_latent_explorer.modeling.encoded_study import encode_and_project

        skipped = yield from encode_and_project(study, Path(task["bundle"]))
        return {"n_skipped": len(skipped), "first_skipped": next(iter(skipped.items()), None)}
    yield Progress(0, 0, "Loading the network library")
    from napari_latent_explorer.modeling.training import train
    from napari_latent_explorer.modeling.training_request import TrainingRequest

    output, request = Path(task["output"]), TrainingRequest.from_dict(task["request"])
    request.save(output)
    available = study.cohort().availability
    config = request.config(int((available["mri"] & available["ecg"]).sum()))
    bundle = yield from train(study, config, output, watch=PipeWatch(events, output))
    return {"fingerprint": bundle.fingerprint}


def main() -> None:
    """Do the task that comes in on standard input, and what it wishes meanwhile."""
    events = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)  # libraries print past Python
    if hasattr(os, "nice"):
        os.nice(_NICENESS)
    task = json.loads(sys.stdin.readline())
    may_go_on = threading.Event()
    may_go_on.set()
    threading.Thread(target=_obey, args=(may_go_on,), daemon=True).start()
    try:
        result = _drive(work_on(task, events), events, may_go_on)
    except LatentExplorerError as error:
        tell(events, "failed", reason=str(error))
    except Exception as error:  # a fault of the program, told as far as it may help
        place = traceback.extract_tb(error.__traceback__)[-1]
        what = shown_text(f"{type(error).__name__}: {error}", 400)
        where = f"{Path(place.filename).name}, line {place.lineno}"
        tell(events, "failed", reason=f"The program failed in {where}: {what}")
    else:
        tell(events, "done", **result)


def _drive(
    work: Generator[Progress, None, dict[str, Any]], events: Events, may_go_on: threading.Event
) -> dict[str, Any]:
    told_s = 0.0
    while True:
        try:
            progress = next(work)
        except StopIteration as stop:
            return dict(stop.value)
        if monotonic() - told_s >= TELL_EVERY_S:
            tell(events, "progress", **asdict(progress))
            told_s = monotonic()
        if not may_go_on.is_set():
            tell(events, "paused")
            may_go_on.wait()
            tell(events, "went_on")


def _obey(may_go_on: threading.Event) -> None:
    """Follow the parent's wishes, and end with it."""
    for line in sys.stdin:
        if json.loads(line)["wish"] == "pause":
            may_go_on.clear()
        else:
            may_go_on.set()
    os._exit(1)


if __name__ == "__main__":
    main()
