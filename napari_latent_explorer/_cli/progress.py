"""Long work with a progress bar: a generator is driven to its end, and each `Progress` that it yields is shown.

Everything that is said on the way goes to standard error, so that standard output holds results only.
"""

import os
from collections.abc import Generator
from typing import TypeVar

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeElapsedColumn, TimeRemainingColumn
from rich.progress import Progress as ProgressBar

from napari_latent_explorer.data.progress import Progress

Result = TypeVar("Result")

INTERRUPTED = 130
"""Exit status of a command that was stopped with Ctrl+C, as shells count it."""

console = Console(stderr=True, quiet=os.environ.get("RANK", "0") != "0")
"""Of the processes that ``torchrun`` starts, which number themselves in RANK, the first speaks for all."""


def run(work: Generator[Progress, None, Result], title: str, when_stopped: str) -> Result:
    """Drive `work` to its end behind a progress bar and return its result.

    Parameters
    ----------
    work
        Long work as a generator.
    title
        What is being done, for the bar.
    when_stopped
        What to tell someone who presses Ctrl+C: what is kept, and how to go on.

    Raises
    ------
    typer.Exit
        After Ctrl+C, with status 130.
    """
    try:
        with _progress_bar() as bar:
            task = bar.add_task(title, total=None, message="")
            while True:
                try:
                    progress = next(work)
                except StopIteration as stop:
                    bar.update(task, completed=bar.tasks[task].total, message="done")
                    result: Result = stop.value
                    return result
                bar.update(task, completed=progress.done, total=progress.total or None, message=progress.message)
    except KeyboardInterrupt:
        work.close()
        console.print(f"[yellow]Stopped.[/yellow] {when_stopped}")
        raise typer.Exit(INTERRUPTED) from None


def _progress_bar() -> ProgressBar:
    return ProgressBar(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TextColumn("left"),
        TimeRemainingColumn(),
        TextColumn("{task.fields[message]}"),
        console=console,
    )
