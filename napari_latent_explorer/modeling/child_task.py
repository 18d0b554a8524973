"""Work that must not share a process with a window: training, and encoding a whole study.

The hard idea: a worker thread would hold Python's lock for tens of milliseconds at a time, could be stopped only
between two steps, and would take the window along when memory runs out. A child process can be killed at any moment,
which checkpoints and latents are made to survive, and takes its memory with it when it ends.

Parent and child exchange lines of JSON: the task, then ``pause`` and ``go on`` one way, events the other way. The child
is `child_program`; it ends when the parent does. Nothing that comes back is executed.
"""

import json
import queue
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Generator, Mapping
from contextlib import suppress
from typing import IO, Any

from napari_latent_explorer.data.progress import Progress
from napari_latent_explorer.errors import TrainingError

PROGRAM = "napari_latent_explorer.modeling.child_program"
POLL_S = 0.1


class ChildTask:
    """One task in a process of its own.

    Parameters
    ----------
    task
        Its name and parameters as `child_program` takes them; plain values.
    """

    def __init__(self, task: Mapping[str, Any]) -> None:
        self._task = dict(task)
        self._child: subprocess.Popen[str] | None = None
        self._lock = threading.Lock()

    def run(self, on_event: Callable[[Mapping[str, Any]], None]) -> Generator[Progress, None, dict[str, Any]]:
        """Start the process and follow it to its end; closing the generator kills it.

        Parameters
        ----------
        on_event
            Told of what is neither progress nor the end, on the thread that drives the generator.

        Raises
        ------
        TrainingError
            When the task fails, with its own reason, or when the process is lost.
        """
        child = self._start()
        lines: queue.SimpleQueue[str | None] = queue.SimpleQueue()
        assert child.stdout is not None
        reader = threading.Thread(target=_read, args=(child.stdout, lines), name="Child task", daemon=True)
        reader.start()
        try:
            self._send(self._task)
            return (yield from _follow(child, lines, on_event))
        finally:
            child.kill()
            child.wait()
            reader.join()
            with self._lock:
                for stream in (child.stdin, child.stdout):
                    if stream is not None:
                        with suppress(OSError):
                            stream.close()

    def pause(self) -> None:
        """Ask the child to rest after its present step; it says ``paused`` when it does."""
        self._send({"wish": "pause"})

    def go_on(self) -> None:
        """End the rest."""
        self._send({"wish": "go on"})

    def _start(self) -> "subprocess.Popen[str]":
        # -P: no folder in which somebody works, perhaps on foreign files, is searched for modules
        program = [sys.executable, "-P", "-m", PROGRAM]
        try:
            self._child = subprocess.Popen(
                program,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                encoding="utf-8",
                errors="replace",
            )
        except OSError as refusal:
            raise TrainingError(f"No process could be started for this work ({refusal.strerror}).") from refusal
        return self._child

    def _send(self, message: Mapping[str, Any]) -> None:
        with self._lock:
            child = self._child
            if child is None or child.stdin is None or child.stdin.closed:
                return
            with suppress(OSError):  # it has ended; who follows it finds that out
                child.stdin.write(json.dumps(message) + "\n")
                child.stdin.flush()


def _read(stream: IO[str], lines: "queue.SimpleQueue[str | None]") -> None:
    for line in stream:
        lines.put(line)
    lines.put(None)


def _follow(
    child: "subprocess.Popen[str]",
    lines: "queue.SimpleQueue[str | None]",
    on_event: Callable[[Mapping[str, Any]], None],
) -> Generator[Progress, None, dict[str, Any]]:
    progress = Progress(0, 0, "Starting")
    while True:
        yield progress
        try:
            line = lines.get(timeout=POLL_S)
        except queue.Empty:
            continue
        if line is None:
            raise TrainingError(_why_it_ended(child.wait()))
        message: dict[str, Any] = json.loads(line)
        event = message.pop("event")
        if event == "progress":
            progress = Progress(**message)
        elif event == "done":
            return message
        elif event == "failed":
            raise TrainingError(message["reason"])
        else:
            on_event({"event": event, **message})


def _why_it_ended(code: int) -> str:
    kept = "What was finished is kept; start again to go on."
    if code < 0:
        name = signal.Signals(-code).name if -code in set(signal.Signals) else str(-code)
        hint = ", which often means that memory ran out" if name == "SIGKILL" else ""
        return f"The process that did this work was ended by signal {name}{hint}. {kept}"
    return f"The process that did this work ended with exit code {code}. {kept}"
