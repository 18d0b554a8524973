"""Readers that do each thing that no reader may do, to see that the watch sees it."""

import os
import socket
import subprocess
import sys
import time
import warnings
from pathlib import Path
from typing import Any

import numpy as np

from napari_latent_explorer.errors import RecordingError, StudyError


def _raise_other(path: Path) -> None:
    raise KeyError(path)


def _raise_wrong_kind(path: Path) -> None:
    raise StudyError(f"Cannot read {path}: it is of another kind.")


def _speak_python(path: Path) -> None:
    raise RecordingError(f"Cannot read {path}: 'NoneType' object is not subscriptable.")


def _name_no_file(path: Path) -> None:
    raise RecordingError("Something is wrong with one of your files, somewhere.")


def _talk_on(path: Path) -> None:
    raise RecordingError(f"Cannot read {path}: " + "and so on, " * 200)


def _take_memory(path: Path) -> Any:
    return np.ones(600 << 20, np.uint8).sum()


def _take_all_memory(path: Path) -> Any:
    return np.zeros(8 << 30, np.uint8)


def _print_past_python(path: Path) -> None:
    os.write(2, b"libexample: warning\n")


def _open_elsewhere(path: Path) -> Any:
    return Path("/etc/hostname").read_text()


def _write_file(path: Path) -> None:
    path.with_name("extracted").write_bytes(b"")


def _start_program(path: Path) -> None:
    subprocess.run([sys.executable, "-c", ""], check=True)


def _ask_network(path: Path) -> None:
    with socket.socket() as one:
        one.settimeout(0.1)
        one.connect_ex(("127.0.0.1", 9))


def _wait_for_ever(path: Path) -> None:
    time.sleep(3600)


def _abort(path: Path) -> None:
    os.abort()


def _warn(path: Path) -> None:
    warnings.warn("something is odd", UserWarning, stacklevel=1)


DEEDS = {
    "other error": (_raise_other, _raise_wrong_kind, _take_all_memory),
    "poor message": (_speak_python, _name_no_file, _talk_on),
    "memory": (_take_memory,),
    "printed": (_print_past_python,),
    "reached out": (_open_elsewhere, _write_file, _start_program, _ask_network),
    "warned": (_warn,),
    "crash": (_abort,),
    "hang": (_wait_for_ever,),
}
"""What each is called when it is noticed."""
