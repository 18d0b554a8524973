"""System libraries that a Qt window with OpenGL needs on Linux, and how to get those that are missing.

A file of the standard library alone: tox runs it as a script before anything else is there. Each library is looked for
by the name under which it is loaded, so that the answer holds on every distribution; the packages are Debian's and
Ubuntu's.
"""

import ctypes
import os
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

LIBRARIES = {
    "libGL.so.1": "libgl1",
    "libEGL.so.1": "libegl1",
    "libOpenGL.so.0": "libopengl0",
    "libGLX_mesa.so.0": "libglx-mesa0",
    "libglib-2.0.so.0": "libglib2.0-0",
    "libdbus-1.so.3": "libdbus-1-3",
    "libfontconfig.so.1": "libfontconfig1",
    "libxkbcommon-x11.so.0": "libxkbcommon-x11-0",
    "libxcb-cursor.so.0": "libxcb-cursor0",
    "libxcb-icccm.so.4": "libxcb-icccm4",
    "libxcb-image.so.0": "libxcb-image0",
    "libxcb-keysyms.so.1": "libxcb-keysyms1",
    "libxcb-randr.so.0": "libxcb-randr0",
    "libxcb-render-util.so.0": "libxcb-render-util0",
    "libxcb-shape.so.0": "libxcb-shape0",
    "libxcb-xinerama.so.0": "libxcb-xinerama0",
    "libxcb-xkb.so.1": "libxcb-xkb1",
}
"""Name under which a library is loaded, and the Debian package that holds it."""

PROGRAMS = {"Xvfb": "xvfb", "xvfb-run": "xvfb", "xauth": "xauth"}
"""Programs of the virtual display, and the Debian package that holds each."""

SOFTWARE_OPENGL = ("swrast_dri.so", "libdril_dri.so")
"""Files of Mesa's drivers, old and new layout; one of them draws without a graphics card."""


def is_display_at_hand() -> bool:
    """Whether a window can be shown to somebody."""
    if sys.platform in {"win32", "darwin"}:
        return True
    return bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))


def missing_packages() -> tuple[str, ...]:
    """Debian packages of everything that a window, or the virtual display in its place, needs and lacks here."""
    if not sys.platform.startswith("linux"):
        return ()
    missing = [package for name, package in LIBRARIES.items() if not _can_load(name)]
    if not any(file for name in SOFTWARE_OPENGL for file in Path("/usr").glob(f"lib*/**/dri/{name}")):
        missing.append("libgl1-mesa-dri")
    missing += [package for name, package in PROGRAMS.items() if shutil.which(name) is None]
    return tuple(dict.fromkeys(missing))


def install_command(packages: Iterable[str]) -> str:
    """Return the line that installs `packages` on Debian or Ubuntu."""
    return "apt-get update && apt-get install -y --no-install-recommends " + shlex.join(packages)


def main() -> int:
    """Install what is missing where that is possible, else name it in one line to paste."""
    packages = missing_packages()
    if not packages:
        return 0
    command = install_command(packages)
    if shutil.which("apt-get") and os.geteuid() == 0:
        sys.stderr.write(f"Installing system libraries that a window needs: {' '.join(packages)}\n")
        environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
        return subprocess.run(command, shell=True, check=False, env=environment).returncode
    pasted = command.replace("apt-get", "sudo apt-get")
    sys.stderr.write(
        f"A window needs system libraries that are missing. Install them, then try again:\n\n    {pasted}\n\n"
    )
    return 1


def _can_load(name: str) -> bool:
    try:
        ctypes.CDLL(name)
    except OSError:
        return False
    return True


if __name__ == "__main__":
    raise SystemExit(main())
