"""Keeps one `reading_worker` alive, sends it inputs, and starts another when an input kills or stops it."""

import json
import os
import select
import signal
import subprocess
import sys
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

PATIENCE_S = 10.0
"""Longest time of the processor, and of the clock while the process sleeps, that one input may take."""
_PATIENCE_ON_A_BUSY_MACHINE_S = 60.0
_START_S = 120.0


@dataclass(frozen=True)
class Verdict:
    """What became of one input.

    Attributes
    ----------
    kind
        `read`, `refused`, or what went wrong: `other error`, `hang`, `crash`, `memory`, `reached out`, `warned`,
        `printed`, `poor message`, `bad value`.
    message
        The error's text, or the trouble's.
    where
        Line that raised; failures of one kind at one place are one failure.
    seconds, peak_bytes
        Time and additional memory that the input took.
    """

    kind: str
    message: str = ""
    where: str = ""
    seconds: float = 0.0
    peak_bytes: int = 0

    @property
    def is_fine(self) -> bool:
        """Whether it was read, or refused as it should be."""
        return self.kind in ("read", "refused")


@dataclass
class Tally:
    """Counts over many inputs."""

    kinds: Counter[str] = field(default_factory=Counter)
    slowest_s: float = 0.0
    peak_bytes: int = 0

    def add(self, verdict: Verdict) -> None:
        """Count one more."""
        self.kinds[verdict.kind] += 1
        self.slowest_s = max(self.slowest_s, verdict.seconds)
        self.peak_bytes = max(self.peak_bytes, verdict.peak_bytes)

    def line(self, name: str) -> str:
        """All of it in one line for the end of the tests' output."""
        fine = self.kinds["refused"] + self.kinds["read"]
        others = {kind: n for kind, n in sorted(self.kinds.items()) if kind not in ("refused", "read")}
        named = f" ({', '.join(f'{n} {kind}' for kind, n in others.items())})" if others else ""
        return (
            f"{name:<28} {self.kinds.total():>7,} inputs: {self.kinds['refused']:>7,} refused, "
            f"{self.kinds['read']:>6,} read, {self.kinds.total() - fine:>3,} other{named}, "
            f"slowest {self.slowest_s:.2f} s, peak {self.peak_bytes >> 20} MiB"
        )


class ReadingServer:
    """Front of the worker process; use it as a context."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._printed = folder / "printed.txt"
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> "ReadingServer":
        return self

    def __exit__(self, *_: object) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._close_pipes()

    def ask(self, target: str, path: Path) -> Verdict:
        """Have `path` read as `target`, in at most `PATIENCE_S` of the processor's time."""
        process = self._running()
        assert process.stdin is not None
        request = {"target": target, "path": os.fsencode(path).hex()}
        process.stdin.write(json.dumps(request).encode() + b"\n")
        process.stdin.flush()
        answer = self._answer(process)
        if isinstance(answer, Verdict):
            return answer
        cpu_seconds = answer.pop("cpu_seconds")
        verdict = Verdict(**answer)
        if min(cpu_seconds, verdict.seconds) > PATIENCE_S:
            return Verdict("hang", f"{verdict.seconds:.1f} s", "slow", verdict.seconds, verdict.peak_bytes)
        return verdict

    def _answer(self, process: "subprocess.Popen[bytes]") -> dict[str, Any] | Verdict:
        assert process.stdout is not None
        start = time.monotonic()
        while True:
            ready, _, _ = select.select([process.stdout], [], [], 1.0)
            waited = time.monotonic() - start
            if ready:
                line = process.stdout.readline()
                return json.loads(line) if line.endswith(b"\n") else self._death(process, waited)
            if waited > _PATIENCE_ON_A_BUSY_MACHINE_S or (waited > PATIENCE_S and _sleeps(process.pid)):
                process.send_signal(signal.SIGABRT)  # faulthandler then says where it was
                process.wait()
                return Verdict("hang", self._last_words(), "stopped", waited)

    def _death(self, process: "subprocess.Popen[bytes]", waited: float) -> Verdict:
        number = -process.wait()
        name = signal.Signals(number).name if number > 0 else f"exit {-number}"
        words = self._last_words()
        place = next((line.strip() for line in words.splitlines() if line.strip().startswith("File")), "")
        return Verdict("crash", f"{name}: {words}", f"{name} {place}", waited)

    def _last_words(self) -> str:
        words = self._printed.read_bytes()[-12_000:].decode("utf-8", "replace")
        return words[words.rfind("Fatal Python error") :].partition("Extension modules:")[0][:3000]

    def _running(self) -> "subprocess.Popen[bytes]":
        if self._process is None or self._process.poll() is not None:
            self._close_pipes()
            self._process = self._start()
        return self._process

    def _start(self) -> "subprocess.Popen[bytes]":
        scratch = self._folder / "scratch"
        scratch.mkdir(parents=True, exist_ok=True)
        environment = {
            **os.environ,
            "READING_WORKER_OUTPUT": str(self._printed),
            "TMPDIR": str(scratch),
            "HOME": str(scratch),
            "PYTHONDONTWRITEBYTECODE": "1",
            "OMP_NUM_THREADS": "1",
            "MALLOC_ARENA_MAX": "2",
            "ORT_DISABLE_TELEMETRY": "1",
        }
        worker = Path(__file__).with_name("reading_worker.py")
        return subprocess.Popen(
            [sys.executable, str(worker)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=scratch, env=environment
        )

    def _close_pipes(self) -> None:
        if self._process is not None:
            for pipe in (self._process.stdin, self._process.stdout):
                if pipe is not None:
                    pipe.close()

    def left_behind(self) -> list[str]:
        """Files that the worker wrote where it ran."""
        return sorted(str(path) for path in (self._folder / "scratch").rglob("*") if path.is_file())


def _sleeps(pid: int) -> bool:
    """Whether a process waits for something instead of computing."""
    return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] in "SD"
