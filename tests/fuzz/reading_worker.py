"""A process that reads what it is told to, and says what became of it; whatever happens to it, the tests live on.

Run as a script. It takes one JSON line per input on its standard input and answers with one JSON line. Around each read
it watches what a user must never meet: an exception that is not the project's own, a message that does not help, a
value that breaks the data's promises, memory over the limit, a file written, a program or a connection started, a file
opened that is none of the input's, words on the terminal.

The declared limits are lowered before any reader is imported (`LIMIT_BYTES`), so that an allocation over them shows
with small inputs. The process has room for several times as much and no more (RLIMIT_AS).
"""

import contextlib
import faulthandler
import importlib
import json
import os
import re
import resource
import sys
import time
import traceback
import warnings
from pathlib import Path
from typing import Any

LIMIT_BYTES = 128 << 20
"""What the readers are told is the most that a recording may take, decoded."""
ALLOWED_PEAK_BYTES = 4 * LIMIT_BYTES
"""A reader may hold the file, the stored numbers, the signal and one step between them at the same time."""
ADDRESS_SPACE_BYTES = 16 * LIMIT_BYTES
MAX_MESSAGE_CHARS = 700
"""Longest message, paths not counted."""

_PYTHON_WORDS = re.compile(
    r"NoneType|has no attribute|object is not|not subscriptable|unsupported operand|positional argument|"
    r"<class '|<function|object at 0x|Traceback|Errno|invalid literal for|could not convert string to float: b"
)
_CONTROL = re.compile(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")
_FORBIDDEN_EVENTS = (
    "subprocess.Popen", "os.system", "os.exec", "os.posix_spawn", "os.fork", "os.remove", "os.rename", "os.mkdir",
    "os.rmdir", "os.link", "os.symlink", "os.truncate", "os.chmod", "socket.connect", "socket.bind",
    "socket.getaddrinfo", "socket.gethostbyname", "urllib.Request", "pickle.find_class", "tempfile.mkstemp",
    "tempfile.mkdtemp", "webbrowser.open",
)  # fmt: skip
_OWN_PROCESS = "napari_latent_explorer.io.decoding_process"
_WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND


class Watch:
    """Collects what the interpreter reports of files, programs and connections while an input is read."""

    def __init__(self, allowed: tuple[str, ...]) -> None:
        self._allowed = allowed
        self.inside: str | None = None
        self.seen: list[str] = []

    def __call__(self, event: str, args: tuple[Any, ...]) -> None:
        if self.inside is None:
            return
        if event == "open":
            self._on_open(*args)
        elif event in _FORBIDDEN_EVENTS and not any(_OWN_PROCESS in str(argument) for argument in args):
            self.seen.append(f"{event} {args[:2]!r}"[:200])

    def _on_open(self, path: Any, mode: Any, flags: Any) -> None:
        if not isinstance(path, str | bytes | os.PathLike):
            return
        place = os.path.abspath(os.fsdecode(path))
        is_written = (isinstance(mode, str) and bool(set(mode) & set("wax+"))) or bool((flags or 0) & _WRITING)
        if is_written and place != os.devnull:
            self.seen.append(f"wrote {place}")
        elif not place.startswith((self.inside or "", *self._allowed)):
            self.seen.append(f"opened {place}")


def main() -> None:
    """Answer one line per input until the input ends."""
    answers, printed = _take_over_output()
    faulthandler.enable(sys.stderr)
    _lower_limits()
    from reading_targets import TARGETS

    for name in _IMPORTED_FIRST:
        with contextlib.suppress(ImportError):
            importlib.import_module(name)
    watch = Watch((sys.prefix, sys.base_prefix, str(Path(__file__).parent), *_PLACES_OF_THE_SYSTEM, *_package_places()))
    sys.addaudithook(watch)
    resource.setrlimit(resource.RLIMIT_AS, (_status_bytes("VmSize") + ADDRESS_SPACE_BYTES,) * 2)
    for line in sys.stdin:
        request = json.loads(line)
        for name in TARGETS[request["target"]].imports:
            importlib.import_module(name)
        answer = judge(TARGETS[request["target"]], Path(os.fsdecode(bytes.fromhex(request["path"]))), watch, printed)
        answers.write(json.dumps(answer) + "\n")
        answers.flush()


_IMPORTED_FIRST = (
    "wfdb",
    "pydicom",
    "pydicom.pixels",
    "h5py",
    "nibabel",
    "openpyxl",
    "pyarrow.parquet",
    "scipy.io",
    "zarr",
)
"""Libraries whose import itself tries sockets, starts programs or takes memory, which is no input's doing."""
_PLACES_OF_THE_SYSTEM = ("/usr/share/zoneinfo", "/usr/lib", "/lib", "/proc", "/sys", "/dev/null", "/dev/urandom")


def _package_places() -> tuple[str, ...]:
    import napari_latent_explorer

    return (str(Path(napari_latent_explorer.__file__).parent),)


def _take_over_output() -> tuple[Any, str]:
    """Give the answers a pipe of their own; all else that is printed, by C libraries too, goes to a file."""
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    printed = os.environ["READING_WORKER_OUTPUT"]
    file = os.open(printed, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    os.dup2(file, 1)
    os.dup2(file, 2)
    return answers, printed


def _lower_limits() -> None:
    from napari_latent_explorer.io import reading

    reading.MAX_RECORDING_BYTES = LIMIT_BYTES
    reading.MAX_ECG_FILE_BYTES = min(reading.MAX_ECG_FILE_BYTES, LIMIT_BYTES)
    from napari_latent_explorer.io import table_facts

    table_facts.MAX_CELLS = LIMIT_BYTES // 32
    from napari_latent_explorer.io import excel_sheet, latent_h5ad, table_file

    latent_h5ad.MAX_LATENT_BYTES = LIMIT_BYTES

    from napari_latent_explorer.modeling import bundle_files, onnx_network

    bundle_files.MAX_WEIGHT_BYTES = onnx_network.MAX_BYTES = LIMIT_BYTES
    onnx_network.MAX_VALUE_BYTES = LIMIT_BYTES // 4

    table_file.MAX_TABLE_BYTES = excel_sheet.MAX_UNPACKED_BYTES = LIMIT_BYTES
    excel_sheet.MAX_SHEET_CELLS = LIMIT_BYTES // 128


def judge(target: Any, path: Path, watch: Watch, printed: str) -> dict[str, Any]:
    """Read `path` as `target` and say how it went: ``kind`` is `read`, `refused` or what went wrong."""
    watch.seen.clear()
    n_printed = os.path.getsize(printed)
    _forget_peak()
    before_bytes, cpu_before = _status_bytes("VmRSS"), time.process_time()
    start = time.perf_counter()
    with warnings.catch_warnings(record=True) as warned:
        warnings.simplefilter("always")
        watch.inside = str(path if path.is_dir() else path.parent)
        kind, message, where = _outcome(target, path)
        watch.inside = None
    seconds = time.perf_counter() - start
    peak_bytes = max(0, _status_bytes("VmHWM") - before_bytes)
    answer = {"kind": kind, "message": message[:3000], "where": where, "seconds": seconds, "peak_bytes": peak_bytes}
    answer["cpu_seconds"] = time.process_time() - cpu_before
    shown = [w for w in warned if not issubclass(w.category, DeprecationWarning | PendingDeprecationWarning)]
    if kind in ("read", "refused"):
        if peak_bytes > ALLOWED_PEAK_BYTES:
            answer.update(kind="memory", message=f"{peak_bytes >> 20} MiB; {message[:500]}")
        elif watch.seen:
            answer.update(kind="reached out", message="; ".join(watch.seen[:3]), where=watch.seen[0].split()[0])
        elif shown:
            first = shown[0]
            answer.update(
                kind="warned", message=f"{first.category.__name__}: {first.message}"[:500], where=_line(first)
            )
        elif os.path.getsize(printed) > n_printed:
            text = Path(printed).read_bytes()[n_printed:][:500].decode("utf-8", "replace")
            answer.update(kind="printed", message=text, where=text[:40])
    return answer


def _line(warning: Any) -> str:
    return f"{Path(warning.filename).name}:{warning.lineno}"


def _outcome(target: Any, path: Path) -> tuple[str, str, str]:
    from napari_latent_explorer.errors import LatentExplorerError

    try:
        value = target.read(path)
    except LatentExplorerError as refusal:
        fault = message_fault(str(refusal), path)
        raised = traceback.extract_tb(refusal.__traceback__)[-1]
        where = f"{Path(raised.filename).name}:{raised.lineno}"
        if not isinstance(refusal, target.errors):
            return "other error", f"{type(refusal).__name__}: {refusal}", where
        return ("refused", str(refusal), where) if fault is None else ("poor message", f"{fault}: {refusal}", where)
    except BaseException as stranger:
        frames = traceback.extract_tb(stranger.__traceback__)
        own = [frame for frame in frames if "napari_latent_explorer" in frame.filename] or list(frames)
        last = own[-1]
        inner = frames[-1]
        place = f"{Path(last.filename).name}:{last.lineno} < {Path(inner.filename).name}:{inner.lineno}"
        with contextlib.suppress(Exception):
            text = f"{type(stranger).__name__}: {stranger}"
        return "other error", text, f"{type(stranger).__name__} {place}"
    problems = target.problems(value)
    return ("read", "", "") if not problems else ("bad value", "; ".join(problems), problems[0][:40])


def message_fault(message: str, path: Path) -> str | None:
    """What keeps a message from helping its reader; None when nothing does."""
    from napari_latent_explorer.errors import shown_text

    if _CONTROL.search(message):
        return "control characters"
    if found := _PYTHON_WORDS.search(message):
        return f"Python's own words ({found.group()})"
    without_paths = message
    for place in (str(path), shown_text(str(path)), str(path.parent), shown_text(str(path.parent))):
        without_paths = without_paths.replace(place, "PATH")
    if len(without_paths) > MAX_MESSAGE_CHARS:
        return f"{len(without_paths)} characters long"
    if not any(name in message for name in (path.name, path.stem, shown_text(path.name), shown_text(path.stem))):
        return "names no file"
    if len(message) < 30:
        return "says too little"
    return None


def _status_bytes(field: str) -> int:
    with open("/proc/self/status") as status:
        line = next(line for line in status if line.startswith(field + ":"))
    return int(line.split()[1]) << 10


def _forget_peak() -> None:
    with contextlib.suppress(OSError):
        Path("/proc/self/clear_refs").write_text("5")


if __name__ == "__main__":
    main()
