"""Run a command under a virtual display (Xvfb), for pictures and tests of windows on a machine without a screen.

A file of the standard library alone: tox runs it as a script in front of the commands that open windows.
"""

import os
import shutil
import subprocess
import sys
from collections.abc import Sequence

SCREEN = "1920x1200x24"
"""Width x height x bits per pixel of the virtual display."""


def under_virtual_display(command: Sequence[str]) -> list[str]:
    """`command`, put under a virtual display where this system has one; else (Windows, macOS) as it is."""
    launcher = shutil.which("xvfb-run")
    if launcher is None:
        return list(command)
    return [launcher, "--auto-servernum", f"--server-args=-screen 0 {SCREEN} -nolisten tcp", *command]


def run_under_virtual_display(command: Sequence[str], **variables: str) -> int:
    """Run `command` under a virtual display, with more environment `variables`, and return its exit status."""
    environment = {name: value for name, value in os.environ.items() if name != "WAYLAND_DISPLAY"} | variables
    return subprocess.run(under_virtual_display(command), check=False, env=environment).returncode


if __name__ == "__main__":
    raise SystemExit(run_under_virtual_display(sys.argv[1:]))
