import subprocess
import sys

import pytest

from napari_latent_explorer._cli import system_libraries


@pytest.fixture
def linux(monkeypatch):
    monkeypatch.setattr(sys, "platform", "linux")


def test_display_is_at_hand_where_one_is_named(monkeypatch, linux):
    monkeypatch.delenv("DISPLAY", raising=False)
    monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)
    assert not system_libraries.is_display_at_hand()
    monkeypatch.setenv("WAYLAND_DISPLAY", "wayland-0")
    assert system_libraries.is_display_at_hand()


@pytest.mark.parametrize("platform", ["win32", "darwin"])
def test_windows_and_macos_always_have_a_display_and_lack_nothing(monkeypatch, platform):
    monkeypatch.setattr(sys, "platform", platform)
    monkeypatch.delenv("DISPLAY", raising=False)
    assert system_libraries.is_display_at_hand()
    assert system_libraries.missing_packages() == ()


def test_missing_libraries_are_named_by_package_once(monkeypatch, linux):
    monkeypatch.setattr(system_libraries, "_can_load", lambda name: name != "libxcb-cursor.so.0")
    monkeypatch.setattr(system_libraries.shutil, "which", lambda name: None if name in {"Xvfb", "xvfb-run"} else name)
    monkeypatch.setattr(system_libraries.Path, "glob", lambda self, pattern: iter([self]))
    assert system_libraries.missing_packages() == ("libxcb-cursor0", "xvfb")


def test_software_opengl_is_looked_for_as_a_file(monkeypatch, linux):
    monkeypatch.setattr(system_libraries, "_can_load", lambda name: True)
    monkeypatch.setattr(system_libraries.shutil, "which", lambda name: name)
    monkeypatch.setattr(system_libraries.Path, "glob", lambda self, pattern: iter(()))
    assert system_libraries.missing_packages() == ("libgl1-mesa-dri",)


def test_a_library_that_exists_nowhere_cannot_be_loaded():
    assert not system_libraries._can_load("libthere-is-no-such-library.so.9")


def test_root_on_debian_gets_them_installed(monkeypatch):
    commands = []

    def record(command, **options):
        commands.append((command, options["env"]["DEBIAN_FRONTEND"]))
        return subprocess.CompletedProcess(command, 0)

    monkeypatch.setattr(system_libraries, "missing_packages", lambda: ("xvfb",))
    monkeypatch.setattr(system_libraries.shutil, "which", lambda name: name)
    monkeypatch.setattr(system_libraries.os, "geteuid", lambda: 0, raising=False)
    monkeypatch.setattr(system_libraries.subprocess, "run", record)
    assert system_libraries.main() == 0
    assert commands == [
        ("apt-get update && apt-get install -y --no-install-recommends xvfb", "noninteractive"),
    ]


def test_others_get_one_line_to_paste(monkeypatch, capsys):
    monkeypatch.setattr(system_libraries, "missing_packages", lambda: ("xvfb", "libegl1"))
    monkeypatch.setattr(system_libraries.os, "geteuid", lambda: 1000, raising=False)
    assert system_libraries.main() == 1
    line = "sudo apt-get update && sudo apt-get install -y --no-install-recommends xvfb libegl1"
    assert line in capsys.readouterr().err.split("\n    ")[1]


def test_nothing_is_said_where_nothing_is_missing(monkeypatch, capsys):
    monkeypatch.setattr(system_libraries, "missing_packages", tuple)
    assert system_libraries.main() == 0
    assert capsys.readouterr().err == ""
